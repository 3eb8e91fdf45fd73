//! [`Tally`]: counts calls and their durations while many tasks or threads make calls.
//!
//! Each caller has a [`Lane`] of its own, so that counting costs a single store. Invariant:
//! calls count that complete between the end of the warm-up and the end of the measurement;
//! the duration of one call in [`Tally::every`] is recorded.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::order::Ran;

/// A counter with a cache line to itself.
#[derive(Default)]
#[repr(align(64))]
struct Count(AtomicU64);

pub(crate) struct Tally {
    counts: Vec<Count>,
    counting: AtomicBool,
    over: AtomicBool,
    every: u32,
    times: Mutex<Vec<u64>>,
    failure: Mutex<Option<String>>,
}

/// A caller's own counters.
pub(crate) struct Lane {
    tally: Arc<Tally>,
    index: usize,
    count: u64,
    until_timed: u32,
    times: Vec<u64>,
}

/// A snapshot of the measurement.
pub(crate) struct Moment {
    at: Instant,
    cpu: u64,
    calls: u64,
}

impl Tally {
    pub(crate) fn new(callers: usize) -> Arc<Self> {
        Arc::new(Self {
            counts: (0..callers).map(|_| Count::default()).collect(),
            counting: AtomicBool::new(false),
            over: AtomicBool::new(false),
            // Reading the clock at each call would cost more than some of the measured
            // operations. The interval is a prime, so that it does not coincide with any
            // pattern.
            every: if callers > 1 { 13 } else { 1 },
            times: Mutex::default(),
            failure: Mutex::default(),
        })
    }

    pub(crate) fn lane(self: &Arc<Self>, index: usize) -> Lane {
        Lane { tally: Arc::clone(self), index, count: 0, until_timed: 1, times: Vec::new() }
    }

    /// Ends the warm-up.
    pub(crate) fn begin(&self) -> Moment {
        self.counting.store(true, Ordering::Relaxed);
        self.moment()
    }

    /// Ends the measurement.
    pub(crate) fn end(&self) -> Moment {
        let moment = self.moment();
        self.over.store(true, Ordering::Relaxed);
        moment
    }

    fn moment(&self) -> Moment {
        let calls = self.counts.iter().map(|count| count.0.load(Ordering::Relaxed)).sum();
        Moment { at: Instant::now(), cpu: cpu_time(), calls }
    }

    /// Returns the result, once every lane has been dropped.
    pub(crate) fn result(&self, begun: &Moment, ended: &Moment) -> Result<Ran, String> {
        if let Some(failure) = self.failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(failure);
        }
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        times.sort_unstable();
        let at = |per_cent: usize| times.get(times.len() * per_cent / 100).copied().unwrap_or(0);
        Ok(Ran {
            calls: ended.calls - begun.calls,
            elapsed: nanos(ended.at - begun.at),
            cpu: ended.cpu - begun.cpu,
            p50: at(50),
            p99: at(99),
        })
    }
}

impl Lane {
    /// Reports whether to make another call.
    pub(crate) fn goes_on(&self) -> bool {
        !self.tally.over.load(Ordering::Relaxed)
    }

    /// Begins a call. Returns the time if this call is timed.
    pub(crate) fn begin(&mut self) -> Option<Instant> {
        if !self.tally.counting.load(Ordering::Relaxed) {
            return None;
        }
        self.until_timed -= 1;
        if self.until_timed > 0 {
            return None;
        }
        self.until_timed = self.tally.every;
        Some(Instant::now())
    }

    /// Ends this many calls that began together.
    pub(crate) fn end(&mut self, calls: usize, begun: Option<Instant>) {
        self.count += calls as u64;
        self.tally.counts[self.index].0.store(self.count, Ordering::Relaxed);
        if let Some(begun) = begun {
            self.times.push(nanos(begun.elapsed()));
        }
    }

    /// Stops all callers because of an error. Errors after the end are ignored, since
    /// callers are dropped then.
    pub(crate) fn fail(&self, reason: String) {
        if !self.tally.over.swap(true, Ordering::Relaxed) {
            *self.tally.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.tally.times.lock().unwrap_or_else(PoisonError::into_inner).append(&mut self.times);
    }
}

/// Returns the CPU time of this process so far: user and system time of all threads, as in
/// `getrusage`, but with a resolution of nanoseconds.
fn cpu_time() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    // Neither value is negative.
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}

pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
