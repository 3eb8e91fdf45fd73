//! [`Log`]: a model of sets and maps without clocks: a list of all updates, from which
//! removals strike what they have seen.
//!
//! Invariant: what a client has seen is a set of updates, not a number, so the model does
//! not depend on how the node counts.

use std::collections::BTreeSet;

use riak_client::riak_dt::map_field::MapFieldType;
use riak_client::riak_dt::map_update::FlagOp;
use riak_client::riak_dt::{MapEntry, MapField, MapOp, SetOp};
use riak_runtime::Blob;

/// The updates that a client has seen.
pub(crate) type Seen = BTreeSet<u32>;

/// The fields that lead to a value; empty for the top-level value.
type Path = Vec<(Blob, MapFieldType)>;

/// The effect of an update.
#[derive(Clone, Debug, PartialEq)]
enum Effect {
    Touched,
    Added(Blob),
    Incremented(i64),
    Enabled,
    Assigned(Blob),
}

#[derive(Clone, Debug)]
struct Entry {
    update: u32,
    path: Path,
    effect: Effect,
}

/// All effects that were not removed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    entries: Vec<Entry>,
    updates: u32,
}

/// An error: the update removes something that does not exist.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Absent;

impl Log {
    /// Returns what a client sees that reads now: all updates, including those whose
    /// effects were removed.
    pub(crate) fn read(&self) -> Seen {
        (1..=self.updates).collect()
    }

    /// Deletes the object, and with it all effects.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    /// Applies an update of a top-level set.
    pub(crate) fn update_set(&mut self, op: &SetOp, seen: Option<&Seen>) -> Result<(), Absent> {
        self.apply_atomically(|log| log.set(op, &Path::new(), seen))
    }

    /// Applies an update of a top-level map.
    pub(crate) fn update_map(&mut self, op: &MapOp, seen: Option<&Seen>) -> Result<(), Absent> {
        self.apply_atomically(|log| log.map(op, &Path::new(), seen))
    }

    /// Applies an update as a whole or not at all.
    fn apply_atomically(
        &mut self,
        update: impl FnOnce(&mut Self) -> Result<(), Absent>,
    ) -> Result<(), Absent> {
        let before = self.entries.clone();
        self.updates += 1;
        let result = update(self);
        if result.is_err() {
            self.entries = before;
        }
        result
    }

    fn record(&mut self, path: &Path, effect: Effect) {
        self.entries.push(Entry { update: self.updates, path: path.clone(), effect });
    }

    /// Removes matching effects that were seen, or all matching ones without a context.
    fn strike(&mut self, seen: Option<&Seen>, matches: impl Fn(&Entry) -> bool) {
        self.entries
            .retain(|entry| !(matches(entry) && seen.is_none_or(|seen| seen.contains(&entry.update))));
    }

    fn has(&self, path: &Path, effect: &Effect) -> bool {
        self.entries.iter().any(|entry| entry.path == *path && entry.effect == *effect)
    }

    fn set(&mut self, op: &SetOp, path: &Path, seen: Option<&Seen>) -> Result<(), Absent> {
        for element in &op.adds {
            self.record(path, Effect::Added(element.clone()));
        }
        for element in &op.removes {
            let added = Effect::Added(element.clone());
            if seen.is_none() && !self.has(path, &added) {
                return Err(Absent);
            }
            self.strike(seen, |entry| entry.path == *path && entry.effect == added);
        }
        Ok(())
    }

    fn map(&mut self, op: &MapOp, path: &Path, seen: Option<&Seen>) -> Result<(), Absent> {
        for field in &op.removes {
            let path = below(path, field);
            if seen.is_none() && !self.has(&path, &Effect::Touched) {
                return Err(Absent);
            }
            self.strike(seen, |entry| entry.path.starts_with(&path));
        }
        for update in &op.updates {
            let path = below(path, &update.field);
            self.record(&path, Effect::Touched);
            match update.field.r#type {
                MapFieldType::Counter => {
                    let by = update.counter_op.as_ref().unwrap().increment.unwrap_or(1);
                    self.record(&path, Effect::Incremented(by));
                }
                MapFieldType::Register => {
                    self.record(&path, Effect::Assigned(update.register_op.clone().unwrap()));
                }
                MapFieldType::Flag if update.flag_op == Some(FlagOp::Enable) => {
                    self.record(&path, Effect::Enabled);
                }
                MapFieldType::Flag => {
                    self.strike(seen, |entry| entry.path == path && entry.effect == Effect::Enabled);
                }
                MapFieldType::Set => self.set(update.set_op.as_ref().unwrap(), &path, seen)?,
                MapFieldType::Map => self.map(update.map_op.as_ref().unwrap(), &path, seen)?,
            }
        }
        Ok(())
    }

    /// Returns the elements of the set.
    pub(crate) fn elements(&self) -> Vec<Blob> {
        self.elements_at(&Path::new())
    }

    /// Returns the fields of the map.
    pub(crate) fn fields(&self) -> Vec<MapEntry> {
        self.fields_at(&Path::new())
    }

    fn at<'a>(&'a self, path: &'a Path) -> impl Iterator<Item = &'a Effect> {
        self.entries.iter().filter(move |entry| entry.path == *path).map(|entry| &entry.effect)
    }

    fn elements_at(&self, path: &Path) -> Vec<Blob> {
        let added = self.at(path).filter_map(|effect| match effect {
            Effect::Added(element) => Some(element.clone()),
            _ => None,
        });
        added.collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn fields_at(&self, path: &Path) -> Vec<MapEntry> {
        // The order of the names of Riak's modules.
        let rank = |kind| match kind {
            MapFieldType::Counter => 0,
            MapFieldType::Register => 1,
            MapFieldType::Map => 2,
            MapFieldType::Flag => 3,
            MapFieldType::Set => 4,
        };
        let touched = self.entries.iter().filter(|entry| {
            entry.path.len() == path.len() + 1
                && entry.path.starts_with(path)
                && entry.effect == Effect::Touched
        });
        let fields: BTreeSet<_> = touched
            .map(|entry| {
                let (name, kind) = entry.path[path.len()].clone();
                (name, rank(kind), kind)
            })
            .collect();
        fields.into_iter().map(|(name, _, kind)| self.entry(path, &MapField::new(name, kind))).collect()
    }

    fn entry(&self, path: &Path, field: &MapField) -> MapEntry {
        let path = below(path, field);
        let mut entry = MapEntry::new(field.clone());
        match field.r#type {
            MapFieldType::Counter => {
                let by = |effect: &Effect| if let Effect::Incremented(by) = effect { *by } else { 0 };
                entry.counter_value = Some(self.at(&path).map(by).sum());
            }
            MapFieldType::Register => {
                let assigned = self.at(&path).filter_map(|effect| match effect {
                    Effect::Assigned(value) => Some(value.clone()),
                    _ => None,
                });
                entry.register_value = assigned.last();
            }
            MapFieldType::Flag => entry.flag_value = Some(self.has(&path, &Effect::Enabled)),
            MapFieldType::Set => entry.set_value = self.elements_at(&path),
            MapFieldType::Map => entry.map_value = self.fields_at(&path),
        }
        entry
    }
}

fn below(path: &Path, field: &MapField) -> Path {
    path.iter().cloned().chain([(field.name.clone(), field.r#type)]).collect()
}
