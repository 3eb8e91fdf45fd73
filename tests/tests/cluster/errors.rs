//! The errors of calls to a cluster, and which nodes they name.

use std::sync::Arc;
use std::time::Duration;

use riak_client::riak_kv::rpb_index_req::IndexQueryType;
use riak_client::riak_kv::{RpbContent, RpbIndexReq, RpbListKeysReq, RpbPutReq};
use riak_client::{Call, CallError, CallOptions, Connection, ConnectionConfig, Node as NodeAddress, Riak};
use riak_runtime::DecodeLimits;
use riak_runtime::client::{
    Cluster, ClusterConfig, Connecting, ConnectionError, Connector, NotSent, RetryConfig, TcpConnector,
};
use riak_testkit::Node;

use crate::support::{MODIFIED, cluster, get, scripted_server, unused_address};

#[tokio::test]
async fn an_error_names_every_node_that_was_tried() {
    let targets = [unused_address().await, unused_address().await];
    let cluster = cluster(&targets, ClusterConfig::new().retry(RetryConfig::new().max_attempts(2)));
    let error = Riak::over(cluster.clone()).kv().get(get()).await.unwrap_err();
    let CallError::Tried(tried) = &error else { panic!("{error:?}") };
    let mut tried: Vec<_> = tried.attempts().iter().map(|attempt| attempt.node.clone()).collect();
    tried.sort();
    let mut expected: Vec<_> = targets.iter().copied().map(NodeAddress::from).collect();
    expected.sort();
    assert_eq!(tried, expected);
    assert!(!error.may_have_been_applied());
    assert!(matches!(error.connection_error(), Some(ConnectionError::Unreachable(_))), "{error:?}");
    for target in &targets {
        assert!(error.to_string().contains(&target.to_string()), "{error}");
    }
    let error = cluster.connect().await.unwrap_err();
    assert!(matches!(&error, CallError::Tried(tried) if tried.attempts().len() == 2), "{error:?}");
}

#[tokio::test]
async fn without_nodes_nothing_is_sent() {
    let cluster = cluster(&[], ClusterConfig::new());
    assert!(matches!(cluster.connect().await, Err(CallError::NotSent(NotSent::NoNodes))));
    let result = Riak::over(cluster).kv().get(get()).await;
    assert!(matches!(result, Err(CallError::NotSent(NotSent::NoNodes))), "{result:?}");
}

/// A connector that never connects.
#[derive(Debug)]
struct NeverConnects;

impl Connector for NeverConnects {
    fn connect<'a>(&'a self, _: &'a NodeAddress) -> Connecting<'a> {
        Box::pin(std::future::pending())
    }
}

