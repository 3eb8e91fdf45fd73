//! The server half behaves as a real node does, byte for byte where the protocol is
//! specified that far.
#![cfg(feature = "server")]

mod echo;
mod raw;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use echo::*;
use raw::Raw;
use riak_runtime::operation::ErrorFrame;
use riak_runtime::server::{Failure, Outbox, Server, ServerConfig, Service, unserved};
use riak_runtime::{Blob, Frame};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
async fn pipelined_requests_and_errors_are_answered_in_order() {
    let mut raw = Raw::connect(mirror().await).await;
    let mut all = Vec::new();
    for index in 0..1000 {
        let nonce = if index % 10 == 3 { "error".to_owned() } else { index.to_string() };
        all.extend(framed(&echo::echo(&nonce)));
    }
    raw.send(&all).await;
    for index in 0..1000 {
        let frame = raw.next().await.unwrap();
        if index % 10 == 3 {
            assert_eq!(frame.code, 0);
        } else {
            assert_eq!(frame.decode::<EchoResp>().unwrap().nonce, index.to_string());
        }
    }
}

#[tokio::test]
async fn requests_may_arrive_one_byte_at_a_time() {
    let mut raw = Raw::connect(mirror().await).await;
    for byte in framed(&echo::echo("slow")) {
        raw.send([byte]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(raw.next().await.unwrap().decode::<EchoResp>().unwrap().nonce, "slow");
}

#[tokio::test]
async fn an_unknown_code_is_an_error_and_the_connection_stays_open() {
    let mut raw = Raw::connect(mirror().await).await;
    raw.send(frame(253, b"whatever")).await;
    assert_eq!(raw.error().await, "Unknown message code: 253");
    assert!(raw.is_open().await);
}

/// A server that implements no method.
struct Unimplemented;

impl EchoServer for Unimplemented {}

#[tokio::test]
async fn a_method_that_is_not_implemented_is_an_unknown_code() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(Server::default().serve(listener, EchoService(Unimplemented)));
    let mut raw = Raw::connect(address).await;
    for request in [framed(&echo::echo("x")), framed(&list("x", 1)), framed(&fold("x"))] {
        raw.send(&request).await;
        assert_eq!(raw.error().await, format!("Unknown message code: {}", request[4]));
    }
}

#[tokio::test]
async fn a_malformed_body_is_an_error_and_closes_the_connection() {
    let mut raw = Raw::connect(mirror().await).await;
    raw.send([framed(&echo::echo("before")), frame(9, &[0x0a, 5]), framed(&echo::echo("behind"))].concat())
        .await;
    assert_eq!(raw.next().await.unwrap().code, 10);
    assert!(raw.error().await.starts_with("Error processing incoming message: EchoReq: "));
    assert!(raw.next().await.is_none(), "nothing behind it is answered");
}

#[tokio::test]
async fn a_frame_of_length_zero_closes_the_connection_silently() {
    let mut raw = Raw::connect(mirror().await).await;
    raw.send([0; 4]).await;
    assert!(raw.next().await.is_none());
}

#[tokio::test]
async fn a_frame_that_is_too_long_is_refused_before_its_body_arrives() {
    let mut raw = Raw::connect(mirror().await).await;
    raw.send(0x7fff_fffc_u32.to_be_bytes()).await;
    let error = raw.error().await;
    assert!(error.starts_with("Invalid message packet, reason: a frame of 2147483644 bytes"), "{error}");
    assert!(raw.next().await.is_none());
}

#[tokio::test]
async fn handlers_can_close_with_or_without_an_answer() {
    let address = mirror().await;
    let mut raw = Raw::connect(address).await;
    raw.send([framed(&echo::echo("close")), framed(&echo::echo("behind"))].concat()).await;
    assert_eq!(raw.error().await, "crash");
    assert!(raw.next().await.is_none());
    let mut raw = Raw::connect(address).await;
    raw.send(framed(&echo::echo("hang up"))).await;
    assert!(raw.next().await.is_none());
}

#[tokio::test]
async fn a_stream_has_one_end_marker_whoever_sends_it() {
    let mut raw = Raw::connect(mirror().await).await;
    for nonce in ["x", "explicit"] {
        raw.send(framed(&list(nonce, 2))).await;
        for flag in [None, None, Some(true)] {
            assert_eq!(raw.next().await.unwrap().decode::<ListResp>().unwrap().flag, flag);
        }
    }
    // The dispatcher's own end marker carries no other field.
    raw.send(framed(&list("x", 0))).await;
    assert_eq!(raw.next().await.unwrap().body, [0x18, 1]);
    assert!(raw.is_open().await);
}

#[tokio::test]
async fn a_request_during_a_stream_is_refused() {
    let mut raw = Raw::connect(mirror().await).await;
    raw.send(framed(&list("hang", 3))).await;
    for _ in 0..3 {
        assert_eq!(raw.next().await.unwrap().code, 18);
    }
    raw.send(framed(&echo::echo("x"))).await;
    assert_eq!(raw.error().await, "Cannot send another request while one is in progress");
    assert!(raw.next().await.is_none());
}

#[tokio::test]
async fn a_server_can_be_configured_to_queue_requests_behind_a_stream() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let config = ServerConfig::new().refuse_behind_stream(false);
    tokio::spawn(Server::new(config).serve(listener, EchoService(Mirror)));
    let mut raw = Raw::connect(address).await;
    raw.send(framed(&list("x", 1000))).await;
    raw.send(framed(&echo::echo("x"))).await;
    for _ in 0..=1000 {
        assert_eq!(raw.next().await.unwrap().code, 18);
    }
    assert_eq!(raw.next().await.unwrap().code, 10);
}

