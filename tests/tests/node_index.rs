//! Secondary indexes and listings, through the generated client.
//!
//! Invariant: `replay_node` covers what the recorded exchanges show. These tests cover what none
//! of them shows.

use std::collections::BTreeSet;
use std::time::Duration;

use riak_client::riak::RpbPair;
use riak_client::riak_kv::rpb_index_req::IndexQueryType;
use riak_client::riak_kv::{
    RpbCSBucketReq, RpbContent, RpbDelReq, RpbIndexReq, RpbListBucketsReq, RpbListKeysReq, RpbPutReq,
};
use riak_client::{CallError, Riak, ServerErrorKind};
use riak_runtime::Blob;
use riak_testkit::{Node, NodeBuilder, Store};

/// Integer terms in ascending order, some of which exceed 64 bits.
const NUMBERS: [&str; 9] = [
    "-100000000000000000000",
    "-12",
    "-3",
    "0",
    "7",
    "10",
    "4294967296",
    "18446744073709551616",
    "100000000000000000000",
];

fn put(store: &Store, key: &str, indexes: &[(&str, &str)]) {
    let pair = |(name, term): &(&str, &str)| RpbPair { value: Some((*term).into()), ..RpbPair::new(*name) };
    let content = RpbContent { indexes: indexes.iter().map(pair).collect(), ..RpbContent::new("v") };
    store.put(&RpbPutReq { key: Some(key.into()), ..RpbPutReq::new("b", content) }).unwrap();
}

async fn start_filled(builder: NodeBuilder) -> (Node, Riak) {
    let node = builder.start().await.unwrap();
    for (index, number) in NUMBERS.iter().enumerate() {
        put(
            node.store(),
            &format!("k{index}"),
            &[("n_int", number), ("s_bin", &format!("t{}", index % 3)), ("m_bin", "a"), ("m_bin", "b")],
        );
    }
    let riak = Riak::connect(node.addr()).await.unwrap();
    (node, riak)
}

fn eq(index: &str, term: &str) -> RpbIndexReq {
    RpbIndexReq { key: Some(term.into()), ..RpbIndexReq::new("b", index, IndexQueryType::Eq) }
}

fn range(index: &str, min: &str, max: &str) -> RpbIndexReq {
    let ends =
        RpbIndexReq { range_min: Some(min.into()), range_max: Some(max.into()), ..RpbIndexReq::default() };
    RpbIndexReq { bucket: "b".into(), index: index.into(), qtype: IndexQueryType::Range, ..ends }
}

async fn keys(riak: &Riak, request: &RpbIndexReq) -> Vec<String> {
    let mut keys: Vec<_> = riak
        .kv()
        .index(request)
        .await
        .unwrap()
        .keys
        .iter()
        .map(|key| key.to_string_lossy().into_owned())
        .collect();
    keys.sort();
    keys
}

#[tokio::test]
async fn integers_are_compared_as_numbers_of_any_size() {
    let (_node, riak) = start_filled(Node::builder()).await;
    let all = RpbIndexReq {
        return_terms: Some(true),
        pagination_sort: Some(true),
        ..range("n_int", "-999999999999999999999", "999999999999999999999")
    };
    let found = riak.kv().index(&all).await.unwrap();
    let terms: Vec<_> = found.results.iter().map(|pair| pair.key.to_string_lossy().into_owned()).collect();
    assert_eq!(terms, NUMBERS);
    assert_eq!(keys(&riak, &range("n_int", "-3", "7")).await, ["k2", "k3", "k4"]);
    assert_eq!(keys(&riak, &eq("n_int", "+018446744073709551616")).await, ["k7"]);
    assert_eq!(keys(&riak, &eq("N_INT", "10")).await, ["k5"]);
}

#[tokio::test]
async fn pages_continue_until_everything_is_read() {
    let (_node, riak) = start_filled(Node::builder()).await;
    for (request, size, pages) in [
        (range("n_int", NUMBERS[0], NUMBERS[8]), 2, 5),
        // A last page that is exactly full is followed by an empty one.
        (range("n_int", NUMBERS[0], NUMBERS[8]), 3, 4),
        (range("s_bin", "t0", "t2"), 4, 3),
        // Each key has two terms, and a page may end between them.
        (range("m_bin", "a", "b"), 5, 4),
        (eq("s_bin", "t1"), 2, 2),
        (eq("$bucket", "b"), 4, 3),
        (range("$key", "k1", "k8"), 3, 3),
    ] {
        let whole = RpbIndexReq { pagination_sort: Some(true), ..request.clone() };
        let expected = riak.kv().index(&whole).await.unwrap().keys;
        let (mut found, mut count, mut continuation) = (Vec::new(), 0, None);
        loop {
            let page = RpbIndexReq { max_results: Some(size), continuation, ..request.clone() };
            let streamed: Vec<_> = riak.kv().index_stream(&page).await.unwrap().all().await.unwrap();
            let answer = riak.kv().index(&page).await.unwrap();
            let parts: Vec<Blob> = streamed.iter().flat_map(|part| part.keys.clone()).collect();
            assert_eq!(parts, answer.keys);
            assert_eq!(streamed.last().unwrap().continuation, answer.continuation);
            found.extend(answer.keys);
            count += 1;
            continuation = answer.continuation;
            if continuation.is_none() {
                break;
            }
        }
        assert_eq!((found, count), (expected, pages), "{request:?}");
    }
}

