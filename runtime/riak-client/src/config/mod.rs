//! [`ClientConfig`]: all that a client can be told, in one place.
//!
//! As a builder, or as a URL (`url`), whose parameters are those of
//! `parameters`. Invariant: whatever has to do with security is decided here
//! once, and cannot be weakened later: credentials without TLS are refused.

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

/// All that a client can be told: the nodes, and how to deal with them.
///
/// ```
/// use std::time::Duration;
/// use riak_client::ClientConfig;
///
/// let built = ClientConfig::new(["riak-1.example.com".parse()?, "riak-2.example.com".parse()?])
///     .timeout(Some(Duration::from_secs(2)));
/// let parsed: ClientConfig = "riak://riak-1.example.com,riak-2.example.com?timeout=2s".parse()?;
/// assert_eq!(built, parsed);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientConfig {
    /// The nodes to call: some of the cluster's are enough to begin with.
    pub nodes: Vec<Node>,
    /// Who to authenticate as, on a cluster whose security is on. Needs TLS.
    pub user: Option<String>,
    /// The user's password; empty for the sources `certificate` and `trust`.
    pub password: Secret,
    /// Whom to trust. `None`: no TLS.
    #[cfg(feature = "tls")]
    pub tls: Option<TlsConfig>,
    /// Each connection.
    pub connection: ConnectionConfig,
    /// How calls are spread over nodes and connections.
    pub cluster: ClusterConfig,
    /// Where the list of nodes is taken from once the client has connected.
    pub discovery: Discovery,
}

impl ClientConfig {
    /// A client of these nodes, with the defaults.
    pub fn new(nodes: impl IntoIterator<Item = Node>) -> Self {
        Self { nodes: nodes.into_iter().collect(), ..Self::default() }
    }

    /// Authenticates with a password, under TLS.
    #[must_use]
    pub fn credentials(mut self, user: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.user = Some(user.into());
        self.password = password.into();
        self
    }

    /// Secures connections.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: TlsConfig) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Sets how long a unary call may take, all attempts together, unless its
    /// caller says something else.
    #[must_use]
    pub fn timeout(mut self, timeout: Option<Duration>) -> Self {
        self.cluster.timeout = timeout;
        self
    }

    /// Sets what is true of each connection.
    #[must_use]
    pub fn connection(mut self, connection: ConnectionConfig) -> Self {
        self.connection = connection;
        self
    }

    /// Sets how calls are spread over nodes and connections.
    #[must_use]
    pub fn cluster(mut self, cluster: ClusterConfig) -> Self {
        self.cluster = cluster;
        self
    }

    /// Sets where the list of nodes is taken from once the client has connected.
    #[must_use]
    pub fn discovery(mut self, discovery: Discovery) -> Self {
        self.discovery = discovery;
        self
    }

    /// How connections are made, as this says.
    ///
    /// # Errors
    ///
    /// If there are credentials and no TLS, or the other way round, or files
    /// cannot be read.
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

    /// A cluster, as this says. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// As [`ClientConfig::connector`], and if there are no nodes.
    pub fn build(&self) -> Result<Cluster, InvalidConfig> {
        if self.nodes.is_empty() {
            return Err(InvalidConfig::NoNodes);
        }
        Ok(Cluster::new(self.nodes.iter().cloned(), self.connector()?, self.cluster.clone()))
    }
}

/// What says which nodes to call: a [`ClientConfig`], a URL or `host:port`, an
/// address, a node, or several.
pub trait IntoConfig {
    /// The configuration.
    ///
    /// # Errors
    ///
    /// If it is a text that says none.
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
