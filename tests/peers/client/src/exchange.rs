//! The exchange that is measured: a get of a small object.
//!
//! Invariant: whoever answers, the answer has [`VALUE_LEN`] bytes of value, so
//! that every contender can see that it got it.

use riak_client::riak::RpbGetServerInfoResp;
use riak_client::riak_kv::{RpbContent, RpbGetReq, RpbGetResp};
use riak_runtime::{Message, WriteBuffer};

pub(crate) const BUCKET: &str = "users";
pub(crate) const KEY: &str = "alice-000042";

/// Bytes of the object's value.
pub(crate) const VALUE_LEN: usize = 64;

/// The code of a get, and of its answer.
pub(crate) const GET: (u8, u8) = (9, 10);

/// The code of a question for the server's version, and of its answer.
pub(crate) const INFO: (u8, u8) = (7, 8);

/// The request, as a frame.
pub(crate) fn request() -> Vec<u8> {
    frame(GET.0, &RpbGetReq::new(BUCKET, KEY))
}

/// The object, as it is stored.
pub(crate) fn content() -> RpbContent {
    RpbContent::new(vec![b'v'; VALUE_LEN])
}

/// The answer, as a frame: with what a node adds to an object.
pub(crate) fn answer() -> Vec<u8> {
    let mut content = content();
    content.vtag = Some("4zUAVHsPbsFoTeLDk7yUTF".into());
    content.last_mod = Some(1_700_000_000);
    content.last_mod_usecs = Some(123_456);
    let answer =
        RpbGetResp { content: vec![content], vclock: Some(vec![0x6b; 36].into()), ..RpbGetResp::default() };
    frame(GET.1, &answer)
}

/// What a server says that it is, as a frame.
pub(crate) fn info() -> Vec<u8> {
    let info = RpbGetServerInfoResp {
        node: Some("riak@127.0.0.1".into()),
        server_version: Some("3.2.3".into()),
        ..RpbGetServerInfoResp::default()
    };
    frame(INFO.1, &info)
}

/// A message as a frame.
pub(crate) fn frame(code: u8, message: &impl Message) -> Vec<u8> {
    let mut buffer = WriteBuffer::new();
    buffer.push(code, message).expect("a small message");
    buffer.to_vec()
}
