//! Objects, in the store and through a client of the node.
//!
//! Invariant: `replay_node` covers what the recorded exchanges show. These tests cover what none
//! of them shows.

use std::time::Duration;

use riak_client::riak::{RpbBucketProps, RpbPair};
use riak_client::riak_kv::{RpbContent, RpbDelReq, RpbGetReq, RpbPutReq};
use riak_runtime::{Blob, Quorum};
use riak_testkit::{Clock, DeleteMode, Node, NodeBuilder, Refusal, Store};

const START: Duration = Duration::from_micros(1_700_000_000_000_042);

fn builder() -> (NodeBuilder, Clock) {
    let clock = Clock::manual(START);
    (Node::builder().seed(1).clock(clock.clone()).bucket_type("mult", &RpbBucketProps::default()), clock)
}

fn put(key: &str, value: &str) -> RpbPutReq {
    RpbPutReq { key: Some(key.into()), ..RpbPutReq::new("b", RpbContent::new(value)) }
}

fn values(contents: &[RpbContent]) -> Vec<String> {
    let mut values: Vec<_> =
        contents.iter().map(|content| content.value.to_string_lossy().into_owned()).collect();
    values.sort();
    values
}

fn vclock(store: &Store, key: &str) -> Option<Blob> {
    store.get(&RpbGetReq { deletedvclock: Some(true), ..RpbGetReq::new("b", key) }).unwrap().vclock
}

#[test]
fn a_seed_and_a_manual_clock_make_answers_reproducible() {
    let answers = || {
        let store = builder().0.build_store();
        let request = RpbPutReq { return_body: Some(true), ..RpbPutReq::new("b", RpbContent::new("v")) };
        [store.put(&request).unwrap(), store.put(&request).unwrap()]
    };
    let [one, two] = answers();
    assert_eq!([one.clone(), two.clone()], answers());
    assert_ne!(one.key, two.key);
    assert_eq!((one.content[0].last_mod, one.content[0].last_mod_usecs), (Some(1_700_000_000), Some(42)));
    let unseeded = Store::new().put(&RpbPutReq::new("b", RpbContent::new("v"))).unwrap();
    assert_ne!(unseeded.key, one.key);
}

#[test]
fn return_head_takes_precedence_over_return_body() {
    let store = builder().0.build_store();
    let request = RpbPutReq { return_body: Some(true), return_head: Some(true), ..put("k", "v") };
    let answer = store.put(&request).unwrap();
    assert_eq!((&*answer.content[0].value, answer.key), (&b""[..], None));
    assert_eq!(values(&store.get(&RpbGetReq::new("b", "k")).unwrap().content), ["v"]);
}

#[test]
fn the_server_sets_vtag_and_time_unless_the_put_is_asis() {
    let store = builder().0.build_store();
    let content = RpbContent { vtag: Some("mine".into()), last_mod: Some(7), ..RpbContent::new("v") };
    store.put(&RpbPutReq { content: content.clone(), ..put("k", "") }).unwrap();
    let stored = store.object("default", "b", "k").unwrap().siblings.remove(0);
    assert!(stored.vtag != content.vtag && stored.last_mod == Some(1_700_000_000));
    store.put(&RpbPutReq { content: content.clone(), asis: Some(true), ..put("other", "") }).unwrap();
    let stored = store.object("default", "b", "other").unwrap().siblings.remove(0);
    assert_eq!((stored.vtag, stored.last_mod, stored.last_mod_usecs), (content.vtag, Some(7), None));
}

#[test]
fn an_asis_put_does_not_advance_the_clock() {
    let store = builder().0.build_store();
    store.put(&put("k", "one")).unwrap();
    let clock = vclock(&store, "k");
    store.put(&RpbPutReq { vclock: clock.clone(), asis: Some(true), ..put("k", "copy") }).unwrap();
    assert_eq!(vclock(&store, "k"), clock);
}

#[test]
fn buckets_keep_siblings_according_to_their_properties() {
    for (props, expected) in [
        (RpbBucketProps { allow_mult: Some(true), ..RpbBucketProps::default() }, &["one", "two"][..]),
        (RpbBucketProps { allow_mult: Some(false), ..RpbBucketProps::default() }, &["two"]),
        (
            RpbBucketProps {
                allow_mult: Some(true),
                last_write_wins: Some(true),
                ..RpbBucketProps::default()
            },
            &["two"],
        ),
    ] {
        let store = builder().0.bucket_type("default", &props).build_store();
        store.put(&put("k", "one")).unwrap();
        store.put(&put("k", "two")).unwrap();
        assert_eq!(values(&store.get(&RpbGetReq::new("b", "k")).unwrap().content), expected, "{props:?}");
    }
}

