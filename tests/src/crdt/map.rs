//! [`Map`]: fields that hold data types, with observed-remove semantics.
//!
//! Invariant: a field exists if some event updated it that no removal has seen. If a
//! removal has seen only part of a field's updates, that part is removed, at any
//! depth.

use std::collections::BTreeMap;
use std::time::Duration;

use riak_runtime::Blob;

use super::change::{FieldChange, MapChange};
use super::clock::{Causality, Event};
use super::embedded_counter::EmbeddedCounter;
use super::flag::Flag;
use super::register::Register;
use super::set::Set;
use crate::erlang::text;
use crate::refusal::Refusal;

/// The type of a field, in the order of the names of Riak's modules, by which it sorts
/// fields with the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FieldKind {
    /// `riak_dt_emcntr`.
    Counter,
    /// `riak_dt_lwwreg`.
    Register,
    /// `riak_dt_map`.
    Map,
    /// `riak_dt_od_flag`.
    Flag,
    /// `riak_dt_orswot`.
    Set,
}

impl FieldKind {
    fn module(self) -> &'static str {
        match self {
            Self::Counter => "riak_dt_emcntr",
            Self::Register => "riak_dt_lwwreg",
            Self::Map => "riak_dt_map",
            Self::Flag => "riak_dt_od_flag",
            Self::Set => "riak_dt_orswot",
        }
    }
}

/// The identity of a field: its name and type. Fields may share a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Field {
    pub(crate) name: Blob,
    pub(crate) kind: FieldKind,
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Embedded {
    Counter(EmbeddedCounter),
    Register(Register),
    Map(Map),
    Flag(Flag),
    Set(Set),
}

/// A map: its fields, each with the event that last updated it, and its value.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Map {
    fields: BTreeMap<Field, (Event, Embedded)>,
}

impl Map {
    /// Removes fields, then updates fields, all with one event.
    ///
    /// # Errors
    ///
    /// [`Refusal::NotPresent`].
    pub(crate) fn update(
        &mut self,
        change: &MapChange,
        event: Event,
        causality: Causality,
        now: Duration,
    ) -> Result<(), Refusal> {
        for field in &change.removes {
            self.remove(field, causality)?;
        }
        for (field, change) in &change.updates {
            let (last_update, value) =
                self.fields.entry(field.clone()).or_insert_with(|| (event, Embedded::new(field.kind)));
            *last_update = event;
            value.update(change, event, causality, now)?;
        }
        Ok(())
    }

    fn remove(&mut self, field: &Field, causality: Causality) -> Result<(), Refusal> {
        match self.fields.get_mut(field) {
            Some((last_update, _)) if causality.covers(*last_update) => {
                self.fields.remove(field);
            }
            Some((_, value)) => value.reset(causality),
            None if causality == Causality::WithoutContext => {
                let field = format!("{{{},{}}}", text::binary(&field.name), field.kind.module());
                return Err(Refusal::NotPresent(field));
            }
            None => {}
        }
        Ok(())
    }

    /// Removes everything that the causality covers.
    pub(crate) fn reset(&mut self, causality: Causality) {
        self.fields.retain(|_, (last_update, value)| {
            value.reset(causality);
            !causality.covers(*last_update)
        });
    }

    /// Returns the fields, sorted as in the answer of a real node.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&Field, &Embedded)> {
        self.fields.iter().map(|(field, (_, value))| (field, value))
    }
}

impl Embedded {
    fn new(kind: FieldKind) -> Self {
        match kind {
            FieldKind::Counter => Self::Counter(EmbeddedCounter::default()),
            FieldKind::Register => Self::Register(Register::default()),
            FieldKind::Map => Self::Map(Map::default()),
            FieldKind::Flag => Self::Flag(Flag::default()),
            FieldKind::Set => Self::Set(Set::default()),
        }
    }

    fn update(
        &mut self,
        change: &FieldChange,
        event: Event,
        causality: Causality,
        now: Duration,
    ) -> Result<(), Refusal> {
        match (self, change) {
            (Self::Counter(counter), FieldChange::Counter(by)) => counter.add(*by, event),
            (Self::Register(register), FieldChange::Register(value)) => register.assign(value.as_ref(), now),
            (Self::Flag(flag), FieldChange::Flag(true)) => flag.enable(event),
            (Self::Flag(flag), FieldChange::Flag(false)) => flag.disable(causality),
            (Self::Set(set), FieldChange::Set(change)) => return set.update(change, || event, causality),
            (Self::Map(map), FieldChange::Map(change)) => return map.update(change, event, causality, now),
            // A field is created with the kind of the change, so they always agree.
            _ => debug_assert!(false, "a change of another kind than its field"),
        }
        Ok(())
    }

    /// Removes everything that the causality covers. A register is kept: it holds only
    /// its latest value, and stays as long as its field does.
    fn reset(&mut self, causality: Causality) {
        match self {
            Self::Counter(counter) => counter.reset(causality),
            Self::Register(_) => {}
            Self::Map(map) => map.reset(causality),
            Self::Flag(flag) => flag.disable(causality),
            Self::Set(set) => set.reset(causality),
        }
    }
}
