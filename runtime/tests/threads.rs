//! Calls from many threads at once, over a server that misbehaves, given up at any
//! time: each ends in time, nobody gets another's answer, and nothing is left.
//!
//! `THREADS_MILLIS` says how long each storm lasts.
#![cfg(all(feature = "client", feature = "server"))]

mod echo;
mod site;
mod storm;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use riak_runtime::client::{
    Call, CallExt, Cluster, ClusterConfig, Connecting, Connection, ConnectionConfig, Connector, Node, Pool,
    PoolConfig, TcpConnector,
};
use site::{Random, Site, site};
use storm::{Seen, any_call, ms, storm};

fn storm_length() -> Duration {
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

fn misbehave(site: &Site, chance: u32) {
    site.faults.refuse.store(chance * 5, Ordering::Relaxed);
    site.faults.cut.store(chance, Ordering::Relaxed);
    site.faults.stall.store(chance, Ordering::Relaxed);
    site.faults.slow.store(chance * 3, Ordering::Relaxed);
}

fn tiny() -> ConnectionConfig {
    ConnectionConfig::new()
        .max_in_flight(1)
        .max_waiting(2)
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
            let (address, site) = site();
            misbehave(&site, 0);
            site.faults.slow.store(10, Ordering::Relaxed);
            let seen = Arc::default();
            let begun = Instant::now();
            while begun.elapsed() < storm_length() {
                let connection = Connection::connect_with(address, config.clone()).await.unwrap();
                let until = Instant::now() + storm_length();
                let random = Arc::new(Random::default());
                let mut callers = tokio::task::JoinSet::new();
                for _ in 0..20 {
                    let (call, random, seen) = (connection.clone(), Arc::clone(&random), Arc::clone(&seen));
                    callers.spawn(async move {
                        while call.closed().is_none() && Instant::now() < until {
                            any_call(call.clone(), &random, &seen).await;
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
            site.is_left().await;
            eprintln!(
                "{threads} threads: {seen:?} over {} connections",
                site.accepted.load(Ordering::Relaxed)
            );
        });
    }
}

async fn pool_storm(config: PoolConfig, connections: ConnectionConfig, chance: u32) {
    let (address, site) = site();
    misbehave(&site, chance);
    let pool = pool(address, connections, config.clone());
    let seen = Arc::default();
    let over = Arc::new(AtomicBool::new(false));
    let watch = std::thread::spawn({
        let (pool, over) = (pool.clone(), Arc::clone(&over));
        move || {
            while !over.load(Ordering::Relaxed) {
                let stats = pool.stats();
                assert!(stats.connections <= config.max_connections, "{stats:?}");
                assert!(stats.streams <= config.max_streams, "{stats:?}");
                assert!(stats.in_flight < 10_000 && stats.waiting < 10_000, "{stats:?}");
                std::thread::sleep(Duration::from_micros(50));
            }
        }
    });
    storm(&pool, 30, storm_length(), &seen).await;
    over.store(true, Ordering::Relaxed);
    watch.join().unwrap();
    // Streams are dropped by other threads.
    let (mut stats, begun) = (pool.stats(), Instant::now());
    while (stats.in_flight, stats.streams, stats.waiting) != (0, 0, 0) {
        assert!(begun.elapsed() < Duration::from_secs(5), "calls are left: {stats:?}");
        tokio::time::sleep(ms(2)).await;
        stats = pool.stats();
    }
    tokio::time::timeout(Duration::from_secs(5), pool.close()).await.expect("nothing is in flight");
    site.is_left().await;
    eprintln!("{seen:?}: {stats:?}");
}

#[test]
fn a_pool_serves_many_threads() {
    let tiny_pool =
        PoolConfig::new().max_connections(1).max_streams(1).target_in_flight(1).wait_timeout(ms(200));
    for threads in [2, 4, 8] {
        on_threads(threads, async {
            pool_storm(tiny_pool.clone(), tiny(), 0).await;
            pool_storm(tiny_pool.clone().max_streams(2).max_waiting(1), tiny(), 10).await;
            let few = PoolConfig::new().max_connections(3).max_streams(3).target_in_flight(1);
            pool_storm(few, tiny().max_in_flight(4).max_waiting(100), 20).await;
        });
    }
}

/// Closes what is called, while calls go on.
async fn closing<C, F>(call: C, site: &Site, random: &Arc<Random>, close: impl FnOnce(C) -> F)
where
    C: Call + Clone + Send + Sync + 'static,
    F: Future<Output = ()>,
{
    let over = Arc::new(AtomicBool::new(false));
    let seen = Arc::new(Seen::default());
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (call, random, seen, over) =
            (call.clone(), Arc::clone(random), Arc::clone(&seen), Arc::clone(&over));
        callers.spawn(async move {
            while !over.load(Ordering::Relaxed) {
                any_call(call.clone(), &random, &seen).await;
                tokio::task::yield_now().await;
            }
        });
    }
    // After a while that is another one each time.
    tokio::time::sleep(Duration::from_micros(u64::from(random.below(8)) * 300)).await;
    tokio::time::timeout(Duration::from_secs(5), close(call.clone())).await.expect("all calls end");
    site.is_left().await;
    tokio::time::sleep(ms(10)).await;
    over.store(true, Ordering::Relaxed);
    while let Some(result) = callers.join_next().await {
        result.unwrap();
    }
    site.is_left().await;
}

#[test]
fn what_is_closed_stays_closed_whoever_goes_on_calling() {
    for threads in [2, 4] {
        on_threads(threads, async {
            let (address, site) = site();
            let begun = Instant::now();
            let (random, mut rounds) = (Arc::default(), 0);
            while begun.elapsed() < storm_length() {
                let config = PoolConfig::new().target_in_flight(1).max_connections(8).min_connections(4);
                let pool = pool(address, tiny().max_waiting(1000), config.clone());
                closing(pool.clone(), &site, &random, |pool| async move { pool.close().await }).await;
                let connector = Arc::new(TcpConnector::new(tiny().max_waiting(1000)));
                let config = ClusterConfig::new().pool(config);
                let cluster = Cluster::new([Node::from(address)], connector, config);
                closing(cluster.clone(), &site, &random, |cluster| async move { cluster.close().await })
                    .await;
                drop((pool, cluster));
                rounds += 1;
            }
            eprintln!("closed {rounds} times");
        });
    }
}

/// Makes connections, and is not done with the poll in which they are there before
/// somebody says so.
#[derive(Debug, Default)]
struct Lingers {
    is_there: AtomicBool,
    goes_on: AtomicBool,
}

impl Connector for Lingers {
    fn connect<'a>(&'a self, node: &'a Node) -> Connecting<'a> {
        Box::pin(async move {
            let connection = TcpConnector::default().connect(node).await;
            self.is_there.store(true, Ordering::SeqCst);
            while !self.goes_on.load(Ordering::SeqCst) {
                std::thread::sleep(ms(1));
            }
            connection
        })
    }
}

#[test]
fn a_connection_that_is_there_while_its_pool_closes_is_closed() {
    on_threads(2, async {
        let (address, site) = site();
        let lingers = Arc::new(Lingers::default());
        let pool = Pool::new(Node::from(address), Arc::clone(&lingers) as _, PoolConfig::new());
        let call = tokio::spawn({
            let pool = pool.clone();
            async move { pool.call(&echo::echo("a")).await }
        });
        // Not by a timer: the thread that lingers may be the one that sees to them.
        while !lingers.is_there.load(Ordering::SeqCst) {
            std::thread::sleep(ms(1));
        }
        pool.close().await;
        lingers.goes_on.store(true, Ordering::SeqCst);
        assert!(call.await.unwrap().is_err());
        site.is_left().await;
        assert_eq!(pool.stats().connections, 0);
    });
}
