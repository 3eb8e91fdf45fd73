//! Tests which inputs are rejected, and the error texts.

use std::fmt::Debug;

use riak_runtime::{Decode, DecodeErrorKind, DecodeLimits, Message, Owned, View};

use super::bytes::{Bytes, message};
use super::forms::{exact, item};
use super::generated::acme::wide::{Wide, Word};
use super::generated::acme::{
    Choice, ChoiceRef, Forest, Maps, MapsRef, Open, Required, Scalars, ScalarsRef, Tree,
};

/// Returns the error, which must be the same for both forms.
#[track_caller]
fn error<M: Owned + Debug>(bytes: &Bytes) -> String
where
    for<'a> M::Ref<'a>: Debug,
{
    let error = M::decode(&bytes.0).unwrap_err();
    assert_eq!(<M::Ref<'_> as Decode>::decode(&bytes.0).unwrap_err(), error);
    error.to_string()
}

#[test]
fn a_missing_field_is_named_with_its_message() {
    let error_of = DecodeErrorKind::MissingField { message: "acme.Required", field: "int32" };
    assert_eq!(*Required::decode(&[]).unwrap_err().kind(), error_of);
    let some = message().varint(1, 1).varint(2, 1).fixed32(3, [0; 4]);
    assert!(error::<Required>(&some).contains("double"), "{}", error::<Required>(&some));
    // For a nested message, the error names the inner message.
    let inner = message().nested(17, message().varint(2, 1));
    assert!(error::<Scalars>(&inner).contains("acme.stock.Item"), "{}", error::<Scalars>(&inner));
    error::<Choice>(&message().nested(5, message()));
    error::<Maps>(&message().nested(5, message().nested(2, message())));
    error::<Maps>(&message().nested(5, message()));
    // A map entry without a value lacks the same field.
    error::<Forest>(&message());
}

#[test]
fn a_closed_enum_without_a_known_value_is_missing() {
    let bytes = |colour| {
        let start = message().varint(1, 1).varint(2, 1).fixed32(3, [0; 4]).fixed64(4, [0; 8]).varint(5, 0);
        let start = start.bytes(6, "").bytes(7, "").varint(8, colour).nested(9, item("9"));
        start.group(10, message().varint(1, 1)).varint(11, 0)
    };
    exact::<Required>(bytes(7));
    assert!(error::<Required>(&bytes(6)).contains("colour"));
}

#[test]
fn more_required_fields_than_bits_in_a_word() {
    let all = |left_out: u32| {
        let numbers = (1..=67).filter(|number| ![10, 40, left_out].contains(number));
        let fields = numbers.fold(message(), |bytes, number| bytes.varint(number, u64::from(number)));
        if left_out == 68 { fields } else { fields.bytes(68, "last") }
    };
    let found: Wide = exact(all(0));
    assert_eq!((found.f67, &found.f68[..]), (67, &b"last"[..]));
    for number in (1..=68).filter(|number| ![10, 40].contains(number)) {
        let error = error::<Wide>(&all(number));
        assert!(error.contains("acme.Wide") && error.contains(&format!("f{number} ")), "{number}: {error}");
    }
    let word = |left_out: u32| {
        let numbers = (1..=64).filter(|&number| number != left_out);
        numbers.fold(message(), |bytes, number| bytes.varint(number, 1))
    };
    exact::<Word>(word(0));
    for number in 1..=64 {
        assert!(error::<Word>(&word(number)).contains(&format!("f{number} ")), "{number}");
    }
}

/// Concatenates two encoded messages.
fn both(first: Bytes, second: &Bytes) -> Bytes {
    Bytes([first.0, second.0.clone()].concat())
}

/// Protobuf merges the pieces of a message before it checks for missing fields.
#[test]
fn required_fields_may_come_in_pieces() {
    let name = || message().bytes(1, "name");
    let count = || message().varint(2, 7);
    let in_scalars = |inner: Bytes| message().nested(17, inner);
    let bytes = both(both(in_scalars(count()), &message().varint(1, 1)), &in_scalars(name()));
    let item = Scalars::decode(&bytes.0).unwrap().item.unwrap();
    assert_eq!((&*item.name, item.count), ("name", Some(7)));
    assert_eq!(ScalarsRef::decode(&bytes.0).unwrap().owned(), Scalars::decode(&bytes.0).unwrap());
    // A piece that is itself required, inside a message that comes in pieces.
    let tree = |inner: Bytes| message().nested(1, inner);
    Forest::decode(&both(tree(message()), &tree(message())).0).unwrap();
    // A message that another oneof member has replaced is not merged with later pieces.
    let chosen = |inner: Bytes| message().nested(5, inner);
    let in_pieces = both(chosen(count()), &chosen(name()));
    Choice::decode(&in_pieces.0).unwrap();
    let replaced = both(both(chosen(name()), &message().varint(1, 1)), &chosen(count()));
    assert!(error::<Choice>(&replaced).contains("acme.stock.Item.name"));
    let forgotten = both(chosen(count()), &message().bytes(2, "text"));
    assert!(Choice::decode(&forgotten.0).unwrap().choice.is_some());
    error::<Choice>(&both(forgotten, &chosen(count())));
    let again = |inner: Bytes| message().nested(7, inner);
    Choice::decode(&both(again(chosen(count())), &again(chosen(name()))).0).unwrap();
    // Messages nested in the replaced one are dropped too.
    Choice::decode(&both(again(chosen(count())), &chosen(name())).0).unwrap();
    assert!(error::<Choice>(&both(again(chosen(count())), &again(message()))).contains("name"));
    // Elements of a repeated field are separate messages, each of which must be complete.
    let element = |inner: Bytes| message().nested(13, inner);
    error::<Choice>(&both(element(count()), &element(name())));
    let element = |inner: Bytes| message().nested(5, message().fixed32(1, [0; 4]).nested(2, inner));
    let in_map = both(both(element(name()), &element(name())), &message().nested(8, message().bytes(1, "")));
    Maps::decode(&in_map.0).unwrap();
}

/// What replaces a message also replaces the incomplete elements in it.
#[test]
fn discarded_elements_need_not_be_complete() {
    let count = || message().varint(2, 7);
    let chosen = |inner: Bytes| message().nested(7, inner);
    let text = || message().bytes(2, "text");
    let element = |inner: Bytes| message().nested(13, inner);
    for incomplete in
        [element(message()), element(count()), message().nested(14, message().nested(2, count()))]
    {
        assert!(error::<Choice>(&incomplete).contains("acme.stock.Item.name"));
        assert!(error::<Choice>(&chosen(incomplete.clone())).contains("acme.stock.Item.name"));
        let discarded = both(chosen(incomplete.clone()), &text());
        Choice::decode(&discarded.0).unwrap();
        ChoiceRef::decode(&discarded.0).unwrap();
        // Of a message in two pieces, both are discarded, and nothing after them.
        Choice::decode(&both(chosen(incomplete.clone()), &both(chosen(message()), &text())).0).unwrap();
        error::<Choice>(&both(discarded, &chosen(incomplete)));
    }
}

/// A map entry is a message like any other, so that its value may come in pieces too.
#[test]
fn the_value_of_one_entry_may_come_in_pieces() {
    let name = || message().bytes(1, "name");
    let count = || message().varint(2, 7);
    let entry = |values: &[Bytes]| {
        let values = values.iter().cloned();
        message().nested(5, values.fold(message().fixed32(1, [0; 4]), |entry, value| entry.nested(2, value)))
    };
    for pieces in [[count(), name()], [name(), count()]] {
        let bytes = entry(&pieces);
        let items = Maps::decode(&bytes.0).unwrap().items;
        assert_eq!((&*items[&0].name, items[&0].count), ("name", Some(7)));
        assert_eq!(MapsRef::decode(&bytes.0).unwrap().owned().items, items);
    }
    assert!(error::<Maps>(&entry(&[count(), count()])).contains("acme.stock.Item.name"));
    // Another entry does not supply the missing field, but replaces one with its key.
    let replaced = both(entry(&[count()]), &entry(&[name()]));
    let items = Maps::decode(&replaced.0).unwrap().items;
    assert_eq!((items.len(), &*items[&0].name, items[&0].count), (1, "name", None));
    assert_eq!(MapsRef::decode(&replaced.0).unwrap().owned().items, items);
    error::<Maps>(&both(
        entry(&[count()]),
        &message().nested(5, message().fixed32(1, [1; 4]).nested(2, name())),
    ));
    error::<Maps>(&both(replaced, &entry(&[count()])));
    error::<Maps>(&both(entry(&[count(), name()]), &entry(&[count()])));
    error::<Maps>(&entry(&[]));
    // Nested in another entry, whose own value comes in pieces.
    let outer = |inner: Bytes| message().nested(8, message().nested(2, message()).nested(2, inner));
    Maps::decode(&outer(entry(&[count(), name()])).0).unwrap();
    error::<Maps>(&outer(entry(&[count(), count()])));
}

#[test]
fn more_than_a_word_of_required_fields_may_come_in_pieces() {
    let all = (1..=67).filter(|number| ![10, 40].contains(number));
    let halves = [0, 1].map(|half| {
        let numbers = all.clone().filter(|number| number % 2 == half);
        numbers.fold(message(), |bytes, number| bytes.varint(number, 1))
    });
    let [even, odd] = halves;
    let whole = odd.bytes(68, "last");
    // The message itself is merged like any other.
    Wide::decode(&both(even.clone(), &whole).0).unwrap();
    assert!(error::<Wide>(&even).contains("f1 "));
}

#[test]
fn extension_need_not_be_utf8_unless_the_syntax_requires_it() {
    exact::<Open>(message().bytes(100, [0xff]));
}

#[test]
fn nesting_has_a_limit_in_every_kind_of_field() {
    let limit = usize::try_from(DecodeLimits::DEFAULT.depth).unwrap();
    let nestings: [fn(Bytes) -> Bytes; 5] = [
        |inner| message().nested(1, inner),
        |inner| message().nested(3, inner),
        |inner| message().nested(4, message().nested(2, inner)),
        |inner| message().nested(7, inner),
        |inner| message().group(6, message().nested(1, inner)),
    ];
    for (kind, nest) in nestings.iter().enumerate() {
        let deep = |times: usize| (0..times).fold(message(), |inner, _| nest(inner));
        // A map's entry and a group are nesting levels too.
        let levels = if kind < 2 || kind == 3 { 1 } else { 2 };
        Tree::decode(&deep(limit / levels).0).unwrap();
        let error = Tree::decode(&deep(limit + 1).0).unwrap_err();
        assert_eq!(*error.kind(), DecodeErrorKind::TooDeep, "{kind}");
        self::error::<Tree>(&deep(limit + 1));
    }
}

#[test]
fn deeply_nested_messages_are_encoded() {
    // A message that is built by hand may be deeper than the decoder allows.
    let mut tree = Tree::default();
    for _ in 0..1_000 {
        tree = Tree { left: Some(Box::new(tree)), ..Tree::default() };
    }
    let bytes = tree.encode_to_vec();
    let deep = DecodeLimits::new().depth(1_000);
    assert_eq!(Tree::decode_within(&bytes, &deep).unwrap(), tree);
}

#[test]
fn malformed_input_is_rejected() {
    assert!(error::<Scalars>(&Bytes(vec![0x72, 5, b'x'])).contains("ends within"));
    assert!(error::<Scalars>(&message().bytes(14, [0xff])).contains("UTF-8"));
    error::<Scalars>(&Bytes(vec![0x0a]));
    error::<Scalars>(&Bytes(vec![0x07]));
    error::<Scalars>(&Bytes(vec![0x00]));
    // A group without an end tag, or with that of another group.
    error::<Choice>(&Bytes(vec![0x33, 0x08, 1]));
    error::<Choice>(&Bytes(vec![0x33, 0x08, 1, 0x3c]));
    error::<Choice>(&Bytes(vec![0x34]));
}
