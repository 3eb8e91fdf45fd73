//! [`Object`]: the value stored under a key.
//!
//! Invariant: an object has at least one sibling. Siblings are in the order of
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
    /// The write that created this version, if it is known.
    pub(crate) dot: Option<Dot>,
    /// The content as it is returned: index names in lower case, index terms as the
    /// node prints them, vtag and times set.
    pub(crate) content: RpbContent,
    /// The version's entries in secondary indexes.
    pub(crate) entries: Vec<(Blob, IndexTerm)>,
    /// The data type, if the version was created by updates of one.
    pub(crate) crdt: Option<Crdt>,
}

impl Sibling {
    /// Reports whether this version marks a delete.
    pub(crate) fn is_tombstone(&self) -> bool {
        self.content.deleted == Some(true)
    }

    /// Returns the time at which it was written, since the Unix epoch.
    pub(crate) fn last_modified(&self) -> Duration {
        Duration::from_secs(self.content.last_mod.unwrap_or(0).into())
            + Duration::from_micros(self.content.last_mod_usecs.unwrap_or(0).into())
    }
}

impl Object {
    /// Reports whether all versions mark deletes.
    pub(crate) fn is_tombstone(&self) -> bool {
        self.siblings.iter().all(Sibling::is_tombstone)
    }

    /// Returns the data type of this kind among the versions.
    pub(crate) fn crdt(&self, kind: Kind) -> Option<&Crdt> {
        self.siblings.iter().filter_map(|sibling| sibling.crdt.as_ref()).find(|crdt| crdt.kind() == kind)
    }

    /// Returns the versions as clients get them, with empty values if the client
    /// asks for the head only.
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
