//! A stream with a slow consumer: the server cannot push more than a bounded
//! number of bytes, however many there are, and none is lost. A stream that is
//! dropped half-way leaves the pool as it was.
//!
//! The sockets have small buffers, so that what the kernel holds for them is
//! little beside what the client may keep.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use riak_client::riak_kv::{RpbGetReq, RpbListKeysReq, RpbListKeysResp};
use riak_client::{Cluster, ClusterConfig, Connection, ConnectionConfig, Node, Riak};
use riak_runtime::client::{Connecting, Connector, PoolConfig};
use riak_runtime::{Blob, FrameReader, WriteBuffer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

/// Keys in one answer, and answers of a stream: a million keys.
const PART: usize = 100;
const PARTS: usize = 10_000;

/// What is asked of the kernel for each side's buffer, which it doubles.
const SOCKET_BUFFER: u32 = 16 * 1024;

/// What the client may keep, and what the kernel and the read buffer may on the
/// way there.
const STREAM_BUFFER: usize = 64 * 1024;
const ON_THE_WAY: usize = 4 * SOCKET_BUFFER as usize + 64 * 1024;

const PATIENCE: Duration = Duration::from_secs(30);

/// What the server sees.
#[derive(Debug, Default)]
struct Seen {
    /// Bytes of streams that the kernel has taken.
    pushed: AtomicU64,
    open: AtomicUsize,
}

fn part() -> Vec<u8> {
    let keys = (0..PART).map(|index| Blob::from(format!("customer/2026/{index:08}"))).collect();
    framed(&RpbListKeysResp { keys, ..RpbListKeysResp::default() })
}

fn framed(answer: &RpbListKeysResp) -> Vec<u8> {
    let mut buffer = WriteBuffer::new();
    buffer.push(18, answer).expect("it is small");
    buffer.to_vec()
}

fn serve() -> io::Result<(SocketAddr, Arc<Seen>)> {
    let socket = TcpSocket::new_v4()?;
    // Connections have their listener's.
    socket.set_send_buffer_size(SOCKET_BUFFER)?;
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let listener: TcpListener = socket.listen(64)?;
    let (address, seen) = (listener.local_addr()?, Arc::new(Seen::default()));
    let shared = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let seen = Arc::clone(&shared);
            tokio::spawn(async move {
                seen.open.fetch_add(1, Ordering::SeqCst);
                // It ends with an error where the client leaves a stream.
                let _ = answer(socket, &seen.pushed).await;
                seen.open.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    Ok((address, seen))
}

async fn answer(mut socket: TcpStream, pushed: &AtomicU64) -> io::Result<()> {
    let part = part();
    let last = framed(&RpbListKeysResp { done: Some(true), ..RpbListKeysResp::default() });
    let mut reader = FrameReader::default();
    loop {
        match socket.read(reader.spare()).await? {
            0 => return Ok(()),
            count => reader.advance(count),
        }
        while let Some(frame) = reader.next_frame().map_err(io::Error::other)? {
            if frame.code != 17 {
                // An object that is not there.
                socket.write_all(&[0, 0, 0, 1, 10]).await?;
                continue;
            }
            for _ in 0..PARTS {
                let mut left = &part[..];
                while !left.is_empty() {
                    let count = socket.write(left).await?;
                    pushed.fetch_add(count as u64, Ordering::SeqCst);
                    left = &left[count..];
                }
            }
            socket.write_all(&last).await?;
        }
    }
}

/// Connects with small buffers.
#[derive(Debug)]
struct Narrow;

impl Connector for Narrow {
    fn connect<'a>(&'a self, node: &'a Node) -> Connecting<'a> {
        Box::pin(async move {
            let address = format!("{}:{}", node.host(), node.port()).parse().expect("an address");
            let socket = TcpSocket::new_v4()?;
            socket.set_recv_buffer_size(SOCKET_BUFFER)?;
            let config = ConnectionConfig::new().stream_buffer(STREAM_BUFFER);
            let (connection, driver) = Connection::new(socket.connect(address).await?, config);
            tokio::spawn(driver);
            Ok(connection)
        })
    }
}

fn connect(address: SocketAddr, max_streams: usize) -> Riak {
    let config = ClusterConfig::new().pool(PoolConfig::new().max_streams(max_streams));
    Riak::over(Cluster::new([Node::from(address)], Arc::new(Narrow), config))
}

/// Waits until something holds.
async fn until(what: &str, holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            sleep(Duration::from_millis(1)).await;
        }
    };
    assert!(timeout(PATIENCE, wait).await.is_ok(), "{what} does not come about");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_consumer_stops_the_reads() {
    let (address, seen) = serve().unwrap();
    let riak = connect(address, 1);
    let mut answers = riak.kv().list_keys(&RpbListKeysReq::new("users")).await.unwrap();
    let part_len = part().len();
    // What the client keeps is charged by what it takes, which is no less than
    // its frames.
    let bound = (STREAM_BUFFER + ON_THE_WAY) as u64;
    let pushed = || seen.pushed.load(Ordering::SeqCst);

    // Nobody takes anything: the server is stopped.
    until("that the client's buffer is full", || pushed() > STREAM_BUFFER as u64).await;
    sleep(Duration::from_millis(300)).await;
    // The kernel may still find room for a few.
    let stopped = pushed();
    assert!(stopped <= bound, "{stopped} bytes were pushed, of {bound}");

    // Whatever the consumer does, the server is never further ahead.
    let (mut keys, mut taken, mut stops) = (0, 0, 0);
    while let Some(answer) = timeout(PATIENCE, answers.next()).await.expect("the stream goes on") {
        keys += answer.unwrap().keys.len();
        taken += part_len as u64;
        let ahead = pushed().saturating_sub(taken);
        assert!(ahead <= bound, "the server is {ahead} bytes ahead, of {bound}");
        if (taken / part_len as u64).is_multiple_of(1000) {
            stops += 1;
            sleep(Duration::from_millis(20)).await;
        }
    }
    assert_eq!((keys, stops), (PART * PARTS, 10));
    assert_eq!(pushed(), (part_len * PARTS) as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_dropped_half_way_leaves_the_pool_whole() {
    let (address, seen) = serve().unwrap();
    let riak = connect(address, 2);
    let get = RpbGetReq::new("users", "alice");
    for round in 0..20 {
        // Two at once: more than the places that a lost one would leave.
        let (list, kv) = (RpbListKeysReq::new("users"), riak.kv());
        let (one, other) = tokio::join!(kv.list_keys(&list), kv.list_keys(&list));
        let (mut one, mut other) = (one.unwrap(), other.unwrap());
        assert_eq!(riak.stats().nodes[0].pool.streams, 2, "round {round}");
        let mut keys = 0;
        while keys < PART * 50 {
            keys += one.next().await.unwrap().unwrap().keys.len();
        }
        other.next().await.unwrap().unwrap();
        // A unary call is not held up meanwhile.
        riak.kv().get(&get).await.unwrap();
        drop((one, other));
        assert_eq!(riak.stats().nodes[0].pool.streams, 0, "round {round}");
        // What a stream had to itself is closed; what others share is not.
        until("that streams' connections close", || seen.open.load(Ordering::SeqCst) == 1).await;
        riak.kv().get(&get).await.unwrap();
    }
    let stats = riak.stats();
    let node = &stats.nodes[0];
    assert_eq!((node.in_flight, node.failures, stats.repeats), (0, 0, 0), "{node:?}");
    assert_eq!((node.pool.connections, node.pool.waiting, node.pool.in_flight), (1, 0, 0), "{node:?}");
    drop(riak);
    until("that the last connection closes", || seen.open.load(Ordering::SeqCst) == 0).await;
}
