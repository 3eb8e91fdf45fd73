//! Mixed calls over a network that misbehaves, given up at random: every answer
//! belongs to its call, no acknowledged write is lost, and nothing that was
//! reported as not applied is.
//!
//! `SOAK_CALLS` and `SOAK_SEED` in the environment make it longer, or another
//! one; `--nocapture` shows what has happened. A million calls, of which an
//! eighth over single connections:
//!
//! ```sh
//! SOAK_CALLS=1000000 cargo test -p riak-testkit --test soak -- --nocapture
//! ```

mod caller;
mod ledger;
mod tally;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use riak_client::riak::RpbBucketProps;
use riak_client::{ClientConfig, Connection, ConnectionConfig, Node as Place, Riak};
use riak_testkit::{Faults, Node, Proxy};
use tokio::sync::{Mutex, MutexGuard};
use tokio::task::JoinSet;

use caller::{Caller, Counts, Told};
use ledger::Ledger;

const TASKS: usize = 32;

fn environment(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
}

fn calls() -> usize {
    usize::try_from(environment("SOAK_CALLS", 16_000)).unwrap()
}

/// One at a time: the sockets that are counted are those of the process.
async fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::const_new(());
    ONE.lock().await
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

/// Tasks, and sockets of the process.
fn alive() -> (usize, Option<usize>) {
    // Where there is no such directory, the proxies' own count has to do.
    let sockets = std::fs::read_dir("/proc/self/fd").ok().map(|files| {
        let target = |file: std::io::Result<std::fs::DirEntry>| file.ok()?.path().read_link().ok();
        files.filter_map(target).filter(|target| target.to_string_lossy().starts_with("socket:")).count()
    });
    (tokio::runtime::Handle::current().metrics().num_alive_tasks(), sockets)
}

fn check(told: &[Told], ledger: &Ledger) {
    for told in told {
        told.check(ledger);
    }
}

/// Nodes that share what they store, each behind a network of its own.
struct Site {
    proxies: Vec<Proxy>,
    ledger: Ledger,
    /// They last as long as this.
    nodes: Vec<Node>,
    before: (usize, Option<usize>),
}

impl Site {
    async fn start(nodes: u64, seed: u64) -> Self {
        // Without siblings the write that comes last wins, though it was given up
        // long before one that was acknowledged.
        let siblings = RpbBucketProps { allow_mult: Some(true), ..RpbBucketProps::default() };
        let store = Node::builder().part_size(4).bucket_type("default", &siblings).data_types();
        let store = store.build_store();
        let ledger = Ledger::new(&store);
        let mut site = Self { proxies: Vec::new(), ledger, nodes: Vec::new(), before: (0, None) };
        for number in 0..nodes {
            let node = Node::builder().store(store.clone()).with_service(site.ledger.clone());
            let node = node.start().await.unwrap();
            let proxy = Proxy::start(node.addr(), seed + number).await.unwrap();
            proxy.set_faults(faults());
            site.proxies.push(proxy);
            site.nodes.push(node);
        }
        site.before = alive();
        site
    }

    /// Waits until tasks and sockets are as many as before.
    async fn nothing_is_left(&self) {
        let begun = Instant::now();
        loop {
            let left = alive();
            let open: usize = self.proxies.iter().map(Proxy::connections).sum();
            if open == 0 && left.0 <= self.before.0 && left.1 <= self.before.1 {
                println!(
                    "{} tasks and {:?} sockets before, {} and {:?} after",
                    self.before.0, self.before.1, left.0, left.1
                );
                return;
            }
            let waited = begun.elapsed();
            assert!(waited.as_secs() < 60, "{open} connections, {left:?} left, {:?} before", self.before);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Says what has happened. At least so many of a hundred calls were answered.
    fn report(&self, counts: &Counts, begun: Instant, answered: usize) {
        let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        let faults: usize = self.proxies.iter().map(Proxy::faults).sum();
        println!(
            "{} calls in {:.0?}: {} answered, {} failed, {} dropped; of the writes {} uncertain, \
             {} certainly not applied; {faults} faults",
            count(&counts.calls),
            begun.elapsed(),
            count(&counts.good),
            count(&counts.failed),
            count(&counts.dropped),
            count(&counts.uncertain),
            count(&counts.not_applied),
        );
        assert!(faults > 0 && count(&counts.dropped) > 0, "nothing was put to the test");
        assert!(count(&counts.good) * 100 > count(&counts.calls) * answered, "hardly anything was answered");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_keeps_its_word_over_a_bad_network() {
    let _alone = alone().await;
    let (seed, begun) = (environment("SOAK_SEED", 1), Instant::now());
    let site = Site::start(3, seed).await;
    let config = ClientConfig::new(site.proxies.iter().map(|proxy| Place::from(proxy.addr())));
    let riak = Riak::lazy(config).unwrap();
    let counts = Arc::new(Counts::default());
    let mut tasks = JoinSet::new();
    let bucket = "b";
    for number in 0..TASKS {
        let caller =
            Caller::new(riak.clone(), Arc::clone(&counts), bucket, number, seed * 1000 + number as u64);
        tasks.spawn(caller.run(calls() / 8 * 7 / TASKS, || false));
    }
    let told = tasks.join_all().await;
    let stats = riak.stats();
    site.report(&counts, begun, 75);
    println!("{} repeats", stats.repeats);
    for node in &stats.nodes {
        assert_eq!((node.in_flight, node.pool.in_flight, node.pool.waiting, node.pool.streams), (0, 0, 0, 0));
    }
    drop(riak);
    site.nothing_is_left().await;
    check(&told, &site.ledger);
}

/// On one connection, without a pool that would make another: a stream or a long
/// call holds the others up, and what breaks it ends them all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_keeps_its_word_until_it_breaks() {
    let _alone = alone().await;
    let (seed, begun) = (environment("SOAK_SEED", 1), Instant::now());
    let site = Site::start(1, seed).await;
    let counts = Arc::new(Counts::default());
    let (mut number, mut told) = (0, Vec::new());
    let config = ConnectionConfig::new().max_in_flight(8);
    while counts.calls.load(Ordering::Relaxed) < calls() / 8 {
        let connection = Connection::connect_with(site.proxies[0].addr(), config.clone()).await;
        let Ok(connection) = connection else { continue };
        let mut tasks = JoinSet::new();
        let bucket = &format!("b{number}");
        for _ in 0..TASKS {
            // Keys are of a connection: what is known of them does not outlive it.
            number += 1;
            let riak = Riak::over(connection.clone());
            let caller = Caller::new(riak, Arc::clone(&counts), bucket, number, seed * 1000 + number as u64);
            let connection = connection.clone();
            tasks.spawn(caller.run(50, move || connection.closed().is_some()));
        }
        told.extend(tasks.join_all().await);
    }
    site.report(&counts, begun, 10);
    site.nothing_is_left().await;
    check(&told, &site.ledger);
}
