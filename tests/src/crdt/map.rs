//! [`Map`]: fields that hold data types, and are removed as observed.
//!
//! Invariant: a field is there if it was updated by an event that no removal has
//! seen; of one that a removal has seen in part, what it has seen is gone, at
//! any depth.

use std::collections::BTreeMap;
use std::time::Duration;

use riak_runtime::Blob;

use super::change::{FieldChange, MapChange};
use super::clock::{Causality, Event};
use super::flag::Flag;
use super::register::Register;
use super::set::Set;
use super::tally::Tally;
use crate::erlang::text;
use crate::refusal::Refusal;

/// What a field may hold, in the order of the modules in which Riak has them:
/// that is how it sorts fields of the same name.
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

/// A field is its name and what it holds: the same name may stand for several.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Field {
    pub(crate) name: Blob,
    pub(crate) kind: FieldKind,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Embedded {
    Counter(Tally),
    Register(Register),
    Map(Map),
    Flag(Flag),
    Set(Set),
}

/// A map: its fields, the event that has last updated each, and what they hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Map {
    fields: BTreeMap<Field, (Event, Embedded)>,
}

impl Map {
    /// Removes, then updates, all by one event.
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
            let (updated, value) =
                self.fields.entry(field.clone()).or_insert_with(|| (event, Embedded::new(field.kind)));
            *updated = event;
            value.update(change, event, causality, now)?;
        }
        Ok(())
    }

    fn remove(&mut self, field: &Field, causality: Causality) -> Result<(), Refusal> {
        match self.fields.get_mut(field) {
            Some((updated, _)) if causality.covers(*updated) => {
                self.fields.remove(field);
            }
            Some((_, value)) => value.reset(causality),
            None if causality == Causality::Blind => {
                let field = format!("{{{},{}}}", text::binary(&field.name), field.kind.module());
                return Err(Refusal::NotPresent(field));
            }
            None => {}
        }
        Ok(())
    }

    /// Removes all that was seen.
    pub(crate) fn reset(&mut self, causality: Causality) {
        self.fields.retain(|_, (updated, value)| {
            value.reset(causality);
            !causality.covers(*updated)
        });
    }

    /// Its fields, sorted as a real node answers them.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&Field, &Embedded)> {
        self.fields.iter().map(|(field, (_, value))| (field, value))
    }
}

impl Embedded {
    fn new(kind: FieldKind) -> Self {
        match kind {
            FieldKind::Counter => Self::Counter(Tally::default()),
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
            (Self::Counter(tally), FieldChange::Counter(by)) => tally.add(*by, event),
            (Self::Register(register), FieldChange::Register(value)) => register.assign(value.as_ref(), now),
            (Self::Flag(flag), FieldChange::Flag(true)) => flag.enable(event),
            (Self::Flag(flag), FieldChange::Flag(false)) => flag.disable(causality),
            (Self::Set(set), FieldChange::Set(change)) => return set.update(change, || event, causality),
            (Self::Map(map), FieldChange::Map(change)) => return map.update(change, event, causality, now),
            // A change is read by the kind of its field, and the field is made by it.
            _ => debug_assert!(false, "a change of another kind than its field"),
        }
        Ok(())
    }

    /// Takes away what was seen. A register holds one value, which has no more to
    /// do with what it replaced: whoever keeps the field keeps that.
    fn reset(&mut self, causality: Causality) {
        match self {
            Self::Counter(tally) => tally.reset(causality),
            Self::Register(_) => {}
            Self::Map(map) => map.reset(causality),
            Self::Flag(flag) => flag.disable(causality),
            Self::Set(set) => set.reset(causality),
        }
    }
}
