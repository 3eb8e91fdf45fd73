//! Random messages, generated from their descriptors.
//!
//! Invariant: no message or field is known by name, so a field that is added to the schema
//! is generated too.

use prost_reflect::{Cardinality, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value};

use crate::choices::Choices;

/// The fields of a message, ordered by number.
pub(crate) type Fields = Vec<Field>;

/// A field with one value, or one value of a repeated field.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) number: u32,
    pub(crate) value: Wire,
    pub(crate) nature: Nature,
}

/// How a decoder may encounter a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nature {
    /// Singular: of several values, the last one counts, or messages are merged.
    Single,
    /// Repeated.
    Repeated,
    /// Repeated, and several values may be packed.
    Packable,
    /// Unknown: the schema lacks the field number, or the enum lacks the value.
    Unknown,
}

/// A value in the terms of the wire format.
#[derive(Clone, Debug)]
pub(crate) enum Wire {
    Varint(u64),
    /// A varint of which decoders use the lower 32 bits.
    Low(u64),
    Fixed32([u8; 4]),
    Fixed64([u8; 8]),
    Bytes(Vec<u8>),
    Message(Fields),
    Group(Fields),
}

/// The maximum nesting depth.
const MAX_DEPTH: usize = 5;
/// The approximate maximum number of bytes in all values of a message.
const MAX_BYTES: usize = 100_000;

/// Lengths around thresholds: inline or allocated, shared or copied, one or two bytes of
/// length prefix, by reference or copied.
const LENGTHS: &[usize] =
    &[0, 1, 2, 7, 8, 15, 16, 22, 23, 24, 25, 31, 32, 33, 127, 128, 511, 512, 513, 2048, 16383, 16384, 20000];

/// The numbers of values of a repeated field, most of them small.
const COUNTS: &[usize] = &[0, 1, 1, 1, 2, 2, 3, 3, 4, 5, 9, 33, 200];

/// Field numbers at which tags become longer, and the largest valid number.
const UNKNOWN: &[u32] = &[15, 16, 99, 2047, 2048, 18_999, 20_000, 536_870_911];

/// Texts, most of them names as in schemas that describe schemas.
const WORDS: &[&str] = &[
    "A",
    "B",
    "a",
    "b",
    ".A",
    ".A.B",
    ".a.A",
    "a.b",
    "value",
    "self",
    "type",
    "Self",
    "_",
    "x_y",
    "XY",
    "x1",
    "a.proto",
    "b.proto",
    "",
    ".",
    "0",
    "-1",
    "1e9",
    "x y",
    "é",
    "\"\\",
    "\u{0}",
    "r#type",
    "google.protobuf",
];

/// Generates messages from a sequence of random choices.
pub(crate) struct Sampler<'t, 'b> {
    choices: &'t mut Choices<'b>,
    remaining: usize,
}

impl<'t, 'b> Sampler<'t, 'b> {
    pub(crate) fn new(choices: &'t mut Choices<'b>) -> Self {
        Self { choices, remaining: MAX_BYTES }
    }

    /// Generates a message of this type.
    pub(crate) fn message(&mut self, of: &MessageDescriptor) -> Fields {
        self.fields(of, MAX_DEPTH)
    }

    fn fields(&mut self, of: &MessageDescriptor, depth: usize) -> Fields {
        let mut fields = Vec::new();
        let density = *self.choices.one_of(&[40, 128, 220]);
        let mut known: Vec<FieldDescriptor> = of.fields().collect();
        known.sort_by_key(FieldDescriptor::number);
        for field in &known {
            self.field(field, density, depth, &mut fields);
        }
        if self.choices.chance(40) {
            for _ in 0..=self.choices.below(4) {
                self.unknown(of, depth, &mut fields);
            }
        }
        fields
    }

