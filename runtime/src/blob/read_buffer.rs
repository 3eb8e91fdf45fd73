//! [`ReadBuffer`]: receives bytes and hands out slices of them as frames.
//!
//! Invariant: `start <= end <= capacity` of the block. Bytes before `end` are never
//! written while a blob may cover them, and the bytes from `end` on belong to this
//! buffer alone.

use std::ptr;

use super::block::Block;
use super::{Blob, INLINE};

/// A buffer that is filled at its end and hands out its front as [`Blob`]s.
/// [`FrameReader`](crate::FrameReader) reads into it.
///
/// Blobs longer than [`INLINE`] share the buffer's memory and are not
/// copied. When no space is left, the buffer starts a new block, so the bytes of a blob
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
    /// Offset of the first byte that was not handed out.
    start: usize,
    /// Offset of the first byte that was not filled.
    end: usize,
    /// Size of a new block, unless a larger one is needed.
    block_size: usize,
}

impl ReadBuffer {
    /// Creates an empty buffer whose blocks have `block_size` bytes, or more where a
    /// single frame needs it.
    #[must_use]
    pub fn new(block_size: usize) -> Self {
        Self { block: Block::zeroed(block_size), start: 0, end: 0, block_size }
    }

    /// Returns the bytes that have arrived and were not handed out yet.
    #[must_use]
    pub fn filled(&self) -> &[u8] {
        // SAFETY: `start..end` lies within the block, which was allocated zeroed and is
        // therefore initialised. Writes only touch bytes from `end` on, or need `&mut
        // self`.
        unsafe {
            std::slice::from_raw_parts(self.block.data().as_ptr().add(self.start), self.end - self.start)
        }
    }

    /// Returns at least `min` writable bytes after the filled ones. Fill them from the
    /// front, then report how many with [`ReadBuffer::advance`].
    pub fn spare(&mut self, min: usize) -> &mut [u8] {
        if self.block.capacity() - self.end < min {
            self.make_room(min);
        }
        let spare = self.block.capacity() - self.end;
        // SAFETY: the block was allocated zeroed, so all of it is initialised. No blob
        // covers the bytes from `end` on, and `&mut self` excludes other access by this
        // buffer.
        unsafe { std::slice::from_raw_parts_mut(self.block.data().as_ptr().add(self.end), spare) }
    }

    /// Reports that the first `count` bytes of [`ReadBuffer::spare`] were filled.
    ///
    /// # Panics
    ///
    /// If `count` exceeds the spare capacity.
    pub fn advance(&mut self, count: usize) {
        assert!(count <= self.block.capacity() - self.end, "more bytes were filled than there was room for");
        self.end += count;
    }

    /// Removes the first `count` bytes and returns them as a blob.
    ///
    /// # Panics
    ///
    /// If fewer bytes have arrived.
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
    /// If fewer bytes have arrived.
    pub fn skip(&mut self, count: usize) {
        assert!(count <= self.end - self.start, "fewer bytes have arrived");
        self.start += count;
    }

    /// Moves the remaining bytes to the front of a block that has space for `min` more.
    #[cold]
    fn make_room(&mut self, min: usize) {
        let remaining = self.end - self.start;
        let needed = remaining.checked_add(min).expect("buffer size overflows usize");
        if needed <= self.block.capacity()
            && self.block.capacity() <= self.block_size
            && self.block.is_unique()
        {
            // SAFETY: both ranges lie within the block. The block is unique, so no blob
            // covers any of it. The ranges may overlap, which `ptr::copy` allows.
            unsafe {
                let data = self.block.data().as_ptr();
                ptr::copy(data.add(self.start), data, remaining);
            }
        } else {
            let block = Block::zeroed(needed.max(self.block_size));
            // SAFETY: the new block has a capacity of at least `remaining`, and being a new
            // allocation it does not overlap the old one.
            unsafe {
                ptr::copy_nonoverlapping(
                    self.block.data().as_ptr().add(self.start),
                    block.data().as_ptr(),
                    remaining,
                );
            }
            self.block = block;
        }
        self.start = 0;
        self.end = remaining;
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
                let remaining = buffer.filled().len();
                buffer.skip(remaining);
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
    #[should_panic(expected = "buffer size overflows usize")]
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
