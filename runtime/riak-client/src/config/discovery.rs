//! [`Discovery`]: where a client's list of nodes comes from as time goes by.
//!
//! Invariant: what is configured is what is called until something else is
//! found out; a source that fails changes nothing.

use std::sync::Arc;
use std::time::Duration;

use riak_runtime::client::{Cluster, Dns, Node};

use crate::Membership;

/// Where the list of nodes comes from, and how often it is asked for.
///
/// [`Riak::connect`](crate::Riak::connect) asks at once, and again whenever
/// [`Discovery::every`](Self#structfield.every) has passed since the last answer. A
/// source that fails changes nothing.
///
/// Both sources give IP addresses. If the nodes' certificates name hosts, set
/// `server_name` to the name that they have.
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
    /// The source that is asked.
    pub source: DiscoverySource,
    /// How long after one answer the source is asked again. Default one minute.
    pub every: Duration,
}

/// Which source says what nodes there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DiscoverySource {
    /// None: the configured nodes are called.
    #[default]
    Off,
    /// The name service: every address of the configured host names is a node.
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
    /// The default of [`Discovery::every`](Self#structfield.every): a minute. A node
    /// that has left costs a few attempts in that time, until its circuit breaker opens.
    pub const EVERY: Duration = Duration::from_secs(60);

    /// Asks the name service, once a minute.
    #[must_use]
    pub fn dns() -> Self {
        Self { source: DiscoverySource::Dns, ..Self::default() }
    }

    /// Asks the cluster, once a minute.
    #[must_use]
    pub fn membership() -> Self {
        Self { source: DiscoverySource::Membership, ..Self::default() }
    }

    /// Sets how long after one answer the source is asked again. Less than 10 ms counts
    /// as 10 ms.
    #[must_use]
    pub fn every(mut self, every: Duration) -> Self {
        self.every = every;
        self
    }

    /// Has a cluster ask the source from now on. `nodes` are those whose names are
    /// looked up. [`Riak::connect`](crate::Riak::connect) does it;
    /// [`Riak::lazy`](crate::Riak::lazy) does not.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with timers and IO, unless the source is
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
