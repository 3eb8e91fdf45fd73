//! The stored form of a data type, which a plain read shows.
//!
//! Invariant: the form begins as Riak's does, and grows with its content, but is never
//! decoded. Bytes that are written as a plain object are one, whatever they look like.

use riak_runtime::Blob;

use super::map::{Embedded, Map};
use super::set::Set;
use super::{Crdt, Kind};

/// The first byte of all data types in Riak.
const TAG: u8 = 69;

impl Crdt {
    /// Returns the bytes of the stored form.
    pub(crate) fn stored_form(&self) -> Blob {
        let mut out = vec![TAG];
        if self.kind() == Kind::LegacyCounter {
            out.push(1);
        } else {
            out.push(2);
            append(self.kind().module().as_bytes(), &mut out);
        }
        match self {
            Self::Counter(counter) | Self::LegacyCounter(counter) => {
                out.extend_from_slice(&counter.sum().to_be_bytes());
            }
            Self::Set(clock, set) => {
                append(&clock.encode(), &mut out);
                append_set(set, &mut out);
            }
            Self::Map(clock, map) => {
                append(&clock.encode(), &mut out);
                append_map(map, &mut out);
            }
            Self::GSet(gset) => {
                for element in gset.value() {
                    append(&element, &mut out);
                }
            }
            Self::Hll(hll) => out.extend_from_slice(hll.registers()),
        }
        out.into()
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "elements come out of frames, which are far below 4 GiB; nothing reads it"
)]
fn append(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
    out.extend_from_slice(bytes);
}

fn append_set(set: &Set, out: &mut Vec<u8>) {
    for (element, event) in set.elements() {
        append(element, out);
        out.extend_from_slice(&event.to_be_bytes());
    }
}

fn append_map(map: &Map, out: &mut Vec<u8>) {
    for (field, value) in map.fields() {
        append(&field.name, out);
        out.push(field.kind as u8);
        let mut bytes = Vec::new();
        match value {
            Embedded::Counter(counter) => bytes.extend_from_slice(&counter.sum().to_be_bytes()),
            Embedded::Register(register) => {
                bytes.extend_from_slice(register.value().map_or(&[], |value| value));
            }
            Embedded::Map(map) => append_map(map, &mut bytes),
            Embedded::Flag(flag) => bytes.push(u8::from(flag.value())),
            Embedded::Set(set) => append_set(set, &mut bytes),
        }
        append(&bytes, out);
    }
}
