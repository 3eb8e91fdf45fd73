//! A server that answers every frame at once with the same prepared one.
//!
//! Invariant: it does the minimum that a server can do: one read, adding up lengths, and
//! one write of as many answers as there were requests, which are prepared in one buffer.
//! Only requests for the server's version get another answer, because some clients begin
//! with one and wait for it.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::exchange;
use crate::frames::Frames;

/// The number of prepared answers in the buffer.
const READY: usize = 1024;

pub(super) async fn run() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    super::announce(listener.local_addr()?)?;
    let answer: &'static [u8] = exchange::answer().leak();
    let ready: &'static [u8] = answer.repeat(READY).leak();
    let info: &'static [u8] = exchange::info().leak();
    loop {
        let (socket, _) = listener.accept().await?;
        // Errors are ignored; the server continues with the next connection.
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
