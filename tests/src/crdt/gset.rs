//! [`GSet`]: a set that only grows.
//!
//! Invariant: what was added stays.

use std::collections::BTreeSet;

use riak_runtime::Blob;

/// A set that only grows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct GSet(BTreeSet<Blob>);

impl GSet {
    /// Adds elements.
    pub(crate) fn grow(&mut self, elements: &[Blob]) {
        self.0.extend(elements.iter().cloned());
    }

    /// Its elements, sorted as a real node answers them.
    pub(crate) fn value(&self) -> Vec<Blob> {
        self.0.iter().cloned().collect()
    }
}
