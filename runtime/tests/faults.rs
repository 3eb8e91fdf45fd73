//! Misbehaving servers: every call to one ends within its timeout, with an error that
//! says what happened.
#![cfg(all(feature = "client", feature = "server"))]

mod echo;

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use echo::*;
use riak_runtime::client::{self, CallError, Connection, ConnectionConfig, ConnectionError, NotSent};
use riak_runtime::{Blob, FrameError};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpListener;

/// Starts a server that reads `read` bytes of requests, sends `answer`, and closes the
/// connection or keeps it open.
async fn server(read: usize, answer: Vec<u8>, close: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        socket.read_exact(&mut vec![0; read]).await.unwrap();
        socket.write_all(&answer).await.unwrap();
        if !close {
            std::future::pending::<()>().await;
        }
    });
    address
}

fn config() -> ConnectionConfig {
    ConnectionConfig::new()
        .call_timeout(Some(Duration::from_secs(2)))
        .long_call_timeout(Some(Duration::from_secs(2)))
        .stream_idle_timeout(Some(Duration::from_secs(2)))
        .max_frame(1000)
}

fn request_len() -> usize {
    framed(&echo::echo("a")).len()
}

/// Makes three calls to a server that answers the first one correctly and then sends
/// `rest`. Returns the errors of the other two.
async fn errors_after_one_answer(rest: &[u8], close: bool) -> [CallError; 2] {
    let first = EchoResp { nonce: Blob::from("a"), ..EchoResp::default() };
    let answer = [framed(&first), rest.to_vec()].concat();
    let address = server(3 * request_len(), answer, close).await;
    let connection = Connection::connect_with(address, config()).await.unwrap();
    let call = |nonce| client::unary::<_, _, EchoResp>(&connection, echo::echo(nonce));
    let all = async { tokio::join!(call("a"), call("b"), call("c")) };
    let (a, b, c) = tokio::time::timeout(Duration::from_secs(5), all).await.expect("within the timeout");
    assert_eq!(a.unwrap().nonce, "a");
    if connection.closed().is_some() {
        let late = call("d").await.unwrap_err();
        assert!(matches!(late, CallError::NotSent(NotSent::Connection(_))), "{late:?}");
    }
    let errors = [b.unwrap_err(), c.unwrap_err()];
    assert!(errors.iter().all(CallError::may_have_been_applied), "both were sent: {errors:?}");
    errors
}

#[tokio::test]
async fn a_connection_closed_between_frames_fails_its_calls() {
    for error in errors_after_one_answer(&[], true).await {
        let Some(ConnectionError::Closed { within_frame: false }) = error.connection_error() else {
            panic!("{error:?}");
        };
    }
}

#[tokio::test]
async fn a_connection_closed_at_any_byte_of_a_frame_fails_its_calls() {
    let second = framed(&EchoResp { nonce: Blob::from("b"), ..EchoResp::default() });
    for cut in 1..second.len() {
        for error in errors_after_one_answer(&second[..cut], true).await {
            let Some(ConnectionError::Closed { within_frame: true }) = error.connection_error() else {
                panic!("cut at {cut}: {error:?}");
            };
            assert!(matches!(error, CallError::Lost(_)) && error.is_retryable());
        }
    }
}

#[tokio::test]
async fn invalid_frame_lengths_fail_the_connection() {
    for (length, expected) in [
        (0, FrameError::Empty),
        (1001, FrameError::TooLong { length: 1001, max: 1000 }),
        (u32::MAX, FrameError::TooLong { length: u32::MAX as usize, max: 1000 }),
    ] {
        let [culprit, other] = errors_after_one_answer(&length.to_be_bytes(), false).await;
        // An oversized answer may be valid, so its call gets an error of its own. The
        // others are lost with the connection.
        if length == 1001 {
            let CallError::TooLong { length: 1001, max: 1000 } = culprit else { panic!("{culprit:?}") };
            assert!(!culprit.is_retryable());
        } else {
            let Some(ConnectionError::Frame(_)) = culprit.connection_error() else { panic!("{culprit:?}") };
        }
        let Some(ConnectionError::Frame(found)) = other.connection_error() else { panic!("{other:?}") };
        assert_eq!(*found, expected);
        assert!(other.is_retryable());
    }
}

#[tokio::test]
async fn unexpected_message_codes_fail_the_connection() {
    // A code of no schema, and the code of another operation.
    for code in [199, 18] {
        let [culprit, other] = errors_after_one_answer(&frame(code, &[]), false).await;
        assert!(
            matches!(culprit, CallError::UnexpectedCode { code: found, expected: 10 } if found == code),
            "{culprit:?}"
        );
        let Some(ConnectionError::UnexpectedCode { operation: "Echo.Echo", .. }) = other.connection_error()
        else {
            panic!("{other:?}");
        };
    }
}

#[tokio::test]
async fn calls_to_a_silent_server_time_out() {
    let start = std::time::Instant::now();
    for error in errors_after_one_answer(&[], false).await {
        assert!(matches!(error, CallError::Timeout { sent: true, .. }), "{error:?}");
    }
    assert!(start.elapsed() >= Duration::from_secs(2));
}

