//! Complaints about connections: 1, 2, 4, 5, 12 and 13.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use riak_client::riak::RpbPair;
use riak_client::riak_kv::rpb_index_req::IndexQueryType;
use riak_client::riak_kv::{RpbContent, RpbIndexReq, RpbListKeysReq, RpbListKeysResp, RpbPutReq};
use riak_client::{CallError, CallOptions, ClientConfig, Coded, Connection, ConnectionConfig, Frame, Riak};
use riak_runtime::Blob;
use riak_runtime::client::{ClusterConfig, NotSent, PoolConfig, QueueLimit};
use riak_runtime::operation::ErrorFrame;
use riak_runtime::server::{Failure, Outbox, Service};
use riak_testkit::{Node, Store};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::server::{gated, get, node_address, put, until};

/// A late answer is discarded in its slot, however the call was given up.
///
/// The runtime's `cancellation` drops a call at every possible point, `pipeline` covers every
/// order of events, and `soak` makes a million calls.
#[tokio::test]
async fn no_01_a_late_answer_never_reaches_another_call() {
    let gate = Arc::new(Semaphore::new(0));
    let node = gated(100, &gate).await;
    let riak = Riak::connect_one(node.addr(), ConnectionConfig::new().max_owed(1000)).await.unwrap();
    let mut given_up = 0;
    for key in 0..100 {
        let key = key.to_string();
        // No answer arrives before the gate opens.
        let quick = riak.with(CallOptions::new().timeout(Duration::from_millis(1)));
        given_up += usize::from(quick.kv().get(get("0")).await.is_err());
        let call = riak.kv();
        let dropped = tokio::time::timeout(Duration::from_millis(1), call.get(get("1"))).await;
        given_up += usize::from(dropped.is_err());
        gate.add_permits(3);
        let found = riak.kv().get(get(&key)).await.unwrap();
        assert_eq!(found.content[0].value, key);
        // What is left if a call was given up before it was sent.
        gate.forget_permits(3);
    }
    assert_eq!(given_up, 200);
}

/// Dropping a stream closes its connection and no other.
#[tokio::test]
async fn no_02_a_dropped_stream_leaves_no_answers_for_other_calls() {
    let node = Node::builder().part_size(10).start().await.unwrap();
    let riak = Riak::connect(node.addr()).await.unwrap();
    assert!(
        riak.bulk().put_many((0..200).map(|n| put(&n.to_string()))).all().await.iter().all(Result::is_ok)
    );
    let list = RpbListKeysReq::new("b");
    for chunks in 0..20 {
        let mut keys = riak.kv().list_keys(&list).await.unwrap();
        for _ in 0..chunks {
            keys.next().await.unwrap().unwrap();
        }
        drop(keys);
        let found = riak.kv().get(get(&chunks.to_string())).await.unwrap();
        assert_eq!(found.content[0].value, chunks.to_string());
        let all = riak.kv().list_keys(&list).await.unwrap().all().await.unwrap();
        assert_eq!(all.iter().map(|chunk| chunk.keys.len()).sum::<usize>(), 200);
    }
    let stats = riak.stats();
    assert_eq!((stats.nodes[0].pool.streams, stats.nodes[0].in_flight), (0, 0));
    let kept = stats.nodes[0].pool.connections + 1;
    until("those of dropped streams are closed", || node.connections() <= kept).await;
}

