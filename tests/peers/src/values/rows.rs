//! Rows of a time series.

use riak_client::riak_ts::{TsCell, TsColumnDescription, TsColumnType, TsQueryResp, TsRow};

/// Returns `count` rows of five cells: a varchar, a sint64, a timestamp, a boolean and a double.
pub(crate) fn rows(count: i32) -> TsQueryResp {
    let column = |name: &str, ty| TsColumnDescription {
        name: name.into(),
        r#type: Some(ty),
        ..TsColumnDescription::default()
    };
    let row = |index: i32| {
        let number = i64::from(index);
        let cells = [
            TsCell { varchar_value: Some(format!("device-{index:05}").into()), ..TsCell::default() },
            TsCell { sint64_value: Some(number * 37 - 500), ..TsCell::default() },
            TsCell { timestamp_value: Some(1_762_000_000_000 + number), ..TsCell::default() },
            TsCell { boolean_value: Some(index % 2 == 0), ..TsCell::default() },
            TsCell { double_value: Some(f64::from(index) / 3.0), ..TsCell::default() },
        ];
        TsRow { cells: cells.into(), ..TsRow::default() }
    };
    TsQueryResp {
        columns: vec![
            column("device", TsColumnType::Varchar),
            column("reading", TsColumnType::Sint64),
            column("time", TsColumnType::Timestamp),
            column("valid", TsColumnType::Boolean),
            column("value", TsColumnType::Double),
        ],
        rows: (0..count).map(row).collect(),
        done: Some(true),
        ..TsQueryResp::default()
    }
}
