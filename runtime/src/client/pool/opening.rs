//! How connections for unary calls are opened, swept and closed.
//!
//! Invariant: while none is open and a call waits for one, one is being opened, and
//! the last opening to end tells all waiters the outcome. Connections open and
//! being opened never exceed the maximum.

use std::future::Future;
use std::sync::{Arc, Weak};
use std::time::Instant;

use tokio::sync::watch;
use tokio::time::timeout;

use super::super::connection::{Connection, now};
use super::super::error::ConnectionError;
use super::shared::ConnectionStatus;
use super::state::State;
use super::{Inner, Ordering, SWEEP_INTERVAL};

/// Tells waiting calls why no connection could be opened; dropped without a value
/// once one is open.
pub(super) type ConnectSender = watch::Sender<Option<ConnectionError>>;

impl Inner {
    /// Counts one more connection as being opened. Pass it to
    /// [`Inner::spawn_opening`] once the lock is released.
    pub(super) fn begin_opening(self: &Arc<Self>, state: &mut State) -> Opening {
        state.opening_shared += 1;
        // The task holds no strong reference, which would keep the pool alive.
        Opening { pool: Arc::downgrade(self), error: None }
    }

    /// Opens a connection in the background.
    pub(super) fn spawn_opening(self: &Arc<Self>, opening: Opening) {
        self.spawn_task(connect(opening));
    }

    /// Spawns a task that is aborted with the pool.
    pub(super) fn spawn_task(self: &Arc<Self>, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks();
        // The set keeps finished tasks until they are joined.
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
        drop(tasks);
        self.start_sweeping();
    }

    /// Spawns the sweep task unless there is one. The task ends with its runtime;
    /// the next call then spawns another.
    pub(super) fn start_sweeping(self: &Arc<Self>) {
        if !self.sweeping.load(Ordering::Relaxed) && !self.sweeping.swap(true, Ordering::Relaxed) {
            let sweeping = SweepGuard(Arc::downgrade(self));
            self.tasks().spawn(sweep(sweeping));
        }
    }

    /// Returns when a connection opened now expires: up to a fifth later than
    /// `max_lifetime`, so that not all expire at once.
    pub(super) fn retirement_time(&self, now: Instant) -> Option<Instant> {
        let lifetime = self.config.max_lifetime?;
        let least = lifetime.saturating_sub(lifetime / 5);
        now.checked_add(least.saturating_add(self.random.jitter(lifetime / 5 * 2)))
    }

    /// Closes connections that are no longer to be kept, and opens missing ones.
    fn sweep(self: &Arc<Self>) {
        let now = now();
        let idle = self.config.idle_timeout;
        let mut state = self.lock();
        let status = |connection: &Connection| ConnectionStatus {
            broken: connection.closed().is_some(),
            owed: connection.owed(),
            answered: connection.answered(),
        };
        let gone = state.connections.sweep(now, idle, self.min(), status);
        let kept = std::mem::take(&mut state.idle);
        let (kept, idle) = kept.into_iter().partition(|kept| kept.is_fresh(now, idle));
        state.idle = kept;
        // One at a time, so that a node that is down is not asked for all of them
        // every second.
        let missing = !self.closing.load(Ordering::Relaxed)
            && state.connections.len() < self.min()
            && state.opening_shared == 0
            && !self.refill_paused.load(Ordering::Relaxed);
        let opening = missing.then(|| self.begin_opening(&mut state));
        drop(state);
        drop((gone, idle));
        if let Some(opening) = opening {
            self.spawn_opening(opening);
        }
    }
}

/// A connection being opened. Dropping it ends the count and tells the waiters the
/// outcome.
pub(super) struct Opening {
    pool: Weak<Inner>,
    error: Option<ConnectionError>,
}

impl Drop for Opening {
    fn drop(&mut self) {
        let Some(inner) = self.pool.upgrade() else { return };
        let mut state = inner.lock();
        state.opening_shared -= 1;
        // While others are being opened, the waiters may still get one of those.
        let is_open = state.connections.len() > 0;
        let is_decided = is_open || state.opening_shared == 0;
        let sender = if is_decided { state.first_result.take() } else { None };
        drop(state);
        // If another one is open, the waiters are told that, not why this one failed.
        let error = if is_open { None } else { self.error.take() };
        if let (Some(sender), Some(error)) = (sender, error) {
            // Fails only if no call waits any more.
            let _ = sender.send(Some(error));
        }
        inner.wake_waiters();
    }
}

async fn connect(mut opening: Opening) {
    // A closing pool gives out no shares, and `close` may have aborted the tasks
    // before this one was spawned.
    if opening.pool.upgrade().is_none_or(|inner| inner.closing.load(Ordering::Relaxed)) {
        return;
    }
    let Some((inner, result)) = connect_to_node(&opening.pool).await else { return };
    let now = now();
    match result {
        Ok(connection) => {
            let retires_at = inner.retirement_time(now);
            let mut state = inner.lock();
            // `close` clears the list under the lock: either it finds this
            // connection, or this check finds that the pool is closing. Aborting
            // does not stop a task while it runs.
            if inner.closing.load(Ordering::Relaxed) {
                drop(state);
                drop(connection);
                return;
            }
            let pool = opening.pool.clone();
            connection.on_settled(move || {
                if let Some(inner) = pool.upgrade() {
                    inner.wake_waiters();
                }
            });
            state.connections.add(connection, now, retires_at);
            state.grow_after = None;
            state.last_close = None;
        }
        Err(error) => {
            let mut state = inner.lock();
            state.grow_after = now.checked_add(SWEEP_INTERVAL);
            // Another attempt would not let the client in, and might lock its
            // account.
            let refused = matches!(error, ConnectionError::Refused(_));
            let pauses = refused || inner.waiting_shared.load(Ordering::Relaxed) == 0;
            inner.refill_paused.store(pauses, Ordering::Relaxed);
            opening.error = Some(error);
        }
    }
}

