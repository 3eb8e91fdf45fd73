//! Servers that stall or disappear during the security handshake, and after it.
//!
//! Invariant: at every stage, a call ends in time, and its error says that it may have been
//! applied only if it was sent.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use riak_client::riak_kv::{RpbContent, RpbGetReq, RpbPutReq};
use riak_client::{CallError, CallOptions, ClientConfig, ConnectionError, Riak};
use riak_runtime::client::Node as NodeAddress;
use riak_runtime::tls::TlsConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ServerConfig, SupportedProtocolVersion, crypto::ring};
use tokio_rustls::server::TlsStream;

use super::authority::{Authority, for_localhost};
use super::secured;

/// The stage at which a server fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Accepted,
    HalfOfStart,
    Start,
    HalfOfHello,
    Handshake,
    HalfOfAuthentication,
    Request,
    HalfOfAnswer,
}

const STAGES: [Stage; 8] = [
    Stage::Accepted,
    Stage::HalfOfStart,
    Stage::Start,
    Stage::HalfOfHello,
    Stage::Handshake,
    Stage::HalfOfAuthentication,
    Stage::Request,
    Stage::HalfOfAnswer,
];

/// What the server does at that stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Stops responding.
    Stalls,
    /// Closes the socket without a TLS close.
    Closes,
    /// Sends a TLS close, and keeps the socket open.
    SendsTlsClose,
}

#[derive(Clone)]
struct Faulty {
    acceptor: TlsAcceptor,
    stage: Stage,
    fault: Fault,
}

impl Faulty {
    fn new(
        authority: &Authority,
        version: &'static SupportedProtocolVersion,
        stage: Stage,
        fault: Fault,
    ) -> Self {
        let (certificate, key) = authority.sign(for_localhost);
        let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        Self { acceptor: TlsAcceptor::from(Arc::new(config)), stage, fault }
    }

    /// Serves for the duration of the test. Returns the port.
    async fn start(self) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let server = self.clone();
                connections.spawn(async move {
                    // Errors are expected: some tests are about clients that disconnect.
                    let _ = server.serve(socket).await;
                });
            }
        });
        port
    }

    async fn serve(&self, mut socket: TcpStream) -> io::Result<()> {
        socket.set_nodelay(true)?;
        if self.stage > Stage::Accepted {
            frame(&mut socket).await?;
            let answer: &[u8] = if self.stage == Stage::HalfOfStart { &[0, 0] } else { &[0, 0, 0, 1, 255] };
            socket.write_all(answer).await?;
        }
        if self.stage == Stage::HalfOfHello {
            // The header of a record, and the first byte of its content.
            socket.write_all(&[22, 3, 3, 0, 100, 2]).await?;
        }
        if self.stage <= Stage::HalfOfHello {
            if self.fault == Fault::Stalls {
                std::future::pending::<()>().await;
            }
            return Ok(());
        }
        let mut secured = self.acceptor.accept(socket).await?;
        self.answer(&mut secured).await?;
        match self.fault {
            Fault::Stalls => std::future::pending().await,
            Fault::Closes => Ok(()),
            Fault::SendsTlsClose => {
                secured.shutdown().await?;
                std::future::pending().await
            }
        }
    }

    async fn answer(&self, secured: &mut TlsStream<TcpStream>) -> io::Result<()> {
        frame(secured).await?;
        if self.stage == Stage::HalfOfAuthentication {
            secured.write_all(&[0, 0, 0]).await?;
        }
        if self.stage > Stage::HalfOfAuthentication {
            secured.write_all(&[0, 0, 0, 1, 254]).await?;
            secured.flush().await?;
            frame(secured).await?;
        }
        if self.stage == Stage::HalfOfAnswer {
            secured.write_all(&[0, 0, 0, 100, 10, 1, 2, 3]).await?;
        }
        secured.flush().await
    }
}

async fn frame(io: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    let length = io.read_u32().await?;
    io.read_exact(&mut vec![0; usize::try_from(length).unwrap()]).await.map(drop)
}

fn client(authority: &Authority, ports: &[u16]) -> Riak {
    let config = ClientConfig::new(ports.iter().map(|&port| NodeAddress::new("localhost", port)))
        .credentials("alice", "secret")
        .tls(TlsConfig::new().ca_pem(authority.pem()));
    Riak::lazy(config).unwrap()
}

async fn get(riak: &Riak, within: Duration) -> Result<(), CallError> {
    let limited = riak.with(CallOptions::new().timeout(within));
    limited.kv().get(RpbGetReq::new("b", "k")).await.map(drop)
}

fn cases() -> impl Iterator<Item = (Stage, Fault)> {
    [Fault::Stalls, Fault::Closes, Fault::SendsTlsClose]
        .into_iter()
        .flat_map(|fault| STAGES.map(|stage| (stage, fault)))
        .filter(|&(stage, fault)| fault != Fault::SendsTlsClose || stage >= Stage::Handshake)
}

