//! [`DecodeLimits`]: bounds on what decoding may cost.
//!
//! Invariant: decoding an input of `n` bytes allocates at most `64 KiB + expansion * n`
//! bytes for elements (vectors by their capacity, maps by their nodes, boxes, lists of
//! unknown fields), and twice that while a vector is reallocated. Copies of the input's
//! own bytes come on top.

/// Limits on how deep a message may nest and how much memory decoding may take,
/// whatever the input contains.
///
/// An input that exceeds a limit fails with
/// [`DecodeErrorKind::TooDeep`](crate::DecodeErrorKind::TooDeep) or
/// [`DecodeErrorKind::TooManyElements`](crate::DecodeErrorKind::TooManyElements).
///
#[cfg_attr(feature = "derive", doc = "```")]
#[cfg_attr(not(feature = "derive"), doc = "```ignore")]
/// use riak_runtime::{Decode, DecodeErrorKind, DecodeLimits, RiakMessage};
///
/// #[derive(Debug, Default, RiakMessage)]
/// struct Tree {
///     #[riak(tag = 1)]
///     children: Vec<Tree>,
/// }
///
/// // A tree with a child, which has a child.
/// let bytes = [0x0a, 2, 0x0a, 0];
/// assert!(Tree::decode(&bytes).is_ok());
/// let limits = DecodeLimits::new().depth(1);
/// let error = Tree::decode_within(&bytes, &limits).unwrap_err();
/// assert_eq!(*error.kind(), DecodeErrorKind::TooDeep);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecodeLimits {
    /// How many levels of messages and groups may be nested in the outermost message.
    /// Default 100, the usual limit of protobuf implementations.
    pub depth: u32,
    /// How many bytes of memory the elements of repeated fields, maps and nested
    /// messages may take for each byte of input. 64 KiB are always allowed, and copies
    /// of the input's own bytes do not count. An empty message takes two bytes on the
    /// wire and a hundred in memory, so without this limit a small frame could exhaust
    /// the memory.
    ///
    /// Default 128. Riak's own messages take at most 88, measured with a long row of
    /// nulls of `riak_ts.proto` while its vector is half empty.
    pub expansion: usize,
}

/// Bytes that elements may always take: enough for short messages.
const MIN_BUDGET: usize = 64 * 1024;

impl DecodeLimits {
    /// The default limits: a depth of 100, and 128 bytes for each byte of input.
    pub const DEFAULT: Self = Self { depth: 100, expansion: 128 };

    /// Creates the default limits.
    #[must_use]
    pub const fn new() -> Self {
        Self::DEFAULT
    }

    /// Sets [`depth`](Self#structfield.depth).
    #[must_use]
    pub const fn depth(mut self, depth: u32) -> Self {
        self.depth = depth;
        self
    }

    /// Sets [`expansion`](Self#structfield.expansion).
    #[must_use]
    pub const fn expansion(mut self, expansion: usize) -> Self {
        self.expansion = expansion;
        self
    }

    #[inline]
    pub(crate) fn budget(&self, input: usize) -> usize {
        self.expansion.saturating_mul(input).saturating_add(MIN_BUDGET)
    }
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
