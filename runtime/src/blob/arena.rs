//! [`Arena`]: packs values that are too long to be inline and too short to be shared
//! into common blocks, if one message has several of them.
//!
//! One allocation for each of a thousand keys costs more than everything else in
//! decoding them. In return, a value that is kept also keeps its neighbours' bytes
//! alive: at most [`MAX_BLOCK`] bytes, and none for the first value, which gets a block
//! of its own.
//!
//! Invariant: bytes before `filled` are never written again. The block's reference
//! count is one for each value handed out, one for the arena, and `spare_refs` more.

use super::block::Block;
use super::{Blob, INLINE};

/// The size of the first common block; each later block is twice as large as the one
/// before.
const MIN_BLOCK: u32 = 224;

/// The maximum block size: with its header, still a size that allocators serve fastest.
const MAX_BLOCK: u32 = 992;

/// A bump allocator for the values of one message.
#[derive(Default)]
pub(crate) struct Arena {
    block: Option<Block>,
    /// How many bytes of the block are in use.
    filled: u32,
    /// How many more values the block has references for.
    spare_refs: u32,
    /// The size of the next block; 0 before the first value.
    next_block_size: u32,
}

impl Arena {
    /// Copies `bytes` into a blob. At most `left` bytes of the message follow them.
    #[inline]
    pub(crate) fn alloc(&mut self, bytes: &[u8], left: usize) -> Blob {
        // Often the only one.
        if self.next_block_size == 0 {
            self.next_block_size = MIN_BLOCK;
            return Blob::copy_to_heap(bytes);
        }
        let spare = self.block.as_ref().map_or(0, Block::capacity) - self.filled as usize;
        if (bytes.len() > spare || self.spare_refs == 0)
            && let Some(alone) = self.start_block(bytes, left)
        {
            return Blob::of_block(alone, bytes.len());
        }
        self.push(bytes)
    }

    /// Starts a new block for `bytes` and what follows, or returns a block of their own
    /// if that is not worthwhile.
    #[cold]
    #[inline(never)]
    fn start_block(&mut self, bytes: &[u8], left: usize) -> Option<Block> {
        let len = bytes.len();
        let capacity = (self.next_block_size as usize).min(len.saturating_add(left)).max(len);
        self.next_block_size = (2 * self.next_block_size).min(MAX_BLOCK);
        if capacity - len <= INLINE || capacity > MAX_BLOCK as usize {
            return Some(Block::copy_of(bytes));
        }
        self.release();
        #[expect(clippy::cast_possible_truncation, reason = "no more than `MAX_BLOCK`")]
        let spare_refs = (capacity / (INLINE + 1)) as u32;
        self.block = Some(Block::with_refs(capacity, 1 + spare_refs as usize));
        self.spare_refs = spare_refs;
        None
    }

    /// Copies `bytes` into the block, which has space and a reference for them.
    #[inline]
    fn push(&mut self, bytes: &[u8]) -> Blob {
        let Some(block) = &self.block else { return Blob::copy_to_heap(bytes) };
        let filled = self.filled as usize;
        assert!(self.spare_refs > 0 && bytes.len() <= block.capacity() - filled, "the arena has room for it");
        self.spare_refs -= 1;
        #[expect(clippy::cast_possible_truncation, reason = "no more than `MAX_BLOCK`, as the block")]
        let len = bytes.len() as u32;
        self.filled += len;
        // SAFETY: the assertion shows that the range lies within the block. No blob or
        // slice covers it yet, since all of them end at `filled` or before. One of the
        // block's spare references becomes the blob's.
        unsafe {
            let start = block.data().add(filled);
            start.copy_from_nonoverlapping(std::ptr::NonNull::from(bytes).cast(), bytes.len());
            Blob::heap(block.as_raw(), start.as_ptr(), bytes.len())
        }
    }

    /// Finishes the current block and releases the references that were not used.
    #[inline]
    pub(crate) fn release(&mut self) {
        if let Some(block) = self.block.take() {
            block.release_refs(self.spare_refs as usize);
            (self.filled, self.spare_refs) = (0, 0);
        }
    }
}

impl Drop for Arena {
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
            let mut arena = Arena::default();
            let mut kept: Vec<(Blob, Vec<u8>)> = Vec::new();
            let total = dice.below(6_000);
            let mut left = total;
            while left > INLINE {
                let most = if dice.below(9) == 0 { 500 } else { 40 };
                let len = (INLINE + 1 + dice.below(most)).min(left);
                left -= len;
                let bytes: Vec<u8> = (0..len).map(|_| dice.word().to_le_bytes()[0]).collect();
                let blob = arena.alloc(&bytes, left);
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
                drop(arena);
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
        let mut arena = Arena::default();
        let [first, second, third] = [1, 2, 3].map(|byte| arena.alloc(&[byte; 30], 1_000));
        assert_eq!(third.as_ptr(), second.as_ptr().wrapping_add(30));
        drop((arena, second));
        assert_eq!((first.as_slice(), third.as_slice()), (&[1; 30][..], &[3; 30][..]));
    }

    #[test]
    fn no_block_is_larger_than_what_may_come() {
        let mut arena = Arena::default();
        let _alone = arena.alloc(&[0; 24], 60);
        let _value = arena.alloc(&[0; 30], 30);
        assert_eq!(arena.block.as_ref().map(Block::capacity), Some(60));
        // Nothing that needs a block may follow any more.
        let _last = arena.alloc(&[0; 31], 10);
        assert_eq!(arena.block.as_ref().map(Block::capacity), Some(60));
    }

    #[test]
    fn a_block_is_released_with_its_last_value() {
        let mut arena = Arena::default();
        let values = [1, 2, 3].map(|byte| arena.alloc(&[byte; 30], 1_000));
        let block = arena.block.clone().unwrap();
        drop(arena);
        assert!(!block.is_unique());
        drop(values);
        assert!(block.is_unique());
    }
}
