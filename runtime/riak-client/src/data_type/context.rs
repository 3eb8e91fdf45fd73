//! [`Context`]: the causal context of a read of a data type; [`Blind`] and
//! [`Seen`]: whether an update is based on a read.
//!
//! Invariant: a context never becomes a [`VClock`](crate::VClock) or the other way
//! round, and is never empty.

use riak_runtime::Blob;

/// The causal context of a read of a set or map, which says which changes the read
/// has seen, in bytes that only Riak understands.
///
/// A removal needs it. Without it, Riak would refuse to remove an element that the
/// node has not heard of yet, or would remove elements that the caller has never
/// seen. It is not a [`VClock`](crate::VClock), and cannot be used as one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Context(Blob);

impl Context {
    /// Creates a context from its bytes; `None` if they are empty, which is not a
    /// context.
    pub fn from_bytes(bytes: impl Into<Blob>) -> Option<Self> {
        let bytes = bytes.into();
        (!bytes.is_empty()).then_some(Self(bytes))
    }

    /// Returns the bytes, to be stored or put into a request.
    #[must_use]
    pub fn as_bytes(&self) -> &Blob {
        &self.0
    }
}

/// Marks an update that is not based on a read: it can only add.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Blind;

/// Marks an update that is based on a read: it can also remove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen(pub(super) Option<Context>);

/// Whether an update is based on a read: [`Blind`] or [`Seen`].
pub trait Causality: sealed::Sealed {}

impl Causality for Blind {}
impl Causality for Seen {}

pub(super) mod sealed {
    use super::{Blind, Context, Seen};

    pub trait Sealed {
        fn context(self) -> Option<Context>;
    }

    impl Sealed for Blind {
        fn context(self) -> Option<Context> {
            None
        }
    }

    impl Sealed for Seen {
        fn context(self) -> Option<Context> {
            self.0
        }
    }
}
