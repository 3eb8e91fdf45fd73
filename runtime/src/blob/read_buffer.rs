//! [`ReadBuffer`]: where bytes arrive, and where frames are sliced from.
//!
//! Invariant: `start <= end <= capacity` of the block; bytes before `end` are
//! never written again while a blob given out may cover them, and everything
//! behind `end` belongs to this buffer alone.

use std::ptr;

use super::block::Block;
use super::{Blob, INLINE};

/// A buffer that is filled at its end and gives away its front as [`Blob`]s: what
/// [`FrameReader`](crate::FrameReader) reads into.
///
/// Blobs longer than [`INLINE`](super::INLINE) share the buffer's memory and are not
/// copied. When there is no room left, a new block is begun, so the bytes of a blob
/// never change.
///
/// ```
/// use riak_runtime::blob::ReadBuffer;
///
/// let mut buffer = ReadBuffer::new(1024);
/// buffer.spare(11)[..11].copy_from_slice(b"hello world");
/// buffer.advance(11);
/// let hello = buffer.take(5);
/// buffer.skip(1);
/// assert_eq!(hello, "hello");
/// assert_eq!(buffer.filled(), b"world");
/// ```
pub struct ReadBuffer {
    block: Block,
    /// First byte that was not given away.
    start: usize,
    /// First byte that was not filled.
    end: usize,
    /// Size of a new block, unless more is asked for.
    block_size: usize,
}

impl ReadBuffer {
    /// An empty buffer whose blocks have `block_size` bytes, or more where a
    /// single frame needs it.
    #[must_use]
    pub fn new(block_size: usize) -> Self {
        Self { block: Block::zeroed(block_size), start: 0, end: 0, block_size }
    }

    /// The bytes that have arrived and were not given away yet.
    #[must_use]
    pub fn filled(&self) -> &[u8] {
        // SAFETY: the range lies within the block and is initialised.
        unsafe {
            std::slice::from_raw_parts(self.block.data().as_ptr().add(self.start), self.end - self.start)
        }
    }

    /// Room for at least `min` bytes after the filled ones. Fill it from its front,
    /// then report how much with [`ReadBuffer::advance`].
    pub fn spare(&mut self, min: usize) -> &mut [u8] {
        if self.block.capacity() - self.end < min {
            self.make_room(min);
        }
        let spare = self.block.capacity() - self.end;
        // SAFETY: the block was allocated zeroed, so all of it is initialised,
        // and no blob covers what lies behind `end`.
        unsafe { std::slice::from_raw_parts_mut(self.block.data().as_ptr().add(self.end), spare) }
    }

    /// Reports that the first `count` bytes of [`ReadBuffer::spare`] were filled.
    ///
    /// # Panics
    ///
    /// If there is not that much room.
    pub fn advance(&mut self, count: usize) {
        assert!(count <= self.block.capacity() - self.end, "more bytes were filled than there was room for");
        self.end += count;
    }

    /// Takes the first `count` bytes out, as a blob.
    ///
    /// # Panics
    ///
    /// If fewer have arrived.
    pub fn take(&mut self, count: usize) -> Blob {
        let bytes = &self.filled()[..count];
        let blob = if count <= INLINE {
            Blob::copy_from_slice(bytes)
        } else {
            let start = bytes.as_ptr();
            Blob::heap(self.block.clone().into_raw(), start, count)
        };
        self.start += count;
        blob
    }

    /// Discards the first `count` bytes.
    ///
    /// # Panics
    ///
    /// If fewer have arrived.
    pub fn skip(&mut self, count: usize) {
        assert!(count <= self.end - self.start, "fewer bytes have arrived");
        self.start += count;
    }

    /// Moves what is left to the front of a block with room for `min` more.
    #[cold]
    fn make_room(&mut self, min: usize) {
        let left = self.end - self.start;
        let needed = left.checked_add(min).expect("so much room fits into no address space");
        if needed <= self.block.capacity()
            && self.block.capacity() <= self.block_size
            && self.block.is_unique()
        {
            // SAFETY: both ranges lie within the block, and no blob covers it.
            unsafe {
                let data = self.block.data().as_ptr();
                ptr::copy(data.add(self.start), data, left);
            }
        } else {
            let block = Block::zeroed(needed.max(self.block_size));
            // SAFETY: the new block has room for what is left, and is another.
            unsafe {
                ptr::copy_nonoverlapping(
                    self.block.data().as_ptr().add(self.start),
                    block.data().as_ptr(),
                    left,
                );
            }
            self.block = block;
        }
        self.start = 0;
        self.end = left;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(buffer: &mut ReadBuffer, bytes: &[u8]) {
        buffer.spare(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        buffer.advance(bytes.len());
    }

    #[test]
    fn blobs_outlive_what_arrives_later() {
        let mut buffer = ReadBuffer::new(64);
        let mut blobs = Vec::new();
        for round in 0..100u8 {
            fill(&mut buffer, &[round; 40]);
            blobs.push(buffer.take(30));
            buffer.skip(5);
            assert_eq!(buffer.filled().len(), usize::from(round + 1) * 5);
            if round % 8 == 7 {
                let left = buffer.filled().len();
                buffer.skip(left);
                for _ in 0..=round {
                    fill(&mut buffer, &[round; 5]);
                }
            }
        }
        assert!(blobs[0].iter().all(|&byte| byte == 0));
        assert_eq!(blobs[1].as_slice(), [&[0; 5][..], &[1; 25]].concat());
    }

    #[test]
    fn a_block_nobody_shares_is_used_again() {
        let mut buffer = ReadBuffer::new(64);
        let first = buffer.filled().as_ptr();
        for _ in 0..10 {
            fill(&mut buffer, &[1; 60]);
            buffer.skip(60);
        }
        assert_eq!(buffer.filled().as_ptr(), first.wrapping_add(60));
    }

    #[test]
    fn grows_for_one_large_frame_and_shrinks_back() {
        let mut buffer = ReadBuffer::new(64);
        fill(&mut buffer, &[1; 1000]);
        let blob = buffer.take(1000);
        drop(blob);
        fill(&mut buffer, &[2; 10]);
        assert_eq!(buffer.spare(0).len(), 54);
    }

    #[test]
    #[should_panic(expected = "so much room")]
    fn asking_for_more_than_there_can_be_panics() {
        let mut buffer = ReadBuffer::new(0);
        fill(&mut buffer, &[1; 1000]);
        buffer.spare(usize::MAX - 500);
    }

    #[test]
    #[should_panic(expected = "more bytes were filled")]
    fn advancing_past_the_room_panics() {
        ReadBuffer::new(8).advance(9);
    }
}
