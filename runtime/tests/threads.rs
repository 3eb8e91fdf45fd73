//! Calls from many threads to a misbehaving server, some of them dropped at any time: each
//! call ends in time, none gets another's answer, and nothing is left behind.
//!
//! `THREADS_MILLIS` sets the duration of each load.
#![cfg(all(feature = "client", feature = "server"))]

mod echo;
mod faulty_server;
mod load;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use faulty_server::{FaultyServer, Random};
use load::{Outcomes, any_call, ms, run_load};
use riak_runtime::client::{
    Call, CallExt, Cluster, ClusterConfig, Connecting, Connection, ConnectionConfig, Connector, Node, Pool,
    PoolConfig, TcpConnector,
};

fn load_duration() -> Duration {
    let millis = std::env::var("THREADS_MILLIS").ok().and_then(|text| text.parse().ok());
    Duration::from_millis(millis.unwrap_or(300))
}

fn on_threads<F: Future>(threads: usize, test: F) -> F::Output {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build().unwrap();
    let result = runtime.block_on(test);
    runtime.shutdown_timeout(Duration::from_secs(5));
    result
}

fn set_faults(server: &FaultyServer, chance: u32) {
    server.faults.refuse.store(chance * 5, Ordering::Relaxed);
    server.faults.cut.store(chance, Ordering::Relaxed);
    server.faults.stall.store(chance, Ordering::Relaxed);
    server.faults.slow.store(chance * 3, Ordering::Relaxed);
}

fn tiny() -> ConnectionConfig {
    ConnectionConfig::new()
        .max_in_flight(1)
        .max_queued(2)
        .max_owed(1)
        .stream_buffer(1)
        .connect_timeout(Duration::from_secs(1))
        .call_timeout(Some(ms(300)))
        .stream_idle_timeout(Some(ms(300)))
}

fn pool(address: SocketAddr, connections: ConnectionConfig, config: PoolConfig) -> Pool {
    Pool::new(Node::from(address), Arc::new(TcpConnector::new(connections)), config)
}

#[test]
fn a_connection_serves_many_threads() {
    for (threads, config) in [(2, tiny()), (4, ConnectionConfig::new()), (8, tiny().max_in_flight(8))] {
        on_threads(threads, async {
            let (address, server) = faulty_server::start();
            set_faults(&server, 0);
            server.faults.slow.store(10, Ordering::Relaxed);
            let outcomes = Arc::default();
            let begun = Instant::now();
            while begun.elapsed() < load_duration() {
                let connection = Connection::connect_with(address, config.clone()).await.unwrap();
                let until = Instant::now() + load_duration();
                let random = Arc::new(Random::default());
                let mut callers = tokio::task::JoinSet::new();
                for _ in 0..20 {
                    let (call, random, outcomes) =
                        (connection.clone(), Arc::clone(&random), Arc::clone(&outcomes));
                    callers.spawn(async move {
                        while call.closed().is_none() && Instant::now() < until {
                            any_call(call.clone(), &random, &outcomes).await;
                            tokio::task::yield_now().await;
                        }
                    });
                }
                callers.join_all().await;
                tokio::time::timeout(Duration::from_secs(5), async {
                    while connection.closed().is_none() && connection.in_flight() + connection.waiting() > 0 {
                        tokio::task::yield_now().await;
                    }
                })
                .await
                .unwrap();
                drop(connection);
            }
            server.wait_until_closed().await;
            eprintln!(
                "{threads} threads: {outcomes:?} over {} connections",
                server.accepted.load(Ordering::Relaxed)
            );
        });
    }
}

async fn load_pool(config: PoolConfig, connections: ConnectionConfig, chance: u32) {
    let (address, server) = faulty_server::start();
    set_faults(&server, chance);
    let pool = pool(address, connections, config.clone());
    let outcomes = Arc::default();
    let stop = Arc::new(AtomicBool::new(false));
    let watcher = std::thread::spawn({
        let (pool, stop) = (pool.clone(), Arc::clone(&stop));
        move || {
            while !stop.load(Ordering::Relaxed) {
                let stats = pool.stats();
                assert!(stats.connections <= config.max_connections, "{stats:?}");
                assert!(stats.streams <= config.max_streams, "{stats:?}");
                assert!(stats.in_flight < 10_000 && stats.waiting < 10_000, "{stats:?}");
                std::thread::sleep(Duration::from_micros(50));
            }
        }
    });
    run_load(&pool, 30, load_duration(), &outcomes).await;
    stop.store(true, Ordering::Relaxed);
    watcher.join().unwrap();
    // Other threads drop the streams, so this may take a moment.
    let (mut stats, begun) = (pool.stats(), Instant::now());
    while (stats.in_flight, stats.streams, stats.waiting) != (0, 0, 0) {
        assert!(begun.elapsed() < Duration::from_secs(5), "calls are left: {stats:?}");
        tokio::time::sleep(ms(2)).await;
        stats = pool.stats();
    }
    tokio::time::timeout(Duration::from_secs(5), pool.close()).await.expect("nothing is in flight");
    server.wait_until_closed().await;
    eprintln!("{outcomes:?}: {stats:?}");
}

