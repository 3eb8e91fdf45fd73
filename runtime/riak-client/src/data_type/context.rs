//! [`Context`]: what a read of a data type has seen, and [`Blind`] and [`Seen`]:
//! whether an update stands on one.
//!
//! Invariant: there is no way from a context to a [`VClock`](crate::VClock) or
//! back, and none is empty.

use riak_runtime::Blob;

/// What a read of a set or a map has seen, in bytes that only Riak understands.
///
/// What is removed has to name it: Riak would otherwise refuse to remove what
/// the node that is asked has not heard of, or remove what nobody has seen. It
/// is no [`VClock`](crate::VClock), and cannot be used as one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Context(Blob);

impl Context {
    /// A context from its bytes; `None` if there are none, which is no context.
    pub fn from_bytes(bytes: impl Into<Blob>) -> Option<Self> {
        let bytes = bytes.into();
        (!bytes.is_empty()).then_some(Self(bytes))
    }

    /// Its bytes, to be kept, or to be put into a request.
    #[must_use]
    pub fn as_bytes(&self) -> &Blob {
        &self.0
    }
}

/// An update that stands on nothing: it can only add.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Blind;

/// An update of what a read has found: it can remove as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen(pub(super) Option<Context>);

/// What an update stands on: [`Blind`] or [`Seen`].
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
