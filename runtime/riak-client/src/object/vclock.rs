//! [`VClock`]: what a read of an object has seen.
//!
//! Invariant: it is never empty, and no data type's [`Context`](crate::Context)
//! becomes one: Riak takes the one for the other and answers with nonsense.

use riak_runtime::Blob;

/// What a read of an object has seen, in bytes that only Riak understands.
///
/// Passed back with a write or a delete it says what that stands on. Bytes that
/// were kept elsewhere come back by [`VClock::from_bytes`]; a data type's
/// [`Context`](crate::Context) does not:
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
    /// A clock from its bytes; `None` if there are none, which is no clock.
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
