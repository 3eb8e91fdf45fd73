//! [`GSet`]: a grow-only set.
//!
//! Invariant: an element that was added stays.

use std::collections::BTreeSet;

use riak_runtime::Blob;

/// A grow-only set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct GSet(BTreeSet<Blob>);

impl GSet {
    /// Adds elements.
    pub(crate) fn insert_all(&mut self, elements: &[Blob]) {
        self.0.extend(elements.iter().cloned());
    }

    /// Returns the elements, sorted as in the answer of a real node.
    pub(crate) fn value(&self) -> Vec<Blob> {
        self.0.iter().cloned().collect()
    }
}
