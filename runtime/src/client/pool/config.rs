//! [`PoolConfig`]: how many connections to a node there are, and for how long.
//!
//! Invariant: the defaults are safe in production: connections are bounded, and
//! nothing waits for ever.

use std::time::Duration;

use super::super::config::setters;

/// Settings of a [`Pool`](super::Pool).
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
    /// How many connections for unary calls are kept open even if nobody uses
    /// them, once the pool has been used. 1: the first call after a pause need
    /// not connect.
    pub min_connections: usize,
    /// How many connections for unary calls there may be. 16. A Riak node works
    /// on one request of a connection at a time, so that connections are what
    /// makes it work in parallel.
    pub max_connections: usize,
    /// How many calls each connection has in flight before another one is
    /// opened. 4: fewer connections than calls, since a server with answers to
    /// be written coalesces them, and few enough that a slow request holds up
    /// little behind it.
    pub target_in_flight: usize,
    /// How many connections there may be for streams and calls of
    /// [`Cost::Long`](crate::operation::Cost), each of which has its own. 8:
    /// each of them makes a node walk much of what it stores.
    pub max_streams: usize,
    /// How many streams and long calls may wait for a connection. 1,024.
    pub max_waiting: usize,
    /// How long a call may wait for a connection: to be made, or for another
    /// stream's end. 10 seconds.
    pub wait_timeout: Duration,
    /// How long a connection is kept that nobody uses. 5 minutes. Riak itself
    /// never closes an idle connection; firewalls do, mostly after an hour and
    /// some after less.
    pub idle_timeout: Option<Duration>,
    /// How long a connection is used at all, and up to a fifth longer. One hour:
    /// where a load balancer stands in front of the nodes, connections spread
    /// over those that have come back. Calls in flight are not disturbed.
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
    /// The defaults.
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
        idle_timeout: Option<Duration>,
        max_lifetime: Option<Duration>,
    }
}
