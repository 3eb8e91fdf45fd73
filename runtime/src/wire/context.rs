//! What all readers of one input share: limits, and what is still missing.
//!
//! Invariant: `start..limit` is readable for `'a`. The hot path of a nested
//! message is one test of `depth` and one of `stage`; all that is rare hides
//! behind these two.

mod blobs;

use std::marker::PhantomData;
use std::mem::ManuallyDrop;

use super::Reader;
use super::pieces::Pieces;
use crate::blob::Shelf;
use crate::error::{DecodeError, DecodeErrorKind};
use crate::{Blob, DecodeLimits};

/// What all readers of one input share: how deep they are, what they may still
/// allocate, and the blob that the input is a slice of.
pub struct Context<'a> {
    start: *const u8,
    limit: *const u8,
    /// Below this, 24 bytes may be read at any offset of the input.
    inline_end: usize,
    /// How many levels deeper it may go; less than zero, by the least number
    /// there is, while `pieces` are recorded: one test finds both.
    depth: i32,
    /// Bytes of elements that may still be allocated.
    budget: usize,
    /// What is known of the message that is about to be merged.
    stage: Stage,
    /// The tag of the last short run of messages, and how many there were.
    run: (u32, u32),
    /// What is missing so far, once the input has seemed to lack something.
    pieces: Option<Box<Pieces>>,
    /// Where values of middling length go.
    shelf: Shelf,
    source: Option<&'a Blob>,
    input: PhantomData<&'a [u8]>,
}

/// What is known of the required fields of a message about to be merged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// All are missing.
    Fresh,
    /// All have been read before.
    Whole,
    /// It is in [`Pieces`].
    Recorded,
}

/// Stands for the tag of a message that will not come again, such as an element
/// of a repeated field. All of them have one place in [`Pieces`], since nothing
/// is recorded for long there.
pub(super) const ELEMENT: u32 = 0;

/// The depth at which recording begins; see [`Context`].
const RECORDING: i32 = i32::MIN;

#[expect(clippy::cast_possible_wrap, reason = "no more than the largest there is")]
const fn depth(limits: &DecodeLimits) -> i32 {
    if limits.depth > i32::MAX as u32 { i32::MAX } else { limits.depth as i32 }
}