/// Five hundred calls share sixteen connections. Calls beyond the limit of the queue fail at
/// once.
#[tokio::test]
async fn no_04_many_calls_share_few_connections_and_a_bounded_queue() {
    let gate = Arc::new(Semaphore::new(0));
    let node = gated(1, &gate).await;
    let riak = Riak::connect(node.addr()).await.unwrap();
    let mut running = JoinSet::new();
    for _ in 0..500 {
        let riak = riak.clone();
        running.spawn(async move { riak.kv().get(get("0")).await });
    }
    until("all are under way", || riak.stats().nodes[0].in_flight == 500).await;
    until("all connections are open", || riak.stats().nodes[0].pool.connections == 16).await;
    assert_eq!(node.connections(), 16);
    gate.add_permits(Semaphore::MAX_PERMITS / 2);
    assert!(running.join_all().await.iter().all(Result::is_ok));

    let gate = Arc::new(Semaphore::new(0));
    let node = gated(1, &gate).await;
    let config = ClientConfig::new([node_address(&node)])
        .connection(ConnectionConfig::new().max_in_flight(2).max_queued(3))
        .cluster(ClusterConfig::new().pool(PoolConfig::new().max_connections(1)));
    let riak = Riak::connect(config).await.unwrap();
    let mut running = JoinSet::new();
    for _ in 0..5 {
        let riak = riak.clone();
        running.spawn(async move { riak.kv().get(get("0")).await });
    }
    until("all are under way", || riak.stats().nodes[0].in_flight == 5).await;
    until("three wait their turn", || riak.stats().nodes[0].pool.waiting == 3).await;
    let error = riak.kv().get(get("0")).await.unwrap_err();
    assert!(
        matches!(error.cause(), CallError::NotSent(NotSent::QueueFull { max: QueueLimit::Calls(3) })),
        "{error:?}"
    );
    gate.add_permits(100);
    assert!(running.join_all().await.iter().all(Result::is_ok), "those that wait are woken one by one");
}

/// A call that has waited for its turn for half of its time is not sent, so a call that is sent
/// always has the other half left. Expired calls take no time from the others.
#[tokio::test]
async fn no_05_an_overloaded_client_sends_no_call_that_is_about_to_expire() {
    let gate = Arc::new(Semaphore::new(0));
    let node = gated(1, &gate).await;
    let config = ConnectionConfig::new().max_in_flight(1).wait_timeout(None);
    let connection = Connection::connect_with(node.addr(), config).await.unwrap();
    let riak = Riak::over(connection.clone());
    let mut running = JoinSet::new();
    for _ in 0..100 {
        let riak = riak.clone();
        running.spawn(async move {
            let patient = riak.with(CallOptions::new().timeout(Duration::from_secs(60)));
            patient.kv().get(get("0")).await.map(|_| ())
        });
    }
    until("one is sent", || (connection.in_flight(), connection.waiting()) == (1, 99)).await;
    // Slightly more than half of their time passes at once.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(31)).await;
    for _ in 0..99 {
        let error = running.join_next().await.unwrap().unwrap().unwrap_err();
        assert!(matches!(error, CallError::Timeout { sent: false, .. }), "sent in vain: {error}");
    }
    tokio::time::resume();
    assert_eq!((connection.in_flight(), connection.waiting()), (1, 0));
    // The server has two requests only: the one that was sent, and the next one.
    gate.add_permits(2);
    running.join_next().await.unwrap().unwrap().expect("it has half of its time left");
    riak.kv().get(get("0")).await.unwrap();
}

/// Many calls are in flight at once, and each has its own result.
#[tokio::test]
async fn no_12_bulk_calls_run_concurrently_and_fail_individually() {
    let gate = Arc::new(Semaphore::new(0));
    let node = gated(1000, &gate).await;
    let riak = Riak::connect(node.addr()).await.unwrap();
    let requests = (0..1000).map(|n| if n % 100 == 7 { get("") } else { get(&n.to_string()) });
    let bulk = riak.clone();
    let results = tokio::spawn(async move { bulk.bulk().concurrency(200).get_many(requests).all().await });
    // No call has been answered yet: none waits for the answer to another.
    until("two hundred are in flight", || riak.stats().nodes[0].in_flight == 200).await;
    gate.add_permits(1000);
    for (number, result) in results.await.unwrap().into_iter().enumerate() {
        match result {
            Ok(found) => assert_eq!(found.content[0].value, number.to_string()),
            Err(error) => assert!(number % 100 == 7 && error.server_error().is_some(), "{number}: {error}"),
        }
    }
}

/// Lists keys for as long as the client reads, and counts the chunks sent.
struct Endless {
    sent: Arc<AtomicUsize>,
}