    fn field(&mut self, field: &FieldDescriptor, density: u8, depth: usize, to: &mut Fields) {
        let nested = matches!(field.kind(), Kind::Message(_));
        let count = match field.cardinality() {
            // A required field is left out now and then, which has to be detected.
            Cardinality::Required => usize::from(!self.choices.chance(1)),
            Cardinality::Optional => usize::from(self.choices.chance(density)),
            Cardinality::Repeated if nested => self.choices.below(4).min(self.remaining),
            Cardinality::Repeated => (*self.choices.one_of(COUNTS)).min(self.remaining),
        };
        if nested && depth == 0 && field.cardinality() != Cardinality::Required {
            return;
        }
        let nature = match field.cardinality() {
            Cardinality::Repeated => match field.kind() {
                Kind::Bytes | Kind::String | Kind::Message(_) => Nature::Repeated,
                _ => Nature::Packable,
            },
            _ => Nature::Single,
        };
        for _ in 0..count {
            let (value, nature) = match self.unknown_enum(field) {
                Some(value) => (value, Nature::Unknown),
                None => (self.value(field, depth), nature),
            };
            to.push(Field { number: field.number(), value, nature });
        }
    }

    fn value(&mut self, field: &FieldDescriptor, depth: usize) -> Wire {
        let declared = field.default_value();
        if self.choices.chance(20)
            && let Some(value) = scalar(&declared, &field.kind())
        {
            return value;
        }
        match field.kind() {
            Kind::Bool => Wire::Varint(self.choices.below(2) as u64),
            Kind::Int32 => Wire::Low(i64::from(i32::from_le_bytes(low(self.number()))).cast_unsigned()),
            Kind::Uint32 | Kind::Sint32 => Wire::Low(self.number() & 0xffff_ffff),
            Kind::Int64 | Kind::Uint64 | Kind::Sint64 => Wire::Varint(self.number()),
            Kind::Fixed32 | Kind::Sfixed32 => Wire::Fixed32(low(self.number())),
            Kind::Fixed64 | Kind::Sfixed64 => Wire::Fixed64(self.number().to_le_bytes()),
            Kind::Float => Wire::Fixed32(low(self.choices.word())),
            Kind::Double => Wire::Fixed64(self.choices.word().to_le_bytes()),
            Kind::Bytes => Wire::Bytes(self.bytes()),
            Kind::String => Wire::Bytes(self.choices.one_of(WORDS).as_bytes().to_vec()),
            Kind::Enum(values) => Wire::Varint(*self.choices.one_of(&numbers(&values))),
            Kind::Message(of) if field.is_group() => Wire::Group(self.fields(&of, depth.saturating_sub(1))),
            Kind::Message(of) => Wire::Message(self.fields(&of, depth.saturating_sub(1))),
        }
    }

    /// Returns a value that an enum lacks: the peer keeps it as a value and we as an
    /// unknown field, and both encode the same. Only for optional fields, where neither the
    /// order of several values nor a required field makes a difference.
    fn unknown_enum(&mut self, field: &FieldDescriptor) -> Option<Wire> {
        let Kind::Enum(values) = field.kind() else { return None };
        let unknown = field.cardinality() == Cardinality::Optional && self.choices.chance(10);
        unknown.then(|| Wire::Varint(numbers(&values).into_iter().max().unwrap_or_default() + 1))
    }

    /// Generates a number, often one at which the length of a varint changes.
    fn number(&mut self) -> u64 {
        let word = self.choices.word();
        let least = 1u64 << (word >> 8 & 63);
        match word & 7 {
            0 | 1 => word >> 8 & 0x7f,
            2 => least,
            3 => least - 1,
            4 => least.wrapping_neg(),
            5 => u64::MAX,
            _ => word >> (word & 63),
        }
    }

    fn bytes(&mut self) -> Vec<u8> {
        let len = (*self.choices.one_of(LENGTHS)).min(self.remaining);
        self.remaining -= len;
        let first = self.choices.byte();
        (0..=250).cycle().take(len).map(|byte| first.wrapping_add(byte)).collect()
    }

