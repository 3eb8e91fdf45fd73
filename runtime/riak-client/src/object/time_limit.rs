//! [`TimeLimit`]: one timeout for an operation that makes several calls.
//!
//! Invariant: no call of the operation gets more time than the ones before it have
//! left, and none of them more than its own client allows.

use std::time::Duration;

use riak_runtime::client::{Call, CallError, CallOptions, MAX_RETURN_MARGIN, NotSent, ServerErrorKind, With};
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

    /// Reports whether there is time left after a pause.
    pub(super) fn outlasts(self, pause: Duration) -> bool {
        self.left().is_none_or(|left| pause < left)
    }

    /// Reports whether the call that [`TimeLimit::rest`] was for has failed because the
    /// time is up.
    pub(super) fn has_ended(self, error: &CallError) -> bool {
        let Some(left) = self.left() else { return false };
        match error.cause() {
            CallError::NotSent(NotSent::Deadline) => true,
            // The server is told to give up somewhat earlier than its caller.
            CallError::Server(error) if error.kind() == ServerErrorKind::Timeout => left <= MAX_RETURN_MARGIN,
            CallError::Timeout { .. }
            | CallError::NotSent(NotSent::Connecting { .. } | NotSent::PoolTimeout { .. }) => left.is_zero(),
            _ => false,
        }
    }
}
