//! Streams that do not reach their end on the server: handlers that panic or hang up in
//! the middle, clients that stop reading or go away, and a server that shuts down. No
//! client takes the answers it got for all of them, and no handler is left.
#![cfg(feature = "server")]

mod echo;
mod raw;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use echo::*;
use raw::Raw;
use riak_runtime::server::{Failure, Replies, ServerConfig, Service, serve_connection};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::Semaphore;

/// Longer than any connection here may stay open.
const HOUR: Duration = Duration::from_secs(3600);

/// Serves a connection until both sides are done with it, which it must end without an
/// error.
async fn serve_while(
    client: impl Future<Output = ()>,
    server_side: DuplexStream,
    service: &impl Service,
    config: &ServerConfig,
) {
    let both = async { tokio::join!(serve_connection(server_side, service, config), client) };
    let (served, ()) = tokio::time::timeout(HOUR, both).await.expect("the connection stays");
    served.unwrap();
}

/// Counts its streams and their answers. A request's `count` answers are followed by what
/// its nonce says.
#[derive(Clone, Debug, Default)]
struct Counted {
    running: Arc<AtomicUsize>,
    sent: Arc<AtomicUsize>,
}

/// Counts a running stream until it is dropped.
struct Running(Arc<AtomicUsize>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Counted {
    fn running(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }

    /// Waits until no stream runs.
    async fn ended(&self) {
        let ended = async {
            while self.running() > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), ended).await.expect("the stream goes on");
    }
}

impl EchoServer for Counted {
    async fn list(&self, request: ListReq, replies: &mut Replies<'_, ListResp>) -> Result<(), Failure> {
        self.running.fetch_add(1, Ordering::Relaxed);
        let _running = Running(Arc::clone(&self.running));
        let ends = request.nonce.clone();
        for index in 0..request.count.unwrap_or(0) {
            let nonce = if ends == "large" { vec![7; 1000].into() } else { ends.clone() };
            replies.send(&ListResp { nonce, count: Some(index), flag: None }).await?;
            self.sent.fetch_add(1, Ordering::Relaxed);
        }
        match &ends[..] {
            b"panic" => panic!("in the middle of a stream"),
            b"panic later" => {
                tokio::time::sleep(Duration::from_millis(20)).await;
                panic!("in the middle of a stream")
            }
            b"hang up" => Err(Failure::Hangup),
            b"hang" => std::future::pending().await,
            _ => Ok(()),
        }
    }

    async fn echo(&self, request: EchoReq) -> Result<EchoResp, Failure> {
        Mirror.echo(request).await
    }
}

/// Streams like [`Counted`], and then waits at a gate: once at the nonce `gate`, before each
/// of any number of further answers at `gates`.
#[derive(Clone, Debug)]
struct Gated {
    counted: Counted,
    gate: Arc<Semaphore>,
}

impl Default for Gated {
    fn default() -> Self {
        Self { counted: Counted::default(), gate: Arc::new(Semaphore::new(0)) }
    }
}

impl EchoServer for Gated {
    async fn list(&self, request: ListReq, replies: &mut Replies<'_, ListResp>) -> Result<(), Failure> {
        self.counted.running.fetch_add(1, Ordering::Relaxed);
        let _running = Running(Arc::clone(&self.counted.running));
        let nonce = request.nonce.clone();
        self.counted.list(request, replies).await?;
        if nonce == "gate" {
            self.gate.acquire().await.unwrap().forget();
        }
        if nonce == "gates" {
            loop {
                self.gate.acquire().await.unwrap().forget();
                replies.send(&ListResp { nonce: nonce.clone(), count: None, flag: None }).await?;
            }
        }
        Ok(())
    }

    async fn echo(&self, request: EchoReq) -> Result<EchoResp, Failure> {
        Mirror.echo(request).await
    }
}

