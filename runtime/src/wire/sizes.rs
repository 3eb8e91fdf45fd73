//! [`Sizes`]: the lengths of nested messages, between the two passes.
//!
//! Without it each level would be measured again for each level above it, which
//! makes deep messages quadratic; with a cache inside messages they would no
//! longer be plain data. Invariant: lengths are taken in the order in which
//! their slots were reserved: parents before children, siblings in field order.

/// How many lengths fit without an allocation: enough for any of Riak's
/// requests that is no batch.
const INLINE: usize = 24;

/// A side stack for the lengths of nested messages.
///
/// Filled by a message's `encoded_len` and drained by its `encode`.
#[derive(Debug, Clone)]
pub struct Sizes {
    inline: [u32; INLINE],
    /// Lengths from number `INLINE` on.
    spill: Vec<u32>,
    reserved: usize,
    taken: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self::new()
    }
}

impl Sizes {
    /// No lengths.
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self { inline: [0; INLINE], spill: Vec::new(), reserved: 0, taken: 0 }
    }

    /// Forgets all lengths and keeps the memory.
    pub fn clear(&mut self) {
        self.spill.clear();
        self.reserved = 0;
        self.taken = 0;
    }

    /// Reserves the slot of the message that is about to be measured.
    #[inline]
    pub(crate) fn reserve(&mut self) -> usize {
        let slot = self.reserved;
        self.reserved += 1;
        if slot >= INLINE {
            self.spill.push(0);
        }
        slot
    }

    /// Fills a reserved slot.
    ///
    /// A length beyond `u32` is clamped: the message as a whole is then over
    /// protobuf's limit of 2 GiB and is refused before it is written.
    #[inline]
    pub(crate) fn fill(&mut self, slot: usize, len: usize) {
        let len = u32::try_from(len).unwrap_or(u32::MAX);
        match self.inline.get_mut(slot) {
            Some(place) => *place = len,
            None => self.spill[slot - INLINE] = len,
        }
    }

    /// Takes the next length.
    ///
    /// # Panics
    ///
    /// If all were taken: a hand-written message wrote more nested messages
    /// than it measured.
    #[inline]
    pub(crate) fn take(&mut self) -> usize {
        let slot = self.taken;
        self.taken += 1;
        let len = match self.inline.get(slot) {
            Some(&len) => len,
            None => self.spill[slot - INLINE],
        };
        len as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_come_back_in_the_order_of_their_slots() {
        let mut sizes = Sizes::new();
        for _ in 0..2 {
            let slots: Vec<usize> = (0..100).map(|_| sizes.reserve()).collect();
            // Children are filled before their parents.
            for &slot in slots.iter().rev() {
                sizes.fill(slot, slot * 3);
            }
            assert!((0..100).all(|slot| sizes.take() == slot * 3));
            sizes.clear();
        }
    }

    #[test]
    #[should_panic(expected = "index out of bounds")]
    fn taking_more_than_was_measured_panics() {
        let mut sizes = Sizes::new();
        for _ in 0..=INLINE {
            sizes.take();
        }
    }
}
