//! [`Gathering`]: decides whether the driver lets other tasks run before it writes.
//!
//! On a runtime with several threads, a task that has just been woken runs next. The
//! first of many callers therefore wakes the driver, which writes that one request
//! before the other callers have added theirs. If the driver yields first, a single
//! write takes the requests of all of them. Measured with 256 calls in flight over 8
//! connections: 21 requests per write instead of 2, and a third less CPU time per call.
//!
//! Yielding is wasted if no other caller is about to run, or if requests accumulate
//! without it. The driver therefore measures the requests per write both ways, and
//! prefers the better one.
//!
//! Invariant: a write is deferred by at most one turn of the run queue.

/// The minimum number of callers for a write to be deferred: a single one has nobody
/// to wait for.
const MIN_CALLERS: usize = 2;

/// The number of requests per write from which on no write is deferred: the system call
/// costs little per request then, and more requests accumulate while it runs.
const ENOUGH: u32 = 8;

/// The percentage to which deferring must increase the requests per write to be
/// preferred. A turn of the run queue costs a fraction of a system call: measured with 16
/// calls in flight over 8 connections on two threads, 120 makes half as many calls again
/// as 200, with which no write is deferred there; 150 makes slightly fewer.
const WORTHWHILE_PERCENT: u32 = 120;

/// One in this many writes is made the other way, to notice when callers behave
/// differently.
const TRIAL_INTERVAL: u32 = 32;

/// What the driver does with the requests that are ready to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Write them.
    Write,
    /// Yield, and write them when the driver is polled again.
    Defer,
    /// Do nothing: they have been deferred, and the driver has not been polled since.
    Wait,
}

/// Whether a write is deferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// No write is deferred.
    None,
    /// A write is deferred until the driver is polled again.
    Awaited,
    /// The driver has been polled since a write was deferred.
    Come,
}

/// The state of the decision for one connection.
#[derive(Debug)]
pub(super) struct Gathering {
    turn: Turn,
    /// Requests per write that was not deferred.
    at_once: Average,
    /// Requests per write that was deferred.
    deferred: Average,
    /// Number of decisions between the two ways.
    decisions: u32,
    /// Number of requests written so far.
    written: u64,
}

impl Gathering {
    pub(super) fn new() -> Self {
        let (at_once, deferred) = (Average::default(), Average::default());
        Self { turn: Turn::None, at_once, deferred, decisions: 0, written: 0 }
    }

    /// Records that the driver is polled.
    pub(super) fn begin_poll(&mut self) {
        if self.turn == Turn::Awaited {
            self.turn = Turn::Come;
        }
    }

    /// Decides about the requests that are ready to be written. `callers` is the number
    /// of callers that wait for an answer or have not yet taken it, and `total` the
    /// number of all requests of the connection so far.
    pub(super) fn decide(&mut self, callers: usize, total: u64) -> Decision {
        let average = match self.turn {
            Turn::Awaited => return Decision::Wait,
            Turn::Come => Some(&mut self.deferred),
            Turn::None if callers < MIN_CALLERS => None,
            Turn::None => {
                self.decisions = self.decisions.wrapping_add(1);
                let tries_other_way = self.decisions.is_multiple_of(TRIAL_INTERVAL);
                if self.is_worthwhile() != tries_other_way {
                    self.turn = Turn::Awaited;
                    return Decision::Defer;
                }
                Some(&mut self.at_once)
            }
        };
        if let Some(average) = average {
            average.add(total.wrapping_sub(self.written));
        }
        self.turn = Turn::None;
        self.written = total;
        Decision::Write
    }

    /// Reports whether deferring has increased the requests per write enough. Each way
    /// is tried once first.
    fn is_worthwhile(&self) -> bool {
        match (self.at_once.0, self.deferred.0) {
            (0, _) => false,
            (_, 0) => true,
            (at_once, deferred) => {
                at_once < ENOUGH << Average::FRACTION && 100 * deferred >= WORTHWHILE_PERCENT * at_once
            }
        }
    }
}

/// A moving average of positive numbers; the latest number has a weight of one eighth.
/// 0 before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Average(u32);

impl Average {
    /// Number of fractional bits.
    const FRACTION: u32 = 8;

    /// The greatest number that is recorded; greater ones count as this one.
    const MAX: u32 = 1 << 12;

    fn add(&mut self, number: u64) {
        let number =
            u32::try_from(number).map_or(Self::MAX, |number| number.min(Self::MAX)) << Self::FRACTION;
        self.0 = if self.0 == 0 { number } else { self.0 - self.0 / 8 + number / 8 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes two hundred writes on a connection where a write at once has `at_once`
    /// requests and a deferred one has `deferred`. Returns how many of the second
    /// hundred were deferred.
    fn deferred_of_100(callers: usize, at_once: u64, deferred: u64) -> usize {
        let mut gathering = Gathering::new();
        let mut total = 0;
        let mut write = || {
            gathering.begin_poll();
            match gathering.decide(callers, total + at_once) {
                Decision::Write => {
                    total += at_once;
                    false
                }
                Decision::Defer => {
                    total += deferred;
                    assert_eq!(gathering.decide(callers, total), Decision::Wait);
                    gathering.begin_poll();
                    assert_eq!(gathering.decide(callers, total), Decision::Write);
                    true
                }
                Decision::Wait => unreachable!("the driver has been polled"),
            }
        };
        let mut deferred_writes = || (0..100).filter(|_| write()).count();
        deferred_writes();
        deferred_writes()
    }

    #[test]
    fn writes_are_deferred_where_that_gathers_more_requests() {
        assert!((95..100).contains(&deferred_of_100(32, 2, 20)));
        assert!((95..100).contains(&deferred_of_100(16, 4, 15)));
        assert!((95..100).contains(&deferred_of_100(2, 1, 2)));
        // As many more as are just worth it.
        assert!((95..100).contains(&deferred_of_100(16, 4, 5)));
    }

    #[test]
    fn writes_are_not_deferred_in_vain() {
        // Nobody else calls; hardly any other does; enough requests accumulate anyway.
        for (at_once, deferred) in [(1, 1), (6, 7), (20, 200)] {
            assert!((1..5).contains(&deferred_of_100(32, at_once, deferred)), "{at_once}, {deferred}");
        }
    }

    #[test]
    fn a_single_caller_waits_for_nobody() {
        assert_eq!(deferred_of_100(1, 1, 3), 0);
    }

    #[test]
    fn averages_begin_with_the_first_number_and_stay_in_bounds() {
        let mut average = Average::default();
        average.add(20);
        assert_eq!(average.0, 20 << Average::FRACTION);
        (0..200).for_each(|_| average.add(u64::MAX));
        assert_eq!(average.0.div_ceil(1 << Average::FRACTION), Average::MAX);
    }
}