#[tokio::test]
async fn a_stream_whose_handler_panics_or_hangs_up_is_cut_off_behind_its_answers() {
    let counted = Counted::default();
    let (address, handle, _) = serve(ServerConfig::default(), EchoService(counted.clone())).await;
    for ends in ["panic", "panic later", "hang up"] {
        let mut raw = Raw::connect(address).await;
        raw.send(framed(&list(ends, 3))).await;
        for index in 0..3 {
            let answer: ListResp = raw.next().await.expect("the answer was lost").decode().unwrap();
            assert_eq!((answer.count, answer.flag), (Some(index), None), "{ends}");
        }
        assert!(raw.next().await.is_none(), "{ends}: there is no last answer");
        drop(raw);
        counted.ended().await;
    }
    while handle.connections() > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[cfg(feature = "client")]
#[tokio::test]
async fn a_client_reports_a_stream_that_was_cut_off() {
    let (address, ..) = serve(ServerConfig::default(), EchoService(Counted::default())).await;
    for ends in ["panic", "hang up"] {
        let connection = riak_runtime::client::Connection::connect(address).await.unwrap();
        let answers = riak_runtime::client::stream::<_, _, ListResp>(&connection, list(ends, 3)).await;
        let mut answers = answers.unwrap();
        for _ in 0..3 {
            answers.next().await.unwrap().unwrap();
        }
        assert!(answers.next().await.expect("an error, not the end").is_err(), "{ends}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stops_reading_holds_the_handler_up_at_the_buffers_limit() {
    let counted = Counted::default();
    let (mut near, far) = tokio::io::duplex(4000);
    let config = ServerConfig::new().write_buffer(10_000);
    let service = EchoService(counted.clone());
    near.write_all(&framed(&list("large", 1_000_000))).await.unwrap();
    let serving = tokio::time::timeout(HOUR, serve_connection(far, &service, &config));
    assert!(serving.await.is_err(), "it ends");
    // What the pipe takes, a buffer that is being written, and one that is being filled.
    let sent = counted.sent.load(Ordering::Relaxed);
    assert!((4..=26).contains(&sent), "{sent} answers of 1000 bytes");
    assert_eq!(counted.running(), 0, "it was dropped with its connection");
}

#[tokio::test]
async fn a_client_that_closes_its_sending_side_gets_all_its_answers() {
    for refuse in [true, false] {
        let service = EchoService(Gated::default());
        let gate = Arc::clone(&service.0.gate);
        let config = ServerConfig::new().refuse_behind_stream(refuse);
        let (address, handle, _) = serve(config, service).await;
        // The stream ends before the server waits for anything, or while it waits.
        for waits in [false, true] {
            let mut raw = Raw::connect(address).await;
            let nonce = if waits { "gate" } else { "no gate" };
            raw.send([framed(&echo::echo("first")), framed(&list(nonce, 3))].concat()).await;
            raw.socket.shutdown().await.unwrap();
            assert_eq!(raw.next().await.expect("the answer to `echo`").code, 10);
            for index in 0..3 {
                let answer: ListResp = raw.next().await.expect("an answer").decode().unwrap();
                assert_eq!((answer.count, answer.flag), (Some(index), None));
            }
            if waits {
                gate.add_permits(1);
            }
            let last: ListResp = raw.next().await.expect("the last answer").decode().unwrap();
            assert_eq!(last.flag, Some(true));
            assert!(raw.next().await.is_none());
        }
        while handle.connections() > 0 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_stream_is_dropped_when_its_client_resets_the_connection() {
    for refuse in [true, false] {
        let counted = Counted::default();
        let config = ServerConfig::new().refuse_behind_stream(refuse);
        let (address, handle, _) = serve(config, EchoService(counted.clone())).await;
        // While the handler waits for room; and, if the server looks, for something else.
        let requests = [list("large", 1_000_000), list("hang", 1)];
        for request in requests.iter().take(if refuse { 2 } else { 1 }) {
            let mut raw = Raw::connect(address).await;
            raw.send(framed(request)).await;
            assert!(raw.next().await.is_some());
            assert_eq!(counted.running(), 1);
            raw.socket.set_zero_linger().unwrap();
            drop(raw);
            counted.ended().await;
        }
        while handle.connections() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

#[tokio::test]
async fn a_stream_of_a_client_that_has_closed_its_socket_ends_with_its_next_answers() {
    let service = EchoService(Gated::default());
    let (gate, counted) = (Arc::clone(&service.0.gate), service.0.counted.clone());
    let (address, handle, _) = serve(ServerConfig::default(), service).await;
    let mut raw = Raw::connect(address).await;
    raw.send(framed(&list("gates", 1))).await;
    assert!(raw.next().await.is_some());
    // It has nothing unread, so that its close looks like that of its sending side alone.
    drop(raw);
    // The client answers the first of the next answers with a reset.
    while counted.running() > 0 {
        gate.add_permits(1);
        tokio::task::yield_now().await;
    }
    while handle.connections() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_within_the_write_timeout_is_cut_off() {
    let counted = Counted::default();
    let config = ServerConfig::new().write_timeout(Duration::from_secs(30));
    let service = Arc::new(EchoService(counted.clone()));
    // In a stream, behind a unary answer, and behind a panic.
    let requests = [
        framed(&list("large", 1_000_000)),
        framed(&echo::echo(&"x".repeat(5000))),
        framed(&list("panic", 1000)),
    ];
    for (index, request) in requests.iter().enumerate() {
        let (mut near, far) = tokio::io::duplex(4000);
        let (service, config) = (Arc::clone(&service), config.clone());
        let serving = tokio::spawn(async move { serve_connection(far, &service, &config).await });
        let begun = tokio::time::Instant::now();
        near.write_all(request).await.unwrap();
        // It is not enough to have read once.
        tokio::time::sleep(Duration::from_secs(20)).await;
        near.read_exact(&mut [0; 100]).await.unwrap();
        let ended = tokio::time::timeout(HOUR, serving).await.expect("the connection stays");
        assert_eq!(begun.elapsed().as_secs(), 50, "30 after its last read");
        match ended {
            Ok(result) => assert_eq!(result.unwrap_err().kind(), std::io::ErrorKind::TimedOut),
            Err(error) => assert!(error.is_panic() && index == 2),
        }
        assert_eq!(counted.running(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_slowly_gets_its_stream_whole() {
    let config =
        ServerConfig::new().write_timeout(Duration::from_secs(30)).idle_timeout(Duration::from_secs(30));
    let service = EchoService(Counted::default());
    let (mut near, far) = tokio::io::duplex(4000);
    let client = async move {
        near.write_all(&framed(&list("large", 100))).await.unwrap();
        let (mut total, mut bytes) = (0, [0; 1000]);
        while total < 100 * 1000 {
            tokio::time::sleep(Duration::from_secs(29)).await;
            total += near.read(&mut bytes).await.unwrap();
        }
    };
    serve_while(client, far, &service, &config).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_sends_nothing_within_the_idle_timeout_is_disconnected() {
    let config = ServerConfig::new().idle_timeout(Duration::from_secs(30));
    let service = EchoService(Mirror);
    let (mut near, far) = tokio::io::duplex(4000);
    let client = async move {
        let request = framed(&echo::echo("slow"));
        // A request that arrives in parts, and one after a pause, are not too late.
        for part in [&request[..3], &request[3..], &request[..]] {
            tokio::time::sleep(Duration::from_secs(29)).await;
            near.write_all(part).await.unwrap();
        }
        let begun = tokio::time::Instant::now();
        let mut answers = Vec::new();
        near.read_to_end(&mut answers).await.unwrap();
        assert_eq!(
            answers,
            [request.clone(), request]
                .concat()
                .iter()
                .map(|byte| if *byte == 9 { 10 } else { *byte })
                .collect::<Vec<_>>()
        );
        assert_eq!(begun.elapsed().as_secs(), 30);
    };
    serve_while(client, far, &service, &config).await;
}

#[tokio::test(start_paused = true)]
async fn the_idle_timeout_does_not_run_while_a_request_is_handled() {
    let config = ServerConfig::new().idle_timeout(Duration::from_secs(30));
    let service = riak_runtime::server::unary(|request: EchoReq| async move {
        tokio::time::sleep(Duration::from_secs(100)).await;
        Ok(EchoResp { nonce: request.nonce, count: None, flag: None })
    });
    let (mut near, far) = tokio::io::duplex(4000);
    let client = async move {
        near.write_all(&framed(&echo::echo("slow"))).await.unwrap();
        let mut answer = Vec::new();
        near.read_to_end(&mut answer).await.unwrap();
        assert!(answer.ends_with(b"slow"));
    };
    serve_while(client, far, &service, &config).await;
}

#[tokio::test]
async fn streams_that_do_not_end_are_cut_off_after_the_grace_period() {
    let counted = Counted::default();
    let config = ServerConfig::new().grace(Duration::from_millis(50));
    let (address, handle, serving) = serve(config, EchoService(counted.clone())).await;
    // One whose client has stopped reading, and one whose handler hangs.
    let mut stalled = Raw::connect(address).await;
    stalled.send(framed(&list("large", 1_000_000))).await;
    let mut hangs = Raw::connect(address).await;
    hangs.send(framed(&list("hang", 1))).await;
    for raw in [&mut stalled, &mut hangs] {
        assert!(raw.next().await.is_some());
    }
    assert_eq!(counted.running(), 2);
    handle.shut_down();
    serving.await.unwrap();
    assert_eq!((handle.connections(), counted.running()), (0, 0));
    assert!(hangs.next().await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_handler_is_left_when_a_server_has_shut_down() {
    for _ in 0..20 {
        let counted = Counted::default();
        let config = ServerConfig::new().grace(Duration::ZERO);
        let (address, handle, serving) = serve(config, EchoService(counted.clone())).await;
        let mut clients = Vec::new();
        for _ in 0..20 {
            let mut raw = Raw::connect(address).await;
            raw.send(framed(&list("hang", 1))).await;
            assert!(raw.next().await.is_some());
            clients.push(raw);
        }
        handle.shut_down();
        serving.await.unwrap();
        assert_eq!((handle.connections(), counted.running()), (0, 0));
    }
}
