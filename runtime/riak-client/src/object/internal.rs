//! Data types in the form in which Riak stores them, as a plain read returns them.
//!
//! Invariant: nothing in that form is written as an object: Riak would take it for
//! the data type, whatever it has become.

use riak_runtime::client::NotSent;

use super::{Fetched, Object, Siblings};
use crate::riak_kv::RpbContent;

/// The content types that Riak gives to stored data types.
const CONTENT_TYPES: [&[u8]; 5] = [
    b"application/riak_counter",
    b"application/riak_set",
    b"application/riak_map",
    b"application/riak_gset",
    b"application/riak_hll",
];

/// Fails if any of the contents to be written is a data type.
pub(super) fn check_contents(contents: &[RpbContent]) -> Result<(), NotSent> {
    let is_internal = |content: &RpbContent| {
        content.content_type.as_ref().is_some_and(|given| CONTENT_TYPES.contains(&given.as_slice()))
    };
    if contents.iter().any(is_internal) {
        let reason = "this object is a data type in the form that Riak stores it in, and writing that would \
                      damage it: read and update it with convergent()";
        return Err(NotSent::Refused { reason });
    }
    Ok(())
}

/// Fails if a data type was read as an object.
pub(super) fn check_found(found: &Fetched) -> Result<(), NotSent> {
    match found {
        Fetched::Found(Object { content, .. }) => check_contents(std::slice::from_ref(content)),
        Fetched::Siblings(Siblings { contents, .. }) => check_contents(contents),
        Fetched::NotFound | Fetched::Unchanged | Fetched::Tombstone(_) => Ok(()),
    }
}
