//! State shared by all readers of one input: limits, and the required fields that are
//! still missing.
//!
//! Invariant: `start..limit` is readable for `'a`. The hot path of a nested message
//! tests `depth` once and `stage` once; all rare cases are behind these two tests.

mod blobs;

use std::marker::PhantomData;
use std::mem::ManuallyDrop;

use super::Reader;
use super::missing_fields::{ELEMENT, MissingFields};
use crate::blob::Arena;
use crate::error::{DecodeError, DecodeErrorKind};
use crate::{Blob, DecodeLimits};

/// State shared by all readers of one input: the nesting depth, the memory that may
/// still be allocated, and the blob that the input is a slice of.
pub struct Context<'a> {
    start: *const u8,
    limit: *const u8,
    /// At each offset below this one, 24 bytes of the input may be read.
    inline_end: usize,
    /// How many levels deeper the input may nest. While missing fields are recorded,
    /// the value is negative, counting up from `i32::MIN`, so that one test detects
    /// both this and the limit.
    depth: i32,
    /// Bytes that elements may still allocate.
    budget: usize,
    /// The state of the message that is about to be merged.
    stage: Stage,
    /// The tag and the length of the last short run of messages.
    last_run: (u32, u32),
    /// The fields that are missing so far; recorded once the input has seemed to lack a
    /// required field.
    missing_fields: Option<Box<MissingFields>>,
    /// Allocates values of medium length.
    arena: Arena,
    source: Option<&'a Blob>,
    input: PhantomData<&'a [u8]>,
}

/// The state of the required fields of a message about to be merged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// All of them are missing.
    Fresh,
    /// All of them have been read before.
    Whole,
    /// The state is in [`MissingFields`].
    Recorded,
}

/// The depth at which recording starts; see [`Context`].
const RECORDING_DEPTH: i32 = i32::MIN;

#[expect(clippy::cast_possible_wrap, reason = "no more than the largest there is")]
const fn depth(limits: &DecodeLimits) -> i32 {
    if limits.depth > i32::MAX as u32 { i32::MAX } else { limits.depth as i32 }
}

impl<'a> Context<'a> {
    /// Creates a context for `input`, and a reader of all of it. Long values are shared
    /// with `source` if the input lies within it.
    #[inline]
    pub(crate) fn new(
        input: &'a [u8],
        source: Option<&'a Blob>,
        limits: &DecodeLimits,
    ) -> (Self, Reader<'a>) {
        let range = input.as_ptr_range();
        let context = Self {
            start: range.start,
            limit: range.end,
            inline_end: input.len().saturating_sub(crate::blob::INLINE),
            depth: depth(limits),
            budget: limits.budget(input.len()),
            stage: Stage::Fresh,
            last_run: (0, 0),
            missing_fields: None,
            arena: Arena::default(),
            source,
            input: PhantomData,
        };
        (context, Reader::new(input))
    }

    /// Enters a nested message, which has been read before if `seen_before`. Returns
    /// `false` if the depth limit is reached or missing fields are recorded: then call
    /// [`Context::enter_recorded`] instead.
    #[inline]
    pub(crate) fn enter(&mut self, seen_before: bool) -> bool {
        if self.depth <= 0 {
            return false;
        }
        self.depth -= 1;
        self.stage = if seen_before { Stage::Whole } else { Stage::Fresh };
        true
    }

    /// Starts another message at the depth that was entered, none of whose fields have
    /// been read.
    #[inline]
    pub(super) fn begin_element(&mut self) {
        self.stage = Stage::Fresh;
    }

    /// Leaves a message entered with [`Context::enter`].
    #[inline]
    pub(crate) fn leave(&mut self) {
        self.depth += 1;
    }

    /// Enters the nested message `body` while missing fields are recorded. `tag` is the
    /// tag of its field, or [`ELEMENT`].
    ///
    /// # Errors
    ///
    /// If the message nests too deep.
    #[cold]
    pub(crate) fn enter_recorded(
        &mut self,
        tag: u32,
        seen_before: bool,
        body: &Reader<'a>,
    ) -> Result<(), DecodeError> {
        self.descend(body)?;
        if let Some(missing_fields) = &mut self.missing_fields {
            missing_fields.enter(tag, seen_before);
        }
        self.stage = Stage::Recorded;
        Ok(())
    }

    /// Leaves a message entered with [`Context::enter_recorded`].
    ///
    /// # Errors
    ///
    /// If what is recorded takes too much memory.
    #[cold]
    pub(crate) fn leave_recorded(&mut self) -> Result<(), DecodeError> {
        self.ascend();
        match &mut self.missing_fields {
            Some(missing_fields) => missing_fields.leave(&mut self.budget),
            None => Ok(()),
        }
    }

