//! Complaints about what is read and written: 9, 10 and 11.

use std::sync::{Arc, Mutex};

use riak_client::riak::RpbBucketProps;
use riak_client::riak_dt::dt_fetch_resp::DataType as Kind;
use riak_client::riak_dt::map_field::MapFieldType;
use riak_client::riak_dt::{
    CounterOp, DtFetchReq, DtFetchResp, DtOp, DtUpdateReq, DtUpdateResp, DtValue, GSetOp, SetOp,
};
use riak_client::riak_kv::{RpbContent, RpbGetReq};
use riak_client::riak_services::{RiakDtServer, RiakDtService};
use riak_client::{
    CallError, DataType, Fetched, Location, MapUpdate, Newest, Riak, ServerErrorKind, SetUpdate, Update,
};
use riak_runtime::client::NotSent;
use riak_runtime::server::Failure;
use riak_testkit::{DeleteMode, Node};

/// A node that keeps tombstones, with a bucket type as any new one is: its
/// buckets keep siblings, and each knows what it has seen.
async fn node() -> Node {
    let node = Node::builder().bucket_type("kept", &RpbBucketProps::default());
    node.delete_mode(DeleteMode::Keep).start().await.unwrap()
}

fn location() -> Location {
    Location::new("b", "k").of_type("kept")
}

/// The values of siblings, one after the other: what a shopping cart would do.
fn all_of(siblings: Vec<RpbContent>) -> RpbContent {
    let mut values: Vec<String> =
        siblings.into_iter().map(|content| content.value.to_string_lossy().into_owned()).collect();
    values.sort();
    RpbContent::new(values.join("+"))
}

/// A resolver is asked when there is something to resolve, and what it says is
/// stored with the clock of all that it has seen: the conflict is over.
#[tokio::test]
async fn no_09_siblings_are_resolved_once_and_for_all() {
    let node = node().await;
    let riak = Riak::connect(node.addr()).await.unwrap();
    let (objects, at) = (riak.objects(), location());
    objects.store_blindly(&at, RpbContent::new("one")).await.unwrap();
    let never = |_: Vec<RpbContent>| -> RpbContent { panic!("there is nothing to resolve") };
    let append = |found: Option<RpbContent>| {
        found.map(|content| RpbContent::new(format!("{}!", content.value.to_string_lossy())))
    };
    assert_eq!(objects.update(&at, &never, append).await.unwrap().unwrap().value, "one!");
    objects.store_blindly(&at, RpbContent::new("two")).await.unwrap();
    objects.store_blindly(&at, RpbContent::new("three")).await.unwrap();
    let Fetched::Siblings(siblings) = objects.fetch(&at).await.unwrap() else { panic!("there are three") };
    assert_eq!(siblings.contents.len(), 3);
    // Nothing is written that is not asked for.
    assert_eq!(objects.update(&at, &all_of, |_| None).await.unwrap(), None);
    assert!(matches!(objects.fetch(&at).await.unwrap(), Fetched::Siblings(_)));
    objects.update(&at, &all_of, append).await.unwrap();
    let Fetched::Found(object) = objects.fetch(&at).await.unwrap() else { panic!("they are resolved") };
    assert_eq!(object.content.value, "one!+three+two!");
    // Any of them is a way too: the last.
    objects.store_blindly(&at, RpbContent::new("last")).await.unwrap();
    assert_eq!(objects.update(&at, &Newest, |found| found).await.unwrap().unwrap().value, "last");
}

