//! Data types as objects: deletes and tombstones, plain reads and writes, the counters of
//! Riak 1.4, and the properties of buckets.
//!
//! Invariant: these tests see the content of a data type only as clients do.

use std::time::Duration;

use riak_client::riak::RpbBucketProps;
use riak_client::riak_dt::dt_fetch_resp::DataType;
use riak_client::riak_dt::{DtOp, DtUpdateReq, HllOp};
use riak_client::riak_kv::{
    RpbContent, RpbCounterGetReq, RpbCounterUpdateReq, RpbDelReq, RpbGetReq, RpbPutReq,
};
use riak_runtime::Blob;

use crate::requests::*;

#[test]
fn deleting_leaves_a_tombstone_and_old_contexts_cover_no_new_elements() {
    let (store, clock) = stores();
    store.update(&update("sets", set(&["x"], &[]))).unwrap();
    let old = context(&store, "sets");
    let delete = RpbDelReq { r#type: Some("sets".into()), ..RpbDelReq::new("b", "k") };
    store.delete(&delete).unwrap();
    assert_eq!(store.fetch(&fetch("sets")).unwrap().value, None);
    assert!(store.keys("sets", "b").is_empty() && store.object("sets", "b", "k").is_some());
    // An update before the reaping recreates the set. A plain read shows it and the tombstone.
    store.update(&update("sets", set(&["x"], &[]))).unwrap();
    store.update(&with(old.as_ref(), update("sets", set(&[], &["x"])))).unwrap();
    assert_eq!(found_set(&store), ["x"]);
    assert_eq!(store.object("sets", "b", "k").unwrap().siblings.len(), 2);
    clock.advance(Duration::from_secs(10));
    assert_eq!(found_set(&store), ["x"]);
    store.delete(&delete).unwrap();
    clock.advance(Duration::from_secs(10));
    assert_eq!(store.object("sets", "b", "k"), None);
    // An old context may remove what does not exist, which creates an empty set.
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
        // A write that has not seen the data type becomes its sibling.
        let put = RpbPutReq {
            r#type: Some(kind.into()),
            key: Some("k".into()),
            ..RpbPutReq::new("b", RpbContent::new("plain"))
        };
        store.put(&put).unwrap();
        assert_eq!(store.fetch(&fetch(kind)).unwrap().value, value);
        store.update(&update(kind, op)).unwrap();
        assert_eq!(store.get(&get).unwrap().content.len(), 2);
        // A write that has seen it replaces it, and a fetch finds an empty value.
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
fn legacy_counters_need_buckets_that_keep_siblings() {
    let store = store();
    store.create_bucket_type("default", &RpbBucketProps { allow_mult: Some(true), ..<_>::default() });
    let add = |by| RpbCounterUpdateReq::new("b", "k", by);
    assert_eq!(store.get_counter(&RpbCounterGetReq::new("b", "k")).unwrap().value, None);
    assert_eq!(store.update_counter(&add(5)).unwrap().value, None);
    let shown = RpbCounterUpdateReq { returnvalue: Some(true), ..add(-7) };
    assert_eq!(store.update_counter(&shown).unwrap().value, Some(-2));
    // In the default type, the new request is handled as the old one, and loses the value.
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
    // No key is generated for it.
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
fn bucket_props_show_the_data_type_and_its_precision() {
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
