//! Requests for data types, and a store with a bucket type for each kind.
//!
//! Invariant: requests are for the key `k` of the bucket `b`.

use std::time::Duration;

use riak_client::riak::RpbBucketProps;
use riak_client::riak_dt::dt_fetch_resp::DataType;
use riak_client::riak_dt::map_field::MapFieldType;
use riak_client::riak_dt::map_update::FlagOp;
use riak_client::riak_dt::{
    CounterOp, DtFetchReq, DtOp, DtUpdateReq, GSetOp, HllOp, MapEntry, MapField, MapOp, MapUpdate, SetOp,
};
use riak_runtime::Blob;
use riak_testkit::{Clock, Node, NodeBuilder, Refusal, Store};

pub(crate) const KINDS: [(&str, &str, DataType); 5] = [
    ("counters", "counter", DataType::Counter),
    ("sets", "set", DataType::Set),
    ("maps", "map", DataType::Map),
    ("hlls", "hll", DataType::Hll),
    ("gsets", "gset", DataType::Gset),
];

/// Returns a node builder with a bucket type for each kind, and one for plain objects.
pub(crate) fn builder() -> NodeBuilder {
    Node::builder().data_types().bucket_type("plain", &RpbBucketProps::default())
}

pub(crate) fn stores() -> (Store, Clock) {
    let clock = Clock::manual(Duration::from_secs(1_700_000_000));
    (builder().clock(clock.clone()).build_store(), clock)
}

pub(crate) fn store() -> Store {
    stores().0
}

pub(crate) fn blobs(names: &[&'static str]) -> Vec<Blob> {
    names.iter().copied().map(Blob::from).collect()
}

pub(crate) fn counter(by: i64) -> DtOp {
    let counter = CounterOp { increment: Some(by), ..CounterOp::default() };
    DtOp { counter_op: Some(counter), ..DtOp::default() }
}

pub(crate) fn set_op(adds: &[&'static str], removes: &[&'static str]) -> SetOp {
    SetOp { adds: blobs(adds), removes: blobs(removes), ..SetOp::default() }
}

pub(crate) fn set(adds: &[&'static str], removes: &[&'static str]) -> DtOp {
    DtOp { set_op: Some(set_op(adds, removes)), ..DtOp::default() }
}

pub(crate) fn gset(adds: &[&'static str]) -> DtOp {
    DtOp { gset_op: Some(GSetOp { adds: blobs(adds), ..GSetOp::default() }), ..DtOp::default() }
}

pub(crate) fn hll(adds: &[&'static str]) -> DtOp {
    DtOp { hll_op: Some(HllOp { adds: blobs(adds), ..HllOp::default() }), ..DtOp::default() }
}

pub(crate) fn map(updates: Vec<MapUpdate>, removes: Vec<MapField>) -> DtOp {
    DtOp { map_op: Some(map_op(updates, removes)), ..DtOp::default() }
}

pub(crate) fn map_op(updates: Vec<MapUpdate>, removes: Vec<MapField>) -> MapOp {
    MapOp { updates, removes, ..MapOp::default() }
}

pub(crate) fn register(name: &'static str, value: &'static str) -> MapUpdate {
    let field = MapField::new(name, MapFieldType::Register);
    MapUpdate { register_op: Some(value.into()), ..MapUpdate::new(field) }
}

pub(crate) fn flag(name: &'static str, op: FlagOp) -> MapUpdate {
    MapUpdate { flag_op: Some(op), ..MapUpdate::new(MapField::new(name, MapFieldType::Flag)) }
}

pub(crate) fn count(name: &'static str, by: i64) -> MapUpdate {
    let counter_op = counter(by).counter_op;
    MapUpdate { counter_op, ..MapUpdate::new(MapField::new(name, MapFieldType::Counter)) }
}

pub(crate) fn elements(name: &'static str, adds: &[&'static str], removes: &[&'static str]) -> MapUpdate {
    let field = MapField::new(name, MapFieldType::Set);
    MapUpdate { set_op: Some(set_op(adds, removes)), ..MapUpdate::new(field) }
}

pub(crate) fn nested(name: &'static str, op: MapOp) -> MapUpdate {
    MapUpdate { map_op: Some(op), ..MapUpdate::new(MapField::new(name, MapFieldType::Map)) }
}

/// Returns an update of the key `k`.
pub(crate) fn update(kind: &'static str, op: DtOp) -> DtUpdateReq {
    DtUpdateReq { key: Some("k".into()), ..DtUpdateReq::new("b", kind, op) }
}

pub(crate) fn with(context: Option<&Blob>, update: DtUpdateReq) -> DtUpdateReq {
    DtUpdateReq { context: context.cloned(), ..update }
}

pub(crate) fn fetch(kind: &'static str) -> DtFetchReq {
    DtFetchReq::new("b", "k", kind)
}

pub(crate) fn context(store: &Store, kind: &'static str) -> Option<Blob> {
    store.fetch(&fetch(kind)).unwrap().context
}

pub(crate) fn found_set(store: &Store) -> Vec<Blob> {
    store.fetch(&fetch("sets")).unwrap().value.unwrap().set_value
}

pub(crate) fn found_map(store: &Store) -> Vec<MapEntry> {
    store.fetch(&fetch("maps")).unwrap().value.unwrap().map_value
}

/// Returns the field with this name of the map.
pub(crate) fn found(store: &Store, name: &str) -> Option<MapEntry> {
    found_map(store).into_iter().find(|entry| *entry.field.name == *name.as_bytes())
}

pub(crate) fn refused(result: Result<impl std::fmt::Debug, Refusal>) -> String {
    result.unwrap_err().to_string()
}
