//! Tracking of required fields in messages that are split: a singular message field may
//! occur several times, and a later occurrence may contain what an earlier one lacks.
//!
//! Decoding first assumes that each occurrence is a complete message, which is true of
//! all but a few, and checks for required fields once. Only an input that seems to lack
//! a required field is decoded again, with this record of the fields that are still
//! missing. Invariant: nothing is recorded below an element of a repeated field once it
//! has been read, since it cannot occur again.

use std::collections::BTreeMap;

use crate::error::DecodeError;

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
    /// Whether this occurrence is the last, so that the message must be complete after
    /// it.
    last: bool,
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
        let root = OpenMessage { seen_before: false, last: true, words: 0 };
        Self { open: vec![root], ..Self::default() }
    }

    /// Starts an occurrence of the field with this tag; 0 for an element, so that its
    /// path is no other message's.
    pub(super) fn enter(&mut self, tag: u32, seen_before: bool, last: bool) {
        self.path.push(tag);
        self.open.push(OpenMessage { seen_before, last, words: 0 });
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
    pub(super) fn record(
        &mut self,
        word: usize,
        message: &'static str,
        fields: &'static [&'static str],
        missing: u64,
    ) {
        let words = self.records.entry(self.path.clone()).or_default();
        words.push(MissingWord { word, missing, message, fields });
    }

    /// Returns how much memory a record takes for the message being read.
    pub(super) fn record_size(&self) -> usize {
        2 * (size_of::<Vec<u32>>() + size_of::<Vec<MissingWord>>())
            + size_of_val(&*self.path)
            + size_of::<MissingWord>()
    }

    /// Ends an occurrence.
    ///
    /// # Errors
    ///
    /// If a required field is missing that can no longer come.
    pub(super) fn leave(&mut self) -> Result<(), DecodeError> {
        let last = self.open.pop().is_some_and(|open| open.last);
        let path = if last { self.first_record_below() } else { None };
        if let Some(found) = path.and_then(|path| self.records.get(&path)?.first()) {
            return Err(DecodeError::missing(found.message, found.fields, found.missing));
        }
        self.path.pop();
        Ok(())
    }

    /// Returns the path of a record at or below the current path.
    fn first_record_below(&self) -> Option<Vec<u32>> {
        let (path, _) = self.records.range(self.path.clone()..).next()?;
        path.starts_with(&self.path).then(|| path.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::DecodeErrorKind;

    const FIELDS: &[&str] = &["a", "b"];

    /// Reads an occurrence of field `tag` with the fields of `found`.
    fn read_part(missing_fields: &mut MissingFields, tag: u32, seen_before: bool, found: u64) {
        missing_fields.enter(tag, seen_before, false);
        let missing = missing_fields.missing(0b11) & !found;
        if missing != 0 {
            missing_fields.record(0, "M", FIELDS, missing);
        }
        missing_fields.leave().unwrap();
    }

    fn outcome(mut missing_fields: MissingFields) -> Result<(), DecodeErrorKind> {
        missing_fields.leave().map_err(|error| error.kind().clone())
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
        assert_eq!(outcome(missing_fields), Ok(()));
    }

    #[test]
    fn a_field_that_never_comes_is_missing() {
        let mut missing_fields = MissingFields::new();
        read_part(&mut missing_fields, 10, false, 0b01);
        read_part(&mut missing_fields, 18, false, 0b10);
        read_part(&mut missing_fields, 10, true, 0b01);
        read_part(&mut missing_fields, 18, true, 0b01);
        assert_eq!(outcome(missing_fields), lacks("b"));
    }

    #[test]
    fn a_replaced_message_lacks_nothing_and_starts_over() {
        let mut missing_fields = MissingFields::new();
        read_part(&mut missing_fields, 10, false, 0b01);
        missing_fields.forget(18);
        missing_fields.forget(10);
        read_part(&mut missing_fields, 18, false, 0b11);
        read_part(&mut missing_fields, 10, false, 0b10);
        assert_eq!(outcome(missing_fields), lacks("a"));
        let mut missing_fields = MissingFields::new();
        missing_fields.enter(26, false, false);
        read_part(&mut missing_fields, 10, false, 0b01);
        missing_fields.leave().unwrap();
        missing_fields.forget(26);
        assert_eq!(outcome(missing_fields), Ok(()));
    }

    #[test]
    fn an_element_must_be_complete_when_it_ends() {
        let mut missing_fields = MissingFields::new();
        missing_fields.enter(0, false, true);
        read_part(&mut missing_fields, 10, false, 0b01);
        assert_eq!(outcome(missing_fields), lacks("b"));
    }
}
