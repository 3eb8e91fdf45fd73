//! The cost of the codec, as a ratio to `memcpy` of the encoded bytes.
//!
//! `cargo bench -p riak-client --bench codec` prints a table: for each message the
//! best of many rounds, with all cases interleaved in each round, so that a noisy
//! machine slows all of them alike. Decoding includes dropping the value. Words
//! after `--` select messages by parts of their names.

use std::hint::black_box;
use std::time::Instant;

use riak_client::riak::RpbPair;
use riak_client::riak_dt::{DtFetchResp, DtValue, MapEntry, MapField, dt_fetch_resp, map_field};
use riak_client::riak_kv::{RpbContent, RpbGetResp, RpbListKeysResp, RpbPutReq};
use riak_client::riak_ts::{TsCell, TsColumnDescription, TsColumnType, TsQueryResp, TsRow};
use riak_runtime::{Blob, Coded, Decode, Framed, Owned, Quorum, WriteBuffer};

const ROUNDS: usize = 100;

fn content(value: usize) -> RpbContent {
    RpbContent {
        value: vec![b'v'; value].into(),
        content_type: Some("application/json".into()),
        vtag: Some("4yP8mCAjNhqAtkXDrpbzmK".into()),
        last_mod: Some(1_762_000_000),
        last_mod_usecs: Some(123_456),
        usermeta: vec![pair("X-Riak-Meta-Source", "web"), pair("X-Riak-Meta-Trace", "0123456789abcdef")],
        indexes: vec![pair("age_int", "42"), pair("email_bin", "alice@example.com")],
        ..RpbContent::default()
    }
}

fn pair(key: &str, value: &str) -> RpbPair {
    RpbPair { key: key.into(), value: Some(value.into()), ..RpbPair::default() }
}

fn vclock() -> Blob {
    vec![0x6b; 40].into()
}

fn put(value: usize) -> RpbPutReq {
    RpbPutReq {
        bucket: "users".into(),
        key: Some("alice".into()),
        vclock: Some(vclock()),
        content: content(value),
        w: Some(Quorum::QUORUM),
        dw: Some(Quorum::ONE),
        return_body: Some(false),
        timeout: Some(60_000),
        r#type: Some("people".into()),
        ..RpbPutReq::default()
    }
}

/// A map with three levels of nesting and 50 entries in all.
fn map() -> DtFetchResp {
    fn field(name: String, ty: map_field::MapFieldType) -> MapField {
        MapField { name: name.into(), r#type: ty, ..MapField::default() }
    }
    fn leaf(number: i32) -> MapEntry {
        use map_field::MapFieldType::{Counter, Flag, Register, Set};
        let mut entry = MapEntry::default();
        match number % 4 {
            0 => {
                entry.field = field(format!("counter_{number}"), Counter);
                entry.counter_value = Some(i64::from(number) * 1000 - 7);
            }
            1 => {
                entry.field = field(format!("set_{number}"), Set);
                entry.set_value = (0..3).map(|index| format!("element-{index}").into()).collect();
            }
            2 => {
                entry.field = field(format!("register_{number}"), Register);
                entry.register_value = Some("a register's value".into());
            }
            _ => {
                entry.field = field(format!("flag_{number}"), Flag);
                entry.flag_value = Some(true);
            }
        }
        entry
    }
    fn nested(name: &str, entries: Vec<MapEntry>) -> MapEntry {
        MapEntry {
            field: field(name.to_owned(), map_field::MapFieldType::Map),
            map_value: entries,
            ..MapEntry::default()
        }
    }
    let inner = nested("inner", (0..16).map(leaf).collect());
    let mut middle: Vec<MapEntry> = (16..32).map(leaf).collect();
    middle.push(inner);
    let mut outer: Vec<MapEntry> = (32..48).map(leaf).collect();
    outer.push(nested("middle", middle));
    DtFetchResp {
        context: Some(vec![0x83; 60].into()),
        r#type: dt_fetch_resp::DataType::Map,
        value: Some(DtValue { map_value: outer, ..DtValue::default() }),
        ..DtFetchResp::default()
    }
}

fn keys() -> RpbListKeysResp {
    let keys = (0..1000).map(|index| format!("key-{index:011}").into()).collect();
    RpbListKeysResp { keys, ..RpbListKeysResp::default() }
}

fn rows() -> TsQueryResp {
    let column = |name: &str, ty| TsColumnDescription {
        name: name.into(),
        r#type: Some(ty),
        ..TsColumnDescription::default()
    };
    let row = |index: i32| {
        let cells = [
            TsCell { varchar_value: Some(format!("device-{index:05}").into()), ..TsCell::default() },
            TsCell { sint64_value: Some(i64::from(index) * 37 - 500), ..TsCell::default() },
            TsCell { timestamp_value: Some(1_762_000_000_000 + i64::from(index)), ..TsCell::default() },
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
        rows: (0..1000).map(row).collect(),
        done: Some(true),
        ..TsQueryResp::default()
    }
}

/// A measured function and its best time per call so far.
struct Case<'f> {
    name: &'static str,
    run: Box<dyn FnMut() + 'f>,
    calls: u32,
    best: f64,
}

impl<'f> Case<'f> {
    fn new(name: &'static str, mut run: impl FnMut() + 'f) -> Self {
        // Chosen so that a round takes about 50 microseconds.
        let start = Instant::now();
        let mut calls = 0;
        while start.elapsed().as_micros() < 500 {
            run();
            calls += 1;
        }
        Self { name, run: Box::new(run), calls: (calls / 10).max(1), best: f64::MAX }
    }

    fn round(&mut self) {
        let start = Instant::now();
        for _ in 0..self.calls {
            (self.run)();
        }
        self.best = self.best.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(self.calls));
    }
}

fn measure<M: Owned + Coded>(title: &str, message: &M) {
    // Flags are skipped, since cargo adds its own.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    if !wanted.is_empty() && !wanted.iter().any(|part| title.contains(part.as_str())) {
        return;
    }
    let body = message.encode_to_vec();
    let shared = Blob::from(body.clone());
    let mut target = vec![0u8; body.len()];
    let mut frame = WriteBuffer::new();
    let mut cases = [
        Case::new("memcpy", || black_box(&mut target).copy_from_slice(black_box(&body))),
        Case::new("encode, new buffer", || drop(black_box(black_box(message).encode_to_vec()))),
        Case::new("encode, frame into a reused buffer", || {
            frame.push(M::CODE, black_box(message)).expect("no frame is too long");
            black_box(&frame);
            frame.consume(frame.len());
        }),
        Case::new("decode, owned", || drop(black_box(M::decode_blob(black_box(&shared))))),
        Case::new("decode, borrowed", || drop(black_box(M::Ref::decode(black_box(&body))))),
        Case::new("decode, framed", || drop(black_box(Framed::<M>::decode(black_box(&shared).clone())))),
    ];
    for _ in 0..ROUNDS {
        cases.iter_mut().for_each(Case::round);
    }
    println!("{title} ({} bytes)", body.len());
    let floor = cases[0].best;
    for case in &cases {
        println!("  {:<36} {:>10.0} ns {:>8.2} x", case.name, case.best, case.best / floor);
    }
}

fn main() {
    let get = RpbGetResp { content: vec![content(1024)], vclock: Some(vclock()), ..RpbGetResp::default() };
    measure("get_resp_1k", &get);
    measure("put_req_100", &put(100));
    measure("put_req_64k", &put(65_536));
    measure("dt_fetch_map50", &map());
    measure("list_keys_1000", &keys());
    measure("ts_query_1000x5", &rows());
}
