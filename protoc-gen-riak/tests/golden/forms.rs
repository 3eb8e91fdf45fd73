//! Tests that both forms of a message decode, encode and print the same.

use std::fmt::Debug;

use riak_runtime::{Blob, Decode, Framed, Message, Owned, View};

use super::bytes::{Bytes, message};
use super::generated::acme::modern::{Lists, Mood, Plain};
use super::generated::acme::stock::Item;
use super::generated::acme::stock::part::Part;
use super::generated::acme::{
    Choice, Maps, Nothing, Order, Outer, Repeated, Required, RequiredRef, Scalars, Tree, choice, outer,
    required,
};

/// Decodes a message in every way, checks that all results agree, and returns it.
#[track_caller]
pub(crate) fn decoded<M>(bytes: &[u8]) -> M
where
    M: Owned + PartialEq + Debug + Clone,
    for<'a> M::Ref<'a>: View<Owned = M> + Debug + PartialEq,
{
    let owned = M::decode(bytes).unwrap();
    let view = <M::Ref<'_> as Decode>::decode(bytes).unwrap();
    assert_eq!(view.owned(), owned);
    assert_eq!(M::decode_blob(&Blob::copy_from_slice(bytes)).unwrap(), owned);
    assert_eq!(Framed::<M>::decode(Blob::copy_from_slice(bytes)).unwrap().owned(), owned);
    // Both print the same, apart from the names of the forms.
    assert_eq!(format!("{view:?}").replace("Ref {", " {").replace("  ", " "), format!("{owned:?}"));
    // Both encode to the same bytes, which decode to the same message.
    let written = owned.encode_to_vec();
    assert_eq!(view.encode_to_vec(), written);
    assert_eq!(M::decode(&written).unwrap(), owned);
    owned
}

/// Decodes bytes that must also be the encoding of the message.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "callers pass a temporary")]
pub(crate) fn exact<M>(bytes: Bytes) -> M
where
    M: Owned + PartialEq + Debug + Clone,
    for<'a> M::Ref<'a>: View<Owned = M> + Debug + PartialEq,
{
    let owned: M = decoded(&bytes.0);
    assert_eq!(owned.encode_to_vec(), bytes.0, "{owned:?}");
    owned
}

pub(crate) fn item(name: &str) -> Bytes {
    message().bytes(1, name)
}