    /// Enters a map entry, whose value may be split into several fields, but only
    /// within the entry. An entry is not a level of its own.
    #[inline]
    pub(super) fn enter_entry(&mut self) {
        if let Some(missing_fields) = &mut self.missing_fields {
            missing_fields.enter(ELEMENT, false);
        }
    }

    /// Leaves an entry, entered with [`Context::enter_entry`], of the map with this tag.
    /// `key` encodes the entry's key.
    ///
    /// # Errors
    ///
    /// If what is recorded takes too much memory.
    #[inline]
    pub(super) fn leave_entry(&mut self, tag: u32, key: impl FnOnce() -> Vec<u8>) -> Result<(), DecodeError> {
        match &mut self.missing_fields {
            Some(missing_fields) => missing_fields.leave_entry(tag, &key(), &mut self.budget),
            None => Ok(()),
        }
    }

    /// Enters a group whose fields are skipped.
    #[inline]
    pub(super) fn descend(&mut self, input: &Reader<'a>) -> Result<(), DecodeError> {
        if self.depth == 0 || self.depth == RECORDING_DEPTH {
            return Err(self.fail(input, DecodeErrorKind::TooDeep));
        }
        self.depth -= 1;
        Ok(())
    }

    /// Leaves a group entered with [`Context::descend`].
    pub(super) fn ascend(&mut self) {
        self.depth += 1;
    }

    /// Returns the bits of the next 64 required fields that are still missing: `all` of
    /// them, except those that were read in earlier parts of the message. To be called
    /// before the first field is read, once for each 64 fields.
    #[inline]
    #[must_use]
    pub fn missing(&mut self, all: u64) -> u64 {
        if self.stage == Stage::Fresh { all } else { self.missing_before(all) }
    }

    #[cold]
    #[inline(never)]
    fn missing_before(&mut self, all: u64) -> u64 {
        match &mut self.missing_fields {
            Some(missing_fields) => missing_fields.missing(all),
            None => 0,
        }
    }

