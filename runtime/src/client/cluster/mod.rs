//! [`Cluster`]: several nodes, called as if they were one.
//!
//! `choose` decides which node gets a call, `call` makes the attempts,
//! `verdict` says what an error means, `member` counts. Invariant: a node that
//! is down costs calls nothing but its probes.

mod call;
mod choose;
mod config;
mod discover;
mod fading;
mod member;
mod stats;
mod verdict;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::task::Poll;

pub use config::{ClusterConfig, RetryConfig};
pub use discover::{Discover, Discovering, Dns};
pub use stats::{ClusterStats, NodeStats};

use super::balance::{Balance, LeastLoaded};
use super::budget::Budget;
use super::connector::Connector;
use super::error::{CallError, ConnectionError, NotSent};
use super::node::Node;
use super::pool::Pool;
use super::random::Random;
use super::tried::{Attempt, Tried};
use member::Member;

/// Several nodes, called as if they were one. Cheap to clone; clones share the
/// connections.
///
/// Each call goes to one node: by default, of two nodes chosen at random, to the
/// one that is likely to answer first ([`LeastLoaded`]). A node that fails gets no
/// calls for a while ([`BreakerConfig`](super::BreakerConfig)).
///
/// A call that fails for a reason that may pass is made again at another node
/// ([`RetryConfig`]): if it cannot have been applied, or if its operation may be
/// repeated. Otherwise it fails, and its error says that it may have been applied
/// ([`CallError::may_have_been_applied`]). The error of a call that was tried at
/// several nodes names all of them ([`CallError::Tried`]).
///
/// Nothing is connected before the first call. When the last clone is dropped,
/// all connections close, and calls in flight fail; [`Cluster::close`] waits
/// for them.
///
/// ```no_run
/// use std::sync::Arc;
/// use riak_runtime::client::{Cluster, ClusterConfig, Node, TcpConnector};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let nodes: Vec<Node> = vec!["riak-1.example.com".parse()?, "riak-2.example.com".parse()?];
/// let cluster = Cluster::new(nodes, Arc::new(TcpConnector::default()), ClusterConfig::new());
/// cluster.connect().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Cluster {
    inner: Arc<Inner>,
}

struct Inner {
    list: RwLock<List>,
    /// Nobody calls any more, and no nodes are added. Changed only while
    /// `list` is locked for writing.
    closed: AtomicBool,
    connector: Arc<dyn Connector>,
    config: ClusterConfig,
    balance: Arc<dyn Balance>,
    budget: Budget,
    random: Random,
    served: Served,
    repeats: AtomicU64,
    keeper: discover::Keeper,
}

impl Cluster {
    /// A cluster of these nodes; one that is named twice counts once. Needs no
    /// runtime yet; calls need a tokio runtime with timers and IO.
    pub fn new(
        nodes: impl IntoIterator<Item = Node>,
        connector: Arc<dyn Connector>,
        config: ClusterConfig,
    ) -> Self {
        Self::balanced(nodes, connector, config, Arc::new(LeastLoaded::new()))
    }

    /// The same as [`Cluster::new`], with another way to choose nodes.
    pub fn balanced(
        nodes: impl IntoIterator<Item = Node>,
        connector: Arc<dyn Connector>,
        config: ClusterConfig,
        balance: Arc<dyn Balance>,
    ) -> Self {
        let inner = Inner {
            list: RwLock::default(),
            closed: AtomicBool::new(false),
            budget: Budget::new(config.retry.budget_percent, config.retry.budget_reserve),
            connector,
            config,
            balance,
            random: Random::new(),
            served: Served::default(),
            repeats: AtomicU64::new(0),
            keeper: discover::Keeper::default(),
        };
        let cluster = Self { inner: Arc::new(inner) };
        cluster.set_nodes(nodes);
        cluster
    }

