//! TLS and authentication for connections, using rustls with ring. Feature `tls`.
//!
//! With `riak-client`, the URL options `tls`, `ca`, `cert` and `server_name` are all
//! that is needed. Otherwise, a [`TlsConfig`] defines what to trust,
//! [`TlsConfig::build`] reads the files, and a [`SecuredConnector`] makes secured
//! connections for a [`Pool`](crate::client::Pool) or
//! [`Cluster`](crate::client::Cluster). A connection to Riak starts in clear text,
//! switches to TLS when the client requests it, and then authenticates;
//! [`SecuredConnector`] does all three.
//!
//! # What a node needs
//!
//! - TLS 1.2 or 1.3, and a cipher suite with ECDHE and AES-GCM or ChaCha20-Poly1305, such
//!   as `ECDHE-RSA-AES128-GCM-SHA256`. Suites with CBC, DHE or static RSA are not
//!   supported. Erlang before OTP 18 has no others, so nodes that run on it, such as Riak
//!   2.0 to 2.2 on R16, cannot be reached over TLS.
//! - An X.509 version 3 certificate that is not an authority's (`CA:FALSE`), with an RSA key
//!   of at least 2048 bits, an ECDSA key on P-256 or P-384, or an Ed25519 key, signed with
//!   SHA-256 or stronger. `openssl x509 -req` makes a version 1 certificate unless it is
//!   given extensions. Authorities and clients may have version 1 certificates.
//! - The host's name among the certificate's subject alternative names, or
//!   [`Verify::Chain`].
//!
//! Errors say which of these is missing, as far as the server tells.
//!
//! Invariant: only named authorities and names are trusted. By default these are the
//! system's roots and the name of the host that is connected to.

mod config;
mod connector;
mod error;
mod stream;
mod verify;

use std::fmt;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

pub use config::{TlsConfig, Verify};
pub use connector::SecuredConnector;
pub use error::TlsError;
pub use stream::TlsStream;

/// A [`TlsConfig`] whose files have been read: makes TLS handshakes. Cheap to clone.
#[derive(Clone)]
pub struct Tls {
    connector: TlsConnector,
    /// The name that certificates must be valid for, instead of the host's.
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

    /// Performs the handshake with `host` over `io`, which must have no clear text left
    /// to read. This function has no timeout.
    ///
    /// The driver of a [`Connection`](crate::client::Connection) over the returned
    /// stream needs [`Driver::assume_sent`](crate::client::Driver::assume_sent).
    ///
    /// # Errors
    ///
    /// If the server's certificate is not trusted, or the handshake fails for another
    /// reason.
    pub async fn handshake<IO>(&self, io: IO, host: &str) -> Result<TlsStream<IO>, TlsError>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => config::server_name(host)?,
        };
        match self.connector.connect(name, io).await {
            Ok(stream) => Ok(TlsStream::new(stream)),
            Err(error) => Err(TlsError::of(&error)),
        }
    }

    /// Returns what is checked of the server's certificate.
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
