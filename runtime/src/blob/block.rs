//! Reference-counted heap storage behind [`Blob`](super::Blob).
//!
//! A block is one allocation with a header and bytes, or a header that took over a
//! `Vec`. Invariant: every `Block` value owns one count of its header (the one that an
//! [`Arena`](super::Arena) fills owns several). The bytes live until the last count is
//! released, and are only written through a block that is known to be the sole user of
//! that range.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, handle_alloc_error};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering, fence};

#[repr(C)]
pub(super) struct Header {
    refs: AtomicUsize,
    /// The number of bytes at `data`, as allocated.
    capacity: usize,
    /// The start of the bytes: right after the header, or a `Vec`'s buffer.
    data: NonNull<u8>,
    /// Whether the bytes are a `Vec`'s buffer.
    from_vec: bool,
}

const HEADER_SIZE: usize = size_of::<Header>();

/// One reference count of a header.
pub(super) struct Block(NonNull<Header>);

// SAFETY: the count is atomic, and the bytes are only reached through `Blob` (shared
// reads) and through `ReadBuffer` and `Arena` (writes to a range that no `Blob` covers
// yet).
unsafe impl Send for Block {}
// SAFETY: as above; a shared `Block` only gives out pointers.
unsafe impl Sync for Block {}

fn layout(capacity: usize) -> Layout {
    match HEADER_SIZE.checked_add(capacity).map(|size| Layout::from_size_align(size, align_of::<Header>())) {
        Some(Ok(layout)) => layout,
        _ => panic!("a block of {capacity} bytes does not fit into the address space"),
    }
}

impl Block {
    /// Creates a block with a copy of `bytes` and no spare capacity.
    #[inline(never)]
    pub(super) fn copy_of(bytes: &[u8]) -> Self {
        let block = Self::allocate(bytes.len(), false);
        // SAFETY: the new block has capacity for exactly these bytes, and a new
        // allocation overlaps no existing one.
        unsafe { block.data().copy_from_nonoverlapping(NonNull::from(bytes).cast(), bytes.len()) };
        block
    }

    /// Creates a block of `capacity` zero bytes.
    pub(super) fn zeroed(capacity: usize) -> Self {
        Self::allocate(capacity, true)
    }

    /// Creates a block of `capacity` uninitialised bytes with a reference count of
    /// `refs`, all owned by the returned value.
    pub(super) fn with_refs(capacity: usize, refs: usize) -> Self {
        let block = Self::allocate(capacity, false);
        // Relaxed: no other thread knows the block yet.
        block.header().refs.store(refs, Ordering::Relaxed);
        block
    }

    fn allocate(capacity: usize, zeroed: bool) -> Self {
        let layout = layout(capacity);
        // SAFETY: the size of the layout is not zero, since it includes the header.
        let start = unsafe { if zeroed { alloc_zeroed(layout) } else { alloc(layout) } };
        let Some(start) = NonNull::new(start) else { handle_alloc_error(layout) };
        // SAFETY: the layout covers the header and the bytes after it, so the result
        // is at most one past the end of the allocation.
        let data = unsafe { start.add(HEADER_SIZE) };
        Self::write_header(start.cast(), capacity, data, false)
    }

    /// Creates a block that takes over `vec` without copying its bytes.
    pub(super) fn from_vec(vec: Vec<u8>) -> Self {
        let layout = layout(0);
        // SAFETY: the size of the layout is not zero, since it includes the header.
        let start = unsafe { alloc(layout) };
        let Some(start) = NonNull::new(start) else { handle_alloc_error(layout) };
        let mut vec = ManuallyDrop::new(vec);
        let capacity = vec.capacity();
        // SAFETY: a vector's pointer is never null.
        let data = unsafe { NonNull::new_unchecked(vec.as_mut_ptr()) };
        Self::write_header(start.cast(), capacity, data, true)
    }

    fn write_header(header: NonNull<Header>, capacity: usize, data: NonNull<u8>, from_vec: bool) -> Self {
        // SAFETY: the caller passes a new allocation that is large enough and aligned
        // for a header.
        unsafe { header.write(Header { refs: AtomicUsize::new(1), capacity, data, from_vec }) };
        Self(header)
    }

    fn header(&self) -> &Header {
        // SAFETY: this block owns a count, so the header is alive and initialised. Only
        // its atomic count is ever changed.
        unsafe { self.0.as_ref() }
    }

    /// Returns the start of the bytes.
    pub(super) fn data(&self) -> NonNull<u8> {
        self.header().data
    }

    /// Returns how many bytes were allocated.
    pub(super) fn capacity(&self) -> usize {
        self.header().capacity
    }

    /// Reports whether this is the only count of the header.
    pub(super) fn is_unique(&self) -> bool {
        // Acquire: synchronises with the release of the last other owner, so that its
        // accesses to the bytes happen before whatever follows.
        self.header().refs.load(Ordering::Acquire) == 1
    }

    /// Hands out one of the additional counts that this block owns, to be reclaimed
    /// with [`Block::from_raw`].
    pub(super) fn as_raw(&self) -> *mut Header {
        self.0.as_ptr()
    }

