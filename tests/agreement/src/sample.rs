//! Random messages, made from what the schema says of them.
//!
//! Invariant: nothing here knows a message or a field by name, so that a field
//! that is added to the schema is made up too.

use prost_reflect::{Cardinality, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value};

use crate::tape::Tape;

/// The fields of a message, in the order of their numbers.
pub(crate) type Fields = Vec<Field>;

/// A field with one value; of a repeated field, one of its values.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) number: u32,
    pub(crate) value: Wire,
    pub(crate) nature: Nature,
}

/// What a reader may meet a field as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nature {
    /// Once; of several, the last one counts, or messages are merged.
    Single,
    /// Many times.
    Repeated,
    /// Many times, and several values in one run.
    Packable,
    /// Its number, or that of an enum's value, is none that the schema knows.
    Unknown,
}

/// A value as the wire knows it.
#[derive(Clone, Debug)]
pub(crate) enum Wire {
    Varint(u64),
    /// A varint of which readers take 32 bits.
    Low(u64),
    Fixed32([u8; 4]),
    Fixed64([u8; 8]),
    Bytes(Vec<u8>),
    Message(Fields),
    Group(Fields),
}

/// How deep messages nest.
const DEPTH: usize = 5;
/// How many bytes the values of a message may take together, roughly.
const ROOM: usize = 100_000;

/// Lengths around which something changes: inline or not, shared or not, one
/// byte of length or two, by reference or copied.
const LENGTHS: &[usize] =
    &[0, 1, 2, 7, 8, 15, 16, 22, 23, 24, 25, 31, 32, 33, 127, 128, 511, 512, 513, 2048, 16383, 16384, 20000];

/// How many values a repeated field has: few for the most part.
const COUNTS: &[usize] = &[0, 1, 1, 1, 2, 2, 3, 3, 4, 5, 9, 33, 200];

/// Numbers at which tags grow, and the last one that there is.
const UNKNOWN: &[u32] = &[15, 16, 99, 2047, 2048, 18_999, 20_000, 536_870_911];

/// Texts: names for the most part, as the schemas that describe schemas have.
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

/// Makes up messages from a tape.
pub(crate) struct Sampler<'t, 'b> {
    tape: &'t mut Tape<'b>,
    room: usize,
}

impl<'t, 'b> Sampler<'t, 'b> {
    pub(crate) fn new(tape: &'t mut Tape<'b>) -> Self {
        Self { tape, room: ROOM }
    }

    /// A message of this kind.
    pub(crate) fn message(&mut self, of: &MessageDescriptor) -> Fields {
        self.fields(of, DEPTH)
    }

    fn fields(&mut self, of: &MessageDescriptor, depth: usize) -> Fields {
        let mut fields = Vec::new();
        let density = *self.tape.one_of(&[40, 128, 220]);
        let mut known: Vec<FieldDescriptor> = of.fields().collect();
        known.sort_by_key(FieldDescriptor::number);
        for field in &known {
            self.field(field, density, depth, &mut fields);
        }
        if self.tape.chance(40) {
            for _ in 0..=self.tape.below(4) {
                self.unknown(of, depth, &mut fields);
            }
        }
        fields
    }

