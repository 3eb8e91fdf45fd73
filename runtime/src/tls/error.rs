//! [`TlsError`]: why a TLS connection cannot be made, and what to do about it.
//!
//! Invariant: error messages contain no secrets.

use std::fmt;
use std::io;
use std::time::Duration;

use tokio_rustls::rustls::pki_types::UnixTime;
use tokio_rustls::rustls::{CertificateError, Error};

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
        /// The option that it was set by, such as "named by the parameter `ca` or
        /// `TlsConfig::ca_file`".
        option: &'static str,
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
    /// The server's certificate, or that of an authority between it and a trusted one,
    /// has expired.
    Expired {
        /// How long ago, by this machine's clock.
        ago: Duration,
    },
    /// The server's certificate, or that of an authority between it and a trusted one,
    /// is not valid yet.
    NotYetValid {
        /// When it will be, by this machine's clock: after that long.
        after: Duration,
    },
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
            Error::InvalidCertificate(error) => of_certificate(error),
            Error::AlertReceived(alert) => Self::Refused(format!("{alert:?}")),
            Error::InvalidMessage(why) => Self::Protocol(format!(
                "what the server sent is not TLS ({why:?}): check that the address is that of a Riak node, and \
                 that nothing between here and there answers in its place"
            )),
            Error::PeerIncompatible(why) => Self::Protocol(format!(
                "the server has nothing in common with this client ({why:?}): {SUITES}"
            )),
            error => Self::Protocol(error.to_string()),
        }
    }
}

fn of_certificate(error: &CertificateError) -> TlsError {
    match error {
        CertificateError::NotValidForNameContext { expected, presented } => TlsError::WrongName {
            expected: expected.to_str().into_owned(),
            presented: presented.iter().map(|name| plain_name(name).to_owned()).collect(),
        },
        CertificateError::ExpiredContext { time, not_after } => {
            TlsError::Expired { ago: between(*not_after, *time) }
        }
        CertificateError::NotValidYetContext { time, not_before } => {
            TlsError::NotYetValid { after: between(*time, *not_before) }
        }
        // A bad signature is that of an authority with the name of a trusted one.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => TlsError::UnknownIssuer,
        error => TlsError::Certificate(certificate_fault(error)),
    }
}

/// Describes what is wrong with a certificate, and what to do about it.
pub(super) fn certificate_fault(error: &CertificateError) -> String {
    match error {
        CertificateError::BadEncoding => "it is malformed".to_owned(),
        CertificateError::Expired => "its validity ends before it begins: issue it again".to_owned(),
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => format!(
            "its key or signature, or that of an authority above it, is of a kind that is not supported: {KEYS}, \
             and sign with SHA-256 or stronger"
        ),
        // rustls has no variants for these. The text is the name of webpki's variant.
        CertificateError::Other(error) => match error.0.to_string().as_str() {
            "UnsupportedCertVersion" => "it is an X.509 certificate of version 1, and only version 3 is \
                 supported: issue it again with extensions (`openssl x509 -req` needs `-extfile` for that)"
                .to_owned(),
            "CaUsedAsEndEntity" => {
                "it is that of an authority (CA:TRUE), which must not be a server's as well: \
                 issue another one for the server, with CA:FALSE"
                    .to_owned()
            }
            error => error.to_owned(),
        },
        error => error.to_string(),
    }
}

fn between(earlier: UnixTime, later: UnixTime) -> Duration {
    Duration::from_secs(later.as_secs().saturating_sub(earlier.as_secs()))
}

/// Writes a duration in the largest unit that gives at least two.
fn roughly(duration: Duration) -> String {
    const UNITS: [(u64, &str); 3] = [(24 * 60 * 60, "days"), (60 * 60, "hours"), (60, "minutes")];
    let seconds = duration.as_secs();
    UNITS
        .into_iter()
        .map(|(length, unit)| (seconds / length, unit))
        .find(|&(count, _)| count >= 2)
        .map_or_else(|| format!("{seconds} seconds"), |(count, unit)| format!("{count} {unit}"))
}

/// Strips what rustls writes around a name: `DnsName("riak.example.com")`,
/// `IpAddress(127.0.0.1)`.
fn plain_name(name: &str) -> &str {
    ["DnsName(\"", "IpAddress("]
        .into_iter()
        .find_map(|kind| name.strip_prefix(kind))
        .map_or(name, |name| name.trim_end_matches(')').trim_end_matches('"'))
}

