//! Handshakes without a node: certificates of version 1, and servers that refuse.
//!
//! Invariant: a handshake that fails names the reason and what to do about it.

use std::sync::Arc;

use rcgen::{BasicConstraints, IsCa};
use riak_runtime::tls::{TlsConfig, TlsError, Verify};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::client::danger::HandshakeSignatureValid;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio_rustls::rustls::{DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme};

use super::authority::{Authority, for_localhost};

/// A self-signed certificate of X.509 version 1 for `localhost`, as `openssl x509 -req`
/// makes it without extensions. It was made for these tests.
pub(crate) const VERSION_1: &str = "\
-----BEGIN CERTIFICATE-----
MIIBJDCBywIUCL8gvQIpa+PCnDfYcmDVw4uzrPUwCgYIKoZIzj0EAwIwFDESMBAG
A1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNzEyMzc0NloYDzIxMjYxMTAzMTIzNzQ2
WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AATwfvrtEW7ZiW/ziseUhAuBC2KVva+pjQJt+Foj+nlsCwJDon/s1puia7Vs1BxT
JN6xQ6E825NkiQyEjuVswWo+MAoGCCqGSM49BAMCA0gAMEUCIQDJ6GjkG5D7JPJb
l0gaHRCC+DaOOJUsruAHJNt0tgdLowIgQ+obIYXglJlXCEpVZReTbFzArCYKhia5
WzRnquT82F0=
-----END CERTIFICATE-----
";

/// Its key, in the form of SEC 1.
pub(crate) const VERSION_1_KEY: &str = "\
-----BEGIN EC PRIVATE KEY-----
MHcCAQEEINPoMDzcF1maTk3/ayXx6zbbjl4COaollXeVCCJVIboWoAoGCCqGSM49
AwEHoUQDQgAE8H767RFu2Ylv84rHlIQLgQtilb2vqY0CbfhaI/p5bAsCQ6J/7Nab
omu1bNQcUyTesUOhPNuTZIkMhI7lbMFqPg==
-----END EC PRIVATE KEY-----
";

/// Accepts any client certificate. rustls itself refuses those of version 1, and Erlang
/// accepts them.
#[derive(Debug)]
struct AnyClient(Arc<CryptoProvider>);

impl ClientCertVerifier for AnyClient {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// A server with this certificate, whatever it is, that requires one from the client.
fn acceptor(certificate: &str, key: &str) -> TlsAcceptor {
    let provider = Arc::new(ring::default_provider());
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let key = provider.key_provider.load_private_key(key).unwrap();
    let own = SingleCertAndKey::from(CertifiedKey::new(vec![certificate], key));
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(Arc::new(AnyClient(provider)))
        .with_cert_resolver(Arc::new(own));
    TlsAcceptor::from(Arc::new(config))
}

/// Returns why a handshake with a server that has this certificate fails.
async fn failure(certificate: &str, key: &str, tls: TlsConfig) -> (TlsError, String) {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let acceptor = acceptor(certificate, key);
    let server = tokio::spawn(async move { acceptor.accept(far).await.map(drop) });
    let error = tls.build().unwrap().handshake(near, "localhost").await.unwrap_err();
    assert!(server.await.unwrap().is_err());
    (error.clone(), error.to_string())
}

/// Returns why a handshake fails with a server that runs `answer` after the client's
/// first message.
async fn refusal<F: Future<Output = ()>>(answer: impl FnOnce(DuplexStream) -> F) -> (TlsError, String) {
    let (near, mut far) = tokio::io::duplex(64 * 1024);
    let tls = TlsConfig::new().ca_pem(Authority::new().pem()).build().unwrap();
    let server = async {
        let mut head = [0; 5];
        far.read_exact(&mut head).await.unwrap();
        let mut hello = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
        far.read_exact(&mut hello).await.unwrap();
        answer(far).await;
    };
    let (result, ()) = tokio::join!(tls.handshake(near, "localhost"), server);
    let error = result.unwrap_err();
    (error.clone(), error.to_string())
}

#[tokio::test]
async fn a_client_certificate_of_version_1_is_shown() {
    let authority = Authority::new();
    let (certificate, key) = authority.sign(for_localhost);
    let tls = TlsConfig::new().ca_pem(authority.pem()).client_certificate_pem(VERSION_1, VERSION_1_KEY);
    let (near, far) = tokio::io::duplex(64 * 1024);
    let acceptor = acceptor(&certificate, &key);
    let tls = tls.build().unwrap();
    let (near, far) = tokio::join!(tls.handshake(near, "localhost"), acceptor.accept(far));
    near.unwrap();
    let shown = CertificateDer::from_pem_slice(VERSION_1.as_bytes()).unwrap();
    assert_eq!(far.unwrap().get_ref().1.peer_certificates().unwrap(), [shown]);
}

#[tokio::test]
async fn a_server_certificate_of_version_1_is_refused_with_how_to_make_another() {
    for verify in [Verify::Full, Verify::Chain] {
        let tls = TlsConfig::new().ca_pem(VERSION_1).verify(verify);
        let (error, text) = failure(VERSION_1, VERSION_1_KEY, tls).await;
        assert!(matches!(error, TlsError::Certificate(_)), "{error:?}");
        assert!(text.contains("version 1") && text.contains("-extfile"), "{text}");
    }
}

#[tokio::test]
async fn a_server_must_not_have_the_certificate_of_an_authority() {
    let authority = Authority::new();
    let (certificate, key) = authority.sign(|params| {
        for_localhost(params);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    });
    for verify in [Verify::Full, Verify::Chain] {
        let tls = TlsConfig::new().ca_pem(authority.pem()).verify(verify);
        let (error, text) = failure(&certificate, &key, tls).await;
        assert!(matches!(error, TlsError::Certificate(_)), "{error:?}");
        assert!(text.contains("CA:TRUE") && text.contains("CA:FALSE"), "{text}");
    }
}

/// The alerts that Erlang sends if there is no cipher suite or TLS version in common,
/// if a client certificate is missing, or if it does not trust its authority.
#[tokio::test]
async fn an_alert_is_told_with_what_to_do_about_it() {
    for (alert, advice) in [
        (71, "suites with CBC, DHE or static RSA"),
        (40, "if it requires a client certificate, name one (`cert`)"),
        (70, "tls_protocols.tlsv1.2 = on"),
        (48, "`ssl.cacertfile` in riak.conf"),
    ] {
        let (error, text) = refusal(|mut far| async move {
            far.write_all(&[21, 3, 3, 0, 2, 2, alert]).await.unwrap();
        })
        .await;
        assert!(matches!(error, TlsError::Refused(_)), "{error:?}");
        assert!(text.contains(advice), "{text}");
    }
}

/// Erlang closes without an alert if its TLS options contradict each other.
#[tokio::test]
async fn a_server_that_closes_without_a_word_has_a_log() {
    let (error, text) = refusal(|far| async move { drop(far) }).await;
    assert!(matches!(error, TlsError::Io(..)), "{error:?}");
    assert!(text.contains("closed the connection during the TLS handshake"), "{text}");
    assert!(text.contains("see its log"), "{text}");
}

#[tokio::test]
async fn what_is_not_tls_is_told_as_such() {
    for answer in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"\0\0\0\x01\xfe"] {
        let (error, text) = refusal(|mut far| async move { far.write_all(answer).await.unwrap() }).await;
        assert!(matches!(error, TlsError::Protocol(_)), "{error:?}");
        assert!(text.contains("is not TLS"), "{text}");
    }
}
