//! [`Discover`]: where a cluster's list of nodes comes from, again and again.
//!
//! Invariant: a source that fails, panics, or names no nodes that can be
//! connected to changes nothing: who believed it would be left with none. The
//! nodes that the program has named are called when none of its is well. A cluster that is called is kept up to date, whatever runtime calls it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::task::{AbortHandle, JoinSet};

use super::super::node::Node;
use super::member::Member;
use super::{Cluster, Inner};

/// What [`Discover::nodes`] returns.
pub type Discovering<'a> = Pin<Box<dyn Future<Output = Option<Vec<Node>>> + Send + 'a>>;

/// The least time between two questions: without one, they would be a load.
const LEAST: Duration = Duration::from_millis(10);

/// How often is looked, while a source takes its time, whether anybody still
/// wants to know.
const LOOK: Duration = Duration::from_millis(500);

/// A source for the list of a cluster's nodes: what
/// [`Cluster::keep_discovering`] asks.
pub trait Discover: fmt::Debug + Send + Sync + 'static {
    /// The nodes; `None` if they cannot be found out now, which changes nothing.
    fn nodes<'a>(&'a self, cluster: &'a Cluster) -> Discovering<'a>;
}

/// Asks the name service: every address of the given names becomes a node, with
/// the port that was given with the name.
///
/// If one of the names cannot be looked up, the list stays as it is.
#[derive(Clone, Debug)]
pub struct Dns {
    names: Vec<Node>,
}

impl Dns {
    /// A source that looks these names up.
    pub fn new(names: impl IntoIterator<Item = Node>) -> Self {
        Self { names: names.into_iter().collect() }
    }
}

impl Discover for Dns {
    fn nodes<'a>(&'a self, _: &'a Cluster) -> Discovering<'a> {
        Box::pin(async move {
            let mut nodes = Vec::new();
            for name in &self.names {
                // A part of the truth would let the rest go.
                let found = tokio::net::lookup_host((name.host(), name.port())).await.ok()?;
                nodes.extend(found.map(Node::from));
            }
            nodes.sort();
            nodes.dedup();
            Some(nodes)
        })
    }
}

/// The task that keeps a cluster's list of nodes, ended when this is dropped.
#[derive(Debug, Default)]
pub(super) struct Keeper {
    kept: Mutex<Kept>,
    /// The task has ended, and was not told to: its runtime has.
    is_lost: AtomicBool,
}

#[derive(Debug, Default)]
struct Kept {
    /// Tells a task from those before it.
    number: u64,
    source: Option<(Arc<dyn Discover>, Duration)>,
    task: Option<AbortHandle>,
}

impl Keeper {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins with another source, or with none. Returns the number of its task.
    fn turn_to(&self, source: Option<(Arc<dyn Discover>, Duration)>) -> u64 {
        let (number, task) = {
            let mut kept = self.lock();
            kept.number += 1;
            kept.source = source;
            self.is_lost.store(false, Ordering::Relaxed);
            (kept.number, kept.task.take())
        };
        // Not under the lock, which a task that ends wants to have.
        if let Some(task) = task {
            task.abort();
        }
        number
    }

    fn runs(&self, number: u64, task: AbortHandle) {
        let mut kept = self.lock();
        if kept.number == number {
            kept.task = Some(task);
        } else {
            drop(kept);
            task.abort();
        }
    }

    pub(super) fn stop(&self) {
        self.turn_to(None);
    }

    /// Whether somebody has to see to it. Every call asks.
    pub(super) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Relaxed)
    }

    /// What was lost, and the number of the task that is to go on with it, for the
    /// first who asks. It is given under the same lock: whoever turns to another
    /// source meanwhile, or to none, has the last word.
    fn find(&self) -> Option<(u64, Arc<dyn Discover>, Duration)> {
        let mut kept = self.lock();
        if !self.is_lost.swap(false, Ordering::Relaxed) {
            return None;
        }
        let (source, every) = kept.source.clone()?;
        kept.number += 1;
        Some((kept.number, source, every))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Some(task) = self.kept.get_mut().unwrap_or_else(PoisonError::into_inner).task.take() {
            task.abort();
        }
    }
}

