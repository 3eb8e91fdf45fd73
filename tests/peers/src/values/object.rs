//! Objects: a get, its answer, and a put.

use riak_client::riak_kv::{RpbContent, RpbGetReq, RpbGetResp, RpbPutReq};
use riak_runtime::{Blob, Quorum};

use super::pair;

fn content(value: usize) -> RpbContent {
    RpbContent {
        value: vec![b'v'; value].into(),
        content_type: Some("application/json".into()),
        vtag: Some("4yP8mCAjNhqAtkXDrpbzmK".into()),
        last_mod: Some(1_762_000_000),
        last_mod_usecs: Some(123_456),
        usermeta: vec![pair("X-Riak-Meta-Source", "web"), pair("X-Riak-Meta-Trace", "0123456789abcdef")],
        indexes: vec![pair("age_int", "42"), pair("email_bin", "alice@example.com")],
        ..RpbContent::default()
    }
}

fn vclock() -> Blob {
    vec![0x6b; 40].into()
}

/// Returns a get with the fields that clients usually set.
pub(crate) fn get_req() -> RpbGetReq {
    RpbGetReq {
        bucket: "users".into(),
        key: "alice".into(),
        r: Some(Quorum::QUORUM),
        notfound_ok: Some(true),
        deletedvclock: Some(true),
        timeout: Some(60_000),
        r#type: Some("people".into()),
        ..RpbGetReq::default()
    }
}

/// Returns one object with a value of 1 KiB.
pub(crate) fn get_resp() -> RpbGetResp {
    RpbGetResp { content: vec![content(1024)], vclock: Some(vclock()), ..RpbGetResp::default() }
}

/// Returns a put with a value of this many bytes.
pub(crate) fn put_req(value: usize) -> RpbPutReq {
    RpbPutReq {
        bucket: "users".into(),
        key: Some("alice".into()),
        vclock: Some(vclock()),
        content: content(value),
        w: Some(Quorum::QUORUM),
        dw: Some(Quorum::ONE),
        return_body: Some(false),
        timeout: Some(60_000),
        r#type: Some("people".into()),
        ..RpbPutReq::default()
    }
}
