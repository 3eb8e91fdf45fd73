//! Back-pressure on streams: with a slow consumer, the server can push only a bounded
//! number of bytes, however long the stream is, and none is lost. A stream that is dropped
//! half-way leaves the pool intact.
//!
//! The sockets have small buffers, so that the kernel holds little compared with the client.

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

/// The keys in one answer, and the answers in a stream: a million keys in all.
const PART: usize = 100;
const PARTS: usize = 10_000;

/// The buffer size requested from the kernel for each side, which the kernel doubles.
const SOCKET_BUFFER: u32 = 16 * 1024;

/// The maximum that the client buffers, and the maximum in the kernel and in the read buffer.
const STREAM_BUFFER: usize = 64 * 1024;
const IN_TRANSIT: usize = 4 * SOCKET_BUFFER as usize + 64 * 1024;

const TIMEOUT: Duration = Duration::from_secs(30);

/// What the server has observed.
#[derive(Debug, Default)]
struct Observed {
    /// The stream bytes that the kernel has accepted.
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

fn serve() -> io::Result<(SocketAddr, Arc<Observed>)> {
    let socket = TcpSocket::new_v4()?;
    // Accepted connections inherit the listener's buffer size.
    socket.set_send_buffer_size(SOCKET_BUFFER)?;
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let listener: TcpListener = socket.listen(64)?;
    let (address, observed) = (listener.local_addr()?, Arc::new(Observed::default()));
    let shared = Arc::clone(&observed);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let observed = Arc::clone(&shared);
            tokio::spawn(async move {
                observed.open.fetch_add(1, Ordering::SeqCst);
                // This fails when the client drops a stream.
                let _ = answer(socket, &observed.pushed).await;
                observed.open.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    Ok((address, observed))
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
                // The object does not exist.
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

/// A connector with small socket buffers.
#[derive(Debug)]
struct SmallBuffers;

impl Connector for SmallBuffers {
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
    Riak::over(Cluster::new([Node::from(address)], Arc::new(SmallBuffers), config))
}

/// Waits until a condition holds.
async fn until(what: &str, condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            sleep(Duration::from_millis(1)).await;
        }
    };
    assert!(timeout(TIMEOUT, wait).await.is_ok(), "{what} does not come about");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_consumer_stops_the_server() {
    let (address, observed) = serve().unwrap();
    let riak = connect(address, 1);
    let mut answers = riak.kv().list_keys(&RpbListKeysReq::new("users")).await.unwrap();
    let part_len = part().len();
    // The client counts the memory that it keeps, which is at least the length of the frames.
    let bound = (STREAM_BUFFER + IN_TRANSIT) as u64;
    let pushed = || observed.pushed.load(Ordering::SeqCst);

    // Nothing is consumed, so the server stops.
    until("that the client's buffer is full", || pushed() > STREAM_BUFFER as u64).await;
    sleep(Duration::from_millis(300)).await;
    // The kernel may still accept a few answers.
    let stopped = pushed();
    assert!(stopped <= bound, "{stopped} bytes were pushed, of {bound}");

    // However the consumer proceeds, the server is never further ahead.
    let (mut keys, mut taken, mut stops) = (0, 0, 0);
    while let Some(answer) = timeout(TIMEOUT, answers.next()).await.expect("the stream goes on") {
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
async fn a_stream_dropped_half_way_leaves_the_pool_intact() {
    let (address, observed) = serve().unwrap();
    let riak = connect(address, 2);
    let get = RpbGetReq::new("users", "alice");
    for round in 0..20 {
        // Two at once, which would fail if an earlier stream had kept its slot.
        let (list, kv) = (RpbListKeysReq::new("users"), riak.kv());
        let (one, other) = tokio::join!(kv.list_keys(&list), kv.list_keys(&list));
        let (mut one, mut other) = (one.unwrap(), other.unwrap());
        assert_eq!(riak.stats().nodes[0].pool.streams, 2, "round {round}");
        let mut keys = 0;
        while keys < PART * 50 {
            keys += one.next().await.unwrap().unwrap().keys.len();
        }
        other.next().await.unwrap().unwrap();
        // A unary call is not delayed meanwhile.
        riak.kv().get(&get).await.unwrap();
        drop((one, other));
        assert_eq!(riak.stats().nodes[0].pool.streams, 0, "round {round}");
        // The connections of the streams are closed, and the shared one stays open.
        until("that streams' connections close", || observed.open.load(Ordering::SeqCst) == 1).await;
        riak.kv().get(&get).await.unwrap();
    }
    let stats = riak.stats();
    let node = &stats.nodes[0];
    assert_eq!((node.in_flight, node.failures, stats.repeats), (0, 0, 0), "{node:?}");
    assert_eq!((node.pool.connections, node.pool.waiting, node.pool.in_flight), (1, 0, 0), "{node:?}");
    drop(riak);
    until("that the last connection closes", || observed.open.load(Ordering::SeqCst) == 0).await;
}
