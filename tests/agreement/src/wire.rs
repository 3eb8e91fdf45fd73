//! Encodes random messages, in canonical form or in any of the non-canonical forms that
//! decoders have to accept.
//!
//! Invariant: by protobuf's rules, both forms mean the same.

use std::collections::{BTreeMap, VecDeque};

use crate::choices::Choices;
use crate::sample::{Field, Fields, Nature, Wire};

/// Encodes fields as most encoders do: in order, with each number as short as possible.
pub(crate) fn canonical(fields: &[Field]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for field in fields {
        // Without choices, the encoding is canonical.
        put(field, &mut Choices::new(&[]), &mut bytes, |fields, _| canonical(fields));
    }
    bytes
}

/// Encodes the same fields out of order, with overlong numbers, messages in pieces, packed
/// runs, and values that later ones replace.
pub(crate) fn non_canonical(fields: &[Field], choices: &mut Choices<'_>) -> Vec<u8> {
    let mut queues: BTreeMap<u32, VecDeque<Field>> = BTreeMap::new();
    for field in fields {
        let queue = queues.entry(field.number).or_default();
        if field.nature == Nature::Single {
            queue.extend(replaced_value(field, choices));
        }
        match &field.value {
            Wire::Message(inner) if field.nature == Nature::Single && choices.chance(100) => {
                let (first, second) = inner.split_at(choices.below(inner.len() + 1).min(inner.len()));
                for piece in [first, second] {
                    queue.push_back(Field { value: Wire::Message(piece.to_vec()), ..field.clone() });
                }
            }
            _ => queue.push_back(field.clone()),
        }
    }
    let mut bytes = Vec::new();
    while !queues.is_empty() {
        let numbers: Vec<u32> = queues.keys().copied().collect();
        let number = numbers[choices.below(numbers.len().min(256))];
        let Some(queue) = queues.get_mut(&number) else { continue };
        let packable = queue.front().is_some_and(|field| field.nature == Nature::Packable);
        let run = if packable && choices.chance(100) { 1 + choices.below(queue.len().min(256)) } else { 0 };
        if run > 0 {
            pack(number, queue.drain(..run), choices, &mut bytes);
        } else if let Some(field) = queue.pop_front() {
            put(&field, choices, &mut bytes, non_canonical);
        }
        if queue.is_empty() {
            queues.remove(&number);
        }
    }
    bytes
}

/// Returns an earlier value that the field's real one replaces, for values of 32 or 64
/// fixed bits, and bytes. Not for enums, where a decoder keeps the last value that it
/// knows.
fn replaced_value(field: &Field, choices: &mut Choices<'_>) -> Option<Field> {
    if !choices.chance(30) {
        return None;
    }
    let value = match &field.value {
        Wire::Low(_) => Wire::Low(0),
        Wire::Fixed32(_) => Wire::Fixed32([1; 4]),
        Wire::Fixed64(_) => Wire::Fixed64([1; 8]),
        Wire::Bytes(_) => Wire::Bytes(vec![b'x'; 600 * choices.below(2) + 3]),
        Wire::Varint(_) | Wire::Message(_) | Wire::Group(_) => return None,
    };
    Some(Field { value, ..field.clone() })
}

