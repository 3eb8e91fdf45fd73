//! The client half against the server half: unary calls.
#![cfg(all(feature = "client", feature = "server"))]

mod echo;

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use echo::client::{EchoClient, connect};
use echo::*;
use riak_runtime::client::{
    self, CallError, Connection, ConnectionConfig, ConnectionError, NotSent, Responses,
};
use riak_runtime::server::{ServerConfig, serve_connection};
use riak_runtime::{Blob, Request};

#[tokio::test]
async fn owned_and_borrowed_requests_are_answered() {
    let (echo, _) = connect(ConnectionConfig::new()).await;
    let request = EchoReq { nonce: Blob::from("one"), count: Some(3), flag: None };
    let answer = echo.echo(&request).await.unwrap();
    assert_eq!((&answer.nonce, answer.count), (&request.nonce, Some(3)));
    let text = String::from("two");
    let borrowed = EchoReqRef { nonce: text.as_bytes(), ..EchoReqRef::default() };
    assert_eq!(echo.echo(borrowed).await.unwrap().nonce, "two");
    assert_eq!(echo.echo(request).await.unwrap().nonce, "one");
}

#[tokio::test]
async fn large_values_go_both_ways() {
    let (echo, _) = connect(ConnectionConfig::new()).await;
    for len in [15_000_u32, 16_384, 1_000_000, 20_000_000] {
        let nonce = Blob::from((0..len).map(|index| index.to_le_bytes()[1]).collect::<Vec<u8>>());
        let answer = echo.echo(EchoReq { nonce: nonce.clone(), ..EchoReq::default() }).await.unwrap();
        assert!(answer.nonce == nonce, "{len} bytes");
    }
}

