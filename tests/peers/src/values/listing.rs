//! Long flat answers: keys, and index terms with keys.

use riak_client::riak_kv::{RpbIndexResp, RpbListKeysResp};

use super::pair;

/// Returns `count` keys of 15 bytes.
pub(crate) fn keys(count: usize) -> RpbListKeysResp {
    let keys = (0..count).map(|index| format!("key-{index:011}").into()).collect();
    RpbListKeysResp { keys, ..RpbListKeysResp::default() }
}

/// Returns `count` terms, each with the key of its object.
pub(crate) fn terms(count: usize) -> RpbIndexResp {
    let result = |index| pair(&format!("person-{index:06}@example.com"), &format!("key-{index:011}"));
    RpbIndexResp {
        results: (0..count).map(result).collect(),
        continuation: Some(vec![b'c'; 64].into()),
        ..RpbIndexResp::default()
    }
}