/// Which keys ring supports.
const KEYS: &str = "use RSA with at least 2048 bits, ECDSA with P-256 or P-384, or Ed25519";

/// Which cipher suites rustls supports.
const SUITES: &str = "it needs a cipher suite with ECDHE and AES-GCM or ChaCha20-Poly1305, such as \
     ECDHE-RSA-AES128-GCM-SHA256 (`riak admin security ciphers`); suites with CBC, DHE or static RSA, which are \
     all that Erlang before OTP 18 has, are not supported";

/// Returns what a user can do about an alert that ends the handshake.
fn advice(alert: &str) -> String {
    match alert {
        "ProtocolVersion" => "it takes neither TLS 1.2 nor 1.3: allow one of them there \
             (`tls_protocols.tlsv1.2 = on` in riak.conf)"
            .to_owned(),
        // Under TLS 1.2, Erlang also sends this to a client without a certificate.
        "HandshakeFailure" => {
            format!("if it requires a client certificate, name one (`cert`); otherwise {SUITES}; for its key, {KEYS}")
        }
        "InsufficientSecurity" => {
            format!("{SUITES}; for its key and certificate, {KEYS}, and sign with SHA-256 or stronger")
        }
        "CertificateRequired" => "it requires a client certificate: name one (`cert`)".to_owned(),
        "UnknownCA" => "it does not trust the authority of this client's certificate: have one of its own \
             authorities sign it (`ssl.cacertfile` in riak.conf), and put intermediate certificates behind it in \
             the file (`cert`)"
            .to_owned(),
        "CertificateExpired" => "this client's certificate has expired, or is not valid yet: renew it, or set the \
             server's clock"
            .to_owned(),
        "BadCertificate" | "UnsupportedCertificate" | "CertificateRevoked" | "CertificateUnknown"
        | "AccessDenied" | "DecryptError" => {
            "it does not accept this client's certificate (`cert`): its log says why".to_owned()
        }
        _ => "its log says why".to_owned(),
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSystemRoots(why) => {
                write!(f, "the system's trusted certificates were not found: name a CA file (`ca`)")?;
                if why.is_empty() { Ok(()) } else { write!(f, " ({why})") }
            }
            Self::Pem { source, option, reason } => {
                write!(f, "{source} ({option}) cannot be used: {reason}")
            }
            Self::ClientCertificate(why) => {
                write!(f, "the client's certificate and private key (`cert`) cannot be used: {why}")
            }
            Self::InvalidName(name) => write!(
                f,
                "`{name}` is neither a DNS name nor an IP address: set the server name (`server_name`) to one that \
                 the certificate has"
            ),
            Self::WrongName { expected, presented } if presented.is_empty() => write!(
                f,
                "the server's certificate is not for `{expected}`: it has no subject alternative names, \
                 and its common name does not count; have it issued with one, or check the chain only \
                 (`tls=chain`, `Verify::Chain`)"
            ),
            Self::WrongName { expected, presented } => write!(
                f,
                "the server's certificate is not for `{expected}` but for {}: connect to a name that it is for, set \
                 the server name (`server_name`) to one, or check the chain only (`tls=chain`, `Verify::Chain`)",
                presented.join(", ")
            ),
            Self::Expired { ago } => write!(
                f,
                "the server's certificate, or that of an authority above it, expired {} ago: renew it, or set this \
                 machine's clock",
                roughly(*ago)
            ),
            Self::NotYetValid { after } => write!(
                f,
                "the server's certificate, or that of an authority above it, will not be valid for \
                 another {}: set this machine's clock, or issue the certificate again",
                roughly(*after)
            ),
            Self::UnknownIssuer => f.write_str(
                "no trusted authority has signed the server's certificate: name the CA file of the one that has \
                 (`ca`), or of the intermediate authority if the server does not send that one's certificate; RSA \
                 keys of less than 2048 bits do not count",
            ),
            Self::Certificate(why) => write!(f, "the server's certificate cannot be trusted: {why}"),
            Self::Refused(alert) => {
                write!(f, "the server refused the TLS handshake ({alert}): {}", advice(alert))
            }
            Self::Protocol(why) => write!(f, "the TLS handshake failed: {why}"),
            Self::Io(
                io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe,
                why,
            ) => write!(
                f,
                "the server closed the connection during the TLS handshake and did not say why ({why}): see its \
                 log; its certificate, key, TLS versions or cipher suites may be unusable"
            ),
            Self::Io(_, why) => write!(f, "the connection failed during the TLS handshake: {why}"),
        }
    }
}

