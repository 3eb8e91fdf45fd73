//! [`Lease`]: a connection for one stream or long call, and the wait for it.
//!
//! Invariant: there are as many leases as permits taken; a connection is returned
//! only if nothing is in flight on it.

use std::future::Future;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::timeout_at;

use super::super::connection::{Connection, now};
use super::super::error::{CallError, ConnectionError, NotSent, QueueLimit};
use super::opening::connect_to_node;
use super::state::State;
use super::{AtomicUsize, Inner, Ordering};

/// Hands a connection to the stream or long call that waits for it.
pub(super) type LeaseSender = oneshot::Sender<Result<Idle, ConnectionError>>;
type LeaseReceiver = oneshot::Receiver<Result<Idle, ConnectionError>>;

/// A connection that no call uses.
#[derive(Debug)]
pub(super) struct Idle {
    connection: Connection,
    /// Whether it has carried a call or been kept for one, and so may have been closed
    /// unnoticed.
    is_used: bool,
    since: Instant,
    /// When it expires.
    retires_at: Option<Instant>,
}

impl Idle {
    pub(super) fn is_fresh(&self, now: Instant, idle: Option<Duration>) -> bool {
        self.connection.closed().is_none()
            && self.retires_at.is_none_or(|retires_at| now < retires_at)
            && idle.is_none_or(|idle| now.saturating_duration_since(self.since) < idle)
    }
}

/// A connection that one call has to itself, returned to the pool on drop.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) connection: Connection,
    /// See [`Idle`].
    pub(super) is_used: bool,
    retires_at: Option<Instant>,
    pool: Weak<Inner>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(pool) = self.pool.upgrade() else { return };
        let fit = self.connection.closed().is_none() && self.connection.in_flight() == 0;
        if fit && !pool.closing.load(Ordering::Relaxed) {
            let (connection, retires_at) = (self.connection.clone(), self.retires_at);
            let idle = Idle { connection, is_used: true, since: now(), retires_at };
            if idle.is_fresh(idle.since, None) {
                pool.hand_over(Ok(idle), None);
            }
        }
    }
}

/// Counts a waiting call until dropped.
pub(super) struct WaitGuard<'p>(&'p AtomicUsize);

impl Drop for WaitGuard<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The number of unary calls that may wait for the first connection: as many as
/// may, by default, wait on the connection once it is open.
const MAX_SHARED_WAITERS: usize = 65_536;

fn count_waiter(count: &AtomicUsize, max: usize) -> Result<WaitGuard<'_>, NotSent> {
    let guard = WaitGuard(count);
    if count.fetch_add(1, Ordering::Relaxed) < max {
        Ok(guard)
    } else {
        Err(NotSent::QueueFull { max: QueueLimit::Calls(max) })
    }
}

