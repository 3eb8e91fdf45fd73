//! Pools in the same trouble: connections that died, that cannot be had, or that
//! somebody still uses; runtimes that end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use riak_client::{CallOptions, Riak};
use riak_runtime::client::{
    Cluster, ClusterConfig, Connecting, ConnectionError, Connector, Node, Pool, PoolConfig, TcpConnector,
};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::site::{Conduct, Late, Stalls, site};
use super::{Refuses, get, keys, ms};

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

/// Nor does one that waits for a first connection panic.
#[test]
fn connecting_in_a_runtime_that_ends_is_an_error() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let handle = runtime.handle().clone();
    let connecting = std::thread::spawn(move || {
        let node = Node::new("a", 1);
        let hangs = Stalls::new(&node, Duration::from_secs(3600));
        let cluster = Cluster::new([node], hangs, ClusterConfig::new());
        handle.block_on(cluster.connect())
    });
    std::thread::sleep(ms(200));
    runtime.shutdown_background();
    let error = connecting.join().unwrap().unwrap_err();
    assert!(matches!(error.connection_error(), Some(ConnectionError::Stopped)), "{error:?}");
}

/// From now on the connections that are asked something hang: one call is lost.
async fn lose_one(riak: &Riak<&Pool>, conduct: &Conduct) {
    conduct.delay(3_600_000);
    riak.with(CallOptions::new().timeout(ms(50))).kv().get(get()).await.unwrap_err();
    conduct.delay(0);
}

/// A connection that has died without a word costs the call that was on it, and
/// not those that come then.
#[tokio::test]
async fn a_dead_connection_costs_one_call() {
    let (node, conduct) = site().await;
    let pool = Pool::new(node, Late::new(20) as _, PoolConfig::new());
    let riak = Riak::over(&pool);
    riak.kv().get(get()).await.unwrap();
    lose_one(&riak, &conduct).await;
    let quick = riak.with(CallOptions::new().timeout(ms(500)));
    for _ in 0..50 {
        quick.kv().get(get()).await.unwrap();
    }
    assert_eq!(pool.stats().connections, 2);
    // Nobody keeps it for what it will never answer.
    let begun = Instant::now();
    while pool.stats().connections > 1 {
        assert!(begun.elapsed() < ms(15_000), "{:?}", pool.stats());
        sleep(ms(20)).await;
    }
}

#[tokio::test]
async fn the_only_connection_that_there_may_be_is_replaced_when_it_is_dead() {
    let (node, conduct) = site().await;
    let pool = pool(node, PoolConfig::new().max_connections(1));
    let riak = Riak::over(&pool);
    lose_one(&riak, &conduct).await;
    let quick = riak.with(CallOptions::new().timeout(ms(50)));
    quick.kv().get(get()).await.unwrap_err();
    riak.kv().get(get()).await.unwrap();
    assert_eq!((pool.stats().connects, pool.stats().connections), (2, 1));
}

#[tokio::test]
async fn a_dead_connection_of_a_stream_takes_the_idle_ones_with_it() {
    let (node, conduct) = site().await;
    let pool = pool(node, PoolConfig::new().min_connections(0));
    let riak = Riak::over(&pool);
    let streams = [(); 4].map(|()| async { riak.kv().list_keys(keys()).await.unwrap() });
    let mut open = Vec::new();
    for stream in streams {
        open.push(stream.await);
    }
    for stream in open {
        stream.all().await.unwrap();
    }
    assert_eq!(conduct.open.load(Ordering::SeqCst), 4);
    conduct.delay(3_600_000);
    let quick = riak.with(CallOptions::new().timeout(ms(50)));
    quick.kv().list_keys(keys()).await.unwrap_err();
    conduct.delay(0);
    quick.kv().list_keys(keys()).await.unwrap().all().await.unwrap();
    assert_eq!(pool.stats().connects, 5);
}

/// What waits on a connection never moves to another: so it waits before.
#[tokio::test]
async fn a_burst_on_a_cold_pool_spreads() {
    let (node, conduct) = site().await;
    conduct.delay(10);
    let pool = Pool::new(node, Late::new(60) as _, PoolConfig::new());
    let begun = Instant::now();
    together(&pool, 600).await;
    // One by one on one connection, they would take 6 s.
    assert!(begun.elapsed() < ms(3000), "{:?}", begun.elapsed());
    assert_eq!(pool.stats().connections, 16);
}

/// One connection works and no other can be had for a while: it carries all.
#[tokio::test]
async fn who_waits_for_room_takes_it_where_it_is() {
    let (node, _) = site().await;
    let late = Late::new(0);
    let pool = Pool::new(node, Arc::clone(&late) as _, PoolConfig::new());
    together(&pool, 1).await;
    late.millis.store(3_600_000, Ordering::SeqCst);
    let begun = Instant::now();
    together(&pool, 100).await;
    assert!(begun.elapsed() < ms(450), "they waited for a connect: {:?}", begun.elapsed());
}

