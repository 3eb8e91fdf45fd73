//! [`Connector`]: establishes connections to nodes.
//!
//! Invariant: a connection that a connector returns is ready for calls: any handshake
//! is complete.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, ToSocketAddrs};

use super::config::ConnectionConfig;
use super::connection::{Connection, now};
use super::error::{ConnectionError, Unreachable};
use super::node::Node;
use crate::DecodeLimits;

/// The future that [`Connector::connect`] returns.
pub type Connecting<'a> = Pin<Box<dyn Future<Output = Result<Connection, ConnectionError>> + Send + 'a>>;

/// Establishes the connections of a [`Pool`](super::Pool) or
/// [`Cluster`](super::Cluster).
///
/// They can be plain TCP ([`TcpConnector`]), use TLS, or lead to a server in the same
/// process.
///
/// ```
/// use riak_runtime::client::{Connecting, Connection, ConnectionConfig, Connector, Node};
///
/// /// Connects to a function that serves the other end of a pipe.
/// #[derive(Debug)]
/// struct InProcess(fn(tokio::io::DuplexStream));
///
/// impl Connector for InProcess {
///     fn connect<'a>(&'a self, _: &'a Node) -> Connecting<'a> {
///         let (ours, theirs) = tokio::io::duplex(64 * 1024);
///         (self.0)(theirs);
///         let (connection, driver) = Connection::new(ours, ConnectionConfig::new());
///         tokio::spawn(driver);
///         Box::pin(std::future::ready(Ok(connection)))
///     }
/// }
/// ```
pub trait Connector: fmt::Debug + Send + Sync + 'static {
    /// Connects to a node.
    ///
    /// The returned connection must be ready for calls: its driver is spawned, and
    /// handshakes are complete. Calls that wait for the connection get the error.
    fn connect<'a>(&'a self, node: &'a Node) -> Connecting<'a>;

    /// Returns how long connecting may take. A pool abandons a connect that takes
    /// longer, so that it does not block others. The default implementation returns 30
    /// seconds.
    fn connect_timeout(&self) -> Duration {
        Duration::from_secs(30)
    }

    /// Returns the limits for decoding answers that arrive over these connections, as
    /// set in their [`ConnectionConfig`]. The default implementation returns
    /// [`DecodeLimits::DEFAULT`].
    fn decode_limits(&self) -> DecodeLimits {
        DecodeLimits::DEFAULT
    }
}

/// A connector for TCP without TLS or authentication.
#[derive(Clone, Debug, Default)]
pub struct TcpConnector {
    config: ConnectionConfig,
}

impl TcpConnector {
    /// Creates a connector whose connections have these settings.
    #[must_use]
    pub fn new(config: ConnectionConfig) -> Self {
        Self { config }
    }
}

impl Connector for TcpConnector {
    fn connect<'a>(&'a self, node: &'a Node) -> Connecting<'a> {
        Box::pin(Connection::connect_with((node.host(), node.port()), self.config.clone()))
    }

    fn connect_timeout(&self) -> Duration {
        self.config.connect_timeout
    }

    fn decode_limits(&self) -> DecodeLimits {
        self.config.decode_limits
    }
}

/// Connects to the first address of a node that accepts, within `after`. Each address
/// gets an equal share of the time that is left, so that an unresponsive one leaves
/// time for the others.
pub(crate) async fn dial(address: impl ToSocketAddrs, after: Duration) -> Result<TcpStream, ConnectionError> {
    let start = now();
    let left = || after.saturating_sub(now().saturating_duration_since(start));
    let timeout = ConnectionError::ConnectTimeout { after };
    let Ok(found) = tokio::time::timeout(after, tokio::net::lookup_host(address)).await else {
        return Err(timeout);
    };
    let unresolved = |error| ConnectionError::Unresolved(Arc::new(error));
    let addresses: Vec<SocketAddr> = found.map_err(unresolved)?.collect();
    let mut error = None;
    for (index, address) in addresses.iter().enumerate() {
        let others = u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        match tokio::time::timeout(left() / others, TcpStream::connect(address)).await {
            Ok(Ok(socket)) => return configure(socket),
            Ok(Err(refused)) => {
                let unreachable = Unreachable { address: *address, error: refused };
                error = Some(ConnectionError::Unreachable(Arc::new(unreachable)));
            }
            // The error of another address says more than a timeout.
            Err(_) => error = error.or_else(|| Some(timeout.clone())),
        }
    }
    Err(error.unwrap_or_else(|| unresolved(io::Error::new(io::ErrorKind::NotFound, "it has no address"))))
}