    /// Reports that a message ends without some of its required fields: those of
    /// `fields` whose bits are set in `missing`. `word` is the index of the call of
    /// [`Context::missing`] that asked for them.
    ///
    /// # Errors
    ///
    /// That the first of these fields is missing, unless that is recorded; then, if
    /// records take too much memory.
    #[cold]
    #[inline(never)]
    pub fn lacks(
        &mut self,
        word: usize,
        message: &'static str,
        fields: &'static [&'static str],
        missing: u64,
    ) -> Result<(), DecodeError> {
        let Some(missing_fields) = &mut self.missing_fields else {
            return Err(DecodeError::missing(message, fields, missing));
        };
        missing_fields.record(word, message, fields, missing, &mut self.budget)
    }

    /// Reports that the messages with these tags were replaced by another member of
    /// their oneof, so that their missing fields no longer matter.
    #[inline]
    pub fn forget(&mut self, tags: &[u32]) {
        if self.depth < 0 {
            self.forget_recorded(tags);
        }
    }

    #[cold]
    #[inline(never)]
    fn forget_recorded(&mut self, tags: &[u32]) {
        if let Some(missing_fields) = &mut self.missing_fields {
            for tag in tags {
                missing_fields.forget(*tag);
            }
        }
    }

    /// Reports whether this is the first pass, in which no field has seemed to be
    /// missing.
    #[inline]
    pub(crate) fn is_first_pass(&self) -> bool {
        self.depth >= 0
    }

    /// Ends the first pass.
    #[inline]
    pub(crate) fn finish(self) {
        debug_assert!(self.missing_fields.is_none(), "the first pass records nothing");
        // Skips the drop of `missing_fields`, which the compiler does not know to be
        // `None`.
        ManuallyDrop::new(self).arena.release();
    }

    /// Decides how decoding continues after a pass that failed or recorded missing
    /// fields. Returns `true` if the message is complete, and `false` if the input must
    /// be merged again into a new message, since a missing field may have come in
    /// another part of its message.
    ///
    /// # Errors
    ///
    /// The error, if it is definite.
    #[cold]
    #[inline(never)]
    pub(crate) fn resolve(
        &mut self,
        merged: Result<(), DecodeError>,
        limits: &DecodeLimits,
    ) -> Result<bool, DecodeError> {
        if let Some(missing_fields) = &mut self.missing_fields {
            return merged.and_then(|()| missing_fields.finish()).map(|()| true);
        }
        match merged {
            Err(error) if matches!(error.kind(), DecodeErrorKind::MissingField { .. }) => {
                self.missing_fields = Some(Box::new(MissingFields::new()));
                self.depth = RECORDING_DEPTH + depth(limits);
                self.stage = Stage::Recorded;
                self.budget = limits.budget(self.limit as usize - self.start as usize);
                Ok(false)
            }
            merged => merged.map(|()| true),
        }
    }

    /// Predicts the number of messages in a short run with this tag: as many as in the
    /// previous run, if that had the same tag, since all rows of a table have the same
    /// number of cells.
    #[inline]
    pub(super) fn predicted_run_len(&self, tag: u32) -> Option<usize> {
        (self.last_run.0 == tag).then_some(self.last_run.1 as usize)
    }

    /// Records how many messages a short run had.
    #[inline]
    pub(super) fn record_run_len(&mut self, tag: u32, count: usize) {
        // A short run has no more messages than bytes.
        #[expect(clippy::cast_possible_truncation, reason = "less than 256")]
        let count = count as u32;
        self.last_run = (tag, count);
    }

    /// Returns how many of `wanted` elements of `size` bytes may be allocated, and
    /// charges them to the budget.
    #[inline]
    pub(crate) fn take_budget(&mut self, wanted: usize, size: usize) -> usize {
        // Mostly it is all of them, which takes no division.
        if let Some(left) = wanted.checked_mul(size).and_then(|bytes| self.budget.checked_sub(bytes)) {
            self.budget = left;
            return wanted;
        }
        self.take_rest(size)
    }

    /// Returns how many elements of `size` bytes may be allocated, and charges them.
    #[cold]
    #[inline(never)]
    fn take_rest(&mut self, size: usize) -> usize {
        let count = self.budget / size.max(1);
        self.budget -= count * size;
        count
    }

    /// Charges `size` bytes of an element about to be allocated to the budget.
    #[inline]
    pub(crate) fn charge(&mut self, size: usize, input: &Reader<'a>) -> Result<(), DecodeError> {
        match self.budget.checked_sub(size) {
            Some(left) => {
                self.budget = left;
                Ok(())
            }
            None => Err(self.fail(input, DecodeErrorKind::TooManyElements)),
        }
    }

    /// Returns the bytes of a field from its tag, which must end where `value` begins,
    /// up to `end`. `None` if the bytes there are not this tag, or not part of this
    /// input.
    ///
    /// Searching backwards for the tag avoids recording the position of each tag on the
    /// hot path.
    #[cold]
    pub(super) fn field(&self, tag: u32, value: &Reader<'a>, end: &Reader<'a>) -> Option<&'a [u8]> {
        // SAFETY: `start..limit` is readable for `'a`, since `new` took both from one
        // slice.
        let input: &'a [u8] =
            unsafe { std::slice::from_raw_parts(self.start, self.limit as usize - self.start as usize) };
        let [value, end] = [value, end].map(|at| at.address().wrapping_sub(self.start as usize));
        let before = input.get(..value)?;
        // The tag may be overlong. At most one length matches, since a longer encoding
        // ends in more groups of zeros.
        let len = (super::tag_len(tag)..=MAX_TAG_LEN).find(|&len| ends_with_tag(before, tag, len))?;
        input.get(value - len..end)
    }

    /// Returns the error that the value just read is not valid for `field`. The module
    /// that converts a foreign type reports it.
    #[inline]
    #[must_use]
    pub fn refuse(&self, input: &Reader<'a>, field: &'static str) -> DecodeError {
        self.fail(input, DecodeErrorKind::InvalidValue { field })
    }

    /// Returns an error at the reader's position.
    #[inline]
    pub(crate) fn fail(&self, input: &Reader<'a>, kind: DecodeErrorKind) -> DecodeError {
        self.fail_at(input.address(), kind)
    }

    #[cold]
    #[inline(never)]
    fn fail_at(&self, address: usize, kind: DecodeErrorKind) -> DecodeError {
        DecodeError::new(kind, address.wrapping_sub(self.start as usize))
    }
}

/// The maximum length of a tag in bytes.
pub(super) const MAX_TAG_LEN: usize = 5;

/// Reports whether `bytes` end with `tag`, encoded in `len` bytes.
fn ends_with_tag(bytes: &[u8], tag: u32, len: usize) -> bool {
    let Some(at) = bytes.len().checked_sub(len) else { return false };
    bytes[at..].iter().enumerate().all(|(index, &byte)| {
        let group = u64::from(tag) >> (7 * index) & 0x7f;
        let more = if index + 1 < len { 0x80 } else { 0 };
        u64::from(byte) == group | more
    })
}