#[tokio::test]
async fn a_continuation_alone_implies_order() {
    let (_node, riak) = start_filled(Node::builder()).await;
    let page = RpbIndexReq { max_results: Some(4), ..range("$key", "k0", "k8") };
    let continuation = riak.kv().index(&page).await.unwrap().continuation;
    let rest = RpbIndexReq { continuation, ..range("$key", "k0", "k8") };
    let answer = riak.kv().index(&rest).await.unwrap();
    assert_eq!(answer.keys, ["k4", "k5", "k6", "k7", "k8"]);
    assert_eq!(answer.continuation, None);
}

#[tokio::test]
async fn regular_expressions_select_terms_or_keys() {
    let (_node, riak) = start_filled(Node::builder()).await;
    let with = |pattern: &str, request| RpbIndexReq { term_regex: Some(pattern.into()), ..request };
    assert_eq!(
        keys(&riak, &with("[02]$", range("s_bin", "t0", "t9"))).await,
        ["k0", "k2", "k3", "k5", "k6", "k8"]
    );
    assert_eq!(keys(&riak, &with("^k[13]", range("$key", "k0", "k9"))).await, ["k1", "k3"]);
    assert_eq!(keys(&riak, &with("x", eq("s_bin", "t0"))).await, Vec::<String>::new());
}

#[tokio::test]
async fn only_live_objects_are_indexed() {
    let (node, riak) = start_filled(Node::builder()).await;
    riak.kv().delete(&RpbDelReq::new("b", "k4")).await.unwrap();
    put(node.store(), "k5", &[]);
    assert_eq!(keys(&riak, &range("n_int", "1", "9999999999")).await, ["k6"]);
    // The scan over objects skips tombstones, and continues after a page.
    let walk =
        RpbCSBucketReq { max_results: Some(3), end_key: Some("k7".into()), ..RpbCSBucketReq::new("b", "k2") };
    let page = riak.kv().cs_bucket(&walk).await.unwrap().all().await.unwrap();
    let found = |page: &[riak_client::riak_kv::RpbCSBucketResp]| {
        page.iter().flat_map(|part| part.objects.iter().map(|object| object.key.clone())).collect::<Vec<_>>()
    };
    assert_eq!(found(&page), ["k2", "k3", "k5"]);
    let continuation = page.last().unwrap().continuation.clone();
    assert!(continuation.is_some());
    let walk = RpbCSBucketReq { continuation, end_incl: Some(true), ..walk };
    let page = riak.kv().cs_bucket(&walk).await.unwrap().all().await.unwrap();
    assert_eq!(
        (found(&page), &page.last().unwrap().continuation),
        (vec!["k6".into(), Blob::from("k7")], &None)
    );
}

#[tokio::test]
async fn listings_return_every_key_once() {
    let (node, riak) = start_filled(Node::builder().part_size(10).ring_size(64)).await;
    for index in 0..500 {
        put(node.store(), &format!("more{index}"), &[]);
    }
    let parts = riak.kv().list_keys(&RpbListKeysReq::new("b")).await.unwrap().all().await.unwrap();
    assert!(parts.len() >= 50 && parts.iter().all(|part| part.keys.len() <= 10));
    let listed: Vec<_> = parts.iter().flat_map(|part| part.keys.clone()).collect();
    assert_eq!(listed.len(), 509);
    assert_eq!(
        listed.into_iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>(),
        node.store().keys("default", "b")
    );
    let buckets = riak.kv().list_buckets(&RpbListBucketsReq::default()).await.unwrap();
    assert_eq!(buckets.buckets, ["b"]);
}

#[tokio::test]
async fn scans_time_out_after_the_configured_part_time() {
    let (_node, riak) = start_filled(Node::builder().part_size(2).part_time(Duration::from_millis(1))).await;
    let late = |error: CallError| {
        // The error may come after a second attempt.
        let text = error.server_error().map(ToString::to_string);
        assert!(text.is_some_and(|text| text.contains("timeout")), "{error}");
    };
    let request = RpbIndexReq { timeout: Some(2), ..range("$key", "k0", "k9") };
    late(riak.kv().index(&request).await.unwrap_err());
    let mut stream = riak.kv().index_stream(&request).await.unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap().keys.len(), 2);
    assert!(stream.next().await.unwrap().is_ok());
    // These streams end with the scan's error tuple, as in Riak, which has the same
    // meaning.
    let ended = |error: CallError| {
        assert!(error.is(ServerErrorKind::Timeout), "{error}");
        assert_eq!(error.server_error().unwrap().text, "{error,timeout}");
    };
    ended(stream.next().await.unwrap().unwrap_err());
    drop(stream);
    let walk = RpbCSBucketReq { timeout: Some(1), ..RpbCSBucketReq::new("b", "") };
    let mut objects = riak.kv().cs_bucket(&walk).await.unwrap();
    assert_eq!(objects.next().await.unwrap().unwrap().objects.len(), 2);
    ended(objects.next().await.unwrap().unwrap_err());
    drop(objects);
    late(
        riak.kv()
            .list_keys(&RpbListKeysReq { timeout: Some(1), ..RpbListKeysReq::new("b") })
            .await
            .unwrap()
            .all()
            .await
            .unwrap_err(),
    );
    // The connection is still usable, and other requests have time.
    assert_eq!(keys(&riak, &RpbIndexReq { timeout: Some(0), ..range("$key", "k0", "k9") }).await.len(), 9);
}
