//! Data types as frames on a socket: missing fields, and the state of the connection afterwards.
//!
//! Invariant: only a crash closes the connection.

use riak_client::riak::RpbErrorResp;
use riak_client::riak_dt::DtFetchResp;
use riak_runtime::Frame;

use crate::peer::Peer;
use crate::requests::*;

async fn answer(peer: &mut Peer, code: u8, body: &[u8]) -> Frame {
    peer.send(&Frame { code, body: body.into() }).await;
    peer.read().await.unwrap()
}

fn text(answer: &Frame) -> String {
    assert_eq!(answer.code, 0, "{answer:?}");
    answer.decode::<RpbErrorResp>().unwrap().errmsg.to_string_lossy().into_owned()
}

/// Encodes the fields for bucket `b`, key `k`, and the type.
fn object_name(kind: &str) -> Vec<u8> {
    let length = u8::try_from(kind.len()).unwrap();
    [&b"\x0a\x01b\x12\x01k\x1a"[..], &[length], kind.as_bytes()].concat()
}

#[tokio::test]
async fn requests_with_missing_fields_find_nothing_or_crash() {
    let node = builder().start().await.unwrap();
    let mut peer = Peer::connect(node.addr()).await;
    // A read without a bucket or a key finds nothing.
    for body in [&b"\x1a\x04sets"[..], b"\x0a\x01b\x1a\x04sets", b"\x12\x01k\x1a\x04sets"] {
        let found: DtFetchResp = answer(&mut peer, 80, body).await.decode().unwrap();
        assert_eq!((found.value, found.context), (None, None));
    }
    assert_eq!(answer(&mut peer, 52, b"\x0a\x01b").await, Frame { code: 53, body: "".into() });
    // A fault of the type is reported before a fault of the operation.
    let unknown = [object_name("nope"), b"\x2a\x00".to_vec()].concat();
    for body in [object_name("nope"), unknown] {
        assert_eq!(text(&answer(&mut peer, 82, &body).await), "Error no bucket type `<<\"nope\">>`");
    }
    peer.expect_idle("after all").await;
    let nameless = [object_name("maps"), b"\x2a\x06\x1a\x04\x0a\x02\x10\x01".to_vec()].concat();
    let (without_operation, empty) =
        (object_name("sets"), [object_name("sets"), b"\x2a\x00".to_vec()].concat());
    for (code, body) in [
        (80, &b"\x0a\x01b\x12\x01k"[..]),
        (82, b"\x0a\x01b\x12\x01k\x2a\x04\x0a\x02\x08\x01"),
        (82, b"\x12\x01k\x1a\x08counters\x2a\x04\x0a\x02\x08\x01"),
        (82, &without_operation),
        (82, &empty),
        (82, &nameless),
        (81, b""),
        (83, b""),
        (51, b""),
        (50, b""),
        (52, b""),
        (80, b""),
        (82, b""),
        (82, b"\x0a\x05b"),
    ] {
        let mut peer = Peer::connect(node.addr()).await;
        let text = text(&answer(&mut peer, code, body).await);
        assert!(text.starts_with("Error processing incoming message: "), "{code} {body:?}: {text}");
        peer.expect_closed("after a crash").await;
    }
    assert!(node.store().is_empty());
}

#[tokio::test]
async fn errors_leave_the_connection_open() {
    let node = builder().start().await.unwrap();
    let mut peer = Peer::connect(node.addr()).await;
    // Nothing to remove; an invalid context; a quorum; another kind of operation.
    for (op, expected) in [
        (&b"\x2a\x05\x12\x03\x12\x01x"[..], "{precondition,{not_present,<<\"x\">>}}"),
        (b"\x22\x03ctx\x2a\x05\x12\x03\x12\x01x", "timeout"),
        (b"\x30\x04\x2a\x05\x12\x03\x0a\x01x", "{n_val_violation,3}"),
        (b"\x2a\x04\x0a\x02\x08\x02", "Operation type is `counter` but  bucket type is `set`."),
    ] {
        let body = [&object_name("sets"), op].concat();
        assert_eq!(text(&answer(&mut peer, 82, &body).await), expected);
    }
    assert_eq!(
        text(&answer(&mut peer, 80, &object_name("plain")).await),
        "`undefined` is not a supported type"
    );
    peer.expect_idle("after all").await;
}

#[tokio::test]
async fn listings_include_data_types() {
    let node = builder().start().await.unwrap();
    node.store().update(&update("sets", set(&["x"], &[]))).unwrap();
    let mut peer = Peer::connect(node.addr()).await;
    let keys = b"\x0a\x01b\x1a\x04sets";
    peer.send(&Frame { code: 17, body: keys[..].into() }).await;
    let mut listed = Vec::new();
    loop {
        let frame = peer.read().await.unwrap();
        assert_eq!(frame.code, 18);
        if &*frame.body == b"\x10\x01" {
            break;
        }
        listed.extend_from_slice(&frame.body);
    }
    assert_eq!(listed, b"\x0a\x01k");
    assert_eq!(answer(&mut peer, 15, b"\x1a\x04sets").await, Frame { code: 16, body: "\n\u{1}b".into() });
}
