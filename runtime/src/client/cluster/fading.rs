//! [`Fading`]: a moving average that loses its weight as time goes by.
//!
//! What was measured of a node long ago says little of it, and who went on
//! believing it would never call the node that could show otherwise. Invariant:
//! it reads no clock and takes no lock; of two values at once, one may be lost.

use std::sync::atomic::{AtomicU64, Ordering};

/// In which a value loses half of its weight, in nanoseconds. Half a second: a
/// node that took ten times as long as others gets its next call within two.
const HALF_LIFE: u64 = 500_000_000;

/// A moving average. Times are nanoseconds since some moment.
#[derive(Debug, Default)]
pub(super) struct Fading {
    value: AtomicU64,
    changed: AtomicU64,
}

impl Fading {
    /// Whether there is nothing to forget.
    pub(super) fn is_zero(&self) -> bool {
        self.value.load(Ordering::Relaxed) == 0
    }

    /// Whether it was changed within `time` nanoseconds before then.
    pub(super) fn changed_within(&self, time: u64, then: u64) -> bool {
        then.saturating_sub(self.changed.load(Ordering::Relaxed)) < time
    }

    pub(super) fn at(&self, time: u64) -> u64 {
        let value = self.value.load(Ordering::Relaxed);
        if value == 0 {
            return 0;
        }
        let halved = time.saturating_sub(self.changed.load(Ordering::Relaxed)) / HALF_LIFE;
        value.checked_shr(u32::try_from(halved).unwrap_or(u32::MAX)).unwrap_or(0)
    }

    pub(super) fn set(&self, value: u64, time: u64) {
        self.value.store(value, Ordering::Relaxed);
        self.changed.store(time, Ordering::Relaxed);
    }

    /// Takes an eighth of the new one: it follows a change within some ten calls.
    pub(super) fn learn(&self, new: u64, time: u64) {
        let old = self.at(time);
        // Rounded up, or it would never get back to nothing.
        self.set(old - old.div_ceil(8) + new / 8, time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_follows_what_is_new_and_forgets_what_is_old() {
        let average = Fading::default();
        assert!(average.is_zero() && average.at(u64::MAX) == 0);
        average.learn(800, 0);
        assert_eq!(average.at(0), 100);
        for _ in 0..20 {
            average.learn(800, 0);
        }
        assert!((700..=800).contains(&average.at(0)), "{average:?}");
        average.set(800, 7);
        assert_eq!(
            [HALF_LIFE, 3 * HALF_LIFE, 99 * HALF_LIFE].map(|time| average.at(7 + time)),
            [400, 100, 0]
        );
        for _ in 0..60 {
            average.learn(0, 7);
        }
        assert!(average.is_zero(), "{average:?}");
    }
}
