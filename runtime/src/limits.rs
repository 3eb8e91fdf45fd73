//! [`DecodeLimits`]: what decoding may cost.
//!
//! Invariant: decoding an input of `n` bytes allocates at most
//! `64 KiB + expansion * n` bytes of elements, twice that while a vector grows,
//! besides the bytes of the input itself.

/// What decoding one message may cost, whatever its bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeLimits {
    /// How deep messages and groups may nest. 100 by default, as in every
    /// implementation of protobuf.
    pub depth: u32,
    /// How many bytes of memory a byte of input may cost in elements. An empty
    /// message takes two bytes on the wire and a hundred in memory, so a small
    /// frame could otherwise fill it. 64 by default: the most that a message
    /// of Riak's takes is 44 (a row of nulls of `riak_ts.proto`).
    pub expansion: usize,
}

/// What elements may take in any case: enough for short messages.
const FLOOR: usize = 64 * 1024;

impl DecodeLimits {
    /// The defaults, as a constant.
    pub const DEFAULT: Self = Self { depth: 100, expansion: 64 };

    #[inline]
    pub(crate) fn budget(&self, input: usize) -> usize {
        self.expansion.saturating_mul(input).saturating_add(FLOOR)
    }
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
