//! Compares the cursors with plain references, which index slices and push to vectors.
//!
//! Invariant: the references are safe code, and work byte by byte.

use std::borrow::Cow;

use super::encode_buffer::{EncodeBuffer, LargeValue};
use super::{Context, Reader, Writer};
use crate::dice::Dice;
use crate::error::DecodeErrorKind;
use crate::{Blob, DecodeLimits};

/// A reader that indexes a slice.
#[derive(Clone)]
struct Plain<'a> {
    left: &'a [u8],
    /// The bytes that were left before the last tag was read.
    mark: &'a [u8],
}

type Read<T> = Result<T, DecodeErrorKind>;

impl<'a> Plain<'a> {
    fn byte(&mut self) -> Read<u8> {
        let (first, rest) = self.left.split_first().ok_or(DecodeErrorKind::Truncated)?;
        self.left = rest;
        Ok(*first)
    }

    fn take(&mut self, count: usize) -> Read<&'a [u8]> {
        let (taken, rest) = self.left.split_at_checked(count).ok_or(DecodeErrorKind::Truncated)?;
        self.left = rest;
        Ok(taken)
    }

    fn varint(&mut self) -> Read<u64> {
        let mut value = 0u128;
        for index in 0..10 {
            let byte = self.byte()?;
            value |= u128::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                return Ok(u64::try_from(value & u128::from(u64::MAX)).unwrap());
            }
        }
        Err(DecodeErrorKind::InvalidVarint)
    }

    fn tag(&mut self) -> Read<Option<u32>> {
        self.mark = self.left;
        if self.left.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let len = self.mark.len() - self.left.len();
        u32::try_from(tag).ok().filter(|_| len <= 5).map(Some).ok_or(DecodeErrorKind::InvalidTag)
    }

    fn delimited(&mut self) -> Read<&'a [u8]> {
        let len = self.varint()?;
        self.take(usize::try_from(len).unwrap_or(usize::MAX))
    }

    fn skip(&mut self, tag: u32) -> Read<&'a [u8]> {
        let start = self.mark;
        self.skip_value(tag)?;
        Ok(&start[..start.len() - self.left.len()])
    }

    fn skip_value(&mut self, tag: u32) -> Read<()> {
        if tag >> 3 == 0 {
            return Err(DecodeErrorKind::InvalidTag);
        }
        match tag & 7 {
            0 => self.varint().map(drop),
            1 => self.take(8).map(drop),
            2 => self.delimited().map(drop),
            3 => loop {
                match self.tag()? {
                    None => return Err(DecodeErrorKind::Truncated),
                    Some(end) if end & 7 == 4 && end >> 3 == tag >> 3 => return Ok(()),
                    Some(end) if end & 7 == 4 => return Err(DecodeErrorKind::UnexpectedEndGroup),
                    Some(inner) => self.skip_value(inner)?,
                }
            },
            4 => Err(DecodeErrorKind::UnexpectedEndGroup),
            5 => self.take(4).map(drop),
            _ => Err(DecodeErrorKind::InvalidTag),
        }
    }

    /// Consumes the tag in its shortest form, if that has one or two bytes.
    fn take_tag(&mut self, tag: u32) -> bool {
        let bytes = varint(tag.into());
        let same = bytes.len() <= 2 && self.left.starts_with(&bytes);
        if same {
            self.mark = self.left;
            self.left = &self.left[bytes.len()..];
        }
        same
    }

    fn count_delimited(&self, tag: u32) -> usize {
        let mut reader = self.clone();
        let mut count = 1;
        while reader.left.first().is_some_and(|len| *len < 0x80)
            && reader.delimited().is_ok()
            && reader.take_tag(tag)
        {
            count += 1;
        }
        count
    }
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(value % 128).unwrap();
        value /= 128;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// Returns bytes with many tags, short lengths and parts of long numbers.
fn fields(dice: &mut Dice) -> Vec<u8> {
    let len = dice.below(60);
    let likely = [0x08, 0x0a, 0x0b, 0x0c, 0x0d, 0x09, 0x82, 0x01, 0x80, 0xff, 0, 1, 2, 3];
    (0..len).map(|_| if dice.below(4) > 0 { dice.one_of(&likely) } else { dice.bytes(1)[0] }).collect()
}

