//! [`Breaker`]: whether a node is worth a call, judged by how calls went.
//!
//! Closed, calls pass. After some failures in a row, or one that leaves no
//! doubt, it opens for a while, and calls go elsewhere. Then one call, which can
//! be repeated elsewhere, is the probe: its success closes the breaker, its
//! failure opens it for longer. A probe is a call like any other, because a
//! node that starts answers a ping and refuses the rest. Where no such call comes
//! for a while, one that cannot be repeated, or that takes long, tries the node.
//!
//! No clock and no lock in here. Invariant: half open, there is one probe.

use std::time::{Duration, Instant};

/// When a node counts as down, and for how long it then gets no calls.
///
/// Each node has a circuit breaker. It opens after some failures in a row, and
/// calls go to other nodes. When its time has passed, one call is sent to the node
/// as a probe: if that succeeds, the breaker closes; otherwise it opens for longer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerConfig {
    /// How many failures in a row open the breaker. Default 5: with fewer, one slow
    /// moment of a node would send all calls elsewhere. A connection that fails
    /// counts once, however many calls it carried; a connection that cannot be made
    /// opens the breaker at once.
    pub failures: u32,
    /// For how long it opens at first. Default 200 ms, doubled with each failed
    /// probe.
    pub open_min: Duration,
    /// For how long it opens at most. Default 1 second: a node that is back waits at
    /// most that long for calls, and a node that is down delays one call in that
    /// time, which then goes to another node.
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
    /// The default settings.
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

/// The state of a node's circuit breaker, as [`Cluster::stats`](super::Cluster::stats) shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BreakerState {
    /// The node gets calls.
    Closed,
    /// The node counts as down: calls go to other nodes.
    Open,
    /// One call, the probe, tries the node.
    HalfOpen,
}

#[derive(Debug)]
pub(super) struct Breaker {
    state: State,
    /// Calls that failed since one succeeded.
    failures: u32,
    /// For how long it opens next.
    next_open: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Open { until: Instant },
    Probing,
}

/// How a call ended, as far as its node is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// The node answered.
    Good,
    /// It failed, and may not do so again.
    Bad,
    /// Nothing can be expected of it now.
    Down,
    /// That says nothing about the node.
    Unknown,
}

