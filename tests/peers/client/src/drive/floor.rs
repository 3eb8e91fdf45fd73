//! The floor: a bare loop that writes ready-made frames and counts answers.
//!
//! Invariant: what is in flight is written at once, and so is what has been
//! answered: no client of one thread can do less.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use super::WARM_UP;
use super::tally::{Lane, Tally};
use crate::exchange;
use crate::frames::Frames;
use crate::order::{Load, Order, Ran, Report};

pub(super) fn follow(runtime: &Runtime, order: Order) -> Result<Report, String> {
    match order {
        Order::Run(load) => runtime.block_on(call(load)).map(Report::Ran),
        Order::Gaps { .. } => Err("the floor is not for single calls".to_owned()),
    }
}

async fn call(load: Load) -> Result<Ran, String> {
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
            if let Err(error) = keep(socket, &request, each, lane).await {
                return Err(error.to_string());
            }
            Ok(())
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

/// Keeps so many requests in flight on a connection.
async fn keep(
    mut socket: TcpStream,
    request: &[u8],
    in_flight: usize,
    mut lane: Lane,
) -> std::io::Result<()> {
    let all = request.repeat(in_flight);
    let mut frames = Frames::new();
    let mut answered = in_flight;
    while lane.goes_on() {
        let begun = lane.begin();
        socket.write_all(&all[..answered * request.len()]).await?;
        answered = 0;
        while answered == 0 {
            let count = socket.read(frames.spare()).await?;
            if count == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            answered = frames.take(count, |_| {});
        }
        lane.end(answered, begun);
    }
    Ok(())
}
