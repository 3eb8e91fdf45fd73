//! The table: calls per second, latencies and CPU time of every client in every cell.
//!
//! Invariant: the clients of a cell take turns, round by round, so that a noisy machine
//! slows all alike; the best round of each counts.

use std::net::SocketAddr;

use crate::contender::Contender;
use crate::options::Options;
use crate::order::{Load, Order, Ran, Report};
use crate::process::Process;

const SERVERS: [&str; 2] = ["instant", "node"];
const IN_FLIGHT: [usize; 3] = [1, 16, 256];
const CONNECTIONS: [usize; 2] = [1, 8];

/// A set of results that are compared with one another.
pub(crate) struct Cell {
    pub(crate) server: &'static str,
    pub(crate) in_flight: usize,
    pub(crate) connections: usize,
    pub(crate) results: Vec<Outcome>,
}

/// The best rounds of a client in a cell.
pub(crate) struct Outcome {
    pub(crate) name: &'static str,
    /// The calls per second of the round with the most calls.
    pub(crate) per_second: f64,
    pub(crate) p50: u64,
    pub(crate) p99: u64,
    /// The nanoseconds of CPU time per call, of the round with the least.
    pub(crate) cpu: f64,
}

impl Cell {
    pub(crate) fn of(&self, name: &str) -> Option<&Outcome> {
        self.results.iter().find(|outcome| outcome.name == name)
    }
}

impl Outcome {
    fn of(name: &'static str, ran: &Ran) -> Self {
        let Ran { p50, p99, .. } = *ran;
        Self { name, per_second: ran.per_second(), p50, p99, cpu: ran.cpu_per_call() }
    }

    fn add(&mut self, ran: &Ran) {
        if ran.per_second() > self.per_second {
            (self.per_second, self.p50, self.p99) = (ran.per_second(), ran.p50, ran.p99);
        }
        self.cpu = self.cpu.min(ran.cpu_per_call());
    }
}

/// Measures every wanted cell, and passes each to `done`.
pub(crate) fn measure(options: &Options, mut done: impl FnMut(&Cell)) -> Result<Vec<Cell>, String> {
    let mut contenders = Contender::all(options);
    let mut cells = Vec::new();
    for server in SERVERS.into_iter().filter(|name| options.wants_server(name)) {
        let (_server, address) = Process::server(server, None)?;
        for in_flight in IN_FLIGHT.into_iter().filter(|calls| options.wants_in_flight(*calls)) {
            // Clients that make one call at a time on each connection are at their best
            // with one connection per call. Only peers run in that cell.
            let each = (!CONNECTIONS.contains(&in_flight)).then_some(in_flight);
            for connections in CONNECTIONS.into_iter().chain(each) {
                let mut cell = Cell { server, in_flight, connections, results: Vec::new() };
                let alone = Some(connections) == each;
                run(&mut cell, address, options, &mut contenders, alone);
                done(&cell);
                cells.push(cell);
            }
        }
    }
    Ok(cells)
}

fn run(
    cell: &mut Cell,
    server: SocketAddr,
    options: &Options,
    contenders: &mut [Contender],
    peers_alone: bool,
) {
    let &mut Cell { in_flight, connections, .. } = cell;
    let order = Order::Run(Load { server, in_flight, connections, time: options.turn });
    for round in 0..options.rounds {
        for contender in contenders.iter_mut().filter(|one| !peers_alone || one.is_peer()) {
            let ran = match contender.ask(order) {
                Ok(Report::Ran(ran)) => ran,
                Ok(Report::Gaps(_)) => continue,
                Err(reason) => {
                    let (name, place) = (contender.name, cell.server);
                    let again = contender.restart().map_or_else(
                        |error| format!("; nor does it start again: {error}"),
                        |()| String::new(),
                    );
                    eprintln!(
                        "note: {name} fails in round {round} against {place}, {in_flight} in flight over {connections}: {reason}{again}"
                    );
                    continue;
                }
            };
            match cell.results.iter_mut().find(|outcome| outcome.name == contender.name) {
                Some(outcome) => outcome.add(&ran),
                None => cell.results.push(Outcome::of(contender.name, &ran)),
            }
        }
    }
}
