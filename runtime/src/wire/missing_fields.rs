//! Tracking of required fields in messages that are split: a singular message field may
//! occur several times, and a later occurrence may contain what an earlier one lacks.
//!
//! Decoding first assumes that each occurrence is a complete message, which is true of
//! all but a few, and checks for required fields once. Only an input that seems to lack
//! a required field is decoded again, with this record of the fields that are still
//! missing.
//!
//! An element of a repeated field or a map cannot occur again, but it may still be
//! discarded: with the message around it, if another member of a oneof replaces that, or
//! by another entry with its key. An incomplete element is therefore no error before the
//! input ends. Invariant: once an element has been read, nothing is recorded below it,
//! and one record next to it says that it is incomplete.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::error::{DecodeError, DecodeErrorKind};

/// Used in place of a tag for a message that cannot occur again, such as an element of
/// a repeated field. All such messages share one path, since their records are removed
/// when they end.
pub(super) const ELEMENT: u32 = 0;

/// Used in place of a tag for all incomplete elements of a message or of one map entry.
/// No field has this tag.
const INCOMPLETE: u32 = 1;

/// The required fields that are missing so far, in the message being read and in those
/// around it.
#[derive(Debug, Default)]
pub(super) struct MissingFields {
    /// The tags that lead to the message being read.
    path: Vec<u32>,
    /// The messages on that path.
    open: Vec<OpenMessage>,
    /// The fields that are missing, by the path of their message.
    records: BTreeMap<Vec<u32>, Vec<MissingWord>>,
}

/// A message that is being read.
#[derive(Debug)]
struct OpenMessage {
    /// Whether an earlier occurrence has been read.
    seen_before: bool,
    /// How many words of required fields the message has asked for.
    words: usize,
}

/// The required fields of one word that a message lacks.
#[derive(Debug)]
struct MissingWord {
    word: usize,
    missing: u64,
    message: &'static str,
    fields: &'static [&'static str],
}

impl MissingFields {
    /// Creates the record for the outermost message.
    pub(super) fn new() -> Self {
        let root = OpenMessage { seen_before: false, words: 0 };
        Self { open: vec![root], ..Self::default() }
    }

    /// Starts an occurrence of the field with this tag, or an [`ELEMENT`].
    pub(super) fn enter(&mut self, tag: u32, seen_before: bool) {
        self.path.push(tag);
        self.open.push(OpenMessage { seen_before, words: 0 });
    }

    /// Discards the records of a field of the message being read, and of the messages
    /// in it, because the field no longer has a value.
    pub(super) fn forget(&mut self, tag: u32) {
        self.path.push(tag);
        while let Some(path) = self.first_record_below() {
            self.records.remove(&path);
        }
        self.path.pop();
    }

    /// Returns the bits that are missing in the next word of required fields, `all` of
    /// which were missing at first.
    pub(super) fn missing(&mut self, all: u64) -> u64 {
        let Some(open) = self.open.last_mut() else {
            return all;
        };
        let word = open.words;
        open.words += 1;
        if !open.seen_before {
            return all;
        }
        let Some(words) = self.records.get_mut(&self.path) else {
            return 0;
        };
        let missing = words.iter().position(|missing| missing.word == word);
        let missing = missing.map_or(0, |index| words.swap_remove(index).missing);
        if words.is_empty() {
            self.records.remove(&self.path);
        }
        missing
    }

