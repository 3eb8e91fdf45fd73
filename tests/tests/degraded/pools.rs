//! Pools under the same conditions: connections that died, that cannot be opened, or that
//! are still in use; runtimes that shut down.

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

use super::server::{ServerControl, SlowConnector, StallingConnector, start_server};
use super::{RefusingConnector, get, keys, ms};

fn pool(node: Node, config: PoolConfig) -> Pool {
    Pool::new(node, Arc::new(TcpConnector::default()), config)
}

/// Makes this many calls at once, and waits for all of them.
async fn concurrent_calls<C: riak_client::Call + Clone + 'static>(call: &C, count: usize) {
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
async fn connections_that_died_while_idle_fail_no_call() {
    let (node, control) = start_server().await;
    let pool = pool(node, PoolConfig::new().target_in_flight(1));
    control.delay(20);
    while pool.stats().connections < 16 {
        concurrent_calls(&pool, 64).await;
    }
    control.cut.notify_waiters();
    while control.open.load(Ordering::SeqCst) > 0 {
        sleep(ms(2)).await;
    }
    concurrent_calls(&pool, 1).await;
}

/// A connector that succeeds once.
#[derive(Debug, Default)]
struct OneConnection(AtomicUsize);

impl Connector for OneConnection {
    fn connect<'a>(&'a self, node: &'a Node) -> Connecting<'a> {
        if self.0.fetch_add(1, Ordering::SeqCst) == 0 {
            return Box::pin(async { TcpConnector::default().connect(node).await });
        }
        Box::pin(async { Err(std::io::Error::from(std::io::ErrorKind::ConnectionRefused).into()) })
    }
}

#[tokio::test]
async fn failed_connects_are_retried_at_a_limited_rate() {
    let (node, _) = start_server().await;
    let one = Arc::new(OneConnection::default());
    let pool = Pool::new(node, Arc::clone(&one) as _, PoolConfig::new().target_in_flight(1));
    for _ in 0..20 {
        concurrent_calls(&pool, 50).await;
    }
    // At most as many at once as a pool may have, and then one per second.
    assert!(one.0.load(Ordering::SeqCst) < 100, "{one:?}");
}

#[tokio::test]
async fn a_burst_waits_for_the_first_connection() {
    let (node, _) = start_server().await;
    concurrent_calls(&pool(node, PoolConfig::new().max_waiting(1)), 5000).await;
}

