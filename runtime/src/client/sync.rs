//! What callers and driver share a connection through: the standard library's,
//! or under the cfg `riak_loom` loom's, which goes through all orders in which
//! threads can take them (`tests/interleavings.rs`).
//!
//! Invariant: a connection has no other state that threads share.

#[cfg(riak_loom)]
pub(super) use loom::sync::{Arc, Mutex, MutexGuard};
#[cfg(not(riak_loom))]
pub(super) use std::sync::{Arc, Mutex, MutexGuard};
