//! Data types as the store answers requests for them.
//!
//! Invariant: what a recorded exchange shows is held in `replay_node`; here is
//! what none of them shows. That operations add up is in `data_type_model`.

use std::time::Duration;

use riak_client::riak::RpbBucketProps;
use riak_client::riak_dt::dt_fetch_resp::DataType;
use riak_client::riak_dt::map_field::MapFieldType;
use riak_client::riak_dt::map_update::FlagOp;
use riak_client::riak_dt::{
    CounterOp, DtFetchReq, DtOp, DtUpdateReq, GSetOp, HllOp, MapEntry, MapField, MapOp, MapUpdate, SetOp,
};
use riak_client::riak_kv::{
    RpbContent, RpbCounterGetReq, RpbCounterUpdateReq, RpbDelReq, RpbGetReq, RpbPutReq,
};
use riak_runtime::{Blob, Quorum};
use riak_testkit::{Clock, Node, Refusal, Store};

const KINDS: [(&str, &str, DataType); 5] = [
    ("counters", "counter", DataType::Counter),
    ("sets", "set", DataType::Set),
    ("maps", "map", DataType::Map),
    ("hlls", "hll", DataType::Hll),
    ("gsets", "gset", DataType::Gset),
];

fn stores() -> (Store, Clock) {
    let clock = Clock::manual(Duration::from_secs(1_700_000_000));
    let mut node = Node::builder().clock(clock.clone()).bucket_type("plain", &RpbBucketProps::default());
    for (name, kind, _) in KINDS {
        let props = RpbBucketProps { datatype: Some(kind.into()), ..RpbBucketProps::default() };
        node = node.bucket_type(name, &props);
    }
    (node.build_store(), clock)
}

fn store() -> Store {
    stores().0
}

