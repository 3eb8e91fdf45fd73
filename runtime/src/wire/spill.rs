//! [`Spill`]: where a [`Writer`](super::Writer) puts its bytes when they do not
//! fit where it began, and what it comes back to at the end.
//!
//! Invariant: the places of `widened` and `large` are offsets into the bytes
//! that were written, as long as no length has been widened.

use crate::Blob;
use crate::varint;

/// From this length on, a shared [`Blob`] is not copied into a frame but sent
/// from where it is. Two more entries of a vectored write cost less than a copy
/// of so much.
pub(crate) const BORROW: usize = 16 * 1024;

/// A large value that stands in a frame by reference.
#[derive(Debug)]
pub(crate) struct Large {
    /// Where it belongs, as an offset into the copied bytes.
    pub(crate) offset: usize,
    /// The bytes.
    pub(crate) blob: Blob,
}

/// The length prefix of a message that turned out longer than its prefix can
/// say.
#[derive(Debug)]
pub(super) struct Widened {
    /// Where the prefix begins.
    pub(super) offset: usize,
    /// How many bytes it has, and how many it needs.
    pub(super) width: usize,
    pub(super) needs: usize,
    /// The length of the message.
    pub(super) len: u64,
}

/// What becomes of the bytes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// They are appended to the buffer.
    #[default]
    Buffer,
    /// They are only counted: nobody wants them, or they are too many.
    Nowhere,
}

/// Buffers smaller than this grow faster.
const QUICK: usize = 16 * 1024;

/// Buffers smaller than this are not made smaller, if nothing is to be added.
pub(super) const MUCH: usize = 4096;

/// Memory behind a writer. Kept from one message to the next.
#[derive(Debug, Default)]
pub(crate) struct Spill {
    pub(crate) buffer: Vec<u8>,
    pub(super) target: Target,
    /// Whether large blobs go to `large`, instead of being copied.
    pub(super) refers: bool,
    pub(super) widened: Vec<Widened>,
    pub(super) large: Vec<Large>,
    /// The capacity that a buffer without one is given at least.
    pub(super) first: usize,
    /// Whether any of this is of a message that has come to no end.
    stale: bool,
}

impl Spill {
    pub(super) const fn new(buffer: Vec<u8>, target: Target) -> Self {
        Self { buffer, target, refers: false, widened: Vec::new(), large: Vec::new(), first: 0, stale: false }
    }

    /// A buffer of frames: large blobs are not copied.
    pub(crate) const fn of_frames() -> Self {
        let mut spill = Self::new(Vec::new(), Target::Buffer);
        spill.refers = true;
        spill
    }

    /// Lends a buffer for the time that something is appended to it.
    #[inline]
    pub(crate) fn lend<R>(buffer: &mut Vec<u8>, append: impl FnOnce(&mut Self) -> R) -> R {
        /// Gives the buffer back, whatever happens.
        struct Lent<'b>(&'b mut Vec<u8>, Spill);
        impl Drop for Lent<'_> {
            fn drop(&mut self) {
                std::mem::swap(self.0, &mut self.1.buffer);
            }
        }
        let spill = Self::new(std::mem::take(buffer), Target::Buffer);
        append(&mut Lent(buffer, spill).1)
    }

    /// Forgets what a message left behind that came to no end.
    #[inline]
    pub(super) fn begin(&mut self) {
        if self.stale {
            self.forget();
        }
    }

    #[cold]
    fn forget(&mut self) {
        self.target = Target::Buffer;
        self.widened.clear();
        self.large.clear();
        self.stale = false;
    }

    /// Notes a prefix that is too narrow.
    pub(super) fn push_widened(&mut self, prefix: Widened) {
        self.stale = true;
        self.widened.push(prefix);
    }

    /// Notes a large value that belongs where the bytes end so far.
    pub(super) fn push_large(&mut self, offset: usize, blob: &Blob) {
        self.stale = true;
        self.large.push(Large { offset, blob: blob.clone() });
    }

    /// From here on bytes are only counted.
    pub(super) fn give_up(&mut self) {
        self.stale = true;
        self.target = Target::Nowhere;
    }

    /// Ends a message of which something is elsewhere than in the buffer.
    #[cold]
    #[inline(never)]
    pub(super) fn end(&mut self) {
        debug_assert!(self.target == Target::Buffer);
        if !self.widened.is_empty() {
            self.widen();
        }
        self.stale = self.has_large();
    }

    /// Makes room in the buffer. The first few times more than twice as much,
    /// since there is little to move yet.
    pub(super) fn reserve(&mut self, more: usize) {
        let capacity = self.buffer.capacity();
        if capacity == 0 {
            self.buffer.reserve_exact(self.first.max(more + more / 8));
        } else if capacity < QUICK {
            // What asks for much is most likely not the last of it.
            let more = more + (more / 4).min(capacity);
            self.buffer.reserve_exact(more.max(4 * capacity - self.buffer.len()));
        } else {
            self.buffer.reserve(more);
        }
    }

    /// Ends a vector of its own.
    #[inline(never)]
    pub(super) fn finish(&mut self) {
        self.end();
        if self.buffer.capacity() >= MUCH && self.buffer.capacity() / 2 > self.buffer.len() {
            self.buffer.shrink_to_fit();
        }
    }

    /// Whether the message that was written last has large values.
    #[inline]
    pub(crate) fn has_large(&self) -> bool {
        !self.large.is_empty()
    }

    /// The large values of the message that was written last.
    pub(crate) fn take_large(&mut self) -> impl Iterator<Item = Large> + '_ {
        self.stale = false;
        self.large.drain(..)
    }

    /// Gives each length in `widened` the bytes that it needs. Goes from the
    /// last one to the first, so that each byte moves once, however many
    /// messages it is nested in.
    fn widen(&mut self) {
        // Messages end behind those that they contain. Siblings are in order.
        self.widened.sort_by_key(|prefix| prefix.offset);
        let mut shift = self.widened.iter().map(|prefix| prefix.needs - prefix.width).sum::<usize>();
        let mut end = self.buffer.len();
        self.buffer.resize(end + shift, 0);
        let mut large = self.large.iter_mut().rev().peekable();
        for prefix in self.widened.drain(..).rev() {
            let body = prefix.offset + prefix.width;
            while let Some(large) = large.next_if(|large| large.offset >= body) {
                large.offset += shift;
            }
            self.buffer.copy_within(body..end, body + shift);
            shift -= prefix.needs - prefix.width;
            end = prefix.offset;
            put_padded(&mut self.buffer[end + shift..][..prefix.needs], prefix.len);
        }
    }
}

/// Writes a varint that fills `place`: longer than it need be, if so.
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
        let mut spill = Spill::new(b"\0\0aaabc\0d".to_vec(), Target::Buffer);
        let mut widened = |offset, needs, len| {
            spill.widened.push(Widened { offset, width: 1, needs, len });
        };
        widened(1, 2, 300);
        widened(0, 3, 20_000);
        widened(7, 2, 128);
        spill.large = [2, 5, 9].map(|offset| Large { offset, blob: Blob::new() }).into();
        spill.widen();
        assert_eq!(spill.buffer, b"\xa0\x9c\x01\xac\x02aaabc\x80\x01d");
        assert_eq!(spill.large.iter().map(|large| large.offset).collect::<Vec<_>>(), [5, 8, 13]);
        assert!(spill.widened.is_empty());
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
