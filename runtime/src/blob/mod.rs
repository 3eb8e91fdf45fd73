//! [`Blob`]: the owned type of a `bytes` field.
//!
//! Riak's keys, indexes and metadata are short, and one allocation each is what makes
//! decoding into owned values slow. A blob stores up to [`INLINE`] bytes inline; longer
//! ones are shared by reference count, so that a value can be a slice of the frame that
//! it came in, or lie in one block with other values of its message.
//!
//! Invariant: if the highest bit of the last word is not set, the word's highest byte is
//! the number of inline bytes plus one, and that many bytes at the start of the blob are
//! initialised. If the bit is set, the blob is a `Heap` whose pointer and length are
//! valid for reads as long as the blob holds its count of the owner; a null owner
//! stands for `'static` bytes.

mod arena;
mod block;
mod convert;
#[cfg(test)]
mod model;
mod read_buffer;
mod share;

use std::mem::{ManuallyDrop, MaybeUninit};
use std::num::NonZeroU64;
use std::ops::Deref;
use std::ptr;

pub(crate) use arena::Arena;
use block::{Block, Header};
pub use read_buffer::ReadBuffer;
pub(crate) use share::MIN_SHARED;

/// The maximum number of bytes that a [`Blob`] stores inline.
pub const INLINE: usize = 23;

/// Immutable bytes, cheap to clone: the owned type of a `bytes` field.
///
/// A blob is 24 bytes large, and so is `Option<Blob>`. Up to 23 bytes are stored in the
/// blob itself; longer ones are shared by reference count. A blob dereferences to
/// `[u8]`, is created with `into()` from strings, slices, arrays and vectors, and
/// compares with all of them. `Debug` prints text if the bytes are UTF-8 without
/// control characters, and escaped bytes otherwise.
///
/// A decoded blob may keep more memory alive than its own bytes. One of 512 bytes or
/// more is a slice of its frame, and keeps up to four times its size alive; a shorter
/// one may share a block with other values of its message, and keeps up to 1 KiB alive.
/// The body of a [`Frame`](crate::Frame) keeps all that was read together with it alive.
/// [`Blob::compact`] makes an independent copy where that is needed.
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
// Its fields are words because they are moved as such. If the tag were a byte of its own, a
// move would copy the bytes before it in overlapping parts, and loading these stalls until
// each store has completed.
#[repr(C, align(8))]
pub struct Blob {
    words: [MaybeUninit<u64>; 2],
    /// Little-endian on every platform, so that its highest byte comes last. Never zero,
    /// which is how an `Option<Blob>` represents `None`.
    last: NonZeroU64,
}

/// The bit of the last word that marks a heap blob.
const HEAP: u64 = 1 << 63;

/// Where the tag of an inline blob begins in the last word.
const TAG_SHIFT: u32 = 56;

/// Returns the tag of an inline blob of `len` bytes, in its place in the last word.
#[inline]
const fn inline_tag(len: usize) -> u64 {
    (len as u64 + 1) << TAG_SHIFT
}

/// The representation of a blob whose last word has the bit [`HEAP`]. The other bits of
/// that word are the length.
#[repr(C)]
#[derive(Clone, Copy)]
struct Heap {
    owner: Word<*mut Header>,
    start: Word<*const u8>,
    len: u64,
}

/// A field that takes eight bytes on every platform, as the words of a blob do.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Word<T>(T);

const _: () = assert!(size_of::<Heap>() == size_of::<Blob>() && size_of::<Blob>() == 24);
const _: () = assert!(align_of::<Heap>() == align_of::<Blob>());
const _: () = assert!(size_of::<Option<Blob>>() == size_of::<Blob>());

