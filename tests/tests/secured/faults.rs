//! Servers that stop or go away while a connection is secured, and after that.
//!
//! Invariant: wherever that is, a call ends in its time, and is told to have been
//! sent only if it may have been.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use riak_client::riak_kv::{RpbContent, RpbGetReq, RpbPutReq};
use riak_client::{CallError, CallOptions, ClientConfig, ConnectionError, Riak};
use riak_runtime::client::Node as Place;
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

/// How far a server gets.
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

/// What it does then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Nothing any more.
    Stalls,
    /// Goes, without a word.
    Closes,
    /// Says that it will say nothing more, and stays.
    Ends,
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

    /// Listens for as long as the test lasts. Returns the port.
    async fn start(self) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let server = self.clone();
                connections.spawn(async move {
                    // A client that has gone is what some of these are about.
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
            // The head of a record, and the first byte of what should be in it.
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
            Fault::Ends => {
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
    let config = ClientConfig::new(ports.iter().map(|&port| Place::new("localhost", port)))
        .credentials("alice", "secret")
        .tls(TlsConfig::new().ca_pem(authority.pem()));
    Riak::lazy(config).unwrap()
}

async fn get(riak: &Riak, within: Duration) -> Result<(), CallError> {
    let limited = riak.with(CallOptions::new().timeout(within));
    limited.kv().get(RpbGetReq::new("b", "k")).await.map(drop)
}

fn cases() -> impl Iterator<Item = (Stage, Fault)> {
    [Fault::Stalls, Fault::Closes, Fault::Ends]
        .into_iter()
        .flat_map(|fault| STAGES.map(|stage| (stage, fault)))
        .filter(|&(stage, fault)| fault != Fault::Ends || stage >= Stage::Handshake)
}

#[tokio::test]
async fn a_call_ends_in_its_time_wherever_the_server_stops() {
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
                    // Whether it has said so or not, it has closed the connection.
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
async fn a_node_that_stops_while_it_is_connected_to_leaves_time_for_another() {
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

/// What is given up in the middle of a frame is sent whole all the same, or the
/// connection closes: whatever follows is understood.
#[tokio::test]
async fn large_values_get_through_among_calls_that_are_given_up() {
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

/// With a clock that is stopped, as tests have it, deadlines come all the same.
#[tokio::test(start_paused = true)]
async fn deadlines_are_kept_by_a_clock_that_is_stopped() {
    let authority = Authority::new();
    let (_node, good) = secured(authority.sign(for_localhost)).await;
    let riak = client(&authority, &[good.addr().port()]);
    for _ in 0..3 {
        riak.server().ping().await.unwrap();
        // Past what idle connections and others are kept for.
        tokio::time::sleep(Duration::from_secs(2 * 3600)).await;
    }
    let stalls = Faulty::new(&authority, &TLS13, Stage::Handshake, Fault::Stalls).start().await;
    let (begun, within) = (tokio::time::Instant::now(), Duration::from_secs(3));
    let error = get(&client(&authority, &[stalls]), within).await.unwrap_err();
    assert!(!error.may_have_been_applied() && error.is_retryable(), "{error:?}");
    assert!((within..within * 2).contains(&begun.elapsed()), "{:?}", begun.elapsed());
}
