//! TLS and authentication against a node whose security is on: what works, and which errors
//! a user gets otherwise.
#![cfg(feature = "tls")]

mod authority;
mod faults;
mod files;
mod handshakes;
mod recorded;

use std::time::Duration;

use authority::{Authority, for_localhost};
use rcgen::{CertificateParams, DnType, SanType};
use riak_client::riak_kv::RpbGetReq;
use riak_client::{ClientConfig, ConnectError, ConnectionError, Riak, ServerErrorKind};
use riak_runtime::client::Node as NodeAddress;
use riak_runtime::tls::{TlsConfig, TlsError, Verify};
use riak_testkit::{Node, SecuredNode, Security};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Starts a secured node with this certificate, which accepts the user `alice`.
async fn secured((certificate, key): (String, String)) -> (Node, SecuredNode) {
    let node = Node::start().await.unwrap();
    let security = Security::new(certificate, key).password("alice", "secret");
    let secured = SecuredNode::start(node.addr(), security).await.unwrap();
    (node, secured)
}

fn config(secured: &SecuredNode, tls: TlsConfig) -> ClientConfig {
    ClientConfig::new([NodeAddress::new("localhost", secured.addr().port())])
        .credentials("alice", "secret")
        .tls(tls)
}

/// Returns the error of a connect that must fail.
async fn failure(config: ClientConfig) -> (ConnectionError, String) {
    match Riak::connect(config).await {
        Err(ConnectError::Call(error)) => {
            let text = error.to_string();
            assert!(!text.contains("secret"), "{text}");
            (error.connection_error().expect("it is the connection's").clone(), text)
        }
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it should not connect"),
    }
}

