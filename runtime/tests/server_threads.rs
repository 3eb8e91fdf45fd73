//! A server on four threads whose clients cut streams off, read slowly or call
//! handlers that panic, and which is shut down meanwhile: every complete answer
//! is the right one, and nothing is left.
#![cfg(feature = "server")]

mod echo;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use echo::*;
use riak_runtime::FrameReader;
use riak_runtime::server::{Failure, Replies, Server, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Counts the handlers that run, however they end.
#[derive(Clone, Default)]
struct Counted(Arc<AtomicUsize>);

struct Running(Arc<AtomicUsize>);

impl Counted {
    fn enter(&self) -> Running {
        self.0.fetch_add(1, Ordering::Relaxed);
        Running(Arc::clone(&self.0))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl EchoServer for Counted {
    async fn echo(&self, request: EchoReq) -> Result<EchoResp, Failure> {
        let _running = self.enter();
        tokio::task::yield_now().await;
        assert_ne!(request.nonce, "panic");
        Mirror.echo(request).await
    }

    async fn list(&self, request: ListReq, replies: &mut Replies<'_, ListResp>) -> Result<(), Failure> {
        let _running = self.enter();
        for _ in 0..2000 {
            replies.send(&ListResp { nonce: request.nonce.clone(), count: None, flag: None }).await?;
        }
        replies.send(&ListResp { nonce: request.nonce, count: None, flag: Some(true) }).await
    }
}

/// Runs one client and returns how many unary answers it got, or `None` if it could not
/// connect. Kind 0 ends with a call whose handler panics, 1 cuts a stream off, 2 reads
/// late, 3 reads at once.
async fn client(address: SocketAddr, kind: usize, index: usize) -> Option<usize> {
    let mut answered = 0;
    let mut socket = TcpStream::connect(address).await.ok()?;
    let (mut reader, mut buffer) = (FrameReader::default(), Vec::new());
    let nonces: Vec<String> = (0..20).map(|at| format!("{index}/{at}")).collect();
    if kind == 1 {
        buffer.extend(framed(&echo::list(&nonces[0], 2000)));
    } else {
        nonces[..19].iter().for_each(|nonce| buffer.extend(framed(&echo::echo(nonce))));
        buffer.extend(framed(&echo::echo(if kind == 0 { "panic" } else { &nonces[19] })));
    }
    if socket.write_all(&buffer).await.is_err() {
        return Some(0);
    }
    if kind == 2 {
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    loop {
        while let Ok(Some(frame)) = reader.next_frame() {
            if kind == 1 {
                assert_eq!(frame.decode::<ListResp>().unwrap().nonce, nonces[0]);
                answered += 1;
                if answered > index % 100 {
                    return Some(0);
                }
            } else {
                assert_eq!(frame.decode::<EchoResp>().unwrap().nonce, nonces[answered]);
                answered += 1;
            }
            if answered == 20 && kind != 1 {
                return Some(answered);
            }
        }
        let read = socket.read(reader.spare());
        match tokio::time::timeout(Duration::from_secs(20), read).await.expect("it hangs") {
            Ok(count) if count > 0 => reader.advance(count),
            _ => return Some(answered),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_on_many_threads_loses_and_leaves_nothing() {
    for round in 0..6 {
        let counted = Counted::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::new(ServerConfig::new().grace(Duration::from_secs(3)));
        let handle = server.handle();
        let serving = tokio::spawn(server.serve(listener, EchoService(counted.clone())));

        // Without a shutdown, every answer before a panic arrives.
        let mut clients = JoinSet::new();
        for index in 0..60 {
            clients.spawn(async move { (index % 4, client(address, index % 4, index).await) });
        }
        while let Some(ended) = clients.join_next().await {
            let (kind, answered) = ended.unwrap();
            let expected = [19, 0, 20, 20][kind];
            assert_eq!(answered, Some(expected), "kind {kind}");
        }

        // With one, each client ends, with right answers as far as there are any.
        for index in 0..60 {
            clients.spawn(async move { (index % 4, client(address, index % 4, index).await) });
        }
        tokio::time::sleep(Duration::from_millis(round * 3)).await;
        handle.shut_down();
        while let Some(ended) = clients.join_next().await {
            ended.unwrap();
        }
        // Long after the grace period.
        tokio::time::timeout(Duration::from_secs(60), serving).await.expect("it does not end").unwrap();
        assert_eq!((handle.connections(), counted.0.load(Ordering::Relaxed)), (0, 0));
        assert!(TcpStream::connect(address).await.is_err());
    }
}
