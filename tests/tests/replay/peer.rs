//! A minimal client that reads and writes frames on a socket without using the runtime's client.
//!
//! Invariant: it reads exactly the frames that it is asked to read, and can check that
//! there are no more.

use std::net::SocketAddr;
use std::time::Duration;

use riak_runtime::Frame;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Far more than a node in the same process needs.
const TIMEOUT: Duration = Duration::from_secs(10);

/// One connection.
pub(crate) struct Peer {
    socket: TcpStream,
}

impl Peer {
    pub(crate) async fn connect(addr: SocketAddr) -> Self {
        Self { socket: TcpStream::connect(addr).await.unwrap() }
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).await.unwrap();
    }

    pub(crate) async fn send(&mut self, frame: &Frame) {
        let length = u32::try_from(frame.body.len() + 1).unwrap().to_be_bytes();
        self.write(&[&length[..], &[frame.code], &frame.body].concat()).await;
    }

    /// Returns the next frame, or `None` if the node has closed the connection.
    pub(crate) async fn read(&mut self) -> Option<Frame> {
        timeout(TIMEOUT, self.next()).await.expect("the node neither answers nor closes")
    }

    async fn next(&mut self) -> Option<Frame> {
        let mut length = [0; 4];
        self.socket.read_exact(&mut length).await.ok()?;
        let mut bytes = vec![0; u32::from_be_bytes(length) as usize];
        self.socket.read_exact(&mut bytes).await.ok()?;
        Some(Frame { code: bytes[0], body: bytes[1..].into() })
    }

    /// Asserts that the node has sent nothing else: its next frame is the answer to a ping.
    pub(crate) async fn expect_idle(&mut self, place: &str) {
        self.send(&Frame { code: 1, body: Vec::new().into() }).await;
        let answer = self.read().await;
        assert_eq!(answer, Some(Frame { code: 2, body: Vec::new().into() }), "{place}: the node said more");
    }

    /// Asserts that the node has closed the connection and sent nothing else.
    pub(crate) async fn expect_closed(&mut self, place: &str) {
        assert_eq!(self.read().await, None, "{place}: the node should have closed");
    }
}
