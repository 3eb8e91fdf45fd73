//! Objects that several clients change at once, and stored data types, which must not be written as
//! objects.
//!
//! The complaints of users of other clients are in `complaints/data.rs`.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use riak_client::riak::RpbBucketProps;
use riak_client::riak_kv::{RpbContent, RpbDelReq, RpbDelReqRef, RpbGetReq, RpbPutReq};
use riak_client::riak_ts::TsDelReq;
use riak_client::{
    Call, CallError, CallOptions, Cluster, Coded, Decode, Fetched, Location, Message, Newest, Riak,
    ServerErrorKind,
};
use riak_runtime::client::{Answered, FrameStream, NotSent, Outgoing};
use riak_runtime::operation::Retry;
use riak_testkit::{DeleteMode, Node};
use tokio::time::Instant;

/// Starts a node that keeps tombstones, with a bucket type whose buckets keep siblings. Buckets of
/// the default type do not.
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

/// Returns a put as another client would send it directly to the node.
fn put(location: &Location, value: &str) -> RpbPutReq {
    RpbPutReq {
        r#type: location.bucket_type().cloned(),
        key: Some(location.key().clone()),
        ..RpbPutReq::new(location.bucket().clone(), RpbContent::new(value))
    }
}

fn delete(location: &Location) -> RpbDelReq {
    RpbDelReq {
        r#type: location.bucket_type().cloned(),
        ..RpbDelReq::new(location.bucket().clone(), location.key().clone())
    }
}

async fn value(riak: &Riak, location: &Location) -> String {
    let Fetched::Found(object) = riak.objects().fetch(location).await.unwrap() else {
        panic!("there is one value")
    };
    object.content.value.to_string_lossy().into_owned()
}

#[tokio::test]
async fn concurrent_updates_are_all_applied() {
    let node = node().await;
    let riak = Riak::connect(node.addr()).await.unwrap();
    let objects = riak.objects();
    for location in locations() {
        for _ in 0..10 {
            let (one, other) = tokio::join!(
                objects.update(&location, &Newest, increment),
                objects.update(&location, &Newest, increment)
            );
            one.unwrap();
            other.unwrap();
        }
        assert_eq!(value(&riak, &location).await, "20", "{location:?}");
        let many: Vec<_> = (0..40)
            .map(|_| {
                let (riak, location) = (riak.clone(), location.clone());
                tokio::spawn(async move { riak.objects().update(&location, &Newest, increment).await })
            })
            .collect();
        for update in many {
            update.await.unwrap().unwrap();
        }
        assert_eq!(value(&riak, &location).await, "60", "{location:?}");
    }
}

/// Whatever other clients do between the read and the write, the change is applied to their latest
/// state.
#[tokio::test]
async fn an_update_starts_over_when_another_client_was_first() {
    let node = node().await;
    let riak = Riak::connect(node.addr()).await.unwrap();
    let store = node.store();
    for location in locations() {
        let round = Cell::new(0);
        // Other clients create the object, change it, delete it, and create it again.
        let interfere = |found: Option<RpbContent>| {
            let expected = [None, Some("1"), Some("2"), None, Some("3")][round.get()];
            assert_eq!(found.map(|content| content.value), expected.map(Into::into), "{}", round.get());
            let theirs = |value| {
                let clock = store.get(&RpbGetReq { deletedvclock: Some(true), ..location.get() });
                store.put(&RpbPutReq { vclock: clock.unwrap().vclock, ..put(&location, value) }).unwrap();
            };
            match round.get() {
                0 => theirs("1"),
                1 => theirs("2"),
                2 => store.delete(&delete(&location)).unwrap(),
                3 => theirs("3"),
                _ => {}
            }
            round.set(round.get() + 1);
            Some(RpbContent::new("mine"))
        };
        assert_eq!(
            riak.objects().update(&location, &Newest, interfere).await.unwrap().unwrap().value,
            "mine"
        );
        assert_eq!((round.get(), value(&riak, &location).await.as_str()), (5, "mine"), "{location:?}");
    }
}

#[tokio::test]
async fn an_update_that_always_loses_the_race_reports_the_conflict() {
    let node = node().await;
    let riak = Riak::connect(node.addr()).await.unwrap();
    let location = Location::new("b", "k");
    let rounds = Cell::new(0);
    let always_late = |_: Option<RpbContent>| {
        rounds.set(rounds.get() + 1);
        node.store().put(&put(&location, "theirs")).unwrap();
        Some(RpbContent::new("mine"))
    };
    let error = riak.objects().update(&location, &Newest, always_late).await.unwrap_err();
    assert!(error.is(ServerErrorKind::ConditionFailed) && !error.may_have_been_applied(), "{error}");
    assert_eq!((rounds.get(), value(&riak, &location).await.as_str()), (32, "theirs"));
}

/// All rounds of an update together obey one timeout, wherever it is set.
#[tokio::test(start_paused = true)]
async fn an_update_has_one_timeout_for_all_its_rounds() {
    let node = node().await;
    let location = Location::new("b", "k");
    let always_late = |_: Option<RpbContent>| {
        node.store().put(&put(&location, "theirs")).unwrap();
        Some(RpbContent::new("mine"))
    };
    let limit = Duration::from_millis(100);
    let plain = Riak::connect(node.addr()).await.unwrap();
    let url = format!("riak://{}?timeout=100ms", node.addr());
    let configured = Riak::connect(url.as_str()).await.unwrap();
    let long = CallOptions::new().timeout(Duration::from_secs(60));
    let begun = Instant::now();
    let options = CallOptions::new().timeout(limit);
    let error = plain.with(options).objects().update(&location, &Newest, always_late).await.unwrap_err();
    assert!(begun.elapsed() <= limit, "{:?}", begun.elapsed());
    assert!(error.is(ServerErrorKind::ConditionFailed) && !error.may_have_been_applied(), "{error}");
    // The shorter one counts.
    for riak in [configured.with(long), configured.with(CallOptions::new())] {
        let begun = Instant::now();
        let error = riak.objects().update(&location, &Newest, always_late).await.unwrap_err();
        assert!(begun.elapsed() <= limit, "{:?}", begun.elapsed());
        assert!(error.is(ServerErrorKind::ConditionFailed), "{error}");
    }
}

