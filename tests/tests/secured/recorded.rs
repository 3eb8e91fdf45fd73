//! The recorded exchanges with a node whose security is on, replayed.
//!
//! Invariant: codes, closes and error texts are the recorded ones; of objects, only the
//! values are compared, since the rest differs from node to node.

#[path = "../replay/mod.rs"]
mod replay;

use std::sync::Arc;
use std::time::Duration;

use riak_client::riak_kv::{RpbContent, RpbGetReq, RpbGetResp, RpbListKeysReq, RpbPutReq};
use riak_client::riak_services::{RpbAuthResp, RpbStartTls};
use riak_client::{Location, Riak, ServerErrorKind};
use riak_runtime::tls::TlsConfig;
use riak_runtime::{Blob, Coded, Frame};
use riak_testkit::{Node, SecuredNode, Security};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

use super::authority::{Authority, for_localhost};
use replay::{Sent, transcript};

trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Socket for S {}

/// Starts the recorded node, with its users.
async fn node(authority: &Authority) -> (Node, SecuredNode) {
    let (certificate, key) = authority.sign(for_localhost);
    let node = Node::start().await.unwrap();
    let security = Security::new(certificate, key)
        .password("riak", "riakpw")
        .password("ro", "ropw")
        .grant("ro", ["riak_kv.get"]);
    let secured = SecuredNode::start(node.addr(), security).await.unwrap();
    (node, secured)
}

fn connector(authority: &Authority) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

/// Sends a frame and returns the answer; `None` if the node closes the connection.
async fn exchange(socket: &mut dyn Socket, request: &Frame) -> Option<Frame> {
    send(socket, request).await.ok()?;
    receive(socket).await
}

async fn send(socket: &mut dyn Socket, request: &Frame) -> std::io::Result<()> {
    let length = u32::try_from(request.body.len() + 1).unwrap();
    socket.write_all(&[&length.to_be_bytes()[..], &[request.code], &request.body].concat()).await?;
    socket.flush().await
}

async fn receive(socket: &mut dyn Socket) -> Option<Frame> {
    let length = socket.read_u32().await.ok()?;
    let mut bytes = vec![0; length as usize];
    socket.read_exact(&mut bytes).await.unwrap();
    Some(Frame { code: bytes[0], body: Blob::from(&bytes[1..]) })
}

#[tokio::test]
async fn the_recorded_exchanges_are_repeated() {
    let authority = Authority::new();
    let (_node, secured) = node(&authority).await;
    let mut socket: Box<dyn Socket> = Box::new(TcpStream::connect(secured.addr()).await.unwrap());
    let mut is_secured = false;
    for recorded in transcript("security") {
        let place = recorded.place();
        let [Sent::Frame(request)] = &recorded.send[..] else { panic!("{place}") };
        // A further StartTLS in clear is that of a new connection.
        if request.frame.code == RpbStartTls::CODE && recorded.recv[0].frame.code == RpbStartTls::CODE {
            let mut clear =
                if is_secured { Box::new(TcpStream::connect(secured.addr()).await.unwrap()) } else { socket };
            assert_eq!(exchange(&mut clear, &request.frame).await, Some(recorded.recv[0].frame.clone()));
            let name = "localhost".try_into().unwrap();
            socket = Box::new(connector(&authority).connect(name, clear).await.unwrap());
            is_secured = true;
            continue;
        }
        let answer = exchange(&mut socket, &request.frame).await;
        assert_eq!(answer.is_none(), recorded.closed, "{place}");
        let Some(answer) = answer else { continue };
        let expected = &recorded.recv[0].frame;
        if answer.code == RpbGetResp::CODE {
            let value = |frame: &Frame| frame.decode::<RpbGetResp>().unwrap().content[0].value.clone();
            assert_eq!(value(&answer), value(expected), "{place}");
        } else {
            assert_eq!(answer, *expected, "{place}");
        }
    }
}

