//! [`Cluster`]: several nodes, called as if they were one.
//!
//! `choose` decides which node gets a call, `call` makes the attempts, `verdict`
//! interprets errors, and `member` keeps each node's state and counters. Invariant:
//! a node that is down costs callers nothing but its probes.

mod call;
mod choose;
mod config;
mod decaying_average;
mod discover;
mod discover_error;
mod member;
mod served;
mod stats;
mod verdict;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::task::Poll;

pub use config::{ClusterConfig, RetryConfig};
pub use discover::{Discover, Discovering, Dns};
pub use discover_error::DiscoverError;
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
use served::ServedRequests;

/// Several nodes, called as if they were one.
///
/// Cheap to clone; clones share the connections.
///
/// Each call goes to one node: by default, two nodes are drawn at random and the
/// one likely to answer first gets the call ([`LeastLoaded`]). A node that fails
/// gets no calls for a while ([`BreakerConfig`](super::BreakerConfig)).
///
/// A call that fails for a transient reason is retried at another node
/// ([`RetryConfig`]), provided that it cannot have been applied or that its
/// operation may be repeated. Otherwise it fails, and its error says that it may
/// have been applied ([`CallError::may_have_been_applied`]). The error of a call
/// that was tried at several nodes names all of them ([`CallError::Tried`]).
///
/// Nothing is connected before the first call. Dropping the last clone closes all
/// connections and fails the calls in flight; [`Cluster::close`] waits for them.
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
    list: RwLock<NodeList>,
    /// Set once calls are refused and the list no longer changes. Written only
    /// while `list` is locked for writing.
    closed: AtomicBool,
    connector: Arc<dyn Connector>,
    config: ClusterConfig,
    balance: Arc<dyn Balance>,
    budget: Budget,
    random: Random,
    /// What some node has served.
    served: ServedRequests,
    repeats: AtomicU64,
    discovery: discover::DiscoveryTask,
}

impl Cluster {
    /// Creates a cluster of these nodes.
    ///
    /// A node that is listed twice counts once. No runtime is needed yet; calls
    /// need a tokio runtime with timers and IO.
    pub fn new(
        nodes: impl IntoIterator<Item = Node>,
        connector: Arc<dyn Connector>,
        config: ClusterConfig,
    ) -> Self {
        Self::balanced(nodes, connector, config, Arc::new(LeastLoaded::new()))
    }