#[tokio::test]
async fn closing_waits_for_calls_on_retired_connections() {
    let (node, control) = start_server().await;
    control.delay(2500);
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
async fn stream_connections_are_closed_when_idle_or_old() {
    let (node, control) = start_server().await;
    let config = PoolConfig::new().min_connections(0);
    for config in [config.clone().idle_timeout(Some(ms(100))), config.max_lifetime(Some(ms(100)))] {
        let riak = Riak::over(pool(node.clone(), config));
        riak.kv().list_keys(keys()).await.unwrap().all().await.unwrap();
        while control.open.load(Ordering::SeqCst) > 0 {
            sleep(ms(20)).await;
        }
    }
}

#[tokio::test]
async fn a_pool_makes_calls_with_its_limits_at_zero() {
    let (node, _) = start_server().await;
    let config = PoolConfig::new().max_connections(0).max_streams(0).target_in_flight(0).max_waiting(0);
    let pool = pool(node, config.wait_timeout(Duration::from_secs(1)));
    concurrent_calls(&pool, 1).await;
    let riak = Riak::over(pool);
    riak.kv().list_keys(keys()).await.unwrap().all().await.unwrap();
}

#[tokio::test]
async fn infinite_timeouts_do_not_overflow() {
    let (node, _) = start_server().await;
    let long = Duration::MAX;
    let config = PoolConfig::new().max_lifetime(Some(long)).wait_timeout(long).idle_timeout(Some(long));
    concurrent_calls(&pool(node, config.max_streams(usize::MAX)), 3).await;
}

/// A task that still runs while its runtime shuts down cannot spawn the task that connects.
#[test]
fn a_call_in_a_runtime_that_shuts_down_does_not_hang() {
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

/// A call that waits for the first connection fails with an error, without a panic.
#[test]
fn connecting_in_a_runtime_that_shuts_down_is_an_error() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let handle = runtime.handle().clone();
    let connecting = std::thread::spawn(move || {
        let node = Node::new("a", 1);
        let connector = StallingConnector::new(&node, Duration::from_secs(3600));
        let cluster = Cluster::new([node], connector, ClusterConfig::new());
        handle.block_on(cluster.connect())
    });
    std::thread::sleep(ms(200));
    runtime.shutdown_background();
    let error = connecting.join().unwrap().unwrap_err();
    assert!(matches!(error.connection_error(), Some(ConnectionError::Stopped)), "{error:?}");
}

/// Makes the connections with a request in flight hang, which costs one call.
async fn lose_connection(riak: &Riak<&Pool>, control: &ServerControl) {
    control.delay(3_600_000);
    riak.with(CallOptions::new().timeout(ms(50))).kv().get(get()).await.unwrap_err();
    control.delay(0);
}

/// A connection that has died silently fails the call on it, and no later calls.
#[tokio::test]
async fn a_dead_connection_fails_one_call() {
    let (node, control) = start_server().await;
    let pool = Pool::new(node, SlowConnector::new(20) as _, PoolConfig::new());
    let riak = Riak::over(&pool);
    riak.kv().get(get()).await.unwrap();
    lose_connection(&riak, &control).await;
    let quick = riak.with(CallOptions::new().timeout(ms(500)));
    for _ in 0..50 {
        quick.kv().get(get()).await.unwrap();
    }
    assert_eq!(pool.stats().connections, 2);
    // The pool does not keep it for the answer that never comes.
    let begun = Instant::now();
    while pool.stats().connections > 1 {
        assert!(begun.elapsed() < ms(15_000), "{:?}", pool.stats());
        sleep(ms(20)).await;
    }
}

#[tokio::test]
async fn a_dead_connection_is_replaced_within_the_limit_of_one() {
    let (node, control) = start_server().await;
    let pool = pool(node, PoolConfig::new().max_connections(1));
    let riak = Riak::over(&pool);
    lose_connection(&riak, &control).await;
    let quick = riak.with(CallOptions::new().timeout(ms(50)));
    quick.kv().get(get()).await.unwrap_err();
    riak.kv().get(get()).await.unwrap();
    assert_eq!((pool.stats().connects, pool.stats().connections), (2, 1));
}

#[tokio::test]
async fn a_dead_stream_connection_closes_the_idle_ones() {
    let (node, control) = start_server().await;
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
    assert_eq!(control.open.load(Ordering::SeqCst), 4);
    control.delay(3_600_000);
    let quick = riak.with(CallOptions::new().timeout(ms(50)));
    quick.kv().list_keys(keys()).await.unwrap_err();
    control.delay(0);
    quick.kv().list_keys(keys()).await.unwrap().all().await.unwrap();
    assert_eq!(pool.stats().connects, 5);
}

/// A call that waits on a connection never moves to another, so calls wait before they are
/// assigned to one.
#[tokio::test]
async fn a_burst_on_a_cold_pool_spreads_over_connections() {
    let (node, control) = start_server().await;
    control.delay(10);
    let pool = Pool::new(node, SlowConnector::new(60) as _, PoolConfig::new());
    concurrent_calls(&pool, 600).await;
    assert_eq!(pool.stats().connections, 16);
    // An even share is 38.
    let most = control.most_on_one.load(Ordering::SeqCst);
    assert!(most < 300, "{most} of 600 calls were on one connection");
}

/// While no further connection can be opened, the only one carries all calls.
#[tokio::test]
async fn calls_waiting_for_a_new_connection_take_room_on_an_existing_one() {
    let (node, _) = start_server().await;
    let hour = Duration::from_secs(3600);
    let connector = SlowConnector::with_timeout(0, hour);
    let pool = Pool::new(node, Arc::clone(&connector) as _, PoolConfig::new().wait_timeout(hour));
    concurrent_calls(&pool, 1).await;
    connector.millis.store(3_600_000, Ordering::SeqCst);
    let calls = concurrent_calls(&pool, 100);
    tokio::time::timeout(Duration::from_secs(60), calls).await.expect("they wait for a connect");
    assert!(connector.tries.load(Ordering::SeqCst) > 1, "no other connection was wanted");
    assert_eq!(pool.stats().connects, 1);
}

#[tokio::test]
async fn the_maximum_number_of_connections_is_never_exceeded() {
    let (node, control) = start_server().await;
    let connector = SlowConnector::new(0);
    let config = PoolConfig::new().max_connections(1).target_in_flight(1);
    let pool = Pool::new(node, Arc::clone(&connector) as _, config);
    concurrent_calls(&pool, 1).await;
    connector.millis.store(200, Ordering::SeqCst);
    control.cut.notify_waiters();
    // The pool opens another connection by itself, and new calls wait for it.
    while connector.tries.load(Ordering::SeqCst) < 2 {
        sleep(ms(2)).await;
    }
    concurrent_calls(&pool, 20).await;
    sleep(ms(300)).await;
    assert_eq!((pool.stats().connects, pool.stats().connections), (2, 1));
}

/// A refused pool does not reconnect in the background.
#[tokio::test]
async fn a_refused_pool_waits_for_the_next_call() {
    let connector = Arc::new(RefusingConnector::default());
    let pool = Pool::new(Node::new("a", 1), Arc::clone(&connector) as _, PoolConfig::new());
    for calls in 1..3 {
        Riak::over(&pool).kv().get(get()).await.unwrap_err();
        sleep(ms(1500)).await;
        assert_eq!(connector.0.load(Ordering::SeqCst), calls);
    }
}

#[test]
fn a_pool_outlives_the_runtime_of_its_first_call() {
    let runtime = |threads| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(threads).enable_all().build().unwrap()
    };
    let servers = runtime(1);
    let (node, control) = servers.block_on(start_server());
    let config = PoolConfig::new().min_connections(0).idle_timeout(Some(ms(100)));
    let pool = pool(node, config);
    let first = runtime(1);
    first.block_on(concurrent_calls(&pool, 1));
    drop(first);
    runtime(1).block_on(async {
        concurrent_calls(&pool, 1).await;
        let begun = Instant::now();
        while control.open.load(Ordering::SeqCst) > 0 || pool.stats().connections > 0 {
            assert!(begun.elapsed() < ms(5000), "idle connections stay open: {:?}", pool.stats());
            sleep(ms(20)).await;
        }
    });
}

