//! Several nodes, called as if they were one: spread, failover, repetition, and
//! what a caller is told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use riak_client::riak_kv::rpb_index_req::IndexQueryType;
use riak_client::riak_kv::{RpbContent, RpbDelReq, RpbGetReq, RpbIndexReq, RpbListKeysReq, RpbPutReq};
use riak_client::{Call, CallError, CallOptions, Connection, ConnectionConfig, Node as Place, Riak};
use riak_runtime::DecodeLimits;
use riak_runtime::client::{
    BreakerConfig, BreakerState, Cluster, ClusterConfig, Connecting, ConnectionError, Connector, NotSent,
    PoolConfig, RetryConfig, TcpConnector,
};
use riak_testkit::{Node, Store};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

fn cluster(addresses: &[SocketAddr], config: ClusterConfig) -> Cluster {
    let connector = TcpConnector::new(ConnectionConfig::new().connect_timeout(Duration::from_secs(2)));
    Cluster::new(addresses.iter().copied().map(Place::from), Arc::new(connector), config)
}

/// Nodes that share what they store, as those of a cluster do.
async fn nodes(count: usize) -> (Store, Vec<Node>) {
    let store = Node::builder().build_store();
    let mut nodes = Vec::new();
    for _ in 0..count {
        nodes.push(Node::builder().store(store.clone()).start().await.unwrap());
    }
    (store, nodes)
}

fn addresses(nodes: &[Node]) -> Vec<SocketAddr> {
    nodes.iter().map(Node::addr).collect()
}

/// An address where nobody listens.
async fn nowhere() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// A server that answers each request with the same frame, or with nothing, and
/// counts them.
async fn scripted(answer: Option<&'static [u8]>) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(answer_all(socket, answer, Arc::clone(&counted)));
        }
    });
    (address, requests)
}

async fn answer_all(mut socket: TcpStream, answer: Option<&'static [u8]>, requests: Arc<AtomicUsize>) {
    while let Ok(len) = socket.read_u32().await {
        let mut body = vec![0; len as usize];
        if socket.read_exact(&mut body).await.is_err() {
            return;
        }
        requests.fetch_add(1, Ordering::Relaxed);
        if let Some(answer) = answer
            && socket.write_all(answer).await.is_err()
        {
            return;
        }
    }
}

static UNKNOWN_CODE: &[u8] = b"\0\0\0\x1c\0\x0a\x17Unknown message code: 9\x10\0";
static MODIFIED: &[u8] = b"\0\0\0\x0d\0\x0a\x08modified\x10\0";
static OVERLOAD: &[u8] = b"\0\0\0\x0d\0\x0a\x08overload\x10\0";

fn get() -> RpbGetReq {
    RpbGetReq::new("b", "k")
}

fn put() -> RpbPutReq {
    RpbPutReq { key: Some("k".into()), ..RpbPutReq::new("b", RpbContent::new("v")) }
}

fn calls(cluster: &Cluster) -> Vec<u64> {
    cluster.stats().nodes.iter().map(|node| node.calls).collect()
}

#[tokio::test]
async fn calls_are_spread_evenly() {
    let (_store, nodes) = nodes(3).await;
    let cluster = cluster(&addresses(&nodes), ClusterConfig::new());
    cluster.connect().await.unwrap();
    let riak = Riak::over(cluster.clone());
    riak.kv().put(put()).await.unwrap();
    for _ in 0..20 {
        let mut running = tokio::task::JoinSet::new();
        for _ in 0..30 {
            let riak = riak.clone();
            running.spawn(async move { riak.kv().get(get()).await.unwrap() });
        }
        while let Some(found) = running.join_next().await {
            assert_eq!(found.unwrap().content[0].value, "v");
        }
    }
    let calls = calls(&cluster);
    assert!(calls.iter().all(|&calls| (100..300).contains(&calls)), "{calls:?}");
    assert!(cluster.stats().nodes.iter().all(|node| node.in_flight == 0 && node.pool.in_flight == 0));
}