/// Tells the cluster that its task has ended.
struct Guard {
    cluster: Weak<Inner>,
    number: u64,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(cluster) = self.cluster.upgrade() {
            let kept = cluster.keeper.lock();
            if kept.number == self.number {
                cluster.keeper.is_lost.store(true, Ordering::Relaxed);
            }
        }
    }
}

impl Cluster {
    /// Asks `source` once, and replaces the list of nodes by its answer.
    ///
    /// A new node is connected to first, and left out if that fails: a source may
    /// name addresses that cannot be reached from here, such as those behind a
    /// network address translation, or that the nodes' certificates do not name.
    ///
    /// Returns whether the list was replaced. It was not if the source failed or
    /// named no nodes, if none of its nodes is known or can be connected to, or if
    /// the cluster is closed.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with timers and IO.
    pub async fn discover(&self, source: &dyn Discover) -> bool {
        let nodes = match source.nodes(self).await {
            Some(nodes) if !nodes.is_empty() => nodes,
            _ => return false,
        };
        let known = self.nodes();
        let mut connecting = JoinSet::new();
        for node in nodes.iter().filter(|node| !known.contains(node)) {
            let member = Arc::new(self.inner.member(node.clone()));
            connecting.spawn(async move {
                let connected = member.pool.connect().await.is_ok();
                connected.then_some(member)
            });
        }
        let mut fresh: Vec<Arc<Member>> = Vec::new();
        while let Some(result) = connecting.join_next().await {
            // What panics while it connects is not there either.
            fresh.extend(result.ok().flatten());
        }
        let find = |node: Node| fresh.iter().find(|member| *member.node() == node).map(Arc::clone);
        self.inner.change(|list| list.turn_to(nodes, find))
    }

    /// Takes the list of nodes from `source` from now on: it is asked at once, and
    /// then again each time when `every` has passed since its answer (10 ms at
    /// least). It replaces the source that was given before.
    ///
    /// A task of the current tokio runtime asks it; if that runtime ends, a task of
    /// the runtime that makes the next call. A source that fails or panics changes
    /// nothing, and is asked again. A cluster that is closed asks nobody.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with timers.
    pub fn keep_discovering(&self, source: Arc<dyn Discover>, every: Duration) {
        let number = self.inner.keeper.turn_to(Some((Arc::clone(&source), every)));
        // `close` says so, then stops the keeper: it stops this, or this sees it.
        if self.inner.closed.load(Ordering::Relaxed) {
            self.inner.keeper.stop();
            return;
        }
        self.keep(number, source, every);
    }

    fn keep(&self, number: u64, source: Arc<dyn Discover>, every: Duration) {
        // A task that held the cluster would keep it alive.
        let guard = Guard { cluster: Arc::downgrade(&self.inner), number };
        // Where the runtime is about to end, the task has done so by now.
        let task = tokio::spawn(keep(guard, source, every));
        self.inner.keeper.runs(number, task.abort_handle());
    }

    /// Goes on with the source whose task is lost.
    #[cold]
    pub(super) fn discover_again(&self) {
        if let Some((number, source, every)) = self.inner.keeper.find() {
            self.keep(number, source, every);
        }
    }
}

async fn keep(guard: Guard, source: Arc<dyn Discover>, every: Duration) {
    while let Some(inner) = guard.cluster.upgrade() {
        if !ask(Cluster { inner }, Arc::clone(&source)).await {
            return;
        }
        tokio::time::sleep(every.max(LEAST)).await;
    }
}

/// Takes the list of nodes from a source once. `false` if nobody else has the
/// cluster any more: a source that hangs would keep it alive.
async fn ask(cluster: Cluster, source: Arc<dyn Discover>) -> bool {
    let others = Arc::downgrade(&cluster.inner);
    // In a task of its own, for a source that panics. It ends with this one.
    let mut asking = JoinSet::new();
    asking.spawn(async move { cluster.discover(&*source).await });
    while tokio::time::timeout(LOOK, asking.join_next()).await.is_err() {
        if others.strong_count() <= 1 {
            return false;
        }
    }
    true
}
