//! [`Discover`]: where a cluster's list of nodes comes from, again and again.
//!
//! Invariant: a source that fails, or that names no nodes that can be connected
//! to, changes nothing: who believed it would be left with none.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
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

/// Says which nodes a cluster has.
pub trait Discover: fmt::Debug + Send + Sync + 'static {
    /// The nodes; `None` if that cannot be found out now.
    fn nodes<'a>(&'a self, cluster: &'a Cluster) -> Discovering<'a>;
}

/// Asks the name service for all addresses of some names: for clusters whose
/// nodes stand behind one name each, or all behind one.
#[derive(Clone, Debug)]
pub struct Dns {
    names: Vec<Node>,
}

impl Dns {
    /// Looks these names up.
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
pub(super) struct Keeper(Mutex<Option<AbortHandle>>);

impl Keeper {
    fn replace(&self, task: AbortHandle) {
        let before = self.0.lock().unwrap_or_else(PoisonError::into_inner).replace(task);
        if let Some(before) = before {
            before.abort();
        }
    }

    pub(super) fn stop(&self) {
        if let Some(task) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Some(task) = self.0.get_mut().unwrap_or_else(PoisonError::into_inner) {
            task.abort();
        }
    }
}

impl Cluster {
    /// Takes the list of nodes from a source once.
    ///
    /// A node that is new is connected to first, and left out if that fails: a
    /// source may name nodes by addresses that mean nothing here, such as those
    /// behind a translation of addresses, or that their certificates do not
    /// have. Returns whether the source named any that are there.
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
        self.inner.replace(nodes, find)
    }

    /// Takes the list of nodes from a source from now on: at once, and then each
    /// time when this long has passed, and no less than 10 ms. Another source
    /// takes its place.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with timers.
    pub fn keep_discovering(&self, source: Arc<dyn Discover>, every: Duration) {
        // A task that held the cluster would keep it alive.
        let task = tokio::spawn(keep(Arc::downgrade(&self.inner), source, every));
        self.inner.keeper.replace(task.abort_handle());
    }
}

async fn keep(cluster: Weak<Inner>, source: Arc<dyn Discover>, every: Duration) {
    loop {
        let Some(inner) = cluster.upgrade() else { return };
        if !ask(&Cluster { inner }, &*source).await {
            return;
        }
        tokio::time::sleep(every.max(LEAST)).await;
    }
}

/// Takes the list of nodes from a source once. `false` if nobody else has the
/// cluster any more: a source that hangs would keep it alive.
async fn ask(cluster: &Cluster, source: &dyn Discover) -> bool {
    let mut discovering = std::pin::pin!(cluster.discover(source));
    while tokio::time::timeout(LOOK, &mut discovering).await.is_err() {
        if Arc::strong_count(&cluster.inner) == 1 {
            return false;
        }
    }
    true
}
