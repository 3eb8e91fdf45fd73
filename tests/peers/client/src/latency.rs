//! The benefit of pipelining: many calls in flight on one connection, over a network with latency.

use crate::contender::Contender;
use crate::options::Options;
use crate::order::{Load, Order, Report};
use crate::process::Process;
use crate::report::micros;
use crate::serve::ONE_WAY_DELAY;

/// The target: the minimum throughput relative to one call at a time.
const TARGET_RATIO: f64 = 50.0;

const OURS: [&str; 2] = ["riak-connection", "riak-cluster"];

pub(crate) fn print(options: &Options) -> Result<(), String> {
    let (_instant, instant) = Process::server("instant", None)?;
    let (_delay, server) = Process::server("delay", Some(instant))?;
    if options.tsv {
        println!(
            "section\tcontender\tadded_us_each_way\tin_flight\tcalls_per_s\tp50_us\tp99_us\tratio_to_one"
        );
    } else {
        println!("\nOne connection, {} ms added each way (instant server)", ONE_WAY_DELAY.as_millis());
        println!(
            "  {:<24}{:>10}{:>12}{:>10}{:>10}{:>14}",
            "", "in flight", "calls/s", "p50 us", "p99 us", "x one"
        );
    }
    for name in OURS.into_iter().filter(|name| options.wants_contender(name)) {
        let mut contender = Contender::start(name)?;
        let mut one_at_a_time = None;
        for in_flight in [1, 16, 256] {
            // A turn has to contain many of the long round trips.
            let load = Load { server, in_flight, connections: 1, time: options.turn * 10 };
            let mut best = None;
            for _ in 0..options.rounds.min(3) {
                let Report::Ran(ran) = contender.ask(Order::Run(load))? else { continue };
                if best.is_none_or(|(calls, _)| ran.per_second() > calls) {
                    best = Some((ran.per_second(), ran));
                }
            }
            let (calls, ran) = best.ok_or("nothing was measured")?;
            let ratio = calls / *one_at_a_time.get_or_insert(calls);
            let (p50, p99) = (micros(ran.p50), micros(ran.p99));
            if options.tsv {
                let way = ONE_WAY_DELAY.as_micros();
                println!("latency\t{name}\t{way}\t{in_flight}\t{calls:.0}\t{p50:.1}\t{p99:.1}\t{ratio:.1}");
            } else {
                let verdict = match in_flight {
                    256 if ratio >= TARGET_RATIO => "  met",
                    256 => "  NOT MET",
                    _ => "",
                };
                println!(
                    "  {name:<24}{in_flight:>10}{calls:>12.0}{p50:>10.1}{p99:>10.1}{ratio:>14.1}{verdict}"
                );
            }
        }
    }
    Ok(())
}
