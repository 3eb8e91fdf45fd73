//! [`Riak`]: all of Riak's services behind one handle.
//!
//! Invariant: it holds nothing but what carries the calls; each service's
//! client borrows that.

use std::fmt;

use riak_runtime::client::{
    Call, CallError, CallOptions, Cluster, ClusterStats, Connection, ConnectionConfig, ConnectionError,
    ToSocketAddrs, With,
};

use crate::config::{IntoConfig, InvalidConfig};
use crate::refused::Checked;
use crate::riak_services::{
    RiakAae, RiakBucket, RiakDt, RiakKv, RiakMapReduce, RiakRepl, RiakSearch, RiakSecurity, RiakServer,
    RiakTs,
};

/// All of Riak's services, called through a cluster of nodes, or through
/// whatever else carries calls.
///
/// Clones share it. Calls may be made from many tasks at once.
#[derive(Clone, Copy, Debug)]
pub struct Riak<C = Cluster> {
    call: C,
}

impl Riak {
    /// Connects to the nodes of a cluster: to all of them at once, and returns
    /// with the first that is there. What it takes is a [`ClientConfig`](crate::ClientConfig), a URL
    /// (`riak://host1,host2?timeout=2s`), `host:port`, or an address.
    ///
    /// # Errors
    ///
    /// If the configuration is wrong, or no node can be connected to; the error
    /// names all of them.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with timers and IO.
    pub async fn connect(to: impl IntoConfig) -> Result<Self, ConnectError> {
        let config = to.into_config()?;
        let riak = Self::over(config.build()?);
        riak.call.connect().await?;
        config.discovery.start(&riak.call, &config.nodes);
        Ok(riak)
    }

    /// The same without connecting: that is left to the first call, and
    /// [`Discovery::start`](crate::Discovery::start) to the caller.
    ///
    /// # Errors
    ///
    /// If the configuration is wrong.
    pub fn lazy(to: impl IntoConfig) -> Result<Self, InvalidConfig> {
        Ok(Self::over(to.into_config()?.build()?))
    }

    /// What each node is at.
    #[must_use]
    pub fn stats(&self) -> ClusterStats {
        self.call.stats()
    }

    /// Takes no more calls, waits for those that there are, and closes all
    /// connections. See [`Cluster::close`] for what stays if that is given up.
    pub async fn close(&self) {
        self.call.close().await;
    }
}

impl Riak<Connection> {
    /// Connects to a node, by one connection and no more: no call is made again,
    /// and streams make others wait.
    ///
    /// # Errors
    ///
    /// If connecting fails or takes too long.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with timers and IO.
    pub async fn connect_one(
        address: impl ToSocketAddrs,
        config: ConnectionConfig,
    ) -> Result<Self, ConnectionError> {
        Connection::connect_with(address, config).await.map(Self::over)
    }
}

/// Why there is no client.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The configuration is wrong.
    Config(InvalidConfig),
    /// No node can be connected to.
    Call(CallError),
}

impl From<InvalidConfig> for ConnectError {
    fn from(error: InvalidConfig) -> Self {
        Self::Config(error)
    }
}

impl From<CallError> for ConnectError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Call(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Config(error) => Some(error),
            Self::Call(error) => Some(error),
        }
    }
}

impl<C: Call> Riak<C> {
    /// Riak's services, called through what there is already: so that clients
    /// of other schemas share its connection.
    pub const fn over(call: C) -> Self {
        Self { call }
    }

    /// What carries the calls, for the clients of other schemas.
    pub const fn carrier(&self) -> &C {
        &self.call
    }

    /// The same services, with options for each call made through them: a
    /// deadline, or what the caller knows better of repeating it.
    ///
    /// ```no_run
    /// # async fn example(riak: riak_client::Riak) -> Result<(), riak_client::CallError> {
    /// use riak_client::{CallOptions, riak_kv::RpbGetReq};
    /// use std::time::Duration;
    ///
    /// let quick = riak.with(CallOptions::new().timeout(Duration::from_millis(200)));
    /// let found = quick.kv().get(&RpbGetReq::new("users", "alice")).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub const fn with(&self, options: CallOptions) -> Riak<With<&C>> {
        Riak { call: With::new(&self.call, options) }
    }

    /// The service of the node itself: ping, its version.
    pub const fn server(&self) -> RiakServer<&C> {
        RiakServer::new(&self.call)
    }

    /// The service of setting up a secured connection.
    pub const fn security(&self) -> RiakSecurity<&C> {
        RiakSecurity::new(&self.call)
    }

    /// The service of properties of buckets and bucket types.
    pub const fn buckets(&self) -> RiakBucket<&C> {
        RiakBucket::new(&self.call)
    }

    /// The service of objects, listings, secondary indexes, counters of Riak 1.4.
    ///
    /// What Riak is known to crash on is refused: see [`Checked`].
    pub const fn kv(&self) -> RiakKv<Checked<&C>> {
        RiakKv::new(Checked::new(&self.call))
    }

    /// The service of data types: counters, sets, maps, and what else converges.
    ///
    /// What Riak is known to crash on is refused: see [`Checked`].
    pub const fn data_types(&self) -> RiakDt<Checked<&C>> {
        RiakDt::new(Checked::new(&self.call))
    }

    /// The service of map/reduce jobs.
    pub const fn map_reduce(&self) -> RiakMapReduce<&C> {
        RiakMapReduce::new(&self.call)
    }

    /// The service of full-text search of Riak 2.0 to 2.9.
    pub const fn search(&self) -> RiakSearch<&C> {
        RiakSearch::new(&self.call)
    }

    /// The service of Riak TS.
    pub const fn time_series(&self) -> RiakTs<&C> {
        RiakTs::new(&self.call)
    }

    /// The service of replication queues and the cluster's membership.
    pub const fn replication(&self) -> RiakRepl<&C> {
        RiakRepl::new(&self.call)
    }

    /// The service of folds over the anti-entropy trees and key stores.
    pub const fn anti_entropy(&self) -> RiakAae<&C> {
        RiakAae::new(&self.call)
    }
}
