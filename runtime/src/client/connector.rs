//! [`Connector`]: how connections to a node are made.
//!
//! Invariant: what a connector returns is ready for calls: whatever has to be
//! exchanged before, it has exchanged.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::net::{TcpStream, ToSocketAddrs};

use super::config::ConnectionConfig;
use super::connection::Connection;
use super::error::ConnectionError;
use super::node::Node;
use crate::DecodeLimits;

/// What [`Connector::connect`] returns.
pub type Connecting<'a> = Pin<Box<dyn Future<Output = Result<Connection, ConnectionError>> + Send + 'a>>;

/// Makes connections: plain ones, secured ones, or ones to a server in the same
/// process.
pub trait Connector: fmt::Debug + Send + Sync + 'static {
    /// Connects to a node. The connection's driver has been spawned, and
    /// nothing is left to be exchanged before the first call.
    fn connect<'a>(&'a self, node: &'a Node) -> Connecting<'a>;

    /// What decoding an answer may cost that came over its connections: what
    /// their configuration says.
    fn decode_limits(&self) -> DecodeLimits {
        DecodeLimits::DEFAULT
    }
}

/// Makes plain TCP connections.
#[derive(Clone, Debug, Default)]
pub struct TcpConnector {
    config: ConnectionConfig,
}

impl TcpConnector {
    /// Makes connections with these settings.
    #[must_use]
    pub fn new(config: ConnectionConfig) -> Self {
        Self { config }
    }
}

impl Connector for TcpConnector {
    fn connect<'a>(&'a self, node: &'a Node) -> Connecting<'a> {
        Box::pin(Connection::connect_with((node.host(), node.port()), self.config.clone()))
    }

    fn decode_limits(&self) -> DecodeLimits {
        self.config.decode_limits
    }
}

/// Connects to a node: to the first of its addresses that can be had.
pub(crate) async fn dial(address: impl ToSocketAddrs, after: Duration) -> Result<TcpStream, ConnectionError> {
    let Ok(socket) = tokio::time::timeout(after, TcpStream::connect(address)).await else {
        return Err(ConnectionError::ConnectTimeout { after });
    };
    let socket = socket?;
    // Without it a small request may wait 40 ms for an acknowledgement.
    socket.set_nodelay(true)?;
    Ok(socket)
}
