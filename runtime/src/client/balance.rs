//! [`Balance`]: which of the nodes that are up gets the next call.
//!
//! Invariant: a balance only chooses; the cluster decides which nodes are
//! candidates and what becomes of the call.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::node::Node;
use super::random::Random;

/// A node that a [`Balance`] can choose.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Candidate<'a> {
    /// The node.
    pub node: &'a Node,
    /// The number of this cluster's calls that the node has not answered yet.
    pub in_flight: usize,
    /// How long the node took to answer lately.
    ///
    /// A moving average that starts at zero and halves with each half second
    /// without a call. It leaves out the time to connect, streams, and calls that
    /// may take minutes.
    pub latency: Duration,
    /// The percentage of calls at which the node failed lately.
    ///
    /// A moving average that counts calls the node did not answer in time, or
    /// answered with an error that is not the caller's fault.
    pub failed_percent: u32,
}

/// Chooses a node for each call; passed to
/// [`Cluster::balanced`](super::Cluster::balanced).
pub trait Balance: fmt::Debug + Send + Sync + 'static {
    /// Returns the index of the candidate that gets the call. There are always two
    /// or more candidates; an index out of range counts as 0.
    fn choose(&self, candidates: &[Candidate<'_>]) -> usize;
}

/// The default: of two nodes drawn at random, the one likely to answer first.
///
/// That is the one with the smaller product of its latency and its calls in flight
/// plus one. Drawing two at random keeps the single best node from getting every
/// client's calls at once. A latency below a millisecond counts as a millisecond:
/// smaller differences are noise. Since a failing node often answers quickly, each
/// six percent of failed calls double the product.
#[derive(Debug)]
pub struct LeastLoaded {
    random: Random,
}

impl LeastLoaded {
    /// Creates a balance with a random seed.
    #[must_use]
    pub fn new() -> Self {
        Self { random: Random::new() }
    }
}

impl Default for LeastLoaded {
    fn default() -> Self {
        Self::new()
    }
}

/// The percentage of failures that doubles a node's cost. Every node fails a few
/// calls; one that fails all of them gets less than one call in a thousand.
const PERCENT_PER_DOUBLING: u32 = 6;

fn cost(candidate: &Candidate<'_>) -> u128 {
    let latency = candidate.latency.max(Duration::from_millis(1));
    let cost = latency.as_micros() * (candidate.in_flight as u128 + 1);
    cost << (candidate.failed_percent.min(100) / PERCENT_PER_DOUBLING)
}

impl Balance for LeastLoaded {
    fn choose(&self, candidates: &[Candidate<'_>]) -> usize {
        let (first, second) = self.random.two_below(candidates.len());
        if cost(&candidates[second]) < cost(&candidates[first]) { second } else { first }
    }
}

/// Chooses one node after the other, whatever their load: for nodes that are
/// themselves load balancers.
#[derive(Debug, Default)]
pub struct RoundRobin {
    next: AtomicUsize,
}

impl RoundRobin {
    /// Creates a balance that begins with the first node.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Balance for RoundRobin {
    fn choose(&self, candidates: &[Candidate<'_>]) -> usize {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        next % candidates.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(balance: &dyn Balance, loads: &[(usize, u64)]) -> Vec<usize> {
        let loads: Vec<_> = loads.iter().map(|&(in_flight, micros)| (in_flight, micros, 0)).collect();
        counts_failing(balance, &loads)
    }

    fn counts_failing(balance: &dyn Balance, loads: &[(usize, u64, u32)]) -> Vec<usize> {
        let node = Node::new("a", 1);
        let candidates: Vec<_> = loads
            .iter()
            .map(|&(in_flight, micros, failed_percent)| Candidate {
                node: &node,
                in_flight,
                latency: Duration::from_micros(micros),
                failed_percent,
            })
            .collect();
        let mut counts = vec![0; loads.len()];
        for _ in 0..3000 {
            counts[balance.choose(&candidates)] += 1;
        }
        counts
    }

    #[test]
    fn equal_nodes_get_equal_shares_despite_noise() {
        for loads in [[(3, 0), (3, 0), (3, 0)], [(0, 90), (0, 900), (0, 10)]] {
            let counts = counts(&LeastLoaded::new(), &loads);
            assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
        }
    }

    #[test]
    fn a_slow_or_hanging_node_gets_no_calls() {
        let hanging = counts(&LeastLoaded::new(), &[(500, 1000), (3, 1000), (4, 1000)]);
        assert_eq!(hanging[0], 0);
        let slow = counts(&LeastLoaded::new(), &[(3, 1000), (3, 50_000), (3, 1000)]);
        assert_eq!(slow[1], 0);
    }

    #[test]
    fn a_failing_node_gains_nothing_by_being_quick() {
        let busy = (200, 50_000, 0);
        assert_eq!(counts_failing(&LeastLoaded::new(), &[busy, (0, 100, 100), busy])[1], 0);
        // Occasional failures everywhere make no difference.
        let counts = counts_failing(&LeastLoaded::new(), &[(1, 900, 0), (1, 900, 5), (1, 900, 3)]);
        assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
    }

    #[test]
    fn round_robin_is_even_whatever_the_load() {
        assert_eq!(counts(&RoundRobin::new(), &[(500, 1), (0, 1), (0, 9)]), [1000; 3]);
    }
}
