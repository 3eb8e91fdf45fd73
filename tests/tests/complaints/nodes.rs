//! Complaints about nodes that fail, and what is said of it: 3, 6, 7 and 8.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use riak_client::riak_dt::{CounterOp, DtOp, DtUpdateReq};
use riak_client::riak_kv::{RpbContent, RpbCounterUpdateReq, RpbDelReq, RpbGetReq, RpbPutReq};
use riak_client::{
    CallError, CallOptions, ClientConfig, Cluster, ClusterConfig, ConnectionConfig, Node as NodeAddress,
    Riak, ServerErrorKind,
};
use riak_runtime::client::{BreakerConfig, BreakerState, Connecting, Connector, TcpConnector};
use riak_testkit::{Node, Store};

use crate::server::{Answer, counting, get, node_address, put, until};

/// A connector whose connects to one node hang forever.
#[derive(Debug)]
struct HangsForOneNode {
    dead: NodeAddress,
    tcp: TcpConnector,
}

impl Connector for HangsForOneNode {
    fn connect<'a>(&'a self, node: &'a NodeAddress) -> Connecting<'a> {
        if *node == self.dead { Box::pin(std::future::pending()) } else { self.tcp.connect(node) }
    }
}

/// A dead node delays no call, and a node that is back is found again. If all nodes are down, a
/// call makes its maximum number of attempts, and its error names each of the nodes.
///
/// `cluster_outages` tests this under load, with nodes that stop and hang in turn.
#[tokio::test]
async fn no_03_failing_nodes_are_avoided_and_used_again_after_recovery() {
    let node = Node::start().await.unwrap();
    let dead = NodeAddress::new("dead.example.com", 8087);
    let connector = HangsForOneNode { dead: dead.clone(), tcp: TcpConnector::new(ConnectionConfig::new()) };
    let cluster = Cluster::new([dead, node_address(&node)], Arc::new(connector), ClusterConfig::new());
    let connected = tokio::time::timeout(Duration::from_secs(5), cluster.connect()).await;
    connected.expect("a start is held up by no dead node").unwrap();

    let store = Store::new();
    let (one, other) = (Node::builder().store(store.clone()), Node::builder().store(store.clone()));
    let (one, other) = (one.start().await.unwrap(), other.start().await.unwrap());
    let (address, addresses) = (one.addr(), [node_address(&one), node_address(&other)]);
    let riak = Riak::connect(ClientConfig::new(addresses.clone())).await.unwrap();
    one.shutdown().await;
    for _ in 0..50 {
        riak.kv().get(get("k")).await.unwrap();
    }
    assert_eq!(riak.stats().nodes[0].breaker, BreakerState::Open);
    other.shutdown().await;
    let error = riak.kv().get(get("k")).await.unwrap_err();
    let CallError::Tried(tried) = &error else { panic!("{error:?}") };
    assert_eq!(tried.attempts().len(), 3, "attempts are bounded");
    assert!(
        addresses.iter().all(|node_address| error.to_string().contains(&node_address.to_string())),
        "{error}"
    );
    let _one = Node::builder().store(store).bind(address).start().await.unwrap();
    let mut answered = 0;
    while riak.stats().nodes[0].breaker != BreakerState::Closed || answered < 10 {
        answered += usize::from(riak.kv().get(get("k")).await.is_ok());
    }
}

/// A write that may have been applied fails with an error that says so, and is sent only once. A
/// write that reached no node is sent to another.
#[tokio::test]
async fn no_06_a_write_that_may_have_been_applied_is_not_repeated() {
    let store = Store::new();
    let codes = &[11, 13, 50, 82];
    let ((one, first), (other, second)) =
        (counting(&store, codes, Answer::Never).await, counting(&store, codes, Answer::Never).await);
    let riak = Riak::connect(ClientConfig::new([node_address(&one), node_address(&other)])).await.unwrap();
    let quick = riak.with(CallOptions::new().timeout(Duration::from_millis(300)));
    let counter = CounterOp { increment: Some(1), ..CounterOp::default() };
    let increment = DtUpdateReq {
        key: Some("k".into()),
        ..DtUpdateReq::new("b", "counters", DtOp { counter_op: Some(counter), ..DtOp::default() })
    };
    let errors = [
        quick.kv().put(put("k")).await.unwrap_err(),
        quick.kv().update_counter(RpbCounterUpdateReq::new("b", "k", 1)).await.unwrap_err(),
        quick.data_types().update(&increment).await.unwrap_err(),
        quick.kv().delete(RpbDelReq::new("b", "k")).await.unwrap_err(),
    ];
    for (made, error) in errors.iter().enumerate() {
        assert!(error.may_have_been_applied(), "{made}: {error}");
        assert!(matches!(error.cause(), CallError::Timeout { sent: true, .. }), "{made}: {error:?}");
    }
    assert_eq!(first.load(Ordering::Relaxed) + second.load(Ordering::Relaxed), errors.len());

    // A write that certainly was not sent is sent to another node.
    let nowhere = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let node = Node::start().await.unwrap();
    let riak = Riak::connect(ClientConfig::new([nowhere.into(), node_address(&node)])).await.unwrap();
    for number in 0..20 {
        riak.kv().put(put(&number.to_string())).await.unwrap();
    }
    assert_eq!(node.store().keys("default", "b").len(), 20);
}

