//! What tracing, metrics and tower layers observe of calls.
#![cfg(all(feature = "metrics", feature = "server", feature = "tower", feature = "tracing"))]

mod echo;

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use echo::*;
use metrics::{
    Counter, CounterFn, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use riak_runtime::Blob;
use riak_runtime::client::{self, CallService, Cluster, ClusterConfig, Node, RetryConfig, TcpConnector};
use tower::{Service, ServiceBuilder, ServiceExt};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};

/// Serialises the tests. tracing caches whether any subscriber wants a span when it
/// is first met, and a thread without a subscriber could cache that none does.
static SERIAL: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

async fn cluster() -> (Cluster, Node) {
    let node = Node::from(mirror().await);
    let connector = Arc::new(TcpConnector::default());
    let config = ClusterConfig::new().retry(RetryConfig::new().max_attempts(1));
    (Cluster::new([node.clone()], connector, config), node)
}

fn request(nonce: &'static str) -> EchoReq {
    EchoReq { nonce: Blob::from(nonce), ..EchoReq::default() }
}

/// Records the fields of all spans.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<BTreeMap<&'static str, String>>>>);

struct Fields<'a>(&'a mut BTreeMap<&'static str, String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl Subscriber for Spans {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "riak"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut spans = self.0.lock().unwrap();
        let mut fields = BTreeMap::from([("span", span.metadata().name().to_owned())]);
        span.record(&mut Fields(&mut fields));
        spans.push(fields);
        Id::from_u64(spans.len() as u64)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut spans = self.0.lock().unwrap();
        let index = usize::try_from(span.into_u64()).unwrap() - 1;
        values.record(&mut Fields(&mut spans[index]));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn a_span_records_operation_node_and_outcome() {
    let _serial = SERIAL.lock().await;
    let (cluster, node) = cluster().await;
    let spans = Spans::default();
    let _guard = tracing::subscriber::set_default(spans.clone());
    let _: EchoResp = client::unary(&cluster, request("a key")).await.unwrap();
    client::unary::<_, _, EchoResp>(&cluster, request("error")).await.unwrap_err();
    let spans = spans.0.lock().unwrap();
    let expected = |outcome: &str, out: &str, back: Option<&str>| {
        let mut fields = BTreeMap::from([
            ("span", "call".to_owned()),
            ("operation", "Echo.Echo".to_owned()),
            ("node", node.to_string()),
            ("attempt", "1".to_owned()),
            ("bytes_out", out.to_owned()),
            ("outcome", outcome.to_owned()),
        ]);
        fields.extend(back.map(|back| ("bytes_in", back.to_owned())));
        fields
    };
    assert_eq!(*spans, [expected("ok", "7", Some("7")), expected("server_error", "7", None)]);
}

/// Sums the values of each metric.
#[derive(Default)]
struct Sums(Mutex<BTreeMap<String, Arc<Sum>>>);

#[derive(Default)]
struct Sum(AtomicU64);

impl CounterFn for Sum {
    fn increment(&self, value: u64) {
        self.0.fetch_add(value, Ordering::Relaxed);
    }

    fn absolute(&self, _: u64) {}
}

impl HistogramFn for Sum {
    fn record(&self, _: f64) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Sums {
    fn sum(&self, key: &Key) -> Arc<Sum> {
        let labels: Vec<String> = key
            .labels()
            .filter(|label| label.key() != "node")
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        let name = format!("{} {}", key.name(), labels.join(" "));
        Arc::clone(self.0.lock().unwrap().entry(name).or_default())
    }

    fn all(&self) -> BTreeMap<String, u64> {
        let sums = self.0.lock().unwrap();
        sums.iter().map(|(name, sum)| (name.clone(), sum.0.load(Ordering::Relaxed))).collect()
    }
}

impl Recorder for Sums {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.sum(key))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.sum(key))
    }
}

#[tokio::test]
async fn metrics_count_attempts_by_their_outcome() {
    let _serial = SERIAL.lock().await;
    let (cluster, _) = cluster().await;
    let sums = Sums::default();
    let guard = metrics::set_default_local_recorder(&sums);
    for _ in 0..3 {
        let _: EchoResp = client::unary(&cluster, request("a key")).await.unwrap();
    }
    client::unary::<_, _, EchoResp>(&cluster, request("error")).await.unwrap_err();
    {
        // Drop the call as soon as it has been sent.
        let mut dropped = pin!(client::unary::<_, _, EchoResp>(&cluster, request("a key")));
        assert!(poll_fn(|cx| Poll::Ready(dropped.as_mut().poll(cx).is_pending())).await);
    }
    drop(guard);
    let expected = [
        ("riak_attempt_seconds operation=Echo.Echo", 5),
        ("riak_attempts_total operation=Echo.Echo outcome=dropped", 1),
        ("riak_attempts_total operation=Echo.Echo outcome=ok", 3),
        ("riak_attempts_total operation=Echo.Echo outcome=server_error", 1),
        ("riak_bytes_received_total operation=Echo.Echo", 21),
        ("riak_bytes_sent_total operation=Echo.Echo", 35),
    ];
    assert_eq!(sums.all(), expected.map(|(name, sum)| (name.to_owned(), sum)).into());
}

/// A request that never reaches a node does not count as traffic.
#[tokio::test]
async fn unsent_requests_do_not_count_as_bytes_sent() {
    let _serial = SERIAL.lock().await;
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let cluster = Cluster::new([gone.into()], Arc::new(TcpConnector::default()), ClusterConfig::new());
    let sums = Sums::default();
    let guard = metrics::set_default_local_recorder(&sums);
    client::unary::<_, _, EchoResp>(&cluster, request("a key")).await.unwrap_err();
    drop(guard);
    let sums = sums.all();
    assert_eq!(sums["riak_attempts_total operation=Echo.Echo outcome=not_sent"], 3);
    assert_eq!(sums["riak_bytes_sent_total operation=Echo.Echo"], 0);
}

#[tokio::test]
async fn tower_layers_wrap_calls() {
    let _serial = SERIAL.lock().await;
    let (cluster, _) = cluster().await;
    let mut service = ServiceBuilder::new()
        .concurrency_limit(2)
        .timeout(Duration::from_secs(5))
        .service(CallService::new(cluster.clone()));
    let ready = ServiceExt::<EchoReq>::ready(&mut service).await.unwrap();
    let answer: EchoResp = ready.call(request("one")).await.unwrap();
    assert_eq!(answer.nonce, "one");
    let ready = ServiceExt::<EchoReq>::ready(&mut service).await.unwrap();
    let error = ready.call(request("error")).await.unwrap_err();
    assert!(error.downcast_ref::<client::CallError>().unwrap().server_error().is_some());
}