/// A time from now, or as good as never if the clock does not go that far.
fn later(now: Instant, after: Duration) -> Instant {
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

    /// Whether calls pass without more ado.
    pub(super) fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Whether a probe is due.
    pub(super) fn wants_probe(&self, now: Instant) -> bool {
        matches!(self.state, State::Open { until } if until <= now)
    }

    /// Makes a call the probe. Whatever becomes of it has to be told.
    pub(super) fn probe(&mut self, now: Instant) -> bool {
        let probe = self.wants_probe(now);
        if probe {
            self.state = State::Probing;
        }
        probe
    }

    /// Lets a call try the node that is no probe: one that must not be made again
    /// elsewhere, or that takes long. That is due later than a probe, and once in
    /// [`BreakerConfig::open_max`]: it costs more if the node is down still.
    pub(super) fn knock(&mut self, now: Instant, config: &BreakerConfig) -> bool {
        let State::Open { until } = self.state else { return false };
        let due = later(until, config.open_max) <= now;
        if due {
            self.state = State::Open { until: now };
        }
        due
    }

    /// Tells how a call ended that was the probe or was not.
    pub(super) fn ended(&mut self, health: Health, probe: bool, now: Instant, config: &BreakerConfig) {
        match health {
            // Also of a call that was sent before it opened: the node lives.
            Health::Good => *self = Self::new(config),
            // Its caller gave it up, perhaps since the node hangs: others go elsewhere
            // meanwhile, and no sooner than after a failure it is tried again. Unless
            // another call has been answered since.
            Health::Unknown if probe && self.state == State::Probing => {
                self.state = State::Open { until: later(now, self.next_open) }
            }
            Health::Unknown => {}
            Health::Bad | Health::Down => {
                self.failures = self.failures.saturating_add(1);
                let opens = match self.state {
                    State::Closed => health == Health::Down || self.failures >= config.failures.max(1),
                    State::Probing => probe,
                    // Calls from before it opened make it no worse.
                    State::Open { .. } => false,
                };
                if opens {
                    self.state = State::Open { until: later(now, self.next_open) };
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
    fn failures_in_a_row_open_it_and_a_probe_closes_it() {
        let (config, start) = (config(), Instant::now());
        let mut breaker = Breaker::new(&config);
        breaker.ended(Health::Bad, false, start, &config);
        breaker.ended(Health::Good, false, start, &config);
        breaker.ended(Health::Bad, false, start, &config);
        assert!(breaker.is_closed());
        breaker.ended(Health::Bad, false, start, &config);
        assert_eq!(breaker.state(), BreakerState::Open);
        assert!(!breaker.probe(start + config.open_min / 2));
        let later = start + config.open_min;
        assert!(breaker.probe(later));
        assert!(!breaker.probe(later), "one probe at a time");
        breaker.ended(Health::Good, true, later, &config);
        assert!(breaker.is_closed());
    }

    #[test]
    fn it_opens_for_longer_and_not_for_ever() {
        let (config, mut now) = (config(), Instant::now());
        let mut breaker = Breaker::new(&config);
        breaker.ended(Health::Down, false, now, &config);
        for expected in [200, 400, 800, 1000, 1000] {
            let open = Duration::from_millis(expected);
            assert!(!breaker.wants_probe(now + Duration::from_millis(expected - 1)), "{expected}");
            now += open;
            assert!(breaker.probe(now), "{expected}");
            breaker.ended(Health::Bad, true, now, &config);
        }
    }

    #[test]
    fn a_probe_that_is_given_up_is_not_followed_by_the_next_at_once() {
        let (config, start) = (config(), Instant::now());
        let mut breaker = Breaker::new(&config);
        breaker.ended(Health::Down, false, start, &config);
        let mut now = start + config.open_min;
        for _ in 0..3 {
            assert!(breaker.probe(now));
            breaker.ended(Health::Unknown, true, now, &config);
            assert!(!breaker.wants_probe(now + config.open_min));
            // Nor does it stay away for longer each time: it may be the callers.
            now += 2 * config.open_min;
        }
        assert!(breaker.probe(now));
    }

    #[test]
    fn a_probe_that_is_given_up_says_nothing_of_a_node_that_has_answered_since() {
        let (config, start) = (config(), Instant::now());
        let mut breaker = Breaker::new(&config);
        breaker.ended(Health::Down, false, start, &config);
        let now = start + config.open_min;
        assert!(breaker.probe(now));
        breaker.ended(Health::Good, false, now, &config);
        breaker.ended(Health::Unknown, true, now, &config);
        assert!(breaker.is_closed());
    }

    #[test]
    fn a_call_that_is_no_probe_tries_it_now_and_then() {
        let (config, start) = (config(), Instant::now());
        let mut breaker = Breaker::new(&config);
        assert!(!breaker.knock(start, &config), "closed, there is nothing to try");
        breaker.ended(Health::Down, false, start, &config);
        assert!(!breaker.knock(start + config.open_max, &config), "a probe comes first");
        let later = start + config.open_min + config.open_max;
        assert!(breaker.knock(later, &config) && !breaker.knock(later, &config));
        assert!(breaker.wants_probe(later), "it is in no probe's way");
        breaker.ended(Health::Bad, false, later, &config);
        assert!(breaker.knock(later + config.open_max, &config));
        breaker.ended(Health::Good, false, later, &config);
        assert!(breaker.is_closed());
        let endless = BreakerConfig::new().open_min(Duration::MAX).open_max(Duration::MAX);
        let mut breaker = Breaker::new(&endless);
        breaker.ended(Health::Down, false, start, &endless);
        assert!(!breaker.probe(later) && !breaker.knock(later, &endless));
    }

    /// All sequences of events of a small scope.
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
                        breaker.ended(health, false, now, &config);
                        if health == Health::Good {
                            assert!(breaker.is_closed());
                        }
                    }
                    Event::EndProbe(health) if probing => {
                        breaker.ended(health, true, now, &config);
                        probing = false;
                    }
                    Event::EndProbe(_) => {}
                    Event::Wait => now += config.open_max,
                    Event::Probe => {
                        let due = breaker.wants_probe(now);
                        assert_eq!(breaker.probe(now), due);
                        probing |= due;
                    }
                }
                rest /= events.len();
                assert!(breaker.state() != BreakerState::HalfOpen || probing, "nobody would end it");
            }
            // However it came to be as it is: a probe that succeeds closes it.
            now += config.open_max;
            if probing {
                breaker.ended(Health::Good, true, now, &config);
            } else if !breaker.is_closed() {
                assert!(breaker.probe(now));
                breaker.ended(Health::Good, true, now, &config);
            }
            assert!(breaker.is_closed());
        }
    }
}
