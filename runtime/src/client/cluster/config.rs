//! [`ClusterConfig`]: how calls are spread over nodes, and made again.
//!
//! Invariant: the defaults are safe in production: attempts are bounded, in
//! number and as a share of all calls.

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
    /// The connections to each node.
    pub pool: PoolConfig,
    /// When a node counts as down.
    pub breaker: BreakerConfig,
    /// What is done about calls that fail.
    pub retry: RetryConfig,
    /// How long a unary call may take, all attempts together, unless its caller
    /// says something else ([`CallOptions::timeout`](super::super::CallOptions)).
    /// `None`: each attempt has the connection's
    /// [`call_timeout`](super::super::ConnectionConfig::call_timeout), and Riak
    /// its own of 60 seconds. Set it: what a program can wait for, only it knows.
    pub timeout: Option<Duration>,
}

impl ClusterConfig {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        pool: PoolConfig,
        breaker: BreakerConfig,
        retry: RetryConfig,
        timeout: Option<Duration>,
    }
}

/// What is done about calls that fail. Which calls may be made again at all is
/// the schema's matter ([`Retry`](crate::operation::Retry)), and a caller's
/// ([`CallOptions::retry`](super::super::CallOptions::retry)).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryConfig {
    /// How often a call is made in all. 3; 1 makes no call again.
    pub max_attempts: u32,
    /// How long an attempt may take whose call may be made again at another
    /// node, if its own deadline leaves more. 10 seconds: a node that hangs
    /// answers nobody, and says nothing. The last attempt is bounded by the
    /// call's own deadline alone. With a deadline, an attempt that is not the
    /// last gets half of the time that is left. What may not be made again, and
    /// what takes long, is bounded so until it has a connection, and not then.
    pub attempt_timeout: Option<Duration>,
    /// How long is paused at most before the second attempt, where the first
    /// failed because the cluster has too much to do. 10 ms, doubled with each
    /// attempt; the actual pause lies between half of it and all.
    pub backoff_min: Duration,
    /// How long is paused at most before any attempt. 1 second.
    pub backoff_max: Duration,
    /// How many calls in a hundred may be made again after a node was asked, on
    /// top of the reserve. 10: when all nodes are slow, more would make them
    /// slower. Calls that never left do not count, nor do those that a node said
    /// it does not serve.
    pub budget_percent: u32,
    /// How many calls may be made again whatever their share. 100.
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
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        max_attempts: u32,
        attempt_timeout: Option<Duration>,
        backoff_min: Duration,
        backoff_max: Duration,
        budget_percent: u32,
        budget_reserve: u32,
    }
}
