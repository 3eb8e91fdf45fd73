//! The reader cursor: protobuf's primitives out of contiguous memory.
//!
//! Frames are length-prefixed, so a message is always whole in memory, and
//! there is no second path for pieces. Invariant: `cursor..end` is readable for
//! `'a`, and `cursor <= end`. A [`Context`] holds the whole input; it is not
//! taken for granted that a reader, or bytes, are of the same one.
//!
//! A reader is two words, so that it is passed in registers: a third one, built
//! in memory word by word and copied from there at once, made each nested
//! message wait for it (measured: a third of the time of rows of cells).

use std::marker::PhantomData;

use super::{Context, growth};
use crate::error::{DecodeError, DecodeErrorKind};

/// The bits of eight bytes that say that a varint goes on.
const CONTINUES: u64 = 0x8080_8080_8080_8080;

/// Reads the fields of one message.
///
/// Made by the functions that decode a message; an implementation of
/// [`Decode`](crate::Decode) takes its fields from it until it is empty.
#[derive(Clone)]
pub struct Reader<'a> {
    cursor: *const u8,
    end: *const u8,
    input: PhantomData<&'a [u8]>,
}

impl<'a> Reader<'a> {
    /// A reader of all of `input`.
    #[inline]
    pub(super) fn new(input: &'a [u8]) -> Self {
        let range = input.as_ptr_range();
        Self { cursor: range.start, end: range.end, input: PhantomData }
    }

    /// Where it stands, as an address.
    pub(super) fn address(&self) -> usize {
        self.cursor as usize
    }

