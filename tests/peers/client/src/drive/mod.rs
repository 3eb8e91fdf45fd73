//! The Rust clients, each driven in a process of its own.
//!
//! Invariant: every contender makes the same calls, from as many tasks or threads as there
//! are calls in flight, and checks what it gets.

mod floor;
mod nodelay;
mod riak;
mod riak_async;
mod riak_sync;
mod tally;

use std::future::Future;
use std::io::{self, BufRead, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use crate::order::{Gaps, Load, Order, Ran, Report, Spread};
use tally::{Tally, nanos};

/// The time before calls are counted, in which connections open and the interpreters of
/// other languages warm up.
const WARM_UP: Duration = Duration::from_millis(50);

/// An asynchronous client.
trait Caller: Clone + Send + Sync + 'static {
    /// Returns one or more clients with the requested number of connections.
    fn connect(
        server: SocketAddr,
        connections: usize,
    ) -> impl Future<Output = Result<Vec<Self>, String>> + Send;

    /// Gets the object. Returns the length of its value.
    fn get(&self) -> impl Future<Output = Result<usize, String>> + Send;
}

/// Follows orders from standard input until its end.
pub(crate) fn run(name: &str, forces_nodelay: bool) -> Result<(), String> {
    let mut out = io::stdout();
    let mut say =
        |line: String| writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|error| error.to_string());
    say("ready".to_owned())?;
    for line in io::stdin().lock().lines() {
        let order = line.map_err(|error| error.to_string())?.parse()?;
        let report = follow(name, forces_nodelay, order);
        say(
            report.map_or_else(|reason| format!("no {}", reason.replace('\n', " ")), |done| done.to_string())
        )?;
    }
    Ok(())
}

fn follow(name: &str, forces_nodelay: bool, order: Order) -> Result<Report, String> {
    let one = || tokio::runtime::Builder::new_current_thread().enable_all().build();
    let several = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let with = |runtime: io::Result<Runtime>| runtime.map_err(|error| format!("no runtime: {error}"));
    match name {
        "floor" => floor::follow(&with(one())?, false, order),
        "floor-cut" => floor::follow(&with(one())?, true, order),
        "riak-connection" => follow_with::<riak::One>(&with(one())?, forces_nodelay, order),
        "riak-cluster" => follow_with::<riak::Clustered>(&with(one())?, forces_nodelay, order),
        "riak-cluster-threads" => follow_with::<riak::Clustered>(&with(several())?, forces_nodelay, order),
        "crate:riak-async" => follow_with::<riak_async::Shared>(&with(one())?, forces_nodelay, order),
        "crate:riak" => riak_sync::follow(forces_nodelay, order),
        _ => Err(format!("there is no client `{name}`")),
    }
}

fn follow_with<C: Caller>(runtime: &Runtime, forces_nodelay: bool, order: Order) -> Result<Report, String> {
    // As in an application, the calls run in a task, where the runtime has threads.
    let task = match order {
        Order::Run(load) => {
            runtime.spawn(async move { call::<C>(load, forces_nodelay).await.map(Report::Ran) })
        }
        Order::Gaps { server, times, pause } => runtime
            .spawn(async move { gaps::<C>(server, forces_nodelay, times, pause).await.map(Report::Gaps) }),
    };
    runtime.block_on(task).map_err(|error| error.to_string())?
}

/// Keeps the requested number of calls in flight.
async fn call<C: Caller>(load: Load, forces_nodelay: bool) -> Result<Ran, String> {
    let callers = C::connect(load.server, load.connections).await?;
    if forces_nodelay {
        nodelay::force()?;
    }
    let tally = Tally::new(load.in_flight);
    let tasks: Vec<_> = (0..load.in_flight)
        .map(|index| {
            let (caller, mut lane) = (callers[index % callers.len()].clone(), tally.lane(index));
            tokio::spawn(async move {
                while lane.goes_on() {
                    let begun = lane.begin();
                    match caller.get().await.and_then(expected) {
                        Ok(()) => lane.end(1, begun),
                        Err(reason) => lane.fail(reason),
                    }
                }
            })
        })
        .collect();
    tokio::time::sleep(WARM_UP).await;
    let begun = tally.begin();
    tokio::time::sleep(load.time).await;
    let ended = tally.end();
    for task in tasks {
        // Aborts, since waiting for a stalled call would also delay the results of the others.
        task.abort();
        match task.await {
            Err(error) if !error.is_cancelled() => return Err(error.to_string()),
            _ => {}
        }
    }
    tally.result(&begun, &ended)
}

/// Times the first call of a connection, and a call after a pause.
async fn gaps<C: Caller>(
    server: SocketAddr,
    forces_nodelay: bool,
    times: u32,
    pause: Duration,
) -> Result<Gaps, String> {
    let (mut first, mut paused) = (Vec::new(), Vec::new());
    for _ in 0..times {
        let callers = C::connect(server, 1).await?;
        if forces_nodelay {
            nodelay::force()?;
        }
        let begun = Instant::now();
        callers[0].get().await.and_then(expected)?;
        first.push(nanos(begun.elapsed()));
        // More calls use up the quick acknowledgements that the kernel grants to a new connection.
        for _ in 0..20 {
            callers[0].get().await.and_then(expected)?;
        }
        tokio::time::sleep(pause).await;
        let begun = Instant::now();
        callers[0].get().await.and_then(expected)?;
        paused.push(nanos(begun.elapsed()));
    }
    Ok(Gaps { first: Spread::of(first), paused: Spread::of(paused) })
}

fn expected(value_len: usize) -> Result<(), String> {
    if value_len == crate::exchange::VALUE_LEN {
        return Ok(());
    }
    Err(format!("it got a value of {value_len} bytes"))
}
