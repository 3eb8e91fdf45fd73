//! The synchronization types that callers and the driver share a connection through.
//!
//! They are those of the standard library or, with `cfg(riak_loom)`, those of loom,
//! which explores all orders in which threads can use them (`tests/interleavings.rs`).
//!
//! Invariant: threads share no other state of a connection, apart from the flag and
//! the counters that pools read without the lock.

#[cfg(riak_loom)]
pub(super) use loom::sync::{Arc, Mutex, MutexGuard};
#[cfg(not(riak_loom))]
pub(super) use std::sync::{Arc, Mutex, MutexGuard};
