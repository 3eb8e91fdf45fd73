//! What becomes of an object when several clients change it at once, and of one
//! that is none.
//!
//! What users of other clients complain of is in `complaints/data.rs`.

use std::cell::Cell;

use riak_client::riak::RpbBucketProps;
use riak_client::riak_kv::{RpbContent, RpbDelReq, RpbDelReqRef, RpbGetReq, RpbPutReq};
use riak_client::riak_ts::TsDelReq;
use riak_client::{CallError, Decode, Fetched, Location, Message, Newest, Riak, ServerErrorKind};
use riak_runtime::client::{NotSent, Outgoing};
use riak_runtime::operation::Retry;
use riak_testkit::{DeleteMode, Node};

/// A node that keeps tombstones, with a bucket type whose buckets keep siblings;
/// those of the default type do not.
async fn node() -> Node {
    let node = Node::builder().bucket_type("kept", &RpbBucketProps::default());
    node.delete_mode(DeleteMode::Keep).start().await.unwrap()
}

fn locations() -> [Location; 2] {
    [Location::new("b", "k"), Location::new("b", "k").of_type("kept")]
}

/// Adds one to a number.
#[expect(clippy::unnecessary_wraps, reason = "it is what update() takes")]
fn increment(found: Option<RpbContent>) -> Option<RpbContent> {
    let number = found.map_or(0, |content| content.value.to_string_lossy().parse::<u32>().unwrap());
    Some(RpbContent::new((number + 1).to_string()))
}

/// What others do at the same time, as the node gets it.
fn put(at: &Location, value: &str) -> RpbPutReq {
    RpbPutReq {
        r#type: at.bucket_type().cloned(),
        key: Some(at.key().clone()),
        ..RpbPutReq::new(at.bucket().clone(), RpbContent::new(value))
    }
}

