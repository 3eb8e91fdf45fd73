//! [`VClock`]: the causal context of a read of an object.
//!
//! Invariant: it is never empty, and is never made from a data type's
//! [`Context`](crate::Context): Riak takes one for the other and answers with
//! nonsense.

use riak_runtime::Blob;

/// The vector clock of a read, which says which writes the read has seen, in bytes
/// that only Riak understands.
///
/// A write or delete that passes it back replaces exactly what was read. A clock
/// that was stored elsewhere is restored by [`VClock::from_bytes`]. A data type's
/// [`Context`](crate::Context) is not a clock, and is not accepted as one:
///
/// ```compile_fail
/// # async fn example(riak: riak_client::Riak, context: riak_client::Context) {
/// let cart = riak_client::Location::new("carts", "alice").of_type("maps");
/// riak.objects().delete(&cart, &context).await;
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VClock(Blob);

impl VClock {
    /// Creates a clock from its bytes; `None` if they are empty, which is not a
    /// clock.
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
