//! Tests which fields are encoded, and what the absence of a field means.

use riak_runtime::Message;

use super::bytes::message;
use super::forms::exact;
use super::generated::acme::modern::{Explicit, Mood, Plain};
use super::generated::acme::{Colour, Defaults, Scalars};

#[test]
fn implicit_fields_are_absent_when_zero() {
    assert_eq!(Plain::default().encode_to_vec(), []);
    let zeroes = Plain { double: 0.0, string: String::new(), plain: None, ..Plain::default() };
    assert_eq!(zeroes.encode_to_vec(), []);
    // Negative zero is not zero.
    let found: Plain =
        exact(message().fixed32(11, (-0.0f32).to_le_bytes()).fixed64(12, (-0.0f64).to_le_bytes()));
    assert!(found.float.is_sign_negative() && found.double.is_sign_negative());
    // Message fields have presence in any case.
    assert_eq!(exact::<Plain>(message().nested(17, message())).plain, Some(Box::default()));
}

#[test]
fn explicit_fields_are_present_when_zero() {
    let found: Explicit = exact(
        message().varint(1, 0).fixed64(2, [0; 8]).bytes(3, "").bytes(4, "").varint(5, 0).nested(6, message()),
    );
    assert_eq!((found.int32, found.string.as_deref(), found.mood), (Some(0), Some(""), Some(Mood::UNKNOWN)));
    assert_eq!(exact::<Explicit>(message()), Explicit::default());
    assert_eq!(exact::<Scalars>(message().varint(13, 0)).bool, Some(false));
}

#[test]
fn defaults_apply_to_absent_fields_and_are_not_encoded() {
    let defaults = Defaults::default();
    assert_eq!(defaults.encode_to_vec(), []);
    assert_eq!((defaults.int32(), defaults.int64()), (i32::MIN, i64::MIN));
    assert_eq!((defaults.uint32(), defaults.uint64()), (u32::MAX, u64::MAX));
    assert_eq!((defaults.sint32(), defaults.sint64()), (-1, i64::MAX));
    assert_eq!((defaults.fixed32(), defaults.fixed64()), (8, 1));
    assert_eq!((defaults.sfixed32(), defaults.sfixed64()), (-7, 9_007_199_254_740_993));
    assert_eq!(
        (defaults.float().to_bits(), defaults.double().to_bits()),
        (0.1f32.to_bits(), (-1.5e-300f64).to_bits())
    );
    assert_eq!(
        (defaults.big().to_bits(), defaults.whole().to_bits()),
        (f32::MAX.to_bits(), 100f64.to_bits())
    );
    assert!(
        defaults.infinite() > f64::MAX
            && defaults.minus_infinite() < f32::MIN
            && defaults.not_a_number().is_nan()
    );
    assert_eq!(defaults.minus_zero().to_bits(), (-0.0f64).to_bits());
    assert!(defaults.bool());
    assert_eq!(defaults.string(), "a \"quoted\" 'text' \\ with `ticks`,\n\tlines and ä€");
    assert_eq!(defaults.bytes(), b"\x00\x01\xff\"'\\\n??");
    assert_eq!((defaults.colour(), defaults.mood()), (Colour::Blue, Mood::BAD));
    assert_eq!((defaults.empty(), defaults.new_()), ("", 3));
    // A value that is present counts, even if it is zero or the default.
    let found: Defaults = exact(message().varint(1, 0).varint(18, 0).bytes(19, "").varint(21, 2));
    assert_eq!((found.int32(), found.bool(), found.string(), found.colour()), (0, false, "", Colour::Blue));
}
