//! [`CallOptions`] and [`With`]: what a caller asks of single calls.
//!
//! Invariant: options only ever tighten. Whatever carries the call keeps its
//! own limits beside them, and the earlier deadline counts.

use std::time::Duration;

use super::call::{Answered, Call};
use super::connection::now;
use super::error::CallError;
use super::outgoing::Outgoing;
use super::responses::FrameStream;
use crate::DecodeLimits;
use crate::operation::Retry;

/// What a caller asks of single calls.
///
/// ```
/// use std::time::Duration;
/// use riak_runtime::client::CallOptions;
///
/// let options = CallOptions::new().timeout(Duration::from_millis(250));
/// assert_eq!(options.timeout, Some(Duration::from_millis(250)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallOptions {
    /// How long the whole call may take, from its first poll: waiting its turn,
    /// connecting, sending, receiving, and all attempts together; of a stream,
    /// until its last answer. Where the request has a field for it, and has not
    /// set it, the server is told to give up a little earlier, so that its own
    /// answer can still arrive. `None`: the limits of the connection alone.
    pub timeout: Option<Duration>,
    /// Whether the call may be made again when its outcome is unknown, if the
    /// caller knows better than the schema: [`Retry::Safe`] for a put whose
    /// siblings do no harm, [`Retry::Never`] for a get that must hit one node
    /// only. `None`: as the schema says.
    pub retry: Option<Retry>,
}

impl CallOptions {
    /// No options.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets [`timeout`](Self#structfield.timeout).
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets [`retry`](Self#structfield.retry).
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = Some(retry);
        self
    }
}

/// Carries calls as something else does, and gives each of them the same
/// options.
///
/// ```
/// # use std::time::Duration;
/// # use riak_runtime::client::{Call, CallOptions, With};
/// # fn example<C: Call>(cluster: &C) {
/// let quick = With::new(cluster, CallOptions::new().timeout(Duration::from_millis(250)));
/// # drop(quick);
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct With<C> {
    call: C,
    options: CallOptions,
}

impl<C: Call> With<C> {
    /// Calls through `call`, with `options`.
    pub const fn new(call: C, options: CallOptions) -> Self {
        Self { call, options }
    }
}

impl<C: Call> Call for With<C> {
    // The time starts with the first poll.
    async fn unary(&self, request: &Outgoing<'_>) -> Result<Answered, CallError> {
        self.call.unary(&request.with_options(&self.options, now())).await
    }

    async fn stream(&self, request: &Outgoing<'_>) -> Result<FrameStream, CallError> {
        self.call.stream(&request.with_options(&self.options, now())).await
    }

    fn decode_limits(&self) -> DecodeLimits {
        self.call.decode_limits()
    }

    fn max_owed(&self) -> Option<usize> {
        self.call.max_owed()
    }
}
