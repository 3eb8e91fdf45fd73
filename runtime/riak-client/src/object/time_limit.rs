//! [`TimeLimit`]: one timeout for an operation that makes several calls.
//!
//! Invariant: no call of the operation gets more time than the ones before it have
//! left, and none of them more than its own client allows.

use std::time::Duration;

use riak_runtime::client::{Call, CallOptions, With};
use tokio::time::Instant;

use crate::Riak;

/// The time that is left of a client's timeout.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeLimit {
    /// `None` if the client's calls have no timeout.
    deadline: Option<Instant>,
}

impl TimeLimit {
    /// Begins an operation now that takes no longer than a single call through `call`
    /// may take.
    pub(super) fn of(call: &impl Call) -> Self {
        Self { deadline: call.timeout().and_then(|timeout| Instant::now().checked_add(timeout)) }
    }

    fn left(self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Returns a client whose next call gets the time that is left.
    pub(super) fn rest<C: Call>(self, riak: &Riak<C>) -> Riak<With<&C>> {
        let mut options = CallOptions::new();
        options.timeout = self.left();
        Riak::over(With::new(riak.carrier(), options))
    }

    /// Reports whether there is time for another call after a pause.
    pub(super) fn outlasts(self, pause: Duration) -> bool {
        self.left().is_none_or(|left| pause < left)
    }
}
