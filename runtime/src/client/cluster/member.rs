//! [`Member`]: a node of the cluster and its state; [`ActiveAttempt`]: an attempt
//! in progress at a node.
//!
//! Invariant: every attempt is counted as ended, even if it is dropped, and a
//! breaker that waits for a probe is told the outcome.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::super::breaker::{Breaker, BreakerConfig, Health};
use super::super::connection::now;
use super::super::error::{CallError, NotSent};
use super::super::node::Node;
use super::super::pool::Pool;
use super::super::tried::StreamObserver;
use super::decaying_average::DecayingAverage;
use super::served::ServedRequests;
use super::verdict;
use crate::operation::Operation;

/// The failure rate of a node at which every call fails.
const FULL_RATE: u64 = 1 << 20;

/// The minimum interval between latency samples, in nanoseconds. One sample in this
/// time is enough, and each one invalidates the cache line on all other cores.
const LATENCY_SAMPLE_INTERVAL: u64 = 10_000;

/// The number of calls in flight at a node from which on only one in [`MEASURED_SHARE`] is
/// measured. There are enough of them then, and reading the clock takes as long as a
/// thirtieth of a call.
const MANY_IN_FLIGHT: u64 = 64;

/// See [`MANY_IN_FLIGHT`].
const MEASURED_SHARE: u64 = 8;

/// The average latency, in nanoseconds, from which on all calls are measured: of a node that
/// takes long, so few would be that the average would decay in between.
const SELDOM_ANSWERS: u64 = 100_000_000;

#[derive(Debug)]
pub(super) struct Member {
    pub(super) pool: Pool,
    breaker: Mutex<Breaker>,
    config: BreakerConfig,
    /// Set if the breaker is open or counts failures. Otherwise its lock is not
    /// taken.
    suspect: AtomicBool,
    /// The average time to answer, in nanoseconds.
    latency: DecayingAverage,
    /// The average share of failed calls, as a fraction of [`FULL_RATE`].
    failure_rate: DecayingAverage,
    /// When a lost connection was last counted, in nanoseconds since `created`.
    last_loss: AtomicU64,
    created: Instant,
    /// Attempts that have started.
    started: AtomicU64,
    /// Attempts that have ended.
    finished: AtomicU64,
    pub(super) failures: AtomicU64,
    served: ServedRequests,
}

impl Member {
    pub(super) fn new(pool: Pool, config: BreakerConfig) -> Self {
        Self {
            pool,
            breaker: Mutex::new(Breaker::new(&config)),
            config,
            suspect: AtomicBool::new(false),
            latency: DecayingAverage::default(),
            failure_rate: DecayingAverage::default(),
            last_loss: AtomicU64::new(0),
            created: now(),
            started: AtomicU64::new(0),
            finished: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            served: ServedRequests::default(),
        }
    }

    /// Records that the node has served such a request. Returns whether it is the first
    /// one.
    pub(super) fn record_served(&self, operation: &Operation) -> bool {
        self.served.insert(operation)
    }

    /// Reports whether the node, which does not serve this request now, will do so once
    /// it has started: it has served such requests before, or it has served none at all
    /// while other nodes serve them. Otherwise it is of a release that does not know
    /// them.
    pub(super) fn will_serve(&self, operation: &Operation, others_serve: bool) -> bool {
        self.served.contains(operation) || others_serve && !self.served.has_started()
    }

    pub(super) fn node(&self) -> &Node {
        self.pool.node()
    }

    /// Returns the number of attempts made at this node.
    pub(super) fn calls(&self) -> u64 {
        self.started.load(Ordering::Relaxed)
    }

    /// Returns the number of attempts that have not ended.
    pub(super) fn in_flight(&self) -> usize {
        // In this order, a call that starts and ends between the two loads counts as
        // in flight, and the difference is never negative.
        let finished = self.finished.load(Ordering::Acquire);
        usize::try_from(self.started.load(Ordering::Relaxed).saturating_sub(finished)).unwrap_or(usize::MAX)
    }

    pub(super) fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns how long the node took to answer lately.
    ///
    /// The value decays: otherwise a node that was slow once would never get the
    /// call that shows it is fast again.
    pub(super) fn latency(&self, now: Instant) -> Duration {
        Duration::from_nanos(self.latency.value_at(self.nanos_since_created(now)))
    }

