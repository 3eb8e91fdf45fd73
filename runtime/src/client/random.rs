//! [`Random`]: random numbers for spreading load, not for secrets.
//!
//! Invariant: it never blocks; concurrent tasks draw different numbers.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A splitmix64 generator: a counter whose values are mixed.
#[derive(Debug)]
pub(super) struct Random(AtomicU64);

impl Random {
    /// Creates a generator whose seed differs in each process.
    pub(super) fn new() -> Self {
        Self::from_seed(RandomState::new().hash_one(0_u8))
    }

    pub(super) fn from_seed(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    pub(super) fn next(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut mixed = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns two different numbers below `limit`, which must be at least two.
    /// Both come from one draw, since all cores share the counter.
    pub(super) fn two_below(&self, limit: usize) -> (usize, usize) {
        // The upper half of a product needs no division, and its bias is negligible
        // here.
        let below = |bits: u64, limit: usize| {
            let wide = u128::from(bits) * limit as u128;
            usize::try_from(wide >> 32).unwrap_or(0)
        };
        let drawn = self.next();
        let first = below(drawn >> 32, limit);
        let second = below(drawn & u64::from(u32::MAX), limit - 1);
        (first, if second >= first { second + 1 } else { second })
    }

    /// Returns a random time between half of `longest` and all of it.
    pub(super) fn jitter(&self, longest: Duration) -> Duration {
        let half = longest / 2;
        let parts = u32::try_from(self.next() >> 48).unwrap_or(0);
        // Divided before multiplying, so that `Duration::MAX` does not overflow.
        half.saturating_add(half / (1 << 16) * parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_spread_over_the_range() {
        let random = Random::from_seed(7);
        let mut counts = [[0; 5]; 5];
        for _ in 0..20_000 {
            let (first, second) = random.two_below(5);
            counts[first][second] += 1;
        }
        for (first, counts) in counts.iter().enumerate() {
            for (second, &count) in counts.iter().enumerate() {
                let expected = if first == second { 0..1 } else { 850..1150 };
                assert!(expected.contains(&count), "{first} and {second}: {count}");
            }
        }
        assert!((0..100).all(|_| matches!(random.two_below(2), (0, 1) | (1, 0))));
    }

    #[test]
    fn jitter_stays_between_half_and_all() {
        let random = Random::from_seed(1);
        let longest = Duration::from_millis(100);
        for _ in 0..1000 {
            let jitter = random.jitter(longest);
            assert!(jitter >= longest / 2 && jitter <= longest, "{jitter:?}");
        }
        assert!(random.jitter(Duration::MAX) >= Duration::MAX / 2);
    }
}