#[test]
fn every_put_replaces_and_normalises_the_indexes() {
    let store = builder().0.build_store();
    let pair = |name: &str, term: &str| RpbPair { value: Some(term.into()), ..RpbPair::new(name) };
    let with =
        |indexes| RpbPutReq { content: RpbContent { indexes, ..RpbContent::new("v") }, ..put("k", "") };
    store.put(&with(vec![pair("Age_INT", "-007"), pair("name_bin", "A")])).unwrap();
    let indexes = |store: &Store| store.object("default", "b", "k").unwrap().siblings.remove(0).indexes;
    assert_eq!(indexes(&store), [pair("age_int", "-7"), pair("name_bin", "A")]);
    store.put(&with(vec![])).unwrap();
    assert_eq!(indexes(&store), []);
    let refusal = store.put(&with(vec![pair("age_int", "old"), pair("nope", "x")])).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "{precommit_fail,[{field_parsing_failed,{<<\"age_int\">>,<<\"old\">>}},{unknown_field_type,<<\"nope\">>}]}"
    );
    assert_eq!(indexes(&store), [], "what is refused changes nothing");
}

#[test]
fn tombstones_are_reaped_according_to_the_delete_mode() {
    let second = Duration::from_secs(1);
    for (mode, after_two, after_four) in [
        (DeleteMode::Immediate, false, false),
        (DeleteMode::After(second * 3), true, false),
        (DeleteMode::Keep, true, true),
    ] {
        let (builder, clock) = builder();
        let store = builder.delete_mode(mode).build_store();
        store.put(&put("k", "v")).unwrap();
        store.delete(&RpbDelReq::new("b", "k")).unwrap();
        assert_eq!(
            (store.len(), store.keys("default", "b").len(), store.buckets("default").len()),
            (0, 0, 0)
        );
        for (wait, exists) in [(second * 2, after_two), (second * 2, after_four)] {
            clock.advance(wait);
            assert_eq!(vclock(&store, "k").is_some(), exists, "{mode:?}");
            assert_eq!(store.object("default", "b", "k").is_some(), exists, "{mode:?}");
        }
    }
}

#[test]
fn an_overwritten_tombstone_is_not_reaped() {
    let (builder, clock) = builder();
    let store = builder.build_store();
    store.put(&put("k", "one")).unwrap();
    store.delete(&RpbDelReq::new("b", "k")).unwrap();
    let tombstone = vclock(&store, "k");
    store.put(&RpbPutReq { vclock: tombstone, ..put("k", "two") }).unwrap();
    clock.advance(Duration::from_secs(10));
    assert_eq!(values(&store.get(&RpbGetReq::new("b", "k")).unwrap().content), ["two"]);
}

#[test]
fn a_delete_with_an_n_val_leaves_the_tombstone_until_it_is_read() {
    let (builder, clock) = builder();
    let store = builder.build_store();
    store.put(&put("k", "v")).unwrap();
    store.delete(&RpbDelReq { n_val: Some(1), ..RpbDelReq::new("b", "k") }).unwrap();
    clock.advance(Duration::from_secs(10));
    // A read with an n_val of its own leaves it too.
    store.get(&RpbGetReq { n_val: Some(1), ..RpbGetReq::new("b", "k") }).unwrap();
    clock.advance(Duration::from_secs(10));
    assert!(vclock(&store, "k").is_some());
    clock.advance(Duration::from_secs(3));
    assert!(vclock(&store, "k").is_none());
}

