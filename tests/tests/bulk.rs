//! Bulk calls, pages that follow one another, and node lists that keep themselves up to date.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use riak_client::riak::RpbPair;
use riak_client::riak_dt::{DtOp, DtUpdateReq, GSetOp};
use riak_client::riak_kv::rpb_index_req::IndexQueryType;
use riak_client::riak_kv::{
    RpbContent, RpbDelReq, RpbGetReq, RpbGetResp, RpbIndexReq, RpbIndexResp, RpbPutReq,
};
use riak_client::riak_services::{RpbPingReq, RpbPingResp};
use riak_client::{
    CallError, CallOptions, ClientConfig, Cluster, Coded, ConnectionConfig, Discovery, Frame, Membership,
    Node as NodeAddress, NotSent, Riak,
};
use riak_runtime::client::{Discover, DiscoverError, Discovering, Dns};
use riak_runtime::operation::ErrorFrame;
use riak_runtime::server::{Failure, Outbox, Server, Service, unary};
use riak_testkit::Node;

fn put(number: usize) -> RpbPutReq {
    let term = RpbPair { value: Some(format!("{number}").into()), ..RpbPair::new("n_int") };
    let content = RpbContent { indexes: vec![term], ..RpbContent::new(format!("v{number}")) };
    RpbPutReq { key: Some(format!("k{number:05}").into()), ..RpbPutReq::new("b", content) }
}

fn get(number: usize) -> RpbGetReq {
    RpbGetReq::new("b", format!("k{number:05}"))
}

#[tokio::test]
async fn what_a_client_lends_can_be_moved_to_other_tasks() {
    let node = Node::start().await.unwrap();
    let riak = Riak::connect(node.addr()).await.unwrap();
    let patient = riak.with(CallOptions::new().timeout(Duration::from_secs(60)));
    let results = patient.bulk().put_many((0..10).map(put));
    drop(riak);
    assert!(tokio::spawn(results.all()).await.unwrap().iter().all(Result::is_ok));
    let query = RpbIndexReq { key: Some("3".into()), ..RpbIndexReq::new("b", "n_int", IndexQueryType::Eq) };
    let mut pages = patient.index_pages(query);
    let quick = tokio::spawn(async move { patient.kv().get(&get(3)).await });
    assert_eq!(quick.await.unwrap().unwrap().content.len(), 1);
    let page = tokio::spawn(async move { pages.next().await }).await.unwrap();
    assert_eq!(page.unwrap().unwrap().len(), 1);
}

#[tokio::test]
async fn each_request_has_exactly_one_result() {
    let node = Node::start().await.unwrap();
    let riak = Riak::connect(node.addr()).await.unwrap();
    assert!(riak.bulk().put_many((0..500).map(put)).all().await.iter().all(Result::is_ok));
    // Every tenth request is refused.
    let requests = (0..500).map(|number| match number % 10 {
        3 => RpbGetReq::new("b", ""),
        _ => get(number),
    });
    let mut results = riak.bulk().concurrency(32).get_many(requests);
    let mut seen = BTreeSet::new();
    while let Some((index, result)) = results.next().await {
        assert!(seen.insert(index), "{index} comes twice");
        match result {
            Ok(found) => assert_eq!(found.content[0].value, format!("v{index}").as_str()),
            Err(error) => assert!(index % 10 == 3, "{index}: {error}"),
        }
    }
    assert_eq!(seen.len(), 500);
    let mut next = 0;
    let mut ordered =
        riak.bulk().ordered().delete_many((0..500).map(|n| RpbDelReq::new("b", format!("k{n:05}"))));
    while let Some((index, result)) = ordered.next().await {
        result.unwrap();
        assert_eq!(index, next);
        next += 1;
    }
    assert_eq!(next, 500);
    assert!(node.store().keys("default", "b").is_empty());
}

#[tokio::test]
async fn concurrency_is_bounded_and_dropping_the_results_affects_no_other_call() {
    let node = Node::start().await.unwrap();
    let riak = Riak::connect(node.addr()).await.unwrap();
    let mut results = riak.bulk().concurrency(7).get_many((0..1000).map(get));
    let mut most = 0;
    for _ in 0..100 {
        results.next().await.unwrap().1.unwrap();
        most = most.max(riak.stats().nodes[0].in_flight);
    }
    assert!((1..=7).contains(&most), "{most}");
    drop(results);
    assert_eq!(riak.stats().nodes[0].in_flight, 0);
    riak.kv().get(get(1)).await.unwrap();
}

