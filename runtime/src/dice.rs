//! [`Dice`]: deterministic pseudo-random values for tests.
//!
//! Invariant: the values depend on the seed alone, so every run of a test is the same.

/// A linear congruential generator.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn word(&mut self) -> u64 {
        // Knuth's multiplier. Only the upper bits of the state are random.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let state = self.0;
        (state >> 32) ^ state.rotate_left(11)
    }

    /// Returns a number below `count`, which must not be 0.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.word() % (count as u64)).unwrap_or_default()
    }

    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.word().to_le_bytes()[1]).collect()
    }

    /// Returns random bytes whose length is one of `lengths`.
    pub(crate) fn bytes_of(&mut self, lengths: &[usize]) -> Vec<u8> {
        let count = self.one_of(lengths);
        self.bytes(count)
    }

    /// Returns how often a test repeats a step: less often under Miri, where each step
    /// is slow.
    pub(crate) fn times(count: usize) -> usize {
        if cfg!(miri) { count / 100 } else { count }
    }
}
