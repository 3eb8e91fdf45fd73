//! Three nodes under load, each of which is stopped, hung and started again in turn. No call
//! that another node can serve fails.
//!
//! Run with `--nocapture` to see how long each recovery took.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use riak_client::riak_kv::{RpbContent, RpbGetReq, RpbPutReq};
use riak_client::{CallOptions, ClientConfig, Riak};
use riak_runtime::client::Node as NodeAddress;
use riak_testkit::{Node, Store};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

const TASKS: usize = 24;

/// The deadline of each call.
const DEADLINE: Duration = Duration::from_secs(2);

/// The time within which the load must be even again once a node is back: many times what it
/// takes, since the machine may be busy.
const EVEN_WITHIN: Duration = Duration::from_secs(30);

/// The address of a node that can be stopped, hung and started again.
struct RestartableNode {
    address: SocketAddr,
    store: Store,
    node: Option<Node>,
}

impl RestartableNode {
    async fn start(store: &Store) -> Self {
        let node = Node::builder().store(store.clone()).start().await.unwrap();
        Self { address: node.addr(), store: store.clone(), node: Some(node) }
    }

    async fn stop(&mut self) {
        if let Some(node) = self.node.take() {
            node.shutdown().await;
        }
    }

    async fn serve(&mut self) {
        // The kernel may need a moment to release the address.
        for _ in 0..200 {
            match Node::builder().store(self.store.clone()).bind(self.address).start().await {
                Ok(node) => {
                    self.node = Some(node);
                    return;
                }
                Err(_) => sleep(Duration::from_millis(10)).await,
            }
        }
        panic!("{} is not to be had again", self.address);
    }
}

/// Accepts connections and reads from them, but never answers.
async fn hang(address: SocketAddr) {
    let listener = loop {
        match TcpListener::bind(address).await {
            Ok(listener) => break listener,
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    };
    let mut hung = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        hung.spawn(read_forever(socket));
    }
}

async fn read_forever(mut socket: TcpStream) {
    let mut buffer = vec![0; 4096];
    while socket.read(&mut buffer).await.is_ok_and(|count| count != 0) {}
}

#[derive(Default)]
struct Counts {
    gets: AtomicUsize,
    failed_gets: AtomicUsize,
    puts: AtomicUsize,
    uncertain_puts: AtomicUsize,
    refused_puts: AtomicUsize,
}

async fn load(riak: Riak, task: usize, counts: Arc<Counts>, stop: Arc<AtomicBool>) {
    let bounded = riak.with(CallOptions::new().timeout(DEADLINE));
    let key = format!("{task}");
    let mut acknowledged = 0_u64;
    let mut attempted = 0_u64;
    while !stop.load(Ordering::Relaxed) {
        let found = bounded.kv().get(RpbGetReq::new("b", key.as_str())).await;
        counts.gets.fetch_add(1, Ordering::Relaxed);
        match found {
            Ok(found) => {
                // A single task writes each key, so a read finds a value between the last
                // acknowledged write and the last attempted one.
                let values =
                    found.content.iter().map(|content| content.value.to_string_lossy().parse().unwrap());
                let newest: u64 = values.max().unwrap_or(0);
                assert!(newest >= acknowledged, "an acknowledged write is lost: {newest} < {acknowledged}");
                assert!(newest <= attempted, "{newest} was never written");
                let value = RpbContent::new((attempted + 1).to_string());
                attempted += 1;
                let put = RpbPutReq {
                    key: Some(key.clone().into()),
                    vclock: found.vclock,
                    ..RpbPutReq::new("b", value)
                };
                counts.puts.fetch_add(1, Ordering::Relaxed);
                match bounded.kv().put(put).await {
                    Ok(_) => acknowledged = attempted,
                    Err(error) if error.may_have_been_applied() => {
                        counts.uncertain_puts.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(_) => {
                        counts.refused_puts.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
            Err(error) => {
                println!("a get failed: {error}");
                counts.failed_gets.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

fn calls(riak: &Riak) -> Vec<u64> {
    riak.stats().nodes.iter().map(|node| node.calls).collect()
}

/// Waits until the load is even again, and prints how long that took.
async fn wait_until_even(riak: &Riak, what: &str) {
    let begun = Instant::now();
    loop {
        let before = calls(riak);
        sleep(Duration::from_millis(100)).await;
        let calls: Vec<u64> = calls(riak).iter().zip(before).map(|(after, before)| after - before).collect();
        let mean = calls.iter().sum::<u64>() / 3;
        if mean > 0 && calls.iter().all(|&calls| calls > mean / 2) {
            println!("{what}: even again {:?} after it is back", begun.elapsed());
            break;
        }
        assert!(begun.elapsed() < EVEN_WITHIN, "{what}: {calls:?} {:?}", riak.stats());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn single_node_outages_fail_no_repeatable_call() {
    let store = Node::builder().build_store();
    let mut servers = Vec::new();
    for _ in 0..3 {
        servers.push(RestartableNode::start(&store).await);
    }
    let config = ClientConfig::new(servers.iter().map(|server| NodeAddress::from(server.address)));
    let riak = Riak::connect(config).await.unwrap();
    let (counts, stop) = (Arc::new(Counts::default()), Arc::new(AtomicBool::new(false)));
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        tasks.spawn(load(riak.clone(), task, Arc::clone(&counts), Arc::clone(&stop)));
    }
    sleep(Duration::from_millis(200)).await;
    for (index, server) in servers.iter_mut().enumerate() {
        server.stop().await;
        sleep(Duration::from_millis(400)).await;
        server.serve().await;
        wait_until_even(&riak, &format!("node {index} stopped")).await;

        server.stop().await;
        let hung = tokio::spawn(hang(server.address));
        sleep(Duration::from_millis(1500)).await;
        hung.abort();
        let _ = hung.await;
        server.serve().await;
        wait_until_even(&riak, &format!("node {index} hung")).await;
    }
    stop.store(true, Ordering::Relaxed);
    while let Some(result) = tasks.join_next().await {
        result.unwrap();
    }
    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    println!(
        "{} gets, {} failed; {} puts, {} uncertain, {} refused; {} repeats",
        count(&counts.gets),
        count(&counts.failed_gets),
        count(&counts.puts),
        count(&counts.uncertain_puts),
        count(&counts.refused_puts),
        riak.stats().repeats,
    );
    assert_eq!(count(&counts.failed_gets), 0);
    assert!(count(&counts.puts) > 1000);
    for node in riak.stats().nodes {
        assert_eq!((node.in_flight, node.pool.in_flight), (0, 0), "{node:?}");
    }
}