    /// Creates a cluster like [`Cluster::new`], with another way to choose nodes.
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
            served: ServedRequests::default(),
            repeats: AtomicU64::new(0),
            discovery: discover::DiscoveryTask::default(),
        };
        let cluster = Self { inner: Arc::new(inner) };
        cluster.set_nodes(nodes);
        cluster
    }

    /// Connects to all nodes at once, and returns as soon as one is connected.
    ///
    /// For programs that want to know at startup whether the cluster is reachable.
    /// The other nodes go on connecting in the background.
    ///
    /// # Errors
    ///
    /// Fails if no node can be connected to; the error names all of them.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime with timers and IO.
    pub async fn connect(&self) -> Result<(), CallError> {
        let mut connecting = tokio::task::JoinSet::new();
        for member in self.inner.members().iter() {
            let pool = member.pool.clone();
            connecting.spawn(async move {
                let started = super::connection::now();
                let result = pool.connect().await;
                let after = super::connection::now().saturating_duration_since(started);
                result.map_err(|error| Attempt { node: pool.node().clone(), error, after })
            });
        }
        let mut failed = Vec::new();
        while let Some(result) = connecting.join_next().await {
            match result {
                Ok(Ok(())) => {
                    // The other nodes go on connecting in the background.
                    connecting.detach_all();
                    return Ok(());
                }
                Ok(Err(attempt)) => failed.push(attempt),
                Err(ended) => match ended.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    // The runtime is shutting down and has cancelled the task.
                    Err(_) => return Err(NotSent::Connection(ConnectionError::Stopped).into()),
                },
            }
        }
        Err(if failed.is_empty() { NotSent::NoNodes.into() } else { Tried::error(failed) })
    }

    /// Returns the nodes that calls go to now.
    #[must_use]
    pub fn nodes(&self) -> Vec<Node> {
        self.inner.members().iter().map(|member| member.node().clone()).collect()
    }

    /// Replaces the list of nodes.
    ///
    /// Nodes that stay keep their connections; calls in flight to removed nodes run
    /// to their end. Does nothing on a closed cluster.
    ///
    /// A source of nodes ([`Discover`]) may replace the list again. If later none
    /// of the source's nodes can be called, the nodes given here are called as
    /// well.
    pub fn set_nodes(&self, nodes: impl IntoIterator<Item = Node>) {
        let nodes: Vec<Node> = nodes.into_iter().collect();
        self.inner.update_list(|list| {
            list.configured.clone_from(&nodes);
            list.replace_nodes(nodes, |node| Some(Arc::new(self.inner.new_member(node))))
        });
    }

    /// Returns a snapshot of the state of each node.
    #[must_use]
    pub fn stats(&self) -> ClusterStats {
        self.inner.stats()
    }

    /// Refuses new calls, waits for those in flight, and closes all connections.
    ///
    /// Open streams are waited for as well: bound the wait with a timeout of your
    /// own.
    ///
    /// From the first poll on, calls fail with [`ConnectionError::Stopped`], even
    /// if the future is then dropped. In that case calls and streams in flight go
    /// on, and connections stay open until `close` is called again or the last
    /// clone is dropped.
    pub async fn close(&self) {
        let members: Vec<_> = {
            let list = self.inner.list.write().unwrap_or_else(PoisonError::into_inner);
            self.inner.closed.store(true, Ordering::Relaxed);
            // Removed members may still carry calls, or be about to get one from a
            // caller that read the list before the removal.
            let removed = list.removed.iter().filter_map(Weak::upgrade);
            list.members.iter().map(Arc::clone).chain(removed).collect()
        };
        self.inner.discovery.stop();
        // All pools are closed within this task, so that each one has been told to
        // close by the time the first wait suspends, even if the caller then drops
        // the future.
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

    /// Updates the list unless the cluster is closed. Returns whether it was
    /// replaced.
    fn update_list(&self, update: impl FnOnce(&mut NodeList) -> Option<PreviousMembers>) -> bool {
        let mut list = self.list.write().unwrap_or_else(PoisonError::into_inner);
        if self.closed.load(Ordering::Relaxed) {
            return false;
        }
        let previous = update(&mut list);
        drop(list);
        // The previous members are dropped after the lock, since that closes
        // connections.
        previous.is_some()
    }

    /// Adds the configured nodes to the list if no member is healthy: a source may
    /// have trusted a node that was cut off from all others. Returns whether the
    /// list was replaced.
    fn restore_configured_nodes(&self) -> bool {
        let (lacks_configured, members) = {
            let list = self.list.read().unwrap_or_else(PoisonError::into_inner);
            (list.lacks_configured, Arc::clone(&list.members))
        };
        let now = super::connection::now();
        if !lacks_configured || members.iter().any(|member| member.is_healthy(now)) {
            return false;
        }
        self.update_list(|list| {
            let known = list.members.iter().map(|member| member.node());
            let nodes: Vec<Node> = known.chain(&list.configured).cloned().collect();
            list.replace_nodes(nodes, |node| Some(Arc::new(self.new_member(node))))
        })
    }

    fn new_member(&self, node: Node) -> Member {
        let pool = Pool::new(node, Arc::clone(&self.connector), self.config.pool.clone());
        Member::new(pool, self.config.breaker.clone())
    }
}

/// The members of a list before its replacement.
type PreviousMembers = Arc<[Arc<Member>]>;

#[derive(Default)]
struct NodeList {
    /// The nodes that get calls.
    members: Arc<[Arc<Member>]>,
    /// The nodes that the program named, as opposed to a source.
    configured: Vec<Node>,
    /// Whether some of the configured nodes are not members.
    lacks_configured: bool,
    /// Removed members, for as long as they are in use.
    removed: Vec<Weak<Member>>,
}

impl NodeList {
    /// Replaces the members: nodes that are members already stay, and `new_member`
    /// makes the others. If that leaves none of the requested nodes, returns `None`
    /// and changes nothing.
    fn replace_nodes(
        &mut self,
        nodes: Vec<Node>,
        mut new_member: impl FnMut(Node) -> Option<Arc<Member>>,
    ) -> Option<PreviousMembers> {
        let wants_none = nodes.is_empty();
        let mut next: Vec<Arc<Member>> = Vec::new();
        for node in nodes {
            if next.iter().any(|member| *member.node() == node) {
                continue;
            }
            let known = self.members.iter().find(|member| *member.node() == node).map(Arc::clone);
            next.extend(known.or_else(|| new_member(node)));
        }
        if next.is_empty() && !wants_none {
            return None;
        }
        let is_member = |node: &Node| next.iter().any(|member| member.node() == node);
        self.lacks_configured = !self.configured.iter().all(is_member);
        let is_removed = |member: &&Arc<Member>| !next.iter().any(|other| Arc::ptr_eq(other, member));
        self.removed.retain(|member| member.strong_count() > 0);
        self.removed.extend(self.members.iter().filter(is_removed).map(Arc::downgrade));
        Some(std::mem::replace(&mut self.members, next.into()))
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("nodes", &self.nodes()).finish_non_exhaustive()
    }
}