/// Makes the second request with this code half a second late.
#[derive(Debug)]
struct SecondLate<'c> {
    cluster: &'c Cluster,
    code: u8,
    requests: AtomicU32,
}

impl Call for SecondLate<'_> {
    async fn unary(&self, request: &Outgoing<'_>) -> Result<Answered, CallError> {
        if request.operation().request == self.code && self.requests.fetch_add(1, Ordering::Relaxed) == 1 {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        self.cluster.unary(request).await
    }

    async fn stream(&self, request: &Outgoing<'_>) -> Result<FrameStream, CallError> {
        self.cluster.stream(request).await
    }
}

/// The pause after a conflict fits into the time, but the next read or write does not.
#[tokio::test(start_paused = true)]
async fn an_update_that_runs_out_of_time_after_a_conflict_reports_the_conflict() {
    let node = node().await;
    let riak = Riak::connect(node.addr()).await.unwrap();
    let location = Location::new("b", "k");
    for code in [RpbGetReq::CODE, RpbPutReq::CODE] {
        let rounds = Cell::new(0);
        let always_late = |_: Option<RpbContent>| {
            rounds.set(rounds.get() + 1);
            node.store().put(&put(&location, "theirs")).unwrap();
            Some(RpbContent::new("mine"))
        };
        let late = SecondLate { cluster: riak.carrier(), code, requests: AtomicU32::new(0) };
        let limited = Riak::over(&late).with(CallOptions::new().timeout(Duration::from_millis(400)));
        let error = limited.objects().update(&location, &Newest, always_late).await.unwrap_err();
        assert!(error.is(ServerErrorKind::ConditionFailed) && !error.may_have_been_applied(), "{error}");
        assert_eq!(rounds.get(), if code == RpbGetReq::CODE { 1 } else { 2 });
    }
}

/// Makes each call half a second late.
#[derive(Clone, Copy, Debug)]
struct Late<'c>(&'c Cluster);

impl Call for Late<'_> {
    async fn unary(&self, request: &Outgoing<'_>) -> Result<Answered, CallError> {
        tokio::time::sleep(Duration::from_millis(500)).await;
        self.0.unary(request).await
    }

    async fn stream(&self, request: &Outgoing<'_>) -> Result<FrameStream, CallError> {
        self.0.stream(request).await
    }
}

/// What the read leaves of the time is all that the write gets.
#[tokio::test(start_paused = true)]
async fn an_update_whose_read_takes_the_time_does_not_write() {
    let node = node().await;
    let riak = Riak::connect(node.addr()).await.unwrap();
    let late = Riak::over(Late(riak.carrier()));
    let location = Location::new("b", "k");
    let short = late.with(CallOptions::new().timeout(Duration::from_millis(750)));
    for error in [
        short.objects().update(&location, &Newest, increment).await.unwrap_err(),
        short.objects().create(&location, RpbContent::new("1")).await.unwrap_err(),
    ] {
        assert!(!error.may_have_been_applied(), "{error}");
        assert_eq!(riak.objects().fetch(&location).await.unwrap(), Fetched::NotFound);
    }
    let enough = late.with(CallOptions::new().timeout(Duration::from_millis(1250)));
    enough.objects().update(&location, &Newest, increment).await.unwrap();
    assert_eq!(value(&riak, &location).await, "1");
}

/// A plain read returns the stored form of a data type, which must not be written back.
#[tokio::test]
async fn data_types_are_not_written_as_objects() {
    let node = node().await;
    let riak = Riak::connect(node.addr()).await.unwrap();
    let objects = riak.objects();
    let refused = |error: CallError| {
        assert!(matches!(error, CallError::NotSent(NotSent::Refused { .. })), "{error:?}");
        assert!(error.to_string().contains("convergent()"), "{error}");
    };
    for (kind, location) in
        ["counter", "set", "map", "gset", "hll"].into_iter().zip(locations().iter().cycle())
    {
        let content_type = Some(format!("application/riak_{kind}").into());
        let stored = || RpbContent { content_type: content_type.clone(), ..RpbContent::new("\u{1}binary") };
        node.store().put(&RpbPutReq { content: stored(), ..put(location, "") }).unwrap();
        let never = |_: Option<RpbContent>| -> Option<RpbContent> { panic!("it is not shown") };
        refused(objects.update(location, &Newest, never).await.unwrap_err());
        // Reading and deleting work as with any object.
        let (_, clock) = objects.fetch(location).await.unwrap().resolve(&Newest);
        let clock = clock.unwrap();
        refused(objects.store(location, stored(), &clock).await.unwrap_err());
        objects.delete(location, &clock).await.unwrap();
        refused(objects.create(location, stored()).await.unwrap_err());
        refused(objects.store_blindly(location, stored()).await.unwrap_err());
        refused(objects.update(location, &Newest, |_| Some(stored())).await.unwrap_err());
        assert!(matches!(objects.fetch(location).await.unwrap(), Fetched::Tombstone(_)));
    }
}

/// A delete with a causal context has the same effect a second time. The node takes an
/// empty clock for none, so the retry policy must do so too.
#[test]
fn a_delete_with_an_empty_clock_is_not_repeated() {
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
