//! [`Object`]: what is stored under a key.
//!
//! Invariant: an object has at least one sibling; siblings are in the order of
//! their vtags, as a real node returns them.

use std::time::Duration;

use riak_client::riak_kv::RpbContent;
use riak_runtime::Blob;

use crate::crdt::{Crdt, Kind};
use crate::index::IndexTerm;
use crate::vclock::{Dot, Vclock};

/// A stored object.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) clock: Vclock,
    pub(crate) siblings: Vec<Sibling>,
}

/// One of the concurrent versions of an object.
#[derive(Clone, Debug)]
pub(crate) struct Sibling {
    /// The write that made it, where that is known.
    pub(crate) dot: Option<Dot>,
    /// As it is returned: index names in lower case, index terms as the node
    /// prints them, vtag and times set.
    pub(crate) content: RpbContent,
    /// Its entries in secondary indexes.
    pub(crate) entries: Vec<(Blob, IndexTerm)>,
    /// The data type that it is, if it was made by updates of one.
    pub(crate) crdt: Option<Crdt>,
}

impl Sibling {
    /// Whether it marks a delete.
    pub(crate) fn is_tombstone(&self) -> bool {
        self.content.deleted == Some(true)
    }

    /// When it was written, since the Unix epoch.
    pub(crate) fn last_modified(&self) -> Duration {
        Duration::from_secs(self.content.last_mod.unwrap_or(0).into())
            + Duration::from_micros(self.content.last_mod_usecs.unwrap_or(0).into())
    }
}

impl Object {
    /// Whether nothing but deletes is left of it.
    pub(crate) fn is_tombstone(&self) -> bool {
        self.siblings.iter().all(Sibling::is_tombstone)
    }

    /// The data type of this kind that is among its versions.
    pub(crate) fn crdt(&self, kind: Kind) -> Option<&Crdt> {
        self.siblings.iter().filter_map(|sibling| sibling.crdt.as_ref()).find(|crdt| crdt.kind() == kind)
    }

    /// What clients get of its versions: with empty values if only the head is
    /// asked for.
    pub(crate) fn contents(&self, head: bool) -> Vec<RpbContent> {
        let content = |sibling: &Sibling| {
            if head {
                RpbContent { value: Blob::new(), ..sibling.content.clone() }
            } else {
                sibling.content.clone()
            }
        };
        self.siblings.iter().map(content).collect()
    }
}
