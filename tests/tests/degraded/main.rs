//! Degraded nodes, which are neither plainly up nor down: their connects hang, they are slow
//! once, they stop answering, or they were restarted. No call fails that another node could have
//! served, and a node that has recovered gets calls again, whatever kind of calls there are.

mod discovery;
mod failures;
mod pools;
mod server;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use riak_client::riak_kv::{RpbContent, RpbGetReq, RpbListKeysReq, RpbPutReq};
use riak_client::{CallOptions, Riak};
use riak_runtime::client::{
    BreakerState, CallError, Cluster, ClusterConfig, Connecting, ConnectionError, Connector, Node, NotSent,
    PoolConfig, RetryConfig, RoundRobin, ServerError, TcpConnector,
};
use server::{StallingConnector, start_server};
use tokio::time::{sleep, timeout};

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn get() -> RpbGetReq {
    RpbGetReq::new("b", "k")
}

fn put() -> RpbPutReq {
    RpbPutReq { key: Some("k".into()), ..RpbPutReq::new("b", RpbContent::new("v")) }
}

fn keys() -> RpbListKeysReq {
    RpbListKeysReq::new("b")
}

fn cluster(nodes: [&Node; 2], config: ClusterConfig) -> Cluster {
    Cluster::new(nodes.map(Node::clone), Arc::new(TcpConnector::default()), config)
}

/// A node whose connects hang takes up only part of a call's time. Reads and writes succeed at
/// another node within their deadline.
#[tokio::test]
async fn a_node_whose_connects_hang_is_avoided() {
    let ((good, _), (bad, _)) = (start_server().await, start_server().await);
    let connector = StallingConnector::new(&bad, Duration::from_secs(60));
    let retry = RetryConfig::new().attempt_timeout(Some(ms(200)));
    let config = ClusterConfig::new().timeout(Some(ms(400))).retry(retry);
    let cluster = Cluster::new([good, bad.clone()], connector, config);
    let riak = Riak::over(cluster.clone());
    for _ in 0..8 {
        riak.kv().get(get()).await.unwrap();
        riak.kv().put(put()).await.unwrap();
        riak.kv().list_keys(keys()).await.unwrap().all().await.unwrap();
    }
    let stats = cluster.stats();
    let bad = stats.nodes.iter().find(|stats| stats.node == bad).unwrap();
    assert!(bad.failures > 0, "no failure was counted: {stats:?}");
}

/// A node that is back is found even if there are no reads, or no short calls at all.
#[tokio::test]
async fn any_kind_of_call_detects_a_recovered_node() {
    for streams in [false, true] {
        let ((good, _), (bad, control)) = (start_server().await, start_server().await);
        let connector = StallingConnector::new(&bad, Duration::ZERO);
        let cluster = Cluster::new([good, bad], Arc::clone(&connector) as _, ClusterConfig::new());
        let riak = Riak::over(cluster.clone());
        let call = async || {
            if streams {
                riak.kv().list_keys(keys()).await.unwrap().all().await.map(drop)
            } else {
                riak.kv().put(put()).await.map(drop)
            }
        };
        while cluster.stats().nodes[1].breaker != BreakerState::Open {
            call().await.unwrap();
        }
        connector.stalled.store(false, Ordering::SeqCst);
        let begun = Instant::now();
        while control.request_count() == 0 || cluster.stats().nodes[1].breaker != BreakerState::Closed {
            call().await.unwrap();
            assert!(begun.elapsed() < Duration::from_secs(8), "streams: {streams}");
            sleep(ms(2)).await;
        }
    }
}

/// A stream that is slow to begin is not used as a probe, and is not cancelled.
#[tokio::test]
async fn a_slow_stream_is_started_only_once() {
    let ((one, first), (other, second)) = (start_server().await, start_server().await);
    first.delay(600);
    second.delay(600);
    let riak = Riak::over(cluster([&one, &other], ClusterConfig::new()));
    let hurried = riak.with(CallOptions::new().timeout(ms(1000)));
    hurried.kv().list_keys(keys()).await.unwrap().all().await.unwrap();
    assert_eq!(first.request_count() + second.request_count(), 1, "it would have fitted into its time");
}