    /// How many bytes are left.
    #[inline]
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.end as usize - self.cursor as usize
    }

    #[inline]
    fn is_empty(&self) -> bool {
        self.cursor == self.end
    }

    /// Hands itself over, and goes on from where it comes back.
    ///
    /// A reader of which a function that is not inlined has the address stands
    /// in memory, and each field waits there for the one before it; one that is
    /// passed by value stays in registers.
    #[inline]
    pub(super) fn lend(
        &mut self,
        read: impl FnOnce(Self) -> Result<Self, DecodeError>,
    ) -> Result<(), DecodeError> {
        *self = read(self.clone())?;
        Ok(())
    }

    /// The next field's tag, number and wire type in one; `None` at the end.
    ///
    /// # Errors
    ///
    /// If the input ends within it, or it is no tag.
    #[inline]
    pub fn tag(&mut self, ctx: &Context<'a>) -> Result<Option<u32>, DecodeError> {
        if self.is_empty() {
            return Ok(None);
        }
        // SAFETY: one byte is left, as was just checked.
        let first = unsafe { *self.cursor };
        if first < 0x80 {
            // SAFETY: as above.
            self.cursor = unsafe { self.cursor.add(1) };
            return Ok(Some(u32::from(first)));
        }
        if self.remaining() >= 2 {
            // SAFETY: two bytes are left.
            let second = unsafe { *self.cursor.add(1) };
            if second < 0x80 {
                // SAFETY: as above.
                self.cursor = unsafe { self.cursor.add(2) };
                return Ok(Some(u32::from(first & 0x7f) | u32::from(second) << 7));
            }
        }
        let (tag, cursor) = long_varint(self.cursor, self.end);
        let len = cursor as usize - self.cursor as usize;
        // Overlong ones have as many bytes at the most as 32 bits may take.
        match u32::try_from(tag) {
            Ok(tag) if (1..=super::context::MAX_TAG).contains(&len) => {
                self.cursor = cursor;
                Ok(Some(tag))
            }
            _ if len == 0 => Err(self.no_varint(ctx)),
            _ => Err(ctx.fail(self, DecodeErrorKind::InvalidTag)),
        }
    }

    /// Whether the next bytes are the constant `tag`; takes them if so. Keeps
    /// runs of one repeated field in a loop of their own.
    #[inline]
    pub(crate) fn take_tag(&mut self, tag: u32) -> bool {
        let [low, high, ..] = tag.to_le_bytes();
        if tag < 0x80 {
            // SAFETY: the byte is only read if one is left.
            let same = !self.is_empty() && unsafe { *self.cursor } == low;
            if same {
                // SAFETY: one byte is left.
                self.cursor = unsafe { self.cursor.add(1) };
            }
            return same;
        }
        if tag >= 0x4000 || self.remaining() < 2 {
            return false;
        }
        let expected = [low | 0x80, high << 1 | low >> 7];
        // SAFETY: two bytes are left.
        let same = unsafe { self.cursor.cast::<[u8; 2]>().read() } == expected;
        if same {
            // SAFETY: as above.
            self.cursor = unsafe { self.cursor.add(2) };
        }
        same
    }

    /// How many values follow, the next of which has had its tag read, and the
    /// others have the same. Values of 128 bytes and more end the count.
    pub(crate) fn count_delimited(&self, tag: u32) -> usize {
        let mut reader = self.clone();
        let mut count = 0;
        loop {
            count += 1;
            if reader.is_empty() {
                return count;
            }
            // SAFETY: one byte is left.
            let len = unsafe { *reader.cursor } as usize;
            if len >= 0x80 || len + 1 > reader.remaining() {
                return count;
            }
            // SAFETY: as was just checked.
            reader.cursor = unsafe { reader.cursor.add(1 + len) };
            if !reader.take_tag(tag) {
                return count;
            }
        }
    }

    /// A varint.
    ///
    /// # Errors
    ///
    /// If the input ends within it, or it has more than ten bytes.
    #[inline]
    pub fn varint(&mut self, ctx: &Context<'a>) -> Result<u64, DecodeError> {
        if !self.is_empty() {
            // SAFETY: one byte is left.
            let first = unsafe { *self.cursor };
            if first < 0x80 {
                // SAFETY: as above.
                self.cursor = unsafe { self.cursor.add(1) };
                return Ok(u64::from(first));
            }
        }
        let (value, cursor) = long_varint(self.cursor, self.end);
        if cursor == self.cursor {
            return Err(self.no_varint(ctx));
        }
        self.cursor = cursor;
        Ok(value)
    }

    /// What is wrong with what is no varint.
    #[cold]
    fn no_varint(&self, ctx: &Context<'a>) -> DecodeError {
        let (left, kind) = match self.remaining() {
            left @ 0..crate::varint::MAX_LEN => (left, DecodeErrorKind::Truncated),
            _ => (crate::varint::MAX_LEN, DecodeErrorKind::InvalidVarint),
        };
        // SAFETY: so many bytes are left.
        let at = unsafe { self.cursor.add(left) };
        ctx.fail(&Reader { cursor: at, ..self.clone() }, kind)
    }

    /// A packed run of varints, which are made values.
    ///
    /// # Errors
    ///
    /// If the input ends within it, one of them is malformed, or they take too
    /// much memory.
    pub(super) fn packed_varints<V: Copy + Default>(
        &mut self,
        values: &mut Vec<V>,
        of: impl Fn(u64) -> V,
        ctx: &mut Context<'a>,
    ) -> Result<(), DecodeError> {
        let mut run = self.nested(ctx)?;
        let count = count_ends(run.rest_of());
        for value in growth::places(values, count, &run, ctx)? {
            *value = of(run.varint_of_run(ctx)?);
        }
        if run.is_empty() { Ok(()) } else { Err(run.no_varint(ctx)) }
    }

    /// A varint, most likely as long as the one before it: each length is a
    /// branch, so that the next one need not wait until this one's is known.
    #[expect(clippy::inline_always, reason = "its result, put together in memory, takes twice the time")]
    #[inline(always)]
    fn varint_of_run(&mut self, ctx: &Context<'a>) -> Result<u64, DecodeError> {
        if self.remaining() < 8 {
            return self.varint(ctx);
        }
        // SAFETY: eight bytes are left.
        let word = u64::from_le_bytes(unsafe { self.cursor.cast::<[u8; 8]>().read() });
        let (len, value) = match word & CONTINUES {
            ends if ends & 0x80 == 0 => (1, word & 0x7f),
            ends if ends & 0x8000 == 0 => (2, word & 0x7f | word >> 1 & 0x3f80),
            ends if ends & 0x80_0000 == 0 => (3, squeeze(word & 0x7f_7f7f)),
            ends if ends & 0x8000_0000 == 0 => (4, squeeze(word & 0x7f7f_7f7f)),
            ends if ends & 0x80_0000_0000 == 0 => (5, squeeze(word & 0x7f_7f7f_7f7f)),
            ends if ends & 0x8000_0000_0000 == 0 => (6, squeeze(word & 0x7f7f_7f7f_7f7f)),
            _ => return self.varint(ctx),
        };
        // SAFETY: no more than the eight bytes.
        self.cursor = unsafe { self.cursor.add(len) };
        Ok(value)
    }

    /// A packed run of values of the same length.
    ///
    /// # Errors
    ///
    /// If the input ends within it, or they take too much memory.
    pub(super) fn packed_arrays<V: Copy + Default, const N: usize>(
        &mut self,
        values: &mut Vec<V>,
        of: impl Fn([u8; N]) -> V,
        ctx: &mut Context<'a>,
    ) -> Result<(), DecodeError> {
        let mut run = self.nested(ctx)?;
        let (arrays, rest) = run.rest_of().as_chunks();
        for (value, bytes) in growth::places(values, arrays.len(), &run, ctx)?.iter_mut().zip(arrays) {
            *value = of(*bytes);
        }
        if rest.is_empty() {
            return Ok(());
        }
        run.cursor = run.end;
        Err(ctx.fail(&run, DecodeErrorKind::Truncated))
    }

    /// Bytes of a length known to the compiler.
    ///
    /// # Errors
    ///
    /// If fewer are left.
    #[inline]
    pub fn array<const N: usize>(&mut self, ctx: &Context<'a>) -> Result<[u8; N], DecodeError> {
        if self.remaining() < N {
            return Err(ctx.fail(self, DecodeErrorKind::Truncated));
        }
        // SAFETY: that many bytes are left.
        unsafe {
            let array = self.cursor.cast::<[u8; N]>().read();
            self.cursor = self.cursor.add(N);
            Ok(array)
        }
    }

    /// Takes a length and checks that so many bytes are left.
    #[inline]
    fn length(&mut self, ctx: &Context<'a>) -> Result<usize, DecodeError> {
        let len = self.varint(ctx)?;
        if len > self.remaining() as u64 {
            return Err(ctx.fail(self, DecodeErrorKind::Truncated));
        }
        #[expect(clippy::cast_possible_truncation, reason = "no more than is left")]
        Ok(len as usize)
    }

    /// A length and that many bytes.
    ///
    /// # Errors
    ///
    /// If fewer are left.
    #[inline]
    pub fn delimited(&mut self, ctx: &Context<'a>) -> Result<&'a [u8], DecodeError> {
        let len = self.length(ctx)?;
        // SAFETY: that many bytes are left, and they are readable for 'a.
        unsafe {
            let bytes = std::slice::from_raw_parts(self.cursor, len);
            self.cursor = self.cursor.add(len);
            Ok(bytes)
        }
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        let rest = self.rest_of();
        self.cursor = self.end;
        rest
    }

    /// All that is left, without taking it.
    fn rest_of(&self) -> &'a [u8] {
        // SAFETY: the bytes up to the end are readable for 'a.
        unsafe { std::slice::from_raw_parts(self.cursor, self.remaining()) }
    }

    /// A length, and a reader of that many bytes.
    ///
    /// # Errors
    ///
    /// If fewer are left.
    #[inline]
    pub(crate) fn nested(&mut self, ctx: &Context<'a>) -> Result<Reader<'a>, DecodeError> {
        let len = self.length(ctx)?;
        let start = self.cursor;
        // SAFETY: that many bytes are left.
        self.cursor = unsafe { start.add(len) };
        Ok(Reader { cursor: start, end: self.cursor, input: PhantomData })
    }

    /// A reader of a group's fields: those up to the end tag that belongs to
    /// `tag`, which was just read.
    ///
    /// # Errors
    ///
    /// If the group has no end, or nests too deep.
    pub(crate) fn group(&mut self, tag: u32, ctx: &mut Context<'a>) -> Result<Reader<'a>, DecodeError> {
        let start = self.cursor;
        // The extent is found first and read after: groups are rare, and
        // their nesting is limited.
        let end = self.pass_group(tag, ctx)?;
        Ok(Reader { cursor: start, end, input: PhantomData })
    }

    /// Passes over the value of the field whose tag was just read, and returns
    /// its bytes, tag included.
    ///
    /// # Errors
    ///
    /// If the tag or the value is malformed, or the tag is not what was read.
    pub(crate) fn skip(&mut self, tag: u32, ctx: &mut Context<'a>) -> Result<&'a [u8], DecodeError> {
        let value = self.clone();
        self.pass(tag, ctx)?;
        ctx.field(tag, &value, self).ok_or_else(|| ctx.fail(&value, DecodeErrorKind::InvalidTag))
    }

    /// Passes over the value of the field whose tag was just read.
    ///
    /// # Errors
    ///
    /// If the tag or the value is malformed.
    pub(crate) fn pass(&mut self, tag: u32, ctx: &mut Context<'a>) -> Result<(), DecodeError> {
        if tag >> 3 == 0 {
            return Err(ctx.fail(self, DecodeErrorKind::InvalidTag));
        }
        match tag & 7 {
            super::VARINT => self.varint(ctx).map(drop),
            super::FIXED64 => self.array::<8>(ctx).map(drop),
            super::DELIMITED => self.delimited(ctx).map(drop),
            super::GROUP => self.pass_group(tag, ctx).map(drop),
            super::FIXED32 => self.array::<4>(ctx).map(drop),
            super::END_GROUP => Err(ctx.fail(self, DecodeErrorKind::UnexpectedEndGroup)),
            _ => Err(ctx.fail(self, DecodeErrorKind::InvalidTag)),
        }
    }

    /// Passes over a group's fields and its end tag, and says where that began.
    fn pass_group(&mut self, tag: u32, ctx: &mut Context<'a>) -> Result<*const u8, DecodeError> {
        ctx.descend(self)?;
        loop {
            let start = self.cursor;
            match self.tag(ctx)? {
                None => return Err(ctx.fail(self, DecodeErrorKind::Truncated)),
                Some(end) if end & 7 == super::END_GROUP => {
                    if end >> 3 != tag >> 3 {
                        return Err(ctx.fail(self, DecodeErrorKind::UnexpectedEndGroup));
                    }
                    ctx.ascend();
                    return Ok(start);
                }
                Some(inner) => self.pass(inner, ctx)?,
            }
        }
    }
}

/// A varint between two pointers, and where it ends: where it begins, if it is
/// none.
///
/// Pointers are passed and returned by value, so that they stay in registers.
/// Both are a reader's.
#[inline(never)]
fn long_varint(cursor: *const u8, end: *const u8) -> (u64, *const u8) {
    let left = end as usize - cursor as usize;
    if left >= 8 {
        // SAFETY: eight bytes are left.
        let word = u64::from_le_bytes(unsafe { cursor.cast::<[u8; 8]>().read() });
        // The first byte without a continuation bit ends the varint.
        let stops = !word & CONTINUES;
        if stops != 0 {
            let bits = stops.trailing_zeros() + 1;
            // SAFETY: at most eight bytes.
            let cursor = unsafe { cursor.add(bits as usize / 8) };
            return (squeeze(word & (u64::MAX >> (64 - bits)) & !CONTINUES), cursor);
        }
    }
    let mut value = 0u64;
    for index in 0..left.min(crate::varint::MAX_LEN) {
        // SAFETY: so many bytes are left.
        let byte = unsafe { *cursor.add(index) };
        // Of the tenth byte only one bit fits; protobuf ignores the rest.
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            // SAFETY: as above.
            return (value, unsafe { cursor.add(index + 1) });
        }
    }
    (0, cursor)
}

/// How many bytes end a varint.
fn count_ends(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let (words, rest) = bytes.as_chunks::<8>();
    // A byte of its own for each of eight, which holds as many as 255.
    let count = words.chunks(255).map(|words| {
        let ends = words.iter().fold(0, |ends, word| ends + (!u64::from_le_bytes(*word) >> 7 & ONES));
        ends.to_le_bytes().map(usize::from).iter().sum::<usize>()
    });
    count.sum::<usize>() + rest.iter().filter(|&&byte| byte < 0x80).count()
}

/// Moves groups of seven bits, one in each byte, together.
#[inline]
fn squeeze(word: u64) -> u64 {
    let word = (word & 0x007f_007f_007f_007f) | (word & 0x7f00_7f00_7f00_7f00) >> 1;
    let word = (word & 0x0000_3fff_0000_3fff) | (word & 0x3fff_0000_3fff_0000) >> 2;
    (word & 0x0fff_ffff) | (word & 0x0fff_ffff_0000_0000) >> 4
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation, reason = "small numbers as test data")]
mod tests {
    use super::*;
    use crate::DecodeLimits;

