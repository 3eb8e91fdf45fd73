//! A client that sends raw bytes and reads single frames.
//!
//! Invariant: it waits at most five seconds for a frame.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test uses its part of it")]

use std::net::SocketAddr;
use std::time::Duration;

use riak_runtime::{Frame, FrameReader};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::echo::{self, ERROR, framed};

/// A connection that sends arbitrary bytes.
pub struct Raw {
    pub socket: TcpStream,
    reader: FrameReader,
}

impl Raw {
    pub async fn connect(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).await.unwrap();
        socket.set_nodelay(true).unwrap();
        Self { socket, reader: FrameReader::default() }
    }

    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.socket.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Returns the next frame, or `None` if the server has closed the connection.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.reader.next_frame().unwrap() {
                return Some(frame);
            }
            let read = self.socket.read(self.reader.spare());
            let count = tokio::time::timeout(Duration::from_secs(5), read).await.expect("an answer").unwrap();
            if count == 0 {
                assert!(!self.reader.is_within_frame());
                return None;
            }
            self.reader.advance(count);
        }
    }

    /// Reads the next frame, which must be an error, and returns its text.
    pub async fn error(&mut self) -> String {
        let frame = self.next().await.expect("an error");
        assert_eq!(frame.code, 0);
        let (text, number) = ERROR.read(&frame.body).unwrap();
        assert!(number == 0 || number == 7);
        String::from_utf8(text.to_vec()).unwrap()
    }

    pub async fn is_open(&mut self) -> bool {
        self.send(framed(&echo::echo("open?"))).await;
        self.next().await.is_some_and(|frame| frame.code == 10)
    }
}
