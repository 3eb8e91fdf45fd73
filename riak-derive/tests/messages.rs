//! Structs as messages: their encoding and decoding.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, SystemTime};

use riak_runtime::wire::UnknownFields;
use riak_runtime::{Blob, Coded, Decode, Framed, Message, Owned, Quorum, RiakMessage, View};

/// A message with fields of every kind.
#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
#[riak(code = 200, rename = "acme.Everything", reserved(4, 8..=10, "old"))]
struct Everything {
    #[riak(tag = 1)]
    key: Blob,
    #[riak(tag = 2)]
    value: Option<Vec<u8>>,
    #[riak(tag = 3, sint64, default = "-7")]
    delta: Option<i64>,
    #[riak(tag = 5, packed, fixed32)]
    hashes: Vec<u32>,
    #[riak(tag = 6)]
    names: Vec<String>,
    #[riak(tag = 7)]
    nested: Option<Box<Everything>>,
    #[riak(tag = 11)]
    points: Vec<Point>,
    #[riak(tag = 12, key = sint32, enum)]
    colors: BTreeMap<i32, Color>,
    #[riak(tag = 13, with = "millis", uint64)]
    at: Option<SystemTime>,
    #[riak(tag = 14, enum, default = "Green")]
    color: Option<Color>,
    #[riak(oneof, tags(20, 21, 22))]
    choice: Option<Choice>,
    #[riak(tag = 15)]
    r: Option<Quorum>,
    #[riak(tag = 16, implicit)]
    count: u32,
    #[riak(tag = 17, group)]
    group: Option<Point>,
    #[riak(tag = 18)]
    boxed: Option<Box<[u8]>>,
    #[riak(tag = 19)]
    by_name: HashMap<String, Point>,
    #[riak(skip)]
    cache: Option<usize>,
    #[riak(unknown)]
    rest: UnknownFields,
}

/// A tuple struct.
#[derive(Clone, Copy, Debug, Default, PartialEq, RiakMessage)]
struct Point(#[riak(tag = 1)] f64, #[riak(tag = 2)] f64);

/// A message without fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, RiakMessage)]
#[riak(code = 201)]
struct Nothing;

#[derive(Clone, Copy, Debug, Default, PartialEq, RiakMessage)]
#[riak(enum)]
enum Color {
    #[default]
    Red = 1,
    Green,
    Blue = -3,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, RiakMessage)]
#[riak(enum)]
#[repr(i32)]
enum Level {
    #[default]
    Low = 0,
    High = 5,
    #[riak(other)]
    Other(i32),
}

#[derive(Clone, Debug, PartialEq, RiakMessage)]
#[riak(oneof)]
enum Choice {
    #[riak(tag = 21)]
    Number(u32),
    #[riak(tag = 20)]
    Text(String),
    #[riak(tag = 22)]
    Point(Point),
}

mod millis {
    use super::*;