#[tokio::test]
async fn a_half_closed_client_gets_the_answers_to_its_requests() {
    let mut raw = Raw::connect(mirror().await).await;
    raw.send([framed(&echo::echo("1")), framed(&echo::echo("2"))].concat()).await;
    raw.socket.shutdown().await.unwrap();
    assert!(raw.next().await.is_some() && raw.next().await.is_some());
    assert!(raw.next().await.is_none());
}

/// Answers code 77 with code 78 and the number of the connection.
struct Numbered(u32);

impl Service for Numbered {
    fn serves(&self, code: u8) -> bool {
        code == 77
    }

    fn error_frame(&self, _: Option<u8>) -> Option<ErrorFrame> {
        None
    }

    async fn call(&self, request: Frame, outbox: &mut Outbox) -> Result<(), Failure> {
        match request.code {
            77 => outbox.frame(78, &Blob::from(self.0.to_be_bytes())),
            code => unserved(code).await,
        }
    }
}

#[tokio::test]
async fn services_compose_by_code_and_can_be_created_per_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = AtomicU32::new(0);
    tokio::spawn(Server::default().serve_with(listener, move |_| {
        (Numbered(count.fetch_add(1, Ordering::Relaxed)), Arc::new(EchoService(Mirror)))
    }));
    for number in 0..3_u32 {
        let mut raw = Raw::connect(address).await;
        raw.send(frame(77, &[])).await;
        assert_eq!(raw.next().await.unwrap().body, number.to_be_bytes());
        assert!(raw.is_open().await);
        // An unknown code is answered with the error frame of the first service that
        // has one.
        raw.send(frame(3, &[])).await;
        assert_eq!(raw.error().await, "Unknown message code: 3");
    }
}

#[tokio::test]
async fn shutdown_finishes_requests_in_progress_and_closes_all_connections() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::default();
    let handle = server.handle();
    let serving = tokio::spawn(server.serve(listener, EchoService(Mirror)));
    let mut idle = Raw::connect(address).await;
    assert!(idle.is_open().await);
    // More than the sockets can buffer, so that the answer is still in progress at
    // the shutdown.
    let mut busy = Raw::connect(address).await;
    busy.send(framed(&list(&"x".repeat(1000), 20_000))).await;
    assert!(busy.next().await.is_some());
    assert_eq!(handle.connections(), 2);
    handle.shut_down();
    assert!(idle.next().await.is_none());
    assert!(!serving.is_finished());
    let mut frames = 1;
    while busy.next().await.is_some() {
        frames += 1;
    }
    assert_eq!(frames, 20_001);
    serving.await.unwrap();
    assert_eq!(handle.connections(), 0);
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn dropping_the_server_closes_its_connections() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::default();
    let handle = server.handle();
    let serving = tokio::spawn(server.serve(listener, EchoService(Mirror)));
    let mut raw = Raw::connect(address).await;
    raw.send(framed(&echo::echo("hang"))).await;
    while handle.connections() == 0 {
        tokio::task::yield_now().await;
    }
    serving.abort();
    assert!(raw.next().await.is_none());
    assert_eq!(handle.connections(), 0);
}

#[tokio::test]
async fn a_client_that_does_not_read_exerts_back_pressure() {
    let (mut near, far) = tokio::io::duplex(1000);
    let config = ServerConfig::new().write_buffer(1000);
    let service = EchoService(Mirror);
    let serving = riak_runtime::server::serve_connection(far, &service, &config);
    let client = async {
        // The server stops reading requests when their answers are not read.
        let request = framed(&echo::echo(&"x".repeat(200)));
        let mut taken = 0;
        while let Ok(result) = tokio::time::timeout(Duration::from_millis(50), near.write_all(&request)).await
        {
            result.unwrap();
            taken += 1;
            assert!(taken < 200, "requests are taken without end");
        }
    };
    tokio::select! {
        _ = serving => panic!("it goes on"),
        () = client => {}
    }
}
