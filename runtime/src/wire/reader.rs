//! The reader cursor: reads protobuf's primitives from contiguous memory.
//!
//! Frames are length-prefixed, so a message is always complete in memory, and no second
//! code path for partial input exists. Invariant: `cursor..end` is readable for `'a`,
//! and `cursor <= end`. A [`Context`] describes the whole input, but nothing relies on
//! a reader, or a slice, belonging to the context that is passed with it.
//!
//! A reader is two words, so that it is passed in registers. A third word would make
//! the compiler build the reader in memory word by word and copy it as a whole, and
//! each nested message would stall on that copy (measured: a third of the time of rows
//! of cells).

mod append;
mod packed;
#[cfg(test)]
mod tests;
mod text;
mod varint;
mod whole;

use std::marker::PhantomData;

pub(super) use append::append_default;
pub(super) use text::text;
use varint::long_varint;
pub(crate) use whole::{decode, decode_part};

use super::Context;
use super::cold_path::cold_path;
use crate::error::{DecodeError, DecodeErrorKind};

/// Reads the fields of one message.
///
/// The functions that decode a message create the reader; an implementation of
/// [`Decode`](crate::Decode) reads fields from it until it is empty.
#[derive(Clone)]
pub struct Reader<'a> {
    cursor: *const u8,
    end: *const u8,
    input: PhantomData<&'a [u8]>,
}

impl<'a> Reader<'a> {
    /// Creates a reader of all of `input`.
    #[inline]
    pub(super) fn new(input: &'a [u8]) -> Self {
        let range = input.as_ptr_range();
        Self { cursor: range.start, end: range.end, input: PhantomData }
    }

    /// Returns the current position as an address.
    pub(super) fn address(&self) -> usize {
        self.cursor as usize
    }

