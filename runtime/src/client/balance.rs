//! [`Balance`]: which of the nodes that are up gets the next call.
//!
//! Invariant: a balance only chooses; which nodes there are to choose from, and
//! what becomes of the call, is the cluster's matter.

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
    /// How many calls of this cluster it has not answered yet.
    pub in_flight: usize,
    /// How long it took to answer lately, as a moving average that begins at zero and
    /// loses half in each half second without a call. Connecting is no part of it,
    /// nor are streams, and calls that may take minutes.
    pub latency: Duration,
    /// The percentage of calls at which it failed lately, as a moving average: those
    /// that it did not answer in time, or answered with an error that is not the
    /// caller's fault.
    pub failed_percent: u32,
}

/// Chooses a node for each call: what [`Cluster::balanced`](super::Cluster::balanced)
/// takes.
pub trait Balance: fmt::Debug + Send + Sync + 'static {
    /// The index of the candidate that gets the call. There are always two or more;
    /// an index out of range counts as 0.
    fn choose(&self, candidates: &[Candidate<'_>]) -> usize;
}

/// The default: of two nodes chosen at random, the one that is likely to answer
/// first.
///
/// That is the one with the smaller product of latency and calls in flight plus
/// one. The pair is random because the best node of all would get the calls of
/// every client at once. A latency below a millisecond counts as a millisecond:
/// smaller differences are noise. Since a node that fails often answers quickly,
/// each six percent of failed calls double the product.
#[derive(Debug)]
pub struct LeastLoaded {
    random: Random,
}

impl LeastLoaded {
    /// A balance with a random seed.
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

/// The failures in a hundred that double a node's cost: a few are what every
/// node has, and one that fails at all gets less than a call in a thousand.
const DOUBLES: u32 = 6;

fn cost(candidate: &Candidate<'_>) -> u128 {
    let latency = candidate.latency.max(Duration::from_millis(1));
    let cost = latency.as_micros() * (candidate.in_flight as u128 + 1);
    cost << (candidate.failed_percent.min(100) / DOUBLES)
}

impl Balance for LeastLoaded {
    fn choose(&self, candidates: &[Candidate<'_>]) -> usize {
        let (first, second) = self.random.two_below(candidates.len());
        if cost(&candidates[second]) < cost(&candidates[first]) { second } else { first }
    }
}

/// One node after the other, whatever their load: for nodes that are load balancers
/// themselves.
#[derive(Debug, Default)]
pub struct RoundRobin {
    next: AtomicUsize,
}

impl RoundRobin {
    /// A balance that begins with the first node.
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
    fn equal_nodes_get_equal_shares_and_noise_is_no_difference() {
        for loads in [[(3, 0), (3, 0), (3, 0)], [(0, 90), (0, 900), (0, 10)]] {
            let counts = counts(&LeastLoaded::new(), &loads);
            assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
        }
    }

    #[test]
    fn a_node_that_is_slow_or_hangs_gets_what_nobody_else_can_take() {
        let hanging = counts(&LeastLoaded::new(), &[(500, 1000), (3, 1000), (4, 1000)]);
        assert_eq!(hanging[0], 0);
        let slow = counts(&LeastLoaded::new(), &[(3, 1000), (3, 50_000), (3, 1000)]);
        assert_eq!(slow[1], 0);
    }

    #[test]
    fn a_node_that_fails_gets_no_more_for_being_quick() {
        let busy = (200, 50_000, 0);
        assert_eq!(counts_failing(&LeastLoaded::new(), &[busy, (0, 100, 100), busy])[1], 0);
        // What fails now and then everywhere is no difference.
        let counts = counts_failing(&LeastLoaded::new(), &[(1, 900, 0), (1, 900, 5), (1, 900, 3)]);
        assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
    }

    #[test]
    fn round_robin_is_even_whatever_the_load() {
        assert_eq!(counts(&RoundRobin::new(), &[(500, 1), (0, 1), (0, 9)]), [1000; 3]);
    }
}
