//! [`Member`]: a node of the cluster, and how it is doing; [`Trial`]: an attempt
//! at a call there.
//!
//! Invariant: whatever becomes of a trial, even if it is dropped, its end is
//! counted, and a breaker that waits for a probe hears of it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::super::breaker::{Breaker, BreakerConfig, Health};
use super::super::connection::now;
use super::super::error::CallError;
use super::super::node::Node;
use super::super::pool::Pool;
use super::super::tried::Judge;
use super::fading::Fading;
use super::verdict;

/// Calls that fail, all of them, as a [`Member`] keeps their share.
const ALL: u64 = 1 << 20;

/// Of calls that end within so many nanoseconds, one says enough of the node's
/// speed: with each that is noted, other cores have to look again.
const ENOUGH: u64 = 10_000;

#[derive(Debug)]
pub(super) struct Member {
    pub(super) pool: Pool,
    breaker: Mutex<Breaker>,
    config: BreakerConfig,
    /// The breaker is open, or some calls have failed: it has to be looked at.
    suspect: AtomicBool,
    /// In nanoseconds.
    latency: Fading,
    /// Which share of calls it failed at, of [`ALL`].
    failing: Fading,
    /// When a connection's end was counted last, in nanoseconds since `made`.
    lost: AtomicU64,
    made: Instant,
    /// Calls that have begun, and that are over.
    begun: AtomicU64,
    over: AtomicU64,
    pub(super) failures: AtomicU64,
}

impl Member {
    pub(super) fn new(pool: Pool, config: BreakerConfig) -> Self {
        Self {
            pool,
            breaker: Mutex::new(Breaker::new(&config)),
            config,
            suspect: AtomicBool::new(false),
            latency: Fading::default(),
            failing: Fading::default(),
            lost: AtomicU64::new(0),
            made: now(),
            begun: AtomicU64::new(0),
            over: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        }
    }

    pub(super) fn node(&self) -> &Node {
        self.pool.node()
    }

