//! [`TlsConfig`]: which authorities to trust, and which certificate to present.
//!
//! Invariant: files are read once, when [`TlsConfig::build`] is called, and an error in
//! a file is reported with its path.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::Tls;
use super::error::TlsError;
use super::verify::ChainVerifier;

/// The checks of a server's certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verify {
    /// A trusted authority has signed the certificate, it is currently valid, and it
    /// names the host that is connected to.
    #[default]
    Full,
    /// Everything but the name. Many certificates of Riak nodes do not name the host,
    /// or only in their common name, which does not count. With this setting, whoever
    /// holds any certificate of the trusted authorities can pose as the node: trust
    /// only an authority of the cluster's own. If all certificates have the same name,
    /// use [`TlsConfig::server_name`] instead. Each [`TlsConfig::build`] logs a warning
    /// through `tracing`.
    Chain,
}

/// The source of PEM text.
#[derive(Clone, PartialEq, Eq)]
enum Pem {
    File(PathBuf),
    Text(Vec<u8>),
}

/// The certificates to trust, and the one to present to the server.
///
/// TLS 1.2 and 1.3 are offered. Files are not read before [`TlsConfig::build`].
///
/// ```no_run
/// use riak_runtime::tls::TlsConfig;
///
/// let tls = TlsConfig::new()
///     .ca_file("/etc/riak/ca.pem")
///     .client_certificate_files("client.pem", "client.key")
///     .build()?;
/// # Ok::<(), riak_runtime::tls::TlsError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsConfig {
    roots: Vec<Pem>,
    client: Option<(Pem, Pem)>,
    server_name: Option<String>,
    verify: Verify,
}

impl TlsConfig {
    /// Creates a configuration that trusts the system's authorities, checks everything,
    /// and presents no certificate.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts the authorities in a PEM file instead of those of the system. May be
    /// called several times.
    #[must_use]
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.roots.push(Pem::File(path.into()));
        self
    }

    /// Trusts the authorities in a PEM text instead of those of the system. May be
    /// called several times.
    #[must_use]
    pub fn ca_pem(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.roots.push(Pem::Text(text.into()));
        self
    }

    /// Presents a certificate to the server, for users that Riak authenticates by
    /// `certificate`. One PEM file contains the certificate and the intermediate
    /// certificates, the other contains the private key; both may be the same file.
    #[must_use]
    pub fn client_certificate_files(
        mut self,
        certificates: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Self {
        self.client = Some((Pem::File(certificates.into()), Pem::File(key.into())));
        self
    }

    /// Does the same as [`TlsConfig::client_certificate_files`], with PEM texts.
    #[must_use]
    pub fn client_certificate_pem(
        mut self,
        certificates: impl Into<Vec<u8>>,
        key: impl Into<Vec<u8>>,
    ) -> Self {
        self.client = Some((Pem::Text(certificates.into()), Pem::Text(key.into())));
        self
    }

    /// Sets the name that servers' certificates must have, instead of the host that is
    /// connected to. It is also the name that is sent to the server (SNI).
    #[must_use]
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// Sets what is checked of a server's certificate. [`Verify::Full`] by default.
    #[must_use]
    pub fn verify(mut self, verify: Verify) -> Self {
        self.verify = verify;
        self
    }

    /// Reads the files and checks them. Blocks while it reads.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or contains no certificate or key, if the client's
    /// certificate and key do not belong together, if the system has no roots and none
    /// are configured, or if [`TlsConfig::server_name`] is not a valid name.
    pub fn build(&self) -> Result<Tls, TlsError> {
        // Name the provider, so that the result does not depend on what else the
        // program has installed.
        let provider = Arc::new(ring::default_provider());
        let roots = Arc::new(self.roots()?);
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Protocol(error.to_string()))?;
        let builder = match self.verify {
            Verify::Full => {
                let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider).build();
                // This cannot fail: there are roots, and no revocation lists.
                builder.with_webpki_verifier(verifier.map_err(|error| TlsError::Protocol(error.to_string()))?)
            }
            Verify::Chain => {
                tracing::warn!(
                    target: "riak",
                    "names of servers' certificates are not checked (verify = chain): whoever holds any \
                     certificate of the trusted authorities can pose as a node"
                );
                builder
                    .dangerous()
                    .with_custom_certificate_verifier(Arc::new(ChainVerifier::new(roots, &provider)))
            }
        };
        let config = match self.client()? {
            Some((certificates, key)) => builder
                .with_client_auth_cert(certificates, key)
                .map_err(|error| TlsError::ClientCertificate(error.to_string()))?,
            None => builder.with_no_client_auth(),
        };
        let name = self.server_name.as_deref().map(server_name).transpose()?;
        Ok(Tls::new(config, name, self.verify))
    }

    fn roots(&self) -> Result<RootCertStore, TlsError> {
        let mut store = RootCertStore::empty();
        if self.roots.is_empty() {
            let found = rustls_native_certs::load_native_certs();
            store.add_parsable_certificates(found.certs);
            if store.is_empty() {
                let why = found.errors.first().map(ToString::to_string);
                return Err(TlsError::NoSystemRoots(why.unwrap_or_default()));
            }
            return Ok(store);
        }
        for pem in &self.roots {
            for certificate in pem.certificates()? {
                store
                    .add(certificate)
                    .map_err(|error| TlsError::Pem { source: pem.to_string(), reason: error.to_string() })?;
            }
        }
        Ok(store)
    }

    fn client(&self) -> Result<Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>, TlsError> {
        let Some((certificates, key)) = &self.client else { return Ok(None) };
        Ok(Some((certificates.certificates()?, key.key()?)))
    }
}

/// Parses a host as certificates name it: a DNS name or an IP address.
pub(super) fn server_name(host: &str) -> Result<ServerName<'static>, TlsError> {
    // The zone of a link-local address is meaningful on this machine only.
    let name = host.split_once('%').map_or(host, |(address, _)| address);
    ServerName::try_from(name.to_owned()).map_err(|_| TlsError::InvalidName(host.to_owned()))
}

impl Pem {
    fn text(&self) -> Result<Vec<u8>, TlsError> {
        match self {
            Self::File(path) => fs::read(path)
                .map_err(|error| TlsError::Pem { source: self.to_string(), reason: error.to_string() }),
            Self::Text(text) => Ok(text.clone()),
        }
    }

    fn invalid(&self, error: &pem::Error, wanted: &str) -> TlsError {
        let reason = match error {
            pem::Error::NoItemsFound => format!("it holds no {wanted}"),
            error => error.to_string(),
        };
        TlsError::Pem { source: self.to_string(), reason }
    }

    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let text = self.text()?;
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
        let found = found.map_err(|error| self.invalid(&error, "certificate"))?;
        if found.is_empty() {
            return Err(self.invalid(&pem::Error::NoItemsFound, "certificate"));
        }
        Ok(found)
    }

    fn key(&self) -> Result<PrivateKeyDer<'static>, TlsError> {
        PrivateKeyDer::from_pem_slice(&self.text()?).map_err(|error| self.invalid(&error, "private key"))
    }
}

impl fmt::Display for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "`{}`", path.display()),
            Self::Text(_) => f.write_str("the PEM text"),
        }
    }
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Omits the text, which may be a private key.
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_local_address_is_named_without_its_interface() {
        assert_eq!(server_name("fe80::1%eth0").unwrap(), server_name("fe80::1").unwrap());
        assert_eq!(server_name("riak-1.example.com").unwrap().to_str(), "riak-1.example.com");
        assert_eq!(server_name("a b"), Err(TlsError::InvalidName("a b".to_owned())));
    }
}
