//! Reports: the cells of the table as lines for programs or as tables for people, and
//! whether the targets are met.

use crate::contender::{is_ours, is_peer};
use crate::table::{Cell, Outcome};

pub(crate) const TSV_HEADER: &str = "section\tserver\tin_flight\tconnections\tcontender\tcalls_per_s\tp50_us\tp99_us\tcpu_us_per_call\tratio_to_floor";

/// The targets, with 256 calls in flight at the instant server.
const CALLS: f64 = 5.0;
const CPU: f64 = 5.0;
const FLOOR: f64 = 0.25;

pub(crate) fn tsv(cell: &Cell) {
    for outcome in &cell.results {
        println!(
            "table\t{}\t{}\t{}\t{}\t{:.0}\t{:.1}\t{:.1}\t{:.3}\t{}",
            cell.server,
            cell.in_flight,
            cell.connections,
            outcome.name,
            outcome.per_second,
            micros(outcome.p50),
            micros(outcome.p99),
            outcome.cpu / 1e3,
            ratio(cell, "floor", outcome).map_or_else(String::new, |ratio| format!("{ratio:.3}"))
        );
    }
}

pub(crate) fn table(cell: &Cell) {
    let Cell { server, in_flight, connections, .. } = cell;
    println!("\n{server}: {in_flight} in flight over {connections} connections");
    println!(
        "  {:<24}{:>12}{:>12}{:>12}{:>13}{:>10}",
        "", "calls/s", "p50 us", "p99 us", "CPU us/call", "of floor"
    );
    for outcome in &cell.results {
        println!(
            "  {:<24}{:>12.0}{:>12}{:>12}{:>13.3}{:>10}",
            outcome.name,
            outcome.per_second,
            time(outcome.p50),
            time(outcome.p99),
            outcome.cpu / 1e3,
            ratio(cell, "floor", outcome).map_or_else(String::new, |ratio| format!("{ratio:.3}"))
        );
    }
}

/// Compares our clients with the best peer with the same number of calls in flight, over
/// the number of connections that is best for that peer.
pub(crate) fn bars(cells: &[Cell]) -> Vec<String> {
    let mut lines = Vec::new();
    for cell in cells {
        let same =
            || cells.iter().filter(|other| (other.server, other.in_flight) == (cell.server, cell.in_flight));
        let peers = || same().flat_map(|other| &other.results).filter(|outcome| is_peer(outcome.name));
        let fastest = peers().max_by(|a, b| a.per_second.total_cmp(&b.per_second));
        let cheapest = peers().min_by(|a, b| a.cpu.total_cmp(&b.cpu));
        let (Some(fastest), Some(cheapest)) = (fastest, cheapest) else { continue };
        for ours in cell.results.iter().filter(|outcome| is_ours(outcome.name)) {
            let lead = ours.per_second / fastest.per_second;
            let cpu = cheapest.cpu / ours.cpu;
            let floor = ratio(cell, "floor", ours).unwrap_or(0.0);
            let framed = ratio(cell, "floor-cut", ours).unwrap_or(0.0);
            let verdict = match (cell.server, cell.in_flight) {
                ("instant", 256) if lead >= CALLS && cpu >= CPU && floor >= FLOOR => "met",
                ("instant", 1) if lead >= 1.0 => "met",
                ("instant", 256 | 1) => "NOT MET",
                _ => "",
            };
            lines.push(format!(
                "{:<8}{:>4} in flight, {} conn. {:<22}{lead:>7.2} x the calls of {:<18}{cpu:>7.2} x less CPU than {:<18}{floor:>6.3} of the floor, {framed:.3} of the one that cuts frames  {verdict}",
                cell.server, cell.in_flight, cell.connections, ours.name, fastest.name, cheapest.name
            ));
        }
    }
    lines
}

/// Returns the calls of one client as a multiple of another's.
fn ratio(cell: &Cell, other: &str, outcome: &Outcome) -> Option<f64> {
    cell.of(other).map(|other| outcome.per_second / other.per_second)
}

/// Formats a time, which is missing if none of a client's calls completed.
fn time(nanos: u64) -> String {
    if nanos == 0 { "-".to_owned() } else { format!("{:.1}", micros(nanos)) }
}

pub(crate) fn micros(nanos: u64) -> f64 {
    std::time::Duration::from_nanos(nanos).as_secs_f64() * 1e6
}
