//! A server that answers at once: every frame with the same ready-made one.
//!
//! Invariant: it does as little as a server can: one read, lengths added up,
//! and one write of as many answers as there were requests, which are never
//! copied together. Only who asks for the server's version gets that, since
//! some clients begin so, and wait for it.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::exchange;
use crate::frames::Frames;

/// Answers that lie ready behind one another.
const READY: usize = 1024;

pub(super) async fn run() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    super::announce(listener.local_addr()?)?;
    let answer: &'static [u8] = exchange::answer().leak();
    let ready: &'static [u8] = answer.repeat(READY).leak();
    let info: &'static [u8] = exchange::info().leak();
    loop {
        let (socket, _) = listener.accept().await?;
        // However a connection ends: the next one is served.
        tokio::spawn(async move { drop(serve(socket, ready, answer.len(), info).await) });
    }
}

async fn serve(mut socket: TcpStream, ready: &[u8], answer: usize, info: &[u8]) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut frames = Frames::new();
    loop {
        let count = socket.read(frames.spare()).await?;
        if count == 0 {
            return Ok(());
        }
        let mut asks = false;
        let mut owed = frames.take(count, |code| asks |= code == exchange::INFO.0);
        if asks {
            socket.write_all(info).await?;
            continue;
        }
        while owed > 0 {
            let now = owed.min(READY);
            socket.write_all(&ready[..now * answer]).await?;
            owed -= now;
        }
    }
}
