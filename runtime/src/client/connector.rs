//! [`Connector`]: how connections to a node are made.
//!
//! Invariant: what a connector returns is ready for calls: whatever has to be
//! exchanged before, it has exchanged.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use tokio::net::{TcpStream, ToSocketAddrs};

use super::config::ConnectionConfig;
use super::connection::{Connection, now};
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

/// Connects to a node: to the first of its addresses that can be had. Each has
/// its share of the time that is left, so that one which does not answer leaves
/// some to the others.
pub(crate) async fn dial(address: impl ToSocketAddrs, after: Duration) -> Result<TcpStream, ConnectionError> {
    let begun = now();
    let left = || after.saturating_sub(now().saturating_duration_since(begun));
    let timeout = ConnectionError::ConnectTimeout { after };
    let Ok(found) = tokio::time::timeout(after, tokio::net::lookup_host(address)).await else {
        return Err(timeout);
    };
    let addresses: Vec<SocketAddr> = found?.collect();
    let mut error = None;
    for (index, address) in addresses.iter().enumerate() {
        let others = u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        match tokio::time::timeout(left() / others, TcpStream::connect(address)).await {
            Ok(Ok(socket)) => return prepared(socket),
            Ok(Err(refused)) => error = Some(refused.into()),
            // Why another one was refused says more.
            Err(_) => error = error.or_else(|| Some(timeout.clone())),
        }
    }
    Err(error.unwrap_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the name has no address").into()))
}

fn prepared(socket: TcpStream) -> Result<TcpStream, ConnectionError> {
    // Without it a small request may wait 40 ms for an acknowledgement.
    socket.set_nodelay(true)?;
    Ok(socket)
}