#[test]
fn a_pool_serves_many_threads() {
    let tiny_pool =
        PoolConfig::new().max_connections(1).max_streams(1).target_in_flight(1).wait_timeout(ms(200));
    for threads in [2, 4, 8] {
        on_threads(threads, async {
            load_pool(tiny_pool.clone(), tiny(), 0).await;
            load_pool(tiny_pool.clone().max_streams(2).max_waiting(1), tiny(), 10).await;
            let few = PoolConfig::new().max_connections(3).max_streams(3).target_in_flight(1);
            load_pool(few, tiny().max_in_flight(4).max_queued(100), 20).await;
        });
    }
}

/// Closes the client while calls are being made.
async fn close_under_load<C, F>(
    call: C,
    server: &FaultyServer,
    random: &Arc<Random>,
    close: impl FnOnce(C) -> F,
) where
    C: Call + Clone + Send + Sync + 'static,
    F: Future<Output = ()>,
{
    let stop = Arc::new(AtomicBool::new(false));
    let outcomes = Arc::new(Outcomes::default());
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (call, random, outcomes, stop) =
            (call.clone(), Arc::clone(random), Arc::clone(&outcomes), Arc::clone(&stop));
        callers.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                any_call(call.clone(), &random, &outcomes).await;
                tokio::task::yield_now().await;
            }
        });
    }
    // The delay varies from round to round.
    tokio::time::sleep(Duration::from_micros(u64::from(random.below(8)) * 300)).await;
    tokio::time::timeout(Duration::from_secs(5), close(call.clone())).await.expect("all calls end");
    server.wait_until_closed().await;
    tokio::time::sleep(ms(10)).await;
    stop.store(true, Ordering::Relaxed);
    while let Some(result) = callers.join_next().await {
        result.unwrap();
    }
    server.wait_until_closed().await;
}

#[test]
fn a_closed_client_stays_closed_while_calls_continue() {
    for threads in [2, 4] {
        on_threads(threads, async {
            let (address, server) = faulty_server::start();
            let begun = Instant::now();
            let (random, mut rounds) = (Arc::default(), 0);
            while begun.elapsed() < load_duration() {
                let config = PoolConfig::new().target_in_flight(1).max_connections(8).min_connections(4);
                let pool = pool(address, tiny().max_queued(1000), config.clone());
                close_under_load(pool.clone(), &server, &random, |pool| async move { pool.close().await })
                    .await;
                let connector = Arc::new(TcpConnector::new(tiny().max_queued(1000)));
                let config = ClusterConfig::new().pool(config);
                let cluster = Cluster::new([Node::from(address)], connector, config);
                close_under_load(cluster.clone(), &server, &random, |cluster| async move {
                    cluster.close().await;
                })
                .await;
                drop((pool, cluster));
                rounds += 1;
            }
            eprintln!("closed {rounds} times");
        });
    }
}

/// A connector that blocks in the poll that has established the connection, until the test
/// releases it.
#[derive(Debug, Default)]
struct BlockingConnector {
    connected: AtomicBool,
    released: AtomicBool,
}

impl Connector for BlockingConnector {
    fn connect<'a>(&'a self, node: &'a Node) -> Connecting<'a> {
        Box::pin(async move {
            let connection = TcpConnector::default().connect(node).await;
            self.connected.store(true, Ordering::SeqCst);
            while !self.released.load(Ordering::SeqCst) {
                std::thread::sleep(ms(1));
            }
            connection
        })
    }
}

#[test]
fn a_connection_established_while_its_pool_closes_is_closed() {
    on_threads(2, async {
        let (address, server) = faulty_server::start();
        let connector = Arc::new(BlockingConnector::default());
        let pool = Pool::new(Node::from(address), Arc::clone(&connector) as _, PoolConfig::new());
        let call = tokio::spawn({
            let pool = pool.clone();
            async move { pool.call(&echo::echo("a")).await }
        });
        // This polls without a timer, because the blocked thread may be the one that drives
        // the timers.
        while !connector.connected.load(Ordering::SeqCst) {
            std::thread::sleep(ms(1));
        }
        pool.close().await;
        connector.released.store(true, Ordering::SeqCst);
        assert!(call.await.unwrap().is_err());
        server.wait_until_closed().await;
        assert_eq!(pool.stats().connections, 0);
    });
}
