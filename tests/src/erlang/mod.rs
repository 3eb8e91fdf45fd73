//! The few things of Erlang that show through Riak's protocol.
//!
//! Invariant: they look as Erlang makes them, byte for byte: continuations are
//! terms, places on the ring are hashes of terms, errors are printed terms.

pub(crate) mod base64;
pub(crate) mod term;
pub(crate) mod text;
