//! A soak test: mixed calls over an unreliable network, some of them dropped at random. Every
//! answer belongs to its call, no acknowledged write is lost, and no write that was reported as
//! not applied is found.
//!
//! The environment variables `SOAK_CALLS` and `SOAK_SEED` set the number of calls and the seed;
//! `--nocapture` shows a summary. A million calls, an eighth of them over single connections:
//!
//! ```sh
//! SOAK_CALLS=1000000 cargo test -p riak-testkit --test soak -- --nocapture
//! ```

mod caller;
mod increments;
mod ledger;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use riak_client::riak::RpbBucketProps;
use riak_client::{ClientConfig, Connection, ConnectionConfig, Node as NodeAddress, Riak};
use riak_testkit::{Faults, Node, Proxy};
use tokio::sync::{Mutex, MutexGuard};
use tokio::task::JoinSet;

use caller::{Caller, Counts, WriteLog};
use ledger::Ledger;

const TASKS: usize = 32;

fn environment(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
}

fn calls() -> usize {
    usize::try_from(environment("SOAK_CALLS", 16_000)).unwrap()
}

/// Serialises the tests, since the sockets that are counted are those of the process.
async fn exclusive_access() -> MutexGuard<'static, ()> {
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

/// Returns the number of alive tasks, and of the process's sockets.
fn tasks_and_sockets() -> (usize, Option<usize>) {
    // Without this directory, the proxies' own count has to do.
    let sockets = std::fs::read_dir("/proc/self/fd").ok().map(|files| {
        let target = |file: std::io::Result<std::fs::DirEntry>| file.ok()?.path().read_link().ok();
        files.filter_map(target).filter(|target| target.to_string_lossy().starts_with("socket:")).count()
    });
    (tokio::runtime::Handle::current().metrics().num_alive_tasks(), sockets)
}

fn check(logs: &[WriteLog], ledger: &Ledger) {
    for log in logs {
        log.check(ledger);
    }
}

/// Nodes that share a store, each behind an unreliable network of its own.
struct TestCluster {
    proxies: Vec<Proxy>,
    ledger: Ledger,
    /// The nodes, which run until this is dropped.
    nodes: Vec<Node>,
    before: (usize, Option<usize>),
}

impl TestCluster {
    async fn start(nodes: u64, seed: u64) -> Self {
        // Without siblings, the write that arrives last wins, even one whose call was dropped long
        // before a later write was acknowledged.
        let siblings = RpbBucketProps { allow_mult: Some(true), ..RpbBucketProps::default() };
        let store = Node::builder().part_size(4).bucket_type("default", &siblings).data_types();
        let store = store.build_store();
        let ledger = Ledger::new(&store);
        let mut cluster = Self { proxies: Vec::new(), ledger, nodes: Vec::new(), before: (0, None) };
        for number in 0..nodes {
            let node = Node::builder().store(store.clone()).with_service(cluster.ledger.clone());
            let node = node.start().await.unwrap();
            let proxy = Proxy::start(node.addr(), seed + number).await.unwrap();
            proxy.set_faults(faults());
            cluster.proxies.push(proxy);
            cluster.nodes.push(node);
        }
        cluster.before = tasks_and_sockets();
        cluster
    }

    /// Waits until there are no more tasks and sockets than at the start.
    async fn wait_until_closed(&self) {
        let begun = Instant::now();
        loop {
            let left = tasks_and_sockets();
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

    /// Prints a summary, and asserts that at least this percentage of calls was answered.
    fn report(&self, counts: &Counts, begun: Instant, answered: usize) {
        let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        let faults: usize = self.proxies.iter().map(Proxy::faults).sum();
        println!(
            "{} calls in {:.0?}: {} answered, {} failed, {} dropped; of the writes {} uncertain, \
             {} certainly not applied; {faults} faults",
            count(&counts.calls),
            begun.elapsed(),
            count(&counts.answered),
            count(&counts.failed),
            count(&counts.dropped),
            count(&counts.uncertain),
            count(&counts.not_applied),
        );
        assert!(faults > 0 && count(&counts.dropped) > 0, "nothing was put to the test");
        assert!(
            count(&counts.answered) * 100 > count(&counts.calls) * answered,
            "hardly anything was answered"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_client_is_consistent_over_an_unreliable_network() {
    let _guard = exclusive_access().await;
    let (seed, begun) = (environment("SOAK_SEED", 1), Instant::now());
    let cluster = TestCluster::start(3, seed).await;
    let config = ClientConfig::new(cluster.proxies.iter().map(|proxy| NodeAddress::from(proxy.addr())));
    let riak = Riak::lazy(config).unwrap();
    let counts = Arc::new(Counts::default());
    let mut tasks = JoinSet::new();
    let bucket = "b";
    for number in 0..TASKS {
        let caller =
            Caller::new(riak.clone(), Arc::clone(&counts), bucket, number, seed * 1000 + number as u64);
        tasks.spawn(caller.run(calls() / 8 * 7 / TASKS, || false));
    }
    let logs = tasks.join_all().await;
    let stats = riak.stats();
    cluster.report(&counts, begun, 75);
    println!("{} repeats", stats.repeats);
    for node in &stats.nodes {
        assert_eq!((node.in_flight, node.pool.in_flight, node.pool.waiting, node.pool.streams), (0, 0, 0, 0));
    }
    drop(riak);
    cluster.wait_until_closed().await;
    check(&logs, &cluster.ledger);
}

/// All calls share one connection, and no pool opens another: a stream or a long call delays the
/// others, and a fault that closes the connection fails them all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_is_consistent_until_it_closes() {
    let _guard = exclusive_access().await;
    let (seed, begun) = (environment("SOAK_SEED", 1), Instant::now());
    let cluster = TestCluster::start(1, seed).await;
    let counts = Arc::new(Counts::default());
    let (mut number, mut logs) = (0, Vec::new());
    let config = ConnectionConfig::new().max_in_flight(8);
    while counts.calls.load(Ordering::Relaxed) < calls() / 8 {
        let connection = Connection::connect_with(cluster.proxies[0].addr(), config.clone()).await;
        let Ok(connection) = connection else { continue };
        let mut tasks = JoinSet::new();
        let bucket = &format!("b{number}");
        for _ in 0..TASKS {
            // Each connection uses new keys: what its callers know does not outlive it.
            number += 1;
            let riak = Riak::over(connection.clone());
            let caller = Caller::new(riak, Arc::clone(&counts), bucket, number, seed * 1000 + number as u64);
            let connection = connection.clone();
            tasks.spawn(caller.run(50, move || connection.closed().is_some()));
        }
        logs.extend(tasks.join_all().await);
    }
    cluster.report(&counts, begun, 10);
    cluster.wait_until_closed().await;
    check(&logs, &cluster.ledger);
}