    /// Records that the current occurrence ends without some required fields.
    ///
    /// # Errors
    ///
    /// If `budget`, in bytes, does not suffice.
    pub(super) fn record(
        &mut self,
        word: usize,
        message: &'static str,
        fields: &'static [&'static str],
        missing: u64,
        budget: &mut usize,
    ) -> Result<(), DecodeError> {
        charge(&self.path, budget)?;
        let words = self.records.entry(self.path.clone()).or_default();
        words.push(MissingWord { word, missing, message, fields });
        Ok(())
    }

    /// Ends an occurrence, or an element of a repeated field.
    ///
    /// # Errors
    ///
    /// If `budget`, in bytes, does not suffice.
    pub(super) fn leave(&mut self, budget: &mut usize) -> Result<(), DecodeError> {
        self.open.pop();
        if self.path.last() == Some(&ELEMENT) {
            let found = self.take_records(budget);
            self.path.pop();
            self.record_incomplete(&[INCOMPLETE], found, budget)
        } else {
            self.path.pop();
            Ok(())
        }
    }

    /// Ends an entry, entered as an [`ELEMENT`], of the map with this tag. It replaces
    /// an earlier entry with the same key, given in its encoded form.
    ///
    /// # Errors
    ///
    /// If `budget`, in bytes, does not suffice.
    pub(super) fn leave_entry(
        &mut self,
        tag: u32,
        key: &[u8],
        budget: &mut usize,
    ) -> Result<(), DecodeError> {
        self.open.pop();
        let found = self.take_records(budget);
        self.path.pop();
        let place: Vec<u32> =
            [tag, INCOMPLETE].into_iter().chain(key.iter().copied().map(u32::from)).collect();
        let replaced = [&*self.path, &*place].concat();
        if self.records.remove(&replaced).is_some() {
            *budget = budget.saturating_add(record_size(&replaced));
        }
        self.record_incomplete(&place, found, budget)
    }

    /// Ends the outermost message.
    ///
    /// # Errors
    ///
    /// If a required field is missing.
    pub(super) fn finish(&self) -> Result<(), DecodeError> {
        match self.records.values().flatten().next() {
            Some(found) => Err(DecodeError::missing(found.message, found.fields, found.missing)),
            None => Ok(()),
        }
    }

    /// Records `found`, which an element of the message being read lacks, at `place`
    /// below that message. One record is enough there, since only all of them together
    /// can be discarded.
    fn record_incomplete(
        &mut self,
        place: &[u32],
        found: Option<MissingWord>,
        budget: &mut usize,
    ) -> Result<(), DecodeError> {
        let Some(found) = found else { return Ok(()) };
        if let Entry::Vacant(vacant) = self.records.entry([&*self.path, place].concat()) {
            charge(vacant.key(), budget)?;
            vacant.insert(vec![found]);
        }
        Ok(())
    }

    /// Removes the records at or below the current path, gives back what they took of
    /// the budget, and returns the first one.
    fn take_records(&mut self, budget: &mut usize) -> Option<MissingWord> {
        let mut first = None;
        while let Some(path) = self.first_record_below() {
            for word in self.records.remove(&path).unwrap_or_default() {
                *budget = budget.saturating_add(record_size(&path));
                first.get_or_insert(word);
            }
        }
        first
    }

    /// Returns the path of a record at or below the current path.
    fn first_record_below(&self) -> Option<Vec<u32>> {
        let (path, _) = self.records.range(self.path.clone()..).next()?;
        path.starts_with(&self.path).then(|| path.clone())
    }
}

/// Returns how much memory a record at this path takes.
fn record_size(path: &[u32]) -> usize {
    2 * (size_of::<Vec<u32>>() + size_of::<Vec<MissingWord>>()) + size_of_val(path) + size_of::<MissingWord>()
}

