//! [`ClusterConfig`]: how calls are spread over nodes, and retried.
//!
//! Invariant: the defaults are safe in production: attempts are bounded, in number
//! and as a share of all calls.

use std::time::Duration;

use super::super::breaker::BreakerConfig;
use super::super::config::setters;
use super::super::pool::PoolConfig;

/// Settings of a [`Cluster`](super::Cluster).
///
/// ```
/// use riak_runtime::client::{ClusterConfig, PoolConfig, RetryConfig};
///
/// let config = ClusterConfig::new()
///     .pool(PoolConfig::new().max_connections(32))
///     .retry(RetryConfig::new().max_attempts(2));
/// assert_eq!(config.retry.max_attempts, 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterConfig {
    /// The number and lifetime of the connections to each node.
    pub pool: PoolConfig,
    /// When a node counts as down, and for how long it then gets no calls.
    pub breaker: BreakerConfig,
    /// Whether and how soon failed calls are retried.
    pub retry: RetryConfig,
    /// How long a unary call may take, all attempts together. A caller can set a
    /// shorter time with [`CallOptions::timeout`](super::super::CallOptions).
    ///
    /// Does not apply to streams and long calls. Default `None`: each attempt has
    /// the connection's
    /// [`call_timeout`](super::super::ConnectionConfig::call_timeout), and Riak its
    /// own timeout of 60 seconds. Set it: only the program knows how long it can
    /// wait.
    pub timeout: Option<Duration>,
}

impl ClusterConfig {
    /// Creates the default settings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        pool: PoolConfig,
        breaker: BreakerConfig,
        retry: RetryConfig,
        timeout: impl Into<Option<Duration>>,
    }
}

/// Whether and how soon failed calls are retried.
///
/// Which calls may be repeated is decided by the schema
/// ([`Retry`](crate::operation::Retry)) or by the caller
/// ([`CallOptions::retry`](super::super::CallOptions::retry)).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryConfig {
    /// The maximum number of attempts at a call. Default 3. With 1 (or 0), no call
    /// is retried.
    pub max_attempts: u32,
    /// How long an attempt may take if another node can make up for it. Default 10
    /// seconds, so that a node that hangs costs no more than that.
    ///
    /// Applies to all attempts but the last, which has until the call's deadline. A
    /// request whose own timeout field gives the server more time than this has that
    /// time. If the call has a deadline, such an attempt also gets no more than half of
    /// the time that is left. For a stream, a long call, or a call that must not be
    /// repeated, or if the budget allows no retry when the attempt begins, this limits only
    /// the wait for a connection, not the answer.
    pub attempt_timeout: Option<Duration>,
    /// The maximum backoff before the second attempt, doubled with each further
    /// one. Default 10 ms.
    ///
    /// The actual backoff is random, between half of that and all of it. There is
    /// one only if the server answered with an error, if too many calls wait, or if
    /// every node has been tried.
    pub backoff_min: Duration,
    /// The maximum backoff before any attempt. Default 1 second.
    pub backoff_max: Duration,
    /// The number of retries that a hundred calls allow, on top of the reserve.
    /// Default 10: when all nodes are slow, more retries would make them slower.
    ///
    /// Retries of calls that were not sent, or that a node said it does not serve,
    /// do not count. More than 100 counts as 100.
    pub budget_percent: u32,
    /// The number of retries allowed whatever their share. Default 100; once used
    /// up, it fills again with the share of later calls.
    pub budget_reserve: u32,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            attempt_timeout: Some(Duration::from_secs(10)),
            backoff_min: Duration::from_millis(10),
            backoff_max: Duration::from_secs(1),
            budget_percent: 10,
            budget_reserve: 100,
        }
    }
}

impl RetryConfig {
    /// Creates the default settings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        max_attempts: u32,
        attempt_timeout: impl Into<Option<Duration>>,
        backoff_min: Duration,
        backoff_max: Duration,
        budget_percent: u32,
        budget_reserve: u32,
    }
}