/// Idle time before the first TCP keepalive probe.
///
/// Some firewalls silently drop connections that are idle for one minute or a few; the
/// probes come earlier.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);

/// Time between TCP keepalive probes.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// How long sent bytes may stay unacknowledged, or unsent because the peer's receive
/// window is full, before TCP closes the connection (`TCP_USER_TIMEOUT`).
///
/// The system's default is a quarter of an hour. The value must exceed one minute: a
/// Riak node that handles a request reads no others for up to that long.
#[cfg(any(target_os = "linux", target_os = "android"))]
const USER_TIMEOUT: Duration = Duration::from_secs(75);

/// Sets the options of a socket.
fn configure(socket: TcpStream) -> Result<TcpStream, ConnectionError> {
    // With Nagle's algorithm a small request may wait 40 ms for an acknowledgement.
    socket.set_nodelay(true)?;
    // The connection works without the options that the system does not support.
    let options = SockRef::from(&socket);
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_IDLE).with_interval(KEEPALIVE_INTERVAL);
    let _ = options.set_tcp_keepalive(&keepalive);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = options.set_tcp_user_timeout(Some(USER_TIMEOUT));
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    #[tokio::test]
    async fn connections_are_kept_alive() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = dial(listener.local_addr().unwrap(), Duration::from_secs(2)).await.unwrap();
        let options = SockRef::from(&socket);
        assert!(options.keepalive().unwrap() && socket.nodelay().unwrap());
        #[cfg(target_os = "linux")]
        assert_eq!(options.tcp_user_timeout().unwrap(), Some(USER_TIMEOUT));
    }

    /// On Linux, a listener whose queue is full silently drops connection attempts.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn an_address_that_does_not_answer_leaves_time_for_the_next() {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let full = socket.listen(1).unwrap();
        let silent = full.local_addr().unwrap();
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..8 {
            waiting.spawn(TcpStream::connect(silent));
        }
        while waiting.try_join_next().is_some() || waiting.len() > 6 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let good = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good_address = good.local_addr().unwrap();
        let addresses = [silent, good_address];
        let socket = dial(&addresses[..], Duration::from_secs(2)).await.unwrap();
        assert_eq!(socket.peer_addr().unwrap(), addresses[1]);
        let error = dial(silent, Duration::from_millis(50)).await.unwrap_err();
        assert!(matches!(error, ConnectionError::ConnectTimeout { .. }), "{error:?}");
        // A refusal says more than the timeout of another address.
        drop(good);
        for addresses in [[good_address, silent], [silent, good_address]] {
            let error = dial(&addresses[..], Duration::from_millis(50)).await.unwrap_err();
            let ConnectionError::Unreachable(unreachable) = &error else { panic!("{error:?}") };
            assert_eq!(unreachable.address, good_address);
        }
    }

    #[tokio::test]
    async fn what_has_no_address_is_unresolved() {
        let after = Duration::from_secs(2);
        let none: &[SocketAddr] = &[];
        for error in [dial(none, after).await, dial("host without a port", after).await] {
            let error = error.unwrap_err();
            assert!(matches!(error, ConnectionError::Unresolved(_)), "{error:?}");
        }
    }
}
