//! [`ClusterStats`]: a snapshot of the state of a cluster's nodes.
//!
//! Invariant: counters only grow; the other values are a snapshot whose parts may
//! be from different moments.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::super::breaker::BreakerState;
use super::super::connection::now;
use super::super::node::Node;
use super::super::pool::PoolStats;
use super::Inner;

/// A snapshot of the state of a [`Cluster`](super::Cluster), and its counters since
/// it was created.
///
/// Counters only grow. The other values may be from slightly different moments.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterStats {
    /// One entry for each node that calls go to now.
    pub nodes: Vec<NodeStats>,
    /// Retries so far, at another node or at the same one.
    pub repeats: u64,
    /// Why the last query of a [source of nodes](super::Discover) did not replace the
    /// list; `None` if it did, or if there was no query.
    pub discovery_error: Option<String>,
}

/// The state of one node, as seen by this cluster's calls.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeStats {
    /// The node.
    pub node: Node,
    /// The state of the node's circuit breaker, which decides whether it gets
    /// calls.
    pub breaker: BreakerState,
    /// How long the node took to answer lately: the same moving average as
    /// [`Candidate::latency`](super::super::Candidate::latency).
    pub latency: Duration,
    /// Attempts in flight, open streams included.
    pub in_flight: usize,
    /// Attempts at calls so far.
    pub calls: u64,
    /// Failed attempts so far for which the node is to blame.
    pub failures: u64,
    /// The connections to the node.
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
        ClusterStats {
            nodes: nodes.collect(),
            repeats: self.repeats.load(Ordering::Relaxed),
            discovery_error: self.discovery.last_error(),
        }
    }
}