/// Packs up to [`INLINE`] bytes into three little-endian words, padded with zeros.
///
/// It combines a few overlapping loads in registers. A copy through memory would stall
/// the next move of the blob until the stores have completed.
#[inline]
fn to_words(bytes: &[u8]) -> [u64; 3] {
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

// SAFETY: a blob only reads the bytes behind it, nobody writes them while a blob covers
// them, and the owner's reference count is atomic.
unsafe impl Send for Blob {}
// SAFETY: as above; a shared reference only allows reads.
unsafe impl Sync for Blob {}

impl Blob {
    /// Creates an empty blob.
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        const LAST: NonZeroU64 = NonZeroU64::new(inline_tag(0).to_le()).expect("the tag is not zero");
        Self { words: [MaybeUninit::uninit(); 2], last: LAST }
    }

    /// Creates a blob from a copy of `bytes`, which shares memory with nothing.
    #[inline]
    #[must_use]
    pub fn copy_from_slice(bytes: &[u8]) -> Self {
        if bytes.len() > INLINE {
            return Self::copy_to_heap(bytes);
        }
        // SAFETY: the length was just checked.
        unsafe { Self::from_words(to_words(bytes), bytes.len()) }
    }

    /// Creates an inline blob from its bytes as three little-endian words, and their number.
    /// What is behind them in the words does not matter.
    ///
    /// # Safety
    ///
    /// `len` is at most [`INLINE`].
    #[inline]
    unsafe fn from_words(words: [u64; 3], len: usize) -> Self {
        debug_assert!(len <= INLINE);
        let [first, second, third] = words;
        // The tag replaces the highest byte. A rotation needs no mask, which would be a
        // constant of eight bytes.
        let last = (third << 8 | inline_tag(len) >> TAG_SHIFT).rotate_right(8);
        // SAFETY: `len` is at most `INLINE`, so that the tag is not zero and its highest bit is
        // clear.
        let last = unsafe { NonZeroU64::new_unchecked(last.to_le()) };
        Self { words: [first, second].map(|word| MaybeUninit::new(word.to_le())), last }
    }

    /// Creates a blob from bytes that live as long as the program. More than 23 bytes
    /// are not copied.
    #[must_use]
    pub fn from_static(bytes: &'static [u8]) -> Self {
        if bytes.len() <= INLINE {
            return Self::copy_from_slice(bytes);
        }
        Self::heap(ptr::null_mut(), bytes.as_ptr(), bytes.len())
    }

    #[inline]
    fn copy_to_heap(bytes: &[u8]) -> Self {
        Self::of_block(Block::copy_of(bytes), bytes.len())
    }

    /// Creates a heap blob of the first `len` bytes of a block, which are initialised.
    #[inline]
    fn of_block(block: Block, len: usize) -> Self {
        let start = block.data().as_ptr();
        Self::heap(block.into_raw(), start, len)
    }

    /// Creates a heap blob that takes over one count of `owner`.
    #[inline]
    fn heap(owner: *mut Header, start: *const u8, len: usize) -> Self {
        // No slice is longer than `isize::MAX`, so the highest bit of its length is free.
        let len = (len as u64 | HEAP).to_le();
        // SAFETY: both types consist of three words, and the last one is not zero.
        unsafe { std::mem::transmute(Heap { owner: Word(owner), start: Word(start), len }) }
    }

    #[inline]
    fn is_heap(&self) -> bool {
        u64::from_le(self.last.get()) & HEAP != 0
    }

    /// Reports whether the bytes are stored in the blob itself. Such a blob owns no memory.
    #[inline]
    pub(crate) fn is_inline(&self) -> bool {
        !self.is_heap()
    }

    /// Returns the length of an inline blob.
    #[inline]
    fn inline_len(&self) -> usize {
        debug_assert!(!self.is_heap());
        (u64::from_le(self.last.get()) >> TAG_SHIFT) as usize - 1
    }

    /// Returns the heap representation if this is a heap blob.
    #[inline]
    fn as_heap(&self) -> Option<Heap> {
        // SAFETY: the bit says that this blob is a `Heap`, which has the same size and
        // alignment.
        self.is_heap().then(|| unsafe { ptr::from_ref(self).cast::<Heap>().read() })
    }

    /// Returns the bytes as a slice.
    #[inline]
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        let (start, len) = match self.as_heap() {
            None => (ptr::from_ref(self).cast(), self.inline_len()),
            Some(heap) => (heap.start.0, heap.len()),
        };
        // SAFETY: inline, the tag counts the initialised bytes at the start of `self`.
        // On the heap, the pointer and the length are valid while `self` holds its
        // count, and nothing writes these bytes. Both outlive the borrow of `self`.
        unsafe { std::slice::from_raw_parts(start, len) }
    }

    /// Returns the bytes as text.
    ///
    /// # Errors
    ///
    /// If the bytes are not UTF-8. Riak does not guarantee UTF-8 for any `bytes` field.
    pub fn to_str(&self) -> Result<&str, std::str::Utf8Error> {
        std::str::from_utf8(self)
    }

    /// Returns the bytes as text, with U+FFFD in place of invalid UTF-8.
    #[must_use]
    pub fn to_string_lossy(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self)
    }

    /// Returns the same bytes at an address that does not change when the blob moves.
    #[must_use]
    pub(crate) fn into_heap(self) -> Self {
        if self.is_heap() { self } else { Self::copy_to_heap(&self) }
    }

    /// Creates an inline blob from the first `len` of 24 bytes. Reading a fixed 24
    /// bytes takes a short sequence without branches, whereas copying `len` bytes needs
    /// many.
    ///
    /// # Safety
    ///
    /// `len` is at most [`INLINE`], and the 24 bytes at `start` are initialised and
    /// readable.
    #[inline]
    pub(crate) unsafe fn inline_from(start: *const u8, len: usize) -> Self {
        // SAFETY: the caller guarantees that 24 bytes are readable; `read_unaligned`
        // needs no alignment.
        let [first, second, third] = unsafe { start.cast::<[u64; 3]>().read_unaligned() };
        // The tag is inserted while the bytes are in registers. A separate store of the
        // tag would stall the next copy of the blob (measured: reading a list of keys
        // took four times as long).
        // SAFETY: the caller guarantees `len`.
        unsafe { Self::from_words([first, second, third].map(u64::from_le), len) }
    }

    /// Returns the start of the inline bytes, of which 24 may be copied, and the number
    /// of bytes that count; `None` for a heap blob.
    #[inline]
    pub(crate) fn as_inline(&self) -> Option<(*const MaybeUninit<u8>, usize)> {
        (!self.is_heap()).then(|| (ptr::from_ref(self).cast(), self.inline_len()))
    }
}

