//! What share of one caller's calls each node of a cluster gets, after one of them was
//! slow once, or was given too little time.
#![cfg(all(feature = "client", feature = "server"))]

mod echo;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use echo::*;
use riak_runtime::client::{
    BreakerState, Call, CallError, CallExt, CallOptions, Cluster, ClusterConfig, Connecting, Connection,
    ConnectionConfig, Connector, Node, PoolConfig, RetryConfig, With,
};
use riak_runtime::server::{Failure, ServerConfig, serve_connection, unary};
use tokio::time::Instant;

/// Connects to two nodes in the same process, and counts the calls of each. The node on
/// port 1 takes as long as a request's `count` in milliseconds, the other no time.
#[derive(Debug, Default)]
struct Nodes([Arc<AtomicUsize>; 2]);

impl Connector for Nodes {
    fn connect<'a>(&'a self, node: &'a Node) -> Connecting<'a> {
        let is_slow = node.port() == 1;
        let calls = Arc::clone(&self.0[usize::from(!is_slow)]);
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        tokio::spawn(async move {
            let service = unary(move |request: EchoReq| {
                calls.fetch_add(1, Ordering::Relaxed);
                async move {
                    if is_slow && let Some(millis) = request.count {
                        tokio::time::sleep(Duration::from_millis(millis.into())).await;
                    }
                    Ok::<_, Failure>(EchoResp { nonce: request.nonce, ..EchoResp::default() })
                }
            });
            serve_connection(theirs, &service, &ServerConfig::default()).await
        });
        let (connection, driver) = Connection::new(ours, ConnectionConfig::new());
        tokio::spawn(driver);
        Box::pin(std::future::ready(Ok(connection)))
    }
}

impl Nodes {
    /// Returns how many calls each node got since this was last asked.
    fn taken(&self) -> [usize; 2] {
        [0, 1].map(|node| self.0[node].swap(0, Ordering::Relaxed))
    }
}

/// Connects as [`Nodes`] does, but takes a fifth of a second.
#[derive(Debug, Default)]
struct Distant(Nodes);

impl Connector for Distant {
    fn connect<'a>(&'a self, node: &'a Node) -> Connecting<'a> {
        Box::pin(async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            self.0.connect(node).await
        })
    }
}

fn cluster() -> (Cluster, Arc<Nodes>) {
    let nodes = Arc::new(Nodes::default());
    let both = [Node::new("slow", 1), Node::new("quick", 2)];
    (Cluster::new(both, nodes.clone(), ClusterConfig::new()), nodes)
}

