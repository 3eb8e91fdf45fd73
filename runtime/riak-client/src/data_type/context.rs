//! [`Context`]: what a read of a data type has seen, and [`Blind`] and [`Seen`]:
//! whether an update stands on one.
//!
//! Invariant: there is no way from a context to a [`VClock`](crate::VClock) or
//! back, and none is empty.

use riak_runtime::Blob;

/// The causal context of a read of a set or map: which changes the read has seen, in
/// bytes that only Riak understands.
///
/// A removal needs it. Without it, Riak would refuse to remove an element that the node
/// has not heard of yet, or would remove elements that the caller has never seen. It
/// is not a [`VClock`](crate::VClock), and cannot be used as one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Context(Blob);

impl Context {
    /// A context of its bytes; `None` if they are empty, which is no context.
    pub fn from_bytes(bytes: impl Into<Blob>) -> Option<Self> {
        let bytes = bytes.into();
        (!bytes.is_empty()).then_some(Self(bytes))
    }

    /// Its bytes, to be stored, or to be put into a request.
    #[must_use]
    pub fn as_bytes(&self) -> &Blob {
        &self.0
    }
}

/// Marks an update that was made without a read: it can only add.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Blind;

/// Marks an update that was made from a read: it can also remove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen(pub(super) Option<Context>);

/// Whether an update was made from a read: [`Blind`] or [`Seen`].
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
