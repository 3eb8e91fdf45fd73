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
use super::{AtomicUsize, Inner, Ordering};

/// A connection that nobody uses.
#[derive(Debug)]
pub(super) struct Idle {
    connection: Connection,
    since: Instant,
    /// When it has had its time.
    retires: Option<Instant>,
}

impl Idle {
    pub(super) fn is_fresh(&self, now: Instant, idle: Option<Duration>) -> bool {
        self.connection.closed().is_none()
            && self.retires.is_none_or(|retires| now < retires)
            && idle.is_none_or(|idle| now.saturating_duration_since(self.since) < idle)
    }
}

/// A connection that one call has to itself, given back when this is dropped.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) connection: Connection,
    /// It has carried a call before: it may have been closed since.
    pub(super) is_used: bool,
    retires: Option<Instant>,
    pool: Weak<Inner>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(pool) = self.pool.upgrade() else { return };
        let fit = self.connection.closed().is_none() && self.connection.in_flight() == 0;
        if fit && !pool.closing.load(Ordering::Relaxed) {
            let idle = Idle { connection: self.connection.clone(), since: now(), retires: self.retires };
            if idle.is_fresh(idle.since, None) {
                pool.lock().idle.push(idle);
            }
        }
    }
}

/// Counts a call that waits.
pub(super) struct Waits<'p>(&'p AtomicUsize);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Unary calls that may wait for the first connection: as many as may wait on it,
/// by default, once it is there.
const MOST_ARRIVING: usize = 65_536;

fn counted(count: &AtomicUsize, max: usize) -> Result<Waits<'_>, NotSent> {
    let waits = Waits(count);
    if count.fetch_add(1, Ordering::Relaxed) < max { Ok(waits) } else { Err(NotSent::QueueFull { max }) }
}

impl Inner {
    /// Counts the caller among those who wait for a connection of their own,
    /// unless too many do.
    fn wait(&self) -> Result<Waits<'_>, NotSent> {
        counted(&self.waiting, self.config.max_waiting)
    }

    /// The same of those who wait for the first one that they can share.
    pub(super) fn arrive(&self) -> Result<Waits<'_>, NotSent> {
        counted(&self.arriving, MOST_ARRIVING)
    }

    /// Waits for something, as long as that may take since `begun`; if it takes
    /// longer, for how long was waited.
    pub(super) async fn within<T>(
        &self,
        begun: Instant,
        limit: Option<Instant>,
        event: impl Future<Output = T>,
    ) -> Result<T, Duration> {
        let until = begun.checked_add(self.config.wait_timeout);
        let Some(until) = [until, limit].into_iter().flatten().min() else { return Ok(event.await) };
        let elapsed = |_| now().saturating_duration_since(begun);
        timeout_at(until.into(), event).await.map_err(elapsed)
    }

    /// A connection of one's own, in the order of asking.
    pub(super) async fn lease(self: &Arc<Self>, limit: Option<Instant>) -> Result<Lease, CallError> {
        let is_closing = || {
            let stopped = self.closing.load(Ordering::SeqCst);
            if stopped { Err(NotSent::Connection(ConnectionError::Stopped)) } else { Ok(()) }
        };
        is_closing()?;
        let begun = now();
        let permit = if let Ok(permit) = Arc::clone(&self.streams).try_acquire_owned() {
            permit
        } else {
            let _waits = self.wait()?;
            let permit = Arc::clone(&self.streams).acquire_owned();
            // Nobody closes the semaphore.
            let stopped = |_| NotSent::Connection(ConnectionError::Stopped);
            let free = self.within(begun, limit, permit).await;
            free.map_err(|after| NotSent::PoolTimeout { after })?.map_err(stopped)?
        };
        // `close` waits for all permits: it gets this one back, or has begun.
        is_closing()?;
        let lease = |connection, is_used, retires| Lease {
            connection,
            is_used,
            retires,
            pool: Arc::downgrade(self),
            _permit: permit,
        };
        if let Some((connection, retires)) = self.take_idle() {
            return Ok(lease(connection, true, retires));
        }
        self.start_sweeping();
        let connecting = self.connector.connect(&self.node);
        let made = self.within(begun, limit, connecting).await;
        match made.map_err(|after| NotSent::Connecting { after })? {
            Ok(connection) => {
                self.connects.fetch_add(1, Ordering::Relaxed);
                Ok(lease(connection, false, self.retires(now())))
            }
            Err(error) => {
                self.failures.fetch_add(1, Ordering::Relaxed);
                Err(NotSent::Connection(error).into())
            }
        }
    }

    /// A connection that a stream has left behind.
    fn take_idle(&self) -> Option<(Connection, Option<Instant>)> {
        let mut gone = Vec::new();
        let now = now();
        let mut state = self.lock();
        let found = loop {
            match state.idle.pop() {
                Some(idle) if idle.is_fresh(now, None) => break Some((idle.connection, idle.retires)),
                Some(idle) => gone.push(idle),
                None => break None,
            }
        };
        // Connections are dropped when nothing is locked.
        drop(state);
        found
    }
}
