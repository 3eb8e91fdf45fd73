//! [`Lease`]: a connection for one stream or long call, and waiting for it.
//!
//! Invariant: as many leases are out as permits are taken; a connection comes
//! back only if nothing is in flight on it.

use std::future::Future;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::timeout_at;

use super::super::connection::{Connection, now};
use super::super::error::{CallError, ConnectionError, NotSent};
use super::opening::connection;
use super::{AtomicUsize, Inner, Ordering, State};

/// Who waits for a connection to be handed over, and where.
pub(super) type Asker = oneshot::Sender<Result<Idle, ConnectionError>>;
type Asked = oneshot::Receiver<Result<Idle, ConnectionError>>;

/// A connection that nobody uses.
#[derive(Debug)]
pub(super) struct Idle {
    connection: Connection,
    /// It has carried a call before.
    is_used: bool,
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
            let (connection, retires) = (self.connection.clone(), self.retires);
            let idle = Idle { connection, is_used: true, since: now(), retires };
            if idle.is_fresh(idle.since, None) {
                pool.hand(Ok(idle), None);
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
        // A runtime that ends takes what was being made with it: once may be by
        // chance.
        let mut vain = false;
        loop {
            let asked = match self.take_idle() {
                Ok(idle) => return Ok(self.lend(idle, permit)),
                Err(asked) => asked,
            };
            match self.within(begun, limit, asked).await.map_err(|after| NotSent::Connecting { after })? {
                Ok(Ok(idle)) => return Ok(self.lend(idle, permit)),
                Ok(Err(error)) => return Err(NotSent::Connection(error).into()),
                Err(_) if vain => return Err(NotSent::Connection(ConnectionError::Stopped).into()),
                Err(_) => vain = true,
            }
        }
    }

    fn lend(self: &Arc<Self>, idle: Idle, permit: OwnedSemaphorePermit) -> Lease {
        let Idle { connection, is_used, retires, .. } = idle;
        Lease { connection, is_used, retires, pool: Arc::downgrade(self), _permit: permit }
    }

    /// A connection that a stream has left behind, or where one will be handed
    /// over: one is being made for each who asks, in the background, so that it is
    /// there for the next one if it takes longer than somebody can wait.
    fn take_idle(self: &Arc<Self>) -> Result<Idle, Asked> {
        let mut gone = Vec::new();
        let now = now();
        let mut state = self.lock();
        while let Some(idle) = state.idle.pop() {
            if idle.is_fresh(now, None) {
                // Connections are dropped when nothing is locked.
                drop(state);
                return Ok(idle);
            }
            gone.push(idle);
        }
        let (sender, asked) = oneshot::channel();
        state.askers.retain(|asker| !asker.is_closed());
        state.askers.push_back(sender);
        let wanted = state.making < state.askers.len();
        if wanted {
            state.making += 1;
        }
        drop(state);
        if wanted {
            self.run(make(Making(Arc::downgrade(self))));
        }
        Err(asked)
    }

    /// Gives a connection, or the reason why there is none, to who has asked
    /// first; a connection that nobody asks for is kept. If it is of a maker, that
    /// counts as long as nobody can see what it has made: or who asks in between
    /// would have one more made than there may be.
    fn hand(&self, mut made: Result<Idle, ConnectionError>, mut maker: Option<Making>) {
        loop {
            let mut state = self.lock();
            if let Some(maker) = maker.take() {
                maker.over(&mut state);
            }
            let Some(asker) = state.askers.pop_front() else {
                match made {
                    // Those that wait until the pool is closed let go of it.
                    Ok(idle) if !self.closing.load(Ordering::Relaxed) => state.idle.push(idle),
                    other => {
                        drop(state);
                        drop(other);
                    }
                }
                return;
            };
            drop(state);
            match asker.send(made) {
                Ok(()) => return,
                Err(back) => made = back,
            }
        }
    }

    /// What a call ends with that failed on a connection of its own. Without an
    /// error it is made again: the connection was closed before it was used.
    ///
    /// If it got no answer in time on one that had been used before, all that
    /// streams have left behind is let go: what has cut off one has cut off all,
    /// and each would cost a call its time.
    pub(super) fn failed_alone(&self, lease: &Lease, error: CallError) -> Result<(), CallError> {
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

/// A connection that is being made for a stream: counted until this is dropped.
struct Making(Weak<Inner>);

impl Making {
    /// It is over, and whoever asked is about to hear of it.
    fn over(mut self, state: &mut State) {
        self.0 = Weak::new();
        state.making -= 1;
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        let Some(inner) = self.0.upgrade() else { return };
        let mut state = inner.lock();
        state.making -= 1;
        // Who has nobody left to make one for him asks again.
        let left = if state.askers.len() > state.making { state.askers.pop_front() } else { None };
        drop(state);
        drop(left);
    }
}

async fn make(making: Making) {
    let Some((inner, made)) = connection(&making.0).await else { return };
    let now = now();
    let retires = inner.retires(now);
    let made = made.map(|connection| Idle { connection, is_used: false, since: now, retires });
    inner.hand(made, Some(making));
}