/// Connects within the connector's timeout. Returns `None` if the pool is dropped
/// meanwhile.
pub(super) async fn connect_to_node(
    pool: &Weak<Inner>,
) -> Option<(Arc<Inner>, Result<Connection, ConnectionError>)> {
    let inner = pool.upgrade()?;
    let (connector, node) = (Arc::clone(&inner.connector), inner.node.clone());
    drop(inner);
    let (after, begun) = (connector.connect_timeout(), now());
    let result = match timeout(after, connector.connect(&node)).await {
        Ok(result) => result,
        Err(_) => Err(ConnectionError::ConnectTimeout { after }),
    };
    let inner = pool.upgrade()?;
    let count = if result.is_ok() {
        let took = now().saturating_duration_since(begun).as_nanos();
        inner.connect_nanos.store(u64::try_from(took).unwrap_or(u64::MAX), Ordering::Relaxed);
        &inner.connects
    } else {
        &inner.connect_failures
    };
    count.fetch_add(1, Ordering::Relaxed);
    Some((inner, result))
}

/// Allows another sweep task to be spawned once this one is gone.
struct SweepGuard(Weak<Inner>);

impl Drop for SweepGuard {
    fn drop(&mut self) {
        if let Some(inner) = self.0.upgrade() {
            inner.sweeping.store(false, Ordering::Relaxed);
        }
    }
}

async fn sweep(sweeping: SweepGuard) {
    let mut interval = tokio::time::interval(SWEEP_INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        match sweeping.0.upgrade() {
            Some(inner) => inner.sweep(),
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::io::DuplexStream;

    use super::super::super::config::ConnectionConfig;
    use super::super::super::connector::{Connecting, Connector, TcpConnector};
    use super::super::acquire::{AcquireMode, Acquired};
    use super::super::{AtomicUsize, Node, Pool, PoolConfig};
    use super::*;

    /// A node that has room for a number of connections, and keeps its ends of them.
    #[derive(Debug)]
    struct FullNode {
        room: AtomicUsize,
        taken: Mutex<Vec<DuplexStream>>,
    }

    impl Connector for FullNode {
        fn connect<'a>(&'a self, _: &'a Node) -> Connecting<'a> {
            let mut taken = self.taken.lock().unwrap();
            if taken.len() >= self.room.load(Ordering::Relaxed) {
                return Box::pin(std::future::ready(Err(ConnectionError::Stopped)));
            }
            let (ours, theirs) = tokio::io::duplex(1);
            taken.push(theirs);
            let (connection, driver) = Connection::new(ours, ConnectionConfig::new());
            tokio::spawn(driver);
            Box::pin(std::future::ready(Ok(connection)))
        }
    }

    /// Two connections are being opened while a call waits. One is open, but its task has not
    /// ended when the other one fails.
    #[test]
    fn a_call_is_not_told_of_a_failure_once_another_connection_is_open() {
        for is_open in [false, true] {
            let node = "localhost:1".parse().unwrap();
            let pool = Pool::new(node, Arc::new(TcpConnector::default()), PoolConfig::new());
            let inner = &pool.inner;
            let mut state = inner.lock();
            let slow = inner.begin_opening(&mut state);
            let mut failing = inner.begin_opening(&mut state);
            failing.error = Some(ConnectionError::Stopped);
            let waits = state.first_result.insert(watch::channel(None).0).subscribe();
            let (connection, _driver) = Connection::new(tokio::io::empty(), ConnectionConfig::new());
            if is_open {
                state.connections.add(connection, now(), None);
            }
            drop(state);
            drop(failing);
            assert!(waits.borrow().is_none(), "another one is open, or still being opened");
            assert_eq!(waits.has_changed().is_err(), is_open, "it asks again if one is open");
            drop(slow);
            assert!(waits.borrow().is_none() && waits.has_changed().is_err());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn missing_connections_are_opened_again_once_a_call_is_made() {
        let node = Arc::new(FullNode { room: AtomicUsize::new(1), taken: Mutex::default() });
        let config = PoolConfig::new().min_connections(2);
        let pool = Pool::new("localhost:1".parse().unwrap(), node.clone(), config);
        let later = async || {
            tokio::time::sleep(4 * SWEEP_INTERVAL).await;
            pool.stats()
        };
        pool.connect().await.unwrap();
        let failed = later().await;
        assert!(failed.connections == 1 && failed.connect_failures > 0, "{failed:?}");
        node.room.store(2, Ordering::Relaxed);
        assert_eq!(later().await, failed, "no other is opened before the next call");
        // It needs nothing but its share of the open connection.
        assert!(matches!(pool.inner.acquire(AcquireMode::First), Ok(Acquired::Share(_))));
        assert_eq!(later().await.connections, 2);
    }
}
