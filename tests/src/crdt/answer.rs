//! Responses of data types: the value and, for sets and maps, the context in which
//! it was read.
//!
//! Invariant: elements and fields are sorted; only sets and maps have a context.

use riak_client::riak_dt::map_field::MapFieldType;
use riak_client::riak_dt::{DtFetchResp, DtUpdateResp, DtValue, MapEntry, MapField};
use riak_runtime::Blob;

use super::map::{Embedded, Field, FieldKind, Map};
use super::{Crdt, Kind};

/// Returns the response to a read that has found an object. If the object holds no
/// data type of this kind, the value is empty and there is no context.
pub(crate) fn fetch_response(kind: Kind, found: Option<&Crdt>, with_context: bool) -> DtFetchResp {
    DtFetchResp {
        context: found.filter(|_| with_context).and_then(context),
        value: Some(found.map_or_else(|| empty_value(kind), value)),
        ..DtFetchResp::new(kind.data_type())
    }
}

/// Returns the response to an update that asks for the new value.
pub(crate) fn update_response(found: &Crdt, with_context: bool) -> DtUpdateResp {
    let value = value(found);
    DtUpdateResp {
        context: context(found).filter(|_| with_context),
        counter_value: value.counter_value,
        set_value: value.set_value,
        map_value: value.map_value,
        hll_value: value.hll_value,
        gset_value: value.gset_value,
        ..DtUpdateResp::default()
    }
}

fn context(found: &Crdt) -> Option<Blob> {
    match found {
        Crdt::Set(clock, _) | Crdt::Map(clock, _) => Some(clock.encode()),
        _ => None,
    }
}

fn empty_value(kind: Kind) -> DtValue {
    match kind {
        Kind::Counter | Kind::LegacyCounter => DtValue { counter_value: Some(0), ..DtValue::default() },
        Kind::Hll => DtValue { hll_value: Some(0), ..DtValue::default() },
        Kind::Set | Kind::Map | Kind::GSet => DtValue::default(),
    }
}

fn value(found: &Crdt) -> DtValue {
    let mut value = empty_value(found.kind());
    match found {
        Crdt::Counter(counter) | Crdt::LegacyCounter(counter) => value.counter_value = Some(counter.value()),
        Crdt::Set(_, set) => value.set_value = set.value(),
        Crdt::Map(_, map) => value.map_value = entries(map),
        Crdt::GSet(gset) => value.gset_value = gset.value(),
        Crdt::Hll(hll) => value.hll_value = Some(hll.estimate()),
    }
    value
}

fn entries(map: &Map) -> Vec<MapEntry> {
    map.fields().map(|(field, value)| entry(field, value)).collect()
}

fn entry(field: &Field, value: &Embedded) -> MapEntry {
    let kind = match field.kind {
        FieldKind::Counter => MapFieldType::Counter,
        FieldKind::Register => MapFieldType::Register,
        FieldKind::Map => MapFieldType::Map,
        FieldKind::Flag => MapFieldType::Flag,
        FieldKind::Set => MapFieldType::Set,
    };
    let mut entry = MapEntry::new(MapField::new(field.name.clone(), kind));
    match value {
        Embedded::Counter(counter) => entry.counter_value = Some(counter.value()),
        Embedded::Register(register) => entry.register_value = register.value().cloned(),
        Embedded::Map(map) => entry.map_value = entries(map),
        Embedded::Flag(flag) => entry.flag_value = Some(flag.value()),
        Embedded::Set(set) => entry.set_value = set.value(),
    }
    entry
}
