//! [`PoolConfig`]: how many connections to a node there are, and for how long.
//!
//! Invariant: the defaults are safe in production: connections are bounded, and
//! nothing waits forever.

use std::time::Duration;

use super::super::config::setters;

/// Settings of a [`Pool`](super::Pool).
///
/// Each field has a method of the same name that sets it. A time of `None` means no
/// limit.
///
/// ```
/// use riak_runtime::client::PoolConfig;
///
/// let config = PoolConfig::new().max_connections(32).max_streams(4);
/// assert_eq!(config.max_connections, 32);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolConfig {
    /// The number of connections for unary calls that are kept open even if unused,
    /// once the pool has been used. Default 1, so that the first call after a pause
    /// does not have to connect.
    pub min_connections: usize,
    /// The maximum number of connections for unary calls. Default 16; 0 counts
    /// as 1. A Riak node works on one request of a connection at a time, so it takes
    /// several connections to make it work in parallel.
    pub max_connections: usize,
    /// The number of calls in flight on each connection before another one is
    /// opened. Default 4: enough that the server can write several answers at once,
    /// and few enough that a slow request holds up little behind it.
    pub target_in_flight: usize,
    /// The maximum number of connections for streams and calls of
    /// [`Cost::Long`](crate::operation::Cost), each of which has its own. Default
    /// 8: each of them makes a node walk much of what it stores. 0 counts as 1.
    pub max_streams: usize,
    /// The number of streams and long calls that may wait for a connection; further
    /// ones fail with [`NotSent::QueueFull`](super::super::NotSent::QueueFull).
    /// Default 1,024. Unary calls that wait for the first connection are limited to
    /// 65,536.
    pub max_waiting: usize,
    /// How long a call may wait for a connection: until one is opened or, for a
    /// stream, until another stream ends. Default 10 seconds.
    pub wait_timeout: Duration,
    /// How long an unused connection is kept. Default 5 minutes. Riak itself never
    /// closes an idle connection; firewalls do, mostly after an hour, some sooner.
    pub idle_timeout: Option<Duration>,
    /// How long a connection is used before it is replaced. Default one hour.
    ///
    /// Each connection lives up to a fifth longer, so that not all expire at once.
    /// Behind a load balancer, replacing connections spreads them again over nodes
    /// that have come back. Calls in flight are not disturbed.
    pub max_lifetime: Option<Duration>,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self {
            min_connections: 1,
            max_connections: 16,
            target_in_flight: 4,
            max_streams: 8,
            max_waiting: 1024,
            wait_timeout: Duration::from_secs(10),
            idle_timeout: Some(Duration::from_secs(300)),
            max_lifetime: Some(Duration::from_secs(3600)),
        }
    }
}

impl PoolConfig {
    /// Creates the default settings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        min_connections: usize,
        max_connections: usize,
        target_in_flight: usize,
        max_streams: usize,
        max_waiting: usize,
        wait_timeout: Duration,
        idle_timeout: impl Into<Option<Duration>>,
        max_lifetime: impl Into<Option<Duration>>,
    }
}