#[tokio::test]
async fn a_call_ends_in_time_at_whatever_stage_the_server_fails() {
    const WITHIN: Duration = Duration::from_secs(1);
    let authority = Arc::new(Authority::new());
    let mut running = JoinSet::new();
    for (stage, fault) in cases() {
        for version in [&TLS12, &TLS13] {
            let port = Faulty::new(&authority, version, stage, fault).start().await;
            let authority = Arc::clone(&authority);
            running.spawn(async move {
                let riak = client(&authority, &[port]);
                let begun = Instant::now();
                let error = get(&riak, WITHIN).await.unwrap_err();
                let case = format!("{stage:?} {fault:?} {version:?}: {error:?}");
                assert!(begun.elapsed() < WITHIN * 3, "{case}");
                assert!(!case.contains("secret") && !error.to_string().contains("secret"), "{case}");
                assert_eq!(error.may_have_been_applied(), stage >= Stage::Request, "{case}");
                assert!(error.is_retryable(), "{case}");
                if fault != Fault::Stalls && stage >= Stage::Request {
                    // The server closed the connection, with or without a TLS close.
                    let half = stage == Stage::HalfOfAnswer;
                    let Some(ConnectionError::Closed { within_frame }) = error.connection_error() else {
                        panic!("{case}");
                    };
                    assert_eq!(*within_frame, half, "{case}");
                }
            });
        }
    }
    while let Some(result) = running.join_next().await {
        result.unwrap();
    }
}

#[tokio::test]
async fn a_node_that_fails_during_the_handshake_leaves_time_for_another() {
    let authority = Authority::new();
    let (_node, good) = secured(authority.sign(for_localhost)).await;
    let mut running = JoinSet::new();
    for (stage, fault) in cases() {
        let port = Faulty::new(&authority, &TLS13, stage, fault).start().await;
        let riak = client(&authority, &[port, good.addr().port()]);
        running.spawn(async move {
            for _ in 0..4 {
                let result = get(&riak, Duration::from_secs(4)).await;
                assert!(result.is_ok(), "{stage:?} {fault:?}: {result:?}");
            }
        });
    }
    while let Some(result) = running.join_next().await {
        result.unwrap();
    }
}

/// A frame whose call is dropped half-way is sent to its end, or the connection closes, so
/// that later frames remain intelligible.
#[tokio::test]
async fn large_values_are_intact_among_dropped_calls() {
    let authority = Authority::new();
    let (_node, good) = secured(authority.sign(for_localhost)).await;
    let riak = client(&authority, &[good.addr().port()]);
    let mut running = JoinSet::new();
    for number in 0..4_u8 {
        let riak = riak.clone();
        running.spawn(async move {
            let value = vec![number; 1 << (18 + number)];
            let mut put = RpbPutReq::new("b", RpbContent::new(value.clone()));
            put.key = Some(vec![number].into());
            riak.kv().put(&put).await.unwrap();
            let found = riak.kv().get(RpbGetReq::new("b", vec![number])).await.unwrap();
            assert!(found.content[0].value == value, "{number}");
        });
    }
    for number in 0..20 {
        let riak = riak.clone();
        running.spawn(async move {
            let mut put = RpbPutReq::new("b", RpbContent::new(vec![b'x'; 1 << 20]));
            put.key = Some("given up".into());
            let _ = tokio::time::timeout(Duration::from_millis(number), riak.kv().put(&put)).await;
            let found = riak.kv().get(RpbGetReq::new("b", "nothing")).await.unwrap();
            assert!(found.content.is_empty());
        });
    }
    while let Some(result) = running.join_next().await {
        result.unwrap();
    }
}

/// Deadlines expire also when the test has paused the clock.
#[tokio::test(start_paused = true)]
async fn deadlines_expire_with_a_paused_clock() {
    let authority = Authority::new();
    let (_node, good) = secured(authority.sign(for_localhost)).await;
    let riak = client(&authority, &[good.addr().port()]);
    for _ in 0..3 {
        riak.server().ping().await.unwrap();
        // This exceeds all idle timeouts and lifetimes of connections.
        tokio::time::sleep(Duration::from_secs(2 * 3600)).await;
    }
    let stalls = Faulty::new(&authority, &TLS13, Stage::Handshake, Fault::Stalls).start().await;
    let (begun, within) = (tokio::time::Instant::now(), Duration::from_secs(3));
    let error = get(&client(&authority, &[stalls]), within).await.unwrap_err();
    assert!(!error.may_have_been_applied() && error.is_retryable(), "{error:?}");
    assert!((within..within * 2).contains(&begun.elapsed()), "{:?}", begun.elapsed());
}