/// This includes errors in the middle of a stream, and calls that were still waiting for a
/// connection.
#[tokio::test]
async fn errors_name_the_node_wherever_they_occur() {
    // A chunk of keys, followed by half of a frame.
    let (address, _) = scripted_server(Some(b"\0\0\0\x04\x12\x0a\x01a\0\0\0\0")).await;
    let cluster = cluster(&[unused_address().await, address], ClusterConfig::new());
    let riak = Riak::over(cluster);
    for _ in 0..4 {
        let mut keys = riak.kv().list_keys(RpbListKeysReq::new("b")).await.unwrap();
        assert_eq!(keys.next().await.unwrap().unwrap().keys, ["a"]);
        let error = keys.next().await.unwrap().unwrap_err();
        let CallError::Tried(tried) = &error else { panic!("{error:?}") };
        assert_eq!(tried.last().node, NodeAddress::from(address));
        assert!(matches!(error.connection_error(), Some(ConnectionError::Frame(_))), "{error:?}");
    }

    // A truncated answer to a get, also after an attempt at a node that is down.
    let (address, _) = scripted_server(Some(b"\0\0\0\x03\x0a\x0a\x05")).await;
    let error =
        Riak::over(self::cluster(&[address], ClusterConfig::new())).kv().get(get()).await.unwrap_err();
    let CallError::Tried(tried) = &error else { panic!("{error:?}") };
    assert_eq!(tried.last().node, NodeAddress::from(address));
    assert!(matches!(error.cause(), CallError::Decode(_)), "{error:?}");
    let down = unused_address().await;
    let riak = Riak::over(self::cluster(&[down, address], ClusterConfig::new()));
    for _ in 0..50 {
        let CallError::Tried(tried) = riak.kv().get(get()).await.unwrap_err() else { panic!() };
        if tried.attempts()[0].node == NodeAddress::from(down) {
            assert_eq!(tried.last().node, NodeAddress::from(address));
            break;
        }
    }
    assert!(riak.stats().repeats > 0, "no call ever tried the node that is down");
    let (address, down) = (scripted_server(Some(MODIFIED)).await.0, unused_address().await);
    let riak = Riak::over(self::cluster(&[down, address], ClusterConfig::new()));
    let mut alone = 0;
    while alone < 20 {
        let error = riak.kv().get(get()).await.unwrap_err();
        assert_eq!(error.server_error().unwrap().node, Some(NodeAddress::from(address)));
        if let CallError::Tried(tried) = &error {
            assert_eq!(tried.attempts()[0].node, NodeAddress::from(down));
            break;
        }
        alone += 1;
    }
    assert!(alone < 20, "no call ever tried the node that is down");

    let target = NodeAddress::new("unused_address.example.com", 1);
    let riak = Riak::over(Cluster::new([target.clone()], Arc::new(NeverConnects), ClusterConfig::new()));
    let quick = riak.with(CallOptions::new().timeout(Duration::from_millis(50)));
    let error = quick.kv().get(get()).await.unwrap_err();
    let CallError::Tried(tried) = &error else { panic!("{error:?}") };
    assert_eq!(tried.last().node, target);
    assert!(matches!(error.cause(), CallError::NotSent(NotSent::Connecting { .. })), "{error:?}");
}

/// The limits are a setting of the connection, whether a cluster or a single connection
/// carries the calls.
#[tokio::test]
async fn decoding_respects_the_limits_of_the_connection() {
    let node = Node::builder().ring_size(1).part_size(20_000).start().await.unwrap();
    for number in 0..10_000 {
        let content = RpbContent::new("v");
        let put = RpbPutReq { key: Some(format!("{number}").into()), ..RpbPutReq::new("b", content) };
        node.store().put(&put).unwrap();
    }
    let limits = DecodeLimits::new().expansion(2);
    for (limits, fits) in [(DecodeLimits::DEFAULT, true), (limits, false)] {
        let config = ConnectionConfig::new().decode_limits(limits);
        let connection = Connection::connect_with(node.addr(), config.clone()).await.unwrap();
        let connector = Arc::new(TcpConnector::new(config));
        let cluster = Cluster::new([NodeAddress::from(node.addr())], connector, ClusterConfig::new());
        check_limits(&Riak::over(connection), fits).await;
        check_limits(&Riak::over(cluster.clone()).with(CallOptions::new()), fits).await;
    }
}

async fn check_limits<C: Call>(riak: &Riak<C>, fits: bool) {
    let all = RpbIndexReq { key: Some("b".into()), ..RpbIndexReq::new("b", "$bucket", IndexQueryType::Eq) };
    let too_much = |error: &CallError| matches!(error.cause(), CallError::Decode(error) if error.to_string().contains("DecodeLimits::expansion"));
    let answer = riak.kv().index(&all).await.map(|answer| answer.keys.len());
    assert!(if fits { answer.unwrap() == 10_000 } else { too_much(&answer.unwrap_err()) });
    let mut stream = riak.kv().index_stream(&all).await.unwrap();
    let chunk = stream.next().await.unwrap();
    assert!(chunk.is_ok() == fits && chunk.err().as_ref().is_none_or(too_much));
}
