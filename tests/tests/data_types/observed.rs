//! The purpose of contexts: a removal takes only what was observed, and concurrent updates
//! by other clients survive.
//!
//! Invariant: two clients are two contexts; the node cannot distinguish them in any other way.

use riak_client::riak_dt::map_field::MapFieldType;
use riak_client::riak_dt::map_update::FlagOp;
use riak_client::riak_dt::{MapEntry, MapField, MapUpdate};
use riak_testkit::Store;

use crate::requests::*;

/// Two clients, each with the context of its own read.
#[test]
fn a_removal_takes_only_observed_elements() {
    let store = store();
    store.update(&update("sets", set(&["x", "y"], &[]))).unwrap();
    let old = context(&store, "sets");
    // The other client adds "x" again, which is an addition that the first has not seen.
    store.update(&update("sets", set(&["x", "z"], &[]))).unwrap();
    store.update(&with(old.as_ref(), update("sets", set(&[], &["x", "y", "z", "never"])))).unwrap();
    assert_eq!(found_set(&store), ["x", "z"]);
    let new = context(&store, "sets");
    store.update(&with(new.as_ref(), update("sets", set(&[], &["x"])))).unwrap();
    // Removing again is no error, and neither is a removal without effect.
    store.update(&with(new.as_ref(), update("sets", set(&[], &["x"])))).unwrap();
    assert_eq!((found_set(&store), context(&store, "sets")), (blobs(&["z"]), new));
    // Without a context, elements are removed unconditionally, and have to exist.
    store.update(&update("sets", set(&[], &["z"]))).unwrap();
    assert_eq!(found_set(&store), blobs(&[]));
    assert_eq!(
        refused(store.update(&update("sets", set(&[], &["z"])))),
        "{precondition,{not_present,<<\"z\">>}}"
    );
}

#[test]
fn additions_precede_removals_and_updates_are_atomic() {
    let store = store();
    store.update(&update("sets", set(&["x"], &["x"]))).unwrap();
    assert_eq!(found_set(&store), blobs(&[]));
    let seen = context(&store, "sets");
    store.update(&with(seen.as_ref(), update("sets", set(&["x"], &["x"])))).unwrap();
    assert_eq!(found_set(&store), ["x"], "the context has not seen this one");
    store.update(&update("sets", set(&["y"], &["x", "never"]))).unwrap_err();
    assert_eq!(found_set(&store), ["x"]);
    let before = found_map_or_none(&store);
    let never = MapField::new("never", MapFieldType::Flag);
    store.update(&update("maps", map(vec![nested("m", map_op(vec![], vec![never]))], vec![]))).unwrap_err();
    assert_eq!(found_map_or_none(&store), before);
}

fn found_map_or_none(store: &Store) -> Option<Vec<MapEntry>> {
    store.fetch(&fetch("maps")).unwrap().value.map(|value| value.map_value)
}

#[test]
fn a_field_can_be_removed_and_recreated_in_one_update() {
    let store = store();
    store.update(&update("maps", map(vec![count("n", 5), elements("s", &["x"], &[])], vec![]))).unwrap();
    let seen = context(&store, "maps");
    let removes = vec![MapField::new("n", MapFieldType::Counter), MapField::new("s", MapFieldType::Set)];
    let request = update("maps", map(vec![count("n", 2), elements("s", &["y"], &[])], removes));
    store.update(&with(seen.as_ref(), request)).unwrap();
    assert_eq!(found(&store, "n").unwrap().counter_value, Some(2));
    assert_eq!(found(&store, "s").unwrap().set_value, ["y"]);
}

/// One client removes a field while another updates it. The update survives, and earlier
/// content is removed, at any depth.
#[test]
fn a_concurrent_update_survives_the_removal_of_its_field() {
    let store = store();
    let inner = |op: Vec<MapUpdate>| nested("m", map_op(op, vec![]));
    let first = vec![
        count("n", 5),
        elements("s", &["old", "both"], &[]),
        register("r", "old"),
        flag("f", FlagOp::Enable),
        flag("g", FlagOp::Enable),
        inner(vec![
            count("n", 5),
            elements("s", &["old"], &[]),
            register("gone", "x"),
            inner(vec![count("n", 1)]),
        ]),
    ];
    store.update(&update("maps", map(first, vec![]))).unwrap();
    let seen = context(&store, "maps");
    let second = vec![
        count("n", 2),
        elements("s", &["new", "both"], &[]),
        register("r", "new"),
        flag("f", FlagOp::Enable),
        inner(vec![count("n", 2), elements("s", &["new"], &[]), inner(vec![count("n", 10)])]),
    ];
    store.update(&update("maps", map(second, vec![]))).unwrap();
    let removes = ["n", "s", "r", "f", "g", "m"].into_iter().zip([
        MapFieldType::Counter,
        MapFieldType::Set,
        MapFieldType::Register,
        MapFieldType::Flag,
        MapFieldType::Flag,
        MapFieldType::Map,
    ]);
    let removes = || removes.clone().map(|(name, kind)| MapField::new(name, kind)).collect();
    store.update(&with(seen.as_ref(), update("maps", map(vec![], removes())))).unwrap();
    assert_eq!(found(&store, "n").unwrap().counter_value, Some(2));
    assert_eq!(found(&store, "s").unwrap().set_value, ["both", "new"]);
    assert_eq!(found(&store, "r").unwrap().register_value, Some("new".into()));
    assert_eq!(found(&store, "f").unwrap().flag_value, Some(true));
    assert_eq!(found(&store, "g"), None);
    let inner = found(&store, "m").unwrap().map_value;
    let names: Vec<_> = inner.iter().map(|entry| entry.field.name.clone()).collect();
    assert_eq!(names, ["m", "n", "s"]);
    assert_eq!(inner[0].map_value[0].counter_value, Some(10));
    assert_eq!((inner[1].counter_value, &inner[2].set_value), (Some(2), &blobs(&["new"])));
    // A removal that has seen everything removes everything.
    let seen = context(&store, "maps");
    store.update(&with(seen.as_ref(), update("maps", map(vec![], removes())))).unwrap();
    assert_eq!(found_map(&store), []);
}

#[test]
fn a_context_applies_at_any_depth() {
    let store = store();
    let inner = |op: Vec<MapUpdate>, removes| map(vec![nested("m", map_op(op, removes))], vec![]);
    let enable = || vec![flag("f", FlagOp::Enable), elements("s", &["x"], &[])];
    store.update(&update("maps", inner(enable(), vec![]))).unwrap();
    let seen = context(&store, "maps");
    store.update(&update("maps", inner(enable(), vec![]))).unwrap();
    let disable = || vec![flag("f", FlagOp::Disable), elements("s", &[], &["x"])];
    store.update(&with(seen.as_ref(), update("maps", inner(disable(), vec![])))).unwrap();
    let inside = |store: &Store| found(store, "m").unwrap().map_value;
    assert_eq!((inside(&store)[0].flag_value, inside(&store)[1].set_value.len()), (Some(true), 1));
    let seen = context(&store, "maps");
    store.update(&with(seen.as_ref(), update("maps", inner(disable(), vec![])))).unwrap();
    assert_eq!((inside(&store)[0].flag_value, inside(&store)[1].set_value.len()), (Some(false), 0));
    // Removing what does not exist, with a context, creates the fields on the path.
    let absent = vec![elements("t", &[], &["x"])];
    store.update(&with(seen.as_ref(), update("maps", inner(absent, vec![])))).unwrap();
    assert_eq!(inside(&store).len(), 3);
}
