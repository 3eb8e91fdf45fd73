//! [`Clock`]: where the node takes the time from.
//!
//! Invariant: a manual clock only moves when it is told to, so that tests of
//! timestamps and of delayed reaping do not sleep.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The time as the node sees it.
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
    /// `None` is the system's clock.
    manual: Option<Arc<Mutex<Duration>>>,
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self { manual: None }
    }

    /// A clock that stands at this time since the Unix epoch until it is
    /// [advanced](Clock::advance). Clones show the same time.
    #[must_use]
    pub fn manual(since_epoch: Duration) -> Self {
        Self { manual: Some(Arc::new(Mutex::new(since_epoch))) }
    }

    /// The time since the Unix epoch.
    #[must_use]
    pub fn now(&self) -> Duration {
        match &self.manual {
            Some(time) => *time.lock().unwrap_or_else(PoisonError::into_inner),
            // A system that is set to before 1970 has no time for us: zero.
            None => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        }
    }

    /// Moves a manual clock on. Does nothing to the system's.
    pub fn advance(&self, by: Duration) {
        if let Some(time) = &self.manual {
            let mut time = time.lock().unwrap_or_else(PoisonError::into_inner);
            *time = time.saturating_add(by);
        }
    }
}
