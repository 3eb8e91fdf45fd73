//! The measured exchange: a get of a small object.
//!
//! Invariant: every answer has a value of [`VALUE_LEN`] bytes, so that each contender can
//! check that it got it.

use riak_client::riak::RpbGetServerInfoResp;
use riak_client::riak_kv::{RpbContent, RpbGetReq, RpbGetResp};
use riak_runtime::{Message, WriteBuffer};

pub(crate) const BUCKET: &str = "users";
pub(crate) const KEY: &str = "alice-000042";

/// The length of the object's value in bytes.
pub(crate) const VALUE_LEN: usize = 64;

/// The codes of a get and of its answer.
pub(crate) const GET: (u8, u8) = (9, 10);

/// The codes of a request for the server's version and of its answer.
pub(crate) const INFO: (u8, u8) = (7, 8);

/// Returns the frame of the request.
pub(crate) fn request() -> Vec<u8> {
    frame(GET.0, &RpbGetReq::new(BUCKET, KEY))
}

/// Returns the object as it is stored.
pub(crate) fn content() -> RpbContent {
    RpbContent::new(vec![b'v'; VALUE_LEN])
}

/// Returns the frame of the answer, with the metadata that a node adds.
pub(crate) fn answer() -> Vec<u8> {
    let mut content = content();
    content.vtag = Some("4zUAVHsPbsFoTeLDk7yUTF".into());
    content.last_mod = Some(1_700_000_000);
    content.last_mod_usecs = Some(123_456);
    let answer =
        RpbGetResp { content: vec![content], vclock: Some(vec![0x6b; 36].into()), ..RpbGetResp::default() };
    frame(GET.1, &answer)
}

/// Returns the frame of a server's version.
pub(crate) fn info() -> Vec<u8> {
    let info = RpbGetServerInfoResp {
        node: Some("riak@127.0.0.1".into()),
        server_version: Some("3.2.3".into()),
        ..RpbGetServerInfoResp::default()
    };
    frame(INFO.1, &info)
}

/// Returns the frame of a message.
pub(crate) fn frame(code: u8, message: &impl Message) -> Vec<u8> {
    let mut buffer = WriteBuffer::new();
    buffer.push(code, message).expect("a small message");
    buffer.to_vec()
}
