//! [`Budget`]: how many calls may be made again.
//!
//! When all nodes are slow, calls that are made again make them slower. So each
//! call puts a part of a token aside, and each repetition takes a whole one.
//! Invariant: over any time there are no more repetitions than the reserve and
//! the calls' share.

use std::sync::atomic::{AtomicU32, Ordering};

/// Parts of a token.
const TOKEN: u32 = 1000;

/// Tokens that can be put aside, however small the reserve is.
const LEAST: u32 = 5;

#[derive(Debug)]
pub(super) struct Budget {
    parts: AtomicU32,
    max: u32,
    share: u32,
}

impl Budget {
    /// `percent` repetitions for a hundred calls, on top of a `reserve`.
    pub(super) fn new(percent: u32, reserve: u32) -> Self {
        let reserve = reserve.saturating_mul(TOKEN);
        let share = percent.min(100) * (TOKEN / 100);
        // Without a reserve, what calls put aside still has to lie somewhere.
        let max = if share == 0 { reserve } else { reserve.max(LEAST * TOKEN) };
        Self { parts: AtomicU32::new(reserve), max, share }
    }

    /// A call is made for the first time.
    pub(super) fn deposit(&self) {
        // Full most of the time, and then left alone: it is shared by all cores.
        let parts = self.parts.load(Ordering::Relaxed);
        if parts < self.max {
            let add = |parts: u32| Some(parts.saturating_add(self.share).min(self.max));
            // The closure never refuses.
            let _ = self.parts.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
        }
    }

    /// Whether a call may be made again.
    pub(super) fn withdraw(&self) -> bool {
        let take = |parts: u32| parts.checked_sub(TOKEN);
        self.parts.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_are_a_share_of_the_calls() {
        let budget = Budget::new(10, 5);
        let spend = || std::iter::repeat_with(|| budget.withdraw()).take_while(|&granted| granted).count();
        assert_eq!(spend(), 5);
        for _ in 0..29 {
            budget.deposit();
        }
        assert_eq!(spend(), 2);
        // What is not spent does not grow past the reserve.
        for _ in 0..10_000 {
            budget.deposit();
        }
        assert_eq!(spend(), 5);
    }

    #[test]
    fn without_a_reserve_there_is_the_share() {
        let (budget, none) = (Budget::new(50, 0), Budget::new(0, 0));
        assert!(!budget.withdraw() && !none.withdraw());
        for budget in [&budget, &none] {
            budget.deposit();
            budget.deposit();
        }
        assert!(budget.withdraw() && !budget.withdraw() && !none.withdraw());
    }
}
