//! The values of the cases.
//!
//! Built once, with this project's types; every contender gets its own by
//! decoding the bytes.

pub(crate) mod bucket;
pub(crate) mod datatype;
pub(crate) mod listing;
pub(crate) mod object;
pub(crate) mod rows;
pub(crate) mod telemetry;

use riak_client::riak::RpbPair;

/// A pair with a value.
fn pair(key: &str, value: &str) -> RpbPair {
    RpbPair { key: key.into(), value: Some(value.into()), ..RpbPair::default() }
}
