//! Single calls: the first of a connection, and one after a pause.
//!
//! In these cases, delayed acknowledgements and Nagle's algorithm may delay a call by about
//! 40 ms. Invariant: no other calls are in flight.

use std::time::Duration;

use crate::contender::Contender;
use crate::options::Options;
use crate::order::{Gaps, Order, Report};
use crate::process::Process;
use crate::report::micros;

/// The pauses and the numbers of repetitions. One pause is short, and one exceeds all
/// relevant timers of TCP.
const PAUSES: [(Duration, u32); 2] = [(Duration::from_millis(50), 40), (Duration::from_secs(1), 5)];

/// The latency that counts as a stall: half of a delayed acknowledgement.
const STALL: Duration = Duration::from_millis(20);

pub(crate) fn print(options: &Options) -> Result<(), String> {
    let mut contenders = Contender::of_gaps(options);
    let (_server, server) = Process::server("instant", None)?;
    if options.tsv {
        println!(
            "section\tcontender\tpause_ms\ttimes\tfirst_median_us\tfirst_max_us\tpaused_median_us\tpaused_max_us\tstalls"
        );
    } else {
        println!("\nSingle calls: the first of a connection, and one after a pause (instant server)");
        println!(
            "  {:<24}{:>9}{:>7}{:>16}{:>12}{:>16}{:>12}",
            "", "pause", "times", "first: median", "max us", "paused: median", "max us"
        );
    }
    for (pause, times) in PAUSES {
        for contender in &mut contenders {
            let order = Order::Gaps { server, times, pause };
            let Gaps { first, paused } = match contender.ask(order) {
                Ok(Report::Gaps(gaps)) => gaps,
                Ok(Report::Ran(_)) => continue,
                Err(reason) => {
                    eprintln!("note: {} fails at single calls: {reason}", contender.name);
                    continue;
                }
            };
            let stalls = Duration::from_nanos(first.max.max(paused.max)) >= STALL;
            let (millis, name) = (pause.as_millis(), contender.name);
            let [a, b, c, d] = [first.median, first.max, paused.median, paused.max].map(micros);
            if options.tsv {
                println!("gaps\t{name}\t{millis}\t{times}\t{a:.1}\t{b:.1}\t{c:.1}\t{d:.1}\t{stalls}");
            } else {
                let verdict = if stalls { "  stalls" } else { "" };
                println!("  {name:<24}{millis:>6} ms{times:>7}{a:>16.1}{b:>12.1}{c:>16.1}{d:>12.1}{verdict}");
            }
        }
    }
    Ok(())
}
