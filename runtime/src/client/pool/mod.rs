//! [`Pool`]: the connections to one node.
//!
//! Unary calls share connections, and another connection is opened in the
//! background when all are busy. While it opens, a call waits for it only if every
//! open connection carries several times its target load or owes answers (`room`). Streams
//! and long calls each have a connection of their own (`lease`). Invariant: a
//! closed connection is removed by the first call that finds it closed, and that
//! call moves to another connection.

mod acquire;
mod call;
mod config;
mod lease;
mod open;
mod opening;
mod room;
mod shared;
mod state;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

pub use config::PoolConfig;

use super::connection::Connection;
use super::connector::Connector;
use super::error::CallError;
use super::node::Node;
use super::random::Random;
use open::{OpenConnections, SharedConnection};
use state::State;

/// The interval between checks for idle, expired and missing connections.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// Connections to one node, shared by many callers.
///
/// Cheap to clone; clones share the connections.
///
/// Unary calls share connections, and another connection is opened in the
/// background when all are busy. A stream or long call gets a connection of its
/// own. A call is retried only if its connection turned out to be closed before the
/// request was sent; [`Cluster`](super::Cluster) retries more.
///
/// Nothing is connected before the first call. Dropping the last clone closes all
/// connections and fails the calls in flight; [`Pool::close`] waits for them.
///
/// A connection is driven by the runtime of the call that opened it. If several
/// runtimes share a pool, all of them have to keep running: while one is suspended,
/// as a current-thread runtime is between two calls of `block_on`, calls on its
/// connections make no progress, even those made from other runtimes, and their
/// deadlines do not fire. A runtime that has shut down does no harm.
///
/// ```no_run
/// use riak_runtime::client::{CallExt, Node, Pool, PoolConfig, TcpConnector};
/// use std::sync::Arc;
///
/// # async fn example<R: riak_runtime::Request>(request: R) -> Result<(), Box<dyn std::error::Error>> {
/// let node: Node = "127.0.0.1:8087".parse()?;
/// let config = PoolConfig::new().max_connections(4);
/// let pool = Pool::new(node, Arc::new(TcpConnector::default()), config);
/// let answer = pool.call(&request).await?;
/// println!("{} connections", pool.stats().connections);
/// pool.close().await;
/// # let _ = answer;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Pool {
    inner: Arc<Inner>,
}

struct Inner {
    node: Node,
    connector: Arc<dyn Connector>,
    config: PoolConfig,
    state: Mutex<State>,
    /// The connections of `state`, for calls that need nothing else of it. Written only
    /// while `state` is locked, so whoever reads it takes no other lock meanwhile, and
    /// drops no [`Share`], which may lock `state`.
    open: RwLock<OpenConnections<Connection>>,
    /// The tasks that open and sweep connections; aborted with the pool. Never
    /// locked while `state` is: a task that cannot be spawned is dropped, which
    /// locks `state`.
    tasks: Mutex<JoinSet<()>>,
    sweeping: AtomicBool,
    /// Set if the last attempt to connect failed and no call waited for it, or if
    /// the node refused the client. No connection is then opened before the next
    /// call.
    refill_paused: AtomicBool,
    /// One permit for each stream or long call.
    streams: Arc<Semaphore>,
    /// The number of streams and long calls that wait for a connection.
    waiting_exclusive: AtomicUsize,
    /// The number of unary calls that wait for the first connection, or for room on
    /// one.
    waiting_shared: AtomicUsize,
    /// The number of unary calls that wait for room on a connection.
    in_line: AtomicUsize,
    /// Wakes the calls in line.
    room: Notify,
    closing: AtomicBool,
    /// Signals that a call ended while the pool was closing.
    call_ended: Notify,
    connects: AtomicU64,
    connect_failures: AtomicU64,
    /// How long the last connection took to open, in nanoseconds; 0 before the first.
    connect_nanos: AtomicU64,
    random: Random,
}

/// A snapshot of the state of a [`Pool`], and its counters since it was created.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// Open connections that unary calls share.
    pub connections: usize,
    /// Unary calls on the shared connections, sent or waiting for their turn.
    pub in_flight: usize,
    /// Connections that a stream or long call has to itself.
    pub streams: usize,
    /// Calls that wait for a connection, or for their turn on one. If more than a
    /// few wait for longer than a moment, the node is overloaded.
    pub waiting: usize,
    /// Connections opened so far.
    pub connects: u64,
    /// Failed attempts to connect so far.
    pub connect_failures: u64,
}

/// A unary call's share of a connection.
struct Share<'p> {
    shared: Arc<SharedConnection<Connection>>,
    inner: &'p Inner,
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.shared.release();
        if self.inner.in_line.load(Ordering::SeqCst) > 0 {
            self.inner.wake_waiters();
        }
        // Either this code sees that the pool is closing, or `close` sees that the
        // call has ended: each side writes, then reads what the other writes. That
        // holds only if all four operations are in one total order.
        if self.inner.closing.load(Ordering::SeqCst) {
            self.inner.call_ended.notify_waiters();
        }
    }
}

