//! [`Counter`]: a counter with a key of its own.
//!
//! Invariant: its value is the sum of all increments.

/// A counter. Riak's is unbounded; this one has 128 bits, which no realistic number
/// of increments exceeds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counter(i128);

impl Counter {
    /// Adds an increment, which may be negative.
    pub(crate) fn add(&mut self, by: i64) {
        self.0 = self.0.saturating_add(by.into());
    }

    /// Returns the value, clamped to the range of an answer.
    pub(crate) fn value(self) -> i64 {
        clamp_to_i64(self.0)
    }

    pub(super) fn sum(self) -> i128 {
        self.0
    }
}

/// Clamps a sum to the range of `i64`.
pub(super) fn clamp_to_i64(sum: i128) -> i64 {
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_recover_after_exceeding_the_range_of_an_answer() {
        let mut counter = Counter::default();
        counter.add(i64::MAX);
        counter.add(10);
        assert_eq!(counter.value(), i64::MAX);
        counter.add(-11);
        assert_eq!(counter.value(), i64::MAX - 1);
        counter.add(i64::MIN);
        counter.add(i64::MIN);
        assert_eq!(counter.value(), i64::MIN);
    }
}
