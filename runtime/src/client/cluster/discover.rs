//! [`Discover`]: a source that keeps a cluster's list of nodes up to date.
//!
//! Invariant: a source that fails, panics, or names no reachable node changes
//! nothing: a cluster that trusted it would be left without nodes. The configured
//! nodes are called again when none of the source's nodes is healthy. Discovery
//! goes on for as long as the cluster is called, whatever runtime calls it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::task::{AbortHandle, JoinSet};

use super::super::node::Node;
use super::discover_error::DiscoverError;
use super::member::Member;
use super::{Cluster, Inner};

/// The future that [`Discover::nodes`] returns.
pub type Discovering<'a> = Pin<Box<dyn Future<Output = Result<Vec<Node>, DiscoverError>> + Send + 'a>>;

/// The minimum time between two queries, which would otherwise load the source.
const MIN_INTERVAL: Duration = Duration::from_millis(10);

/// How often a query in progress checks whether the cluster is still in use.
const LIVENESS_CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// A source of a cluster's list of nodes, queried by [`Cluster::keep_discovering`].
pub trait Discover: fmt::Debug + Send + Sync + 'static {
    /// Returns the nodes, or why they cannot be found out now, which changes nothing.
    fn nodes<'a>(&'a self, cluster: &'a Cluster) -> Discovering<'a>;
}

/// A source that queries DNS: every address of the given names becomes a node, with
/// the port that was given with the name.
///
/// If one of the names cannot be looked up, the list stays as it is.
#[derive(Clone, Debug)]
pub struct Dns {
    names: Vec<Node>,
}

impl Dns {
    /// Creates a source that resolves these names.
    pub fn new(names: impl IntoIterator<Item = Node>) -> Self {
        Self { names: names.into_iter().collect() }
    }
}

impl Discover for Dns {
    fn nodes<'a>(&'a self, _: &'a Cluster) -> Discovering<'a> {
        Box::pin(async move {
            let mut nodes = Vec::new();
            for name in &self.names {
                // A partial answer would remove the nodes that it lacks.
                let found = tokio::net::lookup_host((name.host(), name.port())).await;
                let found = found
                    .map_err(|error| DiscoverError::Lookup { name: name.clone(), error: Arc::new(error) })?;
                nodes.extend(found.map(Node::from));
            }
            nodes.sort();
            nodes.dedup();
            Ok(nodes)
        })
    }
}

/// The task that keeps a cluster's list of nodes up to date, aborted on drop.
#[derive(Debug, Default)]
pub(super) struct DiscoveryTask {
    state: Mutex<DiscoveryState>,
    /// Set if the task ended without being stopped, because its runtime shut down.
    is_lost: AtomicBool,
    /// Why the last query of a source did not replace the list, as text.
    last_error: Mutex<Option<String>>,
}

#[derive(Debug, Default)]
struct DiscoveryState {
    /// Tells the current task from earlier ones.
    generation: u64,
    source: Option<(Arc<dyn Discover>, Duration)>,
    task: Option<AbortHandle>,
}

impl DiscoveryTask {
    fn lock(&self) -> MutexGuard<'_, DiscoveryState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the source, or removes it. Returns the generation of the new
    /// source's task.
    fn replace_source(&self, source: Option<(Arc<dyn Discover>, Duration)>) -> u64 {
        let (generation, task, replaced) = {
            let mut state = self.lock();
            state.generation += 1;
            self.is_lost.store(false, Ordering::Relaxed);
            (state.generation, state.task.take(), std::mem::replace(&mut state.source, source))
        };
        // Both without the lock: a task takes it when it ends, and a source may do so when
        // it is dropped.
        if let Some(task) = task {
            task.abort();
        }
        drop(replaced);
        generation
    }

    fn set_task(&self, generation: u64, task: AbortHandle) {
        let mut state = self.lock();
        if state.generation == generation {
            state.task = Some(task);
        } else {
            drop(state);
            task.abort();
        }
    }

    /// Returns why the last query did not replace the list; `None` if it did.
    pub(super) fn last_error(&self) -> Option<String> {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps the error of a query, or that it had none. An error is reported to tracing
    /// if it is another one than before.
    #[cfg_attr(not(feature = "tracing"), allow(unused_variables, reason = "only events need it"))]
    fn record(&self, error: Option<&DiscoverError>) {
        let error = error.map(ToString::to_string);
        let is_new = {
            let mut last = self.last_error.lock().unwrap_or_else(PoisonError::into_inner);
            let is_new = *last != error;
            last.clone_from(&error);
            is_new
        };
        // Without the lock, since a subscriber may ask for the stats.
        #[cfg(feature = "tracing")]
        if let Some(error) = error.as_deref().filter(|_| is_new) {
            tracing::warn!(target: "riak", error, "the list of nodes stays as it was");
        }
    }

    pub(super) fn stop(&self) {
        self.replace_source(None);
    }

    /// Reports whether a new task has to be spawned. Checked by every call.
    pub(super) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Relaxed)
    }

    /// Returns the source of a lost task and the generation of the task that
    /// resumes it, to the first caller only. Both are read under one lock, so that
    /// a concurrent `replace_source` always prevails.
    fn take_lost(&self) -> Option<(u64, Arc<dyn Discover>, Duration)> {
        let mut state = self.lock();
        if !self.is_lost.swap(false, Ordering::Relaxed) {
            return None;
        }
        let (source, every) = state.source.clone()?;
        state.generation += 1;
        Some((state.generation, source, every))
    }
}

impl Drop for DiscoveryTask {
    fn drop(&mut self) {
        if let Some(task) = self.state.get_mut().unwrap_or_else(PoisonError::into_inner).task.take() {
            task.abort();
        }
    }
}