/// The number of keys in a chunk, each of a hundred bytes.
const CHUNK: usize = 100;
/// The number of chunks, which hold a hundred million bytes in all.
const CHUNKS: usize = 10_000;

impl Service for Endless {
    fn serves(&self, code: u8) -> bool {
        code == RpbListKeysReq::CODE
    }

    fn error_frame(&self, _: Option<u8>) -> Option<ErrorFrame> {
        Some(ErrorFrame::RIAK)
    }

    async fn call(&self, request: Frame, outbox: &mut Outbox) -> Result<(), Failure> {
        outbox.decode::<RpbListKeysReq>(&request)?;
        let keys = vec![Blob::from(vec![b'k'; 100]); CHUNK];
        let chunk = RpbListKeysResp { keys, ..RpbListKeysResp::default() };
        let mut replies = outbox.replies::<RpbListKeysReq>();
        for _ in 0..CHUNKS {
            replies.send(&chunk).await?;
            self.sent.fetch_add(1, Ordering::Relaxed);
        }
        replies.finish().await
    }
}

/// A slow consumer stops the server, other calls continue inside the loop, and pages follow one
/// another.
///
/// The runtime's `deadlines` tests the idle timeout of streams.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_13_a_stream_is_read_only_as_fast_as_it_is_consumed() {
    let sent = Arc::new(AtomicUsize::new(0));
    let node = Node::builder().with_service(Endless { sent: Arc::clone(&sent) }).start().await.unwrap();
    let riak = Riak::connect(node.addr()).await.unwrap();
    let mut keys = riak.kv().list_keys(RpbListKeysReq::new("b")).await.unwrap();
    let mut previous = usize::MAX;
    while sent.load(Ordering::Relaxed) != previous {
        previous = sent.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert!(previous < CHUNKS / 2, "{previous} chunks were sent to a client that does not read");
    let mut seen = 0;
    while let Some(chunk) = keys.next().await {
        let chunk = chunk.unwrap();
        seen += chunk.keys.len();
        if seen % (1000 * CHUNK) == 0 {
            riak.kv().put(put("k")).await.unwrap();
        }
    }
    assert_eq!(seen, CHUNK * CHUNKS);
    // Drop another stream half-way: the pool stays usable, and the server stops sending.
    let mut keys = riak.kv().list_keys(RpbListKeysReq::new("b")).await.unwrap();
    while sent.load(Ordering::Relaxed) < CHUNKS + CHUNKS / 2 {
        keys.next().await.unwrap().unwrap();
    }
    drop(keys);
    let pool = riak.stats().nodes[0].pool;
    assert_eq!((pool.streams, pool.in_flight, pool.waiting), (0, 0, 0));
    until("its connection is closed", || node.connections() <= pool.connections + 1).await;
    riak.kv().get(get("k")).await.unwrap();

    let store = Store::new();
    for number in 0..25 {
        let term = RpbPair { value: Some(number.to_string().into()), ..RpbPair::new("n_int") };
        let content = RpbContent { indexes: vec![term], ..RpbContent::new("v") };
        let put = RpbPutReq { key: Some(number.to_string().into()), ..RpbPutReq::new("b", content) };
        store.put(&put).unwrap();
    }
    let node = Node::builder().store(store).start().await.unwrap();
    let riak = Riak::connect(node.addr()).await.unwrap();
    let query = RpbIndexReq {
        range_min: Some("0".into()),
        range_max: Some("99".into()),
        max_results: Some(10),
        ..RpbIndexReq::new("b", "n_int", IndexQueryType::Range)
    };
    let (mut pages, mut found) = (riak.index_pages(query), Vec::new());
    while let Some(page) = pages.next().await.unwrap() {
        assert!(page.len() <= 10);
        found.extend(page.into_iter().map(|entry| entry.key.to_string_lossy().parse::<usize>().unwrap()));
    }
    assert_eq!(found, (0..25).collect::<Vec<_>>());
}
