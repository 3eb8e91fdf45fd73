//! [`Blob`]: the owned type of a `bytes` field.
//!
//! Riak's keys, indexes and metadata are short, and one allocation each is what
//! makes decoding into owned values slow. A blob keeps up to [`INLINE`] bytes
//! in itself; longer ones are shared by reference count, so that a value can be
//! a slice of the frame that it came in, or lie beside others of its message.
//!
//! Invariant: the last byte is a `Tag`. If it says inline, that many of the
//! first bytes are initialised. If it says heap, the bytes are a `Heap`
//! whose pointer and length are valid for reads as long as its owner's count is
//! held; a null owner stands for `'static` bytes.

mod block;
mod convert;
#[cfg(test)]
mod model;
mod read_buffer;
mod shelf;

use std::mem::{ManuallyDrop, MaybeUninit};
use std::ops::{Bound, Deref, RangeBounds};
use std::ptr;

use block::{Block, Header};
pub use read_buffer::ReadBuffer;
pub(crate) use shelf::Shelf;

/// How many bytes a [`Blob`] keeps in itself.
pub const INLINE: usize = 23;

/// Below this a slice is copied rather than shared: a shared one keeps its
/// whole frame alive, and costs two atomic operations (measured: 35 to 40 ns).
pub(crate) const SHARE: usize = 512;

/// Immutable bytes, cheap to clone: the owned type of a `bytes` field.
///
/// A blob is 24 bytes large, and so is `Option<Blob>`. Up to 23 bytes are stored in
/// the blob itself; longer ones are shared by reference count. It dereferences to
/// `[u8]`, is made by `into()` of strings, slices, arrays and vectors, and compares
/// with all of them. `Debug` prints text if the bytes are UTF-8 without control
/// characters, and escaped bytes otherwise.
///
/// A blob that was decoded may keep more memory alive than its own bytes: one of
/// 512 bytes and more, up to four times its size, since it is a slice of its frame;
/// a shorter one, up to 1 KiB, since it may share a block with other values of its
/// message. [`Blob::copy_from_slice`] makes an independent copy.
///
/// ```
/// use riak_runtime::Blob;
///
/// let key = Blob::from("alice");
/// assert_eq!(key, "alice");
/// assert_eq!(key.len(), 5);
/// assert_eq!(format!("{key:?}"), r#""alice""#);
/// assert_eq!(format!("{:?}", Blob::from(&[0xff, 0x00][..])), r#"b"\xff\x00""#);
///
/// // Clones and long slices share their bytes.
/// let value = Blob::from(vec![b'x'; 65_536]);
/// assert_eq!(value.clone().as_ptr(), value.as_ptr());
/// assert_eq!(value.slice(32_768..).as_ptr(), value[32_768..].as_ptr());
///
/// // Not everything in Riak is text.
/// assert_eq!(key.to_str(), Ok("alice"));
/// assert_eq!(Blob::from([b'a', 0xff]).to_string_lossy(), "a\u{fffd}");
/// ```
#[repr(C, align(8))]
pub struct Blob {
    bytes: [MaybeUninit<u8>; INLINE],
    tag: Tag,
}

/// The last byte of a blob: how many bytes are inline, or that none are.
///
/// An enum with few values, so that `Option<Blob>` needs no byte of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[expect(dead_code, reason = "made by number in `Blob::inline_of`")]
#[rustfmt::skip]
enum Tag {
    Inline0, Inline1, Inline2, Inline3, Inline4, Inline5, Inline6, Inline7,
    Inline8, Inline9, Inline10, Inline11, Inline12, Inline13, Inline14, Inline15,
    Inline16, Inline17, Inline18, Inline19, Inline20, Inline21, Inline22, Inline23,
    Heap,
}

/// What a blob's bytes are when its tag says heap. The length is in the lower
/// seven bytes of a little-endian word whose last byte is the blob's tag.
#[repr(C)]
#[derive(Clone, Copy)]
struct Heap {
    owner: Word<*mut Header>,
    start: Word<*const u8>,
    len_and_tag: u64,
}

/// Eight bytes on every platform, so that the tag is always the last byte.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Word<T>(T);

const _: () = assert!(size_of::<Heap>() == size_of::<Blob>() && size_of::<Blob>() == 24);
const _: () = assert!(size_of::<Option<Blob>>() == size_of::<Blob>());

const LEN_BITS: u32 = 56;

