//! The data type requests that a node refuses, with the texts of its errors, and those that
//! crash it.
//!
//! Invariant: a refused request changes nothing, except the one update that is applied
//! before its answer crashes.

use riak_client::riak::RpbBucketProps;
use riak_client::riak_dt::map_field::MapFieldType;
use riak_client::riak_dt::{DtFetchReq, DtOp, DtUpdateReq, MapField, MapUpdate, SetOp};
use riak_runtime::Quorum;
use riak_testkit::Node;

use crate::requests::*;

#[test]
fn errors_have_riaks_texts() {
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
    // None of these requests has stored anything.
    assert!(store.is_empty());
}

#[test]
fn invalid_updates_crash() {
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
    // A register without a value is distinct from an empty one.
    store.update(&update("maps", bare(MapFieldType::Register))).unwrap();
    assert_eq!(found(&store, "f").unwrap().register_value, None);
    store.update(&update("maps", map(vec![register("f", "")], vec![]))).unwrap();
    assert_eq!(found(&store, "f").unwrap().register_value, Some("".into()));
}

#[test]
fn the_first_of_several_operations_is_applied() {
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
fn quorums_are_checked_as_for_objects() {
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
fn unexpected_and_invalid_contexts_time_out() {
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

#[test]
fn a_grow_only_set_is_updated_although_its_answer_crashes() {
    let store = store();
    let request = DtUpdateReq { return_body: Some(true), ..update("gsets", gset(&["b", "a"])) };
    let error = store.update(&request).unwrap_err();
    assert!(error.closes() && error.to_string().contains("riak_pb_dt_codec,encode_update_response,[gset"));
    assert_eq!(store.fetch(&fetch("gsets")).unwrap().value.unwrap().gset_value, ["a", "b"]);
}

#[test]
fn the_size_limit_of_objects_applies_to_data_types() {
    let sets = RpbBucketProps { datatype: Some("set".into()), ..RpbBucketProps::default() };
    let store = Node::builder().bucket_type("sets", &sets).max_object_size(500).build_store();
    store.update(&update("sets", set(&["x"], &[]))).unwrap();
    let large = SetOp { adds: vec![vec![b'x'; 500].into()], ..SetOp::default() };
    let large = DtOp { set_op: Some(large), ..DtOp::default() };
    assert!(refused(store.update(&update("sets", large))).starts_with("{too_large,"));
    assert_eq!(found_set(&store), ["x"]);
}
