//! Mixed calls over a network that misbehaves, given up at random: every answer
//! belongs to its call, no acknowledged write is lost, and nothing that was
//! reported as not applied is.
//!
//! `SOAK_CALLS` and `SOAK_SEED` in the environment make it longer, or another
//! one; `--nocapture` shows what has happened.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use riak_client::riak::{RpbBucketProps, RpbSetBucketReq};
use riak_client::riak_kv::{RpbContent, RpbGetReq, RpbListKeysReq, RpbPutReq};
use riak_client::{
    Call, CallError, CallOptions, ClientConfig, Connection, ConnectionConfig, Node as Place, Riak,
};
use riak_testkit::{Faults, Node, Proxy};
use tokio::task::JoinSet;

const TASKS: usize = 32;

/// Numbers from a seed: an xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

#[derive(Default)]
struct Counts {
    calls: AtomicUsize,
    good: AtomicUsize,
    dropped: AtomicUsize,
    uncertain: AtomicUsize,
    not_applied: AtomicUsize,
}

/// What a task knows of its key: only it writes there.
#[derive(Default)]
struct Known {
    acknowledged: u64,
    attempted: u64,
    not_applied: BTreeSet<u64>,
}

impl Known {
    fn check(&self, key: &str, value: &str) {
        let (owner, number) = value.split_once(':').expect("a value says whose it is");
        assert_eq!(owner, key, "the answer is of another call");
        let number: u64 = number.parse().unwrap();
        assert!(number <= self.attempted, "{key}: nobody wrote {number}");
        assert!(!self.not_applied.contains(&number), "{key}: {number} was reported as not applied");
    }
}

fn environment(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
}

