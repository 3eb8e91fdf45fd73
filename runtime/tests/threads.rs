//! Calls from many threads at once, over a server that misbehaves, given up at any
//! time: each ends in time, nobody gets another's answer, and nothing is left.
//!
//! `THREADS_MILLIS` says how long each storm lasts.
#![cfg(all(feature = "client", feature = "server"))]

mod echo;
mod site;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use echo::*;
use riak_runtime::Blob;
use riak_runtime::client::{
    Call, CallExt, CallOptions, Cluster, ClusterConfig, Connecting, Connection, ConnectionConfig, Connector,
    Node, Pool, PoolConfig, TcpConnector, With,
};
use site::{Random, Site, site};

fn storm_length() -> Duration {
    let millis = std::env::var("THREADS_MILLIS").ok().and_then(|text| text.parse().ok());
    Duration::from_millis(millis.unwrap_or(300))
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Polls a call so often at the most.
async fn give_up_after<F: Future>(polls: u32, call: F) -> Option<F::Output> {
    let mut call = pin!(call);
    let mut left = polls;
    std::future::poll_fn(|cx| {
        if let Poll::Ready(result) = call.as_mut().poll(cx) {
            return Poll::Ready(Some(result));
        }
        left -= 1;
        if left == 0 { Poll::Ready(None) } else { Poll::Pending }
    })
    .await
}

/// What the callers of a storm have seen.
#[derive(Debug, Default)]
struct Seen {
    answered: AtomicUsize,
    failed: AtomicUsize,
    given_up: AtomicUsize,
}

impl Seen {
    fn note<T, E>(&self, result: &Option<Result<T, E>>) {
        let count = match result {
            Some(Ok(_)) => &self.answered,
            Some(Err(_)) => &self.failed,
            None => &self.given_up,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// One call of any kind, ended in any way.
async fn any_call<C: Call + Clone + Send + Sync + 'static>(call: C, random: &Random, seen: &Seen) {
    let nonce = Blob::from(format!("a nonce of more than twenty-three bytes {}", random.below(u32::MAX)));
    let timeout = ms(20 + u64::from(random.below(150)));
    let begun = Instant::now();
    let with = With::new(call, CallOptions::new().timeout(timeout));
    let polls = if random.below(4) == 0 { 1 + random.below(3) } else { u32::MAX };
    let ending = async {
        match random.below(20) {
            0..14 => {
                let request = EchoReq { nonce: nonce.clone(), ..EchoReq::default() };
                let result = give_up_after(polls, with.call(&request)).await;
                seen.note(&result);
                if let Some(Ok(answer)) = result {
                    assert_eq!(answer.nonce, nonce);
                }
            }
            14 => {
                let request = FoldReq { nonce: nonce.clone(), ..FoldReq::default() };
                let result = give_up_after(polls, with.call(&request)).await;
                seen.note(&result);
                if let Some(Ok(answer)) = result {
                    assert_eq!(answer.nonce, nonce);
                }
            }
            15..17 => {
                let request = EchoReq { nonce: nonce.clone(), ..EchoReq::default() };
                let soon = Duration::from_micros(u64::from(random.below(3000)));
                tokio::select! {
                    result = with.call(&request) => {
                        if let Ok(answer) = result {
                            assert_eq!(answer.nonce, nonce);
                        }
                    }
                    () = tokio::time::sleep(soon) => {}
                }
            }
            _ => {
                let request = ListReq { nonce: nonce.clone(), count: Some(1 + random.below(40)), flag: None };
                let result = give_up_after(polls, with.call_stream(&request)).await;
                seen.note(&result);
                let Some(Ok(mut stream)) = result else { return };
                let mut expected = 0;
                let stop = random.below(60);
                while let Some(answer) = stream.next().await {
                    let Ok(answer) = answer else { break };
                    assert_eq!((answer.nonce, answer.count), (nonce.clone(), Some(expected)));
                    expected += 1;
                    if expected == stop {
                        // Dropped by another thread.
                        match random.below(3) {
                            0 => drop(tokio::task::spawn_blocking(move || drop(stream))),
                            1 => {
                                std::thread::spawn(move || drop(stream));
                            }
                            _ => drop(stream),
                        }
                        break;
                    }
                    if expected % 7 == 0 {
                        stream = tokio::spawn(async { stream }).await.unwrap();
                    }
                }
            }
        }
    };
    let bound = timeout + Duration::from_secs(1);
    if tokio::time::timeout(bound, ending).await.is_err() {
        panic!("a call of {timeout:?} has not ended after {:?}", begun.elapsed());
    }
}

/// So many tasks make calls for a while.
async fn storm<C: Call + Clone + Send + Sync + 'static>(call: &C, tasks: u32, seen: &Arc<Seen>) {
    let until = Instant::now() + storm_length();
    let random = Arc::new(Random::default());
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..tasks {
        let (call, random, seen) = (call.clone(), Arc::clone(&random), Arc::clone(seen));
        callers.spawn(async move {
            while Instant::now() < until {
                any_call(call.clone(), &random, &seen).await;
                // Calls that fail at once wait for nothing.
                tokio::task::yield_now().await;
            }
        });
    }
    while let Some(result) = callers.join_next().await {
        result.unwrap();
    }
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
                tokio::time::timeout(Duration::from_secs(1), async {
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
    storm(&pool, 30, &seen).await;
    over.store(true, Ordering::Relaxed);
    watch.join().unwrap();
    // Streams are dropped by other threads.
    tokio::time::sleep(ms(50)).await;
    let stats = pool.stats();
    assert_eq!((stats.in_flight, stats.streams, stats.waiting), (0, 0, 0), "{stats:?}");
    tokio::time::timeout(Duration::from_secs(2), pool.close()).await.expect("nothing is in flight");
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
async fn closing<C, F>(call: C, site: &Site, close: impl FnOnce(C) -> F)
where
    C: Call + Clone + Send + Sync + 'static,
    F: Future<Output = ()>,
{
    let over = Arc::new(AtomicBool::new(false));
    let random = Arc::new(Random::default());
    let seen = Arc::new(Seen::default());
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (call, random, seen, over) =
            (call.clone(), Arc::clone(&random), Arc::clone(&seen), Arc::clone(&over));
        callers.spawn(async move {
            while !over.load(Ordering::Relaxed) {
                any_call(call.clone(), &random, &seen).await;
                tokio::task::yield_now().await;
            }
        });
    }
    tokio::time::sleep(Duration::from_micros(
        u64::from(site.accepted.load(Ordering::SeqCst) as u32 % 7) * 300,
    ))
    .await;
    tokio::time::timeout(Duration::from_secs(3), close(call.clone())).await.expect("all calls end");
    site.is_left().await;
    // What was made before may be accepted only now.
    tokio::time::sleep(ms(10)).await;
    let accepted = site.accepted.load(Ordering::SeqCst);
    tokio::time::sleep(ms(10)).await;
    assert_eq!(site.accepted.load(Ordering::SeqCst), accepted, "it connects after it was closed");
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
            let mut rounds = 0;
            while begun.elapsed() < storm_length() {
                let config = PoolConfig::new().target_in_flight(1).max_connections(8).min_connections(4);
                let pool = pool(address, tiny().max_waiting(1000), config.clone());
                closing(pool.clone(), &site, |pool| async move { pool.close().await }).await;
                let connector = Arc::new(TcpConnector::new(tiny().max_waiting(1000)));
                let config = ClusterConfig::new().pool(config);
                let cluster = Cluster::new([Node::from(address)], connector, config);
                closing(cluster.clone(), &site, |cluster| async move { cluster.close().await }).await;
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