#[test]
fn scalars() {
    let found: Scalars = exact(
        message()
            .negative(1, -1)
            .negative(2, i64::MIN)
            .varint(3, u64::from(u32::MAX))
            .varint(4, u64::MAX)
            .varint(5, 3)
            .varint(6, u64::MAX)
            .fixed32(7, [1, 2, 3, 4])
            .fixed64(8, [8, 7, 6, 5, 4, 3, 2, 1])
            .fixed32(9, [0xff; 4])
            .fixed64(10, [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
            .fixed32(11, 1.5f32.to_le_bytes())
            .fixed64(12, (-0.0f64).to_le_bytes())
            .varint(13, 1)
            .bytes(14, "text")
            .bytes(15, [0, 255])
            .varint(16, 7)
            .nested(17, item("x")),
    );
    assert_eq!((found.int32, found.int64), (Some(-1), Some(i64::MIN)));
    assert_eq!((found.sint32, found.sint64), (Some(-2), Some(i64::MIN)));
    assert_eq!((found.fixed32, found.fixed64), (Some(0x0403_0201), Some(0x0102_0304_0506_0708)));
    assert_eq!((found.sfixed32, found.sfixed64), (Some(-1), Some(-2)));
    assert_eq!(found.double.map(f64::to_bits), Some((-0.0f64).to_bits()));
    assert_eq!((found.string.as_deref(), found.bytes.as_deref()), (Some("text"), Some(&[0u8, 255][..])));
    assert_eq!(found.item.unwrap().name, "x");
}

#[test]
fn required_fields_are_plain() {
    let found: Required = exact(
        message()
            .varint(1, 1)
            .varint(2, 1)
            .fixed32(3, [3, 0, 0, 0])
            .fixed64(4, 4.0f64.to_le_bytes())
            .varint(5, 1)
            .bytes(6, "6")
            .bytes(7, "7")
            .varint(8, 2)
            .nested(9, item("9"))
            .group(10, message().varint(1, 10))
            .varint(11, 11),
    );
    let made = Required::new(
        1,
        -1,
        3,
        4.0,
        true,
        "6",
        "7",
        super::generated::acme::Colour::Blue,
        Item::new("9"),
        required::Part::new(10),
        Mood(11),
    );
    assert_eq!(made, found);
    let view = RequiredRef { int32: 5, string: "borrowed", ..RequiredRef::default() };
    assert_eq!((view.owned().int32, view.owned().string.as_str()), (5, "borrowed"));
}

#[test]
fn repeated_fields() {
    let piece = |number| message().group(2, message().varint(1, number));
    let found: Repeated = exact(
        message()
            .varint(1, 1)
            .negative(1, -1)
            .packed(2, &[1, 300])
            .varint(3, 1)
            .packed(4, &[2, 3])
            .fixed32(5, [1, 0, 0, 0])
            .bytes(6, [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0])
            .bytes(7, 1.0f32.to_le_bytes())
            .fixed64(8, 1.0f64.to_le_bytes())
            .varint(9, 0)
            .packed(10, &[1, 0])
            .bytes(11, "a")
            .bytes(11, "")
            .bytes(12, "b")
            .varint(13, 7)
            .packed(14, &[2, 7])
            .nested(15, item("one"))
            .nested(15, item("two"))
            .group(16, message().bytes(1, "g"))
            .group(16, piece(1))
            .packed(17, &[5]),
    );
    assert_eq!(
        (found.packed_int32.as_slice(), found.packed_sint64.as_slice()),
        (&[1, 300][..], &[1, -2][..])
    );
    assert_eq!(found.part[1].piece[0].number, Some(1));
    assert_eq!(found.mood, [Mood(5)]);
}

#[test]
fn repeated_fields_are_read_packed_or_not_whatever_the_schema_says() {
    let packed =
        message().packed(1, &[1, 2]).varint(1, 3).bytes(5, [1, 0, 0, 0, 2, 0, 0, 0]).packed(13, &[7, 2]);
    let found: Repeated = decoded(&packed.0);
    assert_eq!((found.int32.as_slice(), found.fixed32.as_slice()), (&[1, 2, 3][..], &[1, 2][..]));
    assert_eq!(found.colour.len(), 2);
    let single = message()
        .varint(2, 1)
        .packed(2, &[2, 3])
        .varint(2, 4)
        .fixed64(6, [7, 0, 0, 0, 0, 0, 0, 0])
        .varint(14, 2);
    let found: Repeated = decoded(&single.0);
    assert_eq!(
        (found.packed_int32.as_slice(), found.packed_fixed64.as_slice()),
        (&[1, 2, 3, 4][..], &[7][..])
    );
    // An empty packed run has no values.
    let found: Repeated = decoded(&message().bytes(1, "").bytes(2, "").bytes(14, "").0);
    assert_eq!(found, Repeated::default());
    let found: Lists = exact(message().packed(1, &[1, 2]).varint(2, 3).packed(3, &[1, 9]).varint(4, 1));
    assert_eq!(found.mood, [Mood::GOOD, Mood(9)]);
}

#[test]
fn maps() {
    let entry = |key: &str, value: &str| message().bytes(1, key).bytes(2, value);
    let found: Maps = exact(
        message()
            .nested(1, entry("a", "1"))
            .nested(1, entry("b", ""))
            .nested(2, message().negative(1, -1).bytes(2, "x"))
            .nested(3, message().varint(1, 1).fixed64(2, 0.5f64.to_le_bytes()))
            .nested(4, message().varint(1, 0).varint(2, 1))
            .nested(5, message().fixed32(1, [1, 0, 0, 0]).nested(2, item("i")))
            .nested(6, entry("m", "").0.as_slice().to_vec().into_mood())
            .nested(7, message().varint(1, u64::MAX).varint(2, 1))
            .nested(8, message().bytes(1, "t").nested(2, message().nested(1, entry("deep", "er")))),
    );
    assert_eq!((found.texts["a"].as_str(), found.texts["b"].as_str()), ("1", ""));
    assert_eq!(&found.blobs[&-1][..], b"x");
    assert_eq!(found.trees["t"].texts["deep"], "er");
    assert_eq!(found.moods["m"], Mood::BAD);
}

trait IntoMood {
    fn into_mood(self) -> Bytes;
}

impl IntoMood for Vec<u8> {
    /// Encodes an entry whose value is a negative enum.
    fn into_mood(self) -> Bytes {
        message().bytes(1, "m").negative(2, -1)
    }
}

#[test]
fn entries_of_maps_in_every_state() {
    // The last entry of a key applies; missing parts are zero; unknown fields are dropped.
    let entry = |key: &str, value: &str| message().bytes(1, key).bytes(2, value);
    let bytes = message()
        .nested(1, entry("a", "1"))
        .nested(1, entry("a", "2"))
        .nested(1, message())
        .nested(1, message().bytes(2, "value").varint(9, 9).bytes(1, "turned").bytes(1, "again"))
        .nested(5, message().fixed32(1, [2, 0, 0, 0]).nested(2, item("i")).nested(2, message().varint(2, 5)));
    let found: Maps = decoded(&bytes.0);
    let texts: Vec<_> = found.texts.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(texts, [("", ""), ("a", "2"), ("again", "value")]);
    assert_eq!(found.items[&2].count, Some(5));
}

#[test]
fn the_last_member_of_a_oneof_wins_and_messages_merge() {
    let found: Choice = decoded(&message().varint(1, 5).bytes(2, "text").bytes(10, "b").varint(11, 1).0);
    assert_eq!(found.choice, Some(choice::Choice::Text("text".to_owned())));
    assert_eq!((found.between.as_deref(), &found.second), (Some("b"), &Some(choice::Second::Yes(true))));

    // A repeated message member is merged, unless another member came in between.
    let [one, two] = [item("one"), message().varint(2, 7)];
    let found: Choice = decoded(&message().nested(5, one.clone()).nested(5, two.clone()).0);
    let Some(choice::Choice::Item(merged)) = found.choice else { panic!("{found:?}") };
    assert_eq!((merged.name.as_str(), merged.count), ("one", Some(7)));
    let named = item("two").varint(2, 7);
    let found: Choice = decoded(&message().nested(5, one.varint(2, 1)).varint(1, 1).nested(5, named).0);
    let Some(choice::Choice::Item(replaced)) = found.choice else { panic!("{found:?}") };
    assert_eq!((replaced.name.as_str(), replaced.part.len()), ("two", 0));

    let group = message().group(6, message().varint(1, 1)).group(6, message().varint(1, 2));
    let found: Choice = decoded(&group.0);
    assert_eq!(found.choice, Some(choice::Choice::Lot(choice::Lot { size: Some(2), ..Default::default() })));
    let found: Choice = exact(message().nested(7, message().nested(7, message().varint(1, 1))));
    assert!(matches!(found.choice, Some(choice::Choice::Again(_))));
    let found: Lists = exact(message().nested(12, message().varint(1, 1)));
    assert!(matches!(found.pick, Some(super::generated::acme::modern::lists::Pick::OnePlain(_))));
    // A member with a zero value is present.
    exact::<Lists>(message().varint(9, 0));
    exact::<Choice>(message().varint(4, 7).varint(12, 0));
}

#[test]
fn messages_in_pieces_are_merged() {
    let [one, two] = [message().bytes(1, "a"), message().bytes(1, "b").nested(3, message().bytes(1, "p"))];
    let found: Scalars = decoded(&message().nested(17, one).nested(17, two).varint(1, 1).varint(1, 2).0);
    let item = found.item.unwrap();
    assert_eq!((item.name.as_str(), item.part.len(), found.int32), ("b", 1, Some(2)));
    let part = Part { label: Some("p".into()), ..Part::default() };
    assert_eq!(item.part, [part]);
}

#[test]
fn recursive_messages() {
    let mut bytes = message().bytes(8, "leaf");
    for number in [1, 2, 3] {
        bytes = message().nested(number, bytes);
    }
    let found: Tree = exact(bytes);
    assert!(found.children[0].right.as_ref().unwrap().left.is_some());
    exact::<Tree>(message().nested(4, message().varint(1, 1).nested(2, message().nested(1, message()))));
    exact::<Tree>(message().nested(5, message().nested(1, message())));
    exact::<Tree>(message().group(6, message().nested(1, message()).group(2, message())));
    exact::<Tree>(message().nested(7, message().nested(7, message())));
    let found: Outer =
        exact(message().nested(1, message().varint(1, 1).nested(2, message().nested(2, message()))));
    assert_eq!(found.inner.unwrap().kind, Some(outer::inner::Kind::Some));
}

#[test]
fn fields_are_written_by_number_and_read_in_any_order() {
    let shuffled = message().varint(536_870_911, 1).varint(16, 2).varint(2048, 4).varint(2, 9).varint(1, 3);
    let found: Order = decoded(&shuffled.0);
    let ordered = message().varint(1, 3).varint(2, 9).varint(16, 2).varint(2048, 4).varint(536_870_911, 1);
    assert_eq!(found.encode_to_vec(), ordered.0);
}

#[test]
fn unknown_fields_are_encoded_again() {
    let unknown = message()
        .varint(1000, 1)
        .bytes(1001, "x")
        .fixed32(1002, [1; 4])
        .fixed64(1003, [2; 8])
        .group(1004, message().group(1, message().varint(2, 3)));
    let found: Nothing = exact(unknown.clone());
    assert_eq!(found.unknown_fields.as_bytes(), unknown.0);
    // Known fields come first in the encoding, whatever their order was.
    let found: Plain = decoded(&[unknown.0.as_slice(), &message().varint(1, 1).0].concat());
    assert_eq!(found.encode_to_vec(), [message().varint(1, 1).0, unknown.0].concat());
    // A known number with another wire type is an unknown field.
    let found: Plain = exact(message().bytes(1, "no number"));
    assert_eq!((found.int32, found.unknown_fields.is_empty()), (0, false));
}