fn blobs(names: &[&'static str]) -> Vec<Blob> {
    names.iter().copied().map(Blob::from).collect()
}

fn counter(by: i64) -> DtOp {
    let counter = CounterOp { increment: Some(by), ..CounterOp::default() };
    DtOp { counter_op: Some(counter), ..DtOp::default() }
}

fn set_op(adds: &[&'static str], removes: &[&'static str]) -> SetOp {
    SetOp { adds: blobs(adds), removes: blobs(removes), ..SetOp::default() }
}

fn set(adds: &[&'static str], removes: &[&'static str]) -> DtOp {
    DtOp { set_op: Some(set_op(adds, removes)), ..DtOp::default() }
}

fn gset(adds: &[&'static str]) -> DtOp {
    DtOp { gset_op: Some(GSetOp { adds: blobs(adds), ..GSetOp::default() }), ..DtOp::default() }
}

fn hll(adds: &[&'static str]) -> DtOp {
    DtOp { hll_op: Some(HllOp { adds: blobs(adds), ..HllOp::default() }), ..DtOp::default() }
}

fn map(updates: Vec<MapUpdate>, removes: Vec<MapField>) -> DtOp {
    DtOp { map_op: Some(map_op(updates, removes)), ..DtOp::default() }
}

fn map_op(updates: Vec<MapUpdate>, removes: Vec<MapField>) -> MapOp {
    MapOp { updates, removes, ..MapOp::default() }
}

fn register(name: &'static str, value: &'static str) -> MapUpdate {
    let field = MapField::new(name, MapFieldType::Register);
    MapUpdate { register_op: Some(value.into()), ..MapUpdate::new(field) }
}

fn flag(name: &'static str, op: FlagOp) -> MapUpdate {
    MapUpdate { flag_op: Some(op), ..MapUpdate::new(MapField::new(name, MapFieldType::Flag)) }
}

fn count(name: &'static str, by: i64) -> MapUpdate {
    let counter_op = counter(by).counter_op;
    MapUpdate { counter_op, ..MapUpdate::new(MapField::new(name, MapFieldType::Counter)) }
}

fn elements(name: &'static str, adds: &[&'static str], removes: &[&'static str]) -> MapUpdate {
    let field = MapField::new(name, MapFieldType::Set);
    MapUpdate { set_op: Some(set_op(adds, removes)), ..MapUpdate::new(field) }
}

fn nested(name: &'static str, op: MapOp) -> MapUpdate {
    MapUpdate { map_op: Some(op), ..MapUpdate::new(MapField::new(name, MapFieldType::Map)) }
}

/// An update of the key `k`.
fn update(kind: &'static str, op: DtOp) -> DtUpdateReq {
    DtUpdateReq { key: Some("k".into()), ..DtUpdateReq::new("b", kind, op) }
}

fn with(context: Option<&Blob>, update: DtUpdateReq) -> DtUpdateReq {
    DtUpdateReq { context: context.cloned(), ..update }
}

fn fetch(kind: &'static str) -> DtFetchReq {
    DtFetchReq::new("b", "k", kind)
}

fn context(store: &Store, kind: &'static str) -> Option<Blob> {
    store.fetch(&fetch(kind)).unwrap().context
}

fn found_set(store: &Store) -> Vec<Blob> {
    store.fetch(&fetch("sets")).unwrap().value.unwrap().set_value
}

fn found_map(store: &Store) -> Vec<MapEntry> {
    store.fetch(&fetch("maps")).unwrap().value.unwrap().map_value
}

/// What a map has under a name.
fn found(store: &Store, name: &str) -> Option<MapEntry> {
    found_map(store).into_iter().find(|entry| *entry.field.name == *name.as_bytes())
}

fn refused(result: Result<impl std::fmt::Debug, Refusal>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn what_is_not_there_has_a_type_and_no_value() {
    let store = store();
    for (name, _, data_type) in KINDS {
        let answer = store.fetch(&fetch(name)).unwrap();
        assert_eq!((answer.r#type, answer.value, answer.context), (data_type, None, None));
    }
}

#[test]
fn answers_have_a_context_and_a_body_if_they_are_to() {
    let store = store();
    let ops = [
        ("counters", counter(2), false),
        ("sets", set(&["a"], &[]), true),
        ("maps", map(vec![count("n", 1)], vec![]), true),
        ("hlls", hll(&["a"]), false),
    ];
    for (kind, op, has_context) in ops {
        let request = DtUpdateReq { return_body: Some(true), ..update(kind, op.clone()) };
        let answer = store.update(&request).unwrap();
        assert_eq!((answer.context.is_some(), &answer.key), (has_context, &None), "{kind}");
        let some = [
            answer.counter_value.is_some(),
            !answer.set_value.is_empty(),
            !answer.map_value.is_empty(),
            answer.hll_value.is_some(),
        ];
        assert_eq!(some.iter().filter(|some| **some).count(), 1, "{kind}: {answer:?}");
        let silent = DtUpdateReq { include_context: Some(false), ..request };
        assert_eq!(store.update(&silent).unwrap().context, None);
        assert_eq!(context(&store, kind).is_some(), has_context);
        let silent = DtFetchReq { include_context: Some(false), ..fetch(kind) };
        assert_eq!(store.fetch(&silent).unwrap().context, None);
        // Without a body, an answer has nothing, or the key that was made up.
        assert_eq!(store.update(&update(kind, op.clone())).unwrap(), <_>::default());
        let key = store.update(&DtUpdateReq::new("b", kind, op)).unwrap().key.unwrap();
        let mut keys = store.keys(kind, "b");
        keys.sort();
        let mut expected = [key, "k".into()];
        expected.sort();
        assert_eq!(keys, expected);
    }
}

#[test]
fn a_grow_only_set_is_updated_and_then_crashes_the_answer() {
    let store = store();
    let request = DtUpdateReq { return_body: Some(true), ..update("gsets", gset(&["b", "a"])) };
    let error = store.update(&request).unwrap_err();
    assert!(error.closes() && error.to_string().contains("riak_pb_dt_codec,encode_update_response,[gset"));
    assert_eq!(store.fetch(&fetch("gsets")).unwrap().value.unwrap().gset_value, ["a", "b"]);
}

#[test]
fn errors_have_riaks_words() {
    let store = store();
    let read = |kind: &'static str| refused(store.fetch(&fetch(kind)));
    let write = |kind: &'static str, op: DtOp| refused(store.update(&update(kind, op)));
    assert_eq!(read("nope"), "Error no bucket type `<<\"nope\">>`");
    assert_eq!(write("nope", DtOp::default()), "Error no bucket type `<<\"nope\">>`");
    assert_eq!(read(""), "Error no bucket type `<<>>`");
    assert_eq!(read("plain"), "`undefined` is not a supported type");
    assert_eq!(write("plain", counter(1)), "Bucket datatype `undefined` is not a supported type");
    assert_eq!(write("sets", counter(1)), "Operation type is `counter` but  bucket type is `set`.");
    assert_eq!(write("gsets", hll(&["x"])), "Operation type is `hll` but  bucket type is `gset`.");
    assert_eq!(write("default", set(&["x"], &[])), "\"non-counter operation on default bucket\"");
    assert_eq!(write("sets", set(&[], &["x"])), "{precondition,{not_present,<<\"x\">>}}");
    let field = |kind| MapField::new("f", kind);
    for (kind, module) in [
        (MapFieldType::Counter, "riak_dt_emcntr"),
        (MapFieldType::Set, "riak_dt_orswot"),
        (MapFieldType::Register, "riak_dt_lwwreg"),
        (MapFieldType::Flag, "riak_dt_od_flag"),
        (MapFieldType::Map, "riak_dt_map"),
    ] {
        let expected = format!("{{precondition,{{not_present,{{<<\"f\">>,{module}}}}}}}");
        assert_eq!(write("maps", map(vec![], vec![field(kind)])), expected);
        let inner = nested("m", map_op(vec![], vec![field(kind)]));
        assert_eq!(write("maps", map(vec![inner], vec![])), expected);
    }
    let single = RpbBucketProps { allow_mult: Some(false), datatype: Some("set".into()), ..<_>::default() };
    store.create_bucket_type("single", &single);
    assert_eq!(read("single"), "\"Bucket must be allow_mult=true\"");
    assert_eq!(write("single", DtOp::default()), "\"Bucket must be allow_mult=true\"");
    let odd = RpbBucketProps { datatype: Some("tree".into()), ..<_>::default() };
    store.create_bucket_type("odd", &odd);
    assert_eq!(read("odd"), "`tree` is not a supported type");
    // Nothing of this has left anything.
    assert!(store.is_empty());
}

#[test]
fn updates_without_sense_crash() {
    let store = store();
    let bare = |kind| map(vec![MapUpdate::new(MapField::new("f", kind))], vec![]);
    for (request, clause) in [
        (update("counters", DtOp::default()), "decode_operation"),
        (update("default", DtOp::default()), "decode_operation"),
        (update("plain", DtOp::default()), "decode_operation"),
        (update("maps", bare(MapFieldType::Counter)), "decode_map_update"),
        (update("maps", bare(MapFieldType::Set)), "decode_map_update"),
        (update("maps", bare(MapFieldType::Flag)), "decode_flag_op"),
        (update("maps", bare(MapFieldType::Map)), "decode_map_op"),
    ] {
        let error = store.update(&request).unwrap_err();
        assert!(error.closes() && error.to_string().contains(clause), "{error}");
    }
    assert!(store.is_empty());
    // A register may have no value, which is not an empty one.
    store.update(&update("maps", bare(MapFieldType::Register))).unwrap();
    assert_eq!(found(&store, "f").unwrap().register_value, None);
    store.update(&update("maps", map(vec![register("f", "")], vec![]))).unwrap();
    assert_eq!(found(&store, "f").unwrap().register_value, Some("".into()));
}

#[test]
fn of_several_operations_the_first_counts() {
    let store = store();
    let all = DtOp {
        map_op: map(vec![], vec![]).map_op,
        gset_op: gset(&["x"]).gset_op,
        hll_op: hll(&["x"]).hll_op,
        ..set(&["x"], &[])
    };
    store.update(&update("sets", all.clone())).unwrap();
    let rest = DtOp { set_op: None, ..all };
    store.update(&update("hlls", rest.clone())).unwrap();
    let rest = DtOp { hll_op: None, ..rest };
    store.update(&update("gsets", rest.clone())).unwrap();
    store.update(&update("maps", DtOp { gset_op: None, ..rest })).unwrap();
    assert_eq!(store.len(), 4);
}

#[test]
fn quorums_are_checked_as_those_of_objects() {
    let store = store();
    let reads = [
        DtFetchReq { r: Some(4.into()), ..fetch("sets") },
        DtFetchReq { pr: Some(4.into()), ..fetch("sets") },
        DtFetchReq { node_confirms: Some(4), ..fetch("sets") },
    ];
    for request in reads {
        assert_eq!(refused(store.fetch(&request)), "{n_val_violation,3}");
    }
    let add = || update("sets", set(&["x"], &[]));
    let writes = [
        DtUpdateReq { w: Some(4.into()), ..add() },
        DtUpdateReq { dw: Some(4.into()), ..add() },
        DtUpdateReq { pw: Some(4.into()), ..add() },
        DtUpdateReq { node_confirms: Some(4), ..add() },
    ];
    for request in writes {
        assert_eq!(refused(store.update(&request)), "{n_val_violation,3}");
    }
    assert_eq!(refused(store.fetch(&DtFetchReq { n_val: Some(4), ..fetch("sets") })), "{n_val_violation,4}");
    assert_eq!(refused(store.update(&DtUpdateReq { n_val: Some(0), ..add() })), "{n_val_violation,0}");
    assert!(store.is_empty());
    store.update(&DtUpdateReq { w: Some(Quorum::ALL), n_val: Some(2), ..add() }).unwrap();
}

#[test]
fn contexts_where_none_belong_get_no_answer_in_time() {
    let store = store();
    store.update(&update("sets", set(&["x"], &[]))).unwrap();
    let context = context(&store, "sets");
    for (kind, op) in [("counters", counter(1)), ("hlls", hll(&["x"])), ("gsets", gset(&["x"]))] {
        assert_eq!(refused(store.update(&with(context.as_ref(), update(kind, op)))), "timeout");
    }
    for bytes in ["", "context", "\u{6b}"] {
        let request = with(Some(&bytes.into()), update("sets", set(&["y"], &["x"])));
        assert_eq!(refused(store.update(&request)), "timeout");
    }
    assert_eq!(found_set(&store), ["x"]);
}

/// Two clients, each with what it has read.
#[test]
fn sets_lose_what_was_observed() {
    let store = store();
    store.update(&update("sets", set(&["x", "y"], &[]))).unwrap();
    let old = context(&store, "sets");
    // The other client adds it again: that is not the one that was seen.
    store.update(&update("sets", set(&["x", "z"], &[]))).unwrap();
    store.update(&with(old.as_ref(), update("sets", set(&[], &["x", "y", "z", "never"])))).unwrap();
    assert_eq!(found_set(&store), ["x", "z"]);
    let new = context(&store, "sets");
    store.update(&with(new.as_ref(), update("sets", set(&[], &["x"])))).unwrap();
    // A second time is no error, and neither is a removal that does not count.
    store.update(&with(new.as_ref(), update("sets", set(&[], &["x"])))).unwrap();
    assert_eq!((found_set(&store), context(&store, "sets")), (blobs(&["z"]), new));
    // Without a context, what is there goes, and it has to be there.
    store.update(&update("sets", set(&[], &["z"]))).unwrap();
    assert_eq!(found_set(&store), blobs(&[]));
    assert_eq!(
        refused(store.update(&update("sets", set(&[], &["z"])))),
        "{precondition,{not_present,<<\"z\">>}}"
    );
}

#[test]
fn additions_come_before_removals_and_all_or_nothing_happens() {
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
fn fields_are_sorted_by_name_and_then_by_kind() {
    let store = store();
    let updates = vec![
        elements("b", &["2", "1"], &[]),
        flag("b", FlagOp::Enable),
        nested("b", map_op(vec![count("z", 1), count("a", 2)], vec![])),
        register("b", "v"),
        count("b", 7),
        count("a", 1),
    ];
    store.update(&update("maps", map(updates, vec![]))).unwrap();
    let entries = found_map(&store);
    let fields: Vec<_> = entries.iter().map(|entry| (entry.field.name.clone(), entry.field.r#type)).collect();
    let order = [
        ("a", MapFieldType::Counter),
        ("b", MapFieldType::Counter),
        ("b", MapFieldType::Register),
        ("b", MapFieldType::Map),
        ("b", MapFieldType::Flag),
        ("b", MapFieldType::Set),
    ];
    assert_eq!(fields, order.map(|(name, kind)| (name.into(), kind)));
    assert_eq!(entries[5].set_value, ["1", "2"]);
    let inner: Vec<_> = entries[3].map_value.iter().map(|entry| entry.counter_value).collect();
    assert_eq!(inner, [Some(2), Some(1)]);
}

#[test]
fn a_removed_field_begins_anew_in_the_same_update() {
    let store = store();
    store.update(&update("maps", map(vec![count("n", 5), elements("s", &["x"], &[])], vec![]))).unwrap();
    let seen = context(&store, "maps");
    let removes = vec![MapField::new("n", MapFieldType::Counter), MapField::new("s", MapFieldType::Set)];
    let request = update("maps", map(vec![count("n", 2), elements("s", &["y"], &[])], removes));
    store.update(&with(seen.as_ref(), request)).unwrap();
    assert_eq!(found(&store, "n").unwrap().counter_value, Some(2));
    assert_eq!(found(&store, "s").unwrap().set_value, ["y"]);
}

/// One client removes a field while another updates it: the update stays, and
/// what was there before goes, at any depth.
#[test]
fn an_update_at_the_same_time_survives_the_removal_of_its_field() {
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
    // What has seen all of it removes all of it.
    let seen = context(&store, "maps");
    store.update(&with(seen.as_ref(), update("maps", map(vec![], removes())))).unwrap();
    assert_eq!(found_map(&store), []);
}

#[test]
fn a_context_counts_at_any_depth() {
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
    // Removing what is not there, with a context, leaves the fields on the way.
    let absent = vec![elements("t", &[], &["x"])];
    store.update(&with(seen.as_ref(), update("maps", inner(absent, vec![])))).unwrap();
    assert_eq!(inside(&store).len(), 3);
}

#[test]
fn registers_take_the_last_value_on_the_nodes_clock() {
    let (store, clock) = stores();
    for value in ["1", "2"] {
        store.update(&update("maps", map(vec![register("r", value)], vec![]))).unwrap();
        assert_eq!(found(&store, "r").unwrap().register_value, Some(value.into()));
        clock.advance(Duration::from_millis(1));
    }
}

#[test]
fn deleting_leaves_a_tombstone_and_old_contexts_cover_nothing_new() {
    let (store, clock) = stores();
    store.update(&update("sets", set(&["x"], &[]))).unwrap();
    let old = context(&store, "sets");
    let delete = RpbDelReq { r#type: Some("sets".into()), ..RpbDelReq::new("b", "k") };
    store.delete(&delete).unwrap();
    assert_eq!(store.fetch(&fetch("sets")).unwrap().value, None);
    assert!(store.keys("sets", "b").is_empty() && store.object("sets", "b", "k").is_some());
    // Updated before it is reaped, it is there again; a plain read shows both.
    store.update(&update("sets", set(&["x"], &[]))).unwrap();
    store.update(&with(old.as_ref(), update("sets", set(&[], &["x"])))).unwrap();
    assert_eq!(found_set(&store), ["x"]);
    assert_eq!(store.object("sets", "b", "k").unwrap().siblings.len(), 2);
    clock.advance(Duration::from_secs(10));
    assert_eq!(found_set(&store), ["x"]);
    store.delete(&delete).unwrap();
    clock.advance(Duration::from_secs(10));
    assert_eq!(store.object("sets", "b", "k"), None);
    // A context from before may remove what is not there: then that is there, empty.
    store.update(&with(old.as_ref(), update("sets", set(&[], &["x"])))).unwrap();
    assert_eq!(found_set(&store), blobs(&[]));
}

#[test]
fn plain_reads_show_the_stored_form_and_plain_writes_are_siblings() {
    let store = store();
    let ops = [
        ("counters", counter(1), "application/riak_counter", "riak_dt_pncounter"),
        ("sets", set(&["x"], &[]), "application/riak_set", "riak_dt_orswot"),
        ("maps", map(vec![count("n", 1)], vec![]), "application/riak_map", "riak_dt_map"),
        ("hlls", hll(&["x"]), "application/riak_hll", "riak_kv_hll"),
        ("gsets", gset(&["x"]), "application/riak_gset", "riak_dt_gset"),
    ];
    for (kind, op, content_type, module) in ops {
        store.update(&update(kind, op.clone())).unwrap();
        let get = RpbGetReq { r#type: Some(kind.into()), ..RpbGetReq::new("b", "k") };
        let found = store.get(&get).unwrap();
        let [content] = &found.content[..] else { panic!("{found:?}") };
        assert_eq!(content.content_type, Some(content_type.into()));
        assert!(content.value.starts_with(b"E\x02") && content.vtag.is_some() && content.last_mod.is_some());
        assert!(content.value.windows(module.len()).any(|part| part == module.as_bytes()));
        let value = store.fetch(&fetch(kind)).unwrap().value;
        // A write that has not seen it stands beside it.
        let put = RpbPutReq {
            r#type: Some(kind.into()),
            key: Some("k".into()),
            ..RpbPutReq::new("b", RpbContent::new("plain"))
        };
        store.put(&put).unwrap();
        assert_eq!(store.fetch(&fetch(kind)).unwrap().value, value);
        store.update(&update(kind, op)).unwrap();
        assert_eq!(store.get(&get).unwrap().content.len(), 2);
        // One that has seen it replaces it, and there is nothing to fetch.
        let vclock = store.get(&get).unwrap().vclock;
        store.put(&RpbPutReq { vclock, ..put }).unwrap();
        let emptied = store.fetch(&fetch(kind)).unwrap();
        assert_eq!(emptied.context, None);
        let number = emptied.value.as_ref().map(|value| (value.counter_value, value.hll_value));
        assert!(matches!(number, Some((None | Some(0), None | Some(0)))), "{emptied:?}");
    }
    assert_eq!(store.len(), 5);
}

#[test]
fn legacy_counters_are_in_buckets_that_keep_siblings() {
    let store = store();
    store.create_bucket_type("default", &RpbBucketProps { allow_mult: Some(true), ..<_>::default() });
    let add = |by| RpbCounterUpdateReq::new("b", "k", by);
    assert_eq!(store.get_counter(&RpbCounterGetReq::new("b", "k")).unwrap().value, None);
    assert_eq!(store.update_counter(&add(5)).unwrap().value, None);
    let shown = RpbCounterUpdateReq { returnvalue: Some(true), ..add(-7) };
    assert_eq!(store.update_counter(&shown).unwrap().value, Some(-2));
    // The new request of the default type is the old one, and loses the value.
    let request = DtUpdateReq { return_body: Some(true), ..update("default", counter(10)) };
    assert_eq!(store.update(&request).unwrap(), <_>::default());
    let answer = store.fetch(&fetch("default")).unwrap();
    assert_eq!((answer.r#type, answer.value.unwrap().counter_value), (DataType::Counter, Some(8)));
    assert_eq!(store.get_counter(&RpbCounterGetReq::new("b", "k")).unwrap().value, Some(8));
    assert_eq!(
        refused(store.update_counter(&RpbCounterUpdateReq { w: Some(4.into()), ..add(1) })),
        "{n_val_violation,3}"
    );
    let quorum = RpbCounterGetReq { r: Some(4.into()), ..RpbCounterGetReq::new("b", "k") };
    assert_eq!(refused(store.get_counter(&quorum)), "{n_val_violation,3}");
    // Nobody makes up a key for it.
    assert!(store.update(&DtUpdateReq::new("b", "default", counter(1))).unwrap_err().closes());
    let found = store.get(&RpbGetReq::new("b", "k")).unwrap();
    assert!(found.content[0].value.starts_with(b"E\x01"));
    store.delete(&RpbDelReq::new("b", "k")).unwrap();
    assert_eq!(store.get_counter(&RpbCounterGetReq::new("b", "k")).unwrap().value, None);
    assert_eq!(store.fetch(&fetch("default")).unwrap().value, None);
    store.create_bucket_type("default", &RpbBucketProps { allow_mult: Some(false), ..<_>::default() });
    let text = "\"Counters require bucket property 'allow_mult=true'\"";
    assert_eq!(refused(store.update_counter(&add(1))), text);
    assert_eq!(refused(store.update(&update("default", counter(1)))), text);
}

#[test]
fn buckets_show_their_data_type_and_its_precision() {
    let store = store();
    for (name, kind, _) in KINDS {
        let props = store.bucket_props(name, "b").unwrap();
        assert_eq!((props.datatype, props.allow_mult), (Some(kind.into()), Some(true)));
        assert_eq!(props.hll_precision, (kind == "hll").then_some(14));
    }
    let coarse =
        RpbBucketProps { datatype: Some("hll".into()), hll_precision: Some(4), ..RpbBucketProps::default() };
    store.create_bucket_type("coarse", &coarse);
    let names: Vec<Blob> = (0..1_000).map(|number| number.to_string().into()).collect();
    let many = || DtOp { hll_op: Some(HllOp { adds: names.clone(), ..HllOp::default() }), ..DtOp::default() };
    let size = |kind: &'static str| {
        store.update(&update(kind, many())).unwrap();
        store.object(kind, "b", "k").unwrap().siblings[0].value.len()
    };
    assert!(size("coarse") < 100 && size("hlls") > 1 << 14);
}

#[test]
fn data_types_are_no_larger_than_objects() {
    let sets = RpbBucketProps { datatype: Some("set".into()), ..RpbBucketProps::default() };
    let store = Node::builder().bucket_type("sets", &sets).max_object_size(500).build_store();
    store.update(&update("sets", set(&["x"], &[]))).unwrap();
    let large = SetOp { adds: vec![vec![b'x'; 500].into()], ..SetOp::default() };
    let large = DtOp { set_op: Some(large), ..DtOp::default() };
    assert!(refused(store.update(&update("sets", large))).starts_with("{too_large,"));
    assert_eq!(found_set(&store), ["x"]);
}
