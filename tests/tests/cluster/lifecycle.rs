//! Nodes that are added and removed, connections of streams, and closing a cluster.

use std::sync::atomic::Ordering;
use std::time::Duration;

use riak_client::riak_kv::{RpbContent, RpbGetReq, RpbListKeysReq, RpbPutReq};
use riak_client::{CallError, Node as NodeAddress, Riak};
use riak_runtime::client::{ClusterConfig, ConnectionError, NotSent, PoolConfig};
use riak_testkit::Node;

use crate::support::{addresses, cluster, get, nodes, put, scripted_server};

#[tokio::test]
async fn the_set_of_nodes_can_be_replaced() {
    let (_store, nodes) = nodes(2).await;
    let cluster = cluster(&[nodes[0].addr()], ClusterConfig::new());
    let riak = Riak::over(cluster.clone());
    riak.kv().put(put()).await.unwrap();
    cluster.set_nodes(addresses(&nodes).into_iter().map(NodeAddress::from));
    assert_eq!(cluster.stats().nodes[0].calls, 1, "it is the same node");
    cluster.set_nodes([NodeAddress::from(nodes[1].addr()), NodeAddress::from(nodes[1].addr())]);
    assert_eq!(cluster.nodes(), [NodeAddress::from(nodes[1].addr())]);
    riak.kv().get(get()).await.unwrap();
    // The connections to the removed node are closed.
    while nodes[0].connections() != 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn streams_lease_connections_and_return_them_to_the_pool() {
    let node = Node::builder().part_size(10).part_time(Duration::from_millis(2)).start().await.unwrap();
    let pool = PoolConfig::new().max_streams(2).wait_timeout(Duration::from_millis(50));
    let cluster = cluster(&[node.addr()], ClusterConfig::new().pool(pool));
    let riak = Riak::over(cluster.clone());
    for number in 0..200 {
        let request =
            RpbPutReq { key: Some(format!("{number}").into()), ..RpbPutReq::new("b", RpbContent::new("v")) };
        riak.kv().put(request).await.unwrap();
    }
    let list = RpbListKeysReq::new("b");
    let mut first = riak.kv().list_keys(&list).await.unwrap();
    let second = riak.kv().list_keys(&list).await.unwrap();
    assert_eq!(cluster.stats().nodes[0].pool.streams, 2);
    let third = riak.kv().list_keys(&list).await;
    let Err(error) = third else { panic!("there is no connection for it") };
    assert!(matches!(error.cause(), CallError::NotSent(NotSent::PoolTimeout { .. })), "{error:?}");
    // Unary calls continue while streams are open.
    riak.kv().get(RpbGetReq::new("b", "7")).await.unwrap();
    drop(second);
    let mut keys = 0;
    while let Some(chunk) = first.next().await {
        keys += chunk.unwrap().keys.len();
    }
    assert_eq!(keys, 200);
    let before = cluster.stats().nodes[0].pool.connects;
    let chunks = riak.kv().list_keys(&list).await.unwrap().all().await.unwrap();
    assert_eq!(chunks.iter().map(|chunk| chunk.keys.len()).sum::<usize>(), 200);
    assert_eq!(cluster.stats().nodes[0].pool.connects, before, "the first one's connection is used again");
    assert_eq!(cluster.stats().nodes[0].pool.streams, 0);
}

/// Setting new nodes does not reopen a closed cluster.
#[tokio::test]
async fn a_closed_cluster_accepts_no_new_nodes() {
    let (_store, nodes) = nodes(2).await;
    let cluster = cluster(&[nodes[0].addr()], ClusterConfig::new());
    let riak = Riak::over(cluster.clone());
    riak.kv().put(put()).await.unwrap();
    riak.close().await;
    cluster.set_nodes(addresses(&nodes).into_iter().map(NodeAddress::from));
    for _ in 0..10 {
        let error = riak.kv().get(get()).await.unwrap_err();
        assert!(matches!(error.connection_error(), Some(ConnectionError::Stopped)), "{error:?}");
    }
    assert!(cluster.connect().await.is_err());
    assert_eq!(nodes[1].connections(), 0);
}

/// Dropping the future of `close` does not undo it, even before any task has run.
#[tokio::test]
async fn a_cluster_stays_closed_if_the_close_future_is_dropped() {
    let (address, requests) = scripted_server(None).await;
    let cluster = cluster(&[address], ClusterConfig::new());
    let riak = Riak::over(cluster.clone());
    let waiting = riak.clone();
    let waiting = tokio::spawn(async move { waiting.kv().get(get()).await.map(drop) });
    while requests.load(Ordering::Relaxed) == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let mut closing = Box::pin(cluster.close());
    std::future::poll_fn(|context| {
        assert!(closing.as_mut().poll(context).is_pending(), "a call is in flight");
        std::task::Poll::Ready(())
    })
    .await;
    drop(closing);
    let error = riak.kv().get(get()).await.unwrap_err();
    assert!(matches!(error.connection_error(), Some(ConnectionError::Stopped)), "{error:?}");
    assert_eq!(cluster.stats().repeats, 0, "nor are any made again");
    assert!(!waiting.is_finished(), "what there was goes on");
    waiting.abort();
}

#[tokio::test]
async fn closing_waits_for_calls_and_closes_all_connections() {
    let node = Node::start().await.unwrap();
    let cluster = cluster(&[node.addr()], ClusterConfig::new());
    let riak = Riak::over(cluster.clone());
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let riak = riak.clone();
        running.spawn(async move { riak.kv().put(put()).await });
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
    cluster.close().await;
    while let Some(result) = running.join_next().await {
        if let Err(error) = result.unwrap() {
            assert!(!error.may_have_been_applied(), "{error}");
        }
    }
    let error = riak.kv().get(get()).await.unwrap_err();
    assert!(matches!(error.connection_error(), Some(ConnectionError::Stopped)), "{error:?}");
    while node.connections() != 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