/// Performs the same random operations on both readers, until one fails or both are at
/// the end.
fn compare<'a>(ours: &mut Reader<'a>, plain: &mut Plain<'a>, ctx: &mut Context<'a>, dice: &mut Dice) {
    const TAGS: [u32; 4] = [0x0a, 0x08, 0x82, 0x0802];
    while !plain.left.is_empty() {
        let kind = |error: crate::DecodeError| error.kind().clone();
        let tag = dice.one_of(&TAGS);
        assert_eq!(ours.count_delimited(tag), plain.count_delimited(tag));
        let failed = match dice.below(8) {
            0 => same(ours.varint(ctx).map_err(kind), plain.varint()).is_none(),
            1 => same(ours.delimited(ctx).map_err(kind), plain.delimited()).is_none(),
            2 => {
                let array = plain.take(4).map(|bytes| <[u8; 4]>::try_from(bytes).unwrap());
                same(ours.array::<4>(ctx).map_err(kind), array).is_none()
            }
            3 => {
                assert_eq!(ours.take_tag(tag), plain.take_tag(tag));
                false
            }
            4 => {
                let (mark, nested) = (plain.mark, plain.delimited());
                match (ours.nested(ctx).map_err(kind), nested) {
                    (Ok(mut inner), Ok(bytes)) => {
                        compare(&mut inner, &mut Plain { left: bytes, mark }, ctx, dice);
                        false
                    }
                    (ours, nested) => {
                        assert_eq!(ours.err(), nested.err());
                        true
                    }
                }
            }
            5 => {
                assert_eq!(ours.clone().rest(), plain.left);
                false
            }
            _ => match same(ours.tag(ctx).map_err(kind), plain.tag()).flatten() {
                None => true,
                Some(tag) => same(ours.skip_field(tag, ctx).map_err(kind), plain.skip(tag)).is_none(),
            },
        };
        if failed {
            return;
        }
        assert_eq!(ours.remaining(), plain.left.len());
    }
}

/// Returns the result of both, if it is not an error.
fn same<T: PartialEq + std::fmt::Debug>(ours: Read<T>, plain: Read<T>) -> Option<T> {
    assert_eq!(ours, plain);
    plain.and(ours).ok()
}

#[test]
fn readers_read_what_a_plain_one_reads() {
    let mut dice = Dice::new(1);
    for _ in 0..Dice::times(100_000) {
        let bytes = fields(&mut dice);
        let (mut ctx, mut ours) = Context::new(&bytes, None, &DecodeLimits::DEFAULT);
        compare(&mut ours, &mut Plain { left: &bytes, mark: &bytes }, &mut ctx, &mut dice);
    }
}

/// Inserts large values where they belong.
fn insert_large(bytes: &[u8], large: &[LargeValue]) -> Vec<u8> {
    let mut whole = Vec::new();
    let mut from = 0;
    for LargeValue { offset, blob } in large {
        whole.extend_from_slice(&bytes[from..*offset]);
        whole.extend_from_slice(blob);
        from = *offset;
    }
    whole.extend_from_slice(&bytes[from..]);
    whole
}

#[test]
fn writers_write_what_a_plain_one_writes() {
    const LENGTHS: &[usize] =
        &[0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 22, 23, 24, 31, 32, 33, 200, 16383, 16384, 20000];
    let mut dice = Dice::new(2);
    for _ in 0..Dice::times(3_000) {
        let values: Vec<(usize, u64, Blob)> = (0..dice.below(20))
            .map(|_| {
                // Few large ones, since they are slow to create.
                let lengths = if dice.below(20) > 0 { &LENGTHS[..17] } else { LENGTHS };
                let value = dice.word() >> dice.below(64);
                (dice.below(6), value, Blob::from(dice.bytes_of(lengths)))
            })
            .collect();
        let mut expected = Vec::new();
        for (how, value, blob) in &values {
            match how {
                0 => expected.extend(varint(*value)),
                1 => expected.extend(varint(*value & 0xffff_ffff)),
                2 => expected.extend(value.to_le_bytes()),
                3 => expected.extend_from_slice(blob),
                _ => expected.extend([&varint(blob.len() as u64), &blob[..]].concat()),
            }
        }
        assert_encodes(&mut dice, &expected, |mut out| {
            for (how, value, blob) in &values {
                out = match how {
                    0 => out.varint(*value),
                    1 => out.tag(u32::try_from(*value & 0xffff_ffff).unwrap()),
                    2 => out.array(value.to_le_bytes()),
                    3 => out.raw(blob),
                    4 => out.delimited(blob),
                    _ => out.blob(blob),
                }
            }
            out
        });
    }
}

/// A message to write: values, and nested messages.
struct Tree {
    tag: u32,
    value: Blob,
    /// The lower bound of the length that it reports.
    at_least: usize,
    children: Vec<Tree>,
}

