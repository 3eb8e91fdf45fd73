//! Sources of nodes in trouble: they hang, panic, or believe a node that is cut
//! off from all others. A cluster that is called is kept up to date, and one that
//! nobody has any more is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use riak_client::Riak;
use riak_runtime::client::{Cluster, ClusterConfig, Discover, Discovering, Node, TcpConnector};
use tokio::time::sleep;

use super::site::{Stalls, site};
use super::{get, ms, put};

/// Never says anything.
#[derive(Debug)]
struct Silent;

impl Discover for Silent {
    fn nodes<'a>(&'a self, _: &'a Cluster) -> Discovering<'a> {
        Box::pin(std::future::pending())
    }
}

/// Counts how often it is asked, and panics the first time.
#[derive(Debug)]
struct Counts(Node, AtomicUsize);

impl Counts {
    fn asked(&self) -> usize {
        self.1.load(Ordering::SeqCst)
    }
}

impl Discover for Counts {
    fn nodes<'a>(&'a self, _: &'a Cluster) -> Discovering<'a> {
        let first = self.1.fetch_add(1, Ordering::SeqCst) == 0;
        Box::pin(async move {
            assert!(!first, "this is what the test is about");
            Some(vec![self.0.clone()])
        })
    }
}

/// Nor is a source given up that has panicked once.
#[test]
fn discovery_goes_on_where_calls_are_made() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let servers = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (node, _) = servers.block_on(site());
    let source = Arc::new(Counts(node.clone(), AtomicUsize::new(0)));
    let cluster = Cluster::new([node], Arc::new(TcpConnector::default()), ClusterConfig::new());
    runtime().block_on(async {
        cluster.keep_discovering(Arc::clone(&source) as _, ms(10));
        while source.asked() < 3 {
            sleep(ms(5)).await;
        }
    });
    let before = source.asked();
    for _ in 0..2 {
        runtime().block_on(async {
            let (before, begun) = (source.asked(), std::time::Instant::now());
            Riak::over(&cluster).kv().get(get()).await.unwrap();
            while source.asked() < before + 3 {
                assert!(begun.elapsed() < Duration::from_secs(10), "nobody asks any more");
                sleep(ms(5)).await;
            }
        });
    }
    assert!(source.asked() < before + 100, "more than one task asks");
    runtime().block_on(async {
        cluster.close().await;
        let before = source.asked();
        Riak::over(&cluster).kv().get(get()).await.unwrap_err();
        sleep(ms(50)).await;
        assert_eq!(source.asked(), before, "it was closed");
        cluster.keep_discovering(Arc::clone(&source) as _, ms(10));
        sleep(ms(50)).await;
        assert_eq!(source.asked(), before, "it was closed before");
    });
}

#[tokio::test]
async fn a_source_of_nodes_that_hangs_keeps_no_cluster() {
    let (node, conduct) = site().await;
    let cluster = Cluster::new([node], Arc::new(TcpConnector::default()), ClusterConfig::new());
    cluster.keep_discovering(Arc::new(Silent), Duration::ZERO);
    Riak::over(&cluster).kv().get(get()).await.unwrap();
    drop(cluster);
    while conduct.open.load(Ordering::SeqCst) > 0 {
        sleep(ms(20)).await;
    }
}

/// Names the one node.
#[derive(Debug)]
struct Names(Node);

impl Discover for Names {
    fn nodes<'a>(&'a self, _: &'a Cluster) -> Discovering<'a> {
        Box::pin(async { Some(vec![self.0.clone()]) })
    }
}

/// A node that is cut off names itself alone, and then goes away, or finds too
/// few replicas. The others were configured, and are called again.
#[tokio::test]
async fn nodes_that_were_configured_are_not_forgotten() {
    for goes in [true, false] {
        let ((named, others), (cut, conduct)) = (site().await, site().await);
        let connector = Stalls::new(&cut, Duration::ZERO);
        connector.stalled.store(false, Ordering::SeqCst);
        let nodes = [named.clone(), cut.clone()];
        let cluster = Cluster::new(nodes, Arc::clone(&connector) as _, ClusterConfig::new());
        let riak = Riak::over(cluster.clone());
        assert!(cluster.discover(&Names(cut.clone())).await);
        for _ in 0..10 {
            riak.kv().put(put()).await.unwrap();
        }
        assert_eq!((cluster.nodes(), others.seen()), (vec![cut.clone()], 0));
        if goes {
            connector.stalled.store(true, Ordering::SeqCst);
            conduct.cut.notify_waiters();
            while conduct.open.load(Ordering::SeqCst) > 0 {
                sleep(ms(2)).await;
            }
        } else {
            conduct.fail("{insufficient_vnodes,0,need,2}");
        }
        let mut failed = 0;
        for _ in 0..50 {
            failed += usize::from(riak.kv().put(put()).await.is_err());
        }
        // What was not sent is sent elsewhere at once.
        assert!(if goes { failed == 0 } else { failed < 15 }, "{failed} of 50 calls, goes: {goes}");
        assert_eq!(cluster.nodes(), [cut.clone(), named]);
        // The source is believed again, and no less than before.
        connector.stalled.store(false, Ordering::SeqCst);
        assert!(cluster.discover(&Names(cut.clone())).await);
        assert_eq!(cluster.nodes(), [cut]);
    }
}

/// Somebody may still be called who is no node any more: that ends before the
/// cluster is closed.
#[tokio::test]
async fn a_cluster_that_is_closed_waits_for_calls_at_nodes_that_were_taken_out() {
    let ((gone, conduct), (node, _)) = (site().await, site().await);
    let cluster = Cluster::new([gone], Arc::new(TcpConnector::default()), ClusterConfig::new());
    let riak = Riak::over(cluster.clone());
    riak.kv().get(get()).await.unwrap();
    conduct.delay(200);
    let call = tokio::spawn(async move { riak.kv().get(get()).await });
    while conduct.seen() < 2 {
        sleep(ms(2)).await;
    }
    cluster.set_nodes([node]);
    cluster.close().await;
    // It is over, and its task hears of it.
    tokio::task::yield_now().await;
    assert!(call.is_finished(), "it goes on in a cluster that is closed");
    call.await.unwrap().unwrap();
}