    fn with<'a, T>(bytes: &'a [u8], read: impl FnOnce(&mut Reader<'a>, &mut Context<'a>) -> T) -> T {
        let (mut ctx, mut reader) = Context::new(bytes, None, &DecodeLimits::default());
        read(&mut reader, &mut ctx)
    }

    /// The reference that the word-wise reader is compared with.
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
    #[cfg_attr(miri, ignore = "takes minutes there")]
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
                    assert_eq!(reader.skip(tag, ctx).unwrap(), before);
                    let tag = reader.tag(ctx).unwrap().unwrap();
                    assert_eq!(reader.skip(tag, ctx).unwrap(), bytes);
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
            assert_eq!(*fresh.skip(0x08, ctx).unwrap_err().kind(), DecodeErrorKind::InvalidTag);
            reader.tag(ctx).unwrap();
            let mut other = reader.clone();
            assert_eq!(*other.skip(0x10, ctx).unwrap_err().kind(), DecodeErrorKind::InvalidTag);
            let mut elsewhere = Reader::new(&elsewhere);
            elsewhere.tag(ctx).unwrap();
            assert_eq!(*elsewhere.skip(0x08, ctx).unwrap_err().kind(), DecodeErrorKind::InvalidTag);
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
                Ok(Some(tag)) => reader.skip(tag, ctx).unwrap_err(),
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
}