fn delete(at: &Location) -> RpbDelReq {
    RpbDelReq { r#type: at.bucket_type().cloned(), ..RpbDelReq::new(at.bucket().clone(), at.key().clone()) }
}

async fn value(riak: &Riak, at: &Location) -> String {
    let Fetched::Found(object) = riak.objects().fetch(at).await.unwrap() else {
        panic!("there is one value")
    };
    object.content.value.to_string_lossy().into_owned()
}

#[tokio::test]
async fn updates_at_once_are_all_there_afterwards() {
    let node = node().await;
    let riak = Riak::connect(node.addr()).await.unwrap();
    let objects = riak.objects();
    for at in locations() {
        for _ in 0..10 {
            let (one, other) = tokio::join!(
                objects.update(&at, &Newest, increment),
                objects.update(&at, &Newest, increment)
            );
            one.unwrap();
            other.unwrap();
        }
        assert_eq!(value(&riak, &at).await, "20", "{at:?}");
        let many: Vec<_> = (0..40)
            .map(|_| {
                let (riak, at) = (riak.clone(), at.clone());
                tokio::spawn(async move { riak.objects().update(&at, &Newest, increment).await })
            })
            .collect();
        for update in many {
            update.await.unwrap().unwrap();
        }
        assert_eq!(value(&riak, &at).await, "60", "{at:?}");
    }
}

/// Whatever others do between the read and the write, the change is made of what
/// they have left.
#[tokio::test]
async fn an_update_begins_anew_when_others_were_first() {
    let node = node().await;
    let riak = Riak::connect(node.addr()).await.unwrap();
    let store = node.store();
    for at in locations() {
        let round = Cell::new(0);
        // They create it, change it, delete it, create it again.
        let meddle = |found: Option<RpbContent>| {
            let expected = [None, Some("1"), Some("2"), None, Some("3")][round.get()];
            assert_eq!(found.map(|content| content.value), expected.map(Into::into), "{}", round.get());
            let theirs = |value| {
                let clock = store.get(&RpbGetReq { deletedvclock: Some(true), ..at.get() });
                store.put(&RpbPutReq { vclock: clock.unwrap().vclock, ..put(&at, value) }).unwrap();
            };
            match round.get() {
                0 => theirs("1"),
                1 => theirs("2"),
                2 => store.delete(&delete(&at)).unwrap(),
                3 => theirs("3"),
                _ => {}
            }
            round.set(round.get() + 1);
            Some(RpbContent::new("mine"))
        };
        assert_eq!(riak.objects().update(&at, &Newest, meddle).await.unwrap().unwrap().value, "mine");
        assert_eq!((round.get(), value(&riak, &at).await.as_str()), (5, "mine"), "{at:?}");
    }
}

#[tokio::test]
async fn an_update_that_is_never_first_says_so() {
    let node = node().await;
    let riak = Riak::connect(node.addr()).await.unwrap();
    let at = Location::new("b", "k");
    let rounds = Cell::new(0);
    let always_late = |_: Option<RpbContent>| {
        rounds.set(rounds.get() + 1);
        node.store().put(&put(&at, "theirs")).unwrap();
        Some(RpbContent::new("mine"))
    };
    let error = riak.objects().update(&at, &Newest, always_late).await.unwrap_err();
    assert!(error.is(ServerErrorKind::ConditionFailed) && !error.may_have_been_applied(), "{error}");
    assert_eq!((rounds.get(), value(&riak, &at).await.as_str()), (32, "theirs"));
}

/// A plain read shows a data type in the form that it is stored in, which is not
/// to be written.
#[tokio::test]
async fn data_types_are_not_written_as_objects() {
    let node = node().await;
    let riak = Riak::connect(node.addr()).await.unwrap();
    let objects = riak.objects();
    let refused = |error: CallError| {
        assert!(matches!(error, CallError::NotSent(NotSent::Refused { .. })), "{error:?}");
        assert!(error.to_string().contains("convergent()"), "{error}");
    };
    for (kind, at) in ["counter", "set", "map", "gset", "hll"].into_iter().zip(locations().iter().cycle()) {
        let content_type = Some(format!("application/riak_{kind}").into());
        let stored = || RpbContent { content_type: content_type.clone(), ..RpbContent::new("\u{1}binary") };
        node.store().put(&RpbPutReq { content: stored(), ..put(at, "") }).unwrap();
        let never = |_: Option<RpbContent>| -> Option<RpbContent> { panic!("it is not shown") };
        refused(objects.update(at, &Newest, never).await.unwrap_err());
        // Reading and deleting is as with any object.
        let (_, clock) = objects.fetch(at).await.unwrap().resolve(&Newest);
        let clock = clock.unwrap();
        refused(objects.store(at, stored(), &clock).await.unwrap_err());
        objects.delete(at, &clock).await.unwrap();
        refused(objects.create(at, stored()).await.unwrap_err());
        refused(objects.store_blindly(at, stored()).await.unwrap_err());
        refused(objects.update(at, &Newest, |_| Some(stored())).await.unwrap_err());
        assert!(matches!(objects.fetch(at).await.unwrap(), Fetched::Tombstone(_)));
    }
}

/// What stands on a read does the same a second time. An empty clock is none: to
/// the node, and so to whoever decides on making the call again.
#[test]
fn an_empty_clock_lets_no_delete_be_made_again() {
    let retries = |vclock: Option<&'static str>| {
        let object = RpbDelReq { vclock: vclock.map(Into::into), ..RpbDelReq::new("b", "k") };
        let row = TsDelReq { vclock: vclock.map(Into::into), ..TsDelReq::new("t") };
        let bytes = object.encode_to_vec();
        let borrowed = RpbDelReqRef::decode(&bytes).unwrap();
        [&Outgoing::unary(&object), &Outgoing::unary(&borrowed), &Outgoing::unary(&row)].map(Outgoing::retry)
    };
    assert_eq!(retries(Some("clock")), [Retry::Safe; 3]);
    for vclock in [None, Some("")] {
        assert_eq!(retries(vclock), [Retry::IfContext; 3], "{vclock:?}");
    }
}
