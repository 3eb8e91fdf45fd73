//! Writes what was made up: plainly, or in any of the disguises that a reader
//! has to see through.
//!
//! Invariant: as protobuf has it, both say the same.

use std::collections::{BTreeMap, VecDeque};

use crate::sample::{Field, Fields, Nature, Wire};
use crate::tape::Tape;

/// The bytes as most writers write them: fields in order, each number as short
/// as it can be.
pub(crate) fn plain(fields: &[Field]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for field in fields {
        // At the end of its tape a disguise is none.
        put(field, &mut Tape::new(&[]), &mut bytes, |fields, _| plain(fields));
    }
    bytes
}

/// The same with fields out of order, numbers longer than need be, messages in
/// pieces, values in runs, and values that others replace.
pub(crate) fn disguised(fields: &[Field], tape: &mut Tape<'_>) -> Vec<u8> {
    let mut queues: BTreeMap<u32, VecDeque<Field>> = BTreeMap::new();
    for field in fields {
        let queue = queues.entry(field.number).or_default();
        if field.nature == Nature::Single {
            queue.extend(before(field, tape));
        }
        match &field.value {
            Wire::Message(inner) if field.nature == Nature::Single && tape.chance(100) => {
                let (first, second) = inner.split_at(tape.below(inner.len() + 1).min(inner.len()));
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
        let number = numbers[tape.below(numbers.len().min(256))];
        let Some(queue) = queues.get_mut(&number) else { continue };
        let packable = queue.front().is_some_and(|field| field.nature == Nature::Packable);
        let run = if packable && tape.chance(100) { 1 + tape.below(queue.len().min(256)) } else { 0 };
        if run > 0 {
            pack(number, queue.drain(..run), tape, &mut bytes);
        } else if let Some(field) = queue.pop_front() {
            put(&field, tape, &mut bytes, disguised);
        }
        if queue.is_empty() {
            queues.remove(&number);
        }
    }
    bytes
}

/// A value that the field's real one replaces, of those with 32 bits and of
/// bytes. Not of an enum: of its values the last one counts that it knows.
fn before(field: &Field, tape: &mut Tape<'_>) -> Option<Field> {
    if !tape.chance(30) {
        return None;
    }
    let value = match &field.value {
        Wire::Low(_) => Wire::Low(0),
        Wire::Fixed32(_) => Wire::Fixed32([1; 4]),
        Wire::Fixed64(_) => Wire::Fixed64([1; 8]),
        Wire::Bytes(_) => Wire::Bytes(vec![b'x'; 600 * tape.below(2) + 3]),
        Wire::Varint(_) | Wire::Message(_) | Wire::Group(_) => return None,
    };
    Some(Field { value, ..field.clone() })
}

type WriteFields = fn(&[Field], &mut Tape<'_>) -> Vec<u8>;

fn put(field: &Field, tape: &mut Tape<'_>, to: &mut Vec<u8>, write: WriteFields) {
    let mut tag = |wire_type: u64, to: &mut Vec<u8>| {
        // A tag has five bytes at the most.
        varint(u64::from(field.number) << 3 | wire_type, 5, tape, to);
    };
    match &field.value {
        Wire::Varint(_) | Wire::Low(_) => tag(0, to),
        Wire::Fixed64(_) => tag(1, to),
        Wire::Bytes(_) | Wire::Message(_) => tag(2, to),
        Wire::Group(_) => tag(3, to),
        Wire::Fixed32(_) => tag(5, to),
    }
    match &field.value {
        Wire::Bytes(bytes) => delimited(bytes, tape, to),
        Wire::Message(fields) => {
            let bytes = write(fields, tape);
            delimited(&bytes, tape, to);
        }
        Wire::Group(fields) => {
            to.extend(write(fields, tape));
            varint(u64::from(field.number) << 3 | 4, 5, tape, to);
        }
        scalar => put_scalar(scalar, tape, to),
    }
}

fn put_scalar(value: &Wire, tape: &mut Tape<'_>, to: &mut Vec<u8>) {
    match value {
        Wire::Varint(value) => varint(*value, 10, tape, to),
        Wire::Low(value) => {
            let high = if tape.chance(30) { tape.word() << 32 } else { 0 };
            varint(value ^ high, 10, tape, to);
        }
        Wire::Fixed32(bytes) => to.extend(bytes),
        Wire::Fixed64(bytes) => to.extend(bytes),
        Wire::Bytes(_) | Wire::Message(_) | Wire::Group(_) => {}
    }
}

/// Several values of a repeated field in one run.
fn pack(number: u32, fields: impl Iterator<Item = Field>, tape: &mut Tape<'_>, to: &mut Vec<u8>) {
    let mut run = Vec::new();
    fields.for_each(|field| put_scalar(&field.value, tape, &mut run));
    put(&Field { number, value: Wire::Bytes(run), nature: Nature::Single }, tape, to, disguised);
}

fn delimited(bytes: &[u8], tape: &mut Tape<'_>, to: &mut Vec<u8>) {
    varint(bytes.len() as u64, 10, tape, to);
    to.extend(bytes);
}

/// A varint of at most `most` bytes, which may be more than it needs.
fn varint(mut value: u64, most: usize, tape: &mut Tape<'_>, to: &mut Vec<u8>) {
    let start = to.len();
    while value >= 0x80 {
        to.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    to.push((value & 0x7f) as u8);
    let len = to.len() - start;
    if tape.chance(12) {
        let len = (len + 1 + tape.below(3)).min(most);
        while to.len() - start < len {
            if let Some(last) = to.last_mut() {
                *last |= 0x80;
            }
            to.push(0);
        }
    }
}

/// Whether a field that the schema does not know is among them, at any depth.
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
    fn at_the_end_of_the_tape_nothing_is_disguised() {
        let inner = vec![field(1, Wire::Varint(300), Nature::Single)];
        let fields = [
            field(1, Wire::Bytes(b"ab".to_vec()), Nature::Single),
            field(2, Wire::Message(inner), Nature::Single),
            field(3, Wire::Low(7), Nature::Packable),
            field(16, Wire::Group(Vec::new()), Nature::Unknown),
        ];
        let bytes = [0x0a, 2, b'a', b'b', 0x12, 3, 0x08, 0xac, 0x02, 0x18, 7, 0x83, 0x01, 0x84, 0x01];
        assert_eq!(plain(&fields), bytes);
        assert_eq!(disguised(&fields, &mut Tape::new(&[])), bytes);
    }

    #[test]
    fn every_disguise_is_put_on() {
        let inner = vec![field(1, Wire::Low(5), Nature::Single), field(2, Wire::Low(6), Nature::Single)];
        let fields = [
            field(1, Wire::Low(7), Nature::Packable),
            field(1, Wire::Low(8), Nature::Packable),
            field(2, Wire::Message(inner), Nature::Single),
        ];
        let mut all = std::collections::BTreeSet::new();
        for seed in 0..=255u8 {
            for step in [1u8, 91, 203] {
                let tape: Vec<u8> = (0..60u8).map(|at| seed.wrapping_add(at.wrapping_mul(step))).collect();
                all.insert(disguised(&fields, &mut Tape::new(&tape)));
            }
        }
        let written = |bytes: &[u8]| all.contains(bytes);
        // Out of order; a run; two pieces; a tag longer than need be.
        assert!(written(&[0x12, 4, 0x08, 5, 0x10, 6, 0x08, 7, 0x08, 8]));
        assert!(written(&[0x0a, 2, 7, 8, 0x12, 4, 0x08, 5, 0x10, 6]));
        assert!(written(&[0x08, 7, 0x08, 8, 0x12, 2, 0x08, 5, 0x12, 2, 0x10, 6]));
        assert!(all.iter().any(|bytes| bytes[0] >= 0x80));
    }
}