    fn field(&mut self, field: &FieldDescriptor, density: u8, depth: usize, to: &mut Fields) {
        let nested = matches!(field.kind(), Kind::Message(_));
        let count = match field.cardinality() {
            // One that is missing has to be found out, now and then.
            Cardinality::Required => usize::from(!self.tape.chance(1)),
            Cardinality::Optional => usize::from(self.tape.chance(density)),
            Cardinality::Repeated if nested => self.tape.below(4).min(self.room),
            Cardinality::Repeated => (*self.tape.one_of(COUNTS)).min(self.room),
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
        if self.tape.chance(20)
            && let Some(value) = scalar(&declared, &field.kind())
        {
            return value;
        }
        match field.kind() {
            Kind::Bool => Wire::Varint(self.tape.below(2) as u64),
            Kind::Int32 => Wire::Low(i64::from(i32::from_le_bytes(low(self.number()))).cast_unsigned()),
            Kind::Uint32 | Kind::Sint32 => Wire::Low(self.number() & 0xffff_ffff),
            Kind::Int64 | Kind::Uint64 | Kind::Sint64 => Wire::Varint(self.number()),
            Kind::Fixed32 | Kind::Sfixed32 => Wire::Fixed32(low(self.number())),
            Kind::Fixed64 | Kind::Sfixed64 => Wire::Fixed64(self.number().to_le_bytes()),
            Kind::Float => Wire::Fixed32(low(self.tape.word())),
            Kind::Double => Wire::Fixed64(self.tape.word().to_le_bytes()),
            Kind::Bytes => Wire::Bytes(self.bytes()),
            Kind::String => Wire::Bytes(self.tape.one_of(WORDS).as_bytes().to_vec()),
            Kind::Enum(values) => Wire::Varint(*self.tape.one_of(&numbers(&values))),
            Kind::Message(of) if field.is_group() => Wire::Group(self.fields(&of, depth.saturating_sub(1))),
            Kind::Message(of) => Wire::Message(self.fields(&of, depth.saturating_sub(1))),
        }
    }

    /// Of an enum, a value that it does not know: the peer keeps it as a value and
    /// we as an unknown field, which is written the same. Not where it would
    /// show: where the order of several counts, or one is required.
    fn unknown_enum(&mut self, field: &FieldDescriptor) -> Option<Wire> {
        let Kind::Enum(values) = field.kind() else { return None };
        let unknown = field.cardinality() == Cardinality::Optional && self.tape.chance(10);
        unknown.then(|| Wire::Varint(numbers(&values).into_iter().max().unwrap_or_default() + 1))
    }

    /// A number, often one at which its length changes.
    fn number(&mut self) -> u64 {
        let word = self.tape.word();
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
        let len = (*self.tape.one_of(LENGTHS)).min(self.room);
        self.room -= len;
        let first = self.tape.byte();
        (0..=250).cycle().take(len).map(|byte| first.wrapping_add(byte)).collect()
    }

    /// A field that the message does not know.
    fn unknown(&mut self, of: &MessageDescriptor, depth: usize, to: &mut Fields) {
        let number = *self.tape.one_of(UNKNOWN);
        if of.get_field(number).is_some() || of.get_extension(number).is_some() {
            return;
        }
        let value = match self.tape.below(5) {
            0 => Wire::Varint(self.number()),
            1 => Wire::Fixed32(low(self.tape.word())),
            2 => Wire::Fixed64(self.tape.word().to_le_bytes()),
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

/// The lower four bytes.
fn low(word: u64) -> [u8; 4] {
    let [first, second, third, fourth, ..] = word.to_le_bytes();
    [first, second, third, fourth]
}

/// The numbers of an enum, as the wire has them.
fn numbers(of: &EnumDescriptor) -> Vec<u64> {
    of.values().map(|value| i64::from(value.number()).cast_unsigned()).collect()
}

/// A scalar as the wire has it; nothing for bytes, lists and messages.
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

    /// A tape like one that a property test makes up.
    fn noise(seed: usize) -> Vec<u8> {
        let mut state = seed as u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        (0..600).map(|_| next()).collect()
    }

    #[test]
    fn the_end_of_the_tape_is_the_plainest_message() {
        for kind in KINDS {
            let of = peer::descriptor(kind.name);
            let fields = Sampler::new(&mut Tape::new(&[])).message(&of);
            let required = of.fields().filter(|field| field.cardinality() == Cardinality::Required).count();
            assert_eq!(fields.len(), required, "{}", kind.name);
        }
    }

    #[test]
    fn what_is_made_up_reaches_every_threshold_and_is_whole_for_the_most_part() {
        let (mut lengths, mut natures, mut whole, mut all) = (BTreeSet::new(), BTreeSet::new(), 0, 0);
        for kind in KINDS {
            let of = peer::descriptor(kind.name);
            for seed in 0..60 {
                let fields = Sampler::new(&mut Tape::new(&noise(seed))).message(&of);
                all += 1;
                whole += usize::from(peer::read(&of, &crate::wire::plain(&fields)).unwrap().whole);
                for field in fields {
                    natures.insert(format!("{:?}", field.nature));
                    if let Wire::Bytes(bytes) = field.value {
                        lengths.insert(bytes.len());
                    }
                }
            }
        }
        assert!(whole * 10 > all * 8 && whole < all, "{whole} of {all} are whole");
        assert!(LENGTHS.iter().all(|len| lengths.contains(len)), "{lengths:?}");
        assert_eq!(natures.len(), 4, "{natures:?}");
    }
}
