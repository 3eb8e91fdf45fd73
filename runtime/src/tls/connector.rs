//! [`SecuredConnector`]: makes connections that start in clear text, switch to TLS with
//! one request, and authenticate with another.
//!
//! Invariant: a connection never falls back to clear text: if the server refuses TLS,
//! there is no connection. Credentials are only sent over TLS.

use std::fmt;
use std::time::Duration;

use tokio::net::TcpStream;

use super::Tls;
use crate::client::{
    Connecting, Connection, ConnectionConfig, ConnectionError, Connector, Node, dial, handshake,
};
use crate::{DecodeLimits, Request};

/// Makes TCP connections that switch to TLS with the request `S`, and then authenticate
/// with the request `A`.
///
/// For Riak these are `RpbStartTls` and `RpbAuthReq`; `riak-client` creates this
/// connector from its configuration. If a server refuses TLS, no connection is made:
/// credentials are never sent in clear text.
pub struct SecuredConnector<S, A> {
    tls: Tls,
    start: S,
    authenticate: A,
    config: ConnectionConfig,
    timeout: Duration,
}

impl<S: Request, A: Request> SecuredConnector<S, A> {
    /// The default timeout for the exchange after the TCP connect: 15 seconds, since
    /// Riak takes 5 to refuse a wrong password.
    pub const TIMEOUT: Duration = Duration::from_secs(15);

    /// Creates a connector that sends `start`, performs the TLS handshake, and sends
    /// `authenticate`. Its connections use the settings of `config`.
    pub fn new(tls: Tls, start: S, authenticate: A, config: ConnectionConfig) -> Self {
        Self { tls, start, authenticate, config, timeout: Self::TIMEOUT }
    }

    /// Sets the timeout for the exchange after the TCP connect: TLS and authentication
    /// together.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    async fn secure(&self, mut socket: TcpStream, host: &str) -> Result<Connection, ConnectionError> {
        handshake(&mut socket, &self.start).await?;
        let mut secured = self.tls.handshake(socket, host).await?;
        // With TLS 1.3, a server refuses the client's certificate after the client has
        // finished its part of the handshake, so the refusal shows up here.
        handshake(&mut secured, &self.authenticate).await.map_err(refused_late)?;
        let (connection, driver) = Connection::new(secured, self.config.clone());
        tokio::spawn(driver.assume_sent());
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
        // One timeout for the TCP connect, and one for the exchange after it.
        self.config.connect_timeout.saturating_add(self.timeout)
    }

    fn decode_limits(&self) -> DecodeLimits {
        self.config.decode_limits
    }
}

impl<S, A> fmt::Debug for SecuredConnector<S, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Omits the requests: one of them contains a password.
        f.debug_struct("SecuredConnector").field("tls", &self.tls).finish_non_exhaustive()
    }
}