/// Up to [`INLINE`] bytes as three little-endian words, zeros behind them.
///
/// A few loads that overlap, put together in registers: a copy in memory would
/// be waited for by whoever moves the blob next.
#[inline]
fn words(bytes: &[u8]) -> [u64; 3] {
    let first = |at: usize| bytes[at..].first_chunk().copied().map_or(0, u64::from_le_bytes);
    let last = || bytes.last_chunk().copied().map_or(0, u64::from_le_bytes);
    match bytes.len() {
        16 => [first(0), first(8), 0],
        len @ 17.. => [first(0), first(8), last() >> (8 * (24 - len))],
        8 => [first(0), 0, 0],
        len @ 9.. => [first(0), last() >> (8 * (16 - len)), 0],
        len @ 4.. => {
            let halves = bytes.first_chunk().zip(bytes.last_chunk());
            let (low, high) =
                halves.map_or((0, 0), |(low, high)| (u32::from_le_bytes(*low), u32::from_le_bytes(*high)));
            [u64::from(low) | u64::from(high) << (8 * (len - 4)), 0, 0]
        }
        _ => [bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)), 0, 0],
    }
}

// SAFETY: bytes behind a heap blob are never written while one covers them, and
// the count is atomic.
unsafe impl Send for Blob {}
// SAFETY: as above; a shared blob only reads.
unsafe impl Sync for Blob {}

impl Blob {
    /// A blob without bytes.
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: [MaybeUninit::uninit(); INLINE], tag: Tag::Inline0 }
    }

    /// A copy of `bytes`, which shares memory with nothing.
    #[inline]
    #[must_use]
    pub fn copy_from_slice(bytes: &[u8]) -> Self {
        if bytes.len() > INLINE {
            return Self::copied_to_heap(bytes);
        }
        let [first, second, third] = words(bytes);
        Self::inline_of([first, second, third | (bytes.len() as u64) << LEN_BITS])
    }

    /// A blob with inline bytes: the words that it is in memory, as if that were
    /// little-endian, the length in the last byte.
    #[inline]
    fn inline_of(words: [u64; 3]) -> Self {
        debug_assert!(words[2] >> LEN_BITS <= INLINE as u64);
        // SAFETY: the sizes are the same, and the last byte is an inline tag.
        unsafe { std::mem::transmute(words.map(u64::to_le)) }
    }

    /// A blob of bytes that live as long as the program. Not copied if there are more
    /// than 23.
    ///
    /// # Panics
    ///
    /// Never in practice: only bytes of 2^56 and more would not fit.
    #[must_use]
    pub fn from_static(bytes: &'static [u8]) -> Self {
        if bytes.len() <= INLINE {
            return Self::copy_from_slice(bytes);
        }
        Self::heap(ptr::null_mut(), bytes.as_ptr(), bytes.len())
    }

    #[inline(never)]
    fn copied_to_heap(bytes: &[u8]) -> Self {
        let block = Block::copied(bytes);
        let start = block.data().as_ptr();
        Self::heap(block.into_raw(), start, bytes.len())
    }

    /// A heap blob that takes over `owner`'s count.
    #[inline]
    fn heap(owner: *mut Header, start: *const u8, len: usize) -> Self {
        let len = len as u64;
        assert!(len >> LEN_BITS == 0, "bytes of 2^56 and more do not fit into a blob");
        let len_and_tag = (len | (Tag::Heap as u64) << LEN_BITS).to_le();
        // SAFETY: the sizes are the same, and the last byte is the heap's tag.
        unsafe { std::mem::transmute(Heap { owner: Word(owner), start: Word(start), len_and_tag }) }
    }

    /// The heap part, if there is one.
    #[inline]
    fn as_heap(&self) -> Option<Heap> {
        // SAFETY: the tag says that the bytes are a `Heap`.
        (self.tag == Tag::Heap).then(|| unsafe { ptr::from_ref(self).cast::<Heap>().read() })
    }

    /// The bytes, as a slice.
    #[inline]
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        let (start, len) = match self.as_heap() {
            None => (self.bytes.as_ptr().cast(), self.tag as usize),
            Some(heap) => (heap.start.0, heap.len()),
        };
        // SAFETY: the invariant of this module.
        unsafe { std::slice::from_raw_parts(start, len) }
    }

    /// The bytes as text.
    ///
    /// # Errors
    ///
    /// If the bytes are not UTF-8. Riak promises that for none of its `bytes` fields.
    pub fn to_str(&self) -> Result<&str, std::str::Utf8Error> {
        std::str::from_utf8(self)
    }

    /// The bytes as text, with U+FFFD for what is not UTF-8.
    #[must_use]
    pub fn to_string_lossy(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self)
    }

    /// A blob of a part of the bytes.
    ///
    /// A part of 512 bytes and more that is at least a quarter of the allocation it
    /// keeps alive is shared; any other is copied.
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

    /// `part`, shared with this blob if it is a slice of it that is worth
    /// sharing, else copied.
    #[must_use]
    pub(crate) fn share(&self, part: &[u8]) -> Self {
        if part.len() < SHARE {
            return Self::copy_from_slice(part);
        }
        let Some(heap) = self.as_heap() else { return Self::copy_from_slice(part) };
        let range = self.as_ptr_range();
        let within =
            range.contains(&part.as_ptr()) && part.len() <= range.end as usize - part.as_ptr() as usize;
        if !within {
            return Self::copy_from_slice(part);
        }
        let offset = part.as_ptr() as usize - range.start as usize;
        // SAFETY: the offset was just checked to lie within this blob.
        let start = unsafe { heap.start.0.add(offset) };
        if heap.owner.0.is_null() {
            return Self::heap(heap.owner.0, start, part.len());
        }
        let block = heap.borrow_block();
        if part.len() < block.capacity() / 4 {
            return Self::copy_from_slice(part);
        }
        Self::heap(Block::clone(&block).into_raw(), start, part.len())
    }

    /// The same bytes at an address that does not change when the blob moves.
    #[must_use]
    pub(crate) fn into_heap(self) -> Self {
        if self.tag == Tag::Heap { self } else { Self::copied_to_heap(&self) }
    }

    /// A copy of the bytes as a vector. It always copies.
    #[must_use]
    pub fn into_vec(self) -> Vec<u8> {
        self.to_vec()
    }

    /// Builds an inline blob by copying 24 bytes, of which `len` count: one
    /// short sequence without branches, where copying `len` would need many.
    ///
    /// # Safety
    ///
    /// `len` is at most [`INLINE`], and 24 bytes at `start` may be read.
    #[inline]
    pub(crate) unsafe fn inline_from(start: *const u8, len: usize) -> Self {
        // SAFETY: the caller vouches for the source, which need not be aligned.
        let [first, second, third] = unsafe { start.cast::<[u64; 3]>().read_unaligned() };
        // The tag is put in while the bytes are in registers. Stored by itself,
        // it would make the next copy of the blob wait (measured: four times
        // the cost of reading a list of keys).
        let [first, second, third] = [first, second, third].map(u64::from_le);
        Self::inline_of([first, second, third << 8 >> 8 | (len as u64) << LEN_BITS])
    }

    /// The start of the inline bytes, of which 24 may be copied, and how many
    /// of them count; `None` if the blob is on the heap.
    #[inline]
    pub(crate) fn as_inline(&self) -> Option<(*const MaybeUninit<u8>, usize)> {
        (self.tag != Tag::Heap).then(|| (ptr::from_ref(self).cast(), self.tag as usize))
    }
}