/// Charges a record at this path to the budget: paths may be long even where the fields
/// are short.
fn charge(path: &[u32], budget: &mut usize) -> Result<(), DecodeError> {
    match budget.checked_sub(record_size(path)) {
        Some(left) => {
            *budget = left;
            Ok(())
        }
        None => Err(DecodeError::new(DecodeErrorKind::TooManyElements, 0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    const FIELDS: &[&str] = &["a", "b"];
    const BUDGET: usize = 1_000;

    /// Reads an occurrence of field `tag` with the fields of `found`.
    fn read_part(missing_fields: &mut MissingFields, tag: u32, seen_before: bool, found: u64) {
        missing_fields.enter(tag, seen_before);
        let missing = missing_fields.missing(0b11) & !found;
        if missing != 0 {
            missing_fields.record(0, "M", FIELDS, missing, &mut { BUDGET }).unwrap();
        }
        missing_fields.leave(&mut { BUDGET }).unwrap();
    }

    fn outcome(missing_fields: &MissingFields) -> Result<(), DecodeErrorKind> {
        missing_fields.finish().map_err(|error| error.kind().clone())
    }

    fn lacks(field: &'static str) -> Result<(), DecodeErrorKind> {
        Err(DecodeErrorKind::MissingField { message: "M", field })
    }

    #[test]
    fn later_occurrences_supply_missing_fields() {
        let mut missing_fields = MissingFields::new();
        read_part(&mut missing_fields, 10, false, 0b01);
        read_part(&mut missing_fields, 18, false, 0b11);
        read_part(&mut missing_fields, 10, true, 0b10);
        read_part(&mut missing_fields, 10, true, 0);
        assert_eq!(outcome(&missing_fields), Ok(()));
    }

    #[test]
    fn a_field_that_never_comes_is_missing() {
        let mut missing_fields = MissingFields::new();
        read_part(&mut missing_fields, 10, false, 0b01);
        read_part(&mut missing_fields, 18, false, 0b10);
        read_part(&mut missing_fields, 10, true, 0b01);
        read_part(&mut missing_fields, 18, true, 0b01);
        assert_eq!(outcome(&missing_fields), lacks("b"));
    }

    #[test]
    fn a_replaced_message_lacks_nothing_and_starts_over() {
        let mut missing_fields = MissingFields::new();
        read_part(&mut missing_fields, 10, false, 0b01);
        missing_fields.forget(18);
        missing_fields.forget(10);
        read_part(&mut missing_fields, 18, false, 0b11);
        read_part(&mut missing_fields, 10, false, 0b10);
        assert_eq!(outcome(&missing_fields), lacks("a"));
        let mut missing_fields = MissingFields::new();
        missing_fields.enter(26, false);
        read_part(&mut missing_fields, 10, false, 0b01);
        missing_fields.leave(&mut { BUDGET }).unwrap();
        missing_fields.forget(26);
        assert_eq!(outcome(&missing_fields), Ok(()));
    }

    /// Reads an element whose field 10 has the fields of `found`.
    fn read_element(missing_fields: &mut MissingFields, found: u64) {
        missing_fields.enter(ELEMENT, false);
        read_part(missing_fields, 10, false, found);
        missing_fields.leave(&mut { BUDGET }).unwrap();
    }

    #[test]
    fn another_element_does_not_complete_one() {
        let mut missing_fields = MissingFields::new();
        read_element(&mut missing_fields, 0b01);
        read_element(&mut missing_fields, 0b11);
        assert_eq!(outcome(&missing_fields), lacks("b"));
        // What is found first is reported.
        read_element(&mut missing_fields, 0b10);
        assert_eq!(outcome(&missing_fields), lacks("b"));
    }

    #[test]
    fn an_element_is_discarded_with_the_message_around_it() {
        let mut missing_fields = MissingFields::new();
        missing_fields.enter(26, false);
        read_element(&mut missing_fields, 0b01);
        missing_fields.leave(&mut { BUDGET }).unwrap();
        assert_eq!(outcome(&missing_fields), lacks("b"));
        missing_fields.forget(26);
        assert_eq!(outcome(&missing_fields), Ok(()));
    }

    /// Reads an entry of the map with this tag, whose value has the fields of `found`.
    fn read_entry(missing_fields: &mut MissingFields, tag: u32, key: &[u8], found: u64) {
        missing_fields.enter(ELEMENT, false);
        read_part(missing_fields, 18, false, found);
        missing_fields.leave_entry(tag, key, &mut { BUDGET }).unwrap();
    }

    #[test]
    fn an_entry_replaces_the_one_with_its_key_in_its_map() {
        let mut missing_fields = MissingFields::new();
        read_entry(&mut missing_fields, 10, b"key", 0b01);
        read_entry(&mut missing_fields, 10, b"", 0b11);
        read_entry(&mut missing_fields, 26, b"key", 0b11);
        assert_eq!(outcome(&missing_fields), lacks("b"));
        read_entry(&mut missing_fields, 10, b"key", 0b10);
        assert_eq!(outcome(&missing_fields), lacks("a"));
        read_entry(&mut missing_fields, 10, b"key", 0b11);
        assert_eq!(outcome(&missing_fields), Ok(()));
    }

    #[test]
    fn records_give_back_what_they_took() {
        let mut budget = BUDGET;
        let mut missing_fields = MissingFields::new();
        for _ in 0..100 {
            missing_fields.enter(ELEMENT, false);
            missing_fields.record(0, "M", FIELDS, 0b01, &mut budget).unwrap();
            missing_fields.leave(&mut budget).unwrap();
            missing_fields.enter(ELEMENT, false);
            missing_fields.record(0, "M", FIELDS, 0b01, &mut budget).unwrap();
            missing_fields.leave_entry(10, b"key", &mut budget).unwrap();
        }
        let kept = record_size(&[INCOMPLETE]) + record_size(&[10, INCOMPLETE, 0, 0, 0]);
        assert_eq!(budget, BUDGET - kept);
        assert!(missing_fields.record(0, "M", FIELDS, 0b01, &mut 0).is_err());
    }
}
