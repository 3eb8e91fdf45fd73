//! [`EncodeBuffer`]: the buffer behind a [`Writer`](super::Writer), and what is left to
//! do when a message ends.
//!
//! Invariant: the offsets in `wide_prefixes` and `large` are offsets into the written
//! bytes until the prefixes are widened.

use crate::Blob;
use crate::varint;

/// The minimum length at which a shared [`Blob`] is sent from where it is instead of
/// being copied into a frame. Two more entries in a vectored write cost less than such
/// a copy.
pub(crate) const MIN_BORROWED: usize = 16 * 1024;

/// A large value that is part of a frame by reference.
#[derive(Debug)]
pub(crate) struct LargeValue {
    /// Where the value belongs, as an offset into the copied bytes.
    pub(crate) offset: usize,
    /// The value.
    pub(crate) blob: Blob,
}

/// The length prefix of a message that needs more bytes than were reserved.
#[derive(Debug)]
pub(super) struct WidePrefix {
    /// Offset of the prefix.
    pub(super) offset: usize,
    /// How many bytes are reserved, and how many are needed.
    pub(super) width: usize,
    pub(super) needed: usize,
    /// The length of the message.
    pub(super) len: u64,
}

/// What happens to the bytes that are written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// They are appended to the buffer.
    #[default]
    Buffer,
    /// They are only counted: the caller needs only the length, or there are too many.
    Count,
}

/// Buffers with less capacity grow faster.
const FAST_GROWTH_CAPACITY: usize = 16 * 1024;

/// Reserves capacity in a buffer of bytes, whose first allocation is `initial` bytes. A
/// small buffer more than doubles, since there is little to move yet.
pub(super) fn reserve<Byte>(buffer: &mut Vec<Byte>, initial: usize, more: usize) {
    let capacity = buffer.capacity();
    if capacity == 0 {
        buffer.reserve_exact(initial.max(more + more / 8));
    } else if capacity < FAST_GROWTH_CAPACITY {
        // A message that needs much is likely to need more.
        let more = more + (more / 4).min(capacity);
        buffer.reserve_exact(more.max(4 * capacity - buffer.len()));
    } else {
        buffer.reserve(more);
    }
}

/// The minimum capacity at which a finished vector is shrunk.
pub(super) const MIN_SHRINK_CAPACITY: usize = 4096;

/// The buffer behind a writer, reused from one message to the next.
#[derive(Debug, Default)]
pub(crate) struct EncodeBuffer {
    pub(crate) buffer: Vec<u8>,
    pub(super) target: Target,
    /// Whether large blobs go to `large` instead of being copied.
    pub(super) borrows_large: bool,
    pub(super) wide_prefixes: Vec<WidePrefix>,
    pub(super) large: Vec<LargeValue>,
    /// The minimum capacity of the first allocation.
    pub(super) initial_capacity: usize,
}

impl EncodeBuffer {
    pub(super) const fn new(buffer: Vec<u8>, target: Target) -> Self {
        Self {
            buffer,
            target,
            borrows_large: false,
            wide_prefixes: Vec::new(),
            large: Vec::new(),
            initial_capacity: 0,
        }
    }

    /// Creates a buffer of frames: large blobs are not copied.
    pub(crate) const fn for_frames() -> Self {
        let mut output = Self::new(Vec::new(), Target::Buffer);
        output.borrows_large = true;
        output
    }