/// A connection that is established too late for its caller is kept for the next one.
#[tokio::test]
async fn streams_with_short_deadlines_get_connections() {
    let (node, _) = start_server().await;
    let connector = SlowConnector::new(150);
    let config = PoolConfig::new().min_connections(0);
    let pool = Pool::new(node, Arc::clone(&connector) as _, config);
    let riak = Riak::over(&pool);
    let quick = riak.with(CallOptions::new().timeout(ms(100)));
    let mut failed = 0;
    for _ in 0..10 {
        failed += usize::from(quick.kv().list_keys(keys()).await.is_err());
    }
    assert!(failed <= 3 && connector.tries.load(Ordering::SeqCst) == 1, "{failed}, {connector:?}");
}

#[tokio::test]
async fn a_connect_that_never_ends_times_out() {
    let (node, _) = start_server().await;
    let connector = SlowConnector::new(3_600_000);
    let pool = Pool::new(node, Arc::clone(&connector) as _, PoolConfig::new());
    let riak = Riak::over(&pool);
    tokio::join!(async { riak.kv().get(get()).await.unwrap_err() }, async {
        riak.kv().list_keys(keys()).await.map(drop).unwrap_err()
    },);
    connector.millis.store(0, Ordering::SeqCst);
    riak.kv().get(get()).await.unwrap();
    riak.kv().list_keys(keys()).await.unwrap().all().await.unwrap();
}

/// A load balancer whose backends are down accepts connections and closes them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_closed_at_once_are_reported_as_closed_by_the_server() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let node = Node::from(listener.local_addr().unwrap());
    let closing = tokio::spawn(async move {
        loop {
            drop(listener.accept().await);
        }
    });
    for _ in 0..100 {
        // A new pool each time, since an old one waits until its next check of the open
        // connections.
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
