//! Worst-case inputs, whose decoded form takes as much memory as possible for their length.
//!
//! An element without fields has two bytes on the wire and a hundred in memory. For every
//! message, these inputs repeat the shortest elements of every field, and of the fields of
//! those, as often as fit. Invariant: each input is well-formed, and has all required
//! fields.

use prost_reflect::{Cardinality, FieldDescriptor, Kind as Type, MessageDescriptor};

use crate::kinds::Kind;
use crate::peer;
use crate::sample::{Field, Fields, Nature, Wire};
use crate::wire::canonical;

/// The maximum nesting depth of elements.
const MAX_DEPTH: usize = 2;

/// Returns inputs for this message, each of `len` bytes or slightly fewer.
#[must_use]
pub fn inputs(kind: &Kind, len: usize) -> Vec<Vec<u8>> {
    let of = peer::descriptor(kind.name);
    let units = units(&of, MAX_DEPTH);
    let mut inputs: Vec<Vec<u8>> = units.iter().map(|unit| filled(&of, &[unit], len)).collect();
    // Alternating elements, so that no run of one field forms.
    for pair in units.windows(2) {
        inputs.push(filled(&of, &[&pair[0], &pair[1]], len));
    }
    // All elements inside a single one.
    for field in of.fields() {
        if let Type::Message(inner) = field.kind() {
            for unit in self::units(&inner, 0) {
                let element = message(filled_fields(&inner, &[&unit], len.saturating_sub(10)), &field);
                inputs.push(canonical(&[required(&of), vec![element]].concat()));
            }
        }
    }
    inputs
}

/// Encodes the required fields, followed by repetitions of these fields.
fn filled(of: &MessageDescriptor, units: &[&Field], len: usize) -> Vec<u8> {
    canonical(&filled_fields(of, units, len))
}

fn filled_fields(of: &MessageDescriptor, units: &[&Field], len: usize) -> Fields {
    let mut fields = required(of);
    let once: usize = units.iter().map(|unit| canonical(std::slice::from_ref(*unit)).len()).sum();
    let times = len.saturating_sub(canonical(&fields).len()) / once;
    for _ in 0..times {
        fields.extend(units.iter().map(|unit| (*unit).clone()));
    }
    fields
}

/// Returns the shortest value of each field, and values that contain exactly one nested field.
fn units(of: &MessageDescriptor, depth: usize) -> Fields {
    let mut all = Vec::new();
    for field in of.fields() {
        all.push(shortest(&field));
        match field.kind() {
            Type::Message(inner) if depth > 0 => {
                for unit in units(&inner, depth - 1) {
                    all.push(message([required(&inner), vec![unit]].concat(), &field));
                }
            }
            // The shortest value that a blob does not store inline.
            Type::Bytes => all.push(Field { value: Wire::Bytes(vec![b'x'; 24]), ..shortest(&field) }),
            _ => {}
        }
    }
    all.push(Field { number: 15, value: Wire::Varint(0), nature: Nature::Unknown });
    all.push(Field { number: 15, value: Wire::Bytes(Vec::new()), nature: Nature::Unknown });
    all.retain(|field| field.nature != Nature::Unknown || of.get_field(field.number).is_none());
    all
}

/// Returns the required fields of a message.
fn required(of: &MessageDescriptor) -> Fields {
    let required = |field: &FieldDescriptor| field.cardinality() == Cardinality::Required;
    of.fields().filter(required).map(|field| shortest(&field)).collect()
}

fn shortest(field: &FieldDescriptor) -> Field {
    let value = match field.kind() {
        Type::Message(inner) => return message(required(&inner), field),
        Type::Bytes | Type::String => Wire::Bytes(Vec::new()),
        Type::Fixed32 | Type::Sfixed32 | Type::Float => Wire::Fixed32([0; 4]),
        Type::Fixed64 | Type::Sfixed64 | Type::Double => Wire::Fixed64([0; 8]),
        Type::Enum(values) => {
            let first = values.values().next().map_or(0, |value| value.number());
            Wire::Varint(i64::from(first).cast_unsigned())
        }
        _ => Wire::Varint(0),
    };
    Field { number: field.number(), value, nature: Nature::Single }
}

fn message(fields: Fields, of: &FieldDescriptor) -> Field {
    let value = if of.is_group() { Wire::Group(fields) } else { Wire::Message(fields) };
    Field { number: of.number(), value, nature: Nature::Single }
}
