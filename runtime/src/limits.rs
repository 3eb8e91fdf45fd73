//! [`DecodeLimits`]: what decoding may cost.
//!
//! Invariant: decoding an input of `n` bytes allocates at most
//! `64 KiB + expansion * n` bytes for elements (vectors by their capacity, maps
//! by their nodes, boxes, lists of unknown fields), twice that while a vector
//! moves, besides copies of the input's own bytes.

/// What decoding one message may cost, whatever its bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeLimits {
    /// How deep messages and groups may nest. 100 by default, as in every
    /// implementation of protobuf.
    pub depth: u32,
    /// How many bytes of memory a byte of input may cost in elements. An empty
    /// message takes two bytes on the wire and a hundred in memory, so a small
    /// frame could otherwise fill it. 128 by default: the most that
    /// messages of Riak's take is 88 (a long row of nulls of `riak_ts.proto`,
    /// while its vector has grown to twice what it holds).
    pub expansion: usize,
}

/// What elements may take in any case: enough for short messages.
const FLOOR: usize = 64 * 1024;

impl DecodeLimits {
    /// The defaults, as a constant.
    pub const DEFAULT: Self = Self { depth: 100, expansion: 128 };

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
