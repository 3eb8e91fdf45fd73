//! [`State`]: what the pool's lock protects.
//!
//! Invariant: whatever changes is published before the lock is released, for calls that do
//! without it.

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Instant;

use super::super::connection::Connection;
use super::super::error::ConnectionError;
use super::Inner;
use super::lease::{Idle, LeaseSender};
use super::open::OpenConnections;
use super::opening::ConnectSender;
use super::shared::SharedConnections;

pub(super) struct State {
    pub(super) connections: SharedConnections<Connection>,
    /// Connections that streams have returned and other streams may use.
    pub(super) idle: Vec<Idle>,
    /// Streams that wait for a connection to be opened or returned.
    pub(super) lease_waiters: VecDeque<LeaseSender>,
    /// Connections being opened for streams.
    pub(super) opening_exclusive: usize,
    /// Connections being opened for unary calls.
    pub(super) opening_shared: usize,
    /// Tells the calls that wait while no connection is open how opening one went.
    pub(super) first_result: Option<ConnectSender>,
    /// Why the last connection that a call found unusable was closed; cleared when
    /// another one opens.
    pub(super) last_close: Option<ConnectionError>,
    /// The time before which nothing but a first connection is opened, because an
    /// attempt to open an additional one failed.
    pub(super) grow_after: Option<Instant>,
    /// Whether unary calls have been told that no connection is being opened, nor may be.
    is_settled: bool,
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            connections: SharedConnections::new(),
            idle: Vec::new(),
            lease_waiters: VecDeque::new(),
            opening_exclusive: 0,
            opening_shared: 0,
            first_result: None,
            last_close: None,
            grow_after: None,
            is_settled: false,
        }
    }
}

/// The locked state. What concerns calls that do without the lock is published when it is
/// unlocked.
pub(super) struct Locked<'p> {
    inner: &'p Inner,
    state: MutexGuard<'p, State>,
    /// What was published before. Dropped after `state` is unlocked, since that may close
    /// connections.
    stale: OpenConnections<Connection>,
}

impl Deref for Locked<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        let state = &mut *self.state;
        let is_settled = state.opening_shared == 0 && state.connections.len() >= self.inner.max();
        if state.connections.take_change() || is_settled != state.is_settled {
            state.is_settled = is_settled;
            let connections = state.connections.iter().map(Arc::clone).collect();
            let open = OpenConnections { connections, is_settled };
            let mut published = self.inner.open.write().unwrap_or_else(PoisonError::into_inner);
            self.stale = std::mem::replace(&mut *published, open);
        }
    }
}

impl Inner {
    pub(super) fn lock(&self) -> Locked<'_> {
        // No panic under the lock leaves the state inconsistent.
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Locked { inner: self, state, stale: OpenConnections::default() }
    }
}
