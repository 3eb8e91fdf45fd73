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

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, ToSocketAddrs};

use super::config::ConnectionConfig;
use super::connection::{Connection, now};
use super::error::ConnectionError;
use super::node::Node;
use crate::DecodeLimits;

/// What [`Connector::connect`] returns.
pub type Connecting<'a> = Pin<Box<dyn Future<Output = Result<Connection, ConnectionError>> + Send + 'a>>;

/// Makes the connections of a [`Pool`](super::Pool) or
/// [`Cluster`](super::Cluster): plain ones ([`TcpConnector`]), secured ones, or ones
/// to a server in the same process.
///
/// ```
/// use riak_runtime::client::{Connecting, Connection, ConnectionConfig, Connector, Node};
///
/// /// Connects to whatever a program does with the other end of a pipe.
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
    /// The connection that it gives is ready for calls: its driver has been spawned,
    /// and handshakes are done. The error is the one that waiting calls get.
    fn connect<'a>(&'a self, node: &'a Node) -> Connecting<'a>;

    /// How long connecting takes at most. A pool gives up a connect that takes
    /// longer, so that it does not keep others from connecting. 30 seconds unless
    /// implemented.
    fn connect_timeout(&self) -> Duration {
        Duration::from_secs(30)
    }

    /// The limits for decoding answers that arrive over its connections: those of
    /// their [`ConnectionConfig`]. [`DecodeLimits::DEFAULT`] unless implemented.
    fn decode_limits(&self) -> DecodeLimits {
        DecodeLimits::DEFAULT
    }
}

/// Makes TCP connections without TLS or authentication.
#[derive(Clone, Debug, Default)]
pub struct TcpConnector {
    config: ConnectionConfig,
}

impl TcpConnector {
    /// A connector whose connections have these settings.
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
            Ok(Ok(socket)) => return configure(socket),
            Ok(Err(refused)) => error = Some(refused.into()),
            // Why another one was refused says more.
            Err(_) => error = error.or_else(|| Some(timeout.clone())),
        }
    }
    Err(error
        .unwrap_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the host name has no address").into()))
}

/// After so long without a byte the other side is asked whether it is still there:
/// before a firewall forgets the connection, which some do after a minute or a
/// few, without telling anybody.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);

/// How often it is asked before that is found out.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// For how long bytes may stay without acknowledgement, or without room at the
/// other side; the system by itself allows a quarter of an hour. A Riak node that
/// is at a request reads no others, for up to a minute.
#[cfg(any(target_os = "linux", target_os = "android"))]
const USER_TIMEOUT: Duration = Duration::from_secs(75);

fn configure(socket: TcpStream) -> Result<TcpStream, ConnectionError> {
    // Without it a small request may wait 40 ms for an acknowledgement.
    socket.set_nodelay(true)?;
    // What a system has no word for is left out: the connection is as good.
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

    /// A server whose queue is full drops what asks to connect, without a word: on
    /// Linux.
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
        let addresses = [silent, good.local_addr().unwrap()];
        let socket = dial(&addresses[..], Duration::from_secs(2)).await.unwrap();
        assert_eq!(socket.peer_addr().unwrap(), addresses[1]);
        let error = dial(silent, Duration::from_millis(50)).await.unwrap_err();
        assert!(matches!(error, ConnectionError::ConnectTimeout { .. }), "{error:?}");
    }
}
