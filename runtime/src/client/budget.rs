//! [`Budget`]: how many calls may be retried.
//!
//! When all nodes are slow, retries make them slower. So each call deposits a
//! fraction of a token, and each retry withdraws a whole one. Invariant: over any
//! time there are no more retries than the reserve plus the share of the calls
//! made.

use std::sync::atomic::{AtomicU32, Ordering};

/// The parts that make up a token.
const PARTS_PER_TOKEN: u32 = 1000;

/// The tokens that can be saved up, however small the reserve is.
const MIN_CAPACITY: u32 = 5;

#[derive(Debug)]
pub(super) struct Budget {
    parts: AtomicU32,
    capacity: u32,
    share: u32,
}

impl Budget {
    /// Creates a budget of `percent` retries for each hundred calls, on top of
    /// `reserve`.
    pub(super) fn new(percent: u32, reserve: u32) -> Self {
        let reserve = reserve.saturating_mul(PARTS_PER_TOKEN);
        let share = percent.min(100) * (PARTS_PER_TOKEN / 100);
        // Without a reserve, the deposits of calls still need room.
        let capacity = if share == 0 { reserve } else { reserve.max(MIN_CAPACITY * PARTS_PER_TOKEN) };
        Self { parts: AtomicU32::new(reserve), capacity, share }
    }

    /// Deposits the share of a new call.
    pub(super) fn deposit(&self) {
        // Mostly full, and then not written to: all cores share the cache line.
        let parts = self.parts.load(Ordering::Relaxed);
        if parts < self.capacity {
            let add = |parts: u32| Some(parts.saturating_add(self.share).min(self.capacity));
            // The closure never returns `None`, so this cannot fail.
            let _ = self.parts.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
        }
    }

    /// Reports whether there is a token now. Other calls may withdraw it first.
    pub(super) fn allows_retry(&self) -> bool {
        self.parts.load(Ordering::Relaxed) >= PARTS_PER_TOKEN
    }

    /// Withdraws a token. Returns whether there was one, so that a call may be
    /// retried.
    pub(super) fn withdraw(&self) -> bool {
        let take = |parts: u32| parts.checked_sub(PARTS_PER_TOKEN);
        self.parts.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_are_a_share_of_the_calls() {
        let budget = Budget::new(10, 5);
        let spend = || std::iter::repeat_with(|| budget.withdraw()).take_while(|&granted| granted).count();
        assert_eq!(spend(), 5);
        for _ in 0..29 {
            budget.deposit();
        }
        assert_eq!(spend(), 2);
        // Unspent deposits do not grow beyond the reserve.
        for _ in 0..10_000 {
            budget.deposit();
        }
        assert_eq!(spend(), 5);
    }

    #[test]
    fn without_a_reserve_the_share_remains() {
        let (budget, none) = (Budget::new(50, 0), Budget::new(0, 0));
        assert!(!budget.withdraw() && !none.withdraw());
        for budget in [&budget, &none] {
            budget.deposit();
            budget.deposit();
        }
        assert!(budget.allows_retry() && !none.allows_retry());
        assert!(budget.withdraw() && !budget.withdraw() && !none.withdraw());
        assert!(!budget.allows_retry());
    }
}
