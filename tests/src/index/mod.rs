//! Secondary indexes: terms, queries, and their results.
//!
//! Invariant: the entries of an object are those of its siblings. A put replaces the
//! entries of a version as a whole.

mod continuation;
mod integer;
mod query;
mod scan;
mod term;

pub(crate) use continuation::{continuation_after, key_after};
pub(crate) use integer::Integer;
pub(crate) use query::Query;
pub(crate) use scan::scan;
pub(crate) use term::{IndexTerm, parse_entries};