/// Marks the task as lost when it ends without having been replaced.
struct LossGuard {
    cluster: Weak<Inner>,
    generation: u64,
}

impl Drop for LossGuard {
    fn drop(&mut self) {
        if let Some(cluster) = self.cluster.upgrade() {
            let state = cluster.discovery.lock();
            if state.generation == self.generation {
                cluster.discovery.is_lost.store(true, Ordering::Relaxed);
            }
        }
    }
}

impl Cluster {
    /// Queries `source` once, and replaces the list of nodes with its answer.
    ///
    /// New nodes are connected to first, and left out if that fails: a source may
    /// name addresses that cannot be reached from here, such as those behind
    /// network address translation, or that the nodes' certificates do not name.
    ///
    /// The last error of any source is also in
    /// [`ClusterStats::discovery_error`](super::ClusterStats::discovery_error).
    ///
    /// # Errors
    ///
    /// If the source fails or names no nodes, if none of its nodes is known or can be
    /// connected to, or if the cluster is closed. The list stays as it was.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime with timers and IO.
    pub async fn discover(&self, source: &dyn Discover) -> Result<(), DiscoverError> {
        let result = self.query(source).await;
        self.inner.discovery.record(result.as_ref().err());
        result
    }

    async fn query(&self, source: &dyn Discover) -> Result<(), DiscoverError> {
        let nodes = source.nodes(self).await?;
        if nodes.is_empty() {
            return Err(DiscoverError::NoNodes);
        }
        let known = self.nodes();
        let mut connecting = JoinSet::new();
        for node in nodes.iter().filter(|node| !known.contains(node)) {
            let member = Arc::new(self.inner.new_member(node.clone()));
            connecting.spawn(async move {
                match member.pool.connect().await {
                    Ok(()) => Ok(member),
                    Err(error) => Err(DiscoverError::Unreachable { node: member.node().clone(), error }),
                }
            });
        }
        let mut connected_members: Vec<Arc<Member>> = Vec::new();
        let mut unreachable = DiscoverError::NoNodes;
        while let Some(result) = connecting.join_next().await {
            // A connector that panics counts as one that cannot connect.
            match result.unwrap_or(Err(DiscoverError::Panicked)) {
                Ok(member) => connected_members.push(member),
                Err(error) => unreachable = error,
            }
        }
        let find =
            |node: Node| connected_members.iter().find(|member| *member.node() == node).map(Arc::clone);
        if self.inner.update_list(|list| list.replace_nodes(nodes, find)) {
            return Ok(());
        }
        let is_closed = self.inner.closed.load(Ordering::Relaxed);
        Err(if is_closed { DiscoverError::Closed } else { unreachable })
    }

    /// Takes the list of nodes from `source` from now on.
    ///
    /// The source is queried at once, and then again whenever `every` (at least 10
    /// ms) has passed since its last answer. It replaces any earlier source.
    ///
    /// The queries run in a task of the current tokio runtime; if that runtime
    /// shuts down, the next call starts a task on its own runtime. A source that
    /// fails or panics changes nothing, and is queried again. A closed cluster
    /// queries no source.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime with timers.
    pub fn keep_discovering(&self, source: Arc<dyn Discover>, every: Duration) {
        let generation = self.inner.discovery.replace_source(Some((Arc::clone(&source), every)));
        // `close` sets the flag and then stops discovery: either it stops this
        // source, or the flag is seen here.
        if self.inner.closed.load(Ordering::Relaxed) {
            self.inner.discovery.stop();
            return;
        }
        self.spawn_discovery(generation, source, every);
    }

    fn spawn_discovery(&self, generation: u64, source: Arc<dyn Discover>, every: Duration) {
        // The task holds no strong reference, which would keep the cluster alive.
        let guard = LossGuard { cluster: Arc::downgrade(&self.inner), generation };
        // On a runtime that is shutting down, the task has been dropped when this
        // returns.
        let task = tokio::spawn(run_discovery(guard, source, every));
        self.inner.discovery.set_task(generation, task.abort_handle());
    }

    /// Spawns a new task for a source whose task was lost.
    #[cold]
    pub(super) fn resume_discovery(&self) {
        if let Some((generation, source, every)) = self.inner.discovery.take_lost() {
            self.spawn_discovery(generation, source, every);
        }
    }
}

async fn run_discovery(guard: LossGuard, source: Arc<dyn Discover>, every: Duration) {
    while let Some(inner) = guard.cluster.upgrade() {
        if !discover_once(Cluster { inner }, Arc::clone(&source)).await {
            return;
        }
        tokio::time::sleep(every.max(MIN_INTERVAL)).await;
    }
}

/// Queries the source once. Returns `false` if nothing else holds the cluster any
/// more, since a source that hangs would keep it alive.
async fn discover_once(cluster: Cluster, source: Arc<dyn Discover>) -> bool {
    let weak = Arc::downgrade(&cluster.inner);
    // A task of its own contains a panic of the source. It is aborted with this
    // one.
    let mut query = JoinSet::new();
    query.spawn(async move { cluster.discover(&*source).await });
    loop {
        match tokio::time::timeout(LIVENESS_CHECK_INTERVAL, query.join_next()).await {
            Err(_) if weak.strong_count() <= 1 => return false,
            Err(_) => {}
            Ok(joined) => {
                if let (Some(Err(_)), Some(inner)) = (joined, weak.upgrade()) {
                    inner.discovery.record(Some(&DiscoverError::Panicked));
                }
                return true;
            }
        }
    }
}
