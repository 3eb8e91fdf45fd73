//! The content and order of answers about data types.
//!
//! Invariant: `replay_node` covers what the recorded exchanges show. These tests cover what
//! none of them shows.

use std::time::Duration;

use riak_client::riak_dt::map_field::MapFieldType;
use riak_client::riak_dt::map_update::FlagOp;
use riak_client::riak_dt::{DtFetchReq, DtUpdateReq};

use crate::requests::*;

#[test]
fn a_missing_data_type_has_a_type_and_no_value() {
    let store = store();
    for (name, _, data_type) in KINDS {
        let answer = store.fetch(&fetch(name)).unwrap();
        assert_eq!((answer.r#type, answer.value, answer.context), (data_type, None, None));
    }
}

#[test]
fn answers_have_a_context_and_a_body_if_requested() {
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
        // Without a body, an answer holds nothing but a generated key.
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
fn registers_keep_the_latest_value_by_the_nodes_clock() {
    let (store, clock) = stores();
    for value in ["1", "2"] {
        store.update(&update("maps", map(vec![register("r", value)], vec![]))).unwrap();
        assert_eq!(found(&store, "r").unwrap().register_value, Some(value.into()));
        clock.advance(Duration::from_millis(1));
    }
}

/// Requests for objects check names. Requests for data types check only the type, which has
/// to exist.
#[test]
fn empty_names_are_valid() {
    let store = store();
    let request = DtUpdateReq { key: Some("".into()), ..DtUpdateReq::new("", "counters", counter(3)) };
    assert_eq!(store.update(&request).unwrap().key, None);
    let found = store.fetch(&DtFetchReq::new("", "", "counters")).unwrap();
    assert_eq!(found.value.unwrap().counter_value, Some(3));
    assert_eq!((store.buckets("counters"), store.keys("counters", "")), (blobs(&[""]), blobs(&[""])));
}