    /// Connects to all nodes at once, and returns as soon as one is connected: for
    /// programs that want to know at their start. The others go on connecting.
    ///
    /// # Errors
    ///
    /// If no node can be connected to; the error names all of them.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with timers and IO.
    pub async fn connect(&self) -> Result<(), CallError> {
        let mut connecting = tokio::task::JoinSet::new();
        for member in self.inner.members().iter() {
            let pool = member.pool.clone();
            connecting.spawn(async move {
                let begun = super::connection::now();
                let result = pool.connect().await;
                let after = super::connection::now().saturating_duration_since(begun);
                result.map_err(|error| Attempt { node: pool.node().clone(), error, after })
            });
        }
        let mut failed = Vec::new();
        while let Some(result) = connecting.join_next().await {
            match result {
                Ok(Ok(())) => {
                    // The others go on by themselves.
                    connecting.detach_all();
                    return Ok(());
                }
                Ok(Err(attempt)) => failed.push(attempt),
                Err(ended) => match ended.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    // The runtime ends, and with it all of them.
                    Err(_) => return Err(NotSent::Connection(ConnectionError::Stopped).into()),
                },
            }
        }
        Err(if failed.is_empty() { NotSent::NoNodes.into() } else { Tried::error(failed) })
    }

    /// The nodes that calls go to now.
    #[must_use]
    pub fn nodes(&self) -> Vec<Node> {
        self.inner.members().iter().map(|member| member.node().clone()).collect()
    }

    /// Replaces the list of nodes. Nodes that stay keep their connections; calls in
    /// flight to nodes that are removed are finished. On a closed cluster it does
    /// nothing.
    ///
    /// A source of nodes ([`Discover`]) may replace the list again. If later none of
    /// the source's nodes can be called, the nodes given here are called as well.
    pub fn set_nodes(&self, nodes: impl IntoIterator<Item = Node>) {
        let nodes: Vec<Node> = nodes.into_iter().collect();
        self.inner.change(|list| {
            list.named.clone_from(&nodes);
            list.turn_to(nodes, |node| Some(Arc::new(self.inner.member(node))))
        });
    }

    /// How each node stands now.
    #[must_use]
    pub fn stats(&self) -> ClusterStats {
        self.inner.stats()
    }

    /// Takes no more calls, waits for those in flight, and closes all connections.
    /// It waits for open streams as well: bound the wait with a timeout of your own.
    ///
    /// From the first poll on, calls fail with [`ConnectionError::Stopped`], even if
    /// the future is then dropped. In that case calls and streams in flight go on,
    /// and connections stay open until `close` is called again or the last clone is
    /// dropped.
    pub async fn close(&self) {
        let members: Vec<_> = {
            let list = self.inner.list.write().unwrap_or_else(PoisonError::into_inner);
            self.inner.closed.store(true, Ordering::Relaxed);
            // Those that were taken out may have calls, and somebody may be about to
            // call them who has looked at the list before.
            let leaving = list.leaving.iter().filter_map(Weak::upgrade);
            list.members.iter().map(Arc::clone).chain(leaving).collect()
        };
        self.inner.keeper.stop();
        // All within this task: each has turned to closing when the first of them
        // waits, whoever gives up waiting then.
        let mut closing: Vec<_> = members.iter().map(|member| Box::pin(member.pool.close())).collect();
        std::future::poll_fn(|context| {
            closing.retain_mut(|close| close.as_mut().poll(context).is_pending());
            if closing.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

impl Inner {
    fn members(&self) -> Arc<[Arc<Member>]> {
        Arc::clone(&self.list.read().unwrap_or_else(PoisonError::into_inner).members)
    }

    /// Changes the list, unless the cluster is closed. Returns whether that has
    /// been done.
    fn change(&self, change: impl FnOnce(&mut List) -> Option<Before>) -> bool {
        let mut list = self.list.write().unwrap_or_else(PoisonError::into_inner);
        if self.closed.load(Ordering::Relaxed) {
            return false;
        }
        let before = change(&mut list);
        drop(list);
        // Connections close when nothing is locked.
        before.is_some()
    }

    /// Where no node is well, adds those that the program has named: a source may
    /// have believed a node that was cut off from all others. Returns whether
    /// there are any.
    fn recall(&self) -> bool {
        let (has_strayed, members) = {
            let list = self.list.read().unwrap_or_else(PoisonError::into_inner);
            (list.has_strayed, Arc::clone(&list.members))
        };
        let now = super::connection::now();
        if !has_strayed || members.iter().any(|member| member.is_well(now)) {
            return false;
        }
        self.change(|list| {
            let known = list.members.iter().map(|member| member.node());
            let nodes: Vec<Node> = known.chain(&list.named).cloned().collect();
            list.turn_to(nodes, |node| Some(Arc::new(self.member(node))))
        })
    }

    fn member(&self, node: Node) -> Member {
        let pool = Pool::new(node, Arc::clone(&self.connector), self.config.pool.clone());
        Member::new(pool, self.config.breaker.clone())
    }
}

/// The members that a list had before.
type Before = Arc<[Arc<Member>]>;

#[derive(Default)]
struct List {
    /// Those that get calls.
    members: Arc<[Arc<Member>]>,
    /// The nodes that the program has named, and not a source.
    named: Vec<Node>,
    /// Some of those are no members.
    has_strayed: bool,
    /// Members that were taken out, as long as somebody uses them.
    leaving: Vec<Weak<Member>>,
}

impl List {
    /// Goes on with these nodes: those that are there already, and what `make`
    /// makes of the others. If that leaves none of those that were named, nothing
    /// changes, and it returns `None`.
    fn turn_to(
        &mut self,
        nodes: Vec<Node>,
        mut make: impl FnMut(Node) -> Option<Arc<Member>>,
    ) -> Option<Before> {
        let none_wanted = nodes.is_empty();
        let mut next: Vec<Arc<Member>> = Vec::new();
        for node in nodes {
            if next.iter().any(|member| *member.node() == node) {
                continue;
            }
            let known = self.members.iter().find(|member| *member.node() == node).map(Arc::clone);
            next.extend(known.or_else(|| make(node)));
        }
        if next.is_empty() && !none_wanted {
            return None;
        }
        let is_there = |node: &Node| next.iter().any(|member| member.node() == node);
        self.has_strayed = !self.named.iter().all(is_there);
        let leaves = |member: &&Arc<Member>| !next.iter().any(|other| Arc::ptr_eq(other, member));
        self.leaving.retain(|member| member.strong_count() > 0);
        self.leaving.extend(self.members.iter().filter(leaves).map(Arc::downgrade));
        Some(std::mem::replace(&mut self.members, next.into()))
    }
}

/// The request codes that some node has answered.
#[derive(Debug, Default)]
struct Served([AtomicU64; 4]);

impl Served {
    fn has(&self, code: u8) -> bool {
        let (word, bit) = (usize::from(code >> 6), 1 << (code & 63));
        self.0[word].load(Ordering::Relaxed) & bit != 0
    }

    fn note(&self, code: u8) {
        // Written once, read by all cores from then on.
        if !self.has(code) {
            self.0[usize::from(code >> 6)].fetch_or(1 << (code & 63), Ordering::Relaxed);
        }
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("nodes", &self.nodes()).finish_non_exhaustive()
    }
}
