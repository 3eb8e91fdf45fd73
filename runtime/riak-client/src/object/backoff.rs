//! [`UpdateBackoff`]: how often an update starts over after a conflict, and after
//! what pause.
//!
//! Invariant: pauses are random, so that each of many concurrent writers is alone
//! at the object sooner or later, and their number is bounded.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The maximum number of rounds of an update. Fifty updates that begin at once need
/// fewer.
const MAX_ROUNDS: u32 = 32;

/// The upper bound of the pause after the first lost round; doubled with each
/// further one.
const FIRST_MAX_PAUSE: Duration = Duration::from_millis(2);

/// The upper bound of any pause.
const MAX_PAUSE: Duration = Duration::from_millis(64);

#[derive(Debug)]
pub(super) struct UpdateBackoff {
    lost: u32,
    random: RandomState,
}

impl UpdateBackoff {
    pub(super) fn new() -> Self {
        Self { lost: 0, random: RandomState::new() }
    }

    /// Records a lost round. Returns the pause before the next one, or `None` if
    /// that was the last.
    pub(super) fn next_pause(&mut self) -> Option<Duration> {
        self.lost += 1;
        if self.lost >= MAX_ROUNDS {
            return None;
        }
        let longest = FIRST_MAX_PAUSE.saturating_mul(1 << (self.lost - 1)).min(MAX_PAUSE);
        // A random fraction, in 65,536ths.
        let part = u16::try_from(self.random.hash_one(self.lost) >> 48).unwrap_or(u16::MAX);
        Some(longest * u32::from(part) / (1 << 16))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_random_bounded_and_finite() {
        let draw = || {
            let mut backoff = UpdateBackoff::new();
            std::iter::from_fn(|| backoff.next_pause()).collect::<Vec<_>>()
        };
        let pauses = draw();
        assert_eq!(pauses.len(), 31);
        for (lost, pause) in (1..).zip(&pauses) {
            let longest = Duration::from_millis(1_u64 << lost.min(6));
            assert!(*pause < longest, "{lost}: {pause:?}");
        }
        assert_ne!(pauses, draw());
    }
}
