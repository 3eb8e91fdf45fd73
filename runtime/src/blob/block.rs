//! Reference-counted heap storage behind [`Blob`](super::Blob).
//!
//! A block is one allocation, header and bytes together, or a header that took
//! over a `Vec`. Invariant: every `Block` value owns one count of its header
//! (one that a [`Shelf`](super::Shelf) fills, several); the bytes live until the last of them is dropped, and are only
//! written through a block that is known to be the sole user of that range.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, handle_alloc_error};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering, fence};

#[repr(C)]
pub(super) struct Header {
    refs: AtomicUsize,
    /// Bytes behind `data`, as they were allocated.
    capacity: usize,
    /// Start of the bytes: right behind the header, or a `Vec`'s.
    data: NonNull<u8>,
    /// Whether the bytes are a `Vec`'s.
    vec: bool,
}

const HEADER: usize = size_of::<Header>();

/// One count of a header.
pub(super) struct Block(NonNull<Header>);

// SAFETY: the count is atomic, and the bytes are only reached through `Blob`
// (shared reads) and `ReadBuffer` (writes to a range no `Blob` covers yet).
unsafe impl Send for Block {}
// SAFETY: as above; a shared `Block` gives read access only.
unsafe impl Sync for Block {}

fn layout(capacity: usize) -> Layout {
    match HEADER.checked_add(capacity).map(|size| Layout::from_size_align(size, align_of::<Header>())) {
        Some(Ok(layout)) => layout,
        _ => panic!("a block of {capacity} bytes does not fit into the address space"),
    }
}

impl Block {
    /// A block whose bytes are a copy of `bytes`, with nothing to spare.
    pub(super) fn copied(bytes: &[u8]) -> Self {
        let block = Self::allocate(bytes.len(), false);
        // SAFETY: the block is new and has room for exactly these bytes; a new
        // allocation overlaps nothing.
        unsafe { block.data().copy_from_nonoverlapping(NonNull::from(bytes).cast(), bytes.len()) };
        block
    }

    /// A block of `capacity` zero bytes.
    pub(super) fn zeroed(capacity: usize) -> Self {
        Self::allocate(capacity, true)
    }

    /// A block of `capacity` bytes that are yet to be written, with `counts`, of
    /// which the result owns all.
    pub(super) fn counted(capacity: usize, counts: usize) -> Self {
        let block = Self::allocate(capacity, false);
        // Relaxed: nobody else knows of it.
        block.header().refs.store(counts, Ordering::Relaxed);
        block
    }

    fn allocate(capacity: usize, zeroed: bool) -> Self {
        let layout = layout(capacity);
        // SAFETY: the layout has a size, since the header has one.
        let start = unsafe { if zeroed { alloc_zeroed(layout) } else { alloc(layout) } };
        let Some(start) = NonNull::new(start) else { handle_alloc_error(layout) };
        // SAFETY: `layout` covers the header and the bytes behind it.
        let data = unsafe { start.add(HEADER) };
        Self::write_header(start.cast(), capacity, data, false)
    }

    /// A block that takes over `vec` without copying its bytes.
    pub(super) fn from_vec(vec: Vec<u8>) -> Self {
        let layout = layout(0);
        // SAFETY: the layout has a size, since the header has one.
        let start = unsafe { alloc(layout) };
        let Some(start) = NonNull::new(start) else { handle_alloc_error(layout) };
        let mut vec = ManuallyDrop::new(vec);
        let capacity = vec.capacity();
        // SAFETY: a vector's pointer is never null.
        let data = unsafe { NonNull::new_unchecked(vec.as_mut_ptr()) };
        Self::write_header(start.cast(), capacity, data, true)
    }

    fn write_header(header: NonNull<Header>, capacity: usize, data: NonNull<u8>, vec: bool) -> Self {
        // SAFETY: the caller has just allocated the header, aligned for it.
        unsafe { header.write(Header { refs: AtomicUsize::new(1), capacity, data, vec }) };
        Self(header)
    }

    fn header(&self) -> &Header {
        // SAFETY: this block owns a count, so the header is alive.
        unsafe { self.0.as_ref() }
    }

    /// Start of the bytes.
    pub(super) fn data(&self) -> NonNull<u8> {
        self.header().data
    }

