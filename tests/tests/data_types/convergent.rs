//! The data types of `riak-client` against the node, end to end.
//!
//! Invariant: nothing is scripted. A client reads what other clients have written through the node.

use std::sync::Arc;

use riak_client::riak_dt::map_field::MapFieldType;
use riak_client::riak_dt::{DtUpdateReq, MapEntry};
use riak_client::{
    CallError, DataType, Fetched, Location, Map, MapUpdate, Riak, ServerErrorKind, Set, SetUpdate, Update,
};
use riak_testkit::Node;

use crate::requests::*;

/// Starts a node, and returns it with two independent clients.
async fn clients() -> (Node, Riak, Riak) {
    let node = builder().start().await.unwrap();
    let [one, other] = [Riak::connect(node.addr()).await.unwrap(), Riak::connect(node.addr()).await.unwrap()];
    (node, one, other)
}

fn location(kind: &'static str) -> Location {
    Location::new("b", "k").of_type(kind)
}

async fn read_set(riak: &Riak) -> Set {
    match riak.convergent().fetch(&location("sets")).await.unwrap() {
        Some(DataType::Set(set)) => set,
        other => panic!("no set: {other:?}"),
    }
}

async fn read_map(riak: &Riak) -> Map {
    match riak.convergent().fetch(&location("maps")).await.unwrap() {
        Some(DataType::Map(map)) => map,
        other => panic!("no map: {other:?}"),
    }
}

fn entry<'a>(entries: &'a [MapEntry], name: &str) -> &'a MapEntry {
    entries.iter().find(|entry| *entry.field.name == *name.as_bytes()).unwrap()
}

#[tokio::test]
async fn every_kind_reads_back_what_was_written() {
    let (_node, riak, other) = clients().await;
    for (kind, _, _) in KINDS {
        assert_eq!(riak.convergent().fetch(&location(kind)).await.unwrap(), None);
    }
    let convergent = riak.convergent();
    convergent.update(&location("counters"), Update::increment(5)).await.unwrap();
    convergent.update(&location("counters"), Update::increment(-7)).await.unwrap();
    convergent.update(&location("gsets"), Update::grow(["b", "a"])).await.unwrap();
    convergent.update(&location("hlls"), Update::observe(["a", "b", "a"])).await.unwrap();
    convergent.update(&location("sets"), SetUpdate::new().insert("b").insert("a")).await.unwrap();
    let inner = MapUpdate::new()
        .increment("n", 2)
        .assign("r", "value")
        .enable("f")
        .insert("s", "e")
        .map("m", |map| map.increment("n", 1));
    convergent.update(&location("maps"), inner).await.unwrap();

    let convergent = other.convergent();
    let found = |kind| async move { convergent.fetch(&location(kind)).await.unwrap().unwrap() };
    assert_eq!(found("counters").await, DataType::Counter(-2));
    assert_eq!(found("gsets").await, DataType::GSet(blobs(&["a", "b"])));
    assert_eq!(found("hlls").await, DataType::Hll(2));
    assert_eq!(read_set(&other).await.elements, ["a", "b"]);
    let map = read_map(&other).await;
    assert_eq!(map.entries.len(), 5);
    assert_eq!(entry(&map.entries, "n").counter_value, Some(2));
    assert_eq!(entry(&map.entries, "r").register_value, Some("value".into()));
    assert_eq!(entry(&map.entries, "f").flag_value, Some(true));
    assert_eq!(entry(&map.entries, "s").set_value, ["e"]);
    assert_eq!(entry(&map.entries, "m").map_value[0].counter_value, Some(1));
}

#[tokio::test]
async fn a_set_keeps_concurrent_additions() {
    let (_node, one, other) = clients().await;
    one.convergent().update(&location("sets"), SetUpdate::new().insert("x").insert("y")).await.unwrap();
    let (seen, seen_by_other) = (read_set(&one).await, read_set(&other).await);
    other
        .convergent()
        .update(&location("sets"), seen_by_other.update().insert("x").remove("y"))
        .await
        .unwrap();
    one.convergent()
        .update(&location("sets"), seen.update().remove("x").remove("y").insert("z"))
        .await
        .unwrap();
    assert_eq!(read_set(&one).await.elements, ["x", "z"]);
    // Removing an element a second time has no effect.
    one.convergent().update(&location("sets"), seen.update().remove("x").remove("y")).await.unwrap();
    assert_eq!(read_set(&other).await.elements, ["x", "z"]);
    let seen = read_set(&other).await;
    other.convergent().update(&location("sets"), seen.update().remove("x").remove("z")).await.unwrap();
    let emptied = read_set(&one).await;
    assert!(emptied.elements.is_empty() && emptied.context.is_some());
}