fn tls_error(error: &ConnectionError) -> &TlsError {
    match error {
        ConnectionError::Tls(error) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_valid_certificate_and_password_are_accepted() {
    let authority = Authority::new();
    let (_node, secured) = secured(authority.sign(for_localhost)).await;
    let config = config(&secured, TlsConfig::new().ca_pem(authority.pem()));
    let riak = Riak::connect(&config).await.unwrap();
    riak.server().ping().await.unwrap();
    let mut running = tokio::task::JoinSet::new();
    for number in 0..100 {
        let riak = riak.clone();
        running.spawn(async move { riak.kv().get(RpbGetReq::new("b", format!("{number}"))).await });
    }
    while let Some(result) = running.join_next().await {
        assert!(result.unwrap().unwrap().content.is_empty());
    }
    assert!(!format!("{riak:?} {config:?}").contains("secret"));
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_unless_that_name_is_configured() {
    let authority = Authority::new();
    let elsewhere = |params: &mut CertificateParams| {
        params.subject_alt_names = vec![SanType::DnsName("riak.example.com".try_into().unwrap())];
    };
    let (_node, secured) = secured(authority.sign(elsewhere)).await;
    let tls = TlsConfig::new().ca_pem(authority.pem());
    let (error, text) = failure(config(&secured, tls.clone())).await;
    assert!(matches!(tls_error(&error), TlsError::WrongName { .. }), "{error:?}");
    assert!(text.contains("not for `localhost` but for"), "{text}");
    assert!(text.contains("but for riak.example.com:"), "{text}");
    let named = config(&secured, tls.clone().server_name("riak.example.com"));
    Riak::connect(named).await.unwrap();
    Riak::connect(config(&secured, tls.verify(Verify::Chain))).await.unwrap();
}

#[tokio::test]
async fn the_common_name_is_ignored() {
    let authority = Authority::new();
    let common_name = |params: &mut CertificateParams| {
        params.distinguished_name.push(DnType::CommonName, "localhost");
    };
    let (_node, secured) = secured(authority.sign(common_name)).await;
    let tls = TlsConfig::new().ca_pem(authority.pem());
    let (error, text) = failure(config(&secured, tls.clone())).await;
    assert!(
        matches!(tls_error(&error), TlsError::WrongName { presented, .. } if presented.is_empty()),
        "{error:?}"
    );
    assert!(text.contains("its common name does not count"), "{text}");
    assert!(text.contains("`tls=chain`, `Verify::Chain`"), "{text}");
    Riak::connect(config(&secured, tls.verify(Verify::Chain))).await.unwrap();
}

#[tokio::test]
async fn an_expired_certificate_is_refused_even_without_a_name_check() {
    let authority = Authority::new();
    let expired = |params: &mut CertificateParams| {
        for_localhost(params);
        params.not_before = rcgen::date_time_ymd(2001, 1, 1);
        params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    };
    let (_node, secured) = secured(authority.sign(expired)).await;
    for verify in [Verify::Full, Verify::Chain] {
        let tls = TlsConfig::new().ca_pem(authority.pem()).verify(verify);
        let (error, text) = failure(config(&secured, tls)).await;
        let TlsError::Expired { ago } = tls_error(&error) else { panic!("{error:?}") };
        assert!(ago.as_secs() > 20 * 365 * 24 * 3600, "{ago:?}");
        assert!(text.contains(" days ago: renew it"), "{text}");
    }
}

#[tokio::test]
async fn an_unknown_authority_is_refused_even_without_a_name_check() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (_node, secured) = secured(authority.sign(for_localhost)).await;
    for verify in [Verify::Full, Verify::Chain] {
        let tls = TlsConfig::new().ca_pem(other.pem()).verify(verify);
        let (error, text) = failure(config(&secured, tls)).await;
        assert_eq!(*tls_error(&error), TlsError::UnknownIssuer);
        assert!(text.contains("name the CA file"), "{text}");
    }
}

#[tokio::test]
async fn a_client_certificate_replaces_a_password() {
    let authority = Authority::new();
    let (certificate, key) = authority.sign(for_localhost);
    let node = Node::start().await.unwrap();
    let security = Security::new(certificate, key).client_authority(authority.pem()).certificate("alice");
    let secured = SecuredNode::start(node.addr(), security).await.unwrap();
    let tls = TlsConfig::new().ca_pem(authority.pem());
    let (certificate, key) = authority.sign(|params| {
        params.distinguished_name.push(DnType::CommonName, "alice");
    });
    let with =
        config(&secured, tls.clone().client_certificate_pem(certificate, key)).credentials("alice", "");
    Riak::connect(with).await.unwrap().server().ping().await.unwrap();
    let (error, _) = failure(config(&secured, tls.clone())).await;
    assert!(matches!(error, ConnectionError::Refused(_)), "{error:?}");
    // A certificate of another authority is refused in the handshake.
    let (certificate, key) = Authority::new().sign(|_| {});
    let (error, text) = failure(config(&secured, tls.client_certificate_pem(certificate, key))).await;
    assert!(matches!(tls_error(&error), TlsError::Refused(_)), "{error:?}");
    assert!(text.contains("refused the TLS handshake"), "{text}");
}

#[tokio::test]
async fn a_wrong_password_is_reported_as_such() {
    let authority = Authority::new();
    let (certificate, key) = authority.sign(for_localhost);
    let node = Node::start().await.unwrap();
    let security =
        Security::new(certificate, key).password("alice", "other").pause(Duration::from_millis(50));
    let secured = SecuredNode::start(node.addr(), security).await.unwrap();
    let (error, text) = failure(config(&secured, TlsConfig::new().ca_pem(authority.pem()))).await;
    let ConnectionError::Refused(error) = &error else { panic!("{error:?}") };
    assert_eq!(error.kind(), ServerErrorKind::AuthenticationFailed);
    assert!(text.contains("Authentication failed (check the user, the password"), "{text}");
}

#[tokio::test]
async fn a_client_with_credentials_never_talks_in_clear() {
    let node = Node::start().await.unwrap();
    let tls = TlsConfig::new().ca_pem(Authority::new().pem());
    let config = ClientConfig::new([NodeAddress::from(node.addr())]).credentials("alice", "secret").tls(tls);
    let (error, text) = failure(config).await;
    let ConnectionError::Refused(error) = &error else { panic!("{error:?}") };
    assert_eq!(error.kind(), ServerErrorKind::SecurityOff);
    assert!(text.contains("STARTTLS not allowed. (enable security on the node"), "{text}");
    // A client without TLS gets an error that says the node requires it.
    let authority = Authority::new();
    let (_node, secured) = secured(authority.sign(for_localhost)).await;
    let riak = Riak::connect(secured.addr()).await.unwrap();
    let error = riak.kv().get(RpbGetReq::new("b", "k")).await.unwrap_err();
    assert_eq!(error.server_error().unwrap().kind(), ServerErrorKind::SecurityRequired);
}

/// An attacker in between answers STARTTLS with bytes that a careless client might take for
/// permission to continue in clear.
#[tokio::test]
async fn an_attacker_in_between_gets_no_password() {
    for answer in [
        // A valid answer, followed by an answer to an authentication that was not sent.
        &b"\0\0\0\x01\xff\0\0\0\x01\xfe"[..],
        // The answer to an authentication instead.
        b"\0\0\0\x01\xfe",
        // An invalid frame.
        b"\0\0\0\0",
        b"HTTP/1.1 200 OK\r\n\r\n",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let received = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut start = [0; 5];
            socket.read_exact(&mut start).await.unwrap();
            assert_eq!(start, [0, 0, 0, 1, 255]);
            socket.write_all(answer).await.unwrap();
            let mut received = Vec::new();
            let _ = socket.read_to_end(&mut received).await;
            received
        });
        let tls = TlsConfig::new().ca_pem(Authority::new().pem());
        let config = ClientConfig::new([NodeAddress::from(address)]).credentials("alice", "secret").tls(tls);
        let riak = Riak::connect(config).await;
        assert!(riak.is_err());
        drop(riak);
        let received = received.await.unwrap();
        assert!(!received.windows(6).any(|window| window == b"secret"), "{received:?}");
    }
}
