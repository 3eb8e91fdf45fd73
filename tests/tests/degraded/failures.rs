//! Which errors and closed connections count as failures of a node, and how they affect the choice
//! of nodes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use riak_client::Riak;
use riak_client::riak_kv::RpbListBucketsReq;
use riak_runtime::client::{
    BreakerConfig, BreakerState, CallOptions, Cluster, ClusterConfig, Connecting, Connector, Node,
    PoolConfig, RetryConfig, ServerErrorKind, TcpConnector,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::server::{SlowConnector, start_server};
use super::{cluster, get, ms, put};

/// A node that fails at once is the fastest, and has the fewest calls in flight. It still
/// gets fewer calls, and its share again once it works.
#[tokio::test]
async fn a_failing_node_does_not_attract_calls() {
    for error in
        ["{insufficient_vnodes,0,need,2}", "{error,eio}", "timeout", "Error processing stream message: x"]
    {
        let ((well, slow), (failing, control)) = (start_server().await, start_server().await);
        slow.delay(3);
        control.fail_with(error);
        let riak = Riak::over(cluster([&well, &failing], ClusterConfig::new()));
        let mut failed = 0;
        for _ in 0..200 {
            failed += usize::from(riak.kv().put(put()).await.is_err());
        }
        assert!(failed < 30, "{failed} of 200 calls: {error}");
        control.recover();
        let (before, begun) = (control.request_count(), Instant::now());
        while control.request_count() < before + 20 {
            let _ = riak.kv().put(put()).await;
            assert!(begun.elapsed() < ms(10_000), "it gets no calls any more");
        }
    }
}

/// A node whose connect was slow, or that had long work to do, gets its share of quick
/// calls at once: neither says how quickly it answers them.
#[tokio::test]
async fn slow_connects_and_long_work_do_not_count_against_a_node() {
    for lists in [false, true] {
        let ((one, first), (other, second)) = (start_server().await, start_server().await);
        let connector = SlowConnector::new(if lists { 0 } else { 300 });
        let cluster = Cluster::new([one, other], Arc::clone(&connector) as _, ClusterConfig::new());
        let riak = Riak::over(cluster);
        if lists {
            first.delay(300);
            second.delay(300);
            riak.kv().list_buckets(RpbListBucketsReq::default()).await.unwrap();
            first.delay(0);
            second.delay(0);
        } else {
            riak.kv().get(get()).await.unwrap();
            connector.millis.store(0, Ordering::SeqCst);
        }
        for _ in 0..100 {
            riak.kv().get(get()).await.unwrap();
        }
        let requests = [first.request_count(), second.request_count()];
        assert!(requests.iter().all(|&requests| requests > 5), "{requests:?} {:?}", riak.stats());
    }
}

/// Each node is tried once, and these attempts do not use up the retry budget.
#[tokio::test]
async fn an_unserved_request_is_tried_once_at_each_node() {
    let ((one, first), (other, second)) = (start_server().await, start_server().await);
    let retry = RetryConfig::new().budget_percent(0).budget_reserve(1);
    let riak = Riak::over(cluster([&one, &other], ClusterConfig::new().retry(retry)));
    for control in [&first, &second] {
        control.fail_with("Unknown message code: 9");
    }
    for calls in 1..=20 {
        let error = riak.kv().get(get()).await.unwrap_err();
        assert!(error.is(ServerErrorKind::NotServed), "{error:?}");
        assert_eq!([first.request_count(), second.request_count()], [calls; 2]);
    }
}

/// A call whose deadline leaves no time for a retry does not use up the retry budget.
#[tokio::test]
async fn an_attempt_that_is_not_made_uses_no_budget() {
    let ((one, first), (other, second)) = (start_server().await, start_server().await);
    let retry = RetryConfig::new().budget_percent(0).budget_reserve(1).backoff_min(ms(400));
    let riak = Riak::over(cluster([&one, &other], ClusterConfig::new().retry(retry)));
    for control in [&first, &second] {
        control.fail_with("overload");
    }
    let hurried = riak.with(CallOptions::new().timeout(ms(100)));
    hurried.kv().get(get()).await.unwrap_err();
    assert_eq!(first.request_count() + second.request_count(), 1);
    // The one retry of the reserve is still available.
    riak.kv().get(get()).await.unwrap_err();
    assert_eq!(first.request_count() + second.request_count(), 3);
}

/// A read that could not be repeated is not given up for the sake of another attempt: slow
/// nodes would fail calls that they were about to answer.
#[tokio::test]
async fn without_a_retry_left_an_attempt_has_all_the_time_of_its_call() {
    let ((one, first), (other, second)) = (start_server().await, start_server().await);
    first.delay(200);
    second.delay(200);
    let retry = RetryConfig::new().attempt_timeout(ms(50)).budget_percent(0).budget_reserve(1);
    let riak = Riak::over(cluster([&one, &other], ClusterConfig::new().retry(retry)));
    // The first call uses the reserve, and then waits.
    for requests in [2, 3, 4] {
        riak.kv().get(get()).await.unwrap();
        assert_eq!(first.request_count() + second.request_count(), requests);
    }
}

/// A probe is given up when its time is over, also if the call cannot be repeated: otherwise
/// a node that hung once would get no more calls until that one ends.
#[tokio::test]
async fn without_a_retry_left_a_probe_that_hangs_keeps_no_node_away() {
    let ((one, first), (other, second)) = (start_server().await, start_server().await);
    let retry = RetryConfig::new().budget_percent(0).budget_reserve(0);
    let breaker = BreakerConfig::new().open_min(ms(10)).open_max(ms(20)).probe_timeout(ms(50));
    let cluster = cluster([&one, &other], ClusterConfig::new().retry(retry).breaker(breaker));
    let riak = Riak::over(cluster.clone());
    let some = |state| cluster.stats().nodes.iter().any(|node| node.breaker == state);
    for control in [&first, &second] {
        control.fail_with("overload");
    }
    while some(BreakerState::Closed) {
        riak.kv().get(get()).await.unwrap_err();
    }
    for control in [&first, &second] {
        control.recover();
        control.delay(3_600_000);
    }
    let mut hanging = JoinSet::new();
    while !some(BreakerState::HalfOpen) {
        let riak = riak.clone();
        hanging.spawn(async move { riak.kv().get(get()).await });
        sleep(ms(5)).await;
    }
    for control in [&first, &second] {
        control.delay(0);
    }
    let begun = Instant::now();
    while some(BreakerState::Open) || some(BreakerState::HalfOpen) {
        let _ = timeout(ms(500), riak.kv().get(get())).await;
        assert!(begun.elapsed() < ms(10_000), "a node gets no calls any more: {:?}", cluster.stats());
    }
}

/// A connection that closes counts as one failure, however many calls it carried.
#[tokio::test]
async fn a_closed_connection_counts_as_one_failure() {
    let (node, control) = start_server().await;
    let config = ClusterConfig::new().pool(PoolConfig::new().max_connections(1));
    let cluster = Cluster::new([node], Arc::new(TcpConnector::default()), config);
    let riak = Riak::over(cluster.clone());
    riak.kv().get(get()).await.unwrap();
    let lose_connection = async |count: usize| {
        control.delay(60_000);
        let mut calls = JoinSet::new();
        for _ in 0..count {
            let riak = riak.clone();
            calls.spawn(async move { riak.kv().put(put()).await.map(drop) });
        }
        while cluster.stats().nodes[0].in_flight < count || control.open.load(Ordering::SeqCst) == 0 {
            sleep(ms(2)).await;
        }
        sleep(ms(50)).await;
        control.cut.notify_waiters();
        for result in calls.join_all().await {
            assert!(result.unwrap_err().may_have_been_applied());
        }
        (cluster.stats().nodes[0].failures, cluster.stats().nodes[0].breaker)
    };
    assert_eq!(lose_connection(8).await, (8, BreakerState::Closed));
    // Connections that close one after the other count separately.
    for lost in 2..5 {
        assert_eq!(lose_connection(1).await, (7 + lost, BreakerState::Closed));
    }
    assert_eq!(lose_connection(1).await, (12, BreakerState::Open));
}

/// A server that closes the first `count` connections as soon as they are open, as a load balancer
/// without backends does, and then answers gets. As a connector, it returns the closed connections
/// only once they are closed.
#[derive(Debug)]
struct ClosingServer {
    node: Node,
    count: usize,
    made: AtomicUsize,
}

impl ClosingServer {
    async fn new(count: usize) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let node = Node::from(listener.local_addr().unwrap());
        tokio::spawn(async move {
            let mut accepted = 0;
            while let Ok((mut socket, _)) = listener.accept().await {
                accepted += 1;
                if accepted <= count {
                    continue;
                }
                tokio::spawn(async move {
                    while let Ok(length) = socket.read_u32().await {
                        let mut frame = vec![0; length as usize];
                        socket.read_exact(&mut frame).await.unwrap();
                        socket.write_all(&[0, 0, 0, 1, frame[0] + 1]).await.unwrap();
                    }
                });
            }
        });
        Arc::new(Self { node, count, made: AtomicUsize::new(0) })
    }
}

