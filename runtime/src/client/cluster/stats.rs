//! [`ClusterStats`]: how the nodes of a cluster stand.
//!
//! Invariant: counters only grow; the rest is a moment's view, and its parts
//! may be of different moments.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::super::breaker::BreakerState;
use super::super::connection::now;
use super::super::node::Node;
use super::super::pool::PoolStats;
use super::Inner;

/// The state of a [`Cluster`](super::Cluster) at one moment, and its counters since
/// it was made.
///
/// Counters only grow. The other values may be of slightly different moments.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterStats {
    /// One entry for each node that calls go to now.
    pub nodes: Vec<NodeStats>,
    /// How many times calls were made again so far, at another node or the same.
    pub repeats: u64,
}

/// The state of one node, as far as this cluster's calls show it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeStats {
    /// The node.
    pub node: Node,
    /// Whether calls go to it.
    pub breaker: BreakerState,
    /// How long it took to answer lately: the moving average that
    /// [`Candidate::latency`](super::super::Candidate::latency) is.
    pub latency: Duration,
    /// Attempts that have not ended, streams included.
    pub in_flight: usize,
    /// Attempts at calls so far.
    pub calls: u64,
    /// Attempts that failed so far and for which the node is to blame.
    pub failures: u64,
    /// Its connections.
    pub pool: PoolStats,
}

impl Inner {
    pub(super) fn stats(&self) -> ClusterStats {
        let (members, now) = (self.members(), now());
        let nodes = members.iter().map(|member| NodeStats {
            node: member.node().clone(),
            breaker: member.breaker().state(),
            latency: member.latency(now),
            in_flight: member.in_flight(),
            calls: member.calls(),
            failures: member.failures.load(Ordering::Relaxed),
            pool: member.pool.stats(),
        });
        ClusterStats { nodes: nodes.collect(), repeats: self.repeats.load(Ordering::Relaxed) }
    }
}
