//! The reader on its own: malformed fields, and the errors that it reports for them.

#![allow(clippy::cast_possible_truncation, reason = "small numbers as test data")]

use super::*;
use crate::DecodeLimits;

fn with<'a, T>(bytes: &'a [u8], read: impl FnOnce(&mut Reader<'a>, &mut Context<'a>) -> T) -> T {
    let (mut ctx, mut reader) = Context::new(bytes, None, &DecodeLimits::default());
    read(&mut reader, &mut ctx)
}

/// The byte-wise reference that the word-wise reader is compared with.
fn reference(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0u128;
    for (index, byte) in bytes.iter().enumerate().take(10) {
        value |= u128::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value as u64, index + 1));
        }
    }
    None
}

#[test]
#[cfg_attr(miri, ignore = "takes minutes under Miri")]
fn varints_agree_with_the_reference() {
    // Every pattern of continuation bits, over every length of input.
    for pattern in 0..4096u32 {
        for len in 0..=12usize {
            let bytes: Vec<u8> = (0..len)
                .map(|index| {
                    let byte = (index as u8).wrapping_mul(37).wrapping_add(pattern as u8) & 0x7f;
                    byte | if pattern >> index & 1 == 1 { 0x80 } else { 0 }
                })
                .collect();
            let got = with(&bytes, |reader, ctx| {
                reader.varint(ctx).ok().map(|value| (value, bytes.len() - reader.remaining()))
            });
            assert_eq!(got, reference(&bytes), "{bytes:02x?}");
        }
    }
}

#[test]
fn tags_are_taken_only_when_they_are_the_same() {
    for tag in [0x0a, 0x7a, 0x82, 0xc0, 0x3ffa] {
        let bytes = super::super::Writer::collect("", 0, |out| out.tag(tag));
        assert!(with(&bytes, |reader, _| reader.take_tag(tag) && reader.remaining() == 0));
        assert!(!with(&bytes, |reader, _| reader.take_tag(tag ^ 8)));
        assert!(!with(&bytes[1..], |reader, _| reader.take_tag(tag)));
        assert_eq!(with(&bytes, |reader, ctx| reader.tag(ctx).ok().flatten()), Some(tag));
    }
}

#[test]
fn skipping_gives_the_bytes_verbatim_overlong_tags_too() {
    for bytes in [
        &[0x08, 0x96, 0x01][..],
        &[0x88, 0x00, 0x01],
        &[0x88, 0x80, 0x80, 0x80, 0x00, 0x01],
        &[0xd2, 0x89, 0x80, 0x00, 0x01, 0xff],
        &[0x0a, 0x02, 1, 2],
        &[0x0d, 1, 2, 3, 4],
        &[0x09, 1, 2, 3, 4, 5, 6, 7, 8],
        &[0x0b, 0x10, 1, 0x13, 0x14, 0x0c],
    ] {
        for before in [&[0x08, 0x01][..], &[0x08, 0x88, 0x00], &[0x0a, 0x03, 0x88, 0x88, 0x88]] {
            let whole = [before, bytes, &[0x18, 1]].concat();
            with(&whole, |reader, ctx| {
                let tag = reader.tag(ctx).unwrap().unwrap();
                assert_eq!(reader.skip_field(tag, ctx).unwrap(), before);
                let tag = reader.tag(ctx).unwrap().unwrap();
                assert_eq!(reader.skip_field(tag, ctx).unwrap(), bytes);
                assert_eq!(reader.remaining(), 2);
            });
        }
    }
}

#[test]
fn a_tag_that_was_not_read_is_refused() {
    let (bytes, elsewhere) = ([0x08, 1, 2, 3], [0x08, 1]);
    with(&bytes, |reader, ctx| {
        let mut fresh = reader.clone();
        assert_eq!(*fresh.skip_field(0x08, ctx).unwrap_err().kind(), DecodeErrorKind::InvalidTag);
        reader.tag(ctx).unwrap();
        let mut other = reader.clone();
        assert_eq!(*other.skip_field(0x10, ctx).unwrap_err().kind(), DecodeErrorKind::InvalidTag);
        let mut elsewhere = Reader::new(&elsewhere);
        elsewhere.tag(ctx).unwrap();
        assert_eq!(*elsewhere.skip_field(0x08, ctx).unwrap_err().kind(), DecodeErrorKind::InvalidTag);
    });
}

#[test]
fn tags_have_five_bytes_at_the_most() {
    for zeros in 0..=8 {
        let bytes = [&[0x88][..], &vec![0x80; zeros], &[0x00, 0xd2, 0x09]].concat();
        let tag = with(&bytes, |reader, ctx| reader.tag(ctx));
        match tag {
            Ok(tag) => assert!(zeros <= 3 && tag == Some(0x08), "{bytes:02x?}"),
            Err(error) => {
                assert!(zeros > 3, "{bytes:02x?}");
                assert_eq!(*error.kind(), DecodeErrorKind::InvalidTag);
            }
        }
    }
}

#[test]
fn malformed_fields_are_refused() {
    use DecodeErrorKind::{InvalidTag, TooDeep, Truncated, UnexpectedEndGroup};
    let deep = [0x0b; 200];
    for (bytes, kind) in [
        (&[0x0c][..], UnexpectedEndGroup),
        (&[0x0b, 0x14], UnexpectedEndGroup),
        (&[0x0b, 0x10, 1], Truncated),
        (&[0x0e], InvalidTag),
        (&[0x00, 1], InvalidTag),
        (&[0x0a, 5, 1], Truncated),
        (&[0x0d, 1, 2], Truncated),
        (&[0x08, 0x80], Truncated),
        (&[0xff, 0xff, 0xff, 0xff, 0xff, 0x01], InvalidTag),
        (&deep, TooDeep),
    ] {
        let error = with(bytes, |reader, ctx| match reader.tag(ctx) {
            Ok(Some(tag)) => reader.skip_field(tag, ctx).unwrap_err(),
            Ok(None) => panic!("a field is there"),
            Err(error) => error,
        });
        assert_eq!(*error.kind(), kind, "{bytes:02x?}");
    }
}

#[test]
fn blobs_can_be_made_of_bytes_from_elsewhere() {
    let bytes = [7; 64];
    with(&bytes, |_, ctx| {
        assert_eq!(ctx.blob(&[]), []);
        assert_eq!(ctx.blob(b"x"), b"x");
        assert_eq!(ctx.blob(&[1; 1000]), [1; 1000]);
    });
}
