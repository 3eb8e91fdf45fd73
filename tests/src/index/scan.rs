//! The execution of an index query over a bucket.
//!
//! Invariant: sorted results are in order and limited to a page. Unsorted results are
//! split into the parts of a scan, each in reverse order, as a real node returns them.

use std::collections::{BTreeMap, BTreeSet};

use riak_runtime::Blob;

use crate::index::continuation::Position;
use crate::index::query::Target;
use crate::index::{IndexTerm, Query};
use crate::object::Object;

/// One result: the key and, if the query is for a range of terms, its term.
type Entry = (Option<IndexTerm>, Blob);

/// The results of an index query.
#[derive(Clone, Debug)]
pub(crate) struct IndexScan {
    /// The results, in the parts in which the ring returns them. Sorted results are
    /// one part.
    pub(crate) parts: Vec<Vec<Entry>>,
    /// The start of the next page, if this page is full.
    pub(crate) continuation: Option<Blob>,
}

/// Runs a query over the objects of a bucket. `part_of` returns the part of the scan
/// that contains a key.
pub(crate) fn scan(
    query: &Query,
    objects: &BTreeMap<Blob, Object>,
    parts: u32,
    part_of: impl Fn(&Blob) -> u32,
) -> IndexScan {
    let found = find(query, objects);
    if !query.sorted {
        let mut by_part = vec![Vec::new(); parts as usize];
        for entry in found.into_iter().rev() {
            by_part[part_of(&entry.1) as usize].push(entry);
        }
        return IndexScan { parts: by_part, continuation: None };
    }
    let page: Vec<Entry> = found.into_iter().take(query.max_results.unwrap_or(usize::MAX)).collect();
    let full = query.max_results == Some(page.len());
    let last = page.last().filter(|_| full);
    let continuation = last.map(|(term, key)| Position { term: term.clone(), key: key.clone() }.encode());
    IndexScan { parts: vec![page], continuation }
}

/// Returns all results after the previous page, in order: by term and key for a range
/// of terms, by key otherwise.
fn find(query: &Query, objects: &BTreeMap<Blob, Object>) -> BTreeSet<Entry> {
    let matches = |bytes: &[u8]| query.regex.as_ref().is_none_or(|regex| regex.is_match(bytes));
    let mut found = BTreeSet::new();
    for (key, object) in objects {
        match &query.target {
            Target::Bucket => {
                found.insert((None, key.clone()));
            }
            Target::Keys(min, max) => {
                if min <= key && key <= max && matches(key) {
                    found.insert((None, key.clone()));
                }
            }
            Target::Term(index, wanted) => {
                if terms(object, index).any(|term| term == wanted && matches(&term.to_blob())) {
                    found.insert((None, key.clone()));
                }
            }
            Target::Terms(index, min, max) => {
                let within = terms(object, index).filter(|term| min <= *term && *term <= max);
                found.extend(
                    within
                        .filter(|term| matches(&term.to_blob()))
                        .map(|term| (Some(term.clone()), key.clone())),
                );
            }
        }
    }
    if let Some(Position { term, key }) = &query.after {
        if term.is_some() && matches!(query.target, Target::Terms(..)) {
            let last = (term.clone(), key.clone());
            found = found.split_off(&last);
            found.remove(&last);
        } else {
            found.retain(|entry| entry.1 > *key);
        }
    }
    found
}

/// Returns the terms of an object in an index, from all its siblings.
fn terms<'a>(object: &'a Object, index: &'a Blob) -> impl Iterator<Item = &'a IndexTerm> {
    let entries = object.siblings.iter().flat_map(|sibling| &sibling.entries);
    entries.filter(move |(name, _)| name == index).map(|(_, term)| term)
}
