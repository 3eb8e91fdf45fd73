//! [`Clock`]: the node's source of the time.
//!
//! Invariant: a manual clock moves only when it is advanced, so that tests of
//! timestamps and of delayed reaping need not sleep.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A clock: the system's, or one that a test sets.
///
/// ```
/// use riak_testkit::Clock;
/// use std::time::Duration;
///
/// let clock = Clock::manual(Duration::from_secs(1_700_000_000));
/// clock.advance(Duration::from_millis(2_500));
/// assert_eq!(clock.now(), Duration::from_millis(1_700_000_002_500));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// The time of a manual clock; `None` for the system's clock.
    manual: Option<Arc<Mutex<Duration>>>,
}

impl Clock {
    /// Returns the system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self { manual: None }
    }

    /// Creates a clock that stands at this time since the Unix epoch until it is
    /// [advanced](Clock::advance). Clones share the time.
    #[must_use]
    pub fn manual(since_epoch: Duration) -> Self {
        Self { manual: Some(Arc::new(Mutex::new(since_epoch))) }
    }

    /// Returns the time since the Unix epoch.
    #[must_use]
    pub fn now(&self) -> Duration {
        match &self.manual {
            Some(time) => *time.lock().unwrap_or_else(PoisonError::into_inner),
            // A system clock set to before 1970 counts as zero.
            None => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        }
    }

    /// Advances a manual clock. Has no effect on the system's clock.
    pub fn advance(&self, by: Duration) {
        if let Some(time) = &self.manual {
            let mut time = time.lock().unwrap_or_else(PoisonError::into_inner);
            *time = time.saturating_add(by);
        }
    }
}