#[tokio::test]
async fn refusals_keep_their_place_among_pipelined_answers() {
    let authority = Authority::new();
    let (_node, secured) = node(&authority).await;
    let mut clear: Box<dyn Socket> = Box::new(TcpStream::connect(secured.addr()).await.unwrap());
    exchange(&mut clear, &Frame { code: RpbStartTls::CODE, body: Blob::default() }).await.unwrap();
    let mut socket = connector(&authority).connect("localhost".try_into().unwrap(), clear).await.unwrap();
    let login = Frame { code: 253, body: Blob::from(b"\x0a\x02ro\x12\x04ropw") };
    assert_eq!(exchange(&mut socket, &login).await.unwrap().code, RpbAuthResp::CODE);
    let (ping, get, put) = (
        Frame { code: 1, body: Blob::default() },
        Frame { code: 9, body: Blob::from(b"\x0a\x01b\x12\x01k") },
        Frame { code: 11, body: Blob::from(b"\x0a\x01b\x12\x01k\x22\x03\x0a\x01v") },
    );
    // An authentication is refused by the node itself, in the words of an unknown code.
    for request in [&ping, &put, &login, &get, &put, &put, &ping] {
        send(&mut socket, request).await.unwrap();
    }
    let mut answers = Vec::new();
    for _ in 0..7 {
        let answer = receive(&mut socket).await.unwrap();
        let text = answer.body.to_string_lossy().into_owned();
        answers.push((answer.code, text.contains("Permission denied"), text.contains("code: 253")));
    }
    let (alive, denied, found) = ((2, false, false), (0, true, false), (10, false, false));
    assert_eq!(answers, [alive, denied, (0, false, true), found, denied, denied, alive]);
}

#[tokio::test]
async fn what_is_not_granted_is_denied_by_name() {
    let authority = Authority::new();
    let (_node, secured) = node(&authority).await;
    let tls = TlsConfig::new().ca_pem(authority.pem());
    let config = super::config(&secured, tls).credentials("ro", "ropw");
    let riak = Riak::connect(config).await.unwrap();
    riak.kv().get(RpbGetReq::new("b", "k")).await.unwrap();
    let denied = |error: riak_client::CallError, permission: &str| {
        assert!(error.is(ServerErrorKind::PermissionDenied), "{error}");
        let text = format!("User 'ro' does not have '{permission}");
        assert!(error.to_string().contains(&text), "{error}");
    };
    let put = RpbPutReq { r#type: Some("t".into()), ..RpbPutReq::new("b", RpbContent::new("v")) };
    denied(riak.kv().put(put).await.unwrap_err(), "riak_kv.put' on t/b");
    let mut keys = riak.kv().list_keys(RpbListKeysReq::new("b")).await;
    let error = match &mut keys {
        Ok(keys) => keys.next().await.unwrap().unwrap_err(),
        Err(_) => keys.unwrap_err(),
    };
    denied(error, "riak_kv.list_keys' on default/b");
    let counter = Location::new("b", "k").of_type("counters");
    denied(
        riak.convergent().update(&counter, riak_client::Update::increment(1)).await.unwrap_err(),
        "riak_kv.put' on counters/b",
    );
    let props = riak.buckets().get_type_props(riak_client::riak::RpbGetBucketTypeReq::new("t")).await;
    denied(props.unwrap_err(), "riak_core.get_bucket_type' on t");
}

#[tokio::test]
async fn a_grant_of_no_permission_is_refused_at_the_start() {
    let (certificate, key) = Authority::new().sign(for_localhost);
    let node = Node::start().await.unwrap();
    let security = Security::new(certificate, key)
        .password("ro", "ropw")
        .pause(Duration::ZERO)
        .grant("ro", ["riak_kv.gte"]);
    let error = SecuredNode::start(node.addr(), security).await.unwrap_err();
    assert!(error.to_string().contains("`riak_kv.gte` is no permission"), "{error}");
    assert!(error.to_string().contains("riak_kv.get"), "{error}");
}
