//! [`TlsConfig`]: which authorities to trust, and which certificate to present.
//!
//! Invariant: files are read once, when [`TlsConfig::build`] is called, and an error in
//! a file is reported with its path and the option that named it.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio_rustls::rustls::{CertificateError, ClientConfig, Error, RootCertStore};

use super::Tls;
use super::error::{TlsError, certificate_fault};
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

/// A PEM text, and what it was set as.
#[derive(Clone, PartialEq, Eq)]
struct Pem {
    source: Source,
    role: Role,
}

/// The source of a PEM text.
#[derive(Clone, PartialEq, Eq)]
enum Source {
    File(PathBuf),
    Text(Vec<u8>),
}

/// What a PEM text was set as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Authorities,
    Certificate,
    Key,
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
        self.roots.push(Pem::file(path, Role::Authorities));
        self
    }

    /// Trusts the authorities in a PEM text instead of those of the system. May be
    /// called several times.
    #[must_use]
    pub fn ca_pem(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.roots.push(Pem::text(text, Role::Authorities));
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
        self.client = Some((Pem::file(certificates, Role::Certificate), Pem::file(key, Role::Key)));
        self
    }

    /// Does the same as [`TlsConfig::client_certificate_files`], with PEM texts.
    #[must_use]
    pub fn client_certificate_pem(
        mut self,
        certificates: impl Into<Vec<u8>>,
        key: impl Into<Vec<u8>>,
    ) -> Self {
        self.client = Some((Pem::text(certificates, Role::Certificate), Pem::text(key, Role::Key)));
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
                let verifier =
                    WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider)).build();
                // There are roots, and no revocation lists.
                builder.with_webpki_verifier(verifier.map_err(|error| TlsError::Protocol(error.to_string()))?)
            }
            Verify::Chain => {
                tracing::warn!(
                    target: "riak",
                    "names of servers' certificates are not checked (tls=chain, Verify::Chain): whoever holds any \
                     certificate of the trusted authorities can pose as a node"
                );
                builder
                    .dangerous()
                    .with_custom_certificate_verifier(Arc::new(ChainVerifier::new(roots, &provider)))
            }
        };
        let config = match self.client(&provider)? {
            Some(client) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(client))),
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
                store.add(certificate).map_err(|error| pem.unusable_certificate(&error))?;
            }
        }
        Ok(store)
    }

    fn client(&self, provider: &CryptoProvider) -> Result<Option<CertifiedKey>, TlsError> {
        let Some((certificates, key)) = &self.client else { return Ok(None) };
        let chain = certificates.certificates()?;
        let signer = provider.key_provider.load_private_key(key.key()?).map_err(|_| {
            let reason = "its private key is malformed or of a kind that is not supported: use RSA with at \
                          least 2048 bits, ECDSA with P-256 or P-384, or Ed25519";
            key.invalid(reason.to_owned())
        })?;
        // rustls compares keys only with certificates of X.509 version 3, and refuses
        // others. Erlang accepts client certificates of version 1. They contain the public
        // key in the same encoding, so a search for it works for every version.
        let own = chain.first().map(AsRef::as_ref).unwrap_or_default();
        if let Err(error @ Error::InvalidCertificate(CertificateError::BadEncoding)) =
            ParsedCertificate::try_from(&CertificateDer::from(own))
        {
            return Err(certificates.unusable_certificate(&error));
        }
        if let Some(public) = signer.public_key()
            && !own.windows(public.len()).any(|part| part == public.as_ref())
        {
            return Err(TlsError::ClientCertificate(format!(
                "the private key in {key} is not that of the first certificate in {certificates}, which has to be \
                 the client's own"
            )));
        }
        Ok(Some(CertifiedKey::new(chain, signer)))
    }
}

/// Parses a host as certificates name it: a DNS name or an IP address.
pub(super) fn server_name(host: &str) -> Result<ServerName<'static>, TlsError> {
    // The zone of a link-local address is meaningful on this machine only.
    let name = host.split_once('%').map_or(host, |(address, _)| address);
    ServerName::try_from(name.to_owned()).map_err(|_| TlsError::InvalidName(host.to_owned()))
}

