//! [`Update`]: a change of a data type; [`SetUpdate`]: a change of a set.
//!
//! Invariant: an update holds one operation, and a context only if that is an
//! operation on a set or a map.

use riak_runtime::Blob;

use super::context::{Blind, Causality, Context, Seen};
use crate::riak_dt::{CounterOp, DtOp, GSetOp, HllOp, SetOp};

/// A change of a data type.
///
/// It is made from a [`SetUpdate`] or a [`MapUpdate`](super::MapUpdate) by
/// `into()`, or by the functions here for the other types.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    pub(super) op: DtOp,
    pub(super) context: Option<Context>,
}

impl Update {
    /// Adds `by` to a counter; a negative number subtracts.
    #[must_use]
    pub fn increment(by: i64) -> Self {
        let counter = CounterOp { increment: Some(by), ..CounterOp::default() };
        Self { op: DtOp { counter_op: Some(counter), ..DtOp::default() }, context: None }
    }

    /// Adds elements to a grow-only set.
    pub fn grow<E: Into<Blob>>(elements: impl IntoIterator<Item = E>) -> Self {
        let adds = elements.into_iter().map(Into::into).collect();
        let grown = GSetOp { adds, ..GSetOp::default() };
        Self { op: DtOp { gset_op: Some(grown), ..DtOp::default() }, context: None }
    }

    /// Adds elements to a `HyperLogLog`.
    pub fn observe<E: Into<Blob>>(elements: impl IntoIterator<Item = E>) -> Self {
        let adds = elements.into_iter().map(Into::into).collect();
        let observed = HllOp { adds, ..HllOp::default() };
        Self { op: DtOp { hll_op: Some(observed), ..DtOp::default() }, context: None }
    }
}

/// A change of a set.
///
/// [`SetUpdate::new`] creates a change without a read, which cannot remove
/// anything. [`Set::update`](crate::Set::update) creates one from a read, which
/// can:
///
/// ```compile_fail
/// riak_client::SetUpdate::new().remove("an element");
/// ```
///
/// ```
/// # fn example(set: riak_client::Set) {
/// set.update().remove("an element").insert("another");
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "an update does nothing until it is sent"]
pub struct SetUpdate<K = Blind> {
    op: SetOp,
    causality: K,
}

impl SetUpdate {
    /// Creates a change without a read, which can only add.
    pub fn new() -> Self {
        Self::with_causality(Blind)
    }
}

impl Default for SetUpdate {
    fn default() -> Self {
        Self::new()
    }
}

impl<K> SetUpdate<K> {
    pub(super) fn with_causality(causality: K) -> Self {
        Self { op: SetOp::default(), causality }
    }

    /// Adds an element.
    pub fn insert(mut self, element: impl Into<Blob>) -> Self {
        self.op.adds.push(element.into());
        self
    }
}

impl SetUpdate<Seen> {
    /// Removes an element.
    pub fn remove(mut self, element: impl Into<Blob>) -> Self {
        self.op.removes.push(element.into());
        self
    }
}

impl<K: Causality> From<SetUpdate<K>> for Update {
    fn from(update: SetUpdate<K>) -> Self {
        let op = DtOp { set_op: Some(update.op), ..DtOp::default() };
        Self { op, context: update.causality.context() }
    }
}
