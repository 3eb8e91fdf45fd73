//! The crate `riak`: blocking, with one call at a time on each connection, so it is called
//! from threads.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use riak::Client;
use riak::object::FetchObjectReq;

use super::tally::{Tally, nanos};
use super::{WARM_UP, expected, nodelay};
use crate::exchange::{BUCKET, KEY};
use crate::order::{Gaps, Load, Order, Ran, Report, Spread};

pub(super) fn follow(forces_nodelay: bool, order: Order) -> Result<Report, String> {
    match order {
        Order::Run(load) => call(load, forces_nodelay).map(Report::Ran),
        Order::Gaps { server, times, pause } => gaps(server, forces_nodelay, times, pause).map(Report::Gaps),
    }
}

fn connect(server: SocketAddr, connections: usize, forces_nodelay: bool) -> Result<Vec<Client>, String> {
    let clients = (0..connections).map(|_| Client::new(server).map_err(|error| format!("{error:?}")));
    let clients = clients.collect::<Result<_, _>>()?;
    if forces_nodelay {
        nodelay::force()?;
    }
    Ok(clients)
}

fn get(client: &mut Client) -> Result<(), String> {
    let answer =
        client.fetch_object(FetchObjectReq::new(BUCKET, KEY)).map_err(|error| format!("{error:?}"))?;
    expected(answer.content.first().map_or(0, |content| content.get_value().len()))
}

fn call(load: Load, forces_nodelay: bool) -> Result<Ran, String> {
    let clients = connect(load.server, load.connections, forces_nodelay)?;
    let clients: Vec<_> = clients.into_iter().map(|client| Arc::new(Mutex::new(client))).collect();
    let tally = Tally::new(load.in_flight);
    let threads: Vec<_> = (0..load.in_flight)
        .map(|index| {
            let (client, mut lane) = (Arc::clone(&clients[index % clients.len()]), tally.lane(index));
            thread::spawn(move || {
                while lane.goes_on() {
                    let begun = lane.begin();
                    let mut client = client.lock().unwrap_or_else(PoisonError::into_inner);
                    // A stalled thread must not delay the others.
                    if !lane.goes_on() {
                        break;
                    }
                    match get(&mut client) {
                        Ok(()) => lane.end(1, begun),
                        Err(reason) => lane.fail(reason),
                    }
                }
            })
        })
        .collect();
    thread::sleep(WARM_UP);
    let begun = tally.begin();
    thread::sleep(load.time);
    let ended = tally.end();
    for thread in threads {
        thread.join().map_err(|_| "a thread panicked".to_owned())?;
    }
    tally.result(&begun, &ended)
}

fn gaps(server: SocketAddr, forces_nodelay: bool, times: u32, pause: Duration) -> Result<Gaps, String> {
    let (mut first, mut paused) = (Vec::new(), Vec::new());
    for _ in 0..times {
        let mut client = connect(server, 1, forces_nodelay)?.remove(0);
        let begun = Instant::now();
        get(&mut client)?;
        first.push(nanos(begun.elapsed()));
        for _ in 0..20 {
            get(&mut client)?;
        }
        thread::sleep(pause);
        let begun = Instant::now();
        get(&mut client)?;
        paused.push(nanos(begun.elapsed()));
    }
    Ok(Gaps { first: Spread::of(first), paused: Spread::of(paused) })
}
