//! A server of the echo schema on a thread and a runtime of its own, that
//! misbehaves as often as it is told to.
//!
//! Invariant: what it answers, it answers to the request that it read; and it
//! counts as open what it has not closed.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test uses its part of it")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use riak_runtime::FrameReader;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::echo::{EchoReq, EchoResp, FoldResp, ListResp, framed};

/// How often what goes wrong, in a thousand requests, or connections.
#[derive(Debug, Default)]
pub struct Faults {
    pub refuse: AtomicU32,
    pub cut: AtomicU32,
    pub stall: AtomicU32,
    pub slow: AtomicU32,
}

#[derive(Debug, Default)]
pub struct Site {
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

/// Starts a site. It lasts as long as the process.
pub fn site() -> (SocketAddr, Arc<Site>) {
    let (sender, receiver) = std::sync::mpsc::channel();
    let site = Arc::new(Site::default());
    let served = Arc::clone(&site);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            while let Ok((socket, _)) = listener.accept().await {
                served.accepted.fetch_add(1, Ordering::SeqCst);
                if served.hits(&served.faults.refuse) {
                    continue;
                }
                let served = Arc::clone(&served);
                tokio::spawn(async move {
                    served.open.fetch_add(1, Ordering::SeqCst);
                    let _ = served.serve(socket).await;
                    served.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
    });
    (receiver.recv().unwrap(), site)
}

impl Site {
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

    /// Waits until no connection is open.
    pub async fn is_left(&self) {
        let begun = Instant::now();
        while self.open.load(Ordering::SeqCst) > 0 {
            assert!(begun.elapsed() < Duration::from_secs(5), "connections are left: {self:?}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// All requests of the schema have the same fields.
trait DecodeAs {
    fn decode_as(&self) -> EchoReq;
}

impl DecodeAs for riak_runtime::Frame {
    fn decode_as(&self) -> EchoReq {
        riak_runtime::Frame { code: 9, body: self.body.clone() }.decode().unwrap()
    }
}
