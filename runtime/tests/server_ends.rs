//! The ends of streams, calls and servers: what may follow a last answer, which error
//! frame an error uses, and what a server still does while it shuts down.
#![cfg(feature = "server")]

mod echo;
mod raw;

use std::sync::Arc;
use std::time::Duration;

use echo::*;
use raw::Raw;
use riak_runtime::operation::ErrorFrame;
use riak_runtime::server::{ErrorReply, Failure, Outbox, Replies, ServerConfig, Service, unary};
use riak_runtime::{Blob, DecodeLimits, Frame};
use tokio::sync::Semaphore;

/// Sends the last answer of a stream itself, and then misbehaves, in part only once the gate is
/// open.
struct AfterTheEnd(Arc<Semaphore>);

/// Lets a server on the test's thread do all that it can do by itself.
async fn settle() {
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
}

impl EchoServer for AfterTheEnd {
    async fn echo(&self, request: EchoReq) -> Result<EchoResp, Failure> {
        Mirror.echo(request).await
    }

    async fn list(&self, request: ListReq, replies: &mut Replies<'_, ListResp>) -> Result<(), Failure> {
        let last = ListResp { nonce: request.nonce.clone(), count: None, flag: Some(true) };
        replies.send(&last).await?;
        match &request.nonce[..] {
            b"fails" => Err(ErrorReply::new("too late").into()),
            b"fails later" => {
                self.0.acquire().await.unwrap().forget();
                Err(ErrorReply::new("too late").into())
            }
            b"sends" => replies.send(&last).await,
            _ => {
                self.0.acquire().await.unwrap().forget();
                Ok(())
            }
        }
    }
}

#[tokio::test]
async fn the_next_request_is_accepted_once_the_last_answer_is_sent() {
    let gate = Arc::new(Semaphore::new(0));
    let (address, ..) = serve(ServerConfig::default(), EchoService(AfterTheEnd(Arc::clone(&gate)))).await;
    let mut raw = Raw::connect(address).await;
    raw.send(framed(&list("slow", 0))).await;
    assert_eq!(raw.next().await.unwrap().code, 18);
    // The handler has not returned yet.
    raw.send(framed(&echo::echo("next"))).await;
    settle().await;
    gate.add_permits(1);
    assert_eq!(raw.next().await.unwrap().code, 10);
}

#[tokio::test]
async fn an_error_after_the_last_answer_is_dropped() {
    for refuse in [true, false] {
        let config = ServerConfig::new().refuse_behind_stream(refuse);
        let gate = Arc::new(Semaphore::new(0));
        let (address, ..) = serve(config, EchoService(AfterTheEnd(Arc::clone(&gate)))).await;
        for nonce in ["fails", "fails later"] {
            let mut raw = Raw::connect(address).await;
            raw.send(framed(&list(nonce, 0))).await;
            assert_eq!(raw.next().await.unwrap().code, 18);
            if nonce == "fails later" {
                gate.add_permits(1);
            }
            for nonce in ["a", "b"] {
                raw.send(framed(&echo::echo(nonce))).await;
                let answer: EchoResp = raw.next().await.unwrap().decode().unwrap();
                assert_eq!(answer.nonce, nonce);
            }
        }
    }
}

#[tokio::test]
async fn an_answer_after_the_last_one_is_not_sent_and_closes_the_connection() {
    let service = EchoService(AfterTheEnd(Arc::new(Semaphore::new(0))));
    let (address, ..) = serve(ServerConfig::default(), service).await;
    let mut raw = Raw::connect(address).await;
    raw.send(framed(&list("sends", 0))).await;
    assert_eq!(raw.next().await.unwrap().code, 18);
    assert!(raw.next().await.is_none());
}

/// Answers code 77 as its body says, and then returns an error.
struct AnswersThenFails;

impl Service for AnswersThenFails {
    fn serves(&self, code: u8) -> bool {
        code == 77
    }

    fn error_frame(&self, _: Option<u8>) -> Option<ErrorFrame> {
        Some(ErrorFrame { code: 99, text: 3, number: None })
    }

    async fn call(&self, request: Frame, outbox: &mut Outbox) -> Result<(), Failure> {
        match &request.body[..] {
            b"message" => outbox.answer(&EchoResp::default())?,
            b"frame" => outbox.frame(10, &Blob::new())?,
            b"two frames" => {
                outbox.frame(10, &Blob::new())?;
                // A service might ignore the error.
                let _ = outbox.frame(10, &Blob::new());
            }
            b"frames of a stream" => {
                outbox.begin_stream();
                outbox.frame(10, &Blob::new())?;
                outbox.frame(10, &Blob::new())?;
            }
            _ => {}
        }
        Err(ErrorReply::new("mine").into())
    }
}

#[tokio::test]
async fn an_error_uses_the_error_frame_of_the_called_service() {
    let (first, ..) = serve(ServerConfig::default(), (EchoService(Mirror), AnswersThenFails)).await;
    let (second, ..) = serve(ServerConfig::default(), (AnswersThenFails, EchoService(Mirror))).await;
    for address in [first, second] {
        let mut raw = Raw::connect(address).await;
        raw.send(frame(77, b"fail")).await;
        assert_eq!(raw.next().await.unwrap().code, 99);
        raw.send(framed(&echo::echo("error"))).await;
        assert_eq!(raw.error().await, "overload");
    }
}

