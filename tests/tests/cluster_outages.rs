//! Three nodes under load while one after the other is stopped, hung and
//! started again: nobody who may be served by another node notices.
//!
//! Run with `--nocapture` to see how long each recovery took.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use riak_client::riak_kv::{RpbContent, RpbGetReq, RpbPutReq};
use riak_client::{CallOptions, ClientConfig, Riak};
use riak_runtime::client::Node as Place;
use riak_testkit::{Node, Store};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

const TASKS: usize = 24;

/// What a call may take: an application's own patience.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long the load may be uneven once a node is back.
const EVEN_WITHIN: Duration = Duration::from_secs(2);

/// A node's address can be stopped, hung and served again.
struct Site {
    address: SocketAddr,
    store: Store,
    node: Option<Node>,
}

impl Site {
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
        // The kernel may need a moment to let the address go.
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

/// Accepts and reads, and never answers.
async fn hang(address: SocketAddr) {
    let listener = loop {
        match TcpListener::bind(address).await {
            Ok(listener) => break listener,
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    };
    let mut hung = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        hung.spawn(swallow(socket));
    }
}

async fn swallow(mut socket: TcpStream) {
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

async fn load(riak: Riak, task: usize, counts: Arc<Counts>, over: Arc<AtomicBool>) {
    let patient = riak.with(CallOptions::new().timeout(PATIENCE));
    let key = format!("{task}");
    let mut acknowledged = 0_u64;
    let mut attempted = 0_u64;
    while !over.load(Ordering::Relaxed) {
        let found = patient.kv().get(RpbGetReq::new("b", key.as_str())).await;
        counts.gets.fetch_add(1, Ordering::Relaxed);
        match found {
            Ok(found) => {
                // Each task alone writes its key: what it reads lies between
                // what was acknowledged and what was tried.
                let values =
                    found.content.iter().map(|content| content.value.to_string_lossy().parse().unwrap());
                let newest: u64 = values.max().unwrap_or(0);
                assert!(newest >= acknowledged, "an acknowledged write is lost: {newest} < {acknowledged}");
                assert!(newest <= attempted, "nobody wrote {newest}");
                let value = RpbContent::new((attempted + 1).to_string());
                attempted += 1;
                let put = RpbPutReq {
                    key: Some(key.clone().into()),
                    vclock: found.vclock,
                    ..RpbPutReq::new("b", value)
                };
                counts.puts.fetch_add(1, Ordering::Relaxed);
                match patient.kv().put(put).await {
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

/// Waits until the load is even again, and says how long that took.
async fn even_again(riak: &Riak, what: &str) {
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
async fn outages_of_single_nodes_fail_no_call_that_may_be_repeated() {
    let store = Node::builder().build_store();
    let mut places = Vec::new();
    for _ in 0..3 {
        places.push(Site::start(&store).await);
    }
    let config = ClientConfig::new(places.iter().map(|place| Place::from(place.address)));
    let riak = Riak::connect(config).await.unwrap();
    let (counts, over) = (Arc::new(Counts::default()), Arc::new(AtomicBool::new(false)));
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        tasks.spawn(load(riak.clone(), task, Arc::clone(&counts), Arc::clone(&over)));
    }
    sleep(Duration::from_millis(200)).await;
    for (index, place) in places.iter_mut().enumerate() {
        place.stop().await;
        sleep(Duration::from_millis(400)).await;
        place.serve().await;
        even_again(&riak, &format!("node {index} stopped")).await;

        place.stop().await;
        let hung = tokio::spawn(hang(place.address));
        sleep(Duration::from_millis(1500)).await;
        hung.abort();
        let _ = hung.await;
        place.serve().await;
        even_again(&riak, &format!("node {index} hung")).await;
    }
    over.store(true, Ordering::Relaxed);
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