    /// Passes `append` an `EncodeBuffer` that appends to `buffer`.
    #[inline]
    pub(crate) fn lend<R>(buffer: &mut Vec<u8>, append: impl FnOnce(&mut Self) -> R) -> R {
        /// Returns the buffer to its owner, even if `append` panics.
        struct Lent<'b>(&'b mut Vec<u8>, EncodeBuffer);
        impl Drop for Lent<'_> {
            fn drop(&mut self) {
                std::mem::swap(self.0, &mut self.1.buffer);
            }
        }
        let output = Self::new(std::mem::take(buffer), Target::Buffer);
        append(&mut Lent(buffer, output).1)
    }

    /// Ends a message with values or lengths outside the buffer. Reports whether there
    /// are such values.
    #[cold]
    #[inline(never)]
    pub(super) fn finish_message(&mut self) -> bool {
        debug_assert!(self.target == Target::Buffer);
        if !self.wide_prefixes.is_empty() {
            self.widen();
        }
        !self.large.is_empty()
    }

    /// Ends a message with a vector of its own, and shrinks the vector if it is mostly
    /// empty.
    #[inline(never)]
    pub(super) fn finish_vec(&mut self) {
        self.finish_message();
        if self.buffer.capacity() >= MIN_SHRINK_CAPACITY && self.buffer.capacity() / 2 > self.buffer.len() {
            self.buffer.shrink_to_fit();
        }
    }

    /// Removes and returns the large values of the last message.
    pub(crate) fn take_large(&mut self) -> impl Iterator<Item = LargeValue> + '_ {
        self.large.drain(..)
    }

    /// Gives each prefix in `wide_prefixes` the bytes that it needs. Works from the
    /// last prefix to the first, so that each byte moves once, however deep it is
    /// nested.
    fn widen(&mut self) {
        // Prefixes are recorded when their messages end, so nested ones come first.
        // Sort them by position.
        self.wide_prefixes.sort_by_key(|prefix| prefix.offset);
        let mut shift = self.wide_prefixes.iter().map(|prefix| prefix.needed - prefix.width).sum::<usize>();
        let mut end = self.buffer.len();
        self.buffer.resize(end + shift, 0);
        let mut large = self.large.iter_mut().rev().peekable();
        for prefix in self.wide_prefixes.drain(..).rev() {
            let body = prefix.offset + prefix.width;
            while let Some(large) = large.next_if(|large| large.offset >= body) {
                large.offset += shift;
            }
            self.buffer.copy_within(body..end, body + shift);
            shift -= prefix.needed - prefix.width;
            end = prefix.offset;
            put_padded(&mut self.buffer[end + shift..][..prefix.needed], prefix.len);
        }
    }
}

/// A buffer with a message that is being written. To be forgotten when the message is
/// finished; dropped, it discards what is left of a message that is too long or whose
/// `encode` panicked.
pub(super) struct Unfinished<'o>(pub(super) &'o mut EncodeBuffer);

impl Drop for Unfinished<'_> {
    #[cold]
    #[inline(never)]
    fn drop(&mut self) {
        self.0.target = Target::Buffer;
        self.0.wide_prefixes.clear();
        self.0.large.clear();
    }
}

/// Writes a varint that fills `place`, overlong if necessary.
pub(super) fn put_padded(place: &mut [u8], mut value: u64) {
    debug_assert!(varint::len(value) <= place.len());
    let last = place.len() - 1;
    for (index, byte) in place.iter_mut().enumerate() {
        *byte = value.to_le_bytes()[0] & 0x7f | if index < last { 0x80 } else { 0 };
        value >>= 7;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_widened_in_any_order_of_their_ends() {
        // [1: [2: 'a' * 3 ] 'b'] 'c' [3: 'd'], each prefix one byte so far.
        let mut output = EncodeBuffer::new(b"\0\0aaabc\0d".to_vec(), Target::Buffer);
        let mut widened = |offset, needed, len| {
            output.wide_prefixes.push(WidePrefix { offset, width: 1, needed, len });
        };
        widened(1, 2, 300);
        widened(0, 3, 20_000);
        widened(7, 2, 128);
        output.large = [2, 5, 9].map(|offset| LargeValue { offset, blob: Blob::new() }).into();
        output.widen();
        assert_eq!(output.buffer, b"\xa0\x9c\x01\xac\x02aaabc\x80\x01d");
        assert_eq!(output.large.iter().map(|large| large.offset).collect::<Vec<_>>(), [5, 8, 13]);
        assert!(output.wide_prefixes.is_empty());
    }

    #[test]
    fn padded_varints_fill_their_place() {
        let mut place = [0; 3];
        put_padded(&mut place, 5);
        assert_eq!(place, [0x85, 0x80, 0x00]);
        put_padded(&mut place[..1], 127);
        assert_eq!(place[0], 127);
    }
}
