//! Tests enums: closed enums keep unknown numbers as unknown fields, open enums keep them as values.

use riak_runtime::wire::Enumeration;

use super::bytes::message;
use super::forms::{decoded, exact};
use super::generated::acme::modern::{Lists, Mood, Plain, lists};
use super::generated::acme::stock::item::Kind;
use super::generated::acme::{Choice, Colour, Maps, Repeated, Scalars, UsesOld};

#[test]
fn a_closed_enum_starts_with_its_first_value() {
    assert_eq!(Colour::default(), Colour::Red);
    assert_eq!((Colour::Red as i32, Colour::Red.name()), (7, "RED"));
    assert_eq!(Colour::from_number(-1), Some(Colour::Green));
    assert_eq!(Colour::from_number(5), None);
    // An alias is the same value.
    assert_eq!((Colour::Azure, Colour::Azure.name()), (Colour::Blue, "BLUE"));
}

#[test]
fn an_open_enum_keeps_any_number() {
    assert_eq!(Mood::default(), Mood::UNKNOWN);
    assert_eq!((Mood::FINE, Mood::BAD.0, Mood::WORST.0), (Mood::GOOD, -1, i32::MIN));
    assert_eq!((Mood::BAD.name(), Mood(5).name()), (Some("MOOD_BAD"), None));
    assert_eq!(format!("{:?} {:?}", Mood::FINE, Mood(5)), "MOOD_GOOD 5");
    let found: Plain = exact(message().negative(16, i64::from(i32::MIN)));
    assert_eq!(found.mood, Mood::WORST);
    assert_eq!(exact::<Plain>(message().varint(16, 77)).mood, Mood(77));
    let found: Lists = exact(message().varint(11, 99));
    assert_eq!(found.pick, Some(lists::Pick::OneMood(Mood(99))));
}

#[test]
fn unknown_numbers_of_a_closed_enum_are_unknown_fields() {
    let bytes = message().varint(16, 5);
    let found: Scalars = exact(bytes.clone());
    assert_eq!((found.colour, found.unknown_fields.as_bytes()), (None, bytes.0.as_slice()));
    // A known value that comes first is kept.
    let found: Scalars = decoded(&message().varint(16, 2).varint(16, 5).0);
    assert_eq!((found.colour, found.unknown_fields.as_bytes()), (Some(Colour::Blue), bytes.0.as_slice()));
    // Alone, in a packed run, and in a packed run of a field that is not packed.
    let packed = message().packed(14, &[2, 5, 7]).packed(13, &[5, 2]).varint(13, 6);
    let found: Repeated = decoded(&packed.0);
    assert_eq!(found.packed_colour, [Colour::Blue, Colour::Red]);
    assert_eq!(found.colour, [Colour::Blue]);
    let unknown = message().varint(14, 5).varint(13, 5).varint(13, 6);
    assert_eq!(found.unknown_fields.as_bytes(), unknown.0);
    // Negative numbers take ten bytes.
    let found: Scalars = exact(message().negative(16, -7));
    assert_eq!(found.unknown_fields.len(), 12);
    let found: UsesOld = exact(message().varint(2, 2));
    assert_eq!(found.gone, None);
}

#[test]
fn unknown_enum_numbers_in_oneofs_and_maps_are_unknown_fields() {
    let found: Choice = decoded(&message().varint(1, 1).varint(4, 5).0);
    assert!(matches!(found.choice, Some(super::generated::acme::choice::Choice::Number(1))));
    assert_eq!(found.unknown_fields.as_bytes(), message().varint(4, 5).0);
    // The whole entry becomes an unknown field.
    let strange = message().nested(4, message().varint(1, 1).varint(2, 9));
    let found: Maps = decoded(&[message().nested(4, message().varint(2, 1)).0, strange.0.clone()].concat());
    assert_eq!(found.kinds.into_iter().collect::<Vec<_>>(), [(false, Kind::B)]);
    assert_eq!(found.unknown_fields.as_bytes(), strange.0);
}
