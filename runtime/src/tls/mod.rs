//! TLS for connections: what is trusted, and the handshake. Feature `tls`.
//!
//! Riak's connections begin in clear and change to TLS at a request of the
//! client's; that exchange is the schema's matter (`riak_client::security`).
//! Here is what comes after it. Invariant: nothing is trusted that was not
//! named: by default the system's roots and the name that is connected to.

mod config;
mod connector;
mod error;
mod verify;

use std::fmt;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;

pub use config::{TlsConfig, Verify};
pub use connector::SecuredConnector;
pub use error::TlsError;

/// Makes TLS handshakes: a [`TlsConfig`] whose files have been read.
#[derive(Clone)]
pub struct Tls {
    connector: TlsConnector,
    /// The name that certificates are to be valid for, instead of the host's.
    server_name: Option<ServerName<'static>>,
    verify: Verify,
}

impl Tls {
    fn new(
        config: tokio_rustls::rustls::ClientConfig,
        server_name: Option<ServerName<'static>>,
        verify: Verify,
    ) -> Self {
        Self { connector: TlsConnector::from(Arc::new(config)), server_name, verify }
    }

    /// Makes the handshake with `host` over a connection that is there, and on
    /// which nothing is to be read in clear any more. The driver of a connection
    /// over it is to be [`leaking`](crate::client::Driver::leaking).
    ///
    /// # Errors
    ///
    /// If the server's certificate is not trusted, or the handshake fails for
    /// another reason.
    pub async fn handshake<IO>(&self, io: IO, host: &str) -> Result<TlsStream<IO>, TlsError>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => config::server_name(host)?,
        };
        self.connector.connect(name, io).await.map_err(|error| TlsError::of(&error))
    }

    /// What is checked of the server's certificate.
    #[must_use]
    pub fn verify(&self) -> Verify {
        self.verify
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("server_name", &self.server_name)
            .field("verify", &self.verify)
            .finish_non_exhaustive()
    }
}
