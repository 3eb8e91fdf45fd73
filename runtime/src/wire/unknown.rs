//! Fields that the schema does not know: kept byte for byte, or skipped.
//!
//! Invariant: only whole fields are kept, with tag and value and in their original
//! order, so that writing them back at the end of a message loses nothing.

use std::borrow::Cow;
use std::fmt;

use super::{Context, Reader, Reads, Text, Writer};
use crate::debug;
use crate::error::DecodeError;

/// The destination of fields that the schema does not know.
#[diagnostic::on_unimplemented(
    message = "`{Self}` keeps no unknown fields",
    note = "a member with `#[riak(unknown)]` is a `riak_runtime::wire::UnknownFields`, or an \
            `UnknownFieldsRef<'a>` in a type that borrows"
)]
pub trait KeepUnknown<'a> {
    /// Keeps a field that is part of the input.
    fn keep(&mut self, field: &'a [u8]);

    /// Returns how many bytes of memory [`keep_made`](KeepUnknown::keep_made) may take
    /// for a field of `len` bytes.
    fn size_of_made(&self, len: usize) -> usize;

    /// Keeps a field that was encoded anew, and is no part of the input.
    fn keep_made(&mut self, field: &[u8]);
}

/// The size of an entry in a list of borrowed fields, with space to grow.
const ENTRY: usize = 2 * size_of::<Cow<'_, [u8]>>();

/// The smallest capacity of a vector of bytes.
const MIN_CAPACITY: usize = 8;

/// Reads a field whose tag the message does not know.
///
/// # Errors
///
/// If the tag or the value is malformed.
#[inline]
pub fn read_unknown<'a>(
    tag: u32,
    unknown: &mut impl KeepUnknown<'a>,
    input: &mut Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    input.lend(|input| keep(tag, unknown, input, ctx))
}

/// Keeps the field whose tag was just read, and returns the reader positioned after it.
#[cold]
#[inline(never)]
pub(super) fn keep<'a>(
    tag: u32,
    unknown: &mut impl KeepUnknown<'a>,
    mut input: Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<Reader<'a>, DecodeError> {
    ctx.charge(ENTRY, &input)?;
    unknown.keep(input.skip_field(tag, ctx)?);
    Ok(input)
}

/// Reads an extension of type `string`: kept like an unknown field, but only if it is
/// UTF-8.
///
/// # Errors
///
/// As for [`read_unknown`]; also if the value is not UTF-8.
#[inline]
pub fn read_unknown_text<'a>(
    tag: u32,
    unknown: &mut impl KeepUnknown<'a>,
    input: &mut Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    input.lend(|input| {
        <Text as Reads<&str>>::read(&mut input.clone(), ctx)?;
        keep(tag, unknown, input, ctx)
    })
}

/// Discards unknown fields.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Ignore;

impl<'a> KeepUnknown<'a> for Ignore {
    fn keep(&mut self, _field: &'a [u8]) {}

    fn size_of_made(&self, _len: usize) -> usize {
        0
    }

    fn keep_made(&mut self, _field: &[u8]) {}
}

/// The unknown fields of an owned message. Takes one word, and no heap memory while
/// there are none.
#[derive(Default, Clone, PartialEq, Eq, Hash)]
#[expect(clippy::box_collection, reason = "one word where a vector is three")]
pub struct UnknownFields(Option<Box<Vec<u8>>>);

impl UnknownFields {
    /// Creates an empty list.
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self(None)
    }

    /// Reports whether there are no unknown fields.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many bytes the fields take.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |bytes| bytes.len())
    }

    /// Returns the original bytes of the fields, including tags.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], |bytes| bytes)
    }

    /// Appends encoded fields, including tags. They are not checked.
    pub fn push(&mut self, fields: &[u8]) {
        if !fields.is_empty() {
            self.0.get_or_insert_default().extend_from_slice(fields);
        }
    }

    /// Writes the fields.
    #[inline]
    pub fn put<'w>(&self, out: Writer<'w>) -> Writer<'w> {
        match &self.0 {
            Some(bytes) => put_kept(bytes, out),
            None => out,
        }
    }
}

/// Writes what is kept. Most messages have no unknown fields: not inlined, this costs each of
/// them no more than a test (measured on nested maps: a twentieth of the time of encoding).
#[cold]
#[inline(never)]
fn put_kept<'w>(kept: &[u8], out: Writer<'w>) -> Writer<'w> {
    out.raw(kept)
}

/// As [`put_kept`], for fields that are kept one by one.
#[cold]
#[inline(never)]
fn put_each<'w>(kept: &[Cow<'_, [u8]>], out: Writer<'w>) -> Writer<'w> {
    kept.iter().fold(out, |out, field| out.raw(field))
}

impl<'a> KeepUnknown<'a> for UnknownFields {
    fn keep(&mut self, field: &'a [u8]) {
        self.push(field);
    }

    /// The vector doubles when it is full.
    fn size_of_made(&self, len: usize) -> usize {
        2 * len
    }

