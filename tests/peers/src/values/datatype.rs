//! Data types: a fetched nested map, and an update of one.

use riak_client::riak_dt::{
    CounterOp, DtFetchResp, DtOp, DtUpdateReq, DtValue, MapEntry, MapField, MapOp, MapUpdate, SetOp,
    dt_fetch_resp, map_field::MapFieldType, map_update,
};

fn field(name: String, ty: MapFieldType) -> MapField {
    MapField { name: name.into(), r#type: ty, ..MapField::default() }
}

fn leaf(number: i64) -> MapEntry {
    let mut entry = MapEntry::default();
    match number % 4 {
        0 => {
            entry.field = field(format!("counter_{number}"), MapFieldType::Counter);
            entry.counter_value = Some(number * 1000 - 7);
        }
        1 => {
            entry.field = field(format!("set_{number}"), MapFieldType::Set);
            entry.set_value = (0..3).map(|index| format!("element-{index}").into()).collect();
        }
        2 => {
            entry.field = field(format!("register_{number}"), MapFieldType::Register);
            entry.register_value = Some("a register's value".into());
        }
        _ => {
            entry.field = field(format!("flag_{number}"), MapFieldType::Flag);
            entry.flag_value = Some(true);
        }
    }
    entry
}

fn nested(name: &str, entries: Vec<MapEntry>) -> MapEntry {
    MapEntry { field: field(name.to_owned(), MapFieldType::Map), map_value: entries, ..MapEntry::default() }
}

fn fetched(entries: Vec<MapEntry>) -> DtFetchResp {
    DtFetchResp {
        context: Some(vec![0x83; 60].into()),
        r#type: dt_fetch_resp::DataType::Map,
        value: Some(DtValue { map_value: entries, ..DtValue::default() }),
        ..DtFetchResp::default()
    }
}

/// Returns a map with three levels and 50 entries.
pub(crate) fn map() -> DtFetchResp {
    let inner = nested("inner", (0..16).map(leaf).collect());
    let mut middle: Vec<MapEntry> = (16..32).map(leaf).collect();
    middle.push(inner);
    let mut outer: Vec<MapEntry> = (32..48).map(leaf).collect();
    outer.push(nested("middle", middle));
    fetched(outer)
}

/// Returns maps nested `depth` levels deep.
pub(crate) fn nesting(depth: usize) -> DtFetchResp {
    let mut entry = leaf(0);
    for _ in 1..depth {
        entry = nested("map", vec![entry]);
    }
    fetched(vec![entry])
}

/// Returns 20 operations on a map: five each on counters, sets, registers and flags.
pub(crate) fn update() -> DtUpdateReq {
    let operation = |number: i64| {
        let mut update = MapUpdate::default();
        match number % 4 {
            0 => {
                update.field = field(format!("counter_{number}"), MapFieldType::Counter);
                update.counter_op = Some(CounterOp { increment: Some(number - 10), ..CounterOp::default() });
            }
            1 => {
                update.field = field(format!("set_{number}"), MapFieldType::Set);
                let adds = vec!["added".into(), "added as well".into()];
                update.set_op = Some(SetOp { adds, removes: vec!["gone".into()], ..SetOp::default() });
            }
            2 => {
                update.field = field(format!("register_{number}"), MapFieldType::Register);
                update.register_op = Some("a register's value".into());
            }
            _ => {
                update.field = field(format!("flag_{number}"), MapFieldType::Flag);
                update.flag_op = Some(map_update::FlagOp::Enable);
            }
        }
        update
    };
    let map_op = MapOp { updates: (0..20).map(operation).collect(), ..MapOp::default() };
    DtUpdateReq {
        bucket: "carts".into(),
        key: Some("alice".into()),
        r#type: "maps".into(),
        context: Some(vec![0x83; 60].into()),
        op: DtOp { map_op: Some(map_op), ..DtOp::default() },
        return_body: Some(true),
        include_context: Some(false),
        timeout: Some(60_000),
        ..DtUpdateReq::default()
    }
}