/// A tombstone is told from what never was, its clock is at hand, and a delete
/// takes what was read and nothing else.
#[tokio::test]
async fn no_10_deleting_takes_what_was_read_and_creating_again_survives() {
    let node = node().await;
    let riak = Riak::connect(node.addr()).await.unwrap();
    let (objects, at) = (riak.objects(), location());
    assert_eq!(objects.fetch(&at).await.unwrap(), Fetched::NotFound);
    objects.create(&at, RpbContent::new("first")).await.unwrap();
    let error = objects.create(&at, RpbContent::new("again")).await.unwrap_err();
    assert_eq!(error.server_error().unwrap().kind(), ServerErrorKind::ConditionFailed);
    let Fetched::Found(read) = objects.fetch(&at).await.unwrap() else { panic!("it is there") };
    let read = read.vclock.unwrap();
    // Somebody else writes between the read and the delete.
    objects.store_blindly(&at, RpbContent::new("theirs")).await.unwrap();
    objects.delete(&at, &read).await.unwrap();
    let never = |_: Vec<RpbContent>| -> RpbContent { panic!("a tombstone is no value") };
    let (left, clock) = objects.fetch(&at).await.unwrap().resolve(&never);
    assert_eq!(left.unwrap().value, "theirs", "the delete took what it had not read");
    objects.delete(&at, &clock.unwrap()).await.unwrap();
    let Fetched::Tombstone(_) = objects.fetch(&at).await.unwrap() else { panic!("it is deleted") };
    let unasked = RpbGetReq { r#type: Some("kept".into()), ..RpbGetReq::new("b", "k") };
    // A message that does not ask cannot tell the two apart; this does ask.
    assert!(riak.kv().get(unasked).await.unwrap().vclock.is_none());
    objects.update(&at, &never, |found| found.is_none().then(|| RpbContent::new("reborn"))).await.unwrap();
    let Fetched::Found(reborn) = objects.fetch(&at).await.unwrap() else {
        panic!("no sibling of the tombstone")
    };
    assert_eq!(reborn.content.value, "reborn");
    objects.delete_blindly(&at).await.unwrap();
    assert!(matches!(objects.fetch(&at).await.unwrap(), Fetched::Tombstone(_)));
    objects.create(&at, RpbContent::new("again")).await.unwrap();
    assert!(matches!(objects.fetch(&at).await.unwrap(), Fetched::Found(_)), "no sibling of the tombstone");
}

/// A set with a context, and what it was asked to do.
#[derive(Clone, Default)]
struct Sets(Arc<Mutex<Vec<DtUpdateReq>>>);

impl RiakDtServer for Sets {
    async fn fetch(&self, _: DtFetchReq) -> Result<DtFetchResp, Failure> {
        let value = DtValue { set_value: vec!["x".into()], ..DtValue::default() };
        Ok(DtFetchResp { context: Some("context".into()), value: Some(value), ..DtFetchResp::new(Kind::Set) })
    }

    async fn update(&self, request: DtUpdateReq) -> Result<DtUpdateResp, Failure> {
        self.0.lock().unwrap().push(request);
        Ok(DtUpdateResp::default())
    }
}

/// Contexts go with what was read, and with what Riak takes them for; what it
/// crashes on is not sent.
///
/// That removing without a read does not compile, and that a context is no
/// clock, is in the documentation of [`SetUpdate`], [`MapUpdate`] and `VClock`;
/// every rule of what is not sent is tested beside it in `checked.rs`.
#[tokio::test]
async fn no_11_contexts_are_sent_where_they_belong_and_crashes_are_not() {
    let sets = Sets::default();
    let node = Node::builder().with_service(RiakDtService(sets.clone())).start().await.unwrap();
    let riak = Riak::connect(node.addr()).await.unwrap();
    let at = Location::new("b", "k").of_type("sets");
    let Some(DataType::Set(set)) = riak.convergent().fetch(&at).await.unwrap() else { panic!("it is a set") };
    riak.convergent().update(&at, set.update().remove("x").insert("y")).await.unwrap();
    riak.convergent().update(&at, SetUpdate::new().insert("z")).await.unwrap();
    riak.convergent().update(&at, Update::increment(-5)).await.unwrap();
    riak.convergent().update(&at, Update::grow(["a", "b"])).await.unwrap();
    let nested = MapUpdate::new().increment("n", 1).map("m", |map| map.insert("s", "e").enable("f"));
    riak.convergent().update(&at, nested).await.unwrap();
    let asked = std::mem::take(&mut *sets.0.lock().unwrap());
    let contexts: Vec<_> = asked.iter().map(|request| request.context.is_some()).collect();
    assert_eq!(contexts, [true, false, false, false, false]);
    assert_eq!(asked[0].context.as_ref().unwrap(), "context");
    assert_eq!(asked[0].op.set_op.as_ref().unwrap().removes, ["x"]);
    assert_eq!(asked[4].op.map_op.as_ref().unwrap().updates[1].field.r#type, MapFieldType::Map);

    // The messages themselves can say anything.
    let of = |op| DtUpdateReq { key: Some("k".into()), ..DtUpdateReq::new("b", "t", op) };
    let counter = DtOp { counter_op: Some(CounterOp::default()), ..DtOp::default() };
    let gset = DtOp { gset_op: Some(GSetOp::default()), ..DtOp::default() };
    let removal = SetOp { removes: vec!["x".into()], ..SetOp::default() };
    let removal = DtOp { set_op: Some(removal), ..DtOp::default() };
    for (request, why) in [
        (DtUpdateReq { return_body: Some(true), ..of(gset) }, "leave return_body out"),
        (DtUpdateReq { context: Some("context".into()), ..of(counter) }, "nothing to remove"),
        (DtUpdateReq { context: Some("".into()), ..of(removal.clone()) }, "empty context"),
        (of(removal), "needs the context"),
    ] {
        let error = riak.data_types().update(&request).await.unwrap_err();
        assert!(matches!(error, CallError::NotSent(NotSent::Refused { .. })), "{error:?}");
        assert!(error.to_string().contains(why), "{error}");
        assert!(!error.may_have_been_applied() && !error.is_retryable());
    }
    assert!(sets.0.lock().unwrap().is_empty());
}