#[test]
fn a_stale_clock_does_not_cover_a_recreated_object() {
    let (builder, clock) = builder();
    let store = builder.build_store();
    let typed = |request: RpbPutReq| RpbPutReq { r#type: Some("mult".into()), ..request };
    let get = RpbGetReq { r#type: Some("mult".into()), ..RpbGetReq::new("b", "k") };
    store.put(&typed(put("k", "old"))).unwrap();
    let stale = store.get(&get).unwrap().vclock;
    store.delete(&RpbDelReq { r#type: Some("mult".into()), ..RpbDelReq::new("b", "k") }).unwrap();
    clock.advance(Duration::from_secs(10));
    store.put(&typed(put("k", "new"))).unwrap();
    store.put(&RpbPutReq { vclock: stale, ..typed(put("k", "late")) }).unwrap();
    assert_eq!(values(&store.get(&get).unwrap().content), ["late", "new"]);
}

#[test]
fn conditions_treat_tombstones_as_absent() {
    let store = builder().0.build_store();
    store.put(&put("k", "v")).unwrap();
    let create = RpbPutReq { if_none_match: Some(true), ..put("k", "w") };
    assert_eq!(store.put(&create), Err(Refusal::MatchFound));
    let update = |vclock| RpbPutReq { if_not_modified: Some(true), vclock, ..put("k", "w") };
    let seen = vclock(&store, "k");
    store.put(&update(seen.clone())).unwrap();
    assert_eq!(store.put(&update(seen)), Err(Refusal::Modified));
    store.delete(&RpbDelReq::new("b", "k")).unwrap();
    assert_eq!(store.put(&update(vclock(&store, "k"))), Err(Refusal::NotFound));
    store.put(&create).unwrap();
}

#[test]
fn invalid_requests_are_refused() {
    let store = builder().0.max_object_size(100).build_store();
    let empty = |part: &str| {
        let part_is = |name: &str| if part == name { Blob::new() } else { name.into() };
        let request = RpbPutReq { key: Some(part_is("key")), r#type: Some(part_is("mult")), ..put("k", "v") };
        store.put(&RpbPutReq { bucket: part_is("bucket"), ..request }).unwrap_err()
    };
    assert_eq!(empty("bucket"), Refusal::EmptyBucket);
    assert_eq!(empty("key"), Refusal::EmptyKey);
    assert_eq!(empty("mult"), Refusal::EmptyType);
    assert_eq!(store.put(&RpbPutReq { r#type: Some("no".into()), ..put("k", "v") }), Err(Refusal::NoType));
    assert_eq!(
        store.put(&RpbPutReq { dw: Some(Quorum(4)), ..put("k", "v") }),
        Err(Refusal::NValViolation(3))
    );
    assert_eq!(store.put(&put("k", &"v".repeat(200))), Err(Refusal::TooLarge(203)));
    let foreign = store.put(&RpbPutReq { vclock: Some("k\u{1}".into()), ..put("k", "v") }).unwrap_err();
    assert!(foreign.closes(), "{foreign}");
    assert!(store.is_empty());
}

/// A delete without a clock is a read followed by a write; with a clock, only a write. Quorums of
/// a step that is not reached are not checked.
#[test]
fn a_delete_checks_only_the_quorums_of_the_steps_it_reaches() {
    let store = builder().0.build_store();
    let many = || Some(Quorum(9));
    let delete = |key: &str| RpbDelReq::new("b", key.to_owned());
    let refused = Err(Refusal::NValViolation(3));
    for (request, with_key, without_key) in [
        (RpbDelReq { r: many(), ..delete("k") }, refused.clone(), refused.clone()),
        (RpbDelReq { pr: many(), ..delete("k") }, refused.clone(), refused.clone()),
        (RpbDelReq { w: many(), ..delete("k") }, refused.clone(), Ok(())),
        (RpbDelReq { dw: many(), ..delete("k") }, refused.clone(), Ok(())),
        (RpbDelReq { rw: many(), ..delete("k") }, refused.clone(), refused.clone()),
        (RpbDelReq { rw: many(), r: Some(Quorum::ONE), ..delete("k") }, refused.clone(), Ok(())),
        (RpbDelReq { rw: many(), r: Some(Quorum::DEFAULT), ..delete("k") }, refused.clone(), refused.clone()),
        (RpbDelReq { rw: many(), w: Some(Quorum::ONE), ..delete("k") }, Ok(()), Ok(())),
        (
            RpbDelReq { n_val: Some(4), ..delete("k") },
            Err(Refusal::NValViolation(4)),
            Err(Refusal::NValViolation(4)),
        ),
    ] {
        assert_eq!(store.delete(&RpbDelReq { key: "none".into(), ..request.clone() }), without_key);
        store.put(&put("k", "v")).unwrap();
        assert_eq!(store.delete(&request), with_key, "{request:?}");
    }
    store.put(&put("k", "v")).unwrap();
    let vclock = vclock(&store, "k");
    store.delete(&RpbDelReq { vclock, r: many(), pr: many(), ..delete("k") }).unwrap();
    assert!(store.is_empty());
}

#[test]
fn a_store_can_be_cleared() {
    let store = builder().0.build_store();
    store.put(&put("k", "v")).unwrap();
    assert_eq!((store.len(), store.is_empty()), (1, false));
    store.clear();
    assert_eq!((store.len(), store.is_empty()), (0, true));
    assert!(store.bucket_props("mult", "b").is_some() && store.bucket_props("no", "b").is_none());
}
