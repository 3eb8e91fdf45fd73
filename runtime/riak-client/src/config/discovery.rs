//! [`Discovery`]: where a client's list of nodes comes from as time goes by.
//!
//! Invariant: what is configured is what is called until something else is
//! found out; a source that fails changes nothing.

use std::sync::Arc;
use std::time::Duration;

use riak_runtime::client::{Cluster, Dns, Node};

use crate::Membership;

/// Where the list of nodes comes from. A client that
/// [connects](crate::Riak::connect) asks at once, and then each time when
/// [`Discovery::EVERY`], or what is said here, has passed.
///
/// Both sources give addresses. Where certificates name hosts, say which name
/// they have with `server_name`.
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
    /// Who is asked.
    pub source: DiscoverySource,
    /// How long after one answer the next is asked for.
    pub every: Duration,
}

/// Who says which nodes there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DiscoverySource {
    /// The configuration alone.
    #[default]
    Off,
    /// The name service: every address of the configured nodes' names is a node.
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
    /// How often is asked unless it is said: a minute, in which a node that has
    /// left costs some attempts, and none where its breaker is open.
    pub const EVERY: Duration = Duration::from_secs(60);

    /// Asks the name service.
    #[must_use]
    pub fn dns() -> Self {
        Self { source: DiscoverySource::Dns, ..Self::default() }
    }

    /// Asks the cluster.
    #[must_use]
    pub fn membership() -> Self {
        Self { source: DiscoverySource::Membership, ..Self::default() }
    }

    /// Sets how long after one answer the next is asked for.
    #[must_use]
    pub fn every(mut self, every: Duration) -> Self {
        self.every = every;
        self
    }

    /// Has a cluster ask from now on.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with timers, unless nobody is to be asked.
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
