//! [`Tally`]: a counter in a map, which can be reset.
//!
//! Invariant: a reset takes away what was added by the events that it has seen,
//! and leaves the rest.
//!
//! Riak keeps one sum for each partition that has taken an increment, and a reset
//! drops the sums whose last increment it has seen. Here each increment counts as
//! if it had come through another partition, which Riak's clients cannot tell
//! from chance, and which is what a reset is meant to do.

use super::clock::{Causality, Event};
use super::counter::clamped;

/// How many increments are told apart. Beyond that the oldest become one, as all
/// of one partition are in Riak.
const APART: usize = 256;

/// A counter in a map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// What was added, and when, in the order of the events.
    increments: Vec<(Event, i128)>,
}

impl Tally {
    /// Adds to it, or takes away from it.
    pub(crate) fn add(&mut self, by: i64, event: Event) {
        match self.increments.last_mut() {
            Some((last, sum)) if *last == event => *sum += i128::from(by),
            _ => self.increments.push((event, by.into())),
        }
        if self.increments.len() > APART {
            let (_, oldest) = self.increments.remove(0);
            self.increments[0].1 += oldest;
        }
    }

    /// Takes away what was seen.
    pub(crate) fn reset(&mut self, causality: Causality) {
        self.increments.retain(|(event, _)| !causality.covers(*event));
    }

    /// Its value.
    pub(crate) fn value(&self) -> i64 {
        clamped(self.sum())
    }

    pub(super) fn sum(&self) -> i128 {
        self.increments.iter().map(|(_, by)| by).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_leaves_what_it_has_not_seen() {
        let mut tally = Tally::default();
        for (event, by) in [(1, 5), (2, -2), (2, 1), (3, 10)] {
            tally.add(by, event);
        }
        assert_eq!(tally.value(), 14);
        tally.reset(Causality::Seen(2));
        assert_eq!(tally.value(), 10);
        tally.reset(Causality::Seen(2));
        assert_eq!(tally.value(), 10);
    }

    #[test]
    fn many_increments_are_summed_up() {
        let mut tally = Tally::default();
        for event in 1..=10_000 {
            tally.add(1, event);
        }
        assert_eq!((tally.value(), tally.increments.len()), (10_000, APART));
        // The sum of the oldest counts as the last of them.
        tally.reset(Causality::Seen(1));
        assert_eq!(tally.value(), 10_000);
        tally.reset(Causality::Seen(9_999));
        assert_eq!(tally.value(), 1);
    }
}
