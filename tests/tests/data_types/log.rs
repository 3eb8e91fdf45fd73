//! [`Log`]: what has become of a set or a map, told without clocks: a list of
//! all that was ever done, in which removals strike out what they have seen.
//!
//! Invariant: what a client has seen is a set of updates, not a number: nothing
//! here knows how the node counts.

use std::collections::BTreeSet;

use riak_client::riak_dt::map_field::MapFieldType;
use riak_client::riak_dt::map_update::FlagOp;
use riak_client::riak_dt::{MapEntry, MapField, MapOp, SetOp};
use riak_runtime::Blob;

/// The updates that a client has seen.
pub(crate) type Seen = BTreeSet<u32>;

/// The fields that lead to a value: none for that which has the key.
type Path = Vec<(Blob, MapFieldType)>;

/// What an update has done.
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

/// All that was done and not removed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    entries: Vec<Entry>,
    updates: u32,
}

/// Something that is to be removed is not there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Absent;

impl Log {
    /// What a client has seen that reads now: all that was done, whether it is
    /// still there or not.
    pub(crate) fn read(&self) -> Seen {
        (1..=self.updates).collect()
    }

    /// The object is deleted. Nothing that was done is there.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    /// An update of a set that has the key.
    pub(crate) fn update_set(&mut self, op: &SetOp, seen: Option<&Seen>) -> Result<(), Absent> {
        self.attempt(|log| log.set(op, &Path::new(), seen))
    }

    /// An update of a map that has the key.
    pub(crate) fn update_map(&mut self, op: &MapOp, seen: Option<&Seen>) -> Result<(), Absent> {
        self.attempt(|log| log.map(op, &Path::new(), seen))
    }

    /// All or nothing.
    fn attempt(&mut self, update: impl FnOnce(&mut Self) -> Result<(), Absent>) -> Result<(), Absent> {
        let before = self.entries.clone();
        self.updates += 1;
        let result = update(self);
        if result.is_err() {
            self.entries = before;
        }
        result
    }

    fn note(&mut self, path: &Path, effect: Effect) {
        self.entries.push(Entry { update: self.updates, path: path.clone(), effect });
    }

    /// Strikes out what was seen, or all if nobody says what was.
    fn strike(&mut self, seen: Option<&Seen>, what: impl Fn(&Entry) -> bool) {
        self.entries.retain(|entry| !(what(entry) && seen.is_none_or(|seen| seen.contains(&entry.update))));
    }

    fn has(&self, path: &Path, effect: &Effect) -> bool {
        self.entries.iter().any(|entry| entry.path == *path && entry.effect == *effect)
    }

    fn set(&mut self, op: &SetOp, path: &Path, seen: Option<&Seen>) -> Result<(), Absent> {
        for element in &op.adds {
            self.note(path, Effect::Added(element.clone()));
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
            self.note(&path, Effect::Touched);
            match update.field.r#type {
                MapFieldType::Counter => {
                    let by = update.counter_op.as_ref().unwrap().increment.unwrap_or(1);
                    self.note(&path, Effect::Incremented(by));
                }
                MapFieldType::Register => {
                    self.note(&path, Effect::Assigned(update.register_op.clone().unwrap()));
                }
                MapFieldType::Flag if update.flag_op == Some(FlagOp::Enable) => {
                    self.note(&path, Effect::Enabled);
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

    /// The elements of a set.
    pub(crate) fn elements(&self) -> Vec<Blob> {
        self.elements_at(&Path::new())
    }

    /// The fields of a map.
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
        // The order of the modules in which Riak has them.
        let rank = |kind| match kind {
            MapFieldType::Counter => 0,
            MapFieldType::Register => 1,
            MapFieldType::Map => 2,
            MapFieldType::Flag => 3,
            MapFieldType::Set => 4,
        };
        let there = self.entries.iter().filter(|entry| {
            entry.path.len() == path.len() + 1
                && entry.path.starts_with(path)
                && entry.effect == Effect::Touched
        });
        let fields: BTreeSet<_> = there
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
