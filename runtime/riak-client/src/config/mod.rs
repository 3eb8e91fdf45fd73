//! [`ClientConfig`]: all settings of a client, in one place.
//!
//! It is set up by builder methods or parsed from a URL (`url`), whose parameters
//! are listed in `parameters`. Invariant: security is decided here once, and cannot
//! be weakened later: credentials without TLS are refused.

mod discovery;
mod error;
mod parameters;
mod secret;
#[cfg(feature = "serde")]
mod serde;
mod url;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use riak_runtime::client::{Cluster, ClusterConfig, ConnectionConfig, Connector, Node, TcpConnector};
#[cfg(feature = "tls")]
use riak_runtime::tls::{SecuredConnector, TlsConfig};

pub use discovery::{Discovery, DiscoverySource};
pub use error::InvalidConfig;
pub use parameters::{PARAMETERS, Parameter};
pub use secret::Secret;

/// The settings of a client: the nodes, authentication, timeouts, pools, retries.
///
/// A configuration is parsed from a URL (by [`str::parse`]), read from a file
/// (feature `serde`: a URL, or a map with `nodes` and the parameters), or built in
/// code. [`PARAMETERS`] lists all parameters, with their units and defaults. Fields
/// are public; the methods set them.
///
/// ```
/// use std::time::Duration;
/// use riak_client::ClientConfig;
///
/// let built = ClientConfig::new(["riak-1.example.com".parse()?, "riak-2.example.com".parse()?])
///     .timeout(Some(Duration::from_secs(2)));
/// let parsed: ClientConfig = "riak://riak-1.example.com,riak-2.example.com?timeout=2s".parse()?;
/// assert_eq!(built, parsed);
///
/// // A parameter by its name; values are written as in a URL.
/// let mut config = built;
/// config.set("pool_max", "32")?;
/// assert_eq!(config.cluster.pool.max_connections, 32);
/// let error = config.set("pool_mx", "32").unwrap_err();
/// assert_eq!(error.to_string(), "there is no parameter `pool_mx`: did you mean `pool_max`?");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The settings of pools, retries and circuit breakers have types of their own:
///
/// ```
/// use riak_client::{BreakerConfig, ClientConfig, ClusterConfig, ConnectionConfig, PoolConfig, RetryConfig};
///
/// let cluster = ClusterConfig::new()
///     .pool(PoolConfig::new().max_connections(32))
///     .retry(RetryConfig::new().max_attempts(2))
///     .breaker(BreakerConfig::new().failures(10));
/// let built = ClientConfig::new(["riak-1.example.com".parse()?])
///     .cluster(cluster)
///     .connection(ConnectionConfig::new().max_queued(4096));
/// let url = "riak://riak-1.example.com?pool_max=32&attempts=2&breaker_failures=10&max_queued=4096";
/// assert_eq!(built, url.parse()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientConfig {
    /// The nodes to call. With [discovery](Discovery), some of the cluster's nodes are
    /// enough.
    pub nodes: Vec<Node>,
    /// The user to authenticate as, on a cluster with security enabled. Needs TLS.
    pub user: Option<String>,
    /// The user's password; empty for users whom Riak authenticates by
    /// `certificate` or `trust`.
    pub password: Secret,
    /// The certificates to trust. `None`, the default, means no TLS.
    #[cfg(feature = "tls")]
    pub tls: Option<TlsConfig>,
    /// The settings of each connection.
    pub connection: ConnectionConfig,
    /// The settings of pools, circuit breakers and retries.
    pub cluster: ClusterConfig,
    /// The source of the list of nodes once the client has connected. Off by
    /// default.
    pub discovery: Discovery,
}

impl ClientConfig {
    /// Creates the default settings for these nodes.
    pub fn new(nodes: impl IntoIterator<Item = Node>) -> Self {
        Self { nodes: nodes.into_iter().collect(), ..Self::default() }
    }

    /// Sets the user and the password to authenticate with. Needs TLS.
    #[must_use]
    pub fn credentials(mut self, user: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.user = Some(user.into());
        self.password = password.into();
        self
    }

