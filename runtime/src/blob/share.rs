//! Parts of a blob: whether they share its memory or are copied.
//!
//! Invariant: a part that shares memory holds a count of the same owner, and lies within the
//! bytes of the blob that it was taken from.

use std::ops::{Bound, RangeBounds};
use std::ptr::NonNull;

use super::Blob;
use super::block::{Block, Header};

/// The minimum length at which a slice is shared instead of copied: a shared slice
/// keeps its whole frame alive and costs two atomic operations (measured: 35 to 40 ns).
pub(crate) const MIN_SHARED: usize = 512;

impl Blob {
    /// Returns a blob of a part of the bytes.
    ///
    /// A part of 512 bytes or more that makes up at least a quarter of the allocation
    /// it keeps alive is shared; any other part is copied.
    ///
    /// # Panics
    ///
    /// If the range does not lie within the bytes, or ends before it starts.
    #[must_use]
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Self {
        let start = match range.start_bound() {
            Bound::Included(&start) => start,
            Bound::Excluded(&start) => start.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(&end) => end.saturating_add(1),
            Bound::Excluded(&end) => end,
            Bound::Unbounded => self.len(),
        };
        self.share(&self[start..end])
    }

    /// Returns `part` as a blob: shared with this blob if it lies within it and is
    /// worth sharing, copied otherwise.
    #[inline]
    #[must_use]
    pub(crate) fn share(&self, part: &[u8]) -> Self {
        match self.share_owner(part) {
            Some((owner, start)) => Self::heap(owner, start.as_ptr(), part.len()),
            None => Self::copy_from_slice(part),
        }
    }

    /// Returns a count of the owner and where `part` starts, if `part` lies within this
    /// blob and is worth sharing.
    // Two words are returned in registers. A blob, being three, would be returned in memory,
    // and its next move would wait for it.
    #[inline(never)]
    fn share_owner(&self, part: &[u8]) -> Option<(*mut Header, NonNull<u8>)> {
        if part.len() < MIN_SHARED {
            return None;
        }
        let heap = self.as_heap()?;
        let range = self.as_ptr_range();
        let within =
            range.contains(&part.as_ptr()) && part.len() <= range.end as usize - part.as_ptr() as usize;
        if !within {
            return None;
        }
        let offset = part.as_ptr() as usize - range.start as usize;
        // SAFETY: `part` lies within this blob, as was just checked, so the offset does
        // too.
        let start = NonNull::new(unsafe { heap.start.0.add(offset) }.cast_mut())?;
        if heap.owner.0.is_null() {
            return Some((heap.owner.0, start));
        }
        let block = heap.borrow_block();
        let worthwhile = part.len() >= block.capacity() / 4;
        worthwhile.then(|| (Block::clone(&block).into_raw(), start))
    }
}