#[tokio::test]
async fn concurrent_calls_share_a_connection_and_each_gets_its_answer() {
    let (echo, connection) = connect(ConnectionConfig::new().max_in_flight(16)).await;
    let tasks: Vec<_> = (0..200)
        .map(|task| {
            let echo = echo.clone();
            tokio::spawn(async move {
                for call in 0..50 {
                    let nonce = format!("{task}/{call}");
                    let answer = echo.echo(echo::echo(&nonce)).await.unwrap();
                    assert_eq!(answer.nonce, nonce);
                }
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(connection.in_flight() <= 16);
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!((connection.in_flight(), connection.waiting()), (0, 0));
}

#[tokio::test]
async fn an_alternative_answer_is_decoded_or_returned_as_a_frame() {
    let (echo, connection) = connect(ConnectionConfig::new()).await;
    let request = IndexReq { nonce: Blob::from("body"), ..IndexReq::default() };
    assert!(matches!(echo.index_any(&request).await, Ok(IndexAnswer::Body(_))));
    let Err(CallError::Alternative(frame)) = echo.index(&request).await else {
        panic!("it is not an IndexResp")
    };
    assert_eq!(frame.decode::<IndexBodyResp>().unwrap().nonce, "body");
    assert!(connection.closed().is_none());
}

#[tokio::test]
async fn a_server_error_fails_only_its_own_call() {
    let (echo, connection) = connect(ConnectionConfig::new()).await;
    let (before, error, after) =
        tokio::join!(echo.echo(echo::echo("a")), echo.echo(echo::echo("error")), echo.echo(echo::echo("b")));
    assert_eq!(before.unwrap().nonce, "a");
    assert_eq!(after.unwrap().nonce, "b");
    let error = error.unwrap_err();
    assert_eq!(error.to_string(), "the server answered with an error (number 7): overload");
    assert_eq!(error.server_error().unwrap().number, 7);
    // No service handles this code.
    let error = echo.ping().await.unwrap_err();
    assert_eq!(error.server_error().unwrap().text, "Unknown message code: 1");
    assert!(connection.closed().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_times_out_keeps_its_slot_until_its_answer_arrives() {
    let (near, far) = tokio::io::duplex(1000);
    let config = ConnectionConfig::new().call_timeout(Some(Duration::from_secs(7))).max_in_flight(2);
    let (connection, driver) = Connection::new(near, config);
    tokio::spawn(driver);
    let echo = EchoClient { call: connection.clone() };
    let start = tokio::time::Instant::now();
    let (one, two, three) = tokio::join!(
        echo.echo(echo::echo("one")),
        echo.echo(echo::echo("two")),
        echo.echo(echo::echo("never sent"))
    );
    assert_eq!(start.elapsed().as_secs(), 7);
    let after = Duration::from_secs(7);
    assert!(matches!(one, Err(CallError::Timeout { after: a, sent: true }) if a == after));
    assert!(matches!(two, Err(CallError::Timeout { sent: true, .. })));
    assert!(matches!(three, Err(CallError::Timeout { sent: false, .. })));
    assert_eq!((connection.in_flight(), connection.waiting()), (2, 0));
    // The server resumes, and the late answers are discarded.
    tokio::spawn(async move { serve_connection(far, &EchoService(Mirror), &ServerConfig::new()).await });
    assert_eq!(echo.echo(echo::echo("four")).await.unwrap().nonce, "four");
}

#[tokio::test]
async fn the_longest_possible_timeout_does_not_overflow() {
    let forever = Some(Duration::MAX);
    let (echo, _) = connect(ConnectionConfig::new().call_timeout(forever).stream_idle_timeout(forever)).await;
    assert_eq!(echo.echo(echo::echo("x")).await.unwrap().nonce, "x");
    assert_eq!(echo.list(list("x", 3)).await.unwrap().all().await.unwrap().len(), 4);
}

#[tokio::test]
async fn answers_to_dropped_calls_are_limited_and_waiting_calls_still_complete() {
    let (near, far) = tokio::io::duplex(1000);
    let (connection, driver) = Connection::new(near, ConnectionConfig::new().max_owed(2));
    let driver = tokio::spawn(driver);
    let echo = EchoClient { call: connection.clone() };
    let survivor = tokio::spawn({
        let echo = echo.clone();
        async move { echo.echo(echo::echo("survivor")).await }
    });
    tokio::task::yield_now().await;
    for _ in 0..3 {
        let mut call = Box::pin(echo.echo(echo::echo("dropped")));
        assert!(std::future::poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await.is_pending());
    }
    assert!(matches!(connection.closed(), Some(ConnectionError::Owed { count: 3 })));
    assert!(matches!(echo.echo(echo::echo("late")).await, Err(CallError::NotSent(_))));
    tokio::spawn(async move { serve_connection(far, &EchoService(Mirror), &ServerConfig::new()).await });
    assert_eq!(survivor.await.unwrap().unwrap().nonce, "survivor");
    assert!(matches!(driver.await.unwrap(), Err(ConnectionError::Owed { .. })));
}

#[tokio::test]
async fn the_connection_closes_when_its_last_handle_is_dropped() {
    let (near, mut far) = tokio::io::duplex(1000);
    let (connection, driver) = Connection::new(near, ConnectionConfig::new());
    let driver = tokio::spawn(driver);
    let other = connection.clone();
    drop(connection);
    tokio::task::yield_now().await;
    assert!(!driver.is_finished());
    drop(other);
    assert!(driver.await.unwrap().is_ok());
    assert_eq!(tokio::io::AsyncReadExt::read(&mut far, &mut [0; 8]).await.unwrap(), 0);
}

#[tokio::test]
async fn calls_fail_when_the_driver_is_dropped() {
    let (near, _far) = tokio::io::duplex(1000);
    let (connection, driver) = Connection::new(near, ConnectionConfig::new());
    let echo = EchoClient { call: connection };
    let mut call = pin!(echo.echo(echo::echo("x")));
    assert!(std::future::poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await.is_pending());
    drop(driver);
    let error = call.await.unwrap_err();
    assert!(matches!(error.connection_error(), Some(ConnectionError::Stopped)));
    assert!(!error.may_have_been_applied(), "not a byte was written");
}

#[tokio::test]
async fn calls_can_be_made_with_encoded_bodies() {
    let (_, connection) = connect(ConnectionConfig::new()).await;
    let body = Blob::from(riak_runtime::Message::encode_to_vec(&echo::echo("raw")));
    let answer = client::frame(&connection, &ECHO, &body).await.unwrap();
    assert_eq!((answer.code, answer.decode::<EchoResp>().unwrap().nonce), (10, Blob::from("raw")));
    let body = Blob::from(riak_runtime::Message::encode_to_vec(&list("raw", 2)));
    let mut frames = client::frames(&connection, &LIST, &body).await.unwrap();
    let mut count = 0;
    while let Some(frame) = frames.next().await {
        assert_eq!(frame.unwrap().code, 18);
        count += 1;
    }
    assert_eq!(count, 3);
    // An operation that does not stream yields a stream of one answer.
    let body = Blob::from(riak_runtime::Message::encode_to_vec(&echo::echo("raw")));
    let mut frames = client::frames(&connection, &ECHO, &body).await.unwrap();
    assert!(frames.next().await.unwrap().is_ok());
    assert!(frames.next().await.is_none());
    // A streaming operation cannot be called for a single answer.
    let error = client::frame(&connection, &LIST, &body).await.unwrap_err();
    assert!(matches!(error, CallError::NotSent(NotSent::Streams { operation: "Echo.List" })));
}

#[tokio::test]
async fn a_failed_connect_names_the_address() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = Connection::connect(address).await.unwrap_err();
    let ConnectionError::Unreachable(unreachable) = &error else { panic!("{error:?}") };
    assert_eq!(unreachable.address, address);
    assert_eq!(unreachable.error.kind(), std::io::ErrorKind::ConnectionRefused);
    assert!(error.to_string().starts_with(&format!("cannot connect to {address}: ")), "{error}");
}

/// A message whose encoding panics.
#[derive(Clone, Debug, Default)]
struct Panics;

impl riak_runtime::Message for Panics {
    const NAME: &'static str = "Panics";

    fn encode<'w>(&self, out: riak_runtime::wire::Writer<'w>) -> riak_runtime::wire::Writer<'w> {
        let _ = out.byte(1);
        panic!("as it should")
    }
}

impl riak_runtime::Coded for Panics {
    const CODE: u8 = 9;
}

impl Request for Panics {
    type Owned = EchoReq;
    type Response = EchoResp;
    const OPERATION: &'static riak_runtime::Operation = &ECHO;
}

#[tokio::test]
async fn a_request_whose_encoding_panics_affects_no_other_call() {
    let (echo, _) = connect(ConnectionConfig::new()).await;
    let other = echo.clone();
    let panicked = tokio::spawn(async move { other.echo(Panics).await }).await;
    assert!(panicked.is_err());
    assert_eq!(echo.echo(echo::echo("x")).await.unwrap().nonce, "x");
}

#[test]
fn every_future_is_send() {
    fn send<T: Send>(_: &T) {}
    fn sync<T: Sync>() {}
    let (near, far) = tokio::io::duplex(1000);
    let (connection, driver) = Connection::new(near, ConnectionConfig::new());
    send(&driver);
    sync::<Connection>();
    sync::<Responses<ListResp>>();
    sync::<client::FrameStream>();
    let bytes = vec![1];
    let body = Blob::new();
    let echo = EchoClient { call: &connection };
    send(&echo.echo(EchoReqRef { nonce: &bytes, ..EchoReqRef::default() }));
    send(&echo.echo(&EchoReqRef { nonce: &bytes, ..EchoReqRef::default() }));
    send(&echo.echo(EchoReq::default()));
    send(&echo.list(ListReqRef { nonce: &bytes, ..ListReqRef::default() }));
    send(&echo.index_stream(&IndexReq::default()));
    send(&EchoClient { call: Arc::new(connection.clone()) }.fold(fold("x")));
    send(&client::frame(&connection, &ECHO, &body));
    send(&client::frames(&connection, &LIST, &body));
    send(&Connection::connect("localhost:1"));
    send(&Connection::connect_with(("localhost", 1), ConnectionConfig::new()));
    let streams = async {
        let mut stream = echo.list(list("x", 1)).await?;
        let _ = stream.next().await;
        stream.all().await
    };
    send(&streams);
    // A task may hold borrows of its own locals across an await.
    let task = {
        let connection = connection.clone();
        async move {
            let text = String::from("x");
            let echo = EchoClient { call: &connection };
            echo.echo(EchoReqRef { nonce: text.as_bytes(), ..EchoReqRef::default() }).await
        }
    };
    send(&task);
    let service = EchoService(Mirror);
    send(&serve_connection(far, &service, &ServerConfig::new()));
}

#[test]
fn a_call_does_nothing_before_it_is_polled() {
    let (near, _far) = tokio::io::duplex(1000);
    let config = ConnectionConfig::new().call_timeout(None);
    let (connection, _driver) = Connection::new(near, config);
    let echo = EchoClient { call: connection.clone() };
    let mut call = Box::pin(echo.echo(echo::echo("x")));
    assert_eq!(connection.in_flight(), 0);
    // Without timeouts a call needs no runtime.
    let mut cx = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut call).as_mut().poll(&mut cx).is_pending());
    assert_eq!(connection.in_flight(), 1);
}
