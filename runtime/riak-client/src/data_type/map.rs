//! [`MapUpdate`]: a change of a map.
//!
//! Invariant: a change nested in one that is not based on a read is not based on
//! one either, so that nothing is removed at any depth.

use riak_runtime::Blob;

use super::Update;
use super::context::{Blind, Causality, Seen};
use crate::riak_dt::map_field::MapFieldType;
use crate::riak_dt::map_update::FlagOp;
use crate::riak_dt::{CounterOp, DtOp, MapField, MapOp, MapUpdate as FieldUpdate, SetOp};

/// A change of a map.
///
/// A field is identified by its name and its type: fields with the same name and
/// different types are different fields.
///
/// [`MapUpdate::new`] creates a change without a read, which cannot remove anything
/// at any depth. [`Map::update`](crate::Map::update) creates one from a read, which
/// can:
///
/// ```compile_fail
/// use riak_client::MapUpdate;
/// MapUpdate::new().map("address", |address| address.remove_from_set("lines", "old"));
/// ```
///
/// ```
/// # fn example(map: riak_client::Map) {
/// map.update()
///     .increment("visits", 1)
///     .assign("name", "Alice")
///     .map("address", |address| address.remove_from_set("lines", "old").insert("lines", "new"));
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "an update does nothing until it is sent"]
pub struct MapUpdate<K = Blind> {
    op: MapOp,
    causality: K,
}

impl MapUpdate {
    /// Creates a change without a read, which can only add.
    pub fn new() -> Self {
        Self::with_causality(Blind)
    }
}

impl Default for MapUpdate {
    fn default() -> Self {
        Self::new()
    }
}

impl<K> MapUpdate<K> {
    pub(super) fn with_causality(causality: K) -> Self {
        Self { op: MapOp::default(), causality }
    }

    fn field(
        mut self,
        name: impl Into<Blob>,
        ty: MapFieldType,
        update: impl FnOnce(FieldUpdate) -> FieldUpdate,
    ) -> Self {
        let field = FieldUpdate::new(MapField::new(name, ty));
        self.op.updates.push(update(field));
        self
    }

    /// Adds `by` to a counter field; a negative number subtracts.
    pub fn increment(self, name: impl Into<Blob>, by: i64) -> Self {
        let counter = CounterOp { increment: Some(by), ..CounterOp::default() };
        self.field(name, MapFieldType::Counter, |field| FieldUpdate { counter_op: Some(counter), ..field })
    }

    /// Adds an element to a set field.
    pub fn insert(self, name: impl Into<Blob>, element: impl Into<Blob>) -> Self {
        let set = SetOp { adds: vec![element.into()], ..SetOp::default() };
        self.field(name, MapFieldType::Set, |field| FieldUpdate { set_op: Some(set), ..field })
    }

    /// Sets the value of a register field.
    pub fn assign(self, name: impl Into<Blob>, value: impl Into<Blob>) -> Self {
        let value = value.into();
        self.field(name, MapFieldType::Register, |field| FieldUpdate { register_op: Some(value), ..field })
    }

    /// Enables a flag field.
    pub fn enable(self, name: impl Into<Blob>) -> Self {
        self.field(name, MapFieldType::Flag, |field| FieldUpdate { flag_op: Some(FlagOp::Enable), ..field })
    }
}

impl<K: Clone> MapUpdate<K> {
    /// Changes a map field.
    pub fn map(self, name: impl Into<Blob>, change: impl FnOnce(Self) -> Self) -> Self {
        let nested = change(Self::with_causality(self.causality.clone())).op;
        self.field(name, MapFieldType::Map, |field| FieldUpdate { map_op: Some(nested), ..field })
    }
}

impl MapUpdate<Seen> {
    /// Removes an element from a set field.
    pub fn remove_from_set(self, name: impl Into<Blob>, element: impl Into<Blob>) -> Self {
        let set = SetOp { removes: vec![element.into()], ..SetOp::default() };
        self.field(name, MapFieldType::Set, |field| FieldUpdate { set_op: Some(set), ..field })
    }

    /// Disables a flag field.
    pub fn disable(self, name: impl Into<Blob>) -> Self {
        self.field(name, MapFieldType::Flag, |field| FieldUpdate { flag_op: Some(FlagOp::Disable), ..field })
    }

    /// Removes a field. Riak removes before it updates: a field that the same
    /// change updates starts from scratch.
    pub fn remove(mut self, name: impl Into<Blob>, ty: MapFieldType) -> Self {
        self.op.removes.push(MapField::new(name, ty));
        self
    }
}

impl<K: Causality> From<MapUpdate<K>> for Update {
    fn from(update: MapUpdate<K>) -> Self {
        let op = DtOp { map_op: Some(update.op), ..DtOp::default() };
        Self { op, context: update.causality.context() }
    }
}