/// Server errors have kinds and keep the original text. Riak's own error number is always zero.
#[tokio::test]
async fn no_07_errors_have_types_and_keep_their_text() {
    let node = Node::builder().max_object_size(1000).start().await.unwrap();
    let riak = Riak::connect(node.addr()).await.unwrap();
    riak.kv().put(put("k")).await.unwrap();
    let old = riak.kv().get(get("k")).await.unwrap().vclock;
    riak.kv().put(put("k")).await.unwrap();
    let put_if = |key: &str, none: bool| RpbPutReq {
        if_none_match: none.then_some(true),
        if_not_modified: (!none).then_some(true),
        vclock: old.clone().filter(|_| !none),
        ..put(key)
    };
    let large = RpbPutReq { content: RpbContent::new(vec![0; 2000]), ..put("k") };
    let of_type = |name: &'static str| RpbGetReq { r#type: Some(name.into()), ..get("k") };
    let of_quorum = RpbGetReq { r: Some(9.into()), ..get("k") };
    let puts = [
        (put_if("k", true), ServerErrorKind::ConditionFailed, "match_found"),
        (put_if("k", false), ServerErrorKind::ConditionFailed, "modified"),
        (put_if("none", false), ServerErrorKind::NotFound, "notfound"),
        (put(""), ServerErrorKind::EmptyName, "Key cannot be zero-length"),
        (large, ServerErrorKind::TooLarge, "{too_large,"),
    ];
    let gets = [
        (of_type("nope"), ServerErrorKind::NoSuchBucketType, "no_type"),
        (of_quorum, ServerErrorKind::QuorumInvalid, "{n_val_violation,3}"),
    ];
    let mut errors = Vec::new();
    for (request, kind, text) in puts {
        errors.push((riak.kv().put(&request).await.unwrap_err(), kind, text));
    }
    for (request, kind, text) in gets {
        errors.push((riak.kv().get(&request).await.unwrap_err(), kind, text));
    }
    for (error, kind, text) in errors {
        let server_error = error.server_error().unwrap();
        assert_eq!((server_error.kind(), server_error.number), (kind, 0), "{error}");
        assert!(server_error.text.to_string_lossy().starts_with(text), "{error}");
        assert_eq!(server_error.node, Some(node_address(&node)));
        assert!(!error.is_retryable() && !error.may_have_been_applied(), "{error}");
    }
}

/// A node that is still starting answers pings and refuses all other codes. It gets no calls, and
/// its answers to pings do not bring calls back to it.
#[tokio::test]
async fn no_08_a_starting_node_gets_no_calls_although_it_answers_pings() {
    let store = Store::new();
    let good = Node::builder().store(store.clone()).start().await.unwrap();
    let (starting, refused) = counting(&store, &[9, 11], Answer::Unserved).await;
    let breaker = BreakerConfig::new().open_min(Duration::from_millis(2)).open_max(Duration::from_secs(60));
    let config = ClientConfig::new([node_address(&starting), node_address(&good)])
        .cluster(ClusterConfig::new().breaker(breaker));
    let riak = Riak::connect(config).await.unwrap();
    for number in 0..300 {
        riak.server().ping().await.unwrap();
        riak.kv().put(put(&number.to_string())).await.unwrap();
        riak.server().ping().await.unwrap();
        riak.kv().get(get(&number.to_string())).await.unwrap();
    }
    let state = riak.stats().nodes[0].breaker;
    assert_ne!(state, BreakerState::Closed);
    let refused = refused.load(Ordering::Relaxed);
    assert!((5..40).contains(&refused), "{refused} of 600 calls went there first");
    // Once started, it gets its share of the calls again.
    let address = starting.addr();
    starting.shutdown().await;
    let _started = Node::builder().store(store).bind(address).start().await.unwrap();
    riak.carrier().set_nodes([node_address(&good)]);
    riak.carrier().set_nodes([address.into(), node_address(&good)]);
    let before = riak.stats().nodes[0].calls;
    for number in 0..100 {
        riak.kv().get(get(&number.to_string())).await.unwrap();
    }
    assert!(riak.stats().nodes[0].calls > before + 10);
    until("its breaker is closed", || riak.stats().nodes[0].breaker == BreakerState::Closed).await;
}
