//! Reads option values that the descriptor types do not know.
//!
//! Custom options and edition features are unknown fields of the options
//! messages. Invariant: values are in the order in which they were written, and
//! the pieces of a message are merged.

use protobuf::rt::WireType;
use protobuf::{CodedInputStream, UnknownFields, UnknownValue, UnknownValueRef};

/// A field of a message that is read by number.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) number: u32,
    pub(crate) value: UnknownValue,
}

impl Entry {
    /// Returns the value of an integer, bool or enum field.
    pub(crate) fn integer(&self) -> Option<u64> {
        match self.value {
            UnknownValue::Varint(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the value of a string field.
    pub(crate) fn text(&self) -> Option<String> {
        self.bytes().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// Returns the value of a message, string or bytes field.
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        match &self.value {
            UnknownValue::LengthDelimited(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// Returns all values of a repeated message option, each in encoded form.
pub(crate) fn messages(unknown: &UnknownFields, number: u32) -> Vec<&[u8]> {
    unknown
        .iter()
        .filter_map(|(found, value)| match value {
            UnknownValueRef::LengthDelimited(bytes) if found == number => Some(bytes),
            _ => None,
        })
        .collect()
}

/// Decodes the value of a singular message option into its fields; `None` if it is
/// not set. An option that is written as `option (o).a = 1; option (o).b = 2;` comes
/// in pieces, which are merged: concatenating encoded messages merges them.
pub(crate) fn message(unknown: &UnknownFields, number: u32) -> Option<Vec<Entry>> {
    let pieces = messages(unknown, number);
    if pieces.is_empty() { None } else { Some(entries(&pieces.concat())) }
}

/// Returns the value of a singular integer, bool or enum option; the last one applies.
pub(crate) fn integer(unknown: &UnknownFields, number: u32) -> Option<u64> {
    unknown
        .iter()
        .filter_map(|(found, value)| match value {
            UnknownValueRef::Varint(value) if found == number => Some(value),
            _ => None,
        })
        .last()
}

/// Returns the fields of an encoded message, up to the first byte that is malformed.
pub(crate) fn entries(bytes: &[u8]) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut input = CodedInputStream::from_bytes(bytes);
    while let Ok(Some(tag)) = input.read_raw_tag_or_eof() {
        let Some(wire_type) = WireType::new(tag & 7) else {
            break;
        };
        let Ok(value) = input.read_unknown(wire_type) else {
            break;
        };
        let number = tag >> 3;
        entries.push(Entry { number, value });
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_a_message_merge() {
        let mut unknown = UnknownFields::new();
        unknown.add_length_delimited(7, vec![0x08, 9, 0x12, 1, b'a']);
        unknown.add_length_delimited(8, vec![0x08, 1]);
        unknown.add_length_delimited(7, vec![0x10, 10]);
        let fields = message(&unknown, 7).unwrap();
        let read: Vec<_> = fields.iter().map(|entry| (entry.number, entry.integer(), entry.text())).collect();
        assert_eq!(read, [(1, Some(9), None), (2, None, Some("a".to_owned())), (2, Some(10), None),]);
        assert!(message(&unknown, 9).is_none());
        assert_eq!(messages(&unknown, 7).len(), 2);
    }

    #[test]
    fn the_last_integer_wins() {
        let mut unknown = UnknownFields::new();
        unknown.add_varint(3, 1);
        unknown.add_varint(3, 2);
        assert_eq!(integer(&unknown, 3), Some(2));
        assert_eq!(integer(&unknown, 4), None);
    }

    #[test]
    fn malformed_message_gives_the_fields_before_the_error() {
        assert_eq!(entries(&[0x08, 1, 0x12, 9]).len(), 1);
    }
}
