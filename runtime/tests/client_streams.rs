//! The client half against the server half: streams.
#![cfg(all(feature = "client", feature = "server"))]

mod echo;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use echo::client::{EchoClient, connect};
use echo::*;
use futures_core::Stream;
use riak_runtime::Blob;
use riak_runtime::client::{CallError, Connection, ConnectionConfig, ConnectionError, NotSent};
use riak_runtime::server::{Failure, Replies, ServerConfig, serve_connection};

#[tokio::test]
async fn a_stream_yields_its_answers_and_its_end() {
    let (echo, connection) = connect(ConnectionConfig::new()).await;
    for (nonce, count, frames) in [("x", 0, 1), ("x", 3, 4), ("explicit", 3, 4), ("x", 10_000, 10_001)] {
        let answers = echo.list(list(nonce, count)).await.unwrap().all().await.unwrap();
        assert_eq!(answers.len(), frames);
        for (index, answer) in answers[..count as usize].iter().enumerate() {
            assert_eq!((answer.nonce.to_str().unwrap(), answer.count), (nonce, u32::try_from(index).ok()));
        }
        assert_eq!(answers.last().unwrap().flag, Some(true));
    }
    // Polled as a `Stream`, to its end and once more.
    let mut stream = pin!(echo.list(list("x", 2)).await.unwrap());
    let mut seen = 0;
    while let Some(answer) = std::future::poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
        answer.unwrap();
        seen += 1;
    }
    assert_eq!(seen, 3);
    assert!(std::future::poll_fn(|cx| stream.as_mut().poll_next(cx)).await.is_none());
    assert!(connection.closed().is_none());
}

#[tokio::test]
async fn the_method_decides_whether_a_conditional_operation_streams() {
    let (echo, _) = connect(ConnectionConfig::new()).await;
    for flag in [None, Some(false), Some(true)] {
        let request = IndexReq { nonce: Blob::from("x"), count: Some(2), flag };
        let answer = echo.index(&request).await.unwrap();
        assert_ne!(answer.flag, Some(true), "the server saw no wish for a stream");
        assert_eq!(echo.index_stream(&request).await.unwrap().all().await.unwrap().len(), 3);
    }
}

#[tokio::test]
async fn an_error_ends_a_stream_at_its_start_or_in_its_middle() {
    let (echo, connection) = connect(ConnectionConfig::new()).await;
    assert!(matches!(echo.list(list("error", 0)).await, Err(CallError::Server(_))));
    let mut stream = echo.list(list("error", 2)).await.unwrap();
    assert!(stream.next().await.unwrap().is_ok());
    assert!(stream.next().await.unwrap().is_ok());
    assert!(matches!(stream.next().await, Some(Err(CallError::Server(_)))));
    assert!(stream.next().await.is_none());
    assert_eq!(echo.echo(echo::echo("still there")).await.unwrap().nonce, "still there");
    assert!(connection.closed().is_none());
}

#[tokio::test]
async fn a_stream_has_the_connection_to_itself() {
    let (echo, connection) = connect(ConnectionConfig::new()).await;
    // A call does nothing before it is polled.
    let not_begun = echo.list(list("x", 1));
    let mut stream = echo.list(list("x", 50_000)).await.unwrap();
    let mut waiting = pin!(echo.echo(echo::echo("behind")));
    for _ in 0..2000 {
        let polled = std::future::poll_fn(|cx| Poll::Ready(waiting.as_mut().poll(cx))).await;
        assert!(polled.is_pending());
        stream.next().await.unwrap().unwrap();
    }
    assert_eq!(connection.waiting(), 1);
    assert_eq!(stream.all().await.unwrap().len(), 48_001);
    assert_eq!(waiting.await.unwrap().nonce, "behind");
    drop(not_begun);
    assert_eq!(echo.fold(fold("alone")).await.unwrap().nonce, "alone");
}

#[tokio::test]
async fn a_slow_consumer_exerts_back_pressure_on_the_server() {
    let (near, far) = tokio::io::duplex(1000);
    let config = ConnectionConfig::new().stream_buffer(4000);
    let (connection, driver) = Connection::new(near, config);
    tokio::spawn(driver);
    let service = EchoService(Counting(Arc::default()));
    let sent = Arc::clone(&service.0.0);
    tokio::spawn(
        async move { serve_connection(far, &service, &ServerConfig::new().write_buffer(1000)).await },
    );
    let echo = EchoClient { call: connection };
    let mut stream = echo.list(list("x", 100_000)).await.unwrap();
    let count = || sent.load(Ordering::Relaxed);
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    let stopped = count();
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    assert_eq!(count(), stopped, "nothing is sent while the client does not read");
    assert!(stopped < 2000, "{stopped} answers were sent to a client that does not read");
    let mut received = 0;
    while let Some(answer) = stream.next().await {
        answer.unwrap();
        received += 1;
    }
    assert_eq!(received, 100_001);
}

/// Counts the answers that it could send.
#[derive(Clone)]
struct Counting(Arc<AtomicU32>);

impl EchoServer for Counting {
    async fn list(&self, request: ListReq, replies: &mut Replies<'_, ListResp>) -> Result<(), Failure> {
        for index in 0..request.count.unwrap_or(0) {
            replies.send(&ListResp { count: Some(index), ..ListResp::default() }).await?;
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_goes_idle_times_out_and_closes_the_connection() {
    let (near, far) = tokio::io::duplex(1000);
    let config = ConnectionConfig::new().stream_idle_timeout(Some(Duration::from_secs(3)));
    let (connection, driver) = Connection::new(near, config);
    let driver = tokio::spawn(driver);
    tokio::spawn(async move { serve_connection(far, &EchoService(Mirror), &ServerConfig::new()).await });
    let echo = EchoClient { call: connection };
    let mut stream = echo.list(list("hang", 2)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(stream.next().await.unwrap().is_ok());
    assert!(stream.next().await.unwrap().is_ok());
    assert!(matches!(stream.next().await, Some(Err(CallError::Timeout { sent: true, .. }))));
    assert!(stream.next().await.is_none());
    assert!(matches!(driver.await.unwrap(), Err(ConnectionError::Abandoned { operation: "Echo.List" })));
    let error = echo.echo(echo::echo("x")).await.unwrap_err();
    assert!(!error.may_have_been_applied() && error.is_retryable());
}

#[tokio::test]
async fn dropping_a_stream_closes_the_connection_and_waiting_calls_are_not_sent() {
    let (echo, connection) = connect(ConnectionConfig::new()).await;
    let stream = echo.list(list("x", 1_000_000)).await.unwrap();
    let mut waiting = pin!(echo.echo(echo::echo("x")));
    assert!(std::future::poll_fn(|cx| Poll::Ready(waiting.as_mut().poll(cx))).await.is_pending());
    drop(stream);
    let error = waiting.await.unwrap_err();
    assert!(
        matches!(&error, CallError::NotSent(NotSent::Connection(ConnectionError::Abandoned { .. }))),
        "{error:?}"
    );
    assert!(connection.closed().is_some());
    // Dropping a stream after its end does not close the connection.
    let (echo, connection) = connect(ConnectionConfig::new()).await;
    let mut stream = echo.list(list("x", 0)).await.unwrap();
    stream.next().await.unwrap().unwrap();
    drop(stream);
    assert!(connection.closed().is_none());
}