impl Heap {
    #[inline]
    fn len(self) -> usize {
        #[allow(clippy::cast_possible_truncation, reason = "it was a usize")]
        let len = (u64::from_le(self.len_and_tag) & ((1 << LEN_BITS) - 1)) as usize;
        len
    }

    /// The owner's block, without a count of its own. The owner is not null.
    fn borrow_block(self) -> ManuallyDrop<Block> {
        // SAFETY: the blob owns a count, and the result never drops it.
        ManuallyDrop::new(unsafe { Block::from_raw(self.owner.0) })
    }
}

impl Drop for Blob {
    #[inline]
    fn drop(&mut self) {
        if let Some(heap) = self.as_heap()
            && !heap.owner.0.is_null()
        {
            // SAFETY: this blob owns one count and is being dropped.
            drop(unsafe { Block::from_raw(heap.owner.0) });
        }
    }
}

impl Clone for Blob {
    #[inline]
    fn clone(&self) -> Self {
        match self.as_heap() {
            Some(heap) => {
                let owner = if heap.owner.0.is_null() {
                    heap.owner.0
                } else {
                    Block::clone(&heap.borrow_block()).into_raw()
                };
                Self::heap(owner, heap.start.0, heap.len())
            }
            // SAFETY: inline bytes belong to nobody but the blob they are in.
            None => unsafe { ptr::read(self) },
        }
    }
}

impl Default for Blob {
    #[inline]
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for Blob {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.as_slice()
    }
}

#[cfg(test)]
mod tests;
