//! Frames that no well-behaved client sends.
//!
//! Invariant: `replay_node` covers what the recorded exchanges show. These tests cover what none
//! of them shows.

use riak_client::riak::{RpbErrorResp, RpbGetBucketResp};
use riak_client::riak_kv::{RpbContent, RpbPutReq};
use riak_runtime::Frame;
use riak_testkit::Node;

#[path = "replay/peer.rs"]
mod peer;

use peer::Peer;

/// Sends a frame, and returns the text of the error that answers it.
async fn refused(peer: &mut Peer, code: u8, body: &[u8]) -> String {
    peer.send(&Frame { code, body: body.into() }).await;
    let answer = peer.read().await.expect("an answer");
    assert_eq!(answer.code, 0, "code {code}");
    let error: RpbErrorResp = answer.decode().unwrap();
    assert_eq!(error.errcode, 0);
    error.errmsg.to_string_lossy().into_owned()
}

#[tokio::test]
async fn requests_that_crash_a_node_get_an_error_and_close_the_connection() {
    let node = Node::start().await.unwrap();
    for (code, body, what) in [
        (1, &b"\x08\x01"[..], "a body on a request that has none"),
        (206, b"\x0a\x01q", "a body on a request that must have none"),
        (9, b"", "no body on a request with fields"),
        (13, b"", "no body on a request with fields"),
        (17, b"", "no body on a request with fields"),
        (11, b"\x0a\x01b", "a put without content"),
        (9, b"\x0a\x05b", "a field that ends behind the body"),
        (10, b"", "an answer"),
        (222, b"", "an answer"),
        (25, b"\x0a\x01b\x12\x05x_int\x18\x00\x22\x01y", "a term that is no number"),
        (25, b"\x0a\x01b\x12\x05x_foo\x18\x00\x22\x01y", "an index without a kind"),
        (40, b"\x0a\x01b\x12\x01a\x32\x01!", "a continuation that is none"),
    ] {
        let mut peer = Peer::connect(node.addr()).await;
        let text = refused(&mut peer, code, body).await;
        assert!(text.starts_with("Error processing incoming message: "), "{what}: {text}");
        peer.expect_closed(what).await;
    }
}

#[tokio::test]
async fn unknown_codes_leave_the_connection_open() {
    let node = Node::start().await.unwrap();
    let mut peer = Peer::connect(node.addr()).await;
    for code in [23, 27, 54, 70, 90, 104, 128, 199, 200, 202, 210, 253] {
        assert_eq!(
            refused(&mut peer, code, b"").await.split(':').next(),
            Some("Unknown message code"),
            "{code}"
        );
    }
    assert_eq!(refused(&mut peer, 255, b"").await, "Security not enabled; STARTTLS not allowed.");
    peer.expect_idle("after all").await;
}

#[tokio::test]
async fn requests_without_names_find_nothing() {
    let node = Node::start().await.unwrap();
    let put = RpbPutReq { key: Some("k".into()), ..RpbPutReq::new("b", RpbContent::new("v")) };
    node.store().put(&put).unwrap();
    let mut peer = Peer::connect(node.addr()).await;
    for (code, body, answer) in [(9, &b"\x0a\x01b"[..], 10), (9, b"\x12\x01k", 10), (13, b"\x0a\x01b", 14)] {
        peer.send(&Frame { code, body: body.into() }).await;
        assert_eq!(peer.read().await, Some(Frame { code: answer, body: "".into() }));
    }
    assert_eq!(node.store().len(), 1);
}

#[tokio::test]
async fn bucket_types_are_checked_in_every_request() {
    let node = Node::start().await.unwrap();
    let mut peer = Peer::connect(node.addr()).await;
    for (code, body, text) in [
        (9, &b"\x0a\x01b\x12\x01k\x6a\x00"[..], "Type cannot be zero-length"),
        (11, b"\x0a\x01b\x12\x01k\x22\x03\x0a\x01v\x82\x01\x01x", "no_type"),
        (15, b"\x1a\x01x", "No bucket-type named 'x'"),
        (15, b"\x10\x01\x1a\x01x", "No bucket-type named 'x'"),
        (17, b"\x0a\x01b\x1a\x01x", "No bucket-type named 'x'"),
        (17, b"\x0a\x01b\x1a\x00", "No bucket-type named ''"),
        (19, b"\x0a\x01b\x12\x01x", "No bucket-type named 'x'"),
        (19, b"\x0a\x01b\x12\x00", "No bucket-type named ''"),
        (21, b"\x0a\x01b\x12\x00\x1a\x01x", "No bucket-type named 'x'"),
        (31, b"\x0a\x01x", "Invalid bucket type: <<\"x\">>"),
        (31, b"\x0a\x00", "Invalid bucket type: <<>>"),
        (32, b"\x0a\x01x\x12\x00", "Invalid bucket properties: not_active"),
        (32, b"\x0a\x07default\x12\x00", "Invalid bucket properties: no_default_update"),
        (33, b"\x0a\x00\x12\x01k", "Bucket cannot be zero-length"),
        (33, b"\x0a\x01b\x12\x00", "Key cannot be zero-length"),
        (33, b"\x0a\x01b\x12\x01k\x1a\x00", "Type cannot be zero-length"),
        (25, b"\x0a\x01b\x12\x04$key\x18\x01\x2a\x01a", "Invalid range query: <<\"a\">> -> undefined"),
    ] {
        assert_eq!(refused(&mut peer, code, body).await, text, "{code}");
    }
    peer.expect_idle("after all").await;
}

/// Requests for properties do not check names: an empty bucket name is a bucket's name, and
/// resetting a bucket of an unknown type has no effect.
#[tokio::test]
async fn properties_can_be_set_for_any_name() {
    let node = Node::start().await.unwrap();
    let mut peer = Peer::connect(node.addr()).await;
    for (code, body, answer, n_val) in [
        (21, &b"\x0a\x00\x12\x02\x08\x05"[..], 22, 5),
        (29, b"\x0a\x01b\x12\x01x", 30, 5),
        (29, b"\x0a\x00", 30, 3),
    ] {
        peer.send(&Frame { code, body: body.into() }).await;
        assert_eq!(peer.read().await, Some(Frame { code: answer, body: "".into() }));
        peer.send(&Frame { code: 19, body: b"\x0a\x00"[..].into() }).await;
        let answer: RpbGetBucketResp = peer.read().await.unwrap().decode().unwrap();
        assert_eq!(answer.props.n_val, Some(n_val));
    }
}