async fn task<C: Call>(riak: Riak<C>, number: usize, seed: u64, calls: usize, counts: Arc<Counts>) {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let (key, mut known) = (format!("key{number}"), Known::default());
    let mut vclock = None;
    for _ in 0..calls {
        counts.calls.fetch_add(1, Ordering::Relaxed);
        let patience = Duration::from_millis(20 + random.below(400));
        let options = CallOptions::new().timeout(patience);
        let riak = riak.with(options);
        // Some are given up from outside, at any moment.
        let given_up = match random.below(10) {
            0 => Duration::from_micros(random.below(3000)),
            _ => Duration::from_secs(3600),
        };
        match random.below(20) {
            0..=7 => {
                known.attempted += 1;
                let written = known.attempted;
                let put = RpbPutReq {
                    key: Some(key.clone().into()),
                    vclock: vclock.clone(),
                    ..RpbPutReq::new("b", RpbContent::new(format!("{key}:{written}")))
                };
                match tokio::time::timeout(given_up, riak.kv().put(&put)).await {
                    Ok(Ok(_)) => {
                        counts.good.fetch_add(1, Ordering::Relaxed);
                        known.acknowledged = written;
                    }
                    Ok(Err(error)) if error.may_have_been_applied() => {
                        counts.uncertain.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok(Err(_)) => {
                        counts.not_applied.fetch_add(1, Ordering::Relaxed);
                        known.not_applied.insert(written);
                    }
                    Err(_) => {
                        counts.dropped.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
            8..=17 => {
                match tokio::time::timeout(given_up, riak.kv().get(RpbGetReq::new("b", key.as_str()))).await {
                    Ok(Ok(found)) => {
                        counts.good.fetch_add(1, Ordering::Relaxed);
                        let values: Vec<String> = found
                            .content
                            .iter()
                            .map(|content| content.value.to_string_lossy().into_owned())
                            .collect();
                        for value in &values {
                            known.check(&key, value);
                        }
                        let newest =
                            values.iter().map(|value| value[key.len() + 1..].parse::<u64>().unwrap()).max();
                        assert!(
                            newest.unwrap_or(0) >= known.acknowledged,
                            "{key}: {} was acknowledged, and {values:?} is there",
                            known.acknowledged
                        );
                        vclock = found.vclock;
                    }
                    Ok(Err(error)) => assert!(!matches!(error, CallError::Server(_)), "{error}"),
                    Err(_) => {
                        counts.dropped.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
            18 => {
                if let Ok(Ok(_)) = tokio::time::timeout(given_up, riak.server().ping()).await {
                    counts.good.fetch_add(1, Ordering::Relaxed);
                }
            }
            _ => {
                let list = RpbListKeysReq::new("b");
                let chunks = random.below(4);
                let Ok(Ok(mut keys)) = tokio::time::timeout(given_up, riak.kv().list_keys(&list)).await
                else {
                    continue;
                };
                for _ in 0..chunks {
                    let Some(Ok(chunk)) = keys.next().await else { break };
                    for key in chunk.keys {
                        assert!(key.starts_with(b"key"), "the answer is of another call");
                    }
                }
                counts.good.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

fn faults() -> Faults {
    let mut faults = Faults::default();
    faults.latency = Duration::from_micros(300);
    faults.refuse = 20_000;
    faults.cut = 500;
    faults.truncate = 500;
    faults.stall = 300;
    faults.delay = 1000;
    faults.wrong_code = 300;
    faults.wrong_length = 300;
    faults
}

/// Without siblings the write that comes last wins, though it was given up long
/// before one that was acknowledged.
async fn keep_siblings(node: &Node) {
    let props = RpbBucketProps { allow_mult: Some(true), ..RpbBucketProps::default() };
    let riak = Riak::connect(node.addr()).await.unwrap();
    riak.buckets().set_props(RpbSetBucketReq::new("b", props)).await.unwrap();
    riak.close().await;
}

fn sockets() -> Option<usize> {
    // Where there is such a thing; elsewhere the node's own count has to do.
    std::fs::read_dir("/proc/self/fd").ok().map(Iterator::count)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_keeps_its_word_over_a_bad_network() {
    let calls = usize::try_from(environment("SOAK_CALLS", 20_000)).unwrap();
    let seed = environment("SOAK_SEED", 1);
    let store = Node::builder().part_size(4).build_store();
    let (mut nodes, mut proxies) = (Vec::new(), Vec::new());
    for number in 0..3 {
        let node = Node::builder().store(store.clone()).start().await.unwrap();
        keep_siblings(&node).await;
        let proxy = Proxy::start(node.addr(), seed + number).await.unwrap();
        proxy.set_faults(faults());
        nodes.push(node);
        proxies.push(proxy);
    }
    let before = (tokio::runtime::Handle::current().metrics().num_alive_tasks(), sockets());
    let config = ClientConfig::new(proxies.iter().map(|proxy| Place::from(proxy.addr())));
    let riak = Riak::lazy(config).unwrap();
    let counts = Arc::new(Counts::default());
    let mut tasks = JoinSet::new();
    for number in 0..TASKS {
        let each = calls / TASKS;
        tasks.spawn(task(riak.clone(), number, seed * 1000 + number as u64, each, Arc::clone(&counts)));
    }
    while let Some(result) = tasks.join_next().await {
        result.unwrap();
    }
    let stats = riak.stats();
    report(&counts, proxies.iter().map(Proxy::faults).sum());
    println!("{} repeats", stats.repeats);
    for node in &stats.nodes {
        assert_eq!((node.in_flight, node.pool.in_flight, node.pool.waiting, node.pool.streams), (0, 0, 0, 0));
    }
    drop((stats, riak));
    nothing_is_left(&proxies, before).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_keeps_its_word_until_it_breaks() {
    let calls = usize::try_from(environment("SOAK_CALLS", 20_000)).unwrap() / 4;
    let seed = environment("SOAK_SEED", 1);
    let node = Node::builder().part_size(4).start().await.unwrap();
    keep_siblings(&node).await;
    let proxy = Proxy::start(node.addr(), seed).await.unwrap();
    proxy.set_faults(faults());
    let proxies = vec![proxy];
    let before = (tokio::runtime::Handle::current().metrics().num_alive_tasks(), sockets());
    let counts = Arc::new(Counts::default());
    let (mut made, mut round) = (0, seed);
    while made < calls {
        // Keys are of a round: what is known of them does not outlive it.
        round += 1;
        let connection =
            Connection::connect_with(proxies[0].addr(), ConnectionConfig::new().max_in_flight(8)).await;
        let Ok(connection) = connection else { continue };
        let riak = Riak::over(connection);
        let mut tasks = JoinSet::new();
        for number in 0..TASKS {
            let number = usize::try_from(round).unwrap() * TASKS + number;
            tasks.spawn(task(riak.clone(), number, round * 1000 + number as u64, 20, Arc::clone(&counts)));
        }
        while let Some(result) = tasks.join_next().await {
            result.unwrap();
        }
        made += TASKS * 20;
    }
    report(&counts, proxies[0].faults());
    nothing_is_left(&proxies, before).await;
}

fn report(counts: &Counts, faults: usize) {
    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    println!(
        "{} calls, {} answered, {} dropped, {} writes uncertain, {} not applied, {faults} faults",
        count(&counts.calls),
        count(&counts.good),
        count(&counts.dropped),
        count(&counts.uncertain),
        count(&counts.not_applied),
    );
    assert!(faults > 0 && count(&counts.dropped) > 0, "nothing was put to the test");
    assert!(count(&counts.good) > count(&counts.calls) / 20, "hardly anything was answered");
}

/// Waits until tasks and sockets are as many as before.
async fn nothing_is_left(proxies: &[Proxy], before: (usize, Option<usize>)) {
    for _ in 0..1000 {
        let now = (tokio::runtime::Handle::current().metrics().num_alive_tasks(), sockets());
        let open: usize = proxies.iter().map(Proxy::connections).sum();
        if open == 0 && now.0 <= before.0 && now.1 <= before.1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    panic!("{tasks} tasks and {:?} files are left, {before:?} were there before", sockets());
}
