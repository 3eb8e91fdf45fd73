//! [`Discovery`]: where a client gets its list of nodes from as it runs.
//!
//! Invariant: the configured nodes are called until a source finds others; a source
//! that fails changes nothing.

use std::sync::Arc;
use std::time::Duration;

use riak_runtime::client::{Cluster, Dns, Node};

use crate::Membership;

/// The source of the list of nodes, and how often it is queried.
///
/// [`Riak::connect`](crate::Riak::connect) queries it at once, and again whenever
/// [`Discovery::every`](Self#structfield.every) has passed since the last answer. A
/// source that fails changes nothing; `Riak::stats` says why it failed.
///
/// Both sources return IP addresses. If the nodes' certificates name hosts, set
/// `server_name` to the name in the certificates.
///
/// ```
/// use std::time::Duration;
/// use riak_client::{ClientConfig, Discovery};
///
/// let config: ClientConfig = "riak://nodes.example.com?discover=dns&discover_every=30s".parse()?;
/// assert_eq!(config.discovery, Discovery::dns().every(Duration::from_secs(30)));
/// # Ok::<(), riak_client::InvalidConfig>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Discovery {
    /// The source to query.
    pub source: DiscoverySource,
    /// How long after its last answer the source is queried again. Default one
    /// minute.
    pub every: Duration,
}

/// A source of the list of nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DiscoverySource {
    /// No source: the configured nodes are called.
    #[default]
    Off,
    /// DNS: every address of the configured host names is a node.
    Dns,
    /// The cluster itself, from Riak 3.0.10: see [`Membership`].
    Membership,
}

impl Default for Discovery {
    fn default() -> Self {
        Self { source: DiscoverySource::Off, every: Self::EVERY }
    }
}

impl Discovery {
    /// The default of [`Discovery::every`](Self#structfield.every): a minute. In
    /// that time, a node that has left costs a few attempts, until its circuit
    /// breaker opens.
    pub const EVERY: Duration = Duration::from_secs(60);

    /// Queries DNS, once a minute.
    #[must_use]
    pub fn dns() -> Self {
        Self { source: DiscoverySource::Dns, ..Self::default() }
    }

    /// Queries the cluster, once a minute.
    #[must_use]
    pub fn membership() -> Self {
        Self { source: DiscoverySource::Membership, ..Self::default() }
    }

    /// Sets how long after its last answer the source is queried again. Less than
    /// 10 ms counts as 10 ms.
    #[must_use]
    pub fn every(mut self, every: Duration) -> Self {
        self.every = every;
        self
    }

    /// Makes a cluster query the source from now on. `nodes` are those whose names
    /// are resolved.
    ///
    /// [`Riak::connect`](crate::Riak::connect) does this;
    /// [`Riak::lazy`](crate::Riak::lazy) does not.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime with timers and IO, unless the source is
    /// [`DiscoverySource::Off`].
    pub fn start(&self, cluster: &Cluster, nodes: &[Node]) {
        match self.source {
            DiscoverySource::Off => {}
            DiscoverySource::Dns => {
                cluster.keep_discovering(Arc::new(Dns::new(nodes.iter().cloned())), self.every);
            }
            DiscoverySource::Membership => cluster.keep_discovering(Arc::new(Membership), self.every),
        }
    }
}
