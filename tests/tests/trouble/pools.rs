//! Pools in the same trouble: connections that died, that cannot be had, or that
//! somebody still uses; runtimes that end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use riak_client::Riak;
use riak_runtime::client::{
    Cluster, ClusterConfig, Connecting, ConnectionError, Connector, Node, Pool, PoolConfig, TcpConnector,
};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::site::site;
use super::{get, keys, ms};

fn pool(node: Node, config: PoolConfig) -> Pool {
    Pool::new(node, Arc::new(TcpConnector::default()), config)
}

/// Calls so often at once, and waits for all.
async fn together<C: riak_client::Call + Clone + 'static>(call: &C, count: usize) {
    let mut calls = JoinSet::new();
    for _ in 0..count {
        let riak = Riak::over(call.clone());
        calls.spawn(async move { riak.kv().get(get()).await.map(drop) });
    }
    for result in calls.join_all().await {
        result.unwrap();
    }
}

#[tokio::test]
async fn connections_that_died_while_nobody_looked_cost_no_call() {
    let (node, conduct) = site().await;
    let pool = pool(node, PoolConfig::new().target_in_flight(1));
    conduct.delay(20);
    while pool.stats().connections < 16 {
        together(&pool, 64).await;
    }
    conduct.cut.notify_waiters();
    while conduct.open.load(Ordering::SeqCst) > 0 {
        sleep(ms(2)).await;
    }
    together(&pool, 1).await;
}

/// Lets one connection be made.
#[derive(Debug, Default)]
struct OnlyOne(AtomicUsize);

impl Connector for OnlyOne {
    fn connect<'a>(&'a self, node: &'a Node) -> Connecting<'a> {
        if self.0.fetch_add(1, Ordering::SeqCst) == 0 {
            return Box::pin(async { TcpConnector::default().connect(node).await });
        }
        Box::pin(async { Err(std::io::Error::from(std::io::ErrorKind::ConnectionRefused).into()) })
    }
}

#[tokio::test]
async fn connections_that_cannot_be_had_are_asked_for_now_and_then() {
    let (node, _) = site().await;
    let one = Arc::new(OnlyOne::default());
    let pool = Pool::new(node, Arc::clone(&one) as _, PoolConfig::new().target_in_flight(1));
    for _ in 0..20 {
        together(&pool, 50).await;
    }
    // As many at once as a pool may have, and once a second.
    assert!(one.0.load(Ordering::SeqCst) < 100, "{one:?}");
}

#[tokio::test]
async fn a_burst_may_wait_for_the_first_connection() {
    let (node, _) = site().await;
    together(&pool(node, PoolConfig::new().max_waiting(1)), 5000).await;
}

#[tokio::test]
async fn closing_waits_for_calls_on_connections_that_had_their_time() {
    let (node, conduct) = site().await;
    conduct.delay(2500);
    let pool = pool(node, PoolConfig::new().min_connections(0).max_lifetime(Some(ms(100))));
    let riak = Riak::over(pool.clone());
    let call = tokio::spawn(async move { riak.kv().get(get()).await.map(drop) });
    while pool.stats().connects == 0 || pool.stats().connections > 0 {
        sleep(ms(10)).await;
    }
    pool.close().await;
    sleep(ms(20)).await;
    assert!(call.is_finished());
    call.await.unwrap().unwrap();
}

#[tokio::test]
async fn connections_of_streams_are_closed_when_idle_and_when_old() {
    let (node, conduct) = site().await;
    let config = PoolConfig::new().min_connections(0);
    for config in [config.clone().idle_timeout(Some(ms(100))), config.max_lifetime(Some(ms(100)))] {
        let riak = Riak::over(pool(node.clone(), config));
        riak.kv().list_keys(keys()).await.unwrap().all().await.unwrap();
        while conduct.open.load(Ordering::SeqCst) > 0 {
            sleep(ms(20)).await;
        }
    }
}

#[tokio::test]
async fn times_without_end_are_no_fault() {
    let (node, _) = site().await;
    let long = Duration::MAX;
    let config = PoolConfig::new().max_lifetime(Some(long)).wait_timeout(long).idle_timeout(Some(long));
    together(&pool(node, config.max_streams(usize::MAX)), 3).await;
}

/// A task that still runs while its runtime ends cannot spawn what connects.
#[test]
fn a_call_in_a_runtime_that_ends_does_not_hang() {
    let (sender, over) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.spawn(async {
            std::thread::sleep(ms(200));
            let riak = Riak::over(pool(Node::new("127.0.0.1", 1), PoolConfig::new()));
            let _ = riak.kv().get(get()).await;
        });
        std::thread::sleep(ms(50));
        drop(runtime);
        sender.send(()).unwrap();
    });
    over.recv_timeout(Duration::from_secs(20)).expect("the runtime ends");
}

/// Never connects.
#[derive(Debug)]
struct Hangs;

impl Connector for Hangs {
    fn connect<'a>(&'a self, _: &'a Node) -> Connecting<'a> {
        Box::pin(std::future::pending())
    }
}

/// Nor does one that waits for a first connection panic.
#[test]
fn connecting_in_a_runtime_that_ends_is_an_error() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let handle = runtime.handle().clone();
    let connecting = std::thread::spawn(move || {
        let cluster = Cluster::new([Node::new("a", 1)], Arc::new(Hangs), ClusterConfig::new());
        handle.block_on(cluster.connect())
    });
    std::thread::sleep(ms(200));
    runtime.shutdown_background();
    let error = connecting.join().unwrap().unwrap_err();
    assert!(matches!(error.connection_error(), Some(ConnectionError::Stopped)), "{error:?}");
}
