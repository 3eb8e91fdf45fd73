//! [`Breaker`]: a circuit breaker that decides whether a node gets calls.
//!
//! While it is closed, calls pass. After several failures in a row, or one that
//! leaves no doubt, it opens for a while, and calls go to other nodes. Then one
//! call that can be repeated elsewhere becomes the probe: its success closes the
//! breaker, its failure opens it for longer. A probe is an ordinary call, because a
//! node that is starting answers a ping and refuses the rest. If no call fit to be
//! the probe arrives for a while, a trial call is let through: one that cannot be
//! repeated, or that takes long.
//!
//! There is no clock and no lock in here. Invariant: while half open, there is
//! exactly one probe.

use std::time::{Duration, Instant};

/// When a node counts as down, and for how long it then gets no calls.
///
/// Each node has a circuit breaker. It opens after several failures in a row, and
/// calls go to other nodes. When its time has passed, one call is sent to the node
/// as a probe: if that succeeds, the breaker closes; otherwise it opens for longer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerConfig {
    /// The number of failures in a row that open the breaker. Default 5: with
    /// fewer, one slow moment of a node would send all calls elsewhere.
    ///
    /// A connection that fails counts once, however many calls it carried; a
    /// connection that cannot be opened opens the breaker at once. A call that times
    /// out sooner than the node answers on average, or sooner than the last connection
    /// to it took to open, does not count.
    pub failures: u32,
    /// How long the breaker opens at first. Default 200 ms, doubled with each
    /// failed probe.
    pub open_min: Duration,
    /// How long the breaker opens at most. Default 1 second: a node that is back
    /// waits at most that long for calls, and a node that is down delays one call
    /// in that time, which then goes to another node.
    pub open_max: Duration,
    /// How long a probe may take. Default 1 second. If it takes longer, the node
    /// still counts as down, and the call goes to another node.
    pub probe_timeout: Duration,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            failures: 5,
            open_min: Duration::from_millis(200),
            open_max: Duration::from_secs(1),
            probe_timeout: Duration::from_secs(1),
        }
    }
}

impl BreakerConfig {
    /// Creates the default settings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    super::config::setters! {
        failures: u32,
        open_min: Duration,
        open_max: Duration,
        probe_timeout: Duration,
    }
}

/// The state of a node's circuit breaker, as reported by
/// [`Cluster::stats`](super::Cluster::stats).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BreakerState {
    /// The node gets calls.
    Closed,
    /// The node counts as down: calls go to other nodes.
    Open,
    /// One call, the probe, tests the node.
    HalfOpen,
}

#[derive(Debug)]
pub(super) struct Breaker {
    state: State,
    /// Failures since the last success.
    failures: u32,
    /// How long the breaker opens next time.
    next_open: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Open { until: Instant },
    Probing,
}

/// What the end of a call says about its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// The node answered.
    Good,
    /// The node failed, but may well answer the next call.
    Bad,
    /// The node cannot be expected to answer for now.
    Down,
    /// The call says nothing about the node.
    Unknown,
}

/// Returns `now + after`, or a time ten years away if the clock cannot represent
/// it.
fn saturating_add(now: Instant, after: Duration) -> Instant {
    const NEVER: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
    now.checked_add(after).unwrap_or(now + NEVER)
}

impl Breaker {
    pub(super) fn new(config: &BreakerConfig) -> Self {
        Self { state: State::Closed, failures: 0, next_open: config.open_min.min(config.open_max) }
    }

    pub(super) fn state(&self) -> BreakerState {
        match self.state {
            State::Closed => BreakerState::Closed,
            State::Open { .. } => BreakerState::Open,
            State::Probing => BreakerState::HalfOpen,
        }
    }

    /// Reports whether calls pass freely.
    pub(super) fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Reports whether a probe is due.
    pub(super) fn is_probe_due(&self, now: Instant) -> bool {
        matches!(self.state, State::Open { until } if until <= now)
    }

    /// Makes a call the probe, if one is due, and returns whether it did. The end of
    /// the probe has to be recorded, whatever its outcome.
    pub(super) fn start_probe(&mut self, now: Instant) -> bool {
        let probe = self.is_probe_due(now);
        if probe {
            self.state = State::Probing;
        }
        probe
    }

    /// Admits a trial call: one that cannot be a probe because it must not be
    /// repeated elsewhere, or takes long. One is due later than a probe, and at most
    /// once in [`BreakerConfig::open_max`], because it costs more if the node is
    /// still down.
    pub(super) fn admit_trial_call(&mut self, now: Instant, config: &BreakerConfig) -> bool {
        let State::Open { until } = self.state else { return false };
        let due = saturating_add(until, config.open_max) <= now;
        if due {
            self.state = State::Open { until: now };
        }
        due
    }