    /// How many calls it has had.
    pub(super) fn calls(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    /// How many of them it has not answered yet.
    pub(super) fn in_flight(&self) -> usize {
        // In this order; of a call that begins and ends in between, too much is
        // seen, and not less than nothing.
        let over = self.over.load(Ordering::Acquire);
        usize::try_from(self.begun.load(Ordering::Relaxed).saturating_sub(over)).unwrap_or(usize::MAX)
    }

    pub(super) fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long it took to answer lately. The longer ago that was, the less it
    /// means: a node that was slow once would get no call that shows otherwise.
    pub(super) fn latency(&self, now: Instant) -> Duration {
        Duration::from_nanos(self.latency.at(self.since_made(now)))
    }

    /// How many calls in a hundred it failed at lately. That is forgotten as well.
    pub(super) fn failed_percent(&self, now: Instant) -> u32 {
        if self.failing.is_zero() {
            return 0;
        }
        u32::try_from(self.failing.at(self.since_made(now)).saturating_mul(100) / ALL).unwrap_or(100)
    }

    fn since_made(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.made).as_nanos()).unwrap_or(u64::MAX)
    }

    /// Whether calls pass.
    pub(super) fn is_up(&self) -> bool {
        !self.suspect.load(Ordering::Relaxed) || self.breaker().is_closed()
    }

    /// Whether calls pass, and most of them succeed.
    pub(super) fn is_well(&self, now: Instant) -> bool {
        self.is_up() && self.failed_percent(now) < 50
    }

    /// Makes the next call the probe, if one is due.
    pub(super) fn probe(&self, now: Instant) -> bool {
        self.suspect.load(Ordering::Relaxed) && self.breaker().probe(now)
    }

    /// Lets the next call try it that cannot be the probe, if that is due.
    pub(super) fn knock(&self, now: Instant) -> bool {
        self.suspect.load(Ordering::Relaxed) && self.breaker().knock(now, &self.config)
    }

    pub(super) fn probe_timeout(&self) -> Duration {
        self.config.probe_timeout
    }

    fn judged(&self, health: Health, probe: bool) {
        if health == Health::Unknown && !probe {
            return;
        }
        if health == Health::Good && !self.suspect.load(Ordering::Relaxed) {
            return;
        }
        let mut breaker = self.breaker();
        let was_closed = breaker.is_closed();
        breaker.ended(health, probe, now(), &self.config);
        if breaker.is_closed() && !was_closed {
            // What it failed at while it was down is over.
            self.failing.set(0, 0);
        }
        self.suspect.store(health != Health::Good, Ordering::Relaxed);
    }

    fn measured(&self, latency: Duration, now: Instant) {
        let new = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        let now = self.since_made(now);
        // The first one counts no more than any other: a node that was slow once by
        // chance would get no second call as long as that is remembered.
        if self.latency.is_zero() || !self.latency.changed_within(ENOUGH, now) {
            self.latency.learn(new, now);
        }
    }

    /// It did what it was asked, or failed at it.
    fn worked(&self, worked: bool, now: Instant) {
        if !worked {
            self.failing.learn(ALL, self.since_made(now));
        } else if !self.failing.is_zero() {
            self.failing.learn(0, self.since_made(now));
        }
    }

    /// Whether the loss of a call that began then is to be counted: not if it was
    /// in flight when one was counted before. All calls on a connection are lost
    /// with it, and that is one failure.
    fn is_new_loss(&self, begun: Instant, now: Instant) -> bool {
        let last = self.lost.load(Ordering::Relaxed);
        let now = self.since_made(now).max(1);
        (last == 0 || self.since_made(begun) > last)
            && self.lost.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

impl Judge for Member {
    fn ended(&self, result: Result<(), &CallError>) {
        let health = result.map_or_else(|error| verdict::health(error, true), |()| Health::Good);
        if matches!(health, Health::Bad | Health::Down) {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
        self.judged(health, false);
        if let Some(worked) = result.map_or_else(verdict::worked, |()| Some(true)) {
            self.worked(worked, now());
        }
    }
}

/// An attempt at a call.
#[derive(Debug)]
pub(super) struct Trial {
    pub(super) member: Arc<Member>,
    pub(super) probe: bool,
    begun: Instant,
    /// For how long it has waited for a connection to be made. That says how far
    /// away the node is, and not how quickly it answers.
    pub(super) connecting: Duration,
    /// Other calls may be on the same connection: it is none that takes as long
    /// as there is to be listed or folded.
    shared: bool,
    /// Its end was told.
    over: bool,
}

impl Trial {
    pub(super) fn new(member: Arc<Member>, probe: bool, shared: bool, now: Instant) -> Self {
        member.begun.fetch_add(1, Ordering::Relaxed);
        Self { member, probe, begun: now, connecting: Duration::ZERO, shared, over: false }
    }

    /// When it began.
    pub(super) fn begun(&self) -> Instant {
        self.begun
    }

    /// The node answered at once, and this is how long it took.
    pub(super) fn answered(mut self, health: Health) -> Duration {
        let now = now();
        let after = now.saturating_duration_since(self.begun);
        self.measured(after, now);
        if health == Health::Good {
            self.member.worked(true, now);
        }
        self.end(health);
        after
    }

    /// The attempt has failed, and this is how long it took. That counts as the
    /// node's speed only if it did its work: to fail is done quickly.
    pub(super) fn failed(&mut self, error: &CallError, health: Health) -> Duration {
        let now = now();
        let after = now.saturating_duration_since(self.begun);
        let is_loss =
            self.shared && !self.probe && matches!(error, CallError::Lost(_)) && health == Health::Bad;
        if is_loss && !self.member.is_new_loss(self.begun, now) {
            self.member.failures.fetch_add(1, Ordering::Relaxed);
            self.end(Health::Unknown);
        } else {
            self.end(health);
        }
        let worked = verdict::worked(error);
        if worked == Some(true) {
            self.measured(after, now);
        }
        if let Some(worked) = worked {
            self.member.worked(worked, now);
        }
        after
    }

    fn measured(&self, after: Duration, now: Instant) {
        if self.shared {
            self.member.measured(after.saturating_sub(self.connecting), now);
        }
    }

    /// The node did something, of which nothing can be learnt about its speed.
    fn end(&mut self, health: Health) {
        if matches!(health, Health::Bad | Health::Down) {
            self.member.failures.fetch_add(1, Ordering::Relaxed);
        }
        self.over = true;
        self.member.judged(health, self.probe);
    }

    /// The node has begun to answer; how that ends, a [`Judge`] will hear.
    pub(super) fn begins(&mut self) {
        if self.probe {
            self.end(Health::Good);
        }
        self.over = true;
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        self.member.over.fetch_add(1, Ordering::Release);
        if !self.over {
            // Nobody waited for longer; that it took as long says something.
            let now = now();
            let elapsed = now.saturating_duration_since(self.begun);
            if elapsed > self.member.latency(now) {
                self.measured(elapsed, now);
            }
            self.member.judged(Health::Unknown, self.probe);
        }
    }
}
