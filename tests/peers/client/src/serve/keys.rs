//! A server of keys: as many as the bucket's name says, in parts.
//!
//! All other requests get the answer to a get. Invariant: it holds at most one part, so
//! only the client's memory can grow with the number of keys.

use std::io;

use riak_client::riak_kv::{RpbListKeysReq, RpbListKeysResp};
use riak_runtime::{Blob, FrameReader, Owned};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::exchange;

/// The number of keys in one answer, as in Riak.
pub(crate) const PART: usize = 100;

/// The codes of a key listing and of its answers.
const LIST: (u8, u8) = (17, 18);

pub(super) async fn run() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    super::announce(listener.local_addr()?)?;
    loop {
        let (socket, _) = listener.accept().await?;
        // Errors are ignored: a client may drop a stream at any time.
        tokio::spawn(async move { drop(serve(socket).await) });
    }
}

async fn serve(mut socket: TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let keys = (0..PART).map(|index| Blob::from(format!("customer/2026/{index:08}"))).collect();
    let part = exchange::frame(LIST.1, &RpbListKeysResp { keys, ..RpbListKeysResp::default() });
    let last = exchange::frame(LIST.1, &RpbListKeysResp { done: Some(true), ..RpbListKeysResp::default() });
    let answer = exchange::answer();
    let several = part.repeat(64);
    let mut reader = FrameReader::default();
    loop {
        let count = socket.read(reader.spare()).await?;
        if count == 0 {
            return Ok(());
        }
        reader.advance(count);
        while let Some(frame) = reader.next_frame().map_err(io::Error::other)? {
            if frame.code != LIST.0 {
                socket.write_all(&answer).await?;
                continue;
            }
            let mut parts = asked(&frame.body).ok_or_else(|| io::Error::other("no number of keys"))? / PART;
            while parts > 0 {
                let now = parts.min(64);
                socket.write_all(&several[..now * part.len()]).await?;
                parts -= now;
            }
            socket.write_all(&last).await?;
        }
    }
}

/// Returns how many keys a request asks for.
fn asked(body: &Blob) -> Option<usize> {
    let request = RpbListKeysReq::decode_blob(body).ok()?;
    std::str::from_utf8(&request.bucket).ok()?.parse().ok()
}
