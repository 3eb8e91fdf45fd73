//! [`CallOptions`] and [`With`]: settings of single calls.
//!
//! Invariant: a timeout can only shorten a call. The connection, pool or cluster keeps
//! its own limits, and the earlier deadline applies.

use std::time::Duration;

use super::call::{Answered, Call};
use super::connection::now;
use super::error::CallError;
use super::outgoing::Outgoing;
use super::responses::FrameStream;
use crate::DecodeLimits;
use crate::operation::Retry;

/// A deadline for a call, and whether it may be retried.
///
/// [`With`] applies the options; in `riak-client`, `Riak::with` does.
///
/// ```
/// use riak_runtime::client::CallOptions;
/// use riak_runtime::operation::Retry;
/// use std::time::Duration;
///
/// // Times out after 250 ms, and is not retried once a node may have received it.
/// let options = CallOptions::new().timeout(Duration::from_millis(250)).retry(Retry::Never);
/// assert_eq!(options.timeout, Some(Duration::from_millis(250)));
/// assert_eq!(options.retry, Some(Retry::Never));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallOptions {
    /// How long the whole call may take from its first poll, including waiting in
    /// queues, connecting, and all attempts; for a stream, until its last answer. The
    /// limits of connections and clusters apply as well: the earlier one counts.
    ///
    /// If the request has a timeout field and does not set it, the server is told to
    /// give up earlier than the caller, by an eighth of the time that is left but at
    /// most 100 ms, so that its answer can still arrive.
    pub timeout: Option<Duration>,
    /// Whether the call may be retried when its outcome is unknown. It overrides the
    /// schema: for example, [`Retry::Safe`] suits a put whose siblings do no harm.
    /// `None` means what the schema says. A call that cannot have been applied may be
    /// retried in any case.
    pub retry: Option<Retry>,
}

impl CallOptions {
    /// Creates options without a deadline that retry as the schema says.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets [`timeout`](Self#structfield.timeout).
    #[must_use]
    pub fn timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.timeout = timeout.into();
        self
    }

    /// Sets [`retry`](Self#structfield.retry).
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = Some(retry);
        self
    }
}

/// A [`Call`] that makes calls through another one, each with the same options.
///
/// ```no_run
/// use riak_runtime::client::{CallError, CallExt, CallOptions, Cluster, With};
/// use std::time::Duration;
///
/// # async fn example<R: riak_runtime::Request>(cluster: Cluster, request: R) -> Result<(), CallError> {
/// let quick = With::new(&cluster, CallOptions::new().timeout(Duration::from_millis(250)));
/// let answer = quick.call(&request).await?;
/// # let _ = answer;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct With<C> {
    call: C,
    options: CallOptions,
}

impl<C: Call> With<C> {
    /// Wraps `call` so that each of its calls has these options.
    pub const fn new(call: C, options: CallOptions) -> Self {
        Self { call, options }
    }
}

impl<C: Call> Call for With<C> {
    // An `async fn`, so that the timeout begins with the first poll.
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

    fn timeout(&self) -> Option<Duration> {
        [self.options.timeout, self.call.timeout()].into_iter().flatten().min()
    }
}
