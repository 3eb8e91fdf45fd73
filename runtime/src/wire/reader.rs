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

mod packed;
#[cfg(test)]
mod tests;
mod text;
mod varint;

use std::marker::PhantomData;

pub(super) use text::text;
use varint::long_varint;

use super::Context;
use crate::error::{DecodeError, DecodeErrorKind};

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

    /// The next field's tag, which is number and wire type in one; `None` at the end.
    ///
    /// # Errors
    ///
    /// If the input ends within it, or it is not a valid tag.
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

    /// Whether the next bytes are `tag`, which is a constant; takes them if so. With it,
    /// runs of one repeated field are read in a loop of their own.
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

    /// Reads a length and that many bytes, and returns the bytes.
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

    /// Takes all bytes that are left.
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

    /// Skips the value of the field whose tag was just read, and returns its bytes,
    /// including the tag.
    ///
    /// # Errors
    ///
    /// If the tag or the value is malformed, or the tag is not what was read.
    pub(crate) fn skip(&mut self, tag: u32, ctx: &mut Context<'a>) -> Result<&'a [u8], DecodeError> {
        let value = self.clone();
        self.pass(tag, ctx)?;
        ctx.field(tag, &value, self).ok_or_else(|| ctx.fail(&value, DecodeErrorKind::InvalidTag))
    }

    /// Skips the value of the field whose tag was just read.
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