impl std::error::Error for TlsError {}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio_rustls::rustls::pki_types::ServerName;
    use tokio_rustls::rustls::{AlertDescription, InvalidMessage, OtherError, PeerIncompatible};

    use super::*;

    fn text(error: impl Into<Error>) -> String {
        TlsError::from(&error.into()).to_string()
    }

    #[track_caller]
    fn assert_says(text: &str, parts: &[&str]) {
        for part in parts {
            assert!(text.contains(part), "`{part}` is missing in: {text}");
        }
    }

    #[test]
    fn an_alert_comes_with_advice_of_its_own() {
        let refused = |alert| text(Error::AlertReceived(alert));
        let ciphers = ["ECDHE-RSA-AES128-GCM-SHA256", "static RSA", "riak admin security ciphers"];
        assert_says(&refused(AlertDescription::InsufficientSecurity), &ciphers);
        assert_says(&refused(AlertDescription::HandshakeFailure), &ciphers);
        assert_says(&refused(AlertDescription::HandshakeFailure), &["client certificate", "`cert`"]);
        assert_says(&refused(AlertDescription::ProtocolVersion), &["TLS 1.2", "tls_protocols.tlsv1.2 = on"]);
        assert_says(&refused(AlertDescription::CertificateRequired), &["CertificateRequired", "`cert`"]);
        assert_says(&refused(AlertDescription::UnknownCA), &["this client's certificate", "ssl.cacertfile"]);
        assert_says(
            &refused(AlertDescription::CertificateExpired),
            &["this client's certificate has expired"],
        );
        assert_says(&refused(AlertDescription::BadCertificate), &["this client's certificate", "log"]);
        assert_says(&refused(AlertDescription::InternalError), &["(InternalError)", "its log says why"]);
    }

    #[test]
    fn what_is_wrong_with_a_certificate_is_said_in_words() {
        let unsupported = CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
            signature_algorithm_id: vec![6, 8],
            public_key_algorithm_id: vec![6, 7],
        };
        assert_says(&text(unsupported), &["2048 bits", "P-384", "SHA-256"]);
        let other = |name: &str| CertificateError::Other(OtherError(Arc::from(Box::from(name))));
        assert_says(&text(other("UnsupportedCertVersion")), &["version 1", "-extfile"]);
        assert_says(&text(other("CaUsedAsEndEntity")), &["CA:TRUE", "issue another"]);
        assert_says(&text(other("SomethingNew")), &["cannot be trusted: SomethingNew"]);
    }

    #[test]
    fn names_are_told_as_a_user_writes_them() {
        let presented = ["DnsName(\"*.example.com\")", "IpAddress(10.0.0.1)", "DirectoryName"];
        let error = TlsError::from(&Error::from(CertificateError::NotValidForNameContext {
            expected: ServerName::try_from("localhost").unwrap(),
            presented: presented.map(str::to_owned).to_vec(),
        }));
        assert_says(&error.to_string(), &["`localhost` but for *.example.com, 10.0.0.1, DirectoryName:"]);
        let TlsError::WrongName { presented, .. } = error else { panic!("{error:?}") };
        assert_eq!(presented, ["*.example.com", "10.0.0.1", "DirectoryName"]);
    }

    #[test]
    fn times_are_told_in_a_unit_that_fits() {
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let expired = CertificateError::ExpiredContext { time: at(1_000_000), not_after: at(400_000) };
        assert_says(&text(expired), &["expired 6 days ago", "renew it"]);
        let early = CertificateError::NotValidYetContext { time: at(0), not_before: at(7300) };
        assert_says(&text(early), &["not be valid for another 2 hours", "clock"]);
        assert_eq!(roughly(Duration::from_secs(119)), "119 seconds");
        assert_eq!(roughly(Duration::from_secs(7199)), "119 minutes");
    }

    #[test]
    fn a_server_that_does_not_go_on_is_told_from_one_that_speaks_something_else() {
        let garbage = text(Error::InvalidMessage(InvalidMessage::InvalidContentType));
        assert_says(&garbage, &["is not TLS", "a Riak node"]);
        let incompatible = text(Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon));
        assert_says(&incompatible, &["NoCipherSuitesInCommon", "ECDHE"]);
        for kind in [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset] {
            let closed = TlsError::of(&io::Error::from(kind)).to_string();
            assert_says(&closed, &["closed the connection during the TLS handshake", "its log"]);
        }
    }
}
