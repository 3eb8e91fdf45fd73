//! The client half against the server half.
#![cfg(all(feature = "client", feature = "server"))]

mod echo;

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use echo::*;
use futures_core::Stream;
use riak_runtime::client::{
    self, Call, CallError, Connection, ConnectionConfig, ConnectionError, NotSent, Responses,
};
use riak_runtime::server::{ServerConfig, serve_connection};
use riak_runtime::{Blob, Request};

/// The client as it would be generated.
#[derive(Clone, Copy, Debug)]
struct Echo<C> {
    call: C,
}

impl<C: Call> Echo<C> {
    async fn echo(&self, request: impl Request<Owned = EchoReq>) -> Result<EchoResp, CallError> {
        client::unary(&self.call, request).await
    }

    async fn list(&self, request: impl Request<Owned = ListReq>) -> Result<Responses<ListResp>, CallError> {
        client::stream(&self.call, request).await
    }

    async fn fold(&self, request: impl Request<Owned = FoldReq>) -> Result<FoldResp, CallError> {
        client::unary(&self.call, request).await
    }

    async fn index(&self, request: impl Request<Owned = IndexReq>) -> Result<IndexResp, CallError> {
        client::unary(&self.call, request).await
    }

    async fn index_any(&self, request: impl Request<Owned = IndexReq>) -> Result<IndexAnswer, CallError> {
        client::unary(&self.call, request).await
    }

    async fn index_stream(
        &self,
        request: impl Request<Owned = IndexReq>,
    ) -> Result<Responses<IndexResp>, CallError> {
        client::stream(&self.call, request).await
    }

    async fn ping(&self) -> Result<PingResp, CallError> {
        client::unary(&self.call, PingReq::default()).await
    }
}