#[tokio::test]
async fn a_concurrent_update_survives_the_removal_of_its_field() {
    let (_node, one, other) = clients().await;
    let cart = |map: MapUpdate| map.increment("visits", 5).insert("tags", "old").enable("open");
    one.convergent().update(&location("maps"), cart(MapUpdate::new()).map("inner", cart)).await.unwrap();
    let seen = read_map(&one).await;
    let more = |map: MapUpdate| map.increment("visits", 2).insert("tags", "new");
    other.convergent().update(&location("maps"), more(MapUpdate::new()).map("inner", more)).await.unwrap();
    let gone = seen
        .update()
        .remove("visits", MapFieldType::Counter)
        .remove("tags", MapFieldType::Set)
        .remove("open", MapFieldType::Flag)
        .remove("inner", MapFieldType::Map);
    one.convergent().update(&location("maps"), gone).await.unwrap();

    let map = read_map(&other).await;
    let left: Vec<_> = map.entries.iter().map(|entry| entry.field.name.clone()).collect();
    assert_eq!(left, ["inner", "tags", "visits"]);
    for entries in [&map.entries, &entry(&map.entries, "inner").map_value] {
        assert_eq!(entry(entries, "visits").counter_value, Some(2));
        assert_eq!(entry(entries, "tags").set_value, ["new"]);
    }
    // The map's context covers removals inside it, at any depth.
    let change = map.update().map("inner", |inner| inner.remove_from_set("tags", "new").disable("open"));
    other.convergent().update(&location("maps"), change).await.unwrap();
    let inner = entry(&read_map(&one).await.entries, "inner").map_value.clone();
    assert_eq!((entry(&inner, "tags").set_value.len(), entry(&inner, "open").flag_value), (0, Some(false)));
}

#[tokio::test]
async fn concurrent_increments_all_count() {
    let (node, one, other) = clients().await;
    let clients = [Arc::new(one), Arc::new(other)];
    let calls = (0..200).map(|number| {
        let riak = Arc::clone(&clients[number % 2]);
        tokio::spawn(async move {
            riak.convergent().update(&location("counters"), Update::increment(1)).await.unwrap();
            riak.convergent().update(&location("maps"), MapUpdate::new().increment("n", 2)).await.unwrap();
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap();
    }
    assert_eq!(
        clients[0].convergent().fetch(&location("counters")).await.unwrap(),
        Some(DataType::Counter(200))
    );
    assert_eq!(entry(&read_map(&clients[1]).await.entries, "n").counter_value, Some(400));
    assert_eq!(node.store().keys("counters", "b"), ["k"]);
}

#[tokio::test]
async fn deleting_uses_the_vclock_of_a_plain_read() {
    let (_node, one, other) = clients().await;
    one.convergent().update(&location("sets"), SetUpdate::new().insert("x")).await.unwrap();
    let seen = read_set(&other).await;
    let Fetched::Found(object) = one.objects().fetch(&location("sets")).await.unwrap() else {
        panic!("it is there")
    };
    assert_eq!(object.content.content_type, Some("application/riak_set".into()));
    one.objects().delete(&location("sets"), object.vclock.as_ref().unwrap()).await.unwrap();
    assert_eq!(other.convergent().fetch(&location("sets")).await.unwrap(), None);
    // The set is created anew, and the context of the old one removes nothing from it.
    one.convergent().update(&location("sets"), SetUpdate::new().insert("x")).await.unwrap();
    other.convergent().update(&location("sets"), seen.update().remove("x")).await.unwrap();
    assert_eq!(read_set(&one).await.elements, ["x"]);
}

#[tokio::test]
async fn errors_have_distinct_kinds() {
    let (_node, riak, _) = clients().await;
    let convergent = riak.convergent();
    let kind = |error: CallError, kind| assert!(error.is(kind), "{error}");
    let wrong = convergent.update(&location("sets"), Update::increment(1)).await.unwrap_err();
    assert!(!wrong.may_have_been_applied());
    kind(wrong, ServerErrorKind::WrongDataType);
    kind(convergent.fetch(&location("plain")).await.unwrap_err(), ServerErrorKind::WrongDataType);
    kind(convergent.fetch(&location("nope")).await.unwrap_err(), ServerErrorKind::NoSuchBucketType);
    // The default type has the counters of Riak 1.4, in buckets that keep siblings.
    let legacy = Location::new("b", "k");
    let error = convergent.update(&legacy, Update::increment(1)).await.unwrap_err();
    kind(error, ServerErrorKind::WrongDataType);
    assert_eq!(convergent.fetch(&legacy).await.unwrap(), None);
    // A removal without a read can only be built by hand, and is not sent. The node would
    // answer that it needs a context.
    let request = update("sets", set(&[], &["x"]));
    assert!(matches!(riak.data_types().update(&request).await, Err(CallError::NotSent(_))));
    // The answer contains the key that the node has generated.
    let added = riak.data_types().update(&DtUpdateReq::new("b", "sets", set(&["x"], &[]))).await.unwrap();
    let made_up = Location::new("b", added.key.unwrap()).of_type("sets");
    assert!(convergent.fetch(&made_up).await.unwrap().is_some());
}
