//! Faulty sources of nodes: they hang, panic, or repeat the view of an isolated node. A
//! cluster in use is kept up to date, and one that is dropped is released.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use riak_client::Riak;
use riak_runtime::client::{Cluster, ClusterConfig, Discover, Discovering, Node, TcpConnector};
use tokio::time::sleep;

use super::server::{StallingConnector, start_server};
use super::{get, ms, put};

/// A source that never answers.
#[derive(Debug)]
struct SilentSource;

impl Discover for SilentSource {
    fn nodes<'a>(&'a self, _: &'a Cluster) -> Discovering<'a> {
        Box::pin(std::future::pending())
    }
}

/// A source that counts its queries, and panics at the first.
#[derive(Debug)]
struct CountingSource(Node, AtomicUsize);

impl CountingSource {
    fn queries(&self) -> usize {
        self.1.load(Ordering::SeqCst)
    }
}

impl Discover for CountingSource {
    fn nodes<'a>(&'a self, _: &'a Cluster) -> Discovering<'a> {
        let first = self.1.fetch_add(1, Ordering::SeqCst) == 0;
        Box::pin(async move {
            assert!(!first, "this is what the test is about");
            Ok(vec![self.0.clone()])
        })
    }
}

/// A source that has panicked once is still used.
#[test]
fn discovery_continues_in_any_runtime_that_makes_calls() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let servers = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (node, _) = servers.block_on(start_server());
    let source = Arc::new(CountingSource(node.clone(), AtomicUsize::new(0)));
    let cluster = Cluster::new([node], Arc::new(TcpConnector::default()), ClusterConfig::new());
    runtime().block_on(async {
        cluster.keep_discovering(Arc::clone(&source) as _, ms(10));
        while source.queries() < 3 {
            sleep(ms(5)).await;
        }
    });
    let before = source.queries();
    for _ in 0..2 {
        runtime().block_on(async {
            let (before, begun) = (source.queries(), std::time::Instant::now());
            Riak::over(&cluster).kv().get(get()).await.unwrap();
            while source.queries() < before + 3 {
                assert!(begun.elapsed() < Duration::from_secs(10), "the source is not queried any more");
                sleep(ms(5)).await;
            }
        });
    }
    assert!(source.queries() < before + 100, "more than one task asks");
    runtime().block_on(async {
        cluster.close().await;
        let before = source.queries();
        Riak::over(&cluster).kv().get(get()).await.unwrap_err();
        sleep(ms(50)).await;
        assert_eq!(source.queries(), before, "it was closed");
        cluster.keep_discovering(Arc::clone(&source) as _, ms(10));
        sleep(ms(50)).await;
        assert_eq!(source.queries(), before, "it was closed before");
    });
}

#[tokio::test]
async fn a_hanging_source_does_not_keep_the_cluster_alive() {
    let (node, control) = start_server().await;
    let cluster = Cluster::new([node], Arc::new(TcpConnector::default()), ClusterConfig::new());
    cluster.keep_discovering(Arc::new(SilentSource), Duration::ZERO);
    Riak::over(&cluster).kv().get(get()).await.unwrap();
    drop(cluster);
    while control.open.load(Ordering::SeqCst) > 0 {
        sleep(ms(20)).await;
    }
}

/// A source that returns one node.
#[derive(Debug)]
struct OneNode(Node);

impl Discover for OneNode {
    fn nodes<'a>(&'a self, _: &'a Cluster) -> Discovering<'a> {
        Box::pin(async { Ok(vec![self.0.clone()]) })
    }
}

/// An isolated node reports only itself, and then disappears, or finds too few replicas.
/// The other configured nodes are then called again.
#[tokio::test]
async fn configured_nodes_are_used_again_when_discovered_ones_fail() {
    for disappears in [true, false] {
        let ((named, others), (cut, control)) = (start_server().await, start_server().await);
        let connector = StallingConnector::new(&cut, Duration::ZERO);
        connector.stalled.store(false, Ordering::SeqCst);
        let nodes = [named.clone(), cut.clone()];
        let cluster = Cluster::new(nodes, Arc::clone(&connector) as _, ClusterConfig::new());
        let riak = Riak::over(cluster.clone());
        cluster.discover(&OneNode(cut.clone())).await.unwrap();
        for _ in 0..10 {
            riak.kv().put(put()).await.unwrap();
        }
        assert_eq!((cluster.nodes(), others.request_count()), (vec![cut.clone()], 0));
        if disappears {
            connector.stalled.store(true, Ordering::SeqCst);
            control.cut.notify_waiters();
            while control.open.load(Ordering::SeqCst) > 0 {
                sleep(ms(2)).await;
            }
        } else {
            control.fail_with("{insufficient_vnodes,0,need,2}");
        }
        let mut failed = 0;
        for _ in 0..50 {
            failed += usize::from(riak.kv().put(put()).await.is_err());
        }
        // Calls that were not sent are sent to another node at once.
        assert!(
            if disappears { failed == 0 } else { failed < 15 },
            "{failed} of 50 calls, disappears: {disappears}"
        );
        assert_eq!(cluster.nodes(), [cut.clone(), named]);
        // Afterwards, the source is used as before.
        connector.stalled.store(false, Ordering::SeqCst);
        cluster.discover(&OneNode(cut.clone())).await.unwrap();
        assert_eq!(cluster.nodes(), [cut]);
    }
}

/// Calls may still be in flight at a node that was removed. Closing the cluster waits for them.
#[tokio::test]
async fn closing_a_cluster_waits_for_calls_at_removed_nodes() {
    let ((gone, control), (node, _)) = (start_server().await, start_server().await);
    let cluster = Cluster::new([gone], Arc::new(TcpConnector::default()), ClusterConfig::new());
    let riak = Riak::over(cluster.clone());
    riak.kv().get(get()).await.unwrap();
    control.delay(200);
    let call = tokio::spawn(async move { riak.kv().get(get()).await });
    while control.request_count() < 2 {
        sleep(ms(2)).await;
    }
    cluster.set_nodes([node]);
    cluster.close().await;
    // The call has ended; this lets its task notice.
    tokio::task::yield_now().await;
    assert!(call.is_finished(), "it disappears on in a cluster that is closed");
    call.await.unwrap().unwrap();
}