    pub(crate) fn to_wire(time: &SystemTime) -> u64 {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    pub(crate) fn from_wire(millis: u64) -> Option<SystemTime> {
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis))
    }
}

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
#[riak(borrowed = PairRef)]
struct Pair {
    #[riak(tag = 1)]
    key: Blob,
    #[riak(tag = 2)]
    value: Option<String>,
    #[riak(tag = 3)]
    more: Vec<Pair>,
    #[riak(tag = 4)]
    tags: Vec<Blob>,
    #[riak(tag = 5)]
    map: BTreeMap<String, Blob>,
    #[riak(unknown)]
    unknown_fields: UnknownFields,
}

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
#[riak(owned = Pair)]
struct PairRef<'b> {
    #[riak(tag = 1)]
    key: Cow<'b, [u8]>,
    #[riak(tag = 2)]
    value: Option<&'b str>,
    #[riak(tag = 3)]
    more: Vec<PairRef<'b>>,
    #[riak(tag = 4)]
    tags: Vec<&'b [u8]>,
    #[riak(tag = 5)]
    map: BTreeMap<&'b str, &'b [u8]>,
    #[riak(unknown)]
    unknown_fields: riak_runtime::wire::UnknownFieldsRef<'b>,
}

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
#[riak(auto_tags, reserved(2))]
struct Page<T, const N: usize = 3> {
    items: Vec<T>,
    first: Option<Box<T>>,
    nested: Option<Wrapped<T>>,
}

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
struct Wrapped<T>(#[riak(tag = 1)] T);

fn everything() -> Everything {
    Everything {
        key: "k".into(),
        value: Some(vec![1, 2]),
        delta: Some(-1),
        hashes: vec![1, 2],
        names: vec!["a".into(), "b".into()],
        nested: Some(Box::new(Everything { key: "inner".into(), ..Everything::default() })),
        points: vec![Point(1.0, 2.0)],
        colors: BTreeMap::from([(-1, Color::Blue)]),
        at: Some(SystemTime::UNIX_EPOCH + Duration::from_millis(1234)),
        color: Some(Color::Green),
        choice: Some(Choice::Point(Point(3.0, 4.0))),
        r: Some(Quorum::ALL),
        count: 0,
        group: Some(Point(5.0, 6.0)),
        boxed: Some(Box::from(&b"boxed"[..])),
        by_name: HashMap::from([("n".into(), Point(7.0, 8.0))]),
        cache: None,
        rest: UnknownFields::new(),
    }
}

#[test]
fn a_message_round_trips() {
    let message = everything();
    let bytes = message.encode_to_vec();
    assert_eq!(Everything::decode(&bytes).unwrap(), message);
    assert_eq!(Everything::decode_blob(&Blob::from(bytes)).unwrap(), message);
    assert_eq!((Everything::NAME, Everything::CODE, Nothing::CODE), ("acme.Everything", 200, 201));
    assert_eq!((message.delta(), Everything::default().delta()), (-1, -7));
    assert_eq!(Everything::default().color(), Color::Green);
    assert!(Nothing.encode_to_vec().is_empty());
}

#[test]
fn fields_are_written_by_number() {
    let message = Everything {
        choice: Some(Choice::Text("x".into())),
        delta: Some(1),
        count: 3,
        ..Everything::default()
    };
    assert_eq!(message.encode_to_vec(), [0x0a, 0, 0x18, 2, 0x80, 0x01, 3, 0xa2, 0x01, 1, b'x']);
}

#[test]
fn unknown_fields_are_kept() {
    let bytes = [0x0a, 0, 0x70, 9, 0x98, 0x06, 1];
    let message = Everything::decode(&bytes).unwrap();
    assert_eq!(message.color, None);
    assert_eq!(message.rest.as_bytes(), &bytes[2..]);
    assert_eq!(message.encode_to_vec(), bytes);
}

#[test]
fn missing_required_field_is_an_error() {
    let error = Everything::decode(&[]).unwrap_err();
    assert_eq!(error.to_string(), "acme.Everything: the required field acme.Everything.key is missing");
}

#[test]
fn both_forms_have_the_same_encoding() {
    let mut pair = Pair { key: "k".into(), value: Some("v".into()), ..Pair::default() };
    pair.more.push(Pair { key: "inner".into(), tags: vec!["t".into()], ..Pair::default() });
    pair.map.insert("x".into(), "y".into());
    let bytes = pair.encode_to_vec();
    let view = PairRef::decode(&bytes).unwrap();
    assert!(matches!(view.key, Cow::Borrowed(b"k")));
    assert_eq!(view.encode_to_vec(), bytes);
    assert_eq!(view.owned(), pair);
    assert_eq!(PairRef::NAME, "Pair");
    let framed = Framed::<Pair>::decode(Blob::from(bytes)).unwrap();
    assert_eq!(framed.get().more[0].tags, [b"t"]);
    assert_eq!(framed.owned(), pair);
}

#[test]
fn generic_message_nests_any_message() {
    let page = Page::<Point> {
        items: vec![Point(1.0, 2.0)],
        first: Some(Box::new(Point(0.0, 1.0))),
        nested: Some(Wrapped(Point(2.0, 3.0))),
    };
    let bytes = page.encode_to_vec();
    assert_eq!(Page::<Point>::decode(&bytes).unwrap(), page);
    assert_eq!(bytes[0], 0x0a);
    assert_eq!(bytes[20], 0x1a);
    assert_eq!(Framed::<Page<Point>>::decode(Blob::from(bytes)).unwrap().get(), &page);
}

#[test]
fn open_enum_keeps_unnamed_numbers() {
    use riak_runtime::wire::Enumeration;
    assert_eq!(Level::from_number(5), Some(Level::High));
    assert_eq!(Level::from_number(-2), Some(Level::Other(-2)));
    assert_eq!(Level::Other(-2).number(), -2);
    assert_eq!((Color::from_number(2), Color::from_number(7)), (Some(Color::Green), None));
    assert_eq!(Color::Blue.number(), -3);
}
