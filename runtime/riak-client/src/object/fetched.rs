//! [`Fetched`]: the possible results of reading an object.
//!
//! Invariant: whatever is found keeps its clock, and a tombstone is never taken for
//! a value.

use super::{Resolve, VClock};
use crate::riak_kv::{RpbContent, RpbGetResp};

/// The result of reading an object.
///
/// It can also be made from the answer to a
/// [`RpbGetReq`](crate::riak_kv::RpbGetReq), which should set `deletedvclock`:
/// without it, a tombstone looks like [`Fetched::NotFound`].
///
/// ```
/// use riak_client::Fetched;
/// use riak_client::riak_kv::RpbGetResp;
///
/// let deleted = RpbGetResp { vclock: Some("clock".into()), ..RpbGetResp::default() };
/// assert!(matches!(Fetched::from(deleted), Fetched::Tombstone(_)));
/// assert_eq!(Fetched::from(RpbGetResp::default()), Fetched::NotFound);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Fetched {
    /// There is no such object, and no tombstone of one.
    NotFound,
    /// The object has not changed since the clock in the request (`if_modified`).
    Unchanged,
    /// The object was deleted a moment ago. A new value must be stored over this clock,
    /// or the pending delete may remove it.
    Tombstone(VClock),
    /// One value.
    Found(Object),
    /// Several values that were written at the same time.
    Siblings(Siblings),
}

/// One value and the clock of its read.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Object {
    /// The value, with its metadata.
    pub content: RpbContent,
    /// The clock of the read. Riak always sends it.
    pub vclock: Option<VClock>,
}

/// Several values and the clock of their read.
///
/// Storing a value over this clock replaces all of them.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Siblings {
    /// The values, in the order in which Riak sent them. If the object was deleted
    /// at the same time, one of them is the tombstone, with `deleted` set.
    pub contents: Vec<RpbContent>,
    /// The clock of the read. Riak always sends it.
    pub vclock: Option<VClock>,
}

fn is_deleted(content: &RpbContent) -> bool {
    content.deleted == Some(true)
}

impl From<RpbGetResp> for Fetched {
    fn from(answer: RpbGetResp) -> Self {
        let RpbGetResp { mut content, vclock, unchanged, .. } = answer;
        let vclock = vclock.and_then(VClock::from_bytes);
        // Checked first: a clock in such an answer belongs to an object, not to a
        // tombstone.
        if content.is_empty() && unchanged == Some(true) {
            return Self::Unchanged;
        }
        if content.iter().all(is_deleted) {
            return vclock.map_or(Self::NotFound, Self::Tombstone);
        }
        if content.len() == 1 {
            let content = content.remove(0);
            return Self::Found(Object { content, vclock });
        }
        Self::Siblings(Siblings { contents: content, vclock })
    }
}

impl Fetched {
    /// Returns the value, if there is one, and the clock over which to store
    /// another one.
    ///
    /// `resolve` is called only if there are two or more values, not counting
    /// tombstones.
    pub fn resolve(self, resolve: &(impl Resolve + ?Sized)) -> (Option<RpbContent>, Option<VClock>) {
        match self {
            Self::NotFound | Self::Unchanged => (None, None),
            Self::Tombstone(vclock) => (None, Some(vclock)),
            Self::Found(Object { content, vclock }) => (Some(content), vclock),
            Self::Siblings(Siblings { contents, vclock }) => {
                let mut values: Vec<_> =
                    contents.into_iter().filter(|content| !is_deleted(content)).collect();
                let value = if values.len() > 1 { Some(resolve.resolve(values)) } else { values.pop() };
                (value, vclock)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use riak_runtime::Blob;

    use super::*;

    fn answer(values: &[(&'static str, bool)], vclock: &'static str) -> RpbGetResp {
        let content = |&(value, deleted): &(&'static str, bool)| RpbContent {
            deleted: deleted.then_some(true),
            ..RpbContent::new(value)
        };
        let content = values.iter().map(content).collect();
        RpbGetResp { content, vclock: Some(vclock.into()), ..RpbGetResp::default() }
    }

    /// All known shapes of Riak's answers.
    #[test]
    fn each_shape_of_answer_is_recognised() {
        let clock = VClock::from_bytes("c");
        assert_eq!(Fetched::from(answer(&[], "")), Fetched::NotFound, "an empty clock is none");
        assert_eq!(Fetched::from(answer(&[], "c")), Fetched::Tombstone(clock.clone().unwrap()));
        assert_eq!(Fetched::from(answer(&[("", true)], "c")), Fetched::Tombstone(clock.clone().unwrap()));
        let unchanged = RpbGetResp { unchanged: Some(true), ..RpbGetResp::default() };
        let with_clock = RpbGetResp { vclock: Some("c".into()), ..unchanged.clone() };
        assert_eq!([unchanged, with_clock].map(Fetched::from), [Fetched::Unchanged, Fetched::Unchanged]);
        let Fetched::Found(object) = Fetched::from(answer(&[("v", false)], "c")) else {
            panic!("it is found")
        };
        assert_eq!((object.content.value, object.vclock), ("v".into(), clock));
    }

    #[test]
    fn the_resolver_is_called_only_for_several_values() {
        let never = |_: Vec<RpbContent>| -> RpbContent { panic!("it is asked") };
        for (values, expected) in [
            (&[][..], None),
            (&[("", true)], None),
            (&[("v", false)], Some("v")),
            (&[("v", false), ("", true)], Some("v")),
        ] {
            let (value, vclock) = Fetched::from(answer(values, "c")).resolve(&never);
            assert_eq!(value.map(|content| content.value), expected.map(Blob::from));
            assert!(vclock.is_some());
        }
        let first = |siblings: Vec<RpbContent>| {
            assert_eq!(siblings.len(), 2, "a tombstone is no value");
            siblings[0].clone()
        };
        let several = answer(&[("a", false), ("", true), ("b", false)], "c");
        assert_eq!(Fetched::from(several).resolve(&first).0.unwrap().value, "a");
    }
}
