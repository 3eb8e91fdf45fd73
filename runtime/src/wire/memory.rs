//! [`Memory`]: the memory that a [`Writer`](super::Writer) writes to, and how it grows.
//!
//! Invariant: `base..limit + SLACK` is writable memory that only one writer uses,
//! except for the `base` and `limit` of [`empty_region`], which has no space at all.
//! The bytes between the base and the writer's cursor are written, except for the
//! length prefixes of messages that are still open, and those that are recorded as too
//! narrow.

use std::mem::{self, ManuallyDrop, MaybeUninit};
use std::ptr;

use super::encode_buffer::{EncodeBuffer, MIN_BORROWED, Target, WidePrefix, put_padded, reserve};
use crate::message::MAX_LEN;
use crate::varint;

/// The number of bytes that may be written at the limit without a check: enough for a
/// field with a tag, a length, and [`MAX_SHORT_COPY`](super::cursor::MAX_SHORT_COPY)
/// bytes.
pub(super) const SLACK: usize = 64;

/// The most that is reserved because a message says that it is that long. Hand-written
/// implementations of [`Message::at_least`](crate::Message::at_least) may be wrong.
const MAX_RESERVED: usize = 1 << 20;

/// The memory that a writer writes to.
pub(super) struct Memory<'w> {
    pub(super) limit: *mut u8,
    pub(super) base: *mut u8,
    /// Bytes of the message that are not before the cursor: large values by reference,
    /// the bytes that narrow prefixes lack, and bytes that are only counted.
    pub(super) extra_len: u64,
    pub(super) output: &'w mut EncodeBuffer,
}

/// The start of a nested message.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    /// Offset of its first byte, after the prefix, from the base.
    pub(super) start: usize,
    /// Length of the prefix in bytes.
    pub(super) width: usize,
    pub(super) extra_len: u64,
}

/// A region of memory to write to: base, cursor and limit.
pub(super) type Region = [*mut u8; 3];

/// Returns the region of `buffer` that begins at `offset`, after which at least
/// `SLACK` bytes must be spare.
#[inline]
pub(super) fn region_in_buffer(buffer: &mut Vec<u8>, offset: usize) -> Region {
    let capacity = buffer.capacity();
    debug_assert!(offset + SLACK <= capacity);
    let base = buffer.as_mut_ptr();
    // SAFETY: `offset + SLACK <= capacity`, so both results lie within the allocation.
    unsafe { [base, base.add(offset), base.add(capacity - SLACK)] }
}

/// Returns a region without space, so that the first write allocates. Null as the limit
/// makes every check of the cursor fail.
#[inline]
pub(super) fn empty_region() -> Region {
    let base = ptr::without_provenance_mut(SLACK);
    [base, base, ptr::null_mut()]
}

/// Returns the region of the caller's `scratch` memory.
#[inline]
pub(super) fn region_in_scratch<const N: usize>(scratch: &mut [MaybeUninit<u8>; N]) -> Region {
    const { assert!(N > SLACK) };
    let base: *mut u8 = scratch.as_mut_ptr().cast();
    // SAFETY: `N > SLACK`, so the result lies within the scratch memory.
    unsafe { [base, base, base.add(N - SLACK)] }
}