impl Tree {
    fn random(dice: &mut Dice, depth: usize) -> Self {
        const LENGTHS: &[usize] =
            &[0, 1, 5, 22, 23, 24, 33, 100, 120, 126, 127, 128, 300, 16_380, 16_384, 20_000];
        let children = if depth == 0 { 0 } else { dice.below(5) };
        let children: Vec<Tree> = (0..children).map(|_| Self::random(dice, depth - 1)).collect();
        let lengths = if dice.below(30) > 0 { &LENGTHS[..13] } else { LENGTHS };
        let value = Blob::from(dice.bytes_of(lengths));
        let at_least = dice.one_of(&[0, value.len(), value.len() + 1]);
        Self { tag: dice.one_of(&[0x0a, 0x7a, 0x82, 0x7ffa, 0x7fff_fffa]), value, at_least, children }
    }

    /// Returns the encoded message, built from the inside out.
    fn encode_plain(&self) -> Vec<u8> {
        let mut body = varint(self.tag.into());
        body.extend(varint(self.value.len() as u64));
        body.extend_from_slice(&self.value);
        for tree in &self.children {
            let inner = tree.encode_plain();
            body.extend(varint(tree.tag.into()));
            body.extend(varint(inner.len() as u64));
            body.extend(inner);
        }
        body
    }

    fn write<'w>(&self, out: Writer<'w>) -> Writer<'w> {
        let mut out = out.blob_field(self.tag, &self.value);
        for tree in &self.children {
            let (inner, mark) = out.open(tree.tag, tree.at_least);
            out = tree.write(inner).close(mark);
        }
        out
    }
}

#[test]
fn prefixes_of_nested_messages_are_as_wide_as_they_need() {
    let mut dice = Dice::new(4);
    for round in 0..Dice::times(3_000) {
        let tree = Tree::random(&mut dice, round % 6);
        assert_encodes(&mut dice, &tree.encode_plain(), |out| tree.write(out));
    }
}

#[test]
fn a_prefix_with_too_high_a_lower_bound_is_overlong() {
    let written = Writer::collect("", 0, |out| {
        let (out, mark) = out.open(0x0a, 20_000);
        out.byte(7).close(mark)
    });
    assert_eq!(written, [0x0a, 0x81, 0x80, 0x00, 7]);
}

/// Checks that the output is as expected, for each kind of destination.
fn assert_encodes(dice: &mut Dice, expected: &[u8], write: impl for<'w> Fn(Writer<'w>) -> Writer<'w>) {
    let before = dice.bytes_of(&[0, 1, 39]);
    let mut buffer = Vec::with_capacity(before.len() + dice.below(2 * expected.len() + 1));
    buffer.extend_from_slice(&before);
    let max = crate::message::MAX_LEN;
    let large = EncodeBuffer::lend(&mut buffer, |output| Writer::append(output, |_| [], [], max, &write));
    assert_eq!(large, Ok(false));
    assert_eq!(buffer, [&before[..], expected].concat());
    assert_eq!(Writer::collect("", dice.below(100), &write), expected);
    assert_eq!(Writer::count(&write), expected.len() as u64);
    let mut frames = EncodeBuffer::for_frames();
    frames.buffer.extend_from_slice(&before);
    let has_large = Writer::append(&mut frames, usize::to_be_bytes, [1, 2], max, &write);
    let large: Vec<LargeValue> = frames.take_large().collect();
    assert_eq!(has_large, Ok(!large.is_empty()));
    let header = &expected.len().to_be_bytes();
    assert_eq!(insert_large(&frames.buffer, &large), [&before[..], header, &[1, 2], expected].concat());
}

#[test]
fn blobs_of_an_input_are_its_bytes() {
    let mut dice = Dice::new(3);
    for _ in 0..Dice::times(20_000) {
        let len = dice.one_of(&[0, 10, 23, 24, 25, 60, 600, 3000]);
        let before = dice.one_of(&[0, 3, 600]);
        let source = Blob::from(dice.bytes(before + len)).slice(before..);
        let with = if dice.below(2) == 0 { None } else { Some(&source) };
        let (mut ctx, _) = Context::new(&source, with, &DecodeLimits::DEFAULT);
        for _ in 0..5 {
            let start = dice.below(len + 1);
            let end = start + dice.below(len - start + 1);
            let part = Cow::Borrowed(&source[start..end]);
            assert_eq!(ctx.blob(&source[start..end]), *part);
        }
    }
}
