//! [`TlsError`]: why a TLS connection cannot be made, and what to do about it.
//!
//! Invariant: error messages contain no secrets.

use std::fmt;
use std::io;

use tokio_rustls::rustls::{AlertDescription, CertificateError, Error};

/// Why a TLS configuration cannot be used, or why a TLS connection could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsError {
    /// The system's trusted roots were not found; the reason, if there is one.
    NoSystemRoots(String),
    /// A file with certificates or a key cannot be read or used.
    Pem {
        /// The file's path in backquotes, or "the PEM text".
        source: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The client's certificate and key do not belong together, or cannot be used.
    ClientCertificate(String),
    /// The host or server name is neither a DNS name nor an IP address.
    InvalidName(String),
    /// The server's certificate is for another name.
    WrongName {
        /// The expected name.
        expected: String,
        /// The names in the certificate. Empty if it has no subject alternative names;
        /// a common name does not count.
        presented: Vec<String>,
    },
    /// The server's certificate has expired or is not valid yet.
    NotValidNow,
    /// None of the trusted authorities has signed the server's certificate.
    UnknownIssuer,
    /// The server's certificate is not acceptable for another reason.
    Certificate(String),
    /// The server refused the handshake: the client's certificate or its absence, or
    /// the offered parameters.
    Refused(String),
    /// The server does not speak TLS, or the handshake failed for another reason.
    Protocol(String),
    /// The connection failed during the handshake.
    Io(io::ErrorKind, String),
}

impl TlsError {
    /// Converts an I/O error, which may contain an error of rustls.
    pub(super) fn of(error: &io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            Some(error) => Self::from(error),
            None => Self::Io(error.kind(), error.to_string()),
        }
    }
}

impl From<&Error> for TlsError {
    fn from(error: &Error) -> Self {
        match error {
            Error::InvalidCertificate(CertificateError::NotValidForNameContext { expected, presented }) => {
                Self::WrongName { expected: expected.to_str().into_owned(), presented: presented.clone() }
            }
            Error::InvalidCertificate(
                CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. },
            ) => Self::NotValidNow,
            // A bad signature means that another authority with the name of a trusted
            // one has signed.
            Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
                Self::UnknownIssuer
            }
            Error::InvalidCertificate(error) => Self::Certificate(error.to_string()),
            Error::AlertReceived(alert) => Self::Refused(alert_name(*alert)),
            error => Self::Protocol(error.to_string()),
        }
    }
}

fn alert_name(alert: AlertDescription) -> String {
    format!("{alert:?}")
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSystemRoots(why) => {
                write!(f, "the system's trusted certificates were not found: name a CA file")?;
                if why.is_empty() { Ok(()) } else { write!(f, " ({why})") }
            }
            Self::Pem { source, reason } => {
                write!(f, "{source} cannot be used: {reason}; it has to be in PEM format")
            }
            Self::ClientCertificate(why) => {
                write!(f, "the client's certificate and private key cannot be used: {why}; check that they belong together")
            }
            Self::InvalidName(name) => write!(
                f,
                "`{name}` is neither a DNS name nor an IP address: set the server name to one that the certificate has"
            ),
            Self::WrongName { expected, presented } if presented.is_empty() => write!(
                f,
                "the server's certificate is not for `{expected}`: it has no subject alternative names, \
                 and its common name does not count; have it issued with one, or check the chain only \
                 (verify = chain)"
            ),
            Self::WrongName { expected, presented } => write!(
                f,
                "the server's certificate is not for `{expected}` but for {}: connect to that name, \
                 or set the server name to it",
                presented.join(", ")
            ),
            Self::NotValidNow => {
                f.write_str("the server's certificate has expired or is not valid yet: renew it, or set the clock")
            }
            Self::UnknownIssuer => f.write_str(
                "no trusted authority has signed the server's certificate: name the CA file of the one that has",
            ),
            Self::Certificate(why) => write!(f, "the server's certificate cannot be trusted: {why}"),
            Self::Refused(alert) => write!(
                f,
                "the server refused the TLS handshake ({alert}): check whether it wants a client certificate, \
                 or offers only TLS older than 1.2"
            ),
            Self::Protocol(why) => write!(f, "the TLS handshake failed: {why}"),
            Self::Io(_, why) => write!(f, "the connection failed during the TLS handshake: {why}"),
        }
    }
}

impl std::error::Error for TlsError {}
