//! How many calls a second go over one connection on the loopback interface.
//!
//! The client and the server run on a thread each. Against the server half, and
//! against one that only counts frames and answers each with the same bytes:
//! what the client costs shows there. As the floor, a bare client for the
//! latter, which writes ready-made frames and counts answers.
//!
//! `cargo bench -p riak-runtime --all-features --bench calls`

#[path = "../tests/echo/mod.rs"]
mod echo;

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use echo::{EchoReq, EchoResp, EchoService, Mirror, framed};
use riak_runtime::client::{self, Connection};
use riak_runtime::server::Server;
use riak_runtime::{Blob, FrameReader};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const TIME: Duration = Duration::from_secs(2);

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Runs a server on a thread of its own.
fn serve(instant: bool) -> SocketAddr {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        runtime().block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            send.send(listener.local_addr().expect("an address")).expect("someone waits for it");
            if instant {
                loop {
                    let (socket, _) = listener.accept().await.expect("a connection");
                    tokio::spawn(answer_at_once(socket));
                }
            }
            Server::default().serve(listener, EchoService(Mirror)).await;
        });
    });
    receive.recv().expect("an address")
}

async fn answer_at_once(mut socket: TcpStream) {
    socket.set_nodelay(true).expect("an option");
    let answer = framed(&EchoResp { nonce: Blob::from("nonce"), ..EchoResp::default() });
    let mut reader = FrameReader::default();
    let mut answers = Vec::new();
    while let Ok(count @ 1..) = socket.read(reader.spare()).await {
        reader.advance(count);
        while let Ok(Some(_)) = reader.next_frame() {
            answers.extend_from_slice(&answer);
        }
        if socket.write_all(&answers).await.is_err() {
            return;
        }
        answers.clear();
    }
}

/// Calls a second with so many calls in flight.
fn measure(address: SocketAddr, in_flight: usize) -> f64 {
    runtime().block_on(async {
        let connection = Connection::connect(address).await.expect("a connection");
        let start = Instant::now();
        let tasks: Vec<_> = (0..in_flight)
            .map(|_| {
                let connection = connection.clone();
                tokio::spawn(async move {
                    let request = EchoReq { nonce: Blob::from("nonce"), ..EchoReq::default() };
                    let mut calls = 0_u32;
                    while !calls.is_multiple_of(64) || start.elapsed() < TIME {
                        let answer: EchoResp = client::unary(&connection, &request).await.expect("an answer");
                        assert_eq!(answer.nonce, request.nonce);
                        calls += 1;
                    }
                    calls
                })
            })
            .collect();
        let mut calls = 0;
        for task in tasks {
            calls += task.await.expect("no panic");
        }
        f64::from(calls) / start.elapsed().as_secs_f64()
    })
}

/// The same by a client that does nothing but move bytes.
fn floor(address: SocketAddr, in_flight: usize) -> f64 {
    runtime().block_on(async {
        let mut socket = TcpStream::connect(address).await.expect("a connection");
        socket.set_nodelay(true).expect("an option");
        let request = framed(&EchoReq { nonce: Blob::from("nonce"), ..EchoReq::default() });
        let all = request.repeat(in_flight);
        let mut reader = FrameReader::default();
        let (mut calls, mut answers) = (0_u32, in_flight);
        let start = Instant::now();
        while start.elapsed() < TIME {
            socket.write_all(&all[..answers * request.len()]).await.expect("a server");
            let count = socket.read(reader.spare()).await.expect("a server");
            reader.advance(count);
            answers = 0;
            while let Ok(Some(_)) = reader.next_frame() {
                answers += 1;
                calls += 1;
            }
        }
        f64::from(calls) / start.elapsed().as_secs_f64()
    })
}

fn main() {
    // `cargo test --benches` only wants to know that it runs.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let (half, instant) = (serve(false), serve(true));
    println!("calls a second over one connection");
    println!("{:>9} {:>12} {:>14} {:>12}", "in flight", "server half", "instant server", "bare client");
    for in_flight in [1, 16, 256] {
        let (half, instant, floor) =
            (measure(half, in_flight), measure(instant, in_flight), floor(instant, in_flight));
        println!("{in_flight:>9} {half:>12.0} {instant:>14.0} {floor:>12.0}");
    }
}