#[tokio::test]
async fn a_malformed_body_fails_only_its_own_call() {
    let answer = [frame(10, &[0x0a, 9]), framed(&EchoResp::default())].concat();
    let address = server(2 * request_len(), answer, false).await;
    let connection = Connection::connect_with(address, config()).await.unwrap();
    let call = |nonce| client::unary::<_, _, EchoResp>(&connection, echo::echo(nonce));
    let (bad, good) = tokio::join!(call("a"), call("b"));
    let error = bad.unwrap_err();
    assert!(matches!(error, CallError::Decode(_)));
    assert!(error.to_string().starts_with("the answer is malformed: EchoResp: at byte 2"), "{error}");
    good.unwrap();
    assert!(connection.closed().is_none());
}

#[tokio::test]
async fn a_frame_without_a_request_closes_the_connection() {
    let address = server(0, framed(&EchoResp::default()), false).await;
    let connection = Connection::connect_with(address, config()).await.unwrap();
    while connection.closed().is_none() {
        tokio::task::yield_now().await;
    }
    assert!(matches!(connection.closed(), Some(ConnectionError::Unasked { code: 10 })));
}

#[tokio::test]
async fn truncated_and_malformed_streams_end_with_an_error() {
    let request = framed(&list("a", 1)).len();
    let chunk = framed(&ListResp { nonce: Blob::from("a"), ..ListResp::default() });
    let cases = [
        (chunk[..3].to_vec(), true),
        (vec![], true),
        (vec![0; 4], false),
        (frame(10, &[]), false),
        // A malformed body hides whether it is the last one.
        (frame(18, &[0x18]), false),
        (vec![], false),
    ];
    for (index, (rest, close)) in cases.into_iter().enumerate() {
        let address = server(request, [chunk.clone(), rest].concat(), close).await;
        let connection = Connection::connect_with(address, config()).await.unwrap();
        let mut stream = client::stream::<_, _, ListResp>(&connection, list("a", 1)).await.unwrap();
        stream.next().await.unwrap().unwrap();
        let behind = client::unary::<_, _, EchoResp>(&connection, echo::echo("b"));
        let (error, behind) = tokio::join!(stream.next(), behind);
        let error = error.unwrap().unwrap_err();
        let fits = match index {
            0 => matches!(error.connection_error(), Some(ConnectionError::Closed { within_frame: true })),
            1 => matches!(error.connection_error(), Some(ConnectionError::Closed { within_frame: false })),
            2 => matches!(error.connection_error(), Some(ConnectionError::Frame(FrameError::Empty))),
            3 => matches!(error, CallError::UnexpectedCode { code: 10, expected: 18 }),
            4 => matches!(error, CallError::Decode(_)),
            _ => matches!(error, CallError::Timeout { .. }),
        };
        assert!(fits, "case {index}: {error:?}");
        assert!(stream.next().await.is_none());
        let behind = behind.unwrap_err();
        assert!(!behind.may_have_been_applied(), "case {index}: {behind:?}");
        assert!(connection.closed().is_some());
    }
}

#[tokio::test]
async fn an_answer_received_before_the_close_is_delivered() {
    // The server closes while the client is still sending to it.
    let (near, mut far) = tokio::io::duplex(64);
    let (connection, driver) = Connection::new(near, config());
    tokio::spawn(driver);
    let large = EchoReq { nonce: Blob::from(vec![1; 900]), ..EchoReq::default() };
    let call = tokio::spawn(async move { client::unary::<_, _, EchoResp>(&connection, large).await });
    let mut some = [0; 60];
    far.read_exact(&mut some).await.unwrap();
    drop(far);
    let error = call.await.unwrap().unwrap_err();
    assert!(!error.may_have_been_applied(), "not all of it was sent: {error:?}");

    let (near, mut far) = tokio::io::duplex(1000);
    let (connection, driver) = Connection::new(near, config());
    let call = |nonce| client::unary::<_, _, EchoResp>(&connection, echo::echo(nonce));
    let server = async {
        far.read_exact(&mut vec![0; request_len()]).await.unwrap();
        far.write_all(&frame(0, b"\x0a\x05crash\x10\x00")).await.unwrap();
        drop(far);
    };
    let (first, (), _) = tokio::join!(call("a"), server, driver);
    assert_eq!(first.unwrap_err().server_error().unwrap().text, "crash");
}

/// A server that has sent some bytes and closed, so that writes to it fail.
struct ClosedServer(&'static [u8]);

impl AsyncRead for ClosedServer {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (sent, rest) = self.0.split_at(self.0.len().min(buffer.remaining()));
        buffer.put_slice(sent);
        self.0 = rest;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ClosedServer {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A refusal is reported. Any other answer is none, since the request was not sent.
#[tokio::test]
async fn a_refusal_received_before_the_close_is_reported_by_the_handshake() {
    let refused = client::handshake(&mut ClosedServer(b"\0\0\0\x07\0\x0a\x04full"), &echo::echo("a")).await;
    assert!(matches!(refused, Err(ConnectionError::Refused(error)) if error.text == "full"));
    for sent in [&b""[..], b"\0\0", b"\0\0\0\x01\x0a"] {
        let error = client::handshake(&mut ClosedServer(sent), &echo::echo("a")).await.unwrap_err();
        assert!(
            matches!(&error, ConnectionError::Io(io) if io.kind() == io::ErrorKind::BrokenPipe),
            "{error:?}"
        );
    }
}