/// Answers each get with "not found" after a short delay.
struct Slow;

impl Service for Slow {
    fn serves(&self, code: u8) -> bool {
        code == RpbGetReq::CODE
    }

    fn error_frame(&self, _: Option<u8>) -> Option<ErrorFrame> {
        None
    }

    async fn call(&self, _: Frame, outbox: &mut Outbox) -> Result<(), Failure> {
        tokio::time::sleep(Duration::from_millis(2)).await;
        outbox.answer(&RpbGetResp::default())
    }
}

/// A connection closes once more calls on it have been dropped than it may owe answers to, and
/// this client has only one.
#[tokio::test]
async fn dropping_bulk_results_keeps_the_only_connection_open() {
    let node = Node::builder().with_service(Slow).start().await.unwrap();
    for max_owed in [1, 10, 128] {
        let config = ConnectionConfig::new().max_owed(max_owed);
        let riak = Riak::connect_one(node.addr(), config).await.unwrap();
        let mut results = riak.bulk().concurrency(1000).get_many((0..2000).map(get));
        results.next().await.unwrap().1.unwrap();
        let in_flight = riak.carrier().in_flight();
        assert!(in_flight <= max_owed && in_flight + 1 >= max_owed, "{in_flight} of {max_owed}");
        drop(results);
        riak.server().ping().await.unwrap();
    }
}

#[tokio::test]
async fn requests_that_crash_riak_are_refused_in_bulk_as_well() {
    let node = Node::start().await.unwrap();
    let riak = Riak::connect(node.addr()).await.unwrap();
    let gset = DtOp { gset_op: Some(GSetOp::default()), ..DtOp::default() };
    let grow = DtUpdateReq { return_body: Some(true), ..DtUpdateReq::new("b", "gsets", gset) };
    let error = riak.bulk().call_many([grow]).all().await.remove(0).unwrap_err();
    assert!(matches!(error, CallError::NotSent(NotSent::Refused { .. })), "{error:?}");
    let query = RpbIndexReq { key: Some("x".into()), ..RpbIndexReq::new("b", "n_int", IndexQueryType::Eq) };
    let error = riak.bulk().call_many([query]).all().await.remove(0).unwrap_err();
    assert!(matches!(error, CallError::NotSent(NotSent::Refused { .. })), "{error:?}");
}