impl Memory<'_> {
    #[inline]
    pub(super) fn position(&self, cursor: *mut u8) -> usize {
        cursor as usize - self.base as usize
    }

    /// Ensures space for `count` bytes and `SLACK` more, and returns the cursor at its
    /// new address. While bytes are only counted, there may be less space than that.
    ///
    /// # Safety
    ///
    /// `cursor` is the writer's, which owns this memory.
    #[cold]
    #[inline(never)]
    pub(super) unsafe fn grow(&mut self, cursor: *mut u8, count: usize) -> *mut u8 {
        let position = self.position(cursor);
        let start = self.output.buffer.len();
        let len = position.wrapping_sub(start) as u64;
        match self.output.target {
            Target::Buffer if len + self.extra_len <= (MAX_LEN + SLACK) as u64 => {
                // SAFETY: the writer's cursor lies within the buffer's capacity.
                unsafe { self.output.reserve_after(position, count + 2 * SLACK) };
                return self.continue_in_buffer(position);
            }
            // Too long for a message: from here on, bytes are only counted.
            Target::Buffer => self.output.target = Target::Count,
            Target::Count => {}
        }
        // Overwrite what was written. Length prefixes are filled in as usual: they lie
        // in the same memory, after the bytes that were there before this message.
        self.extra_len += len;
        // SAFETY: `start` is at most the cursor's position, so the result lies within
        // the same memory.
        unsafe { self.base.add(start) }
    }

    /// Ensures space for a message of at least `at_least` bytes, as far as they are to
    /// be copied.
    ///
    /// # Safety
    ///
    /// As for [`Memory::grow`].
    #[cold]
    #[inline(never)]
    pub(super) unsafe fn grow_for(&mut self, cursor: *mut u8, at_least: usize) -> *mut u8 {
        let most = if self.output.borrows_large { MIN_BORROWED } else { MAX_RESERVED };
        // SAFETY: the contract is the same.
        unsafe { self.grow(cursor, at_least.min(most)) }
    }

    /// Continues in the buffer, which was reallocated.
    fn continue_in_buffer(&mut self, position: usize) -> *mut u8 {
        let [base, cursor, limit] = region_in_buffer(&mut self.output.buffer, position);
        (self.limit, self.base) = (limit, base);
        cursor
    }

    /// Fills in the prefix of a message whose length does not fit into one byte, or
    /// records that it is too narrow.
    ///
    /// # Safety
    ///
    /// `cursor` is the writer's, which owns this memory, and `mark` is from its `open`.
    #[inline(never)]
    pub(super) unsafe fn close_long(&mut self, cursor: *mut u8, mark: &Mark) {
        // While bytes are only counted, the cursor may have been reset.
        let here = self.position(cursor) as u64;
        let len = here.wrapping_sub(mark.start as u64).wrapping_add(self.extra_len - mark.extra_len);
        let (width, needed, offset) = (mark.width, varint::len(len), mark.start - mark.width);
        if needed > width {
            self.extra_len += (needed - width) as u64;
            if self.output.target != Target::Count {
                self.output.wide_prefixes.push(WidePrefix { offset, width, needed, len });
            }
            return;
        }
        // SAFETY: `open` reserved the prefix at this offset, in memory that only this
        // writer uses; growing keeps offsets valid. The prefix is initialised before
        // the slice is created.
        let prefix = unsafe {
            let prefix = self.base.add(offset);
            prefix.write_bytes(0, width);
            std::slice::from_raw_parts_mut(prefix, width)
        };
        put_padded(prefix, len);
    }
}

impl EncodeBuffer {
    /// Reserves space after a message that is not part of the buffer's length yet, and
    /// preserves its bytes.
    ///
    /// Not inlined: in `grow` it makes the encoding of rows and strings slower by an
    /// eighth (measured).
    ///
    /// # Safety
    ///
    /// `position` is at most the capacity.
    #[cold]
    #[inline(never)]
    unsafe fn reserve_after(&mut self, position: usize, more: usize) {
        /// Moves the bytes back into the buffer, also if the allocation fails.
        struct Moved<'s> {
            buffer: &'s mut Vec<u8>,
            len: usize,
            bytes: Vec<MaybeUninit<u8>>,
        }
        impl Drop for Moved<'_> {
            fn drop(&mut self) {
                let mut bytes = ManuallyDrop::new(mem::take(&mut self.bytes));
                // SAFETY: `MaybeUninit<u8>` has the layout of `u8`, the allocation is
                // this vector's, and its first `len` bytes were those of the buffer.
                *self.buffer =
                    unsafe { Vec::from_raw_parts(bytes.as_mut_ptr().cast(), self.len, bytes.capacity()) };
            }
        }
        let mut buffer = ManuallyDrop::new(mem::take(&mut self.buffer));
        // SAFETY: `MaybeUninit<u8>` has the layout of `u8`, needs no initialisation, so the
        // prefixes of open messages may be among the bytes, and `position` is at most the
        // capacity. The allocation is this vector's.
        let bytes = unsafe { Vec::from_raw_parts(buffer.as_mut_ptr().cast(), position, buffer.capacity()) };
        let initial = self.initial_capacity;
        let mut moved = Moved { buffer: &mut self.buffer, len: buffer.len(), bytes };
        reserve(&mut moved.bytes, initial, more);
    }
}