    /// Records how a call ended.
    pub(super) fn record(&mut self, health: Health, is_probe: bool, now: Instant, config: &BreakerConfig) {
        match health {
            // Even a call that was sent before the breaker opened shows that the
            // node is alive.
            Health::Good => *self = Self::new(config),
            // The caller abandoned the probe, perhaps because the node hangs. The
            // node is tried again no sooner than after a failure, unless another
            // call has been answered since.
            Health::Unknown if is_probe && self.state == State::Probing => {
                self.state = State::Open { until: saturating_add(now, self.next_open) }
            }
            Health::Unknown => {}
            Health::Bad | Health::Down => {
                self.failures = self.failures.saturating_add(1);
                let opens = match self.state {
                    State::Closed => health == Health::Down || self.failures >= config.failures.max(1),
                    State::Probing => is_probe,
                    // Calls from before it opened make no difference.
                    State::Open { .. } => false,
                };
                if opens {
                    self.state = State::Open { until: saturating_add(now, self.next_open) };
                    self.next_open = self.next_open.saturating_mul(2).min(config.open_max);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> BreakerConfig {
        BreakerConfig::new().failures(2)
    }

    #[test]
    fn consecutive_failures_open_it_and_a_probe_closes_it() {
        let (config, start) = (config(), Instant::now());
        let mut breaker = Breaker::new(&config);
        breaker.record(Health::Bad, false, start, &config);
        breaker.record(Health::Good, false, start, &config);
        breaker.record(Health::Bad, false, start, &config);
        assert!(breaker.is_closed());
        breaker.record(Health::Bad, false, start, &config);
        assert_eq!(breaker.state(), BreakerState::Open);
        assert!(!breaker.start_probe(start + config.open_min / 2));
        let later = start + config.open_min;
        assert!(breaker.start_probe(later));
        assert!(!breaker.start_probe(later), "one probe at a time");
        breaker.record(Health::Good, true, later, &config);
        assert!(breaker.is_closed());
    }

    #[test]
    fn open_time_doubles_up_to_the_maximum() {
        let (config, mut now) = (config(), Instant::now());
        let mut breaker = Breaker::new(&config);
        breaker.record(Health::Down, false, now, &config);
        for expected in [200, 400, 800, 1000, 1000] {
            let open = Duration::from_millis(expected);
            assert!(!breaker.is_probe_due(now + Duration::from_millis(expected - 1)), "{expected}");
            now += open;
            assert!(breaker.start_probe(now), "{expected}");
            breaker.record(Health::Bad, true, now, &config);
        }
    }

    #[test]
    fn an_abandoned_probe_is_not_followed_by_another_at_once() {
        let (config, start) = (config(), Instant::now());
        let mut breaker = Breaker::new(&config);
        breaker.record(Health::Down, false, start, &config);
        let mut now = start + config.open_min;
        for _ in 0..3 {
            assert!(breaker.start_probe(now));
            breaker.record(Health::Unknown, true, now, &config);
            assert!(!breaker.is_probe_due(now + config.open_min));
            // The callers may be at fault, so it does not open for longer each
            // time.
            now += 2 * config.open_min;
        }
        assert!(breaker.start_probe(now));
    }

    #[test]
    fn an_abandoned_probe_does_not_reopen_it_after_an_answer() {
        let (config, start) = (config(), Instant::now());
        let mut breaker = Breaker::new(&config);
        breaker.record(Health::Down, false, start, &config);
        let now = start + config.open_min;
        assert!(breaker.start_probe(now));
        breaker.record(Health::Good, false, now, &config);
        breaker.record(Health::Unknown, true, now, &config);
        assert!(breaker.is_closed());
    }

    #[test]
    fn trial_calls_are_admitted_now_and_then() {
        let (config, start) = (config(), Instant::now());
        let mut breaker = Breaker::new(&config);
        assert!(!breaker.admit_trial_call(start, &config), "closed, there is nothing to try");
        breaker.record(Health::Down, false, start, &config);
        assert!(!breaker.admit_trial_call(start + config.open_max, &config), "a probe comes first");
        let later = start + config.open_min + config.open_max;
        assert!(breaker.admit_trial_call(later, &config) && !breaker.admit_trial_call(later, &config));
        assert!(breaker.is_probe_due(later), "it is in no probe's way");
        breaker.record(Health::Bad, false, later, &config);
        assert!(breaker.admit_trial_call(later + config.open_max, &config));
        breaker.record(Health::Good, false, later, &config);
        assert!(breaker.is_closed());
        let endless = BreakerConfig::new().open_min(Duration::MAX).open_max(Duration::MAX);
        let mut breaker = Breaker::new(&endless);
        breaker.record(Health::Down, false, start, &endless);
        assert!(!breaker.start_probe(later) && !breaker.admit_trial_call(later, &endless));
    }

    /// Goes through all sequences of five events.
    #[test]
    fn there_is_never_more_than_one_probe_and_always_a_way_back() {
        #[derive(Clone, Copy, Debug)]
        enum Event {
            End(Health),
            EndProbe(Health),
            Wait,
            Probe,
        }
        let ends = [Health::Good, Health::Bad, Health::Down, Health::Unknown];
        let events: Vec<Event> = ends
            .iter()
            .flat_map(|&health| [Event::End(health), Event::EndProbe(health)])
            .chain([Event::Wait, Event::Probe])
            .collect();
        let config = config();
        let start = Instant::now();
        for number in 0..events.len().pow(5) {
            let (mut breaker, mut now, mut probing, mut rest) = (Breaker::new(&config), start, false, number);
            for _ in 0..5 {
                match events[rest % events.len()] {
                    Event::End(health) => {
                        breaker.record(health, false, now, &config);
                        if health == Health::Good {
                            assert!(breaker.is_closed());
                        }
                    }
                    Event::EndProbe(health) if probing => {
                        breaker.record(health, true, now, &config);
                        probing = false;
                    }
                    Event::EndProbe(_) => {}
                    Event::Wait => now += config.open_max,
                    Event::Probe => {
                        let due = breaker.is_probe_due(now);
                        assert_eq!(breaker.start_probe(now), due);
                        probing |= due;
                    }
                }
                rest /= events.len();
                assert!(breaker.state() != BreakerState::HalfOpen || probing, "nobody would end it");
            }
            // Whatever the state, a successful probe closes the breaker.
            now += config.open_max;
            if probing {
                breaker.record(Health::Good, true, now, &config);
            } else if !breaker.is_closed() {
                assert!(breaker.start_probe(now));
                breaker.record(Health::Good, true, now, &config);
            }
            assert!(breaker.is_closed());
        }
    }
}
