//! [`Counter`]: a counter that has a key of its own.
//!
//! Invariant: it is the sum of all that was added to it.

/// A counter. Riak's grows without bound; this one has room for more increments
/// than anybody makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counter(i128);

impl Counter {
    /// Adds to it, or takes away from it.
    pub(crate) fn add(&mut self, by: i64) {
        self.0 = self.0.saturating_add(by.into());
    }

    /// Its value, as far as an answer has room for it.
    pub(crate) fn value(self) -> i64 {
        clamped(self.0)
    }

    pub(super) fn sum(self) -> i128 {
        self.0
    }
}

/// The nearest number that fits.
pub(super) fn clamped(sum: i128) -> i64 {
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_come_back_from_beyond_what_fits() {
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