impl Connector for ClosingServer {
    fn connect<'a>(&'a self, node: &'a Node) -> Connecting<'a> {
        Box::pin(async move {
            let connection = TcpConnector::default().connect(node).await?;
            if *node == self.node && self.made.fetch_add(1, Ordering::SeqCst) < self.count {
                while connection.closed().is_none() {
                    sleep(ms(1)).await;
                }
                sleep(ms(2)).await;
            }
            Ok(connection)
        })
    }
}

#[tokio::test]
async fn closing_connections_at_once_counts_as_failure() {
    let server = ClosingServer::new(usize::MAX).await;
    let cluster = |nodes: &[&Node]| {
        Cluster::new(nodes.iter().copied().cloned(), Arc::clone(&server) as _, ClusterConfig::new())
    };
    let alone = cluster(&[&server.node]);
    for _ in 0..3 {
        let error = alone.connect().await.unwrap_err();
        assert!(error.to_string().contains("the server closed the connection"), "{error}");
    }
    // Another node gets the calls, and this one is avoided.
    let (good, _) = start_server().await;
    let riak = Riak::over(cluster(&[&server.node, &good]));
    server.made.store(0, Ordering::SeqCst);
    for _ in 0..400 {
        riak.kv().get(get()).await.unwrap();
        riak.kv().put(put()).await.unwrap();
    }
    assert!(server.made.load(Ordering::SeqCst) < 40, "{server:?}");
}

#[tokio::test]
async fn a_connection_that_is_closed_at_once_is_opened_again() {
    let server = ClosingServer::new(1).await;
    let cluster = Cluster::new([server.node.clone()], Arc::clone(&server) as _, ClusterConfig::new());
    cluster.connect().await.unwrap();
    Riak::over(&cluster).kv().get(get()).await.unwrap();
    assert_eq!(server.made.load(Ordering::SeqCst), 2);
}
