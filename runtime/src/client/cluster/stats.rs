//! [`ClusterStats`]: what a cluster is at.
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

/// What a cluster is at.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterStats {
    /// Its nodes.
    pub nodes: Vec<NodeStats>,
    /// How many calls were made again so far, at another node or the same.
    pub repeats: u64,
}

/// What a node of a cluster is at, as far as this cluster's calls show it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeStats {
    /// The node.
    pub node: Node,
    /// Whether calls go there.
    pub breaker: BreakerState,
    /// How long it took to answer lately, a moving average; zero if it has not
    /// answered yet.
    pub latency: Duration,
    /// Attempts that have not ended, streams included.
    pub in_flight: usize,
    /// Attempts at calls so far.
    pub calls: u64,
    /// Attempts that failed so far, and that the node is to blame for.
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
