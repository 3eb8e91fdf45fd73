//! What nodes are blamed for, and by whom they are shunned: answers that are
//! errors, and connections that end.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use riak_client::Riak;
use riak_runtime::client::{
    BreakerState, Cluster, ClusterConfig, PoolConfig, RetryConfig, ServerErrorKind, TcpConnector,
};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::site::site;
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