type WriteFields = fn(&[Field], &mut Choices<'_>) -> Vec<u8>;

fn put(field: &Field, choices: &mut Choices<'_>, to: &mut Vec<u8>, write: WriteFields) {
    let mut tag = |wire_type: u64, to: &mut Vec<u8>| {
        // A tag has at most five bytes.
        varint(u64::from(field.number) << 3 | wire_type, 5, choices, to);
    };
    match &field.value {
        Wire::Varint(_) | Wire::Low(_) => tag(0, to),
        Wire::Fixed64(_) => tag(1, to),
        Wire::Bytes(_) | Wire::Message(_) => tag(2, to),
        Wire::Group(_) => tag(3, to),
        Wire::Fixed32(_) => tag(5, to),
    }
    match &field.value {
        Wire::Bytes(bytes) => delimited(bytes, choices, to),
        Wire::Message(fields) => {
            let bytes = write(fields, choices);
            delimited(&bytes, choices, to);
        }
        Wire::Group(fields) => {
            to.extend(write(fields, choices));
            varint(u64::from(field.number) << 3 | 4, 5, choices, to);
        }
        scalar => put_scalar(scalar, choices, to),
    }
}

fn put_scalar(value: &Wire, choices: &mut Choices<'_>, to: &mut Vec<u8>) {
    match value {
        Wire::Varint(value) => varint(*value, 10, choices, to),
        Wire::Low(value) => {
            let high = if choices.chance(30) { choices.word() << 32 } else { 0 };
            varint(value ^ high, 10, choices, to);
        }
        Wire::Fixed32(bytes) => to.extend(bytes),
        Wire::Fixed64(bytes) => to.extend(bytes),
        Wire::Bytes(_) | Wire::Message(_) | Wire::Group(_) => {}
    }
}

/// Encodes several values of a repeated field as a packed run.
fn pack(number: u32, fields: impl Iterator<Item = Field>, choices: &mut Choices<'_>, to: &mut Vec<u8>) {
    let mut run = Vec::new();
    fields.for_each(|field| put_scalar(&field.value, choices, &mut run));
    put(&Field { number, value: Wire::Bytes(run), nature: Nature::Single }, choices, to, non_canonical);
}

fn delimited(bytes: &[u8], choices: &mut Choices<'_>, to: &mut Vec<u8>) {
    varint(bytes.len() as u64, 10, choices, to);
    to.extend(bytes);
}

/// Encodes a varint, possibly overlong, of at most `most` bytes.
fn varint(mut value: u64, most: usize, choices: &mut Choices<'_>, to: &mut Vec<u8>) {
    let start = to.len();
    while value >= 0x80 {
        to.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    to.push((value & 0x7f) as u8);
    let len = to.len() - start;
    if choices.chance(12) {
        let len = (len + 1 + choices.below(3)).min(most);
        while to.len() - start < len {
            if let Some(last) = to.last_mut() {
                *last |= 0x80;
            }
            to.push(0);
        }
    }
}

/// Reports whether there is an unknown field, at any depth.
pub(crate) fn has_unknown(fields: &Fields) -> bool {
    fields.iter().any(|field| {
        field.nature == Nature::Unknown
            || matches!(&field.value, Wire::Message(inner) | Wire::Group(inner) if has_unknown(inner))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u32, value: Wire, nature: Nature) -> Field {
        Field { number, value, nature }
    }

    #[test]
    fn without_choices_the_encoding_is_canonical() {
        let inner = vec![field(1, Wire::Varint(300), Nature::Single)];
        let fields = [
            field(1, Wire::Bytes(b"ab".to_vec()), Nature::Single),
            field(2, Wire::Message(inner), Nature::Single),
            field(3, Wire::Low(7), Nature::Packable),
            field(16, Wire::Group(Vec::new()), Nature::Unknown),
        ];
        let bytes = [0x0a, 2, b'a', b'b', 0x12, 3, 0x08, 0xac, 0x02, 0x18, 7, 0x83, 0x01, 0x84, 0x01];
        assert_eq!(canonical(&fields), bytes);
        assert_eq!(non_canonical(&fields, &mut Choices::new(&[])), bytes);
    }

    #[test]
    fn every_non_canonical_form_occurs() {
        let inner = vec![field(1, Wire::Low(5), Nature::Single), field(2, Wire::Low(6), Nature::Single)];
        let fields = [
            field(1, Wire::Low(7), Nature::Packable),
            field(1, Wire::Low(8), Nature::Packable),
            field(2, Wire::Message(inner), Nature::Single),
        ];
        let mut all = std::collections::BTreeSet::new();
        for seed in 0..=255u8 {
            for step in [1u8, 91, 203] {
                let choices: Vec<u8> = (0..60u8).map(|at| seed.wrapping_add(at.wrapping_mul(step))).collect();
                all.insert(non_canonical(&fields, &mut Choices::new(&choices)));
            }
        }
        let written = |bytes: &[u8]| all.contains(bytes);
        // Out of order; packed; in two pieces; an overlong tag.
        assert!(written(&[0x12, 4, 0x08, 5, 0x10, 6, 0x08, 7, 0x08, 8]));
        assert!(written(&[0x0a, 2, 7, 8, 0x12, 4, 0x08, 5, 0x10, 6]));
        assert!(written(&[0x08, 7, 0x08, 8, 0x12, 2, 0x08, 5, 0x12, 2, 0x10, 6]));
        assert!(all.iter().any(|bytes| bytes[0] >= 0x80));
    }
}