async fn connect(config: ConnectionConfig) -> (Echo<Connection>, Connection) {
    let connection = Connection::connect_with(mirror().await, config).await.unwrap();
    (Echo { call: connection.clone() }, connection)
}

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
async fn many_calls_are_in_flight_together_and_each_gets_its_answer() {
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
async fn a_stream_gives_its_answers_and_its_end() {
    let (echo, connection) = connect(ConnectionConfig::new()).await;
    for (nonce, count, frames) in [("x", 0, 1), ("x", 3, 4), ("explicit", 3, 4), ("x", 10_000, 10_001)] {
        let answers = echo.list(list(nonce, count)).await.unwrap().all().await.unwrap();
        assert_eq!(answers.len(), frames);
        for (index, answer) in answers[..count as usize].iter().enumerate() {
            assert_eq!((answer.nonce.to_str().unwrap(), answer.count), (nonce, u32::try_from(index).ok()));
        }
        assert_eq!(answers.last().unwrap().flag, Some(true));
    }
    // As a `Stream`, to its end and beyond.
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
async fn a_conditional_operation_is_called_either_way_whatever_the_request_says() {
    let (echo, _) = connect(ConnectionConfig::new()).await;
    for flag in [None, Some(false), Some(true)] {
        let request = IndexReq { nonce: Blob::from("x"), count: Some(2), flag };
        let answer = echo.index(&request).await.unwrap();
        assert_ne!(answer.flag, Some(true), "the server saw no wish for a stream");
        assert_eq!(echo.index_stream(&request).await.unwrap().all().await.unwrap().len(), 3);
    }
}

#[tokio::test]
async fn an_alternative_answer_is_given_or_named() {
    let (echo, connection) = connect(ConnectionConfig::new()).await;
    let request = IndexReq { nonce: Blob::from("body"), ..IndexReq::default() };
    assert!(matches!(echo.index_any(&request).await, Ok(IndexAnswer::Body(_))));
    let Err(CallError::Alternative(frame)) = echo.index(&request).await else { panic!("it is no IndexResp") };
    assert_eq!(frame.decode::<IndexBodyResp>().unwrap().nonce, "body");
    assert!(connection.closed().is_none());
}

#[tokio::test]
async fn a_server_error_is_its_calls_own() {
    let (echo, connection) = connect(ConnectionConfig::new()).await;
    let (before, error, after) =
        tokio::join!(echo.echo(echo::echo("a")), echo.echo(echo::echo("error")), echo.echo(echo::echo("b")));
    assert_eq!(before.unwrap().nonce, "a");
    assert_eq!(after.unwrap().nonce, "b");
    let error = error.unwrap_err();
    assert_eq!(error.to_string(), "the server answered with an error (number 7): overload");
    assert_eq!(error.server_error().unwrap().code, 7);
    // Nobody serves this code.
    let error = echo.ping().await.unwrap_err();
    assert_eq!(error.server_error().unwrap().text, "Unknown message code: 1");
    assert!(connection.closed().is_none());
}

#[tokio::test]
async fn an_error_ends_a_stream_at_its_start_and_in_its_middle() {
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
async fn a_stream_waits_for_calls_and_calls_wait_for_it() {
    let (echo, connection) = connect(ConnectionConfig::new()).await;
    // Not polled, it has not begun.
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
async fn a_slow_consumer_stops_the_server() {
    // The server's side counts what it could send.
    let (near, far) = tokio::io::duplex(1000);
    let config = ConnectionConfig::new().stream_buffer(4000);
    let (connection, driver) = Connection::new(near, config);
    tokio::spawn(driver);
    let service = EchoService(Counting(Arc::default()));
    let sent = Arc::clone(&service.0.0);
    tokio::spawn(
        async move { serve_connection(far, &service, &ServerConfig::new().write_buffer(1000)).await },
    );
    let echo = Echo { call: connection };
    let mut stream = echo.list(list("x", 100_000)).await.unwrap();
    let count = || sent.load(std::sync::atomic::Ordering::Relaxed);
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    let stopped = count();
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    assert_eq!(count(), stopped, "nothing moves while nobody reads");
    assert!(stopped < 2000, "{stopped} answers were sent to nobody");
    let mut received = 0;
    while let Some(answer) = stream.next().await {
        answer.unwrap();
        received += 1;
    }
    assert_eq!(received, 100_001);
}

#[derive(Clone)]
struct Counting(Arc<std::sync::atomic::AtomicU32>);

impl EchoServer for Counting {
    async fn list(
        &self,
        request: ListReq,
        replies: &mut riak_runtime::server::Replies<'_, ListResp>,
    ) -> Result<(), riak_runtime::server::Failure> {
        for index in 0..request.count.unwrap_or(0) {
            replies.send(&ListResp { count: Some(index), ..ListResp::default() }).await?;
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_takes_too_long_leaves_its_place() {
    let (near, far) = tokio::io::duplex(1000);
    let config = ConnectionConfig::new().call_timeout(Some(Duration::from_secs(7))).max_in_flight(2);
    let (connection, driver) = Connection::new(near, config);
    tokio::spawn(driver);
    let echo = Echo { call: connection.clone() };
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
    // The server comes back: the late answers are nobody's.
    tokio::spawn(async move { serve_connection(far, &EchoService(Mirror), &ServerConfig::new()).await });
    assert_eq!(echo.echo(echo::echo("four")).await.unwrap().nonce, "four");
}

#[tokio::test]
async fn a_timeout_may_be_longer_than_time() {
    let ages = Some(Duration::MAX);
    let (echo, _) = connect(ConnectionConfig::new().call_timeout(ages).stream_idle_timeout(ages)).await;
    assert_eq!(echo.echo(echo::echo("x")).await.unwrap().nonce, "x");
    assert_eq!(echo.list(list("x", 3)).await.unwrap().all().await.unwrap().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_falls_silent_ends_and_closes() {
    let (near, far) = tokio::io::duplex(1000);
    let config = ConnectionConfig::new().stream_idle_timeout(Some(Duration::from_secs(3)));
    let (connection, driver) = Connection::new(near, config);
    let driver = tokio::spawn(driver);
    tokio::spawn(async move { serve_connection(far, &EchoService(Mirror), &ServerConfig::new()).await });
    let echo = Echo { call: connection };
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
async fn a_dropped_stream_closes_and_what_waits_was_not_sent() {
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
    // After its end a stream is no more than a value.
    let (echo, connection) = connect(ConnectionConfig::new()).await;
    let mut stream = echo.list(list("x", 0)).await.unwrap();
    stream.next().await.unwrap().unwrap();
    drop(stream);
    assert!(connection.closed().is_none());
}

#[tokio::test]
async fn answers_owed_to_nobody_are_limited_and_those_who_wait_are_spared() {
    let (near, far) = tokio::io::duplex(1000);
    let (connection, driver) = Connection::new(near, ConnectionConfig::new().max_owed(2));
    let driver = tokio::spawn(driver);
    let echo = Echo { call: connection.clone() };
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
async fn the_connection_closes_with_its_last_handle() {
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
async fn calls_end_with_their_driver() {
    let (near, _far) = tokio::io::duplex(1000);
    let (connection, driver) = Connection::new(near, ConnectionConfig::new());
    let echo = Echo { call: connection };
    let mut call = pin!(echo.echo(echo::echo("x")));
    assert!(std::future::poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await.is_pending());
    drop(driver);
    let error = call.await.unwrap_err();
    assert!(matches!(error.connection_error(), Some(ConnectionError::Stopped)));
    assert!(!error.may_have_been_applied(), "not a byte was written");
}

#[tokio::test]
async fn ready_made_bodies_are_called_with() {
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
    // An operation that does not stream is a stream of one.
    let body = Blob::from(riak_runtime::Message::encode_to_vec(&echo::echo("raw")));
    let mut frames = client::frames(&connection, &ECHO, &body).await.unwrap();
    assert!(frames.next().await.unwrap().is_ok());
    assert!(frames.next().await.is_none());
    // And one that does is not called as if it did not.
    let error = client::frame(&connection, &LIST, &body).await.unwrap_err();
    assert!(matches!(error, CallError::NotSent(NotSent::Streams { operation: "Echo.List" })));
}

#[tokio::test]
async fn connecting_fails_with_what_went_wrong() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    assert!(matches!(Connection::connect(address).await, Err(ConnectionError::Io(_))));
}

/// A message that is a bug.
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
async fn a_request_that_panics_harms_nobody_else() {
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
    let echo = Echo { call: &connection };
    send(&echo.echo(EchoReqRef { nonce: &bytes, ..EchoReqRef::default() }));
    send(&echo.echo(&EchoReqRef { nonce: &bytes, ..EchoReqRef::default() }));
    send(&echo.echo(EchoReq::default()));
    send(&echo.list(ListReqRef { nonce: &bytes, ..ListReqRef::default() }));
    send(&echo.index_stream(&IndexReq::default()));
    send(&Echo { call: Arc::new(connection.clone()) }.fold(fold("x")));
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
    // A task may borrow within itself.
    let task = {
        let connection = connection.clone();
        async move {
            let text = String::from("x");
            let echo = Echo { call: &connection };
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
    let echo = Echo { call: connection.clone() };
    let mut call = Box::pin(echo.echo(echo::echo("x")));
    assert_eq!(connection.in_flight(), 0);
    // Without timeouts a call needs no runtime.
    let mut cx = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut call).as_mut().poll(&mut cx).is_pending());
    assert_eq!(connection.in_flight(), 1);
}