    /// Returns how many bytes are left.
    #[inline]
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.end as usize - self.cursor as usize
    }

    #[inline]
    fn is_empty(&self) -> bool {
        self.cursor == self.end
    }

    /// Passes the reader to `read` by value, and continues from the reader that it
    /// returns.
    ///
    /// If a function that is not inlined took a reference, the reader would have to
    /// live in memory, and each field would wait for the previous one's store. Passed
    /// by value, the reader stays in registers.
    #[inline]
    pub(super) fn lend(
        &mut self,
        read: impl FnOnce(Self) -> Result<Self, DecodeError>,
    ) -> Result<(), DecodeError> {
        *self = read(self.clone())?;
        Ok(())
    }

    /// Reads the next field's tag, which combines number and wire type; `None` at the
    /// end.
    ///
    /// # Errors
    ///
    /// If the input ends within the tag, or the tag is not valid.
    #[inline]
    pub fn tag(&mut self, ctx: &Context<'a>) -> Result<Option<u32>, DecodeError> {
        if self.is_empty() {
            return Ok(None);
        }
        // SAFETY: one byte is left, as was just checked.
        let first = unsafe { *self.cursor };
        if first < 0x80 {
            // SAFETY: as above; the result is at most `end`.
            self.cursor = unsafe { self.cursor.add(1) };
            return Ok(Some(u32::from(first)));
        }
        cold_path();
        if self.remaining() >= 2 {
            // SAFETY: two bytes are left.
            let second = unsafe { *self.cursor.add(1) };
            if second < 0x80 {
                // SAFETY: as above; the result is at most `end`.
                self.cursor = unsafe { self.cursor.add(2) };
                return Ok(Some(u32::from(first & 0x7f) | u32::from(second) << 7));
            }
        }
        // SAFETY: by the reader's invariant, `cursor..end` is readable.
        let (tag, cursor) = unsafe { long_varint(self.cursor, self.end) };
        let len = cursor as usize - self.cursor as usize;
        // An overlong tag is accepted if it is no longer than a 32-bit varint may be.
        match u32::try_from(tag) {
            Ok(tag) if (1..=super::context::MAX_TAG_LEN).contains(&len) => {
                self.cursor = cursor;
                Ok(Some(tag))
            }
            _ if len == 0 => Err(self.varint_error(ctx)),
            _ => Err(ctx.fail(self, DecodeErrorKind::InvalidTag)),
        }
    }

    /// Consumes `tag` if it comes next in its shortest form, and reports whether it
    /// did. Always `false` for tags of three or more bytes. Callers pass a constant,
    /// and use this to read a run of one repeated field in an inner loop.
    #[inline]
    pub(crate) fn take_tag(&mut self, tag: u32) -> bool {
        let [low, high, ..] = tag.to_le_bytes();
        if tag < 0x80 {
            // SAFETY: the byte is only read if the reader is not empty.
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
            // SAFETY: as above; the result is at most `end`.
            self.cursor = unsafe { self.cursor.add(2) };
        }
        same
    }

    /// Counts how many consecutive length-delimited fields have this tag, including the
    /// one whose tag was just read. The count ends with the first value of 128 bytes or
    /// more.
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
            // SAFETY: `1 + len` bytes are left, as was just checked.
            reader.cursor = unsafe { reader.cursor.add(1 + len) };
            if !reader.take_tag(tag) {
                return count;
            }
        }
    }

    /// Reads a varint.
    ///
    /// # Errors
    ///
    /// If the input ends within the varint, or it has more than ten bytes.
    #[inline]
    pub fn varint(&mut self, ctx: &Context<'a>) -> Result<u64, DecodeError> {
        if !self.is_empty() {
            // SAFETY: one byte is left.
            let first = unsafe { *self.cursor };
            if first < 0x80 {
                // SAFETY: as above; the result is at most `end`.
                self.cursor = unsafe { self.cursor.add(1) };
                return Ok(u64::from(first));
            }
        }
        cold_path();
        // SAFETY: by the reader's invariant, `cursor..end` is readable.
        let (value, cursor) = unsafe { long_varint(self.cursor, self.end) };
        if cursor == self.cursor {
            return Err(self.varint_error(ctx));
        }
        self.cursor = cursor;
        Ok(value)
    }

    /// Returns the error for a varint that is truncated or too long.
    #[cold]
    fn varint_error(&self, ctx: &Context<'a>) -> DecodeError {
        let (left, kind) = match self.remaining() {
            left @ 0..crate::varint::MAX_LEN => (left, DecodeErrorKind::Truncated),
            _ => (crate::varint::MAX_LEN, DecodeErrorKind::InvalidVarint),
        };
        // SAFETY: at least `left` bytes are left.
        let at = unsafe { self.cursor.add(left) };
        ctx.fail(&Reader { cursor: at, ..self.clone() }, kind)
    }

    /// Reads `N` bytes.
    ///
    /// # Errors
    ///
    /// If fewer bytes are left.
    #[inline]
    pub fn array<const N: usize>(&mut self, ctx: &Context<'a>) -> Result<[u8; N], DecodeError> {
        if self.remaining() < N {
            return Err(ctx.fail(self, DecodeErrorKind::Truncated));
        }
        // SAFETY: `N` bytes are left, as was just checked; an array of bytes has
        // alignment 1.
        unsafe {
            let array = self.cursor.cast::<[u8; N]>().read();
            self.cursor = self.cursor.add(N);
            Ok(array)
        }
    }

    /// Reads a length and checks that as many bytes are left.
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
    /// If fewer bytes are left.
    #[inline]
    pub fn delimited(&mut self, ctx: &Context<'a>) -> Result<&'a [u8], DecodeError> {
        let len = self.length(ctx)?;
        // SAFETY: `length` has checked that `len` bytes are left, and they are readable
        // for 'a.
        unsafe {
            let bytes = std::slice::from_raw_parts(self.cursor, len);
            self.cursor = self.cursor.add(len);
            Ok(bytes)
        }
    }

    /// Takes all remaining bytes.
    pub fn rest(&mut self) -> &'a [u8] {
        let rest = self.peek_rest();
        self.cursor = self.end;
        rest
    }

    /// Returns the remaining bytes without consuming them.
    fn peek_rest(&self) -> &'a [u8] {
        // SAFETY: `cursor..end` is readable for 'a.
        unsafe { std::slice::from_raw_parts(self.cursor, self.remaining()) }
    }

    /// Reads a length, and returns a reader of as many bytes.
    ///
    /// # Errors
    ///
    /// If fewer bytes are left.
    #[inline]
    pub(crate) fn nested(&mut self, ctx: &Context<'a>) -> Result<Reader<'a>, DecodeError> {
        let len = self.length(ctx)?;
        let start = self.cursor;
        // SAFETY: `length` has checked that `len` bytes are left.
        self.cursor = unsafe { start.add(len) };
        Ok(Reader { cursor: start, end: self.cursor, input: PhantomData })
    }

    /// Returns a reader of a group's fields: those up to the end tag that matches
    /// `tag`, which was just read.
    ///
    /// # Errors
    ///
    /// If the group has no end tag, or nests too deep.
    pub(crate) fn group(&mut self, tag: u32, ctx: &mut Context<'a>) -> Result<Reader<'a>, DecodeError> {
        let start = self.cursor;
        // The group is skipped first to find its end, and then read: groups are rare,
        // and their nesting is limited.
        let end = self.skip_group(tag, ctx)?;
        Ok(Reader { cursor: start, end, input: PhantomData })
    }

    /// Skips the value of the field whose tag was just read, and returns the bytes of
    /// the whole field, including the tag.
    ///
    /// # Errors
    ///
    /// If the tag or the value is malformed, or `tag` does not precede the reader.
    pub(crate) fn skip_field(&mut self, tag: u32, ctx: &mut Context<'a>) -> Result<&'a [u8], DecodeError> {
        let value = self.clone();
        self.skip_value(tag, ctx)?;
        ctx.field(tag, &value, self).ok_or_else(|| ctx.fail(&value, DecodeErrorKind::InvalidTag))
    }

    /// Skips the value of the field whose tag was just read.
    ///
    /// # Errors
    ///
    /// If the tag or the value is malformed.
    pub(crate) fn skip_value(&mut self, tag: u32, ctx: &mut Context<'a>) -> Result<(), DecodeError> {
        if tag >> 3 == 0 {
            return Err(ctx.fail(self, DecodeErrorKind::InvalidTag));
        }
        match tag & 7 {
            super::VARINT => self.varint(ctx).map(drop),
            super::FIXED64 => self.array::<8>(ctx).map(drop),
            super::DELIMITED => self.delimited(ctx).map(drop),
            super::GROUP => self.skip_group(tag, ctx).map(drop),
            super::FIXED32 => self.array::<4>(ctx).map(drop),
            super::END_GROUP => Err(ctx.fail(self, DecodeErrorKind::UnexpectedEndGroup)),
            _ => Err(ctx.fail(self, DecodeErrorKind::InvalidTag)),
        }
    }

    /// Skips a group's fields and its end tag, and returns where the end tag began.
    fn skip_group(&mut self, tag: u32, ctx: &mut Context<'a>) -> Result<*const u8, DecodeError> {
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
                Some(inner) => self.skip_value(inner, ctx)?,
            }
        }
    }
}