    /// How many bytes were allocated.
    pub(super) fn capacity(&self) -> usize {
        self.header().capacity
    }

    /// Whether no other block shares the bytes.
    pub(super) fn is_unique(&self) -> bool {
        // Acquire: what the last other owner did with the bytes came before.
        self.header().refs.load(Ordering::Acquire) == 1
    }

    /// Gives one count away that it owns besides its own, to be taken back by
    /// [`Block::from_raw`].
    pub(super) fn as_raw(&self) -> *mut Header {
        self.0.as_ptr()
    }

    /// Gives up its count, and `more` that it owns besides.
    pub(super) fn give_back(self, more: usize) {
        let header = ManuallyDrop::new(self).0;
        let counts = more + 1;
        // SAFETY: these counts have kept the header alive until now.
        if unsafe { header.as_ref() }.refs.fetch_sub(counts, Ordering::Release) == counts {
            fence(Ordering::Acquire);
            // SAFETY: these were the last.
            unsafe { free(header) };
        }
    }

    /// Gives the count away, to be taken back by [`Block::from_raw`].
    pub(super) fn into_raw(self) -> *mut Header {
        ManuallyDrop::new(self).0.as_ptr()
    }

    /// Takes over a count given away by [`Block::into_raw`] or [`Block::as_raw`].
    ///
    /// # Safety
    ///
    /// `raw` comes from one of these, and each such count is taken back once.
    pub(super) unsafe fn from_raw(raw: *mut Header) -> Self {
        // SAFETY: `into_raw` never gives null.
        Self(unsafe { NonNull::new_unchecked(raw) })
    }
}

impl Clone for Block {
    fn clone(&self) -> Self {
        // Relaxed: whoever has a count to clone keeps the header alive.
        let before = self.header().refs.fetch_add(1, Ordering::Relaxed);
        if before > isize::MAX as usize {
            // Counts were leaked until they nearly wrap; a wrap would free
            // bytes in use.
            std::process::abort();
        }
        Self(self.0)
    }
}

impl Drop for Block {
    #[inline]
    fn drop(&mut self) {
        // The sole owner needs no read-modify-write: nobody else could clone.
        if !self.is_unique() {
            if self.header().refs.fetch_sub(1, Ordering::Release) != 1 {
                return;
            }
            fence(Ordering::Acquire);
        }
        // SAFETY: this was the last count.
        unsafe { free(self.0) };
    }
}

/// Frees a header and its bytes.
///
/// # Safety
///
/// No count of the header is left, and it was not freed before.
unsafe fn free(header: NonNull<Header>) {
    // SAFETY: the header is still allocated.
    let Header { capacity, data, vec, .. } = unsafe { header.read() };
    let behind = if vec {
        // SAFETY: the bytes were a vector's with this capacity.
        drop(unsafe { Vec::from_raw_parts(data.as_ptr(), 0, capacity) });
        0
    } else {
        capacity
    };
    // SAFETY: the header was allocated with this layout.
    unsafe { dealloc(header.as_ptr().cast(), layout(behind)) };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(block: &Block, len: usize) -> &[u8] {
        // SAFETY: the tests pass the length that they filled.
        unsafe { std::slice::from_raw_parts(block.data().as_ptr(), len) }
    }

    #[test]
    fn shares_and_frees() {
        let block = Block::copied(b"twenty-four bytes or more");
        let other = block.clone();
        assert!(!block.is_unique());
        drop(block);
        assert!(other.is_unique());
        assert_eq!(bytes(&other, 6), b"twenty");
    }

    #[test]
    fn takes_over_a_vec() {
        let mut vec = Vec::with_capacity(100);
        vec.extend_from_slice(b"abc");
        let start = vec.as_ptr();
        let block = Block::from_vec(vec);
        assert_eq!(block.data().as_ptr().cast_const(), start);
        assert_eq!(block.capacity(), 100);
        // SAFETY: the count was just given away.
        let block = unsafe { Block::from_raw(block.into_raw()) };
        assert_eq!(bytes(&block, 3), b"abc");
    }

    #[test]
    fn empty_blocks_are_freed_whatever_they_came_from() {
        drop(Block::copied(b""));
        drop(Block::from_vec(Vec::new()));
        assert!(Block::zeroed(0).is_unique());
    }
}
