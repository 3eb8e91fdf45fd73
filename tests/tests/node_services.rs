//! The node as a part of a test: additional services, several nodes on one store, and shutdown.
//!
//! Invariant: a node that is gone leaves nothing behind.

use std::time::Duration;

use riak_client::riak_kv::{RpbContent, RpbGetReq, RpbGetResp, RpbPutReq, RpbSetClientIdReq};
use riak_client::riak_services::{RiakKvServer, RiakKvService};
use riak_client::{Connection, Riak};
use riak_runtime::operation::ErrorFrame;
use riak_runtime::server::{ErrorReply, Failure, Outbox, Service};
use riak_runtime::{Blob, Frame};
use riak_testkit::{Node, Store};
use tokio::net::TcpStream;

#[path = "replay/peer.rs"]
mod peer;

/// Echoes the body of code 199, which no message of Riak has.
struct Echo;

impl Service for Echo {
    fn serves(&self, code: u8) -> bool {
        code == 199
    }

    fn error_frame(&self, _: Option<u8>) -> Option<ErrorFrame> {
        None
    }

    async fn call(&self, request: Frame, outbox: &mut Outbox) -> Result<(), Failure> {
        outbox.frame(198, &request.body)
    }
}

/// Answers every get with an overload error.
struct Overloaded;

impl RiakKvServer for Overloaded {
    async fn get(&self, _: RpbGetReq) -> Result<RpbGetResp, Failure> {
        Err(ErrorReply::new("overload").into())
    }
}

fn put(key: &str) -> RpbPutReq {
    RpbPutReq { key: Some(key.into()), ..RpbPutReq::new("b", RpbContent::new("v")) }
}

#[tokio::test]
async fn custom_services_share_the_connection_with_riaks_services() {
    let node = Node::builder().with_service(Echo).start().await.unwrap();
    let mut peer = peer::Peer::connect(node.addr()).await;
    for _ in 0..3 {
        peer.send(&Frame { code: 199, body: "hello".into() }).await;
        assert_eq!(peer.read().await, Some(Frame { code: 198, body: "hello".into() }));
        peer.expect_idle("between").await;
    }
}

#[tokio::test]
async fn a_custom_service_can_replace_the_nodes_answers() {
    let node =
        Node::builder().with_service(RiakKvService(Overloaded)).with_service(Echo).start().await.unwrap();
    node.store().put(&put("k")).unwrap();
    let riak = Riak::connect(node.addr()).await.unwrap();
    let error = riak.kv().get(&RpbGetReq::new("b", "k")).await.unwrap_err();
    assert!(error.to_string().contains("overload"), "{error}");
    riak.server().ping().await.unwrap();
}

#[tokio::test]
async fn client_ids_belong_to_their_connection() {
    let node = Node::start().await.unwrap();
    let (one, two) = (Riak::connect(node.addr()).await.unwrap(), Riak::connect(node.addr()).await.unwrap());
    one.server().set_client_id(&RpbSetClientIdReq::new("me")).await.unwrap();
    assert_eq!(one.server().get_client_id().await.unwrap().client_id, "me");
    assert_eq!(two.server().get_client_id().await.unwrap().client_id, [0; 4]);
}

#[tokio::test]
async fn nodes_on_one_store_look_like_a_cluster() {
    let store = Store::new();
    let one = Node::builder().store(store.clone()).node_name("one@x").start().await.unwrap();
    let two = Node::builder().store(store.clone()).node_name("two@x").start().await.unwrap();
    let riak = Riak::connect(one.addr()).await.unwrap();
    riak.kv().put(&put("k")).await.unwrap();
    let riak = Riak::connect(two.addr()).await.unwrap();
    assert_eq!(riak.kv().get(&RpbGetReq::new("b", "k")).await.unwrap().content.len(), 1);
    assert_eq!(riak.server().get_server_info().await.unwrap().node, Some(Blob::from("two@x")));
    // A node can restart with the data that it held.
    let addr = one.addr();
    one.shutdown().await;
    let one = Node::builder().store(store).bind(addr).start().await.unwrap();
    assert_eq!(one.store().keys("default", "b"), ["k"]);
}

#[tokio::test]
async fn shutting_down_or_dropping_a_node_closes_all_its_connections() {
    let node = Node::start().await.unwrap();
    let addr = node.addr();
    let idle = Connection::connect(addr).await.unwrap();
    assert!(Riak::over(idle).server().ping().await.is_ok());
    let mut peer = peer::Peer::connect(addr).await;
    peer.expect_idle("before").await;
    assert!(node.connections() >= 1);
    tokio::time::timeout(Duration::from_secs(5), node.shutdown()).await.expect("idle connections hold it up");
    peer.expect_closed("after the shutdown").await;
    assert!(TcpStream::connect(addr).await.is_err());

    let node = Node::start().await.unwrap();
    let mut peer = peer::Peer::connect(node.addr()).await;
    peer.expect_idle("before").await;
    drop(node);
    peer.expect_closed("after the drop").await;
}

#[test]
fn node_types_are_send_and_sync() {
    fn assert_send_sync<T: Send + Sync + 'static>(_: &T) {}
    assert_send_sync(&Node::builder());
    assert_send_sync(&Node::builder().with_service(Echo).start());
    assert_send_sync(&Store::new());
}