    fn keep_made(&mut self, field: &[u8]) {
        self.push(field);
    }
}

impl fmt::Debug for UnknownFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug::Bytes(self.as_bytes()).fmt(f)
    }
}

/// The unknown fields of a borrowed message: slices of its input.
#[derive(Default, Clone)]
#[expect(clippy::box_collection, reason = "one word where a vector is three")]
pub struct UnknownFieldsRef<'a>(Option<Box<Vec<Cow<'a, [u8]>>>>);

impl UnknownFieldsRef<'_> {
    /// Creates an empty list.
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self(None)
    }

    /// Reports whether there are no unknown fields.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Returns how many bytes the fields take.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |fields| fields.iter().map(|field| field.len()).sum())
    }

    /// Returns the original bytes of the fields, including tags, in order. Fields that
    /// were kept as numbers that a closed enum does not know are one item if they follow
    /// each other.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().flat_map(|fields| fields.iter().map(AsRef::as_ref))
    }

    /// Writes the fields.
    #[inline]
    pub fn put<'w>(&self, out: Writer<'w>) -> Writer<'w> {
        match &self.0 {
            Some(fields) => put_each(fields, out),
            None => out,
        }
    }

    /// Returns the same fields in their owned form.
    #[must_use]
    pub fn owned(&self) -> UnknownFields {
        let mut owned = UnknownFields::new();
        self.iter().for_each(|field| owned.push(field));
        owned
    }
}

impl<'a> KeepUnknown<'a> for UnknownFieldsRef<'a> {
    fn keep(&mut self, field: &'a [u8]) {
        self.0.get_or_insert_default().push(Cow::Borrowed(field));
    }

    fn size_of_made(&self, len: usize) -> usize {
        let more = 2 * len;
        match self.0.as_ref().and_then(|fields| fields.last()) {
            Some(Cow::Owned(_)) => more,
            _ => more + ENTRY + MIN_CAPACITY,
        }
    }

    /// Fields that are kept one after the other share an allocation, since each of them
    /// may be much smaller than an allocation of its own.
    fn keep_made(&mut self, field: &[u8]) {
        let fields = self.0.get_or_insert_default();
        match fields.last_mut() {
            Some(Cow::Owned(made)) => made.extend_from_slice(field),
            _ => fields.push(Cow::Owned(field.to_vec())),
        }
    }
}

/// Equal if the encoded bytes are equal.
impl PartialEq for UnknownFieldsRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().flatten().eq(other.iter().flatten())
    }
}

impl fmt::Debug for UnknownFieldsRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.owned(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DecodeLimits;
    use crate::error::DecodeErrorKind;

    #[test]
    fn fields_are_kept_as_they_came() {
        // An overlong tag, a group, and a plain varint.
        let bytes = [0x88, 0x80, 0x00, 1, 0x13, 0x08, 1, 0x14, 0x18, 0x80, 0x01];
        let (mut ctx, mut input) = Context::new(&bytes, None, &DecodeLimits::default());
        let (mut owned, mut borrowed) = (UnknownFields::new(), UnknownFieldsRef::new());
        while let Some(tag) = input.clone().tag(&ctx).unwrap() {
            let mut again = input.clone();
            again.tag(&ctx).unwrap();
            read_unknown(tag, &mut borrowed, &mut again, &mut ctx).unwrap();
            input.tag(&ctx).unwrap();
            read_unknown(tag, &mut owned, &mut input, &mut ctx).unwrap();
        }
        assert_eq!(owned.as_bytes(), bytes);
        assert_eq!(borrowed.owned(), owned);
        assert_eq!((borrowed.iter().count(), borrowed.len()), (3, bytes.len()));
        assert_eq!(Writer::collect("", 0, |out| owned.put(out)), bytes);
        assert_eq!(Writer::collect("", 0, |out| borrowed.put(out)), bytes);
    }

    #[test]
    fn text_is_kept_if_it_is_text() {
        for (bytes, kept) in [([0x0a, 2, 0xc3, 0xa9], true), ([0x0a, 2, 0xc3, b'a'], false)] {
            let (mut ctx, mut input) = Context::new(&bytes, None, &DecodeLimits::default());
            let mut unknown = UnknownFields::new();
            let tag = input.tag(&ctx).unwrap().unwrap();
            let read = read_unknown_text(tag, &mut unknown, &mut input, &mut ctx);
            assert_eq!(
                read.map_err(|error| error.kind().clone()).err(),
                (!kept).then_some(DecodeErrorKind::InvalidUtf8)
            );
            assert_eq!(unknown.as_bytes(), if kept { &bytes[..] } else { &[] });
        }
    }

    #[test]
    fn one_word_each() {
        assert_eq!(size_of::<UnknownFields>(), size_of::<usize>());
        assert_eq!(size_of::<UnknownFieldsRef<'_>>(), size_of::<usize>());
    }
}
