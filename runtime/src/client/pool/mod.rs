//! [`Pool`]: the connections to one node.
//!
//! Unary calls share connections, and one more is opened in the background when
//! all are busy. Who could use an open one waits for it only if those have
//! several times what they should have, or owe answers. Streams and long calls
//! each have a connection of their own (`lease`). Invariant: a connection that
//! is closed gets no call for longer than it takes one call to find that out,
//! and that call is made on another one.

mod call;
mod config;
mod lease;
mod members;
mod opening;

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

pub use config::PoolConfig;

use super::connection::Connection;
use super::connector::Connector;
use super::error::{CallError, ConnectionError};
use super::node::Node;
use super::random::Random;
use lease::{Asker, Idle};
use members::{Member, Members};
use opening::Told;

/// How often idle and old connections are looked for.
const SWEEP: Duration = Duration::from_secs(1);

/// Connections to one node, for many callers. Cheap to clone; clones share the
/// connections.
///
/// Unary calls share connections, and another connection is opened in the
/// background when all are busy. A stream or long call gets a connection of its
/// own. A call is made again only if the connection it was given turned out to be
/// closed before it was sent; [`Cluster`](super::Cluster) retries more.
///
/// Nothing is connected before the first call. When the last clone is dropped,
/// all connections close and calls in flight fail; [`Pool::close`] waits for them.
///
/// A connection is driven by the runtime of the call that it was made for. If
/// several runtimes share a pool, all of them have to keep running: while one stands
/// still, as a current-thread runtime does between two `block_on`, calls on its
/// connections make no progress, even those made from other runtimes, and their
/// deadlines do not fire. A runtime that has ended does no harm.
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
    /// What connects, and what sweeps; ended with the pool. Never locked while
    /// `state` is: a task that cannot be spawned is dropped, which locks that.
    tasks: Mutex<JoinSet<()>>,
    sweeping: AtomicBool,
    /// One permit for each stream.
    streams: Arc<Semaphore>,
    /// Streams and long calls that wait for a connection.
    waiting: AtomicUsize,
    /// Unary calls that wait for the first connection, or for one with room.
    arriving: AtomicUsize,
    /// There may be room: a call is over, or a connection was made or not.
    room: Notify,
    closing: AtomicBool,
    /// A call has ended while the pool is closing.
    ended: Notify,
    connects: AtomicU64,
    failures: AtomicU64,
    random: Random,
}

struct State {
    members: Members<Connection>,
    /// Connections that streams have used and others may use.
    idle: Vec<Idle>,
    /// Streams that wait for a connection to be made or left behind, and how many
    /// are being made for them.
    askers: VecDeque<Asker>,
    making: usize,
    /// Connections being made for unary calls.
    connecting: usize,
    /// Who waits while there is none is told through this.
    first: Option<Told>,
    /// The last one could not be had, and nobody waited for it or nobody will be
    /// let in: none is made before the next call.
    in_vain: bool,
    /// Why the last connection has ended that was taken for a call and was of no
    /// use to it, until there is another one.
    ended: Option<ConnectionError>,
    /// No more than the first connection is made before this: the last one that
    /// was to be one more could not be had.
    grows_after: Option<Instant>,
}

/// The state of a [`Pool`] at one moment, and its counters since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// Open connections that unary calls share.
    pub connections: usize,
    /// Unary calls on them, sent or waiting their turn.
    pub in_flight: usize,
    /// Connections that streams and long calls have to themselves.
    pub streams: usize,
    /// Calls that wait for a connection, or for their turn on one. If more than a
    /// few wait for longer than a moment, the node is overloaded.
    pub waiting: usize,
    /// Connections made so far.
    pub connects: u64,
    /// Attempts to connect that failed so far.
    pub connect_failures: u64,
}

