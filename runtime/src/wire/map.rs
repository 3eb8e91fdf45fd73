//! Maps: on the wire, repeated entries with a key (1) and a value (2).
//!
//! Invariant: an entry is always written with both fields. When read, a missing field
//! has its default, and the last entry of a key wins.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};

use super::missing_fields::ELEMENT;
use super::nested::{charge_behind, merge, put_message, read_message, read_new_message};
use super::unknown::keep;
use super::{Context, Enum, Enumeration, KeepUnknown, Nested, Reader, Reads, Writer, Writes};
use crate::error::DecodeError;
use crate::message::{Decode, Message};

/// The tag of a message value in an entry.
const VALUE: u32 = 2 << 3 | super::DELIMITED;

/// A Rust type that can hold a map field.
pub trait Map<K, V> {
    /// Returns the entries.
    fn entries<'m>(&'m self) -> impl Iterator<Item = (&'m K, &'m V)>
    where
        K: 'm,
        V: 'm;

    /// Reports whether the map is empty.
    fn has_none(&self) -> bool;

    /// Adds an entry, or replaces the one with this key.
    fn put_entry(&mut self, key: K, value: V);
}

impl<K: Ord, V> Map<K, V> for BTreeMap<K, V> {
    fn entries<'m>(&'m self) -> impl Iterator<Item = (&'m K, &'m V)>
    where
        K: 'm,
        V: 'm,
    {
        self.iter()
    }

    fn has_none(&self) -> bool {
        self.is_empty()
    }

    fn put_entry(&mut self, key: K, value: V) {
        self.insert(key, value);
    }
}

impl<K: Eq + Hash, V, S: BuildHasher> Map<K, V> for HashMap<K, V, S> {
    fn entries<'m>(&'m self) -> impl Iterator<Item = (&'m K, &'m V)>
    where
        K: 'm,
        V: 'm,
    {
        self.iter()
    }

    fn has_none(&self) -> bool {
        self.is_empty()
    }

    fn put_entry(&mut self, key: K, value: V) {
        self.insert(key, value);
    }
}

impl<'a, M: Decode<'a>> Reads<'a, M> for Nested {
    #[inline]
    fn read(input: &mut Reader<'a>, ctx: &mut Context<'a>) -> Result<M, DecodeError> {
        let mut message = M::default();
        read_new_message(VALUE, &mut message, input, ctx)?;
        Ok(message)
    }

    /// Merges with the value that was read before.
    #[inline]
    fn set(place: &mut M, input: &mut Reader<'a>, ctx: &mut Context<'a>) -> Result<(), DecodeError> {
        read_message(VALUE, place, true, input, ctx)
    }

    /// Decodes a message without fields, which fails if it has required ones.
    fn absent(entry: Reader<'a>, ctx: &mut Context<'a>) -> Result<M, DecodeError> {
        let mut message = M::default();
        charge_behind::<M>(&entry, ctx)?;
        merge(ELEMENT, &mut message, false, entry, ctx)?;
        Ok(message)
    }
}

/// Writes a map of scalars. The two tags are those of the key and the value in an
/// entry.
pub fn put_map<'w, KK: Writes<K>, VK: Writes<V>, K, V>(
    tag: u32,
    [key_tag, value_tag]: [u32; 2],
    map: &impl Map<K, V>,
    mut out: Writer<'w>,
) -> Writer<'w> {
    for (key, value) in map.entries() {
        let (inner, entry) = out.open(tag, 0);
        out = VK::put(value_tag, value, KK::put(key_tag, key, inner)).close(entry);
    }
    out
}

/// Writes a map of messages. The two tags are those of the key and the value in an
/// entry.
pub fn put_message_map<'w, KK: Writes<K>, K, M: Message>(
    tag: u32,
    [key_tag, value_tag]: [u32; 2],
    map: &impl Map<K, M>,
    mut out: Writer<'w>,
) -> Writer<'w> {
    for (key, value) in map.entries() {
        let (inner, entry) = out.open(tag, value.at_least());
        out = put_message(value_tag, value, KK::put(key_tag, key, inner)).close(entry);
    }
    out
}

/// Returns the memory that another entry may take, without what its key and value own.
/// The first one takes a whole tree node with space for eleven; later nodes have at
/// least five of their slots in use.
fn entry_size<K, V>(map: &impl Map<K, V>) -> usize {
    let node = 11 * (size_of::<K>() + size_of::<V>()) + 16;
    if map.has_none() { node } else { node.div_ceil(5) }
}

/// Reads one entry of the map field with this tag. The two other tags are those of the
/// key and the value in an entry.
///
/// # Errors
///
/// If the entry is malformed, or the entries take too much memory for the size of the
/// input.
#[expect(clippy::inline_always, reason = "the reader stays in registers")]
#[inline(always)]
pub fn read_map<'a, KK: Reads<'a, K> + Writes<K>, VK: Reads<'a, V>, K: Default, V: Default>(
    tag: u32,
    entry_tags: [u32; 2],
    map: &mut impl Map<K, V>,
    input: &mut Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    let entry = input.nested(ctx)?;
    read_entry::<KK, VK, K, V>(tag, entry_tags, map, entry, ctx)
}

fn read_entry<'a, KK: Reads<'a, K> + Writes<K>, VK: Reads<'a, V>, K: Default, V: Default>(
    map_tag: u32,
    [key_tag, value_tag]: [u32; 2],
    map: &mut impl Map<K, V>,
    mut entry: Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    ctx.charge(entry_size(map), &entry)?;
    ctx.enter_entry();
    let (mut key, mut value) = (K::default(), None);
    while let Some(tag) = entry.tag(ctx)? {
        if tag == key_tag {
            key = KK::read(&mut entry, ctx)?;
        } else if tag == value_tag {
            match &mut value {
                Some(value) => VK::set(value, &mut entry, ctx)?,
                None => value = Some(VK::read(&mut entry, ctx)?),
            }
        } else {
            entry.skip_value(tag, ctx)?;
        }
    }
    let value = match value {
        Some(value) => value,
        None => VK::absent(entry, ctx)?,
    };
    ctx.leave_entry(map_tag, || encoded_key::<KK, K>(key_tag, &key))?;
    map.put_entry(key, value);
    Ok(())
}

/// Encodes a key, in the same way however it was encoded in its entry.
#[cold]
#[inline(never)]
fn encoded_key<KK: Writes<K>, K>(tag: u32, key: &K) -> Vec<u8> {
    Writer::collect("a key", 0, |out| KK::put(tag, key, out))
}

/// Reads one entry of a map whose values are a closed enum. If the enum does not know
/// the number, the whole entry is added to the unknown fields.
///
/// # Errors
///
/// As for [`read_map`].
pub fn read_map_closed<'a, KK: Reads<'a, K> + Writes<K>, K: Default, E: Enumeration>(
    tag: u32,
    [key_tag, value_tag]: [u32; 2],
    map: &mut impl Map<K, E>,
    unknown: &mut impl KeepUnknown<'a>,
    input: &mut Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    let mut entry = input.clone().nested(ctx)?;
    let mut known = true;
    while let Some(tag) = entry.tag(ctx)? {
        if tag == value_tag {
            #[expect(clippy::cast_possible_truncation, reason = "protobuf takes the low bits")]
            let number = (entry.varint(ctx)? as u32).cast_signed();
            known = E::from_number(number).is_some();
        } else {
            entry.skip_value(tag, ctx)?;
        }
    }
    if known {
        read_map::<KK, Enum, K, E>(tag, [key_tag, value_tag], map, input, ctx)
    } else {
        input.lend(|input| keep(tag, unknown, input, ctx))
    }
}