#[tokio::test]
async fn a_node_that_is_away_costs_nothing_but_attempts() {
    let (_store, nodes) = nodes(2).await;
    let mut places = addresses(&nodes);
    places.insert(0, nowhere().await);
    let cluster = cluster(&places, ClusterConfig::new());
    let riak = Riak::over(cluster.clone());
    for _ in 0..100 {
        // Even what must not be repeated: it was not sent.
        riak.kv().put(put()).await.unwrap();
        riak.kv().get(get()).await.unwrap();
    }
    let stats = cluster.stats();
    assert_eq!(stats.nodes[0].breaker, BreakerState::Open);
    assert!(stats.nodes[0].calls < 10, "{:?}", stats.nodes[0]);
}

#[tokio::test]
async fn an_error_names_all_nodes_that_were_tried() {
    let places = [nowhere().await, nowhere().await];
    let cluster = cluster(&places, ClusterConfig::new().retry(RetryConfig::new().max_attempts(2)));
    let error = Riak::over(cluster.clone()).kv().get(get()).await.unwrap_err();
    let CallError::Tried(tried) = &error else { panic!("{error:?}") };
    let mut tried: Vec<_> = tried.attempts().iter().map(|attempt| attempt.node.clone()).collect();
    tried.sort();
    let mut expected: Vec<_> = places.iter().copied().map(Place::from).collect();
    expected.sort();
    assert_eq!(tried, expected);
    assert!(!error.may_have_been_applied());
    assert!(matches!(error.connection_error(), Some(ConnectionError::Io(_))), "{error:?}");
    for place in &places {
        assert!(error.to_string().contains(&place.to_string()), "{error}");
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

#[tokio::test]
async fn a_node_that_hangs_costs_a_call_half_of_its_time() {
    let (_store, nodes) = nodes(2).await;
    let (hanging, requests) = scripted(None).await;
    let mut places = addresses(&nodes);
    places.push(hanging);
    let cluster = cluster(&places, ClusterConfig::new());
    let riak = Riak::over(cluster.clone());
    let quick = riak.with(CallOptions::new().timeout(Duration::from_millis(400)));
    for _ in 0..50 {
        quick.kv().get(get()).await.unwrap();
    }
    assert!(requests.load(Ordering::Relaxed) >= 1, "it was never tried");
    // Once it is known to hang, it is only probed.
    assert!(requests.load(Ordering::Relaxed) < 20, "{requests:?}");
}

#[tokio::test]
async fn what_may_have_been_applied_is_not_repeated() {
    let (hanging, requests) = scripted(None).await;
    let (also_hanging, others) = scripted(None).await;
    let cluster = cluster(&[hanging, also_hanging], ClusterConfig::new());
    let riak = Riak::over(cluster);
    let quick = riak.with(CallOptions::new().timeout(Duration::from_millis(100)));
    let sent = || requests.load(Ordering::Relaxed) + others.load(Ordering::Relaxed);
    let error = quick.kv().put(put()).await.unwrap_err();
    assert!(error.may_have_been_applied(), "{error}");
    assert!(matches!(error.cause(), CallError::Timeout { sent: true, .. }), "{error:?}");
    assert_eq!(sent(), 1);
    // A delete without a causal context deletes what others have written since.
    quick.kv().delete(RpbDelReq::new("b", "k")).await.unwrap_err();
    assert_eq!(sent(), 2);
    let with_context = RpbDelReq { vclock: Some("c".into()), ..RpbDelReq::new("b", "k") };
    // Half of the time for the first attempt, a quarter for the second.
    let patient = riak.with(CallOptions::new().timeout(Duration::from_secs(1)));
    patient.kv().delete(with_context).await.unwrap_err();
    assert_eq!(sent(), 2 + 3);
    // Unless the caller says that it does no harm.
    let options =
        CallOptions::new().timeout(Duration::from_secs(1)).retry(riak_runtime::operation::Retry::Safe);
    riak.with(options).kv().put(put()).await.unwrap_err();
    assert_eq!(sent(), 5 + 3);
}

#[tokio::test]
async fn a_node_that_starts_is_passed_over() {
    let (_store, nodes) = nodes(1).await;
    let (starting, requests) = scripted(Some(UNKNOWN_CODE)).await;
    let cluster = cluster(&[nodes[0].addr(), starting], ClusterConfig::new());
    let riak = Riak::over(cluster.clone());
    for _ in 0..100 {
        riak.kv().get(get()).await.unwrap();
    }
    assert!(requests.load(Ordering::Relaxed) < 20, "{requests:?}");
    assert_eq!(cluster.stats().nodes[1].breaker, BreakerState::Open);
}

#[tokio::test]
async fn repetitions_are_bounded_in_number_and_as_a_share() {
    let (first, one) = scripted(Some(OVERLOAD)).await;
    let (second, other) = scripted(Some(OVERLOAD)).await;
    let retry = RetryConfig::new().max_attempts(3).budget_percent(10).budget_reserve(5);
    let breaker = BreakerConfig::new().failures(1_000_000);
    let cluster = cluster(&[first, second], ClusterConfig::new().retry(retry).breaker(breaker));
    let riak = Riak::over(cluster);
    let sent = || one.load(Ordering::Relaxed) + other.load(Ordering::Relaxed);
    let error = riak.kv().get(get()).await.unwrap_err();
    assert_eq!(sent(), 3);
    assert_eq!(error.server_error().unwrap().text, "overload");
    assert!(error.server_error().unwrap().node.is_some());
    for _ in 0..99 {
        riak.kv().get(get()).await.unwrap_err();
    }
    assert!((105..=116).contains(&sent()), "{}", sent());
}

#[tokio::test]
async fn nodes_come_and_go() {
    let (_store, nodes) = nodes(2).await;
    let cluster = cluster(&[nodes[0].addr()], ClusterConfig::new());
    let riak = Riak::over(cluster.clone());
    riak.kv().put(put()).await.unwrap();
    cluster.set_nodes(addresses(&nodes).into_iter().map(Place::from));
    assert_eq!(cluster.stats().nodes[0].calls, 1, "it is the same node");
    cluster.set_nodes([Place::from(nodes[1].addr()), Place::from(nodes[1].addr())]);
    assert_eq!(cluster.nodes(), [Place::from(nodes[1].addr())]);
    riak.kv().get(get()).await.unwrap();
    // The connections to the other one are closed.
    while nodes[0].connections() != 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn streams_have_connections_of_their_own_and_give_them_back() {
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
    // Unary calls go on beside them.
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

/// Never gets there.
#[derive(Debug)]
struct Nowhere;

impl Connector for Nowhere {
    fn connect<'a>(&'a self, _: &'a Place) -> Connecting<'a> {
        Box::pin(std::future::pending())
    }
}

/// An error names the node also when it comes in the middle of a stream, and
/// when a call never got further than waiting for a connection.
#[tokio::test]
async fn errors_name_the_node_wherever_they_come_up() {
    // A chunk of keys, and then half of a frame.
    let (address, _) = scripted(Some(b"\0\0\0\x04\x12\x0a\x01a\0\0\0\0")).await;
    let cluster = cluster(&[nowhere().await, address], ClusterConfig::new());
    let riak = Riak::over(cluster);
    for _ in 0..4 {
        let mut keys = riak.kv().list_keys(RpbListKeysReq::new("b")).await.unwrap();
        assert_eq!(keys.next().await.unwrap().unwrap().keys, ["a"]);
        let error = keys.next().await.unwrap().unwrap_err();
        let CallError::Tried(tried) = &error else { panic!("{error:?}") };
        assert_eq!(tried.last().node, Place::from(address));
        assert!(matches!(error.connection_error(), Some(ConnectionError::Frame(_))), "{error:?}");
    }

    // A get's answer without its end, and an error after a node was not there.
    let (address, _) = scripted(Some(b"\0\0\0\x03\x0a\x0a\x05")).await;
    let error =
        Riak::over(self::cluster(&[address], ClusterConfig::new())).kv().get(get()).await.unwrap_err();
    let CallError::Tried(tried) = &error else { panic!("{error:?}") };
    assert_eq!(tried.last().node, Place::from(address));
    assert!(matches!(error.cause(), CallError::Decode(_)), "{error:?}");
    let away = nowhere().await;
    let riak = Riak::over(self::cluster(&[away, address], ClusterConfig::new()));
    for _ in 0..50 {
        let CallError::Tried(tried) = riak.kv().get(get()).await.unwrap_err() else { panic!() };
        if tried.attempts()[0].node == Place::from(away) {
            assert_eq!(tried.last().node, Place::from(address));
            break;
        }
    }
    assert!(riak.stats().repeats > 0, "no call ever tried the node that is away");
    let (address, away) = (scripted(Some(MODIFIED)).await.0, nowhere().await);
    let riak = Riak::over(self::cluster(&[away, address], ClusterConfig::new()));
    let mut alone = 0;
    while alone < 20 {
        let error = riak.kv().get(get()).await.unwrap_err();
        assert_eq!(error.server_error().unwrap().node, Some(Place::from(address)));
        if let CallError::Tried(tried) = &error {
            assert_eq!(tried.attempts()[0].node, Place::from(away));
            break;
        }
        alone += 1;
    }
    assert!(alone < 20, "no call ever tried the node that is away");

    let place = Place::new("nowhere.example.com", 1);
    let riak = Riak::over(Cluster::new([place.clone()], Arc::new(Nowhere), ClusterConfig::new()));
    let quick = riak.with(CallOptions::new().timeout(Duration::from_millis(50)));
    let error = quick.kv().get(get()).await.unwrap_err();
    let CallError::Tried(tried) = &error else { panic!("{error:?}") };
    assert_eq!(tried.last().node, place);
    assert!(matches!(error.cause(), CallError::NotSent(NotSent::Connecting { .. })), "{error:?}");
}

/// What decoding may cost is a connection's setting, whatever carries the calls.
#[tokio::test]
async fn decoding_stays_within_the_limits_of_the_connection() {
    let node = Node::builder().ring_size(1).part_size(20_000).start().await.unwrap();
    for number in 0..10_000 {
        let content = RpbContent::new("v");
        let put = RpbPutReq { key: Some(format!("{number}").into()), ..RpbPutReq::new("b", content) };
        node.store().put(&put).unwrap();
    }
    let limits = DecodeLimits { expansion: 2, ..DecodeLimits::DEFAULT };
    for (limits, fits) in [(DecodeLimits::DEFAULT, true), (limits, false)] {
        let config = ConnectionConfig::new().decode_limits(limits);
        let connection = Connection::connect_with(node.addr(), config.clone()).await.unwrap();
        let connector = Arc::new(TcpConnector::new(config));
        let cluster = Cluster::new([Place::from(node.addr())], connector, ClusterConfig::new());
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

/// What is closed stays closed: no source of nodes opens it again.
#[tokio::test]
async fn a_closed_cluster_takes_no_new_nodes() {
    let (_store, nodes) = nodes(2).await;
    let cluster = cluster(&[nodes[0].addr()], ClusterConfig::new());
    let riak = Riak::over(cluster.clone());
    riak.kv().put(put()).await.unwrap();
    riak.close().await;
    cluster.set_nodes(addresses(&nodes).into_iter().map(Place::from));
    for _ in 0..10 {
        let error = riak.kv().get(get()).await.unwrap_err();
        assert!(matches!(error.connection_error(), Some(ConnectionError::Stopped)), "{error:?}");
    }
    assert!(cluster.connect().await.is_err());
    assert_eq!(nodes[1].connections(), 0);
}

/// Who gives up waiting has closed it all the same, even before any task ran.
#[tokio::test]
async fn closing_that_is_given_up_takes_no_more_calls() {
    let (address, requests) = scripted(None).await;
    let cluster = cluster(&[address], ClusterConfig::new());
    let riak = Riak::over(cluster.clone());
    let waits = riak.clone();
    let waits = tokio::spawn(async move { waits.kv().get(get()).await.map(drop) });
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
    assert!(!waits.is_finished(), "what there was goes on");
    waits.abort();
}

#[tokio::test]
async fn closing_waits_for_calls_and_leaves_nothing() {
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
