//! A stream of very many keys: memory stays constant, and dropping a stream half-way leaves
//! the pool intact.
//!
//! The client is a process of its own, which observes its own memory; the server generates
//! the keys. Invariant: every key is counted, and none is kept.

use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use riak_client::riak_kv::{RpbGetReq, RpbListKeysReq};
use riak_client::{CallError, ClientConfig, Riak};

use crate::exchange::{BUCKET, KEY};
use crate::options::Options;
use crate::process::Process;
use crate::serve::PART;

/// The target: the maximum growth of memory in KiB between a tenth of the keys and all.
/// Keeping one key in a hundred would exceed it.
const GROWTH: u64 = 4 * 1024;

pub(crate) fn print(options: &Options) -> Result<(), String> {
    let (_server, server) = Process::server("keys", None)?;
    let (address, keys) = (server.to_string(), options.keys.to_string());
    let client = Process::of_this(&["stream", &address, &keys])?;
    if options.tsv {
        println!("section\twhat\tkeys\tseconds\tresident_kib");
    } else {
        println!("\nA stream of {keys} keys, {PART} in each answer");
        println!("  {:<26}{:>12}{:>10}{:>15}", "", "keys", "seconds", "resident KiB");
    }
    let mut resident = Vec::new();
    loop {
        let line = client.line()?;
        let words: Vec<&str> = line.split('\t').collect();
        match words[..] {
            [what, keys, seconds, kib] => {
                if what == "streamed" {
                    resident.push(kib.parse::<u64>().map_err(|_| format!("`{kib}` is no number"))?);
                }
                if options.tsv {
                    println!("stream\t{line}");
                } else {
                    println!("  {what:<26}{keys:>12}{seconds:>10}{kib:>15}");
                }
            }
            ["whole"] => break,
            _ => return Err(line),
        }
    }
    let (first, last) = (resident.first().copied().unwrap_or(0), resident.last().copied().unwrap_or(0));
    if last > first + GROWTH {
        return Err(format!("memory grew from {first} to {last} KiB"));
    }
    if !options.tsv {
        println!("  memory is constant, and the pool is whole after a stream that was dropped half-way: met");
    }
    Ok(())
}

/// Runs the client's process.
pub(crate) fn client(server: &str, keys: &str) -> Result<(), String> {
    let server = server.parse().map_err(|_| format!("`{server}` is no address"))?;
    let keys = keys.parse().map_err(|_| format!("`{keys}` is no number"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(run(server, keys))?;
    println!("whole");
    Ok(())
}

async fn run(server: SocketAddr, keys: usize) -> Result<(), String> {
    let said = |error: CallError| error.to_string();
    let riak = Riak::connect(ClientConfig::new([server.into()])).await.map_err(|error| error.to_string())?;
    let begun = Instant::now();
    let count = count(&riak, keys, usize::MAX, |so_far| tell("streamed", so_far, begun)).await?;
    if count != keys {
        return Err(format!("{count} keys came of {keys}"));
    }
    let begun = Instant::now();
    let half = self::count(&riak, keys, keys / 2, |_| ()).await?;
    tell("dropped half-way", half, begun);
    // Dropping the stream closed its connection, and nothing of it remains.
    let pool = riak.stats().nodes[0].pool;
    if (pool.streams, pool.waiting, pool.in_flight) != (0, 0, 0) {
        return Err(format!("the pool is not whole: {pool:?}"));
    }
    riak.kv().get(&RpbGetReq::new(BUCKET, KEY)).await.map_err(said)?;
    // The maximum number of streams at once, which would fail if one had kept its slot.
    let begun = Instant::now();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let riak = riak.clone();
            tokio::spawn(async move { self::count(&riak, 100_000, usize::MAX, |_| ()).await })
        })
        .collect();
    let mut all = 0;
    for task in tasks {
        all += task.await.map_err(|error| error.to_string())??;
    }
    tell("eight streams after that", all, begun);
    let deadline = Instant::now() + Duration::from_secs(5);
    while riak.stats().nodes[0].pool.streams > 0 && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    match riak.stats().nodes[0].pool.streams {
        0 if all == 800_000 => Ok(()),
        open => Err(format!("{all} keys came of 800000, and {open} streams are open")),
    }
}

/// Counts keys as they arrive, drops the stream after `until` keys, and reports at every
/// tenth of all keys.
async fn count(riak: &Riak, keys: usize, until: usize, mut tell: impl FnMut(usize)) -> Result<usize, String> {
    let mut answers = riak
        .kv()
        .list_keys(&RpbListKeysReq::new(keys.to_string()))
        .await
        .map_err(|error| error.to_string())?;
    let (mut count, mut next) = (0, keys / 10);
    while let Some(answer) = answers.next().await {
        count += answer.map_err(|error| error.to_string())?.keys.len();
        if count >= next {
            tell(count);
            next += keys / 10;
        }
        if count >= until {
            break;
        }
    }
    Ok(count)
}

fn tell(what: &str, keys: usize, begun: Instant) {
    println!("{what}\t{keys}\t{:.2}\t{}", begun.elapsed().as_secs_f64(), resident());
}

/// Returns the resident memory of this process in KiB.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
