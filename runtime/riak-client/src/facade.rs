//! [`Riak`]: all of Riak's services behind one handle.
//!
//! Invariant: the handle holds nothing but the carrier of the calls; each service's
//! client borrows that.

use std::fmt;

use riak_runtime::client::{
    Call, CallError, CallOptions, Cluster, ClusterStats, Connection, ConnectionConfig, ConnectionError,
    ToSocketAddrs, With,
};

use crate::checked::Checked;
use crate::config::{IntoConfig, InvalidConfig};
use crate::riak_services::{
    RiakAae, RiakBucket, RiakDt, RiakKv, RiakMapReduce, RiakRepl, RiakSearch, RiakSecurity, RiakServer,
    RiakTs,
};

/// The client: all of Riak's services, called through a [`Cluster`] of nodes, or
/// through anything else that implements [`Call`].
///
/// Clones share the connections. Calls may be made from many tasks at once, and
/// their futures may be dropped at any time: no call ever gets another's answer.
/// Dropping the last clone closes the connections; [`Riak::close`] waits for calls
/// in flight.
///
/// ```no_run
/// use riak_client::riak_kv::RpbGetReq;
/// use riak_client::{Riak, ServerErrorKind};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let riak = Riak::connect("127.0.0.1:8087").await?;
/// let request = RpbGetReq { r#type: Some("accounts".into()), ..RpbGetReq::new("users", "alice") };
/// match riak.kv().get(&request).await {
///     Ok(found) => println!("{:?}", found.content),
///     Err(error) if error.is(ServerErrorKind::NoSuchBucketType) => println!("create `accounts`"),
///     Err(error) => return Err(error.into()),
/// }
/// riak.close().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Riak<C = Cluster> {
    call: C,
}

impl Riak {
    /// Connects to all nodes of a cluster at once, and returns as soon as one is
    /// connected.
    ///
    /// Starts [discovery](crate::Discovery) if that is configured.
    ///
    /// Takes a [`ClientConfig`](crate::ClientConfig), a URL
    /// (`riak://host1,host2?timeout=2s`), `host:port`, or an address: see
    /// [`IntoConfig`].
    ///
    /// # Errors
    ///
    /// Fails if the configuration is invalid, or if no node can be connected to;
    /// the error names all of them.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime with timers and IO.
    pub async fn connect(to: impl IntoConfig) -> Result<Self, ConnectError> {
        let config = to.into_config()?;
        let riak = Self::over(config.build()?);
        riak.call.connect().await?;
        config.discovery.start(&riak.call, &config.nodes);
        Ok(riak)
    }

    /// Creates a client that connects at its first call.
    ///
    /// Discovery is not started: call [`Discovery::start`](crate::Discovery::start)
    /// for that.
    ///
    /// # Errors
    ///
    /// Fails if the configuration is invalid.
    pub fn lazy(to: impl IntoConfig) -> Result<Self, InvalidConfig> {
        Ok(Self::over(to.into_config()?.build()?))
    }

    /// Returns a snapshot of each node's circuit breaker, latency, calls and
    /// connections.
    #[must_use]
    pub fn stats(&self) -> ClusterStats {
        self.call.stats()
    }

    /// Refuses new calls, waits for those in flight, and closes all connections.
    ///
    /// Open streams are waited for as well, so bound the wait with a timeout. See
    /// [`Cluster::close`] for what happens if the future is dropped.
    pub async fn close(&self) {
        self.call.close().await;
    }
}

impl Riak<Connection> {
    /// Connects to one node over a single connection, which is not re-established.
    ///
    /// No call is retried, and a stream makes all other calls wait.
    ///
    /// # Errors
    ///
    /// Fails if connecting fails or takes longer than
    /// [`connect_timeout`](ConnectionConfig::connect_timeout).
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime with timers and IO.
    pub async fn connect_one(
        address: impl ToSocketAddrs,
        config: ConnectionConfig,
    ) -> Result<Self, ConnectionError> {
        Connection::connect_with(address, config).await.map(Self::over)
    }
}

/// Why [`Riak::connect`] failed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The configuration is invalid.
    Config(InvalidConfig),
    /// No node can be connected to. [`CallError::Tried`] names all of them.
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

// No `source`: the text has that of the cause in it.
impl std::error::Error for ConnectError {}

impl<C: Call> Riak<C> {
    /// Creates a client whose calls go through `call`: a connection or cluster that
    /// clients of other schemas may use as well.
    pub const fn over(call: C) -> Self {
        Self { call }
    }

    /// Returns what carries the calls, so that clients of other schemas can share
    /// it.
    pub const fn carrier(&self) -> &C {
        &self.call
    }

    /// Returns a client that applies these options to each call: a deadline, and
    /// whether it may be repeated. It shares the connections, and can be kept and moved
    /// to other tasks. If what carries the calls cannot be cloned, lend it to
    /// [`Riak::over`].
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
    pub fn with(&self, options: CallOptions) -> Riak<With<C>>
    where
        C: Clone,
    {
        Riak { call: With::new(self.call.clone(), options) }
    }

    /// Returns the client for requests about the node itself: ping, its name and
    /// release.
    pub const fn server(&self) -> RiakServer<&C> {
        RiakServer::new(&self.call)
    }

    /// Returns the client for the requests that set up a secured connection.
    ///
    /// It is rarely needed: the feature `tls` makes these requests.
    pub const fn security(&self) -> RiakSecurity<&C> {
        RiakSecurity::new(&self.call)
    }

    /// Returns the client for the properties of buckets and bucket types.
    pub const fn buckets(&self) -> RiakBucket<&C> {
        RiakBucket::new(&self.call)
    }

    /// Returns the client for objects, listings, secondary indexes, and the
    /// counters of Riak 1.4.
    ///
    /// Requests that Riak is known to crash on are refused: see [`Checked`].
    pub const fn kv(&self) -> RiakKv<Checked<&C>> {
        RiakKv::new(Checked::new(&self.call))
    }

    /// Returns the client for data types: counters, sets, maps, `HyperLogLog`s,
    /// grow-only sets.
    ///
    /// [`Riak::convergent`] is the safer way to use them.
    ///
    /// Requests that Riak is known to crash on are refused: see [`Checked`].
    pub const fn data_types(&self) -> RiakDt<Checked<&C>> {
        RiakDt::new(Checked::new(&self.call))
    }

    /// Returns the client for map/reduce jobs.
    pub const fn map_reduce(&self) -> RiakMapReduce<&C> {
        RiakMapReduce::new(&self.call)
    }

    /// Returns the client for the full-text search of Riak 2.0 to 2.9.
    pub const fn search(&self) -> RiakSearch<&C> {
        RiakSearch::new(&self.call)
    }

    /// Returns the client for Riak TS.
    pub const fn time_series(&self) -> RiakTs<&C> {
        RiakTs::new(&self.call)
    }

    /// Returns the client for replication queues and for the cluster's membership.
    pub const fn replication(&self) -> RiakRepl<&C> {
        RiakRepl::new(&self.call)
    }

    /// Returns the client for folds over the anti-entropy trees and key stores.
    pub const fn anti_entropy(&self) -> RiakAae<&C> {
        RiakAae::new(&self.call)
    }
}
