//! [`Resolve`]: turns values that were written at the same time into one.
//!
//! Invariant: it is called only with two or more values.

use crate::riak_kv::RpbContent;

/// A function that turns several values written at the same time (siblings) into
/// one.
///
/// Closures implement this trait. The result must not depend on the order of the
/// siblings: otherwise, clients that resolve the same siblings at once store
/// different values, which become siblings again.
///
/// ```
/// use riak_client::Resolve;
/// use riak_client::riak_kv::RpbContent;
///
/// // The longest wins; among equally long values, the greatest.
/// let longest = |siblings: Vec<RpbContent>| {
///     siblings.into_iter().max_by_key(|content| (content.value.len(), content.value.clone())).unwrap()
/// };
/// let siblings = vec![RpbContent::new("long"), RpbContent::new("longer")];
/// assert_eq!(longest.resolve(siblings).value, "longer");
/// ```
pub trait Resolve {
    /// Returns one value for two or more, none of which is a tombstone.
    fn resolve(&self, siblings: Vec<RpbContent>) -> RpbContent;
}

impl<F: Fn(Vec<RpbContent>) -> RpbContent> Resolve for F {
    fn resolve(&self, siblings: Vec<RpbContent>) -> RpbContent {
        self(siblings)
    }
}

/// A resolver that keeps the value stored last, by the system clocks of the nodes;
/// the others are lost. Of two values from the same microsecond it keeps the
/// greater, byte by byte.
#[derive(Clone, Copy, Debug, Default)]
pub struct Newest;

impl Resolve for Newest {
    fn resolve(&self, siblings: Vec<RpbContent>) -> RpbContent {
        let time = |content: &RpbContent| (content.last_mod, content.last_mod_usecs);
        let newest = siblings.into_iter().max_by(|one, other| {
            time(one).cmp(&time(other)).then_with(|| one.value.as_slice().cmp(other.value.as_slice()))
        });
        newest.unwrap_or_default()
    }
}