impl Heap {
    #[inline]
    fn len(self) -> usize {
        #[allow(clippy::cast_possible_truncation, reason = "it was a usize")]
        let len = (u64::from_le(self.len) & !HEAP) as usize;
        len
    }

    /// Returns the owner's block without taking a count. The owner must not be null.
    fn borrow_block(self) -> ManuallyDrop<Block> {
        // SAFETY: the pointer came from a `Block`. The blob holds one of its counts
        // while `self` is in use, and `ManuallyDrop` never releases that count.
        ManuallyDrop::new(unsafe { Block::from_raw(self.owner.0) })
    }
}

impl Drop for Blob {
    #[inline]
    fn drop(&mut self) {
        if let Some(heap) = self.as_heap() {
            release(heap.owner.0);
        }
    }
}

/// Gives up a heap blob's count at its owner, if it has one.
///
/// Not inlined, so that a message whose blobs are inline is dropped by a test of each
/// (measured: a third of the instructions that drop a put).
#[inline(never)]
fn release(owner: *mut Header) {
    if !owner.is_null() {
        // SAFETY: the owner came from a `Block`, and the blob that is dropped gives up its
        // one count, which nothing else releases.
        drop(unsafe { Block::from_raw(owner) });
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
            // SAFETY: inline bytes are plain data that belong to no other value, so a
            // bitwise copy is an independent blob.
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
