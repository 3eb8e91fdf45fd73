//! The floor: a bare loop that writes prepared frames and counts answers.
//!
//! There are two kinds: one only adds up lengths; the other splits the input into frames
//! that a client could hand out, and drops them. Invariant: all requests that may be in
//! flight are written at once, and so are the replacements for all answered ones. No
//! single-threaded client can do less.

use std::sync::Arc;

use riak_runtime::FrameReader;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use super::WARM_UP;
use super::tally::{Lane, Tally};
use crate::exchange;
use crate::frames::Frames;
use crate::order::{Load, Order, Ran, Report};

pub(super) fn follow(runtime: &Runtime, cuts: bool, order: Order) -> Result<Report, String> {
    match order {
        Order::Run(load) => runtime.block_on(call(load, cuts)).map(Report::Ran),
        Order::Gaps { .. } => Err("the floor is not for single calls".to_owned()),
    }
}

async fn call(load: Load, cuts: bool) -> Result<Ran, String> {
    let connections = load.connections.min(load.in_flight);
    let tally = Tally::new(connections);
    let request: Arc<[u8]> = exchange::request().into();
    let mut tasks = Vec::new();
    for index in 0..connections {
        let socket = TcpStream::connect(load.server).await.map_err(|error| error.to_string())?;
        socket.set_nodelay(true).map_err(|error| error.to_string())?;
        let (lane, request) = (tally.lane(index), Arc::clone(&request));
        tasks.push(tokio::spawn(async move {
            let each = load.in_flight / connections;
            let kept = if cuts {
                keep(socket, &request, each, lane, FrameReader::default()).await
            } else {
                keep(socket, &request, each, lane, Frames::new()).await
            };
            kept.map_err(|error| error.to_string())
        }));
    }
    tokio::time::sleep(WARM_UP).await;
    let begun = tally.begin();
    tokio::time::sleep(load.time).await;
    let ended = tally.end();
    for task in tasks {
        task.await.map_err(|error| error.to_string())??;
    }
    tally.result(&begun, &ended)
}

/// A counter of complete answers.
trait Counts: Send {
    fn spare(&mut self) -> &mut [u8];

    /// Takes in `count` more bytes, and returns the number of answers completed by them.
    fn take(&mut self, count: usize) -> usize;
}

impl Counts for Frames {
    fn spare(&mut self) -> &mut [u8] {
        self.spare()
    }

    fn take(&mut self, count: usize) -> usize {
        self.take(count, |_| {})
    }
}

impl Counts for FrameReader {
    fn spare(&mut self) -> &mut [u8] {
        self.spare()
    }

    fn take(&mut self, count: usize) -> usize {
        self.advance(count);
        std::iter::from_fn(|| self.next_frame().ok().flatten()).count()
    }
}

/// Keeps this many requests in flight on a connection.
async fn keep(
    mut socket: TcpStream,
    request: &[u8],
    in_flight: usize,
    mut lane: Lane,
    mut answers: impl Counts,
) -> std::io::Result<()> {
    let all = request.repeat(in_flight);
    let mut answered = in_flight;
    while lane.goes_on() {
        let begun = lane.begin();
        socket.write_all(&all[..answered * request.len()]).await?;
        answered = 0;
        while answered == 0 {
            let count = socket.read(answers.spare()).await?;
            if count == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            answered = answers.take(count);
        }
        lane.end(answered, begun);
    }
    Ok(())
}