    /// Releases the block's own count and `more` additional ones that it owns.
    pub(super) fn release_refs(self, more: usize) {
        let header = ManuallyDrop::new(self).0;
        let refs = more + 1;
        // SAFETY: the counts that are released here have kept the header alive until
        // now.
        if unsafe { header.as_ref() }.refs.fetch_sub(refs, Ordering::Release) == refs {
            fence(Ordering::Acquire);
            // SAFETY: these were the last counts, and the acquire fence orders all
            // other owners' accesses before the deallocation.
            unsafe { free(header) };
        }
    }

    /// Returns the vector that the block took over, cut to its first `len` bytes. If the
    /// block took over none, or has other counts, returns the block.
    ///
    /// # Safety
    ///
    /// The first `len` bytes are initialised.
    pub(super) unsafe fn into_vec(self, len: usize) -> Result<Vec<u8>, Self> {
        let Header { capacity, data, from_vec, .. } = *self.header();
        if !from_vec || !self.is_unique() {
            return Err(self);
        }
        let header = ManuallyDrop::new(self).0;
        // SAFETY: this was the only count, so nothing reads the header any more. A header
        // that took over a vector was allocated with this layout.
        unsafe { dealloc(header.as_ptr().cast(), layout(0)) };
        // SAFETY: `data` and `capacity` are those of the vector that `from_vec` took
        // over, nothing else refers to its bytes, and the caller guarantees that the
        // first `len` are initialised, and so no more than there are.
        Ok(unsafe { Vec::from_raw_parts(data.as_ptr(), len, capacity) })
    }

    /// Hands out the count, to be reclaimed with [`Block::from_raw`].
    pub(super) fn into_raw(self) -> *mut Header {
        ManuallyDrop::new(self).0.as_ptr()
    }

    /// Reclaims a count handed out by [`Block::into_raw`] or [`Block::as_raw`].
    ///
    /// # Safety
    ///
    /// `raw` comes from one of these functions, and each count handed out is reclaimed
    /// once.
    pub(super) unsafe fn from_raw(raw: *mut Header) -> Self {
        // SAFETY: by contract `raw` comes from a `NonNull`, so it is not null.
        Self(unsafe { NonNull::new_unchecked(raw) })
    }
}

impl Clone for Block {
    fn clone(&self) -> Self {
        // Relaxed: the count that is cloned keeps the header alive.
        let before = self.header().refs.fetch_add(1, Ordering::Relaxed);
        if before > isize::MAX as usize {
            // So many counts were leaked that the counter nears overflow, which would
            // free bytes in use.
            std::process::abort();
        }
        Self(self.0)
    }
}

impl Drop for Block {
    #[inline]
    fn drop(&mut self) {
        // A sole owner needs no read-modify-write, since no other thread can clone the
        // block.
        if !self.is_unique() {
            if self.header().refs.fetch_sub(1, Ordering::Release) != 1 {
                return;
            }
            fence(Ordering::Acquire);
        }
        // SAFETY: this was the last count, and the acquire load or fence orders all
        // other owners' accesses before the deallocation.
        unsafe { free(self.0) };
    }
}

/// Deallocates a header and its bytes.
///
/// # Safety
///
/// The header has no counts left, and was not freed before.
unsafe fn free(header: NonNull<Header>) {
    // SAFETY: the header is still allocated and initialised.
    let Header { capacity, data, from_vec, .. } = unsafe { header.read() };
    let trailing = if from_vec {
        // SAFETY: `data` and `capacity` are those of the vector that `from_vec` took
        // over. A length of 0 claims no initialised bytes.
        drop(unsafe { Vec::from_raw_parts(data.as_ptr(), 0, capacity) });
        0
    } else {
        capacity
    };
    // SAFETY: the header was allocated with this layout: alone if a vector was taken
    // over, else together with `capacity` bytes.
    unsafe { dealloc(header.as_ptr().cast(), layout(trailing)) };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(block: &Block, len: usize) -> &[u8] {
        // SAFETY: each test passes a length that it has initialised.
        unsafe { std::slice::from_raw_parts(block.data().as_ptr(), len) }
    }

    #[test]
    fn shares_and_frees() {
        let block = Block::copy_of(b"twenty-four bytes or more");
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
        // SAFETY: `into_raw` has just handed out the count.
        let block = unsafe { Block::from_raw(block.into_raw()) };
        assert_eq!(bytes(&block, 3), b"abc");
    }

    #[test]
    fn gives_a_vec_back_to_its_only_owner() {
        let block = Block::from_vec(b"abc".to_vec());
        let (start, other) = (block.data(), block.clone());
        // SAFETY: all three bytes are initialised.
        let block = unsafe { block.into_vec(3) }.map(drop).unwrap_err();
        drop(other);
        // SAFETY: two of three initialised bytes.
        let vec = unsafe { block.into_vec(2) }.ok().unwrap();
        assert_eq!((vec.as_ptr(), vec.as_slice()), (start.as_ptr().cast_const(), &b"ab"[..]));
        // SAFETY: there are no bytes.
        assert!(unsafe { Block::copy_of(b"").into_vec(0) }.is_err());
    }

    #[test]
    fn empty_blocks_are_freed_whatever_they_came_from() {
        drop(Block::copy_of(b""));
        drop(Block::from_vec(Vec::new()));
        assert!(Block::zeroed(0).is_unique());
    }
}