/// Makes one call after the other for some time, one every ten milliseconds.
async fn call_for(cluster: &Cluster, time: Duration) {
    let end = Instant::now() + time;
    while Instant::now() < end {
        cluster.call(&echo::echo("x")).await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn equal_nodes_get_equal_shares_of_sequential_calls() {
    let (cluster, nodes) = cluster();
    call_for(&cluster, Duration::from_secs(10)).await;
    let taken = nodes.taken();
    assert!(taken.iter().all(|count| (350..=650).contains(count)), "{taken:?}");
}

#[tokio::test(start_paused = true)]
async fn the_earlier_of_the_timeouts_of_a_cluster_and_of_a_call_applies() {
    for (cluster_millis, call_millis) in [(50, 400), (400, 50)] {
        let config = ClusterConfig::new().timeout(Some(Duration::from_millis(cluster_millis)));
        let cluster = Cluster::new([Node::new("slow", 1)], Arc::new(Nodes::default()), config);
        let options = CallOptions::new().timeout(Duration::from_millis(call_millis));
        let with = With::new(&cluster, options);
        assert_eq!(Call::timeout(&with), Some(Duration::from_millis(50)));
        let begun = Instant::now();
        let error = with.call(&EchoReq { count: Some(1000), ..echo::echo("x") }).await.unwrap_err();
        assert!(matches!(error.cause(), CallError::Timeout { .. }), "{error:?}");
        assert!(begun.elapsed() < Duration::from_millis(100), "{:?}", begun.elapsed());
    }
}

/// Makes calls that take `millis` at the slow node, until it gets one. Returns whether
/// that one succeeded.
async fn one_slow_call(cluster: &Cluster, nodes: &Nodes, millis: u32, timeout: Option<Duration>) -> bool {
    let mut options = CallOptions::new().retry(riak_runtime::operation::Retry::Never);
    options.timeout = timeout;
    let call = With::new(cluster, options);
    loop {
        nodes.taken();
        let slow = EchoReq { count: Some(millis), ..echo::echo("slow") };
        let result = call.call(&slow).await;
        if nodes.taken()[0] > 0 {
            return result.is_ok();
        }
    }
}

/// The measurements of a node decay whether it gets calls or not: a single slow call, even
/// of a minute, keeps it from its share for a few seconds only.
#[tokio::test(start_paused = true)]
async fn a_node_that_was_slow_once_gets_its_share_back() {
    for (millis, timeout, within) in [
        // Slower than its peer by a factor of 12, 1,250 and 7,500, after the weight of one sample.
        (100, None, 2),
        (10_000, None, 6),
        (60_000, None, 8),
        // A failure.
        (60_000, Some(Duration::from_secs(1)), 2),
    ] {
        let (cluster, nodes) = cluster();
        call_for(&cluster, Duration::from_secs(1)).await;
        assert_eq!(one_slow_call(&cluster, &nodes, millis, timeout).await, timeout.is_none());
        call_for(&cluster, Duration::from_secs(within)).await;
        nodes.taken();
        call_for(&cluster, Duration::from_secs(4)).await;
        let taken = nodes.taken();
        assert!(taken.iter().all(|count| *count > 100), "{millis} ms: {taken:?}");
    }
}

/// The same holds for a caller that gave the slow call up.
#[tokio::test(start_paused = true)]
async fn a_node_whose_slow_call_was_dropped_gets_its_share_back() {
    let (cluster, nodes) = cluster();
    loop {
        let slow = EchoReq { count: Some(60_000), ..echo::echo("slow") };
        let dropped = tokio::time::timeout(Duration::from_secs(1), cluster.call(&slow)).await.is_err();
        if dropped {
            break;
        }
    }
    // Until its answer has come, the connection itself is avoided, not the node.
    call_for(&cluster, Duration::from_secs(4)).await;
    nodes.taken();
    call_for(&cluster, Duration::from_secs(4)).await;
    let taken = nodes.taken();
    assert!(taken.iter().all(|count| *count > 100), "{taken:?}");
}

/// Calls that time out before the node usually answers do not show that it fails: a caller
/// with impossible deadlines must not take the node from everybody else.
#[tokio::test(start_paused = true)]
async fn a_node_is_not_blamed_for_deadlines_that_it_never_met() {
    let nodes = Arc::new(Nodes::default());
    let cluster = Cluster::new([Node::new("slow", 1)], nodes, ClusterConfig::new());
    let usual = EchoReq { count: Some(20), ..echo::echo("usual") };
    let call_as_usual = async || {
        for _ in 0..10 {
            cluster.call(&usual).await.unwrap();
        }
    };
    call_as_usual().await;
    let hasty = |millis| {
        let options = CallOptions::new().retry(riak_runtime::operation::Retry::Never);
        With::new(&cluster, options.timeout(Duration::from_millis(millis)))
    };
    for _ in 0..20 {
        hasty(2).call(&usual).await.unwrap_err();
    }
    let node = &cluster.stats().nodes[0];
    assert_eq!((node.breaker, node.failures), (BreakerState::Closed, 0));
    call_as_usual().await;

    // A node that takes far longer than usual fails.
    let hangs = EchoReq { count: Some(60_000), ..echo::echo("hangs") };
    for _ in 0..5 {
        hasty(100).call(&hangs).await.unwrap_err();
    }
    assert_ne!(cluster.stats().nodes[0].breaker, BreakerState::Closed);
}

/// Neither do calls whose time is up before a connection can have been opened for them.
#[tokio::test(start_paused = true)]
async fn a_node_is_not_blamed_for_deadlines_that_pass_while_a_connection_is_opened() {
    let nodes = Arc::new(Distant::default());
    let cluster = Cluster::new([Node::new("quick", 2)], nodes, ClusterConfig::new());
    cluster.call(&echo::echo("x")).await.unwrap();
    // A long call has a connection to itself.
    let hasty = || async {
        let options = CallOptions::new().timeout(Duration::from_millis(100));
        With::new(&cluster, options).call(&fold("x")).await.unwrap_err()
    };
    tokio::join!(hasty(), hasty(), hasty(), hasty(), hasty());
    let node = &cluster.stats().nodes[0];
    assert_eq!((node.breaker, node.failures), (BreakerState::Closed, 0));
}

/// A call that is not retried stays at a node that does not answer it. That keeps no other call
/// from finding that the node is back.
#[tokio::test(start_paused = true)]
async fn a_call_that_cannot_be_moved_is_no_probe() {
    let nodes = Arc::new(Nodes::default());
    let config = ClusterConfig::new()
        .retry(RetryConfig::new().max_attempts(1))
        .pool(PoolConfig::new().target_in_flight(1));
    let cluster = Cluster::new([Node::new("slow", 1), Node::new("quick", 2)], nodes.clone(), config);
    let hangs = EchoReq { count: Some(60_000), ..echo::echo("hangs") };
    let hasty = With::new(&cluster, CallOptions::new().timeout(Duration::from_millis(50)));
    while cluster.stats().nodes[0].breaker == BreakerState::Closed {
        let _ = hasty.call(&hangs).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let mut running = tokio::task::JoinSet::new();
    let mut call_until_taken = async |request: &EchoReq| {
        nodes.taken();
        let begun = Instant::now();
        while nodes.taken()[0] == 0 && begun.elapsed() < Duration::from_secs(5) {
            let (cluster, request) = (cluster.clone(), request.clone());
            running.spawn(async move { cluster.call(&request).await });
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    call_until_taken(&hangs).await;
    call_until_taken(&echo::echo("x")).await;
    assert_eq!(cluster.stats().nodes[0].breaker, BreakerState::Closed);
}

/// Of the calls at a busy node only a share is measured, but enough that the average of one
/// that takes ten seconds does not decay in between.
#[tokio::test(start_paused = true)]
async fn the_latency_of_a_slow_node_with_many_calls_in_flight_is_known() {
    let pool = PoolConfig::new().max_connections(80).target_in_flight(1);
    let config = ClusterConfig::new().pool(pool);
    let cluster = Cluster::new([Node::new("slow", 1)], Arc::new(Nodes::default()), config);
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..80 {
        let cluster = cluster.clone();
        running.spawn(async move {
            loop {
                let slow = EchoReq { count: Some(10_000), ..echo::echo("slow") };
                cluster.call(&slow).await.unwrap();
            }
        });
        tokio::time::sleep(Duration::from_millis(125)).await;
    }
    tokio::time::sleep(Duration::from_secs(100)).await;
    let node = &cluster.stats().nodes[0];
    assert!(node.in_flight == 80 && node.latency > Duration::from_secs(8), "{node:?}");
}
