//! [`Change`]: a change to a data type, decoded from an update.
//!
//! Invariant: the change of a field is of the field's kind. Riak's decoder has no
//! clause for any other message, and crashes.

use riak_client::riak_dt::map_field::MapFieldType;
use riak_client::riak_dt::map_update::FlagOp;
use riak_client::riak_dt::{CounterOp, DtOp, MapField, MapOp, MapUpdate, SetOp};
use riak_runtime::Blob;

use super::Kind;
use super::map::{Field, FieldKind};
use crate::refusal::Refusal;

/// The module of Riak that decodes updates.
const DECODER: &str = "riak_pb_dt_codec";

/// A change of a data type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    Counter(i64),
    Set(SetChange),
    Map(MapChange),
    GSet(Vec<Blob>),
    Hll(Vec<Blob>),
}

/// A change of a set.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SetChange {
    pub(crate) adds: Vec<Blob>,
    pub(crate) removes: Vec<Blob>,
}

/// A change of a map.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct MapChange {
    pub(crate) removes: Vec<Field>,
    pub(crate) updates: Vec<(Field, FieldChange)>,
}

/// A change of the value of a field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum FieldChange {
    Counter(i64),
    Register(Option<Blob>),
    Map(MapChange),
    Flag(bool),
    Set(SetChange),
}

impl Change {
    /// Decodes the change of an operation. If it carries several, one wins, in an
    /// order that Riak defines.
    ///
    /// # Errors
    ///
    /// [`Refusal::Crash`] if it carries no change, or an invalid one.
    pub(crate) fn read(op: &DtOp) -> Result<Self, Refusal> {
        match op {
            DtOp { counter_op: Some(counter), .. } => Ok(Self::Counter(increment(counter))),
            DtOp { set_op: Some(set), .. } => Ok(Self::Set(SetChange::read(set))),
            DtOp { hll_op: Some(hll), .. } => Ok(Self::Hll(hll.adds.clone())),
            DtOp { gset_op: Some(gset), .. } => Ok(Self::GSet(gset.adds.clone())),
            DtOp { map_op: Some(map), .. } => Ok(Self::Map(MapChange::read(map)?)),
            _ => Err(Refusal::no_clause(DECODER, "decode_operation", "{dtop,undefined}")),
        }
    }

    /// Returns the kind of data type that the change applies to.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Counter(_) => Kind::Counter,
            Self::Set(_) => Kind::Set,
            Self::Map(_) => Kind::Map,
            Self::GSet(_) => Kind::GSet,
            Self::Hll(_) => Kind::Hll,
        }
    }
}

/// Returns the increment of a counter of Riak 1.4.
///
/// # Errors
///
/// [`Refusal::NotACounter`] if the operation is of another kind, and the errors of
/// [`Change::read`].
pub(crate) fn as_increment(op: &DtOp) -> Result<i64, Refusal> {
    match Change::read(op)? {
        Change::Counter(by) => Ok(by),
        _ => Err(Refusal::NotACounter),
    }
}

/// Returns the increment of an operation, which is 1 by default.
fn increment(counter: &CounterOp) -> i64 {
    counter.increment.unwrap_or(1)
}

impl SetChange {
    fn read(set: &SetOp) -> Self {
        Self { adds: set.adds.clone(), removes: set.removes.clone() }
    }
}

impl MapChange {
    fn read(map: &MapOp) -> Result<Self, Refusal> {
        let updates =
            map.updates.iter().map(|update| Ok((Field::read(&update.field), field_change(update)?)));
        Ok(Self {
            removes: map.removes.iter().map(Field::read).collect(),
            updates: updates.collect::<Result<_, Refusal>>()?,
        })
    }
}

impl Field {
    fn read(field: &MapField) -> Self {
        let kind = match field.r#type {
            MapFieldType::Counter => FieldKind::Counter,
            MapFieldType::Set => FieldKind::Set,
            MapFieldType::Register => FieldKind::Register,
            MapFieldType::Flag => FieldKind::Flag,
            MapFieldType::Map => FieldKind::Map,
        };
        Self { name: field.name.clone(), kind }
    }
}

/// Decodes the change of one field, which is the operation of the field's kind. Like
/// Riak, it ignores any other operations.
fn field_change(update: &MapUpdate) -> Result<FieldChange, Refusal> {
    let missing_operation = |function| Refusal::no_clause(DECODER, function, "undefined");
    match update.field.r#type {
        MapFieldType::Counter => {
            let counter = update.counter_op.as_ref().ok_or_else(|| missing_operation("decode_map_update"))?;
            Ok(FieldChange::Counter(increment(counter)))
        }
        MapFieldType::Set => {
            let set = update.set_op.as_ref().ok_or_else(|| missing_operation("decode_map_update"))?;
            Ok(FieldChange::Set(SetChange::read(set)))
        }
        // The only kind whose operation is optional. Without it, the register has no value.
        MapFieldType::Register => Ok(FieldChange::Register(update.register_op.clone())),
        MapFieldType::Flag => {
            let flag = update.flag_op.ok_or_else(|| missing_operation("decode_flag_op"))?;
            Ok(FieldChange::Flag(flag == FlagOp::Enable))
        }
        MapFieldType::Map => {
            let map = update.map_op.as_ref().ok_or_else(|| missing_operation("decode_map_op"))?;
            Ok(FieldChange::Map(MapChange::read(map)?))
        }
    }
}
