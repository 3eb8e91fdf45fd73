//! [`EmbeddedCounter`]: a counter in a map, which can be reset.
//!
//! Invariant: a reset removes the increments that it has seen, and keeps the rest.
//!
//! Riak keeps one sum for each partition that has taken an increment, and a reset drops
//! the sums whose last increment it has seen. Here, each increment counts as if it had
//! come through another partition. Clients of Riak cannot control which partition takes
//! an increment, and removing exactly what was seen is the intent of a reset.

use super::clock::{Causality, Event};
use super::counter::clamp_to_i64;

/// The maximum number of separate increments. Beyond it, the oldest are merged, as all
/// those of one partition are in Riak.
const MAX_INCREMENTS: usize = 256;

/// A counter in a map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EmbeddedCounter {
    /// The increments with their events, in the order of the events.
    increments: Vec<(Event, i128)>,
}

impl EmbeddedCounter {
    /// Adds an increment, which may be negative.
    pub(crate) fn add(&mut self, by: i64, event: Event) {
        match self.increments.last_mut() {
            Some((last, sum)) if *last == event => *sum += i128::from(by),
            _ => self.increments.push((event, by.into())),
        }
        if self.increments.len() > MAX_INCREMENTS {
            let (_, oldest) = self.increments.remove(0);
            self.increments[0].1 += oldest;
        }
    }

    /// Removes the increments that the causality covers.
    pub(crate) fn reset(&mut self, causality: Causality) {
        self.increments.retain(|(event, _)| !causality.covers(*event));
    }

    /// Returns the value, clamped to the range of an answer.
    pub(crate) fn value(&self) -> i64 {
        clamp_to_i64(self.sum())
    }

    pub(super) fn sum(&self) -> i128 {
        self.increments.iter().map(|(_, by)| by).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_keeps_increments_it_has_not_seen() {
        let mut counter = EmbeddedCounter::default();
        for (event, by) in [(1, 5), (2, -2), (2, 1), (3, 10)] {
            counter.add(by, event);
        }
        assert_eq!(counter.value(), 14);
        counter.reset(Causality::Seen(2));
        assert_eq!(counter.value(), 10);
        counter.reset(Causality::Seen(2));
        assert_eq!(counter.value(), 10);
    }

    #[test]
    fn the_oldest_increments_are_merged() {
        let mut counter = EmbeddedCounter::default();
        for event in 1..=10_000 {
            counter.add(1, event);
        }
        assert_eq!((counter.value(), counter.increments.len()), (10_000, MAX_INCREMENTS));
        // The merged increments count as the last of them.
        counter.reset(Causality::Seen(1));
        assert_eq!(counter.value(), 10_000);
        counter.reset(Causality::Seen(9_999));
        assert_eq!(counter.value(), 1);
    }
}
