//! [`Rounds`]: how often an update begins anew when others were first, and
//! after what pause.
//!
//! Invariant: pauses are drawn at random, so that of many who write the same
//! object each is alone at it sooner or later, and there is an end to them.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// How often an update is tried: more often than fifty that begin at once need.
const ROUNDS: u32 = 32;

/// No pause is longer after the first round that was lost; twice as long after
/// the next, and so on.
const SHORT: Duration = Duration::from_millis(2);

/// No pause is longer.
const LONG: Duration = Duration::from_millis(64);

#[derive(Debug)]
pub(super) struct Rounds {
    lost: u32,
    random: RandomState,
}

impl Rounds {
    pub(super) fn new() -> Self {
        Self { lost: 0, random: RandomState::new() }
    }

    /// Others were first: the pause before the next round, if there is one.
    pub(super) fn lose(&mut self) -> Option<Duration> {
        self.lost += 1;
        if self.lost >= ROUNDS {
            return None;
        }
        let longest = SHORT.saturating_mul(1 << (self.lost - 1)).min(LONG);
        // A part of it, in 65,536ths.
        let part = u16::try_from(self.random.hash_one(self.lost) >> 48).unwrap_or(u16::MAX);
        Some(longest * u32::from(part) / (1 << 16))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_differ_and_end() {
        let draw = || {
            let mut rounds = Rounds::new();
            std::iter::from_fn(|| rounds.lose()).collect::<Vec<_>>()
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
