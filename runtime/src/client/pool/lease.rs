//! [`Lease`]: a connection for one stream or long call, and waiting for it.
//!
//! Invariant: as many leases are out as permits are taken; a connection comes
//! back only if nothing is in flight on it.

use std::future::Future;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout_at;

use super::super::connection::{Connection, now};
use super::super::error::{CallError, ConnectionError, NotSent};
use super::{Inner, Ordering};

/// A connection that nobody uses.
#[derive(Debug)]
pub(super) struct Idle {
    connection: Connection,
    since: Instant,
}

impl Idle {
    pub(super) fn is_fresh(&self, now: Instant, idle: Option<Duration>) -> bool {
        self.connection.closed().is_none()
            && idle.is_none_or(|idle| now.saturating_duration_since(self.since) < idle)
    }
}

/// A connection that one call has to itself, given back when this is dropped.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) connection: Connection,
    /// It has carried a call before: it may have been closed since.
    pub(super) is_used: bool,
    pool: Weak<Inner>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(pool) = self.pool.upgrade() else { return };
        let fit = self.connection.closed().is_none() && self.connection.in_flight() == 0;
        if fit && !pool.closing.load(Ordering::Relaxed) {
            let idle = Idle { connection: self.connection.clone(), since: now() };
            pool.lock().idle.push(idle);
        }
    }
}

/// Counts a call that waits.
pub(super) struct Waits<'p>(&'p Inner);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Inner {
    /// Counts the caller among those who wait, unless too many do.
    pub(super) fn wait(&self) -> Result<Waits<'_>, NotSent> {
        let waits = Waits(self);
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let max = self.config.max_waiting;
        if before < max { Ok(waits) } else { Err(NotSent::QueueFull { max }) }
    }

    /// Waits for something, as long as that may take since `begun`.
    pub(super) async fn within<T>(
        &self,
        begun: Instant,
        deadline: Option<Instant>,
        event: impl Future<Output = T>,
    ) -> Result<T, NotSent> {
        let after = self.config.wait_timeout;
        let until = begun.checked_add(after);
        let (until, error) = match (until, deadline) {
            (until, Some(deadline)) if until.is_none_or(|until| deadline <= until) => {
                (deadline, NotSent::Deadline)
            }
            (Some(until), _) => (until, NotSent::PoolTimeout { after }),
            (None, _) => return Ok(event.await),
        };
        timeout_at(until.into(), event).await.map_err(|_| error)
    }

    /// A connection of one's own, in the order of asking.
    pub(super) async fn lease(self: &Arc<Self>, deadline: Option<Instant>) -> Result<Lease, CallError> {
        if self.closing.load(Ordering::Relaxed) {
            return Err(NotSent::Connection(ConnectionError::Stopped).into());
        }
        let begun = now();
        let permit = if let Ok(permit) = Arc::clone(&self.streams).try_acquire_owned() {
            permit
        } else {
            let _waits = self.wait()?;
            let permit = Arc::clone(&self.streams).acquire_owned();
            // Nobody closes the semaphore.
            let stopped = |_| NotSent::Connection(ConnectionError::Stopped);
            self.within(begun, deadline, permit).await?.map_err(stopped)?
        };
        let lease =
            |connection, is_used| Lease { connection, is_used, pool: Arc::downgrade(self), _permit: permit };
        if let Some(connection) = self.take_idle() {
            return Ok(lease(connection, true));
        }
        let connecting = self.connector.connect(&self.node);
        match self.within(begun, deadline, connecting).await? {
            Ok(connection) => {
                self.connects.fetch_add(1, Ordering::Relaxed);
                Ok(lease(connection, false))
            }
            Err(error) => {
                self.failures.fetch_add(1, Ordering::Relaxed);
                Err(NotSent::Connection(error).into())
            }
        }
    }

    /// A connection that a stream has left behind.
    fn take_idle(&self) -> Option<Connection> {
        let mut closed = Vec::new();
        let mut state = self.lock();
        let found = loop {
            match state.idle.pop() {
                Some(idle) if idle.connection.closed().is_none() => break Some(idle.connection),
                Some(idle) => closed.push(idle),
                None => break None,
            }
        };
        // Connections are dropped when nothing is locked.
        drop(state);
        found
    }
}
