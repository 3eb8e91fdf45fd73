//! Clusters, nodes, and servers with scripted answers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use riak_client::riak_kv::{RpbContent, RpbGetReq, RpbPutReq};
use riak_client::{ConnectionConfig, Node as NodeAddress};
use riak_runtime::client::{Cluster, ClusterConfig, TcpConnector};
use riak_testkit::{Node, Store};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) fn cluster(addresses: &[SocketAddr], config: ClusterConfig) -> Cluster {
    let connector = TcpConnector::new(ConnectionConfig::new().connect_timeout(Duration::from_secs(2)));
    Cluster::new(addresses.iter().copied().map(NodeAddress::from), Arc::new(connector), config)
}

/// Starts nodes that share a store, as the nodes of a cluster do.
pub(crate) async fn nodes(count: usize) -> (Store, Vec<Node>) {
    let store = Node::builder().build_store();
    let mut nodes = Vec::new();
    for _ in 0..count {
        nodes.push(Node::builder().store(store.clone()).start().await.unwrap());
    }
    (store, nodes)
}

pub(crate) fn addresses(nodes: &[Node]) -> Vec<SocketAddr> {
    nodes.iter().map(Node::addr).collect()
}

/// Returns an address that nobody listens on.
pub(crate) async fn unused_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// Starts a server that answers every request with the same frame, or never, and counts
/// the requests.
pub(crate) async fn scripted_server(answer: Option<&'static [u8]>) -> (SocketAddr, Arc<AtomicUsize>) {
    server_by_code(move |_| answer).await
}

/// Starts a server that answers each request with the frame for its code, or never, and
/// counts the requests.
pub(crate) async fn server_by_code(
    answer: impl Fn(u8) -> Option<&'static [u8]> + Clone + Send + 'static,
) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(answer_all(socket, answer.clone(), Arc::clone(&counted)));
        }
    });
    (address, requests)
}

async fn answer_all(
    mut socket: TcpStream,
    answer: impl Fn(u8) -> Option<&'static [u8]>,
    requests: Arc<AtomicUsize>,
) {
    while let Ok(len) = socket.read_u32().await {
        let mut body = vec![0; len as usize];
        if socket.read_exact(&mut body).await.is_err() {
            return;
        }
        requests.fetch_add(1, Ordering::Relaxed);
        if let Some(answer) = answer(body[0])
            && socket.write_all(answer).await.is_err()
        {
            return;
        }
    }
}

pub(crate) static UNKNOWN_CODE: &[u8] = b"\0\0\0\x1c\0\x0a\x17Unknown message code: 9\x10\0";
pub(crate) static MODIFIED: &[u8] = b"\0\0\0\x0d\0\x0a\x08modified\x10\0";
pub(crate) static OVERLOAD: &[u8] = b"\0\0\0\x0d\0\x0a\x08overload\x10\0";

pub(crate) fn get() -> RpbGetReq {
    RpbGetReq::new("b", "k")
}

pub(crate) fn put() -> RpbPutReq {
    RpbPutReq { key: Some("k".into()), ..RpbPutReq::new("b", RpbContent::new("v")) }
}

pub(crate) fn calls(cluster: &Cluster) -> Vec<u64> {
    cluster.stats().nodes.iter().map(|node| node.calls).collect()
}
