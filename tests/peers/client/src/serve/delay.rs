//! A network with latency: every byte arrives [`ONE_WAY_DELAY`] later, in each direction.
//!
//! It uses plain threads, since tokio's timers have a resolution of milliseconds.
//! Invariant: bytes are delayed, and nothing else: no byte waits for others, and the number
//! of bytes in transit is not limited.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// The delay of a byte.
pub(crate) const ONE_WAY_DELAY: Duration = Duration::from_millis(1);

pub(super) fn run(target: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    super::announce(listener.local_addr()?)?;
    for client in listener.incoming() {
        let (client, server) = (client?, TcpStream::connect(target)?);
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        carry(client.try_clone()?, server.try_clone()?);
        carry(server, client);
    }
    Ok(())
}

/// Forwards bytes in one direction until either side ends.
fn carry(mut from: TcpStream, mut to: TcpStream) {
    let (send, receive) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            if send.send((Instant::now() + ONE_WAY_DELAY, buffer[..count].to_vec())).is_err() {
                break;
            }
        }
    });
    thread::spawn(move || {
        for (due, bytes) in receive {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        // The other side may have closed already.
        let _ = to.shutdown(Shutdown::Both);
    });
}