    /// Secures connections with TLS. Needs a user: Riak requires both.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: TlsConfig) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Sets [`ClusterConfig::timeout`]: how long a unary call may take, all
    /// attempts together. A caller can set a shorter time with
    /// [`CallOptions::timeout`](crate::CallOptions).
    #[must_use]
    pub fn timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.cluster.timeout = timeout.into();
        self
    }

    /// Sets the settings of each connection.
    #[must_use]
    pub fn connection(mut self, connection: ConnectionConfig) -> Self {
        self.connection = connection;
        self
    }

    /// Sets the settings of pools, circuit breakers and retries.
    #[must_use]
    pub fn cluster(mut self, cluster: ClusterConfig) -> Self {
        self.cluster = cluster;
        self
    }

    /// Sets the source of the list of nodes once the client has connected.
    #[must_use]
    pub fn discovery(mut self, discovery: Discovery) -> Self {
        self.discovery = discovery;
        self
    }

    /// Creates the connector for these settings: plain TCP, or TLS with
    /// authentication.
    ///
    /// Reads the files with certificates.
    ///
    /// # Errors
    ///
    /// Fails if there are credentials but no TLS, or TLS but no user, or if a file
    /// cannot be used.
    pub fn connector(&self) -> Result<Arc<dyn Connector>, InvalidConfig> {
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            let user = self.user.as_deref().ok_or(InvalidConfig::NoUser)?;
            let authenticate = crate::riak::RpbAuthReq::new(user, self.password.expose());
            let start = crate::riak_services::RpbStartTls::default();
            let connector = SecuredConnector::new(tls.build()?, start, authenticate, self.connection.clone());
            return Ok(Arc::new(connector));
        }
        if self.user.is_some() || self.password != Secret::default() {
            return Err(InvalidConfig::NoTls);
        }
        Ok(Arc::new(TcpConnector::new(self.connection.clone())))
    }

    /// Creates a cluster with these settings.
    ///
    /// Nothing is connected yet, and discovery is not started.
    ///
    /// # Errors
    ///
    /// Fails as [`ClientConfig::connector`] does, and if there are no nodes.
    pub fn build(&self) -> Result<Cluster, InvalidConfig> {
        if self.nodes.is_empty() {
            return Err(InvalidConfig::NoNodes);
        }
        Ok(Cluster::new(self.nodes.iter().cloned(), self.connector()?, self.cluster.clone()))
    }
}

/// A value that [`Riak::connect`](crate::Riak::connect) accepts: a
/// [`ClientConfig`], a URL or `host:port` as a string, a [`SocketAddr`], a
/// [`Node`], or a vector of nodes.
pub trait IntoConfig {
    /// Converts the value to a configuration.
    ///
    /// # Errors
    ///
    /// Fails if the value is a text that is not a valid configuration.
    fn into_config(self) -> Result<ClientConfig, InvalidConfig>;
}

impl IntoConfig for ClientConfig {
    fn into_config(self) -> Result<ClientConfig, InvalidConfig> {
        Ok(self)
    }
}

impl IntoConfig for &ClientConfig {
    fn into_config(self) -> Result<ClientConfig, InvalidConfig> {
        Ok(self.clone())
    }
}

impl IntoConfig for &str {
    fn into_config(self) -> Result<ClientConfig, InvalidConfig> {
        self.parse()
    }
}

impl IntoConfig for String {
    fn into_config(self) -> Result<ClientConfig, InvalidConfig> {
        self.parse()
    }
}

impl IntoConfig for &String {
    fn into_config(self) -> Result<ClientConfig, InvalidConfig> {
        self.parse()
    }
}

impl IntoConfig for SocketAddr {
    fn into_config(self) -> Result<ClientConfig, InvalidConfig> {
        Ok(ClientConfig::new([self.into()]))
    }
}

impl IntoConfig for Node {
    fn into_config(self) -> Result<ClientConfig, InvalidConfig> {
        Ok(ClientConfig::new([self]))
    }
}

impl IntoConfig for Vec<Node> {
    fn into_config(self) -> Result<ClientConfig, InvalidConfig> {
        Ok(ClientConfig::new(self))
    }
}
