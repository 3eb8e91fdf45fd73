//! [`Shelf`]: where values too long to be inline and too short to be shared lie
//! side by side, if one message has several of them.
//!
//! An allocation for each of a thousand keys costs more than all else that
//! decoding them does. Side by side, one value that is kept keeps its
//! neighbours' bytes as well: no more than [`MOST`], and none for the first one.
//!
//! Invariant: bytes before `filled` are never written again; the block's count
//! is one for each value given away, one for the shelf, and `counts` more.

use super::block::Block;
use super::{Blob, INLINE};

/// The size of the first block that is begun; each one is twice the one before.
const FIRST: u32 = 224;

/// The largest: with its header still what allocators give away fastest.
const MOST: u32 = 992;

/// Puts values of one message side by side.
#[derive(Default)]
pub(crate) struct Shelf {
    block: Option<Block>,
    /// How many bytes of the block are in use.
    filled: u32,
    /// How many values the block may still be given away with.
    counts: u32,
    /// The size of the next block; 0 before the first value.
    next: u32,
}

impl Shelf {
    /// A copy of `bytes`, behind which the message has no more than `left` bytes.
    #[inline]
    pub(crate) fn keep(&mut self, bytes: &[u8], left: usize) -> Blob {
        let room = self.block.as_ref().map_or(0, Block::capacity) - self.filled as usize;
        if bytes.len() > room || self.counts == 0 {
            return self.begin(bytes, left);
        }
        self.put(bytes)
    }

    /// Begins another block with `bytes`, if more may follow.
    #[cold]
    #[inline(never)]
    fn begin(&mut self, bytes: &[u8], left: usize) -> Blob {
        let len = bytes.len();
        let (more, next) = if self.next == 0 { (0, FIRST) } else { (left, (2 * self.next).min(MOST)) };
        let capacity = (self.next as usize).min(len.saturating_add(more)).max(len);
        self.next = next;
        if capacity - len <= INLINE || capacity > MOST as usize {
            return Blob::copied_to_heap(bytes);
        }
        self.release();
        #[expect(clippy::cast_possible_truncation, reason = "no more than `MOST`")]
        let counts = (capacity / (INLINE + 1)) as u32;
        self.block = Some(Block::counted(capacity, 1 + counts as usize));
        self.counts = counts;
        self.put(bytes)
    }

    /// Copies `bytes` to the block, which has room and a count for them.
    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Blob {
        let Some(block) = &self.block else { return Blob::copied_to_heap(bytes) };
        let filled = self.filled as usize;
        assert!(self.counts > 0 && bytes.len() <= block.capacity() - filled, "the shelf has room for it");
        self.counts -= 1;
        #[expect(clippy::cast_possible_truncation, reason = "no more than `MOST`, as the block")]
        let len = bytes.len() as u32;
        self.filled += len;
        // SAFETY: the range lies within the block, and no blob covers it yet; one
        // of the block's spare counts becomes the blob's.
        unsafe {
            let start = block.data().add(filled);
            start.copy_from_nonoverlapping(std::ptr::NonNull::from(bytes).cast(), bytes.len());
            Blob::heap(block.as_raw(), start.as_ptr(), bytes.len())
        }
    }

    /// Ends the block that is being filled.
    #[inline]
    pub(crate) fn release(&mut self) {
        if let Some(block) = self.block.take() {
            block.give_back(self.counts as usize);
            (self.filled, self.counts) = (0, 0);
        }
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;

    #[test]
    fn values_are_what_they_were_whatever_is_dropped_when() {
        let mut dice = Dice::new(17);
        for _ in 0..Dice::times(2_000) {
            let mut shelf = Shelf::default();
            let mut kept: Vec<(Blob, Vec<u8>)> = Vec::new();
            let total = dice.below(6_000);
            let mut left = total;
            while left > INLINE {
                let most = if dice.below(9) == 0 { 500 } else { 40 };
                let len = (INLINE + 1 + dice.below(most)).min(left);
                left -= len;
                let bytes: Vec<u8> = (0..len).map(|_| dice.word().to_le_bytes()[0]).collect();
                let blob = shelf.keep(&bytes, left);
                match dice.below(4) {
                    0 => drop(blob),
                    1 => kept.push((blob.clone(), bytes)),
                    _ => kept.push((blob, bytes)),
                }
                if dice.below(5) == 0 && !kept.is_empty() {
                    kept.swap_remove(dice.below(kept.len()));
                }
            }
            if dice.below(2) == 0 {
                drop(shelf);
            } else {
                kept.truncate(kept.len() / 2);
            }
            for (blob, bytes) in &kept {
                assert_eq!(blob, &bytes[..]);
            }
        }
    }

    #[test]
    fn the_first_value_stands_alone_and_later_ones_side_by_side() {
        let mut shelf = Shelf::default();
        let [first, second, third] = [1, 2, 3].map(|byte| shelf.keep(&[byte; 30], 1_000));
        assert_eq!(third.as_ptr(), second.as_ptr().wrapping_add(30));
        drop((shelf, second));
        assert_eq!((first.as_slice(), third.as_slice()), (&[1; 30][..], &[3; 30][..]));
    }

    #[test]
    fn no_block_is_larger_than_what_may_come() {
        let mut shelf = Shelf::default();
        let _alone = shelf.keep(&[0; 24], 60);
        let _value = shelf.keep(&[0; 30], 30);
        assert_eq!(shelf.block.as_ref().map(Block::capacity), Some(60));
        // Nothing that needs a place may come any more.
        let _last = shelf.keep(&[0; 31], 10);
        assert_eq!(shelf.block.as_ref().map(Block::capacity), Some(60));
    }
}
