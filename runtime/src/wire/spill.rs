//! [`Spill`]: where a [`Writer`](super::Writer) puts its bytes when they do not
//! fit where it began, and what it comes back to at the end.
//!
//! Invariant: the places of `widened` and `large` are offsets into the bytes
//! that were written, as long as no length has been widened.

use crate::Blob;
use crate::varint;

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
    /// They stand in memory of somebody else's, and move to the buffer when
    /// they outgrow it.
    Scratch,
    /// They are only counted: nobody wants them, or they are too many.
    Nowhere,
}

/// Memory behind a writer. Kept from one message to the next.
#[derive(Debug, Default)]
pub(crate) struct Spill {
    pub(crate) buffer: Vec<u8>,
    pub(super) target: Target,
    /// Whether large blobs go to `large`, instead of being copied.
    pub(super) refers: bool,
    pub(super) widened: Vec<Widened>,
    pub(super) large: Vec<Large>,
}

impl Spill {
    pub(super) const fn new(buffer: Vec<u8>, target: Target) -> Self {
        Self { buffer, target, refers: false, widened: Vec::new(), large: Vec::new() }
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
        self.target = Target::Buffer;
        self.widened.clear();
        self.large.clear();
    }

    /// Moves what was written to scratch memory into the buffer, with room for
    /// `more`. Four times what there is, so that not much is moved again.
    pub(super) fn leave_scratch(&mut self, written: &[u8], more: usize) {
        self.target = Target::Buffer;
        self.buffer.reserve_exact((4 * written.len()).max(written.len() + more));
        self.buffer.extend_from_slice(written);
    }

    /// Gives each length in `widened` the bytes that it needs. Goes from the
    /// last one to the first, so that each byte moves once, however many
    /// messages it is nested in.
    #[cold]
    #[inline(never)]
    pub(super) fn widen(&mut self) {
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
