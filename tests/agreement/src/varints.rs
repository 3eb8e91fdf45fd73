//! Property: varints are decoded and encoded as by a reference implementation.
//!
//! Invariant: the reference processes single bytes in 128 bits, where our implementation
//! processes words.

use riak_runtime::varint;
use riak_runtime::wire::{Context, Reader, Writer};
use riak_runtime::{Decode, DecodeError, DecodeErrorKind, Message};

/// A sequence of varints.
#[derive(Debug, Default, PartialEq)]
struct Numbers(Vec<u64>);

impl Message for Numbers {
    const NAME: &'static str = "Numbers";

    fn encode<'w>(&self, out: Writer<'w>) -> Writer<'w> {
        self.0.iter().fold(out, |out, number| out.varint(*number))
    }
}

impl<'a> Decode<'a> for Numbers {
    fn merge(&mut self, mut input: Reader<'a>, ctx: &mut Context<'a>) -> Result<(), DecodeError> {
        while input.remaining() > 0 {
            self.0.push(input.varint(ctx)?);
        }
        Ok(())
    }
}

/// A sequence of tags.
#[derive(Debug, Default, PartialEq)]
struct Tags(Vec<u32>);

impl Message for Tags {
    const NAME: &'static str = "Tags";

    fn encode<'w>(&self, out: Writer<'w>) -> Writer<'w> {
        self.0.iter().fold(out, |out, tag| out.tag(*tag))
    }
}

impl<'a> Decode<'a> for Tags {
    fn merge(&mut self, mut input: Reader<'a>, ctx: &mut Context<'a>) -> Result<(), DecodeError> {
        while let Some(tag) = input.tag(ctx)? {
            self.0.push(tag);
        }
        Ok(())
    }
}

/// Decodes bytes as varints, and as tags.
///
/// # Panics
///
/// If the reference decodes other numbers, or they are encoded differently.
pub fn check(bytes: &[u8]) {
    let numbers = Numbers::decode(bytes).map_err(|error| error.kind().clone());
    assert_eq!(numbers, reference(bytes).map(|found| Numbers(found.iter().map(|one| one.0).collect())));
    if let Ok(numbers) = numbers {
        assert_eq!(
            numbers.encode_to_vec(),
            numbers.0.iter().flat_map(|one| encoded(*one)).collect::<Vec<_>>()
        );
        for number in numbers.0 {
            let signed = number.cast_signed();
            assert_eq!(varint::unzigzag64(varint::zigzag64(signed)), signed);
        }
    }
    let tags = Tags::decode(bytes).map_err(|error| error.kind().clone());
    assert_eq!(tags, tags_of(bytes).map(Tags));
    if let Ok(tags) = tags {
        let expected: Vec<u8> = tags.0.iter().flat_map(|tag| encoded(u64::from(*tag))).collect();
        assert_eq!(tags.encode_to_vec(), expected);
    }
}

/// Returns each number with its length in bytes.
fn reference(bytes: &[u8]) -> Result<Vec<(u64, usize)>, DecodeErrorKind> {
    let mut numbers = Vec::new();
    let (mut value, mut len) = (0u128, 0);
    for byte in bytes {
        value |= u128::from(byte & 0x7f) << (7 * len);
        len += 1;
        if byte & 0x80 == 0 {
            numbers.push((u64::try_from(value & u128::from(u64::MAX)).unwrap_or_default(), len));
            (value, len) = (0, 0);
        } else if len == varint::MAX_LEN {
            return Err(DecodeErrorKind::InvalidVarint);
        }
    }
    if len == 0 { Ok(numbers) } else { Err(DecodeErrorKind::Truncated) }
}

/// Returns the numbers as tags, which have 32 bits and at most five bytes, or the first fault.
fn tags_of(bytes: &[u8]) -> Result<Vec<u32>, DecodeErrorKind> {
    let mut tags = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| byte & 0x80 == 0).map_or(rest.len(), |last| last + 1);
        let found = reference(&rest[..end.min(varint::MAX_LEN)])?;
        for (number, len) in found {
            match u32::try_from(number) {
                Ok(tag) if len <= 5 => tags.push(tag),
                _ => return Err(DecodeErrorKind::InvalidTag),
            }
        }
        rest = &rest[end..];
    }
    Ok(tags)
}

/// Returns the encoded form of a number.
fn encoded(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number /= 128;
    }
    bytes.push((number & 0x7f) as u8);
    bytes
}