/// Old measurements of a node lose their weight.
#[tokio::test]
async fn a_node_that_was_slow_once_gets_calls_again() {
    let ((one, _), (slow, control)) = (start_server().await, start_server().await);
    let riak = Riak::over(cluster([&one, &slow], ClusterConfig::new()));
    control.delay(100);
    while control.request_count() == 0 {
        riak.kv().get(get()).await.unwrap();
    }
    control.delay(0);
    let begun = Instant::now();
    while control.request_count() < 20 {
        riak.kv().get(get()).await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(10), "it gets no calls any more");
    }
}

/// Callers who drop their calls report no error, but the time that they waited still counts.
#[tokio::test]
async fn a_hanging_node_does_not_attract_calls() {
    let ((good, _), (hangs, control)) = (start_server().await, start_server().await);
    control.delay(3_600_000);
    let riak = Riak::over(cluster([&good, &hangs], ClusterConfig::new()));
    let mut lost = 0;
    for _ in 0..100 {
        lost += usize::from(timeout(ms(20), riak.kv().get(get())).await.is_err());
    }
    assert!(lost < 20, "{lost} of 100 calls went to a node that hangs");
}

/// Streams that are cut off count as failures of their node, although they began well.
#[tokio::test]
async fn streams_that_are_cut_off_count_as_failures() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let node = Node::from(listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                use tokio::io::{AsyncReadExt, AsyncWriteExt};
                socket.read_exact(&mut [0; 8]).await?;
                socket.write_all(b"\0\0\0\x04\x12\x0a\x01k").await
            });
        }
    });
    let tcp = Arc::new(TcpConnector::default());
    let cluster = Cluster::new([node], tcp, ClusterConfig::new());
    let riak = Riak::over(cluster.clone());
    while cluster.stats().nodes[0].breaker == BreakerState::Closed {
        riak.kv().list_keys(keys()).await.unwrap().all().await.unwrap_err();
        assert!(cluster.stats().nodes[0].failures < 20, "its breaker stays closed");
    }
}

/// Waiting for the client's own limit on streams is not a failure of the node. Nothing was sent
/// meanwhile, and another node may have room.
#[tokio::test]
async fn a_client_side_limit_is_not_a_failure_of_the_node() {
    let ((one, busy), (other, _)) = (start_server().await, start_server().await);
    let pool = PoolConfig::new().max_streams(1).wait_timeout(ms(100));
    let tcp = Arc::new(TcpConnector::default());
    let turns = Arc::new(RoundRobin::new());
    let config = ClusterConfig::new().pool(pool);
    let cluster = Cluster::balanced([one, other], tcp, config, turns);
    let riak = Riak::over(cluster.clone());
    busy.delay(5_000);
    let holder = riak.clone();
    let holder = tokio::spawn(async move { holder.kv().list_keys(keys()).await.map(drop) });
    while busy.request_count() == 0 {
        sleep(ms(2)).await;
    }
    for _ in 0..4 {
        riak.kv().list_keys(keys()).await.unwrap().all().await.unwrap();
    }
    assert!(cluster.stats().nodes.iter().all(|node| node.failures == 0), "{:?}", cluster.stats());
    holder.abort();
}

/// A connector that refuses every connect, and counts them.
#[derive(Debug, Default)]
struct RefusingConnector(std::sync::atomic::AtomicUsize);

impl Connector for RefusingConnector {
    fn connect<'a>(&'a self, _: &'a Node) -> Connecting<'a> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Err(ConnectionError::Refused(ServerError::new("Authentication failed", 0))) })
    }
}

/// A wrong password is wrong at every node, and trying it again may lock the account.
#[tokio::test]
async fn a_refused_password_is_not_tried_at_other_nodes() {
    let connector = Arc::new(RefusingConnector::default());
    let nodes = ["a", "b", "c"].map(|host| Node::new(host, 1));
    let riak = Riak::over(Cluster::new(nodes, Arc::clone(&connector) as _, ClusterConfig::new()));
    let error = riak.kv().get(get()).await.unwrap_err();
    assert!(!error.is_retryable() && !error.may_have_been_applied(), "{error:?}");
    assert!(matches!(error.cause(), CallError::NotSent(NotSent::Connection(_))), "{error:?}");
    assert_eq!(connector.0.load(Ordering::SeqCst), 1);
}