#[tokio::test]
async fn there_are_never_more_connections_than_there_may_be() {
    let (node, conduct) = site().await;
    let late = Late::new(0);
    let config = PoolConfig::new().max_connections(1).target_in_flight(1);
    let pool = Pool::new(node, Arc::clone(&late) as _, config);
    together(&pool, 1).await;
    late.millis.store(200, Ordering::SeqCst);
    conduct.cut.notify_waiters();
    // The pool makes another one by itself: those who come meanwhile wait for that.
    while late.tries.load(Ordering::SeqCst) < 2 {
        sleep(ms(2)).await;
    }
    together(&pool, 20).await;
    sleep(ms(300)).await;
    assert_eq!((pool.stats().connects, pool.stats().connections), (2, 1));
}

/// Nobody knocks at a door for ever behind which nobody is wanted.
#[tokio::test]
async fn a_pool_that_was_refused_waits_for_the_next_call() {
    let refuses = Arc::new(Refuses::default());
    let pool = Pool::new(Node::new("a", 1), Arc::clone(&refuses) as _, PoolConfig::new());
    for calls in 1..3 {
        Riak::over(&pool).kv().get(get()).await.unwrap_err();
        sleep(ms(1500)).await;
        assert_eq!(refuses.0.load(Ordering::SeqCst), calls);
    }
}

#[test]
fn a_pool_outlives_the_runtime_that_called_first() {
    let runtime = |threads| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(threads).enable_all().build().unwrap()
    };
    let servers = runtime(1);
    let (node, conduct) = servers.block_on(site());
    let config = PoolConfig::new().min_connections(0).idle_timeout(Some(ms(100)));
    let pool = pool(node, config);
    let first = runtime(1);
    first.block_on(together(&pool, 1));
    drop(first);
    runtime(1).block_on(async {
        together(&pool, 1).await;
        let begun = Instant::now();
        while conduct.open.load(Ordering::SeqCst) > 0 || pool.stats().connections > 0 {
            assert!(begun.elapsed() < ms(5000), "nobody sweeps: {:?}", pool.stats());
            sleep(ms(20)).await;
        }
    });
}

/// What takes longer to be made than somebody can wait is there for the next.
#[tokio::test]
async fn streams_in_a_hurry_get_connections_too() {
    let (node, _) = site().await;
    let late = Late::new(150);
    let config = PoolConfig::new().min_connections(0);
    let pool = Pool::new(node, Arc::clone(&late) as _, config);
    let riak = Riak::over(&pool);
    let quick = riak.with(CallOptions::new().timeout(ms(100)));
    let mut failed = 0;
    for _ in 0..10 {
        failed += usize::from(quick.kv().list_keys(keys()).await.is_err());
    }
    assert!(failed <= 3 && late.tries.load(Ordering::SeqCst) == 1, "{failed}, {late:?}");
}

#[tokio::test]
async fn a_connect_without_end_is_given_up() {
    let (node, _) = site().await;
    let late = Late::new(3_600_000);
    let pool = Pool::new(node, Arc::clone(&late) as _, PoolConfig::new());
    let riak = Riak::over(&pool);
    tokio::join!(async { riak.kv().get(get()).await.unwrap_err() }, async {
        riak.kv().list_keys(keys()).await.map(drop).unwrap_err()
    },);
    late.millis.store(0, Ordering::SeqCst);
    riak.kv().get(get()).await.unwrap();
    riak.kv().list_keys(keys()).await.unwrap().all().await.unwrap();
}

/// A balancer in front of nodes that are down takes connections, and closes them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_closed_as_soon_as_they_are_made_say_by_whom() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let node = Node::from(listener.local_addr().unwrap());
    let closing = tokio::spawn(async move {
        loop {
            drop(listener.accept().await);
        }
    });
    for _ in 0..100 {
        // One that is new each time: that of a pool waits for its first look at what is open.
        let riak = Riak::over(pool(node.clone(), PoolConfig::new()));
        let error = riak.kv().get(get()).await.unwrap_err();
        let reason = error.connection_error();
        assert!(matches!(reason, Some(ConnectionError::Closed { .. } | ConnectionError::Io(_))), "{error:?}");
    }
    let config = ClusterConfig::new();
    let cluster = Cluster::new([node], Arc::new(TcpConnector::default()), config);
    let riak = Riak::over(&cluster);
    for _ in 0..20 {
        riak.kv().get(get()).await.unwrap_err();
    }
    let stats = &cluster.stats().nodes[0];
    assert_eq!(stats.failures, stats.calls, "each is the node's: {stats:?}");
    closing.abort();
}