impl<'a> Context<'a> {
    /// A context for `input`, and the reader of all of it. Long values are
    /// shared with `source` if the input lies within it.
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
            run: (0, 0),
            pieces: None,
            shelf: Shelf::default(),
            source,
            input: PhantomData,
        };
        (context, Reader::new(input))
    }

    /// Goes one message deeper, into one that comes `again` or for the first
    /// time. `false` if that is not all there is to do: see
    /// [`Context::enter_recorded`].
    #[inline]
    pub(crate) fn enter(&mut self, again: bool) -> bool {
        if self.depth <= 0 {
            return false;
        }
        self.depth -= 1;
        self.stage = if again { Stage::Whole } else { Stage::Fresh };
        true
    }

    /// Begins another message at the depth that was entered, which comes for the
    /// first time.
    #[inline]
    pub(super) fn begin(&mut self) {
        self.stage = Stage::Fresh;
    }

    /// Comes back from [`Context::enter`].
    #[inline]
    pub(crate) fn leave(&mut self) {
        self.depth += 1;
    }

    /// Goes one message deeper, into `body`, while pieces are recorded. `tag`
    /// is its field's, or [`ELEMENT`].
    ///
    /// # Errors
    ///
    /// If that is too deep.
    #[cold]
    pub(crate) fn enter_recorded(
        &mut self,
        tag: u32,
        again: bool,
        body: &Reader<'a>,
    ) -> Result<(), DecodeError> {
        self.descend(body)?;
        if let Some(pieces) = &mut self.pieces {
            pieces.enter(tag, again, tag == ELEMENT);
        }
        self.stage = Stage::Recorded;
        Ok(())
    }

    /// Comes back from [`Context::enter_recorded`].
    ///
    /// # Errors
    ///
    /// If the message lacks what can come no more.
    #[cold]
    pub(crate) fn leave_recorded(&mut self) -> Result<(), DecodeError> {
        self.ascend();
        self.pieces.as_mut().map_or(Ok(()), |pieces| pieces.leave())
    }

    /// Goes into a map's entry: its value may come in pieces, of which no further
    /// one can come when the entry ends. That is no level of its own.
    #[inline]
    pub(super) fn enter_entry(&mut self) {
        if let Some(pieces) = &mut self.pieces {
            pieces.enter(ELEMENT, false, true);
        }
    }

    /// Comes back from [`Context::enter_entry`].
    ///
    /// # Errors
    ///
    /// If the value lacks what can come no more.
    #[inline]
    pub(super) fn leave_entry(&mut self) -> Result<(), DecodeError> {
        self.pieces.as_mut().map_or(Ok(()), |pieces| pieces.leave())
    }

    /// Goes one group deeper whose fields are passed over.
    #[inline]
    pub(super) fn descend(&mut self, input: &Reader<'a>) -> Result<(), DecodeError> {
        if self.depth == 0 || self.depth == RECORDING {
            return Err(self.fail(input, DecodeErrorKind::TooDeep));
        }
        self.depth -= 1;
        Ok(())
    }

    /// Comes back from [`Context::descend`].
    pub(super) fn ascend(&mut self) {
        self.depth += 1;
    }

    /// The bits of the next 64 required fields that are still missing: `all`,
    /// less those that earlier pieces of the message had. Asked for before the
    /// first field is read, once for each 64 fields.
    #[inline]
    #[must_use]
    pub fn missing(&mut self, all: u64) -> u64 {
        if self.stage == Stage::Fresh { all } else { self.missing_before(all) }
    }

    #[cold]
    #[inline(never)]
    fn missing_before(&mut self, all: u64) -> u64 {
        match &mut self.pieces {
            Some(pieces) => pieces.missing(all),
            None => 0,
        }
    }

    /// Says that a message ends without some of its required fields: those of
    /// `fields` whose bits are set in `missing`, which is the `word`th that was
    /// asked for.
    ///
    /// # Errors
    ///
    /// That the first of them is missing, unless it may still come.
    #[cold]
    #[inline(never)]
    pub fn lacks(
        &mut self,
        word: usize,
        message: &'static str,
        fields: &'static [&'static str],
        missing: u64,
    ) -> Result<(), DecodeError> {
        let Some(pieces) = &mut self.pieces else {
            return Err(DecodeError::missing(message, fields, missing));
        };
        // Paths may be long where fields are short.
        match self.budget.checked_sub(pieces.cost()) {
            Some(left) => self.budget = left,
            None => return Err(DecodeError::new(DecodeErrorKind::TooManyElements, 0)),
        }
        pieces.lack(word, message, fields, missing);
        Ok(())
    }

    /// Says that the messages with these tags have been replaced by another
    /// member of their oneof: what they lacked is of no meaning any more.
    #[inline]
    pub fn forget(&mut self, tags: &[u32]) {
        if self.depth < 0 {
            self.forget_recorded(tags);
        }
    }

    #[cold]
    #[inline(never)]
    fn forget_recorded(&mut self, tags: &[u32]) {
        if let Some(pieces) = &mut self.pieces {
            for tag in tags {
                pieces.forget(*tag);
            }
        }
    }

    /// Whether nothing has seemed to be missing so far.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.depth >= 0
    }

    /// Ends a context that is plain.
    #[inline]
    pub(crate) fn done(self) {
        debug_assert!(self.pieces.is_none(), "a plain context records nothing");
        // There are no pieces to drop, which the compiler does not know.
        ManuallyDrop::new(self).shelf.release();
    }

    /// Judges how merging all of the input went, where it failed or was
    /// recorded: `true` if the message is whole, `false` if the input has to be
    /// merged again, into a new message, since a missing field may have come in
    /// another piece.
    ///
    /// # Errors
    ///
    /// What is wrong, if that is certain.
    #[cold]
    #[inline(never)]
    pub(crate) fn settle(
        &mut self,
        merged: Result<(), DecodeError>,
        limits: &DecodeLimits,
    ) -> Result<bool, DecodeError> {
        if let Some(pieces) = &mut self.pieces {
            return merged.and_then(|()| pieces.leave()).map(|()| true);
        }
        match merged {
            Err(error) if matches!(error.kind(), DecodeErrorKind::MissingField { .. }) => {
                self.pieces = Some(Box::new(Pieces::new()));
                self.depth = RECORDING + depth(limits);
                self.stage = Stage::Recorded;
                self.budget = limits.budget(self.limit as usize - self.start as usize);
                Ok(false)
            }
            merged => merged.map(|()| true),
        }
    }

    /// How many messages a short run of this tag most likely has, if the last one
    /// was one: as many, since the rows of a table have as many cells each.
    #[inline]
    pub(super) fn run_like_the_last(&self, tag: u32) -> Option<usize> {
        (self.run.0 == tag).then_some(self.run.1 as usize)
    }

    /// Remembers how many messages a short run had.
    #[inline]
    pub(super) fn remember_run(&mut self, tag: u32, count: usize) {
        // A short run has no more than its bytes are.
        #[expect(clippy::cast_possible_truncation, reason = "less than 256")]
        let count = count as u32;
        self.run = (tag, count);
    }

    /// How many of `wanted` elements of `size` bytes may be allocated. They are
    /// accounted for.
    #[inline]
    pub(crate) fn afford(&mut self, wanted: usize, size: usize) -> usize {
        let count = wanted.min(self.budget / size.max(1));
        self.budget -= count * size;
        count
    }

    /// Accounts for `size` bytes of an element about to be allocated.
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

    /// The bytes of a field from its tag on, which was read right before
    /// `value`, up to `end`. `None` if it was not, or not from this input.
    ///
    /// Looking for it is what keeps a mark at each tag out of the hot path.
    #[cold]
    pub(super) fn field(&self, tag: u32, value: &Reader<'a>, end: &Reader<'a>) -> Option<&'a [u8]> {
        // SAFETY: the invariant of this module.
        let input: &'a [u8] =
            unsafe { std::slice::from_raw_parts(self.start, self.limit as usize - self.start as usize) };
        let [value, end] = [value, end].map(|at| at.address().wrapping_sub(self.start as usize));
        let before = input.get(..value)?;
        // A tag may be overlong. No two lengths fit, since the longer one ends
        // with more groups of zeros.
        let len = (super::tag_len(tag)..=MAX_TAG).find(|&len| ends_with_tag(before, tag, len))?;
        input.get(value - len..end)
    }

    /// The error that the value just read cannot be one of `field`: what the
    /// module says that reads a foreign type.
    #[inline]
    #[must_use]
    pub fn refuse(&self, input: &Reader<'a>, field: &'static str) -> DecodeError {
        self.fail(input, DecodeErrorKind::InvalidValue { field })
    }

    /// An error at the reader's place.
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

/// The most bytes that a tag has.
pub(super) const MAX_TAG: usize = 5;

/// Whether the last bytes are `tag`, written with `len` bytes.
fn ends_with_tag(bytes: &[u8], tag: u32, len: usize) -> bool {
    let Some(at) = bytes.len().checked_sub(len) else { return false };
    bytes[at..].iter().enumerate().all(|(index, &byte)| {
        let group = u64::from(tag) >> (7 * index) & 0x7f;
        let more = if index + 1 < len { 0x80 } else { 0 };
        u64::from(byte) == group | more
    })
}