impl Inner {
    /// Counts the caller as waiting for a connection of its own, unless too many
    /// calls do.
    fn begin_exclusive_wait(&self) -> Result<WaitGuard<'_>, NotSent> {
        count_waiter(&self.waiting_exclusive, self.config.max_waiting)
    }

    /// Counts the caller as waiting for a shared connection, unless too many calls
    /// do.
    pub(super) fn begin_shared_wait(&self) -> Result<WaitGuard<'_>, NotSent> {
        count_waiter(&self.waiting_shared, MAX_SHARED_WAITERS)
    }

    /// Waits for `event`, but no longer than the pool's wait timeout, counted from
    /// `started`, and not beyond `limit`. The error is the time waited.
    pub(super) async fn with_wait_timeout<T>(
        &self,
        started: Instant,
        limit: Option<Instant>,
        event: impl Future<Output = T>,
    ) -> Result<T, Duration> {
        let until = started.checked_add(self.config.wait_timeout);
        let Some(until) = [until, limit].into_iter().flatten().min() else { return Ok(event.await) };
        let elapsed = |_| now().saturating_duration_since(started);
        timeout_at(until.into(), event).await.map_err(elapsed)
    }

    /// Returns a connection for the caller alone, in first-come, first-served
    /// order.
    pub(super) async fn lease(self: &Arc<Self>, limit: Option<Instant>) -> Result<Lease, CallError> {
        let is_closing = || {
            let stopped = self.closing.load(Ordering::SeqCst);
            if stopped { Err(NotSent::Connection(ConnectionError::Stopped)) } else { Ok(()) }
        };
        is_closing()?;
        let started = now();
        let permit = if let Ok(permit) = Arc::clone(&self.streams).try_acquire_owned() {
            permit
        } else {
            let _guard = self.begin_exclusive_wait()?;
            let permit = Arc::clone(&self.streams).acquire_owned();
            // The semaphore is never closed.
            let stopped = |_| NotSent::Connection(ConnectionError::Stopped);
            let free = self.with_wait_timeout(started, limit, permit).await;
            free.map_err(|after| NotSent::PoolTimeout { after })?.map_err(stopped)?
        };
        // `close` sets its flag and then waits for all permits: either the flag is
        // seen here, or `close` waits for this permit.
        is_closing()?;
        // A runtime that shuts down drops the connection being opened on it. One
        // such loss may be chance, so the call asks once more.
        let mut opening_lost = false;
        loop {
            let receiver = match self.take_idle_or_open() {
                Ok(idle) => return Ok(self.new_lease(idle, permit)),
                Err(receiver) => receiver,
            };
            match self
                .with_wait_timeout(started, limit, receiver)
                .await
                .map_err(|after| NotSent::Connecting { after })?
            {
                Ok(Ok(idle)) => return Ok(self.new_lease(idle, permit)),
                Ok(Err(error)) => return Err(NotSent::Connection(error).into()),
                Err(_) if opening_lost => return Err(NotSent::Connection(ConnectionError::Stopped).into()),
                Err(_) => opening_lost = true,
            }
        }
    }

    fn new_lease(self: &Arc<Self>, idle: Idle, permit: OwnedSemaphorePermit) -> Lease {
        let Idle { connection, is_used, retires_at, .. } = idle;
        Lease { connection, is_used, retires_at, pool: Arc::downgrade(self), _permit: permit }
    }

    /// Returns an idle connection, or a receiver for one that is to be handed over.
    ///
    /// A connection is opened in the background for each waiter. If that takes
    /// longer than the waiter can wait, the next one finds it there.
    fn take_idle_or_open(self: &Arc<Self>) -> Result<Idle, LeaseReceiver> {
        let mut gone = Vec::new();
        let now = now();
        let mut state = self.lock();
        while let Some(idle) = state.idle.pop() {
            if idle.is_fresh(now, None) {
                // The expired connections in `gone` are dropped after the lock.
                drop(state);
                return Ok(idle);
            }
            gone.push(idle);
        }
        let (sender, receiver) = oneshot::channel();
        state.lease_waiters.retain(|waiter| !waiter.is_closed());
        state.lease_waiters.push_back(sender);
        let must_open = state.opening_exclusive < state.lease_waiters.len();
        if must_open {
            state.opening_exclusive += 1;
        }
        drop(state);
        if must_open {
            self.spawn_task(open_exclusive(ExclusiveOpening(Arc::downgrade(self))));
        }
        Err(receiver)
    }

    /// Hands a connection, or the reason why there is none, to the first waiter.
    /// Without a waiter, the connection is kept.
    ///
    /// An `opening` stays counted until the lock is held under which its result
    /// becomes visible. Otherwise a stream that asks in between would open one
    /// connection too many.
    fn hand_over(&self, mut result: Result<Idle, ConnectionError>, mut opening: Option<ExclusiveOpening>) {
        loop {
            let mut state = self.lock();
            if let Some(opening) = opening.take() {
                opening.finish(&mut state);
            }
            let Some(waiter) = state.lease_waiters.pop_front() else {
                match result {
                    // `close` may have emptied the list already, so nothing is
                    // added to it.
                    Ok(idle) if !self.closing.load(Ordering::Relaxed) => {
                        state.idle.push(Idle { is_used: true, ..idle });
                    }
                    other => {
                        drop(state);
                        drop(other);
                    }
                }
                return;
            };
            drop(state);
            match waiter.send(result) {
                Ok(()) => return,
                Err(back) => result = back,
            }
        }
    }

    /// Returns the error that ends a call on its own connection, or `Ok` if the
    /// call is to be retried because an idle connection had been closed before it
    /// was used.
    ///
    /// A timeout on a reused connection drops all idle ones: whatever cut off one
    /// has cut off all, and each would cost another call its time.
    pub(super) fn exclusive_call_failed(&self, lease: &Lease, error: CallError) -> Result<(), CallError> {
        match error {
            CallError::NotSent(NotSent::Connection(_)) if lease.is_used => return Ok(()),
            CallError::Timeout { sent: true, .. } if lease.is_used => {
                let idle = std::mem::take(&mut self.lock().idle);
                drop(idle);
            }
            _ => {}
        }
        Err(error)
    }
}

/// A connection being opened for a stream, counted until this is dropped.
struct ExclusiveOpening(Weak<Inner>);

impl ExclusiveOpening {
    /// Ends the count; a waiter is about to hear of the result.
    fn finish(mut self, state: &mut State) {
        self.0 = Weak::new();
        state.opening_exclusive -= 1;
    }
}

impl Drop for ExclusiveOpening {
    fn drop(&mut self) {
        let Some(inner) = self.0.upgrade() else { return };
        let mut state = inner.lock();
        state.opening_exclusive -= 1;
        // Wakes a waiter for which nothing is being opened any more, so that it
        // asks again.
        let orphan = if state.lease_waiters.len() > state.opening_exclusive {
            state.lease_waiters.pop_front()
        } else {
            None
        };
        drop(state);
        drop(orphan);
    }
}

async fn open_exclusive(opening: ExclusiveOpening) {
    let Some((inner, result)) = connect_to_node(&opening.0).await else { return };
    let now = now();
    let retires_at = inner.retirement_time(now);
    let result = result.map(|connection| Idle { connection, is_used: false, since: now, retires_at });
    inner.hand_over(result, Some(opening));
}
