//! The parts of Erlang that show through Riak's protocol.
//!
//! Invariant: their output equals Erlang's, byte for byte. Continuations are terms,
//! positions on the ring are hashes of terms, and errors are printed terms.

pub(crate) mod base64;
pub(crate) mod term;
pub(crate) mod text;
