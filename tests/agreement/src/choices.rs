//! [`Choices`]: random choices, read from bytes.
//!
//! A property test or a fuzzer generates the bytes, and thereby controls the choices and
//! can minimise a failure. Invariant: once the bytes are used up, every choice is the first
//! one, which is always the simplest.

/// The choices still to be made.
#[derive(Debug)]
pub(crate) struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Returns the next byte.
    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// Returns true with a probability of `of_256` in 256.
    pub(crate) fn chance(&mut self, of_256: u8) -> bool {
        // Uses the highest bytes, so that the result is false once the bytes are used up.
        255 - self.byte() < of_256
    }

    /// Returns a number below `count`, which is at most 256.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()) * count / 256
    }

    /// Returns one of `choices`, of which there are at most 256.
    pub(crate) fn one_of<'c, T>(&mut self, choices: &'c [T]) -> &'c T {
        &choices[self.below(choices.len())]
    }

    /// Returns a number from eight bytes.
    pub(crate) fn word(&mut self) -> u64 {
        u64::from_le_bytes(std::array::from_fn(|_| self.byte()))
    }
}
