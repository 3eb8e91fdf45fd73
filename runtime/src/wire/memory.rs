//! [`Memory`]: where a [`Writer`](super::Writer) writes, and what it does when
//! that is full.
//!
//! Invariant: `base..limit + SLACK` is writable memory that only one writer uses,
//! but for `base` and `limit` of [`nowhere`], where there is no room at all. What
//! was written before lies between the base and the writer's cursor.

use std::mem::MaybeUninit;
use std::ptr;

use super::spill::{BORROW, Spill, Target, Widened, put_padded};
use crate::message::MAX_LEN;
use crate::varint;

/// What may be written at the limit without asking: what a field takes, with a
/// tag, a length, and as many bytes as are [`SHORT`](super::cursor::SHORT).
pub(super) const SLACK: usize = 64;

/// Where a writer writes.
pub(super) struct Memory<'w> {
    pub(super) limit: *mut u8,
    pub(super) base: *mut u8,
    /// Bytes of the message that are not before the cursor: large values by
    /// reference, what narrow prefixes lack, what is only counted.
    pub(super) elsewhere: u64,
    pub(super) spill: &'w mut Spill,
}

/// Where a nested message began.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    /// Its first byte behind the prefix, as an offset from the base.
    pub(super) start: usize,
    /// How many bytes the prefix has.
    pub(super) width: usize,
    pub(super) elsewhere: u64,
}

/// Where a writer begins: its base, its cursor, and the limit of that.
pub(super) type Start = [*mut u8; 3];

/// A start at an offset of the buffer, of which `SLACK` bytes behind that are
/// spare.
#[inline]
pub(super) fn in_buffer(buffer: &mut Vec<u8>, offset: usize) -> Start {
    let capacity = buffer.capacity();
    debug_assert!(offset + SLACK <= capacity);
    let base = buffer.as_mut_ptr();
    // SAFETY: both lie within the allocation, which is larger than `SLACK`.
    unsafe { [base, base.add(offset), base.add(capacity - SLACK)] }
}

/// A start where nothing can be written: the first write makes room.
#[inline]
pub(super) fn nowhere() -> Start {
    let base = ptr::without_provenance_mut(SLACK);
    [base, base, ptr::null_mut()]
}

/// The same in memory of the caller's.
#[inline]
pub(super) fn in_scratch<const N: usize>(scratch: &mut [MaybeUninit<u8>; N]) -> Start {
    const { assert!(N > SLACK) };
    let base: *mut u8 = scratch.as_mut_ptr().cast();
    // SAFETY: scratch memory is longer than that.
    unsafe { [base, base, base.add(N - SLACK)] }
}

impl Memory<'_> {
    #[inline]
    pub(super) fn position(&self, cursor: *mut u8) -> usize {
        cursor as usize - self.base as usize
    }

    /// Makes room for `count` bytes and `SLACK` more, and says where. There may
    /// be too little where nobody wants the bytes.
    #[cold]
    #[inline(never)]
    pub(super) fn grow(&mut self, cursor: *mut u8, count: usize) -> *mut u8 {
        let position = self.position(cursor);
        let start = self.spill.buffer.len();
        let len = position.wrapping_sub(start) as u64;
        match self.spill.target {
            Target::Buffer if len + self.elsewhere <= (MAX_LEN + SLACK) as u64 => {
                // SAFETY: the bytes up to the cursor were written.
                unsafe { self.spill.reserve_behind(position, count + 2 * SLACK) };
                return self.moved(position);
            }
            // Too much to be a message: from here on it is only counted.
            Target::Buffer => self.spill.give_up(),
            Target::Nowhere => {}
        }
        // What was written is written over. Prefixes are filled in as always:
        // they lie within the same memory, and behind what was there before.
        self.elsewhere += len;
        // SAFETY: the start lies before the cursor.
        unsafe { self.base.add(start) }
    }

    /// Makes room for a message of `at_least` so many bytes, as far as they are to
    /// be written here.
    #[cold]
    #[inline(never)]
    pub(super) fn grow_for(&mut self, cursor: *mut u8, at_least: usize) -> *mut u8 {
        let most = if self.spill.refers { BORROW } else { MAX_LEN };
        self.grow(cursor, at_least.min(most))
    }

    /// Goes on in the buffer, which has moved.
    fn moved(&mut self, position: usize) -> *mut u8 {
        let [base, cursor, limit] = in_buffer(&mut self.spill.buffer, position);
        (self.limit, self.base) = (limit, base);
        cursor
    }

    #[inline(never)]
    pub(super) fn close_long(&mut self, cursor: *mut u8, mark: &Mark) {
        // Where bytes are only counted, the cursor may have gone back.
        let here = self.position(cursor) as u64;
        let len = here.wrapping_sub(mark.start as u64).wrapping_add(self.elsewhere - mark.elsewhere);
        let (width, needs, offset) = (mark.width, varint::len(len), mark.start - mark.width);
        if needs > width {
            self.elsewhere += (needs - width) as u64;
            if self.spill.target != Target::Nowhere {
                self.spill.push_widened(Widened { offset, width, needs, len });
            }
            return;
        }
        // SAFETY: the prefix lies before the cursor, in memory of this writer's;
        // it is written to before it is a slice.
        let prefix = unsafe {
            let prefix = self.base.add(offset);
            prefix.write_bytes(0, width);
            std::slice::from_raw_parts_mut(prefix, width)
        };
        put_padded(prefix, len);
    }
}

impl Spill {
    /// Makes room behind a message that is not part of the buffer yet, and keeps
    /// what of it was written.
    ///
    /// # Safety
    ///
    /// The bytes up to `position` were written.
    unsafe fn reserve_behind(&mut self, position: usize, more: usize) {
        /// Takes the message out again, should there be no memory for more.
        struct Shortened<'s>(&'s mut Spill, usize);
        impl Drop for Shortened<'_> {
            fn drop(&mut self) {
                self.0.buffer.truncate(self.1);
            }
        }
        let before = self.buffer.len();
        // SAFETY: as for this function.
        unsafe { self.buffer.set_len(position) };
        Shortened(self, before).0.reserve(more);
    }
}