#[tokio::test]
async fn an_error_after_a_unary_answer_closes_the_connection() {
    let (address, ..) = serve(ServerConfig::default(), (AnswersThenFails, EchoService(Mirror))).await;
    for answer in ["message", "frame", "two frames"] {
        let mut raw = Raw::connect(address).await;
        raw.send([frame(77, answer.as_bytes()), framed(&echo::echo("behind"))].concat()).await;
        assert_eq!(raw.next().await.expect("the answer").code, 10);
        // A second frame would be taken for the answer to the request behind.
        assert!(raw.next().await.is_none(), "{answer}");
    }
    let mut raw = Raw::connect(address).await;
    raw.send(frame(77, b"frames of a stream")).await;
    for code in [10, 10, 99] {
        assert_eq!(raw.next().await.unwrap().code, code);
    }
    assert!(raw.is_open().await);
}

#[tokio::test]
async fn a_request_pipelined_behind_a_streaming_one_is_refused() {
    let mut raw = Raw::connect(mirror().await).await;
    raw.send([framed(&list("x", 3)), framed(&echo::echo("behind"))].concat()).await;
    let mut codes = Vec::new();
    while let Some(frame) = raw.next().await {
        codes.push(frame.code);
    }
    assert_eq!(codes.pop(), Some(0), "an error, and then the end");
    assert!(!codes.contains(&10), "{codes:?}");
}

#[tokio::test]
async fn shutdown_delivers_the_answer_to_a_request_in_progress() {
    let (entered, gate) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let gates = (Arc::clone(&entered), Arc::clone(&gate));
    let service = unary(move |request: EchoReq| {
        let (entered, gate) = gates.clone();
        async move {
            entered.add_permits(1);
            gate.acquire().await.unwrap().forget();
            Ok(EchoResp { nonce: vec![7; 300_000].into(), count: request.count, flag: None })
        }
    });
    let (address, handle, serving) = serve(ServerConfig::default(), service).await;
    let mut raw = Raw::connect(address).await;
    raw.send(framed(&echo::echo("served"))).await;
    entered.acquire().await.unwrap().forget();
    // This request stays unread, and closing a socket with unread data would reset
    // the connection.
    raw.send(framed(&echo::echo("not served"))).await;
    handle.shut_down();
    gate.add_permits(1);
    settle().await;
    assert_eq!(raw.next().await.unwrap().body.len(), 300_004);
    assert!(raw.next().await.is_none());
    drop(raw);
    serving.await.unwrap();
    assert_eq!(entered.available_permits(), 0, "the second request was handled");
}

#[tokio::test]
async fn shutdown_waits_no_longer_than_the_grace_period() {
    let grace = Duration::from_secs(100);
    let (address, handle, serving) = serve(ServerConfig::new().grace(grace), EchoService(Mirror)).await;
    let mut raw = Raw::connect(address).await;
    raw.send(framed(&echo::echo("hang"))).await;
    while handle.connections() == 0 {
        tokio::task::yield_now().await;
    }
    settle().await;
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    handle.shut_down();
    serving.await.unwrap();
    // The timer is as precise as a millisecond.
    let waited = begun.elapsed();
    assert!((grace..grace + Duration::from_millis(2)).contains(&waited), "{waited:?}");
    tokio::time::resume();
    assert_eq!(handle.connections(), 0);
    assert!(raw.next().await.is_none());
}

#[tokio::test]
async fn requests_are_decoded_within_the_servers_limits() {
    let none = DecodeLimits::new().depth(0);
    let (address, ..) = serve(ServerConfig::new().decode_limits(none), EchoService(Mirror)).await;
    let mut raw = Raw::connect(address).await;
    // An unknown group, which the decoder must not descend into.
    raw.send(frame(9, &[0x0a, 0, 0x7b, 0x7c])).await;
    assert!(raw.error().await.contains("nest"), "it says why");
    assert!(raw.next().await.is_none());
}

#[tokio::test]
async fn requests_before_the_one_that_hangs_up_are_answered() {
    let (address, ..) = serve(ServerConfig::default(), EchoService(Mirror)).await;
    let mut raw = Raw::connect(address).await;
    let requests = ["first", "second", "hang up", "never"].map(|nonce| framed(&echo::echo(nonce)));
    raw.send(requests.concat()).await;
    for nonce in ["first", "second"] {
        let answer = raw.next().await.unwrap().decode::<EchoResp>().unwrap();
        assert_eq!(answer.nonce, *nonce.as_bytes());
    }
    assert!(raw.next().await.is_none());
}

/// Panics at the nonce `panic`.
struct Panics;

impl EchoServer for Panics {
    async fn echo(&self, request: EchoReq) -> Result<EchoResp, Failure> {
        assert_ne!(request.nonce, "panic");
        Mirror.echo(request).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_panic_takes_no_earlier_answer_back_and_no_other_connection_down() {
    let (address, handle, serving) = serve(ServerConfig::default(), EchoService(Panics)).await;
    let mut other = Raw::connect(address).await;
    for _ in 0..20 {
        let mut raw = Raw::connect(address).await;
        raw.send(
            ["a", "b", "panic", "c"].iter().flat_map(|nonce| framed(&echo::echo(nonce))).collect::<Vec<_>>(),
        )
        .await;
        for nonce in ["a", "b"] {
            let answer: EchoResp = raw.next().await.expect("the answer was lost").decode().unwrap();
            assert_eq!(answer.nonce, nonce);
        }
        assert!(raw.next().await.is_none());
    }
    assert!(other.is_open().await);
    drop(other);
    handle.shut_down();
    tokio::time::timeout(Duration::from_secs(5), serving).await.unwrap().unwrap();
    assert_eq!(handle.connections(), 0);
}
