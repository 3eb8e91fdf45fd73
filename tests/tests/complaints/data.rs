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

/// Starts a node that keeps tombstones, with a bucket type that has the properties of any new
/// type: its buckets keep siblings, each with its own dot.
async fn node() -> Node {
    let node = Node::builder().bucket_type("kept", &RpbBucketProps::default());
    node.delete_mode(DeleteMode::Keep).start().await.unwrap()
}

fn location() -> Location {
    Location::new("b", "k").of_type("kept")
}

/// Joins the values of all siblings, as a shopping cart would.
fn join_values(siblings: Vec<RpbContent>) -> RpbContent {
    let mut values: Vec<String> =
        siblings.into_iter().map(|content| content.value.to_string_lossy().into_owned()).collect();
    values.sort();
    RpbContent::new(values.join("+"))
}

/// A resolver runs only if there is a conflict. Its result is stored with the clock of all
/// siblings that it has seen, which ends the conflict.
#[tokio::test]
async fn no_09_resolving_siblings_stores_the_result_and_ends_the_conflict() {
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
    // An update that returns nothing writes nothing.
    assert_eq!(objects.update(&at, &join_values, |_| None).await.unwrap(), None);
    assert!(matches!(objects.fetch(&at).await.unwrap(), Fetched::Siblings(_)));
    objects.update(&at, &join_values, append).await.unwrap();
    let Fetched::Found(object) = objects.fetch(&at).await.unwrap() else { panic!("they are resolved") };
    assert_eq!(object.content.value, "one!+three+two!");
    // `Newest` is a resolver as well: it keeps the last sibling.
    objects.store_blindly(&at, RpbContent::new("last")).await.unwrap();
    assert_eq!(objects.update(&at, &Newest, |found| found).await.unwrap().unwrap().value, "last");
}

/// A tombstone is distinct from an object that never existed, its clock is available, and a
/// delete removes only what was read.
#[tokio::test]
async fn no_10_a_delete_removes_only_what_was_read_and_the_object_can_be_recreated() {
    let node = node().await;
    let riak = Riak::connect(node.addr()).await.unwrap();
    let (objects, at) = (riak.objects(), location());
    assert_eq!(objects.fetch(&at).await.unwrap(), Fetched::NotFound);
    objects.create(&at, RpbContent::new("first")).await.unwrap();
    let error = objects.create(&at, RpbContent::new("again")).await.unwrap_err();
    assert_eq!(error.server_error().unwrap().kind(), ServerErrorKind::ConditionFailed);
    let Fetched::Found(read) = objects.fetch(&at).await.unwrap() else { panic!("it is there") };
    let read = read.vclock.unwrap();
    // Another client writes between the read and the delete.
    objects.store_blindly(&at, RpbContent::new("theirs")).await.unwrap();
    objects.delete(&at, &read).await.unwrap();
    let never = |_: Vec<RpbContent>| -> RpbContent { panic!("a tombstone is no value") };
    let (left, clock) = objects.fetch(&at).await.unwrap().resolve(&never);
    assert_eq!(left.unwrap().value, "theirs", "the delete took what it had not read");
    objects.delete(&at, &clock.unwrap()).await.unwrap();
    let Fetched::Tombstone(_) = objects.fetch(&at).await.unwrap() else { panic!("it is deleted") };
    let unasked = RpbGetReq { r#type: Some("kept".into()), ..RpbGetReq::new("b", "k") };
    // A plain get does not ask for the tombstone's clock; `fetch` does.
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

/// A service with one set and a context, which records the updates that it gets.
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

/// Contexts are sent with removals that are based on a read. Requests that would crash Riak are
/// not sent.
///
/// The documentation of [`SetUpdate`], [`MapUpdate`] and `VClock` shows that a removal without a
/// read does not compile, and that a context is not a clock. `checked.rs` tests every rule for
/// requests that are not sent.
#[tokio::test]
async fn no_11_contexts_go_with_removals_and_crashing_requests_are_not_sent() {
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
    let received = std::mem::take(&mut *sets.0.lock().unwrap());
    let contexts: Vec<_> = received.iter().map(|request| request.context.is_some()).collect();
    assert_eq!(contexts, [true, false, false, false, false]);
    assert_eq!(received[0].context.as_ref().unwrap(), "context");
    assert_eq!(received[0].op.set_op.as_ref().unwrap().removes, ["x"]);
    assert_eq!(received[4].op.map_op.as_ref().unwrap().updates[1].field.r#type, MapFieldType::Map);

    // The raw messages can express such requests.
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
