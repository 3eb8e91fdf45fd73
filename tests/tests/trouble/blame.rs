//! What nodes are blamed for, and by whom they are shunned: answers that are
//! errors, and connections that end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use riak_client::Riak;
use riak_client::riak_kv::RpbListBucketsReq;
use riak_runtime::client::{
    BreakerState, CallOptions, Cluster, ClusterConfig, Connecting, Connector, Node, PoolConfig, RetryConfig,
    ServerErrorKind, TcpConnector,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::site::{Late, site};
use super::{cluster, get, ms, put};

/// A node that fails at once is the quickest, and the one with the least in
/// flight. It gets fewer calls for it all the same, and its share once it works.
#[tokio::test]
async fn a_node_that_fails_attracts_no_calls() {
    for error in
        ["{insufficient_vnodes,0,need,2}", "{error,eio}", "timeout", "Error processing stream message: x"]
    {
        let ((well, slow), (failing, conduct)) = (site().await, site().await);
        slow.delay(3);
        conduct.fail(error);
        let riak = Riak::over(cluster([&well, &failing], ClusterConfig::new()));
        let mut failed = 0;
        for _ in 0..200 {
            failed += usize::from(riak.kv().put(put()).await.is_err());
        }
        assert!(failed < 30, "{failed} of 200 calls: {error}");
        conduct.work();
        let (before, begun) = (conduct.seen(), std::time::Instant::now());
        while conduct.seen() < before + 20 {
            let _ = riak.kv().put(put()).await;
            assert!(begun.elapsed() < ms(10_000), "it is left out for ever");
        }
    }
}

/// A node whose connect was slow, or that had long work to do, gets its share of
/// quick calls at once: neither says how quickly it answers them.
#[tokio::test]
async fn slow_connects_and_long_work_make_no_node_slower() {
    for lists in [false, true] {
        let ((one, first), (other, second)) = (site().await, site().await);
        let connector = Late::new(if lists { 0 } else { 300 });
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
        let seen = [first.seen(), second.seen()];
        assert!(seen.iter().all(|&seen| seen > 5), "{seen:?} {:?}", riak.stats());
    }
}

/// Each node is asked once, and what they refuse so costs other calls nothing.
#[tokio::test]
async fn what_nobody_serves_is_asked_of_each_node_once() {
    let ((one, first), (other, second)) = (site().await, site().await);
    let retry = RetryConfig::new().budget_percent(0).budget_reserve(1);
    let riak = Riak::over(cluster([&one, &other], ClusterConfig::new().retry(retry)));
    for conduct in [&first, &second] {
        conduct.fail("Unknown message code: 9");
    }
    for calls in 1..=20 {
        let error = riak.kv().get(get()).await.unwrap_err();
        assert!(error.is(ServerErrorKind::NotServed), "{error:?}");
        assert_eq!([first.seen(), second.seen()], [calls; 2]);
    }
}

/// A call whose deadline leaves no time for another attempt takes none from other calls.
#[tokio::test]
async fn an_attempt_that_is_not_made_uses_no_budget() {
    let ((one, first), (other, second)) = (site().await, site().await);
    let retry = RetryConfig::new().budget_percent(0).budget_reserve(1).backoff_min(ms(400));
    let riak = Riak::over(cluster([&one, &other], ClusterConfig::new().retry(retry)));
    for conduct in [&first, &second] {
        conduct.fail("overload");
    }
    let hurried = riak.with(CallOptions::new().timeout(ms(100)));
    hurried.kv().get(get()).await.unwrap_err();
    assert_eq!(first.seen() + second.seen(), 1);
    // The one repetition of the reserve is still there.
    riak.kv().get(get()).await.unwrap_err();
    assert_eq!(first.seen() + second.seen(), 3);
}

/// A connection that ends is one failure, however many calls it carried.
#[tokio::test]
async fn the_end_of_one_connection_is_one_failure() {
    let (node, conduct) = site().await;
    let config = ClusterConfig::new().pool(PoolConfig::new().max_connections(1));
    let cluster = Cluster::new([node], Arc::new(TcpConnector::default()), config);
    let riak = Riak::over(cluster.clone());
    riak.kv().get(get()).await.unwrap();
    let lose = async |count: usize| {
        conduct.delay(60_000);
        let mut calls = JoinSet::new();
        for _ in 0..count {
            let riak = riak.clone();
            calls.spawn(async move { riak.kv().put(put()).await.map(drop) });
        }
        while cluster.stats().nodes[0].in_flight < count || conduct.open.load(Ordering::SeqCst) == 0 {
            sleep(ms(2)).await;
        }
        sleep(ms(50)).await;
        conduct.cut.notify_waiters();
        for result in calls.join_all().await {
            assert!(result.unwrap_err().may_have_been_applied());
        }
        (cluster.stats().nodes[0].failures, cluster.stats().nodes[0].breaker)
    };
    assert_eq!(lose(8).await, (8, BreakerState::Closed));
    // One after the other, they are failures as before.
    for lost in 2..5 {
        assert_eq!(lose(1).await, (7 + lost, BreakerState::Closed));
    }
    assert_eq!(lose(1).await, (12, BreakerState::Open));
}

/// A server that closes so many connections as soon as they are there, as what
/// stands in front of nodes does when it has none; then it answers gets. As a
/// connector it gives those away once they are closed.
#[derive(Debug)]
struct Slams {
    node: Node,
    count: usize,
    made: AtomicUsize,
}

impl Slams {
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

impl Connector for Slams {
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
async fn who_closes_connections_at_once_is_to_blame() {
    let slams = Slams::new(usize::MAX).await;
    let cluster = |nodes: &[&Node]| {
        Cluster::new(nodes.iter().copied().cloned(), Arc::clone(&slams) as _, ClusterConfig::new())
    };
    let alone = cluster(&[&slams.node]);
    for _ in 0..3 {
        let error = alone.connect().await.unwrap_err();
        assert!(error.to_string().contains("the server closed the connection"), "{error}");
    }
    // Others have its calls, and it is left alone.
    let (good, _) = site().await;
    let riak = Riak::over(cluster(&[&slams.node, &good]));
    slams.made.store(0, Ordering::SeqCst);
    for _ in 0..400 {
        riak.kv().get(get()).await.unwrap();
        riak.kv().put(put()).await.unwrap();
    }
    assert!(slams.made.load(Ordering::SeqCst) < 40, "{slams:?}");
}

#[tokio::test]
async fn a_connection_that_was_closed_at_once_is_made_again() {
    let slams = Slams::new(1).await;
    let cluster = Cluster::new([slams.node.clone()], Arc::clone(&slams) as _, ClusterConfig::new());
    cluster.connect().await.unwrap();
    Riak::over(&cluster).kv().get(get()).await.unwrap();
    assert_eq!(slams.made.load(Ordering::SeqCst), 2);
}
