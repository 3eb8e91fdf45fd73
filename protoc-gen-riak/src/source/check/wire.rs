//! Encodes the values of options as descriptors have them.
//!
//! `protobuf-parse` loses all but one value of a repeated field in a message value, and all values
//! of extension fields. Options are therefore encoded here, and descriptors get custom options as
//! unknown fields, as a program without their schema would see them.

use crate::source::ast::{Scalar, Value, ValueKind};

/// An encoded field: its number and its value.
pub(crate) type Record = (u32, Encoded);

const START_GROUP: u64 = 3;
const END_GROUP: u64 = 4;

/// A value as it is encoded on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Encoded {
    Varint(u64),
    Fixed64(u64),
    Bytes(Vec<u8>),
    Message(Vec<Record>),
    Group(Vec<Record>),
    /// One value of a packed repeated field.
    Packed(Box<Encoded>),
    Fixed32(u32),
}

/// Merges the records of an option into those of the options before it. `depth` is the number of
/// nested messages that the option's name goes through, which all options share.
pub(crate) fn merge(into: &mut Vec<Record>, from: Vec<Record>, depth: usize) {
    for (number, value) in from {
        let known = into.iter_mut().find(|(known, _)| *known == number);
        match (known, value) {
            (Some((_, Encoded::Message(inner))), Encoded::Message(more))
            | (Some((_, Encoded::Group(inner))), Encoded::Group(more))
                if depth > 0 =>
            {
                merge(inner, more, depth - 1);
            }
            (_, value) => into.push((number, value)),
        }
    }
}

/// Encodes the fields of a message, in the order of their numbers.
pub(crate) fn body(mut records: Vec<Record>) -> Vec<u8> {
    records.sort_by_key(|(number, _)| *number);
    let mut out = Vec::new();
    let mut records = records.into_iter().peekable();
    while let Some((number, value)) = records.next() {
        let wire_type = match value {
            Encoded::Varint(_) => 0,
            Encoded::Fixed64(_) => 1,
            Encoded::Bytes(_) | Encoded::Message(_) | Encoded::Packed(_) => 2,
            Encoded::Group(_) => START_GROUP,
            Encoded::Fixed32(_) => 5,
        };
        let tag = |wire_type| (u64::from(number) << 3) | wire_type;
        varint(tag(wire_type), &mut out);
        if let Encoded::Packed(first) = value {
            let mut values = Vec::new();
            write(*first, &mut values);
            while let Some((_, Encoded::Packed(next))) = records.next_if(|(next, _)| *next == number) {
                write(*next, &mut values);
            }
            write(Encoded::Bytes(values), &mut out);
        } else {
            write(value, &mut out);
        }
        if wire_type == START_GROUP {
            varint(tag(END_GROUP), &mut out);
        }
    }
    out
}

/// Writes a value without its tag.
fn write(value: Encoded, out: &mut Vec<u8>) {
    match value {
        Encoded::Varint(value) => varint(value, out),
        Encoded::Fixed64(value) => out.extend_from_slice(&value.to_le_bytes()),
        Encoded::Fixed32(value) => out.extend_from_slice(&value.to_le_bytes()),
        Encoded::Bytes(bytes) => {
            varint(bytes.len() as u64, out);
            out.extend_from_slice(&bytes);
        }
        Encoded::Message(records) => write(Encoded::Bytes(body(records)), out),
        // The tag that follows ends a group.
        Encoded::Group(records) => out.extend(body(records)),
        Encoded::Packed(value) => write(*value, out),
    }
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        // The high bit says that more bytes follow.
        out.push(low_byte(value) | 0x80);
        value >>= 7;
    }
    out.push(low_byte(value));
}

fn low_byte(value: u64) -> u8 {
    value.to_le_bytes()[0]
}

/// Encodes a value that has been checked to fit its type.
pub(crate) fn scalar(scalar: Scalar, value: &Value) -> Encoded {
    // The value fits 64 bits, signed or unsigned, and has the same bits either way.
    let signed = value.integer().unwrap_or_default();
    let bits =
        i64::try_from(signed).map_or_else(|_| u64::try_from(signed).unwrap_or(u64::MAX), i64::cast_unsigned);
    let [a, b, c, d, ..] = bits.to_le_bytes();
    let low = u32::from_le_bytes([a, b, c, d]);
    match scalar {
        Scalar::Double => Encoded::Fixed64(value.real().to_bits()),
        Scalar::Float => Encoded::Fixed32(value.real_32().to_bits()),
        Scalar::Int32 | Scalar::Int64 | Scalar::Uint32 | Scalar::Uint64 => Encoded::Varint(bits),
        Scalar::Sint32 | Scalar::Sint64 => {
            let signed = bits.cast_signed();
            Encoded::Varint(((signed << 1) ^ (signed >> 63)).cast_unsigned())
        }
        Scalar::Fixed32 | Scalar::Sfixed32 => Encoded::Fixed32(low),
        Scalar::Fixed64 | Scalar::Sfixed64 => Encoded::Fixed64(bits),
        Scalar::Bool => {
            let set = matches!(&value.kind, ValueKind::Ident { text, .. } if text == "true");
            Encoded::Varint(u64::from(set))
        }
        Scalar::String | Scalar::Bytes => match &value.kind {
            ValueKind::Text(bytes) => Encoded::Bytes(bytes.clone()),
            _ => Encoded::Bytes(Vec::new()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_in_the_order_of_their_numbers() {
        let records = vec![
            (2, Encoded::Bytes(b"ab".to_vec())),
            (1, Encoded::Varint(300)),
            (2, Encoded::Fixed32(1)),
            (16, Encoded::Fixed64(2)),
            (3, Encoded::Group(vec![(1, Encoded::Varint(5))])),
        ];
        let expected = [
            0x08, 0xac, 0x02, 0x12, 2, b'a', b'b', 0x15, 1, 0, 0, 0, 0x1b, 0x08, 5, 0x1c, 0x81, 0x01, 2, 0,
            0, 0, 0, 0, 0, 0,
        ];
        assert_eq!(body(records), expected);
    }
}