    /// Generates a field that the message does not know.
    fn unknown(&mut self, of: &MessageDescriptor, depth: usize, to: &mut Fields) {
        let number = *self.choices.one_of(UNKNOWN);
        if of.get_field(number).is_some() || of.get_extension(number).is_some() {
            return;
        }
        let value = match self.choices.below(5) {
            0 => Wire::Varint(self.number()),
            1 => Wire::Fixed32(low(self.choices.word())),
            2 => Wire::Fixed64(self.choices.word().to_le_bytes()),
            3 => Wire::Bytes(self.bytes()),
            _ => {
                let mut fields = Vec::new();
                if depth > 0 {
                    self.unknown(of, depth - 1, &mut fields);
                }
                Wire::Group(fields)
            }
        };
        to.push(Field { number, value, nature: Nature::Unknown });
    }
}

/// Returns the lower four bytes.
fn low(word: u64) -> [u8; 4] {
    let [first, second, third, fourth, ..] = word.to_le_bytes();
    [first, second, third, fourth]
}

/// Returns the numbers of an enum as varints.
fn numbers(of: &EnumDescriptor) -> Vec<u64> {
    of.values().map(|value| i64::from(value.number()).cast_unsigned()).collect()
}

/// Converts a scalar to its wire form. Returns `None` for bytes, lists and messages.
fn scalar(value: &Value, kind: &Kind) -> Option<Wire> {
    let zigzag = |value: i64| ((value << 1) ^ (value >> 63)).cast_unsigned();
    Some(match (value, kind) {
        (Value::Bool(value), _) => Wire::Varint(u64::from(*value)),
        (Value::I32(value), Kind::Sint32) => Wire::Low(zigzag(i64::from(*value))),
        (Value::I64(value), Kind::Sint64) => Wire::Varint(zigzag(*value)),
        (Value::I32(value), Kind::Sfixed32) => Wire::Fixed32(value.to_le_bytes()),
        (Value::I64(value), Kind::Sfixed64) => Wire::Fixed64(value.to_le_bytes()),
        (Value::U32(value), Kind::Fixed32) => Wire::Fixed32(value.to_le_bytes()),
        (Value::U64(value), Kind::Fixed64) => Wire::Fixed64(value.to_le_bytes()),
        (Value::I32(value), _) => Wire::Low(i64::from(*value).cast_unsigned()),
        (Value::EnumNumber(value), _) => Wire::Varint(i64::from(*value).cast_unsigned()),
        (Value::I64(value), _) => Wire::Varint(value.cast_unsigned()),
        (Value::U32(value), _) => Wire::Low(u64::from(*value)),
        (Value::U64(value), _) => Wire::Varint(*value),
        (Value::F32(value), _) => Wire::Fixed32(value.to_le_bytes()),
        (Value::F64(value), _) => Wire::Fixed64(value.to_le_bytes()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::kinds::KINDS;
    use crate::peer;

    /// Returns choices as a property test would make them.
    fn noise(seed: usize) -> Vec<u8> {
        let mut state = seed as u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        (0..600).map(|_| next()).collect()
    }

    #[test]
    fn without_choices_the_message_is_the_simplest() {
        for kind in KINDS {
            let of = peer::descriptor(kind.name);
            let fields = Sampler::new(&mut Choices::new(&[])).message(&of);
            let required = of.fields().filter(|field| field.cardinality() == Cardinality::Required).count();
            assert_eq!(fields.len(), required, "{}", kind.name);
        }
    }

    #[test]
    fn samples_reach_every_threshold_and_are_mostly_complete() {
        let (mut lengths, mut natures, mut complete, mut all) = (BTreeSet::new(), BTreeSet::new(), 0, 0);
        for kind in KINDS {
            let of = peer::descriptor(kind.name);
            for seed in 0..60 {
                let fields = Sampler::new(&mut Choices::new(&noise(seed))).message(&of);
                all += 1;
                complete += usize::from(peer::read(&of, &crate::wire::canonical(&fields)).unwrap().complete);
                for field in fields {
                    natures.insert(format!("{:?}", field.nature));
                    if let Wire::Bytes(bytes) = field.value {
                        lengths.insert(bytes.len());
                    }
                }
            }
        }
        assert!(complete * 10 > all * 8 && complete < all, "{complete} of {all} are complete");
        assert!(LENGTHS.iter().all(|len| lengths.contains(len)), "{lengths:?}");
        assert_eq!(natures.len(), 4, "{natures:?}");
    }
}