/// A unary call's share of a connection.
struct Share<'p> {
    member: Arc<Member<Connection>>,
    inner: &'p Inner,
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.member.release();
        if self.inner.arriving.load(Ordering::Relaxed) > 0 {
            self.inner.room.notify_one();
        }
        // Either this sees that the pool is closing, or `close` sees that the call
        // has ended: each writes, then reads what the other writes, and so all four
        // have to be in one order for both.
        if self.inner.closing.load(Ordering::SeqCst) {
            self.inner.ended.notify_waiters();
        }
    }
}

impl Pool {
    /// A pool of connections to `node`, which `connector` will make. Needs no
    /// runtime yet; calls need a tokio runtime with timers and IO.
    pub fn new(node: Node, connector: Arc<dyn Connector>, mut config: PoolConfig) -> Self {
        // As many as can be waited for at once.
        config.max_streams = config.max_streams.min(Semaphore::MAX_PERMITS).min(u32::MAX as usize);
        let streams = Arc::new(Semaphore::new(config.max_streams));
        let state = State {
            members: Members::new(),
            idle: Vec::new(),
            askers: VecDeque::new(),
            making: 0,
            connecting: 0,
            first: None,
            in_vain: false,
            ended: None,
            grows_after: None,
        };
        let inner = Inner {
            node,
            connector,
            config,
            state: Mutex::new(state),
            tasks: Mutex::new(JoinSet::new()),
            sweeping: AtomicBool::new(false),
            streams,
            waiting: AtomicUsize::new(0),
            arriving: AtomicUsize::new(0),
            room: Notify::new(),
            closing: AtomicBool::new(false),
            ended: Notify::new(),
            connects: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            random: Random::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The node that the connections are to.
    #[must_use]
    pub fn node(&self) -> &Node {
        &self.inner.node
    }

    /// Waits until there is a connection, making the first if there is none, and
    /// starts making the others of
    /// [`min_connections`](PoolConfig::min_connections) in the background.
    ///
    /// # Errors
    ///
    /// If no connection can be made within
    /// [`wait_timeout`](PoolConfig::wait_timeout), or the pool has been closed.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with timers and IO.
    pub async fn connect(&self) -> Result<(), CallError> {
        let share = self.share(None, &mut Duration::default()).await?;
        drop(share);
        let mut state = self.inner.lock();
        let mut missing = Vec::new();
        while state.members.len() + state.connecting < self.inner.min() {
            missing.push(self.inner.open(&mut state));
        }
        drop(state);
        for opening in missing {
            self.inner.spawn(opening);
        }
        Ok(())
    }

    /// How the pool stands now.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        let state = self.inner.lock();
        let turns: usize = state.members.connections().map(Connection::waiting).sum();
        PoolStats {
            connections: state.members.len(),
            in_flight: state.members.in_flight(),
            streams: self.inner.config.max_streams - self.inner.streams.available_permits(),
            waiting: self.inner.waiting.load(Ordering::Relaxed)
                + self.inner.arriving.load(Ordering::Relaxed)
                + turns,
            connects: self.inner.connects.load(Ordering::Relaxed),
            connect_failures: self.inner.failures.load(Ordering::Relaxed),
        }
    }

    /// Takes no more calls, waits for those in flight, and closes all connections.
    /// It waits for open streams as well: bound the wait with a timeout of your own.
    ///
    /// Later calls fail with [`ConnectionError::Stopped`]. That holds from the first
    /// poll on, even if the future is then dropped.
    pub async fn close(&self) {
        // In one order with what `Share::drop` does.
        self.inner.closing.store(true, Ordering::SeqCst);
        loop {
            // From here on it hears of calls that end.
            let ended = self.inner.ended.notified();
            if self.inner.lock().members.in_flight() == 0 {
                break;
            }
            ended.await;
        }
        let streams = u32::try_from(self.inner.config.max_streams).unwrap_or(u32::MAX);
        // Nobody closes the semaphore.
        let _ = self.inner.streams.acquire_many(streams).await;
        let mut state = self.inner.lock();
        let connections = (state.members.clear(), std::mem::take(&mut state.idle));
        drop(state);
        self.inner.tasks().abort_all();
        drop(connections);
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that is done under the lock leaves it half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

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