impl Pool {
    /// Creates a pool of connections to `node`, opened by `connector`.
    ///
    /// No runtime is needed yet; calls need a tokio runtime with timers and IO.
    pub fn new(node: Node, connector: Arc<dyn Connector>, mut config: PoolConfig) -> Self {
        // `close` acquires all permits at once, so their number has to fit a `u32`.
        config.max_streams = config.max_streams.clamp(1, Semaphore::MAX_PERMITS).min(u32::MAX as usize);
        let streams = Arc::new(Semaphore::new(config.max_streams));
        let inner = Inner {
            node,
            connector,
            config,
            state: Mutex::new(State::new()),
            open: RwLock::default(),
            tasks: Mutex::new(JoinSet::new()),
            sweeping: AtomicBool::new(false),
            refill_paused: AtomicBool::new(false),
            streams,
            waiting_exclusive: AtomicUsize::new(0),
            waiting_shared: AtomicUsize::new(0),
            in_line: AtomicUsize::new(0),
            room: Notify::new(),
            closing: AtomicBool::new(false),
            call_ended: Notify::new(),
            connects: AtomicU64::new(0),
            connect_failures: AtomicU64::new(0),
            connect_nanos: AtomicU64::new(0),
            random: Random::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Returns the node that the connections lead to.
    #[must_use]
    pub fn node(&self) -> &Node {
        &self.inner.node
    }

    /// Returns how long the last connection took to open; zero before the first.
    pub(super) fn connect_time(&self) -> Duration {
        Duration::from_nanos(self.inner.connect_nanos.load(Ordering::Relaxed))
    }

    /// Waits until a connection is open, opening the first one if there is none.
    ///
    /// The others of [`min_connections`](PoolConfig::min_connections) are then
    /// opened in the background.
    ///
    /// # Errors
    ///
    /// Fails if no connection can be opened within
    /// [`wait_timeout`](PoolConfig::wait_timeout), or if the pool has been closed.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime with timers and IO.
    pub async fn connect(&self) -> Result<(), CallError> {
        let share = self.share(None, &mut Duration::default()).await?;
        drop(share);
        let mut state = self.inner.lock();
        let mut missing = Vec::new();
        while state.connections.len() + state.opening_shared < self.inner.min() {
            missing.push(self.inner.begin_opening(&mut state));
        }
        drop(state);
        for opening in missing {
            self.inner.spawn_opening(opening);
        }
        Ok(())
    }

    /// Returns a snapshot of the pool's state.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        let state = self.inner.lock();
        let turns: usize = state.connections.iter().map(|shared| shared.connection.waiting()).sum();
        PoolStats {
            connections: state.connections.len(),
            in_flight: state.connections.in_flight(),
            streams: self.inner.config.max_streams - self.inner.streams.available_permits(),
            waiting: self.inner.waiting_exclusive.load(Ordering::Relaxed)
                + self.inner.waiting_shared.load(Ordering::Relaxed)
                + turns,
            connects: self.inner.connects.load(Ordering::Relaxed),
            connect_failures: self.inner.connect_failures.load(Ordering::Relaxed),
        }
    }

    /// Refuses new calls, waits for those in flight, and closes all connections.
    ///
    /// Open streams are waited for as well: bound the wait with a timeout of your
    /// own.
    ///
    /// Later calls fail with [`ConnectionError::Stopped`](super::ConnectionError::Stopped). That holds from the
    /// first poll on, even if the future is then dropped.
    pub async fn close(&self) {
        // `SeqCst`, as in `Share::drop`.
        self.inner.closing.store(true, Ordering::SeqCst);
        self.inner.room.notify_waiters();
        loop {
            // Created before the check, so that no call that ends after it is
            // missed.
            let ended = self.inner.call_ended.notified();
            if self.inner.lock().connections.in_flight() == 0 {
                break;
            }
            ended.await;
        }
        let streams = u32::try_from(self.inner.config.max_streams).unwrap_or(u32::MAX);
        // The semaphore is never closed, so this cannot fail.
        let _ = self.inner.streams.acquire_many(streams).await;
        let mut state = self.inner.lock();
        let connections = (state.connections.clear(), std::mem::take(&mut state.idle));
        drop(state);
        self.inner.tasks().abort_all();
        drop(connections);
    }
}

impl Inner {
    fn tasks(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn min(&self) -> usize {
        self.config.min_connections.min(self.max())
    }

    fn max(&self) -> usize {
        self.config.max_connections.max(1)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("node", &self.inner.node).field("stats", &self.stats()).finish()
    }
}
