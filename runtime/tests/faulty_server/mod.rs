//! A server of the echo schema, on a thread and runtime of its own, with configurable
//! faults.
//!
//! Invariant: each answer belongs to the request that was read, and a connection counts as
//! open until the server has closed it.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test uses its part of it")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use riak_runtime::FrameReader;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::echo::{EchoReq, EchoResp, FoldResp, ListResp, framed};

/// The chance of each fault, in a thousand requests or connections.
#[derive(Debug, Default)]
pub struct Faults {
    pub refuse: AtomicU32,
    pub cut: AtomicU32,
    pub stall: AtomicU32,
    pub slow: AtomicU32,
}

#[derive(Debug, Default)]
pub struct FaultyServer {
    pub faults: Faults,
    pub open: AtomicUsize,
    pub accepted: AtomicUsize,
    pub served: AtomicUsize,
    random: Random,
}

#[derive(Debug, Default)]
pub struct Random(AtomicU64);

impl Random {
    pub fn below(&self, limit: u32) -> u32 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut mixed = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((mixed ^ (mixed >> 31)) % u64::from(limit)).unwrap()
    }
}

/// Starts a server, which runs until the process ends.
pub fn start() -> (SocketAddr, Arc<FaultyServer>) {
    let (sender, receiver) = std::sync::mpsc::channel();
    let server = Arc::new(FaultyServer::default());
    let shared = Arc::clone(&server);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            while let Ok((socket, _)) = listener.accept().await {
                shared.accepted.fetch_add(1, Ordering::SeqCst);
                if shared.hits(&shared.faults.refuse) {
                    continue;
                }
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    shared.open.fetch_add(1, Ordering::SeqCst);
                    let _ = shared.serve(socket).await;
                    shared.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
    });
    (receiver.recv().unwrap(), server)
}

impl FaultyServer {
    fn hits(&self, chance: &AtomicU32) -> bool {
        let chance = chance.load(Ordering::Relaxed);
        chance > 0 && self.random.below(1000) < chance
    }

    async fn serve(&self, mut socket: TcpStream) -> std::io::Result<()> {
        socket.set_nodelay(true)?;
        let mut reader = FrameReader::default();
        loop {
            while let Some(frame) = reader.next_frame().unwrap() {
                self.served.fetch_add(1, Ordering::SeqCst);
                if self.hits(&self.faults.cut) {
                    return Ok(());
                }
                if self.hits(&self.faults.stall) {
                    while socket.read(&mut [0; 1000]).await? > 0 {}
                    return Ok(());
                }
                if self.hits(&self.faults.slow) {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                let EchoReq { nonce, count, .. } = frame.decode_as();
                let answers = match frame.code {
                    17 => {
                        let last = count.unwrap_or(1);
                        let answer = |index| ListResp {
                            nonce: nonce.clone(),
                            count: Some(index),
                            flag: (index + 1 == last).then_some(true),
                        };
                        (0..last).flat_map(|index| framed(&answer(index))).collect()
                    }
                    33 => framed(&FoldResp { nonce, count, flag: None }),
                    _ => framed(&EchoResp { nonce, count, flag: None }),
                };
                socket.write_all(&answers).await?;
            }
            let count = socket.read(reader.spare()).await?;
            if count == 0 {
                return Ok(());
            }
            reader.advance(count);
        }
    }

    /// Waits until all connections are closed.
    pub async fn wait_until_closed(&self) {
        let begun = Instant::now();
        while self.open.load(Ordering::SeqCst) > 0 {
            assert!(begun.elapsed() < Duration::from_secs(5), "connections are left: {self:?}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// Decodes any request of the schema: all of them have the same fields.
trait DecodeAs {
    fn decode_as(&self) -> EchoReq;
}

impl DecodeAs for riak_runtime::Frame {
    fn decode_as(&self) -> EchoReq {
        riak_runtime::Frame { code: 9, body: self.body.clone() }.decode().unwrap()
    }
}
