//! The values of the cases.
//!
//! They are built once, with this project's types. Every contender decodes its own value
//! from the bytes.

pub(crate) mod bucket;
pub(crate) mod datatype;
pub(crate) mod listing;
pub(crate) mod object;
pub(crate) mod rows;
pub(crate) mod telemetry;

use riak_client::riak::RpbPair;

/// Returns a pair with a value.
fn pair(key: &str, value: &str) -> RpbPair {
    RpbPair { key: key.into(), value: Some(value.into()), ..RpbPair::default() }
}
