//! Secondary indexes: their terms, how they are asked, and what they give.
//!
//! Invariant: the entries of an object are those of its live siblings; they are
//! replaced as a whole with every put.

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