/// The mark that some editors put at the start of a UTF-8 file. PEM does not allow it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl Pem {
    fn file(path: impl Into<PathBuf>, role: Role) -> Self {
        Self { source: Source::File(path.into()), role }
    }

    fn text(text: impl Into<Vec<u8>>, role: Role) -> Self {
        Self { source: Source::Text(text.into()), role }
    }

    fn read(&self) -> Result<Vec<u8>, TlsError> {
        let mut text = match &self.source {
            Source::File(path) => fs::read(path).map_err(|error| self.invalid(error.to_string()))?,
            Source::Text(text) => text.clone(),
        };
        if text.starts_with(BYTE_ORDER_MARK) {
            text.drain(..BYTE_ORDER_MARK.len());
        }
        Ok(text)
    }

    fn invalid(&self, reason: String) -> TlsError {
        TlsError::Pem { source: self.to_string(), option: self.option(), reason }
    }

    /// Returns how the text was set: a file is named by a parameter of riak-client's URL too.
    fn option(&self) -> &'static str {
        match (&self.source, self.role) {
            (Source::File(_), Role::Authorities) => "named by the parameter `ca` or `TlsConfig::ca_file`",
            (Source::File(_), Role::Certificate) => {
                "named by the parameter `cert` or `TlsConfig::client_certificate_files`"
            }
            (Source::File(_), Role::Key) => {
                "named by the parameter `cert` or, as the key, `TlsConfig::client_certificate_files`"
            }
            (Source::Text(_), Role::Authorities) => "given to `TlsConfig::ca_pem`",
            (Source::Text(_), Role::Certificate) => "given to `TlsConfig::client_certificate_pem`",
            (Source::Text(_), Role::Key) => "given, as the key, to `TlsConfig::client_certificate_pem`",
        }
    }

    fn unusable_certificate(&self, error: &Error) -> TlsError {
        self.invalid(match error {
            Error::InvalidCertificate(error) => {
                format!("a certificate in it is not acceptable: {}", certificate_fault(error))
            }
            error => error.to_string(),
        })
    }

    /// Returns why no `wanted` can be read from `text`.
    fn fault(&self, text: &[u8], error: &pem::Error, wanted: &str) -> TlsError {
        let labels = labels(text);
        let is_encrypted = labels.iter().any(|label| label == "ENCRYPTED PRIVATE KEY")
            || text.windows(OLD_ENCRYPTION.len()).any(|part| part == OLD_ENCRYPTION);
        let reason = match error {
            // The headers of a key that is encrypted in the older form are not base64.
            // They also end the search for certificates in the same file.
            pem::Error::NoItemsFound if is_encrypted && wanted == KEY => ENCRYPTED.to_owned(),
            pem::Error::Base64Decode(_) if is_encrypted => ENCRYPTED.to_owned(),
            pem::Error::NoItemsFound if text.is_empty() => "it is empty".to_owned(),
            pem::Error::NoItemsFound if text.starts_with(&[SEQUENCE]) => {
                let command = if wanted == KEY { "pkey" } else { "x509" };
                format!("it is in DER, and has to be in PEM: convert it with `openssl {command} -inform der`")
            }
            pem::Error::NoItemsFound if labels.is_empty() => format!("it holds no {wanted} in PEM format"),
            pem::Error::NoItemsFound => format!("it holds no {wanted}, but {}", labels.join(", ")),
            pem::Error::MissingSectionEnd { end_marker } => {
                format!("it is cut off: `-----END {}-----` is missing", String::from_utf8_lossy(end_marker))
            }
            pem::Error::IllegalSectionStart { line } => {
                format!("the line `{}` is malformed", String::from_utf8_lossy(line).trim())
            }
            pem::Error::Base64Decode(why) => {
                format!("it is malformed: the text between BEGIN and END is not base64 ({why})")
            }
            error => error.to_string(),
        };
        self.invalid(reason)
    }

    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let text = self.read()?;
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
        let found = found.map_err(|error| self.fault(&text, &error, CERTIFICATE))?;
        if found.is_empty() {
            return Err(self.fault(&text, &pem::Error::NoItemsFound, CERTIFICATE));
        }
        Ok(found)
    }

    fn key(&self) -> Result<PrivateKeyDer<'static>, TlsError> {
        let text = self.read()?;
        PrivateKeyDer::from_pem_slice(&text).map_err(|error| self.fault(&text, &error, KEY))
    }
}

/// The first byte of a certificate or key in DER.
const SEQUENCE: u8 = 0x30;

const CERTIFICATE: &str = "certificate";
const KEY: &str = "private key";

const ENCRYPTED: &str = "its private key is encrypted, which is not supported: write it in clear \
     (`openssl pkey -in encrypted.pem -out key.pem`), and let nobody else read it";

/// The header of a private key that is encrypted in the older form, of PKCS#1 and SEC1.
const OLD_ENCRYPTION: &[u8] = b"Proc-Type: 4,ENCRYPTED";

/// Returns the labels of the blocks in a PEM text, each once.
fn labels(text: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(text);
    let begins = text.lines().filter_map(|line| line.strip_prefix("-----BEGIN "));
    let mut labels: Vec<_> =
        begins.filter_map(|label| Some(label.trim_end().strip_suffix("-----")?.to_owned())).collect();
    labels.sort_unstable();
    labels.dedup();
    labels
}

impl fmt::Display for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::File(path) => write!(f, "`{}`", path.display()),
            Source::Text(_) => f.write_str("the PEM text"),
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
