//! The table: calls per second, latencies and CPU time of every client in every cell.
//!
//! Invariant: the clients of a cell take turns, round by round, so that a noisy machine
//! slows all alike, each round in another order, and each figure is the median of all rounds.
//!
//! The best round would be a matter of luck: now and then the system places the processes of a
//! client and the server so that a call has to wake nobody (measured with one call in flight:
//! the best of eight rounds was up to a seventh above the median). That is likelier after a
//! client that mostly waits, hence the changing order.

use std::cmp::Ordering;

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

/// What a client achieved in a cell: medians over the rounds.
pub(crate) struct Outcome {
    pub(crate) name: &'static str,
    pub(crate) per_second: f64,
    pub(crate) p50: u64,
    pub(crate) p99: u64,
    /// The nanoseconds of CPU time per call.
    pub(crate) cpu: f64,
}

impl Cell {
    pub(crate) fn of(&self, name: &str) -> Option<&Outcome> {
        self.results.iter().find(|outcome| outcome.name == name)
    }
}

impl Outcome {
    /// Summarises the rounds of a client, if there are any.
    fn of(name: &'static str, rounds: &[Ran]) -> Option<Self> {
        // In a round in which no call ended, none took any time.
        let answered: Vec<Ran> = rounds.iter().copied().filter(|ran| ran.p50 > 0).collect();
        Some(Self {
            name,
            per_second: median(rounds, Ran::per_second, f64::total_cmp)?,
            p50: median(&answered, |ran| ran.p50, u64::cmp).unwrap_or(0),
            p99: median(&answered, |ran| ran.p99, u64::cmp).unwrap_or(0),
            cpu: median(rounds, Ran::cpu_per_call, f64::total_cmp)?,
        })
    }
}

/// Returns the middle one of a figure's values; of an even number, the lower one.
fn median<F: Copy>(rounds: &[Ran], figure: fn(&Ran) -> F, order: fn(&F, &F) -> Ordering) -> Option<F> {
    let mut values: Vec<F> = rounds.iter().map(figure).collect();
    values.sort_unstable_by(order);
    values.get(values.len().checked_sub(1)? / 2).copied()
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
                let load = Load { server: address, in_flight, connections, time: options.turn };
                let results = run(server, load, options, &mut contenders, Some(connections) == each);
                let cell = Cell { server, in_flight, connections, results };
                done(&cell);
                cells.push(cell);
            }
        }
    }
    Ok(cells)
}

/// Measures a cell: all clients, or only peers.
fn run(
    server: &str,
    load: Load,
    options: &Options,
    contenders: &mut [Contender],
    peers_alone: bool,
) -> Vec<Outcome> {
    let mut rounds: Vec<(&'static str, Vec<Ran>)> =
        contenders.iter().map(|contender| (contender.name, Vec::new())).collect();
    let taking_part: Vec<usize> =
        (0..contenders.len()).filter(|&index| !peers_alone || contenders[index].is_peer()).collect();
    for round in 0..options.rounds as usize {
        for index in order_of(round, taking_part.len()).map(|place| taking_part[place]) {
            let (contender, (name, ran)) = (&mut contenders[index], &mut rounds[index]);
            match contender.ask(Order::Run(load)) {
                Ok(Report::Ran(this)) => ran.push(this),
                Ok(Report::Gaps(_)) => {}
                Err(reason) => {
                    let again = contender.restart().map_or_else(
                        |error| format!("; nor does it start again: {error}"),
                        |()| String::new(),
                    );
                    let Load { in_flight, connections, .. } = load;
                    eprintln!(
                        "note: {name} fails in round {round} against {server}, {in_flight} in flight over {connections}: {reason}{again}"
                    );
                }
            }
        }
    }
    rounds.into_iter().filter_map(|(name, ran)| Outcome::of(name, &ran)).collect()
}

/// Returns the order of a round's clients. Over all rounds, none follows one of the others more
/// often than the rest do: E. J. Williams, *Experimental designs balanced for the estimation of
/// residual effects of treatments* (1949). For an odd number, that takes two rounds for each
/// client.
fn order_of(round: usize, clients: usize) -> impl Iterator<Item = usize> {
    let reversed = clients % 2 == 1 && (round / clients) % 2 == 1;
    (0..clients).map(move |at| {
        let at = if reversed { clients - 1 - at } else { at };
        // 0, 1, n - 1, 2, n - 2, ...
        let place = if at % 2 == 1 { at.div_ceil(2) } else { clients - at / 2 };
        (place + round) % clients
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_figure_is_the_median_of_its_own_values() {
        let ran = |calls, cpu, p50| Ran { calls, elapsed: 1_000_000_000, cpu, p50, p99: 10 * p50 };
        let rounds = [ran(30, 300, 5), ran(10, 100, 7), ran(900, 900, 1), ran(20, 800, 6)];
        let outcome = Outcome::of("floor", &rounds).unwrap();
        assert!((outcome.per_second - 20.0).abs() < 1e-9, "{}", outcome.per_second);
        // 10, 10, 1 and 40 nanoseconds a call.
        assert!((outcome.cpu - 10.0).abs() < 1e-9, "{}", outcome.cpu);
        assert_eq!((outcome.p50, outcome.p99), (5, 50));
        assert!(Outcome::of("floor", &[]).is_none());
        let stalled = Outcome::of("floor", &[ran(1, 1, 0), ran(1, 1, 0), ran(1, 1, 7)]).unwrap();
        assert_eq!(stalled.p50, 7, "a round without answers has no latency");
    }

    #[test]
    fn no_client_follows_another_more_often_than_the_rest() {
        for clients in 1..=14 {
            let rounds = if clients % 2 == 0 { clients } else { 2 * clients };
            let mut followed = vec![0; clients * clients];
            for round in 0..rounds {
                let order: Vec<usize> = order_of(round, clients).collect();
                let mut sorted = order.clone();
                sorted.sort_unstable();
                assert_eq!(sorted, (0..clients).collect::<Vec<_>>());
                order.windows(2).for_each(|pair| followed[pair[0] * clients + pair[1]] += 1);
            }
            let often = rounds / clients;
            let balanced =
                |(at, &times): (usize, &usize)| times == if at % (clients + 1) == 0 { 0 } else { often };
            assert!(followed.iter().enumerate().all(balanced), "{clients}: {followed:?}");
        }
    }
}
