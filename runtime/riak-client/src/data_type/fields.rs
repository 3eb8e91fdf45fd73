//! [`MapFields`]: the fields of a map, found by name and type.
//!
//! Invariant: a field's type alone decides which of its values is read.

use riak_runtime::Blob;

use crate::riak_dt::MapEntry;
use crate::riak_dt::map_field::MapFieldType;

/// The fields of a map, or of a map in it: see [`Map::fields`](crate::Map::fields).
///
/// A field is identified by its name and its type. Each method returns `None` if the map
/// has no field of that name and type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MapFields<'a> {
    entries: &'a [MapEntry],
}

impl<'a> MapFields<'a> {
    pub(super) const fn new(entries: &'a [MapEntry]) -> Self {
        Self { entries }
    }

    fn find(self, name: impl AsRef<[u8]>, ty: MapFieldType) -> Option<&'a MapEntry> {
        let name = name.as_ref();
        self.entries.iter().find(|entry| entry.field.name == *name && entry.field.r#type == ty)
    }

    /// Returns the value of a counter.
    pub fn counter(self, name: impl AsRef<[u8]>) -> Option<i64> {
        self.find(name, MapFieldType::Counter).map(|entry| entry.counter_value.unwrap_or(0))
    }

    /// Returns the elements of a set.
    pub fn set(self, name: impl AsRef<[u8]>) -> Option<&'a [Blob]> {
        self.find(name, MapFieldType::Set).map(|entry| &*entry.set_value)
    }

    /// Returns the value of a register.
    pub fn register(self, name: impl AsRef<[u8]>) -> Option<&'a Blob> {
        self.find(name, MapFieldType::Register).and_then(|entry| entry.register_value.as_ref())
    }

    /// Returns the state of a flag.
    pub fn flag(self, name: impl AsRef<[u8]>) -> Option<bool> {
        self.find(name, MapFieldType::Flag).map(|entry| entry.flag_value.unwrap_or(false))
    }

    /// Returns the fields of a map in this one.
    pub fn map(self, name: impl AsRef<[u8]>) -> Option<Self> {
        self.find(name, MapFieldType::Map).map(|entry| Self::new(&entry.map_value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::riak_dt::MapField;

    fn entry(name: &str, ty: MapFieldType) -> MapEntry {
        MapEntry::new(MapField::new(name, ty))
    }

    #[test]
    fn fields_are_found_by_name_and_type() {
        let street =
            MapEntry { register_value: Some("Main".into()), ..entry("street", MapFieldType::Register) };
        let entries = [
            MapEntry { counter_value: Some(-2), ..entry("both", MapFieldType::Counter) },
            MapEntry { flag_value: Some(true), ..entry("both", MapFieldType::Flag) },
            MapEntry { set_value: vec!["a".into()], ..entry("tags", MapFieldType::Set) },
            entry("empty", MapFieldType::Set),
            MapEntry { map_value: vec![street], ..entry("address", MapFieldType::Map) },
        ];
        let fields = MapFields::new(&entries);
        assert_eq!((fields.counter("both"), fields.flag("both")), (Some(-2), Some(true)));
        assert_eq!((fields.register("both"), fields.set("both"), fields.map("both")), (None, None, None));
        assert_eq!(fields.set(b"tags"), Some(&["a".into()][..]));
        assert_eq!(fields.set("empty"), Some(&[][..]));
        let address = fields.map(Blob::from("address")).unwrap();
        assert_eq!(address.register("street"), Some(&"Main".into()));
        assert_eq!(address.counter("both"), None);
    }
}