    /// Returns the percentage of recent calls at which the node failed. It decays
    /// as well.
    pub(super) fn failed_percent(&self, now: Instant) -> u32 {
        if self.failure_rate.is_zero() {
            return 0;
        }
        u32::try_from(
            self.failure_rate.value_at(self.nanos_since_created(now)).saturating_mul(100) / FULL_RATE,
        )
        .unwrap_or(100)
    }

    fn nanos_since_created(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.created).as_nanos()).unwrap_or(u64::MAX)
    }

    /// Reports whether the breaker lets calls pass.
    pub(super) fn is_up(&self) -> bool {
        !self.suspect.load(Ordering::Relaxed) || self.breaker().is_closed()
    }

    /// Reports whether calls pass and most of them succeed.
    pub(super) fn is_healthy(&self, now: Instant) -> bool {
        self.is_up() && self.failed_percent(now) < 50
    }

    /// Makes the next call the probe, if one is due.
    pub(super) fn start_probe(&self, now: Instant) -> bool {
        self.suspect.load(Ordering::Relaxed) && self.breaker().start_probe(now)
    }

    /// Admits a call that cannot be a probe, if such a trial call is due.
    pub(super) fn admit_trial_call(&self, now: Instant) -> bool {
        self.suspect.load(Ordering::Relaxed) && self.breaker().admit_trial_call(now, &self.config)
    }

    pub(super) fn probe_timeout(&self) -> Duration {
        self.config.probe_timeout
    }

    fn update_breaker(&self, health: Health, is_probe: bool) {
        if health == Health::Unknown && !is_probe {
            return;
        }
        if health == Health::Good && !self.suspect.load(Ordering::Relaxed) {
            return;
        }
        let mut breaker = self.breaker();
        let was_closed = breaker.is_closed();
        breaker.record(health, is_probe, now(), &self.config);
        if breaker.is_closed() && !was_closed {
            // Failures from before the node recovered no longer count.
            self.failure_rate.set(0, 0);
        }
        self.suspect.store(health != Health::Good, Ordering::Relaxed);
    }

    /// Reports whether the time of the attempt that ends next is measured.
    fn measures_next(&self) -> bool {
        let finished = self.finished.load(Ordering::Relaxed);
        let in_flight = self.started.load(Ordering::Relaxed).saturating_sub(finished);
        in_flight < MANY_IN_FLIGHT
            || finished.is_multiple_of(MEASURED_SHARE)
            || self.latency.last() >= SELDOM_ANSWERS
    }

    fn record_latency(&self, latency: Duration, now: Instant) {
        let new = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        let now = self.nanos_since_created(now);
        // The first sample weighs no more than any other: a node that was slow once
        // by chance would get no second call until that had decayed.
        if self.latency.is_zero() || !self.latency.updated_within(LATENCY_SAMPLE_INTERVAL, now) {
            self.latency.record(new, now);
        }
    }

    /// Records whether the node did what it was asked.
    fn record_outcome(&self, succeeded: bool) {
        if !succeeded {
            self.failure_rate.record(FULL_RATE, self.nanos_since_created(now()));
        } else if !self.failure_rate.is_zero() {
            self.failure_rate.record(0, self.nanos_since_created(now()));
        }
    }

    /// Reports whether the loss of a call that began at `started` is to be counted.
    /// A call that was in flight when the last loss was counted is not: all calls
    /// on a connection are lost with it, and that is one failure.
    fn is_new_loss(&self, started: Instant, now: Instant) -> bool {
        let last = self.last_loss.load(Ordering::Relaxed);
        let now = self.nanos_since_created(now).max(1);
        (last == 0 || self.nanos_since_created(started) > last)
            && self.last_loss.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

impl StreamObserver for Member {
    fn stream_ended(&self, result: Result<(), &CallError>) {
        let health = result.map_or_else(|error| verdict::health(error, true), |()| Health::Good);
        if matches!(health, Health::Bad | Health::Down) {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
        self.update_breaker(health, false);
        if let Some(succeeded) = result.map_or_else(verdict::node_succeeded, |()| Some(true)) {
            self.record_outcome(succeeded);
        }
    }

    fn stream_dropped(&self) {
        // What came before the node failed does not show that it is back.
        if self.is_up() {
            self.stream_ended(Ok(()));
        }
    }
}

/// An attempt in progress, ended when it is dropped.
#[derive(Debug)]
pub(super) struct ActiveAttempt {
    pub(super) member: Arc<Member>,
    pub(super) is_probe: bool,
    started: Instant,
    /// Time spent waiting for a connection to open. It depends on how far away the
    /// node is, not on how quickly it answers.
    pub(super) connecting: Duration,
    /// Whether the call shares its connection. Long calls, such as listings and
    /// folds, do not: how long they take depends on the amount of data, so it is
    /// not measured.
    is_shared: bool,
    /// Whether the outcome has been reported to the breaker.
    is_reported: bool,
}

impl ActiveAttempt {
    pub(super) fn new(member: Arc<Member>, is_probe: bool, is_shared: bool, now: Instant) -> Self {
        member.started.fetch_add(1, Ordering::Relaxed);
        Self { member, is_probe, started: now, connecting: Duration::ZERO, is_shared, is_reported: false }
    }

    /// Returns when the attempt began.
    pub(super) fn started(&self) -> Instant {
        self.started
    }

    /// Records an answer.
    pub(super) fn answered(mut self, health: Health) {
        if self.member.measures_next() {
            let now = now();
            self.record_latency(now.saturating_duration_since(self.started), now);
        }
        if health == Health::Good {
            self.member.record_outcome(true);
        }
        self.report(health);
    }

    /// Records a failure and returns how long the attempt took. The time counts as
    /// latency only if the node did the work, since failing is quick.
    pub(super) fn failed(&mut self, error: &CallError, health: Health) -> Duration {
        let now = now();
        let after = now.saturating_duration_since(self.started);
        let (health, succeeded) = if self.had_too_little_time(error, after, now) {
            (Health::Unknown, None)
        } else {
            (health, verdict::node_succeeded(error))
        };
        let is_loss =
            self.is_shared && !self.is_probe && matches!(error, CallError::Lost(_)) && health == Health::Bad;
        if is_loss && !self.member.is_new_loss(self.started, now) {
            self.member.failures.fetch_add(1, Ordering::Relaxed);
            self.report(Health::Unknown);
        } else {
            self.report(health);
        }
        if succeeded == Some(true) {
            self.record_latency(after, now);
        }
        if let Some(succeeded) = succeeded {
            self.member.record_outcome(succeeded);
        }
        after
    }

    /// Reports whether a call timed out before the node answers on average, or before it
    /// last accepted a connection. That says nothing about the node: otherwise one caller
    /// with impossible deadlines would take it from all others. If it accepts none any more,
    /// that is known once the attempt to connect times out.
    fn had_too_little_time(&self, error: &CallError, after: Duration, now: Instant) -> bool {
        match error {
            CallError::Timeout { sent: true, .. } => {
                self.is_shared && after.saturating_sub(self.connecting) < self.member.latency(now)
            }
            CallError::NotSent(NotSent::Connecting { .. }) => after < self.member.pool.connect_time(),
            _ => false,
        }
    }

    fn record_latency(&self, after: Duration, now: Instant) {
        if self.is_shared {
            self.member.record_latency(after.saturating_sub(self.connecting), now);
        }
    }

    /// Reports the outcome to the breaker.
    fn report(&mut self, health: Health) {
        if matches!(health, Health::Bad | Health::Down) {
            self.member.failures.fetch_add(1, Ordering::Relaxed);
        }
        self.is_reported = true;
        self.member.update_breaker(health, self.is_probe);
    }

    /// Records that the node has begun to answer. The [`StreamObserver`] hears how
    /// the stream ends.
    pub(super) fn stream_started(&mut self) {
        if self.is_probe {
            self.report(Health::Good);
        }
        self.is_reported = true;
    }
}

impl Drop for ActiveAttempt {
    fn drop(&mut self) {
        self.member.finished.fetch_add(1, Ordering::Release);
        if !self.is_reported {
            // The caller gave up. The node takes at least this long, which counts
            // if it is longer than the average.
            let now = now();
            let elapsed = now.saturating_duration_since(self.started);
            if elapsed > self.member.latency(now) {
                self.record_latency(elapsed, now);
            }
            self.member.update_breaker(Health::Unknown, self.is_probe);
        }
    }
}
