//! [`SecuredConnector`]: connections that begin in clear, change to TLS at a
//! request, and authenticate with another.
//!
//! Invariant: there is no way back to clear text: if the server does not want
//! TLS, there is no connection. What authenticates is sent under TLS only.

use std::fmt;
use std::time::Duration;

use tokio::net::TcpStream;

use super::Tls;
use crate::client::{
    Connecting, Connection, ConnectionConfig, ConnectionError, Connector, Node, dial, handshake,
};
use crate::{DecodeLimits, Request};

/// Makes TCP connections that change to TLS with the request `S`, and then
/// authenticate with the request `A`.
///
/// For Riak these are `RpbStartTls` and `RpbAuthReq`; `riak-client` makes this
/// connector of its configuration. A server that refuses TLS gets no connection:
/// credentials are never sent in clear text.
pub struct SecuredConnector<S, A> {
    tls: Tls,
    start: S,
    authenticate: A,
    config: ConnectionConfig,
    timeout: Duration,
}

impl<S: Request, A: Request> SecuredConnector<S, A> {
    /// How long the exchange after the TCP connect may take by default: 15 seconds,
    /// since Riak takes 5 to refuse a wrong password.
    pub const TIMEOUT: Duration = Duration::from_secs(15);

    /// A connector that sends `start`, makes the TLS handshake, and sends
    /// `authenticate`. Its connections have the settings of `config`.
    pub fn new(tls: Tls, start: S, authenticate: A, config: ConnectionConfig) -> Self {
        Self { tls, start, authenticate, config, timeout: Self::TIMEOUT }
    }

    /// Sets how long the exchange after the TCP connect may take: TLS and
    /// authentication together.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    async fn secure(&self, mut socket: TcpStream, host: &str) -> Result<Connection, ConnectionError> {
        handshake(&mut socket, &self.start).await?;
        let mut secured = self.tls.handshake(socket, host).await?;
        // With TLS 1.3 a server refuses the client's certificate after the
        // client has done its part: that is heard here.
        handshake(&mut secured, &self.authenticate).await.map_err(refused_late)?;
        let (connection, driver) = Connection::new(secured, self.config.clone());
        tokio::spawn(driver.leaking());
        Ok(connection)
    }
}

fn refused_late(error: ConnectionError) -> ConnectionError {
    match &error {
        ConnectionError::Io(io) if io.get_ref().is_some() => super::TlsError::of(io).into(),
        _ => error,
    }
}

impl<S, A> Connector for SecuredConnector<S, A>
where
    S: Request + 'static,
    A: Request + 'static,
{
    fn connect<'a>(&'a self, node: &'a Node) -> Connecting<'a> {
        Box::pin(async move {
            let socket = dial((node.host(), node.port()), self.config.connect_timeout).await?;
            match tokio::time::timeout(self.timeout, self.secure(socket, node.host())).await {
                Ok(result) => result,
                Err(_) => Err(ConnectionError::ConnectTimeout { after: self.timeout }),
            }
        })
    }

    fn connect_timeout(&self) -> Duration {
        // One for the socket, one for what is exchanged then.
        self.config.connect_timeout.saturating_add(self.timeout)
    }

    fn decode_limits(&self) -> DecodeLimits {
        self.config.decode_limits
    }
}

impl<S, A> fmt::Debug for SecuredConnector<S, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the requests: one of them holds a password.
        f.debug_struct("SecuredConnector").field("tls", &self.tls).finish_non_exhaustive()
    }
}
