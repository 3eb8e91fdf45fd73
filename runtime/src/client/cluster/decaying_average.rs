//! [`DecayingAverage`]: a moving average that decays over time.
//!
//! An old measurement says little about a node, and a client that went on trusting
//! it would never make the call that could prove it wrong. Invariant: it reads no
//! clock and takes no lock; of two concurrent updates, one may be lost.

use std::sync::atomic::{AtomicU64, Ordering};

/// The time in which a value decays to half, in nanoseconds. With half a second, a
/// node that took ten times as long as others gets its next call within two
/// seconds.
const HALF_LIFE_NANOS: u64 = 500_000_000;

/// A moving average. Times are nanoseconds since some fixed moment.
#[derive(Debug, Default)]
pub(super) struct DecayingAverage {
    value: AtomicU64,
    updated: AtomicU64,
}

impl DecayingAverage {
    /// Reports whether the value is zero, so that there is nothing to decay.
    pub(super) fn is_zero(&self) -> bool {
        self.value.load(Ordering::Relaxed) == 0
    }

    /// Returns the value as of the last update, without the decay since then.
    pub(super) fn last(&self) -> u64 {
        self.value.load(Ordering::Relaxed)
    }

    /// Reports whether the value was updated in the `window` nanoseconds before
    /// `now`.
    pub(super) fn updated_within(&self, window: u64, now: u64) -> bool {
        now.saturating_sub(self.updated.load(Ordering::Relaxed)) < window
    }

    pub(super) fn value_at(&self, time: u64) -> u64 {
        let value = self.value.load(Ordering::Relaxed);
        if value == 0 {
            return 0;
        }
        let half_lives = time.saturating_sub(self.updated.load(Ordering::Relaxed)) / HALF_LIFE_NANOS;
        value.checked_shr(u32::try_from(half_lives).unwrap_or(u32::MAX)).unwrap_or(0)
    }

    pub(super) fn set(&self, value: u64, time: u64) {
        self.value.store(value, Ordering::Relaxed);
        self.updated.store(time, Ordering::Relaxed);
    }

    /// Adds a sample with a weight of one eighth: the average follows a change
    /// within about ten samples.
    pub(super) fn record(&self, new: u64, time: u64) {
        let old = self.value_at(time);
        // Rounded up, or the average would never return to zero.
        self.set(old - old.div_ceil(8) + new / 8, time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_follows_new_samples_and_decays() {
        let average = DecayingAverage::default();
        assert!(average.is_zero() && average.value_at(u64::MAX) == 0);
        average.record(800, 0);
        assert_eq!(average.value_at(0), 100);
        for _ in 0..20 {
            average.record(800, 0);
        }
        assert!((700..=800).contains(&average.value_at(0)), "{average:?}");
        average.set(800, 7);
        assert_eq!(
            [HALF_LIFE_NANOS, 3 * HALF_LIFE_NANOS, 99 * HALF_LIFE_NANOS]
                .map(|time| average.value_at(7 + time)),
            [400, 100, 0]
        );
        for _ in 0..60 {
            average.record(0, 7);
        }
        assert!(average.is_zero(), "{average:?}");
    }
}
