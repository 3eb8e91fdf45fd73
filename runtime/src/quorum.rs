//! [`Quorum`]: how many replicas have to answer.
//!
//! Invariant: the number is the one on the wire. Symbolic values count down from 2^32 -
//! 2 (`riak_pb`'s constants, checked against the server's source).

use std::fmt;

/// How many replicas have to answer: a number, or one of Riak's symbolic values. The
/// type of the fields `r`, `w`, `pr`, `pw`, `dw` and `rw`.
///
/// Symbolic values count down from 2<sup>32</sup> − 2 on the wire, as in `riak_pb`.
///
/// ```
/// use riak_runtime::Quorum;
///
/// assert_eq!(Quorum::from(2).to_string(), "2");
/// assert_eq!(Quorum::QUORUM.to_string(), "quorum");
/// assert_eq!(Quorum::ALL.0, 0xffff_fffc);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Quorum(pub u32);

impl Quorum {
    /// One replica. The same as `Quorum(1)`, but another value on the wire.
    pub const ONE: Self = Self(u32::MAX - 1);
    /// A majority of the replicas: `n_val / 2 + 1`, in integers.
    pub const QUORUM: Self = Self(u32::MAX - 2);
    /// All replicas: `n_val`.
    pub const ALL: Self = Self(u32::MAX - 3);
    /// What the bucket's properties say; the same as leaving the field unset.
    pub const DEFAULT: Self = Self(u32::MAX - 4);
}

impl From<u32> for Quorum {
    fn from(replicas: u32) -> Self {
        Self(replicas)
    }
}

impl From<Quorum> for u32 {
    fn from(quorum: Quorum) -> Self {
        quorum.0
    }
}

impl fmt::Display for Quorum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ONE => f.write_str("one"),
            Self::QUORUM => f.write_str("quorum"),
            Self::ALL => f.write_str("all"),
            Self::DEFAULT => f.write_str("default"),
            Self(replicas) => fmt::Display::fmt(&replicas, f),
        }
    }
}

impl fmt::Debug for Quorum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