/// Answers every query with the same key, and with the next of the given continuations.
struct Pages(Mutex<Vec<&'static str>>);

impl Service for Pages {
    fn serves(&self, code: u8) -> bool {
        code == RpbIndexReq::CODE
    }

    fn error_frame(&self, _: Option<u8>) -> Option<ErrorFrame> {
        None
    }

    async fn call(&self, _: Frame, outbox: &mut Outbox) -> Result<(), Failure> {
        let continuation = self.0.lock().unwrap().pop().map(Into::into);
        outbox.answer(&RpbIndexResp { keys: vec!["k".into()], continuation, ..RpbIndexResp::default() })
    }
}

#[tokio::test]
async fn endless_pages_are_detected() {
    let query =
        || RpbIndexReq { key: Some("x".into()), ..RpbIndexReq::new("b", "x_bin", IndexQueryType::Eq) };
    // The continuations from last to first, the number of pages, and whether an error
    // follows them.
    for (continuations, expected, fails) in [
        (&[][..], 1, false),
        (&[""], 1, false),
        (&["", "one"], 2, false),
        (&["one", "two", "one"], 4, false),
        (&["never", "one", "one"], 2, true),
    ] {
        let pages = Pages(Mutex::new(continuations.to_vec()));
        let node = Node::builder().with_service(pages).start().await.unwrap();
        let riak = Riak::connect(node.addr()).await.unwrap();
        let mut pages = riak.index_pages(query());
        for _ in 0..expected {
            assert_eq!(pages.next().await.unwrap().unwrap().len(), 1, "{continuations:?}");
        }
        match pages.next().await {
            Ok(page) => assert!(page.is_none() && !fails, "{continuations:?}"),
            Err(error) => {
                assert!(fails && error.to_string().contains("the same page again"), "{error}");
                assert!(pages.next().await.is_err() && !error.is_retryable());
            }
        }
    }
    let node = Node::start().await.unwrap();
    let riak = Riak::connect(node.addr()).await.unwrap();
    let mut empty_pages = riak.index_pages(RpbIndexReq { max_results: Some(0), ..query() });
    let error = empty_pages.next().await.unwrap_err();
    assert!(error.to_string().contains("max_results"), "{error}");
    // An empty continuation counts as none.
    let mut begun = riak.index_pages(RpbIndexReq { continuation: Some("".into()), ..query() });
    assert_eq!(begun.continuation(), None);
    assert_eq!(begun.next().await.unwrap(), Some(Vec::new()));
}

/// Answers every query with one entry that has a term and one that has none.
struct MixedEntries;

impl Service for MixedEntries {
    fn serves(&self, code: u8) -> bool {
        code == RpbIndexReq::CODE
    }

    fn error_frame(&self, _: Option<u8>) -> Option<ErrorFrame> {
        None
    }

    async fn call(&self, _: Frame, outbox: &mut Outbox) -> Result<(), Failure> {
        let pair = RpbPair { value: Some("k1".into()), ..RpbPair::new("t") };
        let answer = RpbIndexResp { results: vec![pair], keys: vec!["k2".into()], ..RpbIndexResp::default() };
        outbox.answer(&answer)
    }
}

#[tokio::test]
async fn entries_with_and_without_terms_are_both_read() {
    let node = Node::builder().with_service(MixedEntries).start().await.unwrap();
    let riak = Riak::connect(node.addr()).await.unwrap();
    for return_terms in [None, Some(false), Some(true)] {
        let query = RpbIndexReq {
            range_min: Some("a".into()),
            range_max: Some("z".into()),
            return_terms,
            ..RpbIndexReq::new("b", "x_bin", IndexQueryType::Range)
        };
        let page = riak.index_pages(query).next().await.unwrap().unwrap();
        let entries: Vec<_> = page.into_iter().map(|entry| (entry.term, entry.key)).collect();
        assert_eq!(entries, [(Some("t".into()), "k1".into()), (None, "k2".into())], "{return_terms:?}");
    }
}

#[tokio::test]
async fn pages_follow_one_another_to_the_end() {
    let node = Node::start().await.unwrap();
    let riak = Riak::connect(node.addr()).await.unwrap();
    riak.bulk().put_many((0..250).map(put)).all().await;
    let range = |terms| RpbIndexReq {
        range_min: Some("10".into()),
        range_max: Some("209".into()),
        return_terms: Some(terms),
        ..RpbIndexReq::new("b", "n_int", IndexQueryType::Range)
    };
    for (terms, size) in [(true, 7), (false, 50), (true, 200), (false, 1000)] {
        let mut pages = riak.index_pages(RpbIndexReq { max_results: Some(size), ..range(terms) });
        let mut numbers = Vec::new();
        while let Some(page) = pages.next().await.unwrap() {
            assert!(page.len() <= size as usize);
            for entry in page {
                let number: usize = entry.key.to_string_lossy()[1..].parse().unwrap();
                assert_eq!(entry.term.map(|term| term == number.to_string().as_str()), terms.then_some(true));
                numbers.push(number);
            }
        }
        assert_eq!(numbers, (10..210).collect::<Vec<_>>(), "{size}");
        assert!(pages.next().await.unwrap().is_none() && pages.continuation().is_none());
    }
    // A new request can continue where another has stopped.
    let mut pages = riak.index_pages(RpbIndexReq { max_results: Some(30), ..range(false) });
    pages.next().await.unwrap();
    let rest = RpbIndexReq { continuation: pages.continuation().cloned(), ..range(false) };
    let mut entries = std::pin::pin!(riak.index_pages(rest).entries());
    let mut count = 0;
    while let Some(entry) =
        std::future::poll_fn(|cx| futures_core::Stream::poll_next(entries.as_mut(), cx)).await
    {
        assert_eq!(entry.unwrap().key, format!("k{:05}", count + 40).as_str());
        count += 1;
    }
    assert_eq!(count, 170);
}

#[tokio::test]
async fn an_error_between_pages_loses_no_page() {
    let node = Node::start().await.unwrap();
    let address = node.addr();
    let store = node.store().clone();
    let config = ClientConfig::new([NodeAddress::from(address)]);
    let riak = Riak::connect(config).await.unwrap();
    riak.bulk().put_many((0..30).map(put)).all().await;
    let all = RpbIndexReq {
        max_results: Some(10),
        key: Some("b".into()),
        ..RpbIndexReq::new("b", "$bucket", IndexQueryType::Eq)
    };
    let mut pages = riak.index_pages(all);
    assert_eq!(pages.next().await.unwrap().unwrap().len(), 10);
    node.shutdown().await;
    pages.next().await.unwrap_err();
    let _node = Node::builder().store(store).bind(address).start().await.unwrap();
    assert_eq!(pages.next().await.unwrap().unwrap()[0].key, "k00010");
    assert_eq!(pages.next().await.unwrap().unwrap()[0].key, "k00020");
    assert!(pages.next().await.unwrap().is_none_or(|page| page.is_empty()));
}

/// A cluster may know its nodes by addresses that cannot be reached from here, or that their
/// certificates do not cover. A client that adopted them would be left with no node.
#[tokio::test]
async fn unreachable_nodes_are_not_adopted() {
    let unused_address = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let node = Node::builder().advertise(unused_address).start().await.unwrap();
    let config = ClientConfig::new([NodeAddress::from(node.addr())]);
    let riak = Riak::connect(&config).await.unwrap();
    let error = riak.carrier().discover(&Membership).await.unwrap_err();
    assert!(
        matches!(&error, DiscoverError::Unreachable { node, .. } if *node == unused_address.into()),
        "{error}"
    );
    assert_eq!(riak.stats().discovery_error, Some(error.to_string()));
    assert_eq!(riak.carrier().nodes(), config.nodes);
    riak.server().ping().await.unwrap();
    // Reachable nodes in the list are adopted.
    let other = Node::start().await.unwrap();
    let both = Both([unused_address.into(), other.addr().into()]);
    riak.carrier().discover(&both).await.unwrap();
    assert_eq!(riak.stats().discovery_error, None);
    assert_eq!(riak.carrier().nodes(), [NodeAddress::from(other.addr())]);
}

/// Riak before 3.0.10 does not know the request.
#[tokio::test]
async fn a_cluster_that_does_not_serve_membership_is_reported() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let ping = unary(|_: RpbPingReq| async { Ok(RpbPingResp::default()) });
    let server = tokio::spawn(Server::default().serve(listener, ping));
    let riak = Riak::connect(format!("riak://{address}?discover=membership")).await.unwrap();
    let error = loop {
        if let Some(error) = riak.stats().discovery_error {
            break error;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    };
    let expected = "the cluster does not serve RiakRepl.Membership, which needs version 3.0.10 or later: discover nodes \
                    by DNS, or not at all";
    assert_eq!(error, expected);
    server.abort();
}

#[derive(Debug)]
struct Both([NodeAddress; 2]);

impl Discover for Both {
    fn nodes<'a>(&'a self, _: &'a Cluster) -> Discovering<'a> {
        Box::pin(async { Ok(self.0.to_vec()) })
    }
}

#[tokio::test]
async fn nodes_are_discovered_by_membership_or_by_dns() {
    // Two nodes, both of which report the second as the only member.
    let second = Node::start().await.unwrap();
    let first = Node::builder().advertise(second.addr()).start().await.unwrap();
    let url = format!("riak://{}?discover=membership&discover_every=10ms", first.addr());
    let riak = Riak::connect(&url).await.unwrap();
    while riak.carrier().nodes() != [NodeAddress::from(second.addr())] {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    riak.server().ping().await.unwrap();
    let name = Dns::new([NodeAddress::new("localhost", second.addr().port())]);
    riak.carrier().discover(&name).await.unwrap();
    assert!(riak.carrier().nodes().contains(&NodeAddress::from(second.addr())));
    let every = Duration::from_millis(10);
    let config = ClientConfig::new([NodeAddress::new("localhost", second.addr().port())]);
    let named = Riak::connect(config.discovery(Discovery::dns().every(every))).await.unwrap();
    while !named.carrier().nodes().contains(&NodeAddress::from(second.addr())) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    // A source that finds no nodes leaves the list unchanged.
    let before = riak.carrier().nodes();
    let unknown = NodeAddress::new("no-such-host.invalid", 1);
    let error = riak.carrier().discover(&Dns::new([unknown.clone()])).await.unwrap_err();
    assert!(matches!(&error, DiscoverError::Lookup { name, .. } if *name == unknown), "{error}");
    assert_eq!(riak.carrier().nodes(), before);
}
