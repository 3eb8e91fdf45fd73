//! What the end of a stream says about its node: a caller that drops a stream while it
//! waits for the node has not heard that the node is well.
#![cfg(all(feature = "client", feature = "server"))]

mod echo;

use std::sync::Arc;
use std::time::Duration;

use echo::*;
use riak_runtime::client::{
    self, BreakerConfig, BreakerState, CallError, CallExt, CallOptions, Cluster, ClusterConfig, Connecting,
    Connection, ConnectionConfig, Connector, Node, Responses, With,
};
use riak_runtime::server::{ServerConfig, serve_connection};

/// Connects to [`Mirror`] in the same process.
#[derive(Debug)]
struct InProcess;

impl Connector for InProcess {
    fn connect<'a>(&'a self, _: &'a Node) -> Connecting<'a> {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        tokio::spawn(async move {
            serve_connection(theirs, &EchoService(Mirror), &ServerConfig::default()).await
        });
        let (connection, driver) = Connection::new(ours, ConnectionConfig::new());
        tokio::spawn(driver);
        Box::pin(std::future::ready(Ok(connection)))
    }
}

/// Returns a cluster of one node, which stays down for an hour after its second failure.
fn cluster() -> Cluster {
    let hour = Duration::from_secs(3600);
    let breaker = BreakerConfig::new().failures(2).open_min(hour).open_max(hour);
    Cluster::new([Node::new("one", 1)], Arc::new(InProcess), ClusterConfig::new().breaker(breaker))
}

fn state(cluster: &Cluster) -> BreakerState {
    cluster.stats().nodes[0].breaker
}

/// Makes a call that the node does not answer in time.
async fn fail(cluster: &Cluster) {
    let quick = With::new(cluster, CallOptions::new().timeout(Duration::from_millis(10)));
    quick.call(&echo::echo("hang")).await.unwrap_err();
}

/// Begins a stream of `count` answers that then hangs, and takes them.
async fn hanging_stream(cluster: &Cluster, count: u32) -> Responses<ListResp> {
    let mut answers = client::stream(cluster, list("hang", count)).await.unwrap();
    for _ in 0..count {
        let _: ListResp = answers.next().await.unwrap().unwrap();
    }
    answers
}

#[tokio::test(start_paused = true)]
async fn a_dropped_stream_does_not_bring_a_node_back_that_is_down() {
    for waits in [false, true] {
        let cluster = cluster();
        let mut answers = hanging_stream(&cluster, 1).await;
        fail(&cluster).await;
        fail(&cluster).await;
        assert_eq!(state(&cluster), BreakerState::Open);
        if waits {
            tokio::time::timeout(Duration::from_millis(10), answers.next()).await.unwrap_err();
        }
        drop(answers);
        assert_eq!(state(&cluster), BreakerState::Open, "its last answer came before the node failed");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_dropped_while_it_waits_ends_no_row_of_failures() {
    let cluster = cluster();
    fail(&cluster).await;
    let mut answers = hanging_stream(&cluster, 1).await;
    tokio::time::timeout(Duration::from_millis(10), answers.next()).await.unwrap_err();
    drop(answers);
    fail(&cluster).await;
    assert_eq!(state(&cluster), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_was_read_as_far_as_it_was_wanted_ends_a_row_of_failures() {
    let cluster = cluster();
    fail(&cluster).await;
    drop(hanging_stream(&cluster, 1).await);
    fail(&cluster).await;
    assert_eq!(state(&cluster), BreakerState::Closed);
}

/// Reading stops while the caller's buffer is full. A deadline that passes then is missed
/// by the caller, and not by the node.
#[tokio::test(start_paused = true)]
async fn a_stream_that_its_caller_reads_too_slowly_is_no_failure_of_the_node() {
    let cluster = cluster();
    for _ in 0..3 {
        let short = With::new(&cluster, CallOptions::new().timeout(Duration::from_secs(1)));
        let mut answers: Responses<ListResp> = client::stream(&short, list("x", 100_000)).await.unwrap();
        tokio::time::sleep(Duration::from_secs(2)).await;
        let error = loop {
            if let Err(error) = answers.next().await.expect("it ends with an error") {
                break error;
            }
        };
        assert!(matches!(error.cause(), CallError::Timeout { sent: true, .. }), "{error:?}");
        assert_eq!(state(&cluster), BreakerState::Closed);
    }
}
