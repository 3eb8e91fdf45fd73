//! A call's deadline bounds everything that happens to it. The clock is paused: it
//! advances only when all tasks wait.
#![cfg(all(feature = "client", feature = "server"))]

mod echo;

use std::time::Duration;

use echo::*;
use riak_runtime::Blob;
use riak_runtime::client::{
    self, Call, CallError, CallOptions, Connection, ConnectionConfig, ConnectionError, NotSent, With,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, sleep};

/// Returns a connection, and the server's end of it.
fn pair(config: ConnectionConfig) -> (Connection, DuplexStream) {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let (connection, driver) = Connection::new(ours, config);
    tokio::spawn(driver);
    (connection, theirs)
}

fn within<C: Call>(call: C, millis: u64) -> With<C> {
    With::new(call, CallOptions::new().timeout(Duration::from_millis(millis)))
}

fn request() -> EchoReq {
    EchoReq { nonce: Blob::from("n"), ..EchoReq::default() }
}

#[tokio::test(start_paused = true)]
async fn waiting_for_an_answer_ends_at_the_deadline() {
    let (connection, _server) = pair(ConnectionConfig::new());
    let begun = Instant::now();
    let result: Result<EchoResp, _> = client::unary(&within(&connection, 30), request()).await;
    match result {
        Err(error @ CallError::Timeout { after, sent: true }) => {
            assert_eq!(after, Duration::from_millis(30));
            assert!(error.may_have_been_applied());
        }
        other => panic!("{other:?}"),
    }
    assert!(begun.elapsed() < Duration::from_millis(35), "{:?}", begun.elapsed());
    // The connection stays open; the answer is still owed.
    assert!(connection.closed().is_none());
    assert_eq!(connection.in_flight(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_its_turn_is_not_sent_after_its_deadline() {
    let (connection, mut server) = pair(ConnectionConfig::new().max_in_flight(1));
    let first = tokio::spawn({
        let connection = connection.clone();
        async move { client::unary::<_, _, EchoResp>(&connection, request()).await }
    });
    sleep(Duration::from_millis(1)).await;
    let late: Result<EchoResp, _> = client::unary(&within(&connection, 20), request()).await;
    assert!(matches!(&late, Err(CallError::Timeout { sent: false, .. })), "{late:?}");
    assert!(!late.unwrap_err().may_have_been_applied());
    // The server sees one request, and nothing more after its answer.
    server.write_all(&[0, 0, 0, 4, 10, 0x0a, 1, b'n']).await.unwrap();
    first.await.unwrap().unwrap();
    sleep(Duration::from_millis(100)).await;
    drop(connection);
    let mut seen = Vec::new();
    server.read_to_end(&mut seen).await.unwrap();
    assert_eq!(seen, [0, 0, 0, 4, 9, 0x0a, 1, b'n']);
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_deadline_has_passed_is_not_sent() {
    let (connection, _server) = pair(ConnectionConfig::new());
    let result: Result<EchoResp, _> = client::unary(&within(&connection, 0), request()).await;
    assert!(matches!(result, Err(CallError::NotSent(NotSent::Deadline))), "{result:?}");
    assert_eq!(connection.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_earlier_of_two_deadlines_applies() {
    let (connection, _server) = pair(ConnectionConfig::new().call_timeout(Some(Duration::from_millis(20))));
    for outer in [within(within(&connection, 500), 10), within(within(&connection, 10), 500)] {
        let begun = Instant::now();
        let result: Result<EchoResp, _> = client::unary(&outer, request()).await;
        assert!(matches!(result, Err(CallError::Timeout { .. })), "{result:?}");
        assert!(begun.elapsed() < Duration::from_millis(15), "{:?}", begun.elapsed());
    }
    let begun = Instant::now();
    let result: Result<EchoResp, _> = client::unary(&within(&connection, 500), request()).await;
    assert!(result.is_err());
    assert!(begun.elapsed() < Duration::from_millis(25), "{:?}", begun.elapsed());
}

/// The idle timeout does not run while the consumer is slow. Once the consumer reads
/// again, the server has the full timeout, and no more.
#[tokio::test(start_paused = true)]
async fn the_idle_timeout_of_a_stream_starts_when_a_slow_consumer_resumes() {
    let idle = Duration::from_secs(3);
    let config = ConnectionConfig::new().stream_buffer(1).stream_idle_timeout(Some(idle));
    let (connection, mut server) = pair(config);
    let answers = client::stream::<_, _, ListResp>(&connection, ListReq::default());
    let (answers, written) = tokio::join!(answers, server.write_all(&[0, 0, 0, 1, 18, 0, 0, 0, 1, 18]));
    written.unwrap();
    let mut answers = answers.unwrap();
    sleep(idle * 3).await;
    answers.next().await.unwrap().unwrap();
    answers.next().await.unwrap().unwrap();
    let begun = Instant::now();
    let error = tokio::time::timeout(idle * 10, answers.next()).await.expect("it ends").unwrap();
    assert!(matches!(error, Err(CallError::Timeout { sent: true, .. })), "{error:?}");
    assert_eq!(begun.elapsed().as_secs(), idle.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_deadline_bounds_a_stream_as_a_whole() {
    let (connection, mut server) = pair(ConnectionConfig::new());
    let steady = tokio::spawn(async move {
        loop {
            sleep(Duration::from_millis(10)).await;
            if server.write_all(&[0, 0, 0, 1, 18]).await.is_err() {
                return;
            }
        }
    });
    let mut answers =
        client::stream::<_, _, ListResp>(&within(&connection, 55), ListReq::default()).await.unwrap();
    let mut count = 0;
    let error = loop {
        match answers.next().await.expect("it has no end") {
            Ok(_) => count += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(count, 5);
    assert!(matches!(error, CallError::Timeout { sent: true, .. }), "{error:?}");
    assert!(matches!(connection.closed(), Some(ConnectionError::Abandoned { .. })));
    drop((answers, connection));
    steady.await.unwrap();
}

/// The timeout in the request is the time left when the request is sent.
#[cfg(feature = "derive")]
#[tokio::test(start_paused = true)]
async fn time_spent_waiting_is_deducted_from_the_timeout_sent_to_the_server() {
    use riak_runtime::RiakMessage;

    #[derive(Clone, Debug, Default, RiakMessage)]
    #[riak(code = 232, response = TimedResp)]
    struct TimedReq {
        #[riak(tag = 1, timeout)]
        timeout: Option<u32>,
    }
    #[derive(Clone, Debug, Default, RiakMessage)]
    #[riak(code = 233)]
    struct TimedResp;

    let (connection, mut server) = pair(ConnectionConfig::new().max_in_flight(1));
    let call = |millis| {
        let timed = within(connection.clone(), millis);
        tokio::spawn(async move { client::unary::<_, _, TimedResp>(&timed, TimedReq::default()).await })
    };
    let calls = (call(80), call(800));
    sleep(Duration::from_millis(20)).await;
    server.write_all(&[0, 0, 0, 1, 233]).await.unwrap();
    calls.0.await.unwrap().unwrap();
    let mut seen = [0; 15];
    server.read_exact(&mut seen).await.unwrap();
    // An eighth of the time is reserved for the answer: of 80 ms, and of 780 ms.
    let timeout = (usize::from(seen[14]) << 7) + usize::from(seen[13] & 0x7f);
    assert_eq!(seen[..13], [0, 0, 0, 3, 232, 8, 70, 0, 0, 0, 4, 232, 8]);
    assert!((678..=683).contains(&timeout), "{timeout}");
    server.write_all(&[0, 0, 0, 1, 233]).await.unwrap();
    calls.1.await.unwrap().unwrap();
}
