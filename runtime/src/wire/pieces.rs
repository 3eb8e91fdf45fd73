//! Messages that come in pieces: a field with one message may occur again, and
//! what its first piece lacks may come then.
//!
//! Decoding takes each piece for a whole message, which all but a few are, and
//! looks for required fields once. Only an input that seems to lack one is
//! decoded again with this record of what is still missing where. Invariant:
//! nothing is recorded below an element of a repeated field once it has been
//! read, since no further piece of it can come.

use std::collections::BTreeMap;

use crate::error::DecodeError;

/// What is missing so far, in the message being read and in those around it.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    /// The tags that lead to the message being read.
    path: Vec<u32>,
    /// The messages on that path.
    open: Vec<Open>,
    /// By the path of their message: what pieces lacked.
    lacking: BTreeMap<Vec<u32>, Vec<Lack>>,
}

/// A message that is being read.
#[derive(Debug)]
struct Open {
    /// Whether a piece of it has been read before.
    again: bool,
    /// Whether it is complete after this piece: no further one can come.
    element: bool,
    /// How many words of required fields it has asked for.
    words: usize,
}

/// The required fields of one word that a message lacks.
#[derive(Debug)]
struct Lack {
    word: usize,
    missing: u64,
    message: &'static str,
    fields: &'static [&'static str],
}

impl Pieces {
    /// For the outermost message.
    pub(super) fn new() -> Self {
        let root = Open { again: false, element: true, words: 0 };
        Self { open: vec![root], ..Self::default() }
    }

    /// Begins a piece of the field with this tag; 0 for an element, so that it
    /// has the path of no other message.
    pub(super) fn enter(&mut self, tag: u32, again: bool, element: bool) {
        self.path.push(tag);
        self.open.push(Open { again, element, words: 0 });
    }

    /// Forgets what a message lacked, and those inside it: one of the fields of
    /// the message being read, which has no value any more.
    pub(super) fn forget(&mut self, tag: u32) {
        self.path.push(tag);
        while let Some(path) = self.first_below() {
            self.lacking.remove(&path);
        }
        self.path.pop();
    }

    /// What is missing of the next word of required fields, `all` of which
    /// were missing from the start.
    pub(super) fn missing(&mut self, all: u64) -> u64 {
        let Some(open) = self.open.last_mut() else {
            return all;
        };
        let word = open.words;
        open.words += 1;
        if !open.again {
            return all;
        }
        let Some(lacks) = self.lacking.get_mut(&self.path) else {
            return 0;
        };
        let missing = lacks.iter().position(|lack| lack.word == word);
        let missing = missing.map_or(0, |index| lacks.swap_remove(index).missing);
        if lacks.is_empty() {
            self.lacking.remove(&self.path);
        }
        missing
    }

    /// Records that the piece being read ends without some required fields.
    pub(super) fn lack(
        &mut self,
        word: usize,
        message: &'static str,
        fields: &'static [&'static str],
        missing: u64,
    ) {
        let lacks = self.lacking.entry(self.path.clone()).or_default();
        lacks.push(Lack { word, missing, message, fields });
    }

    /// How much memory a record takes for the message being read.
    pub(super) fn cost(&self) -> usize {
        2 * (size_of::<Vec<u32>>() + size_of::<Vec<Lack>>()) + size_of_val(&*self.path) + size_of::<Lack>()
    }

    /// Ends a piece.
    ///
    /// # Errors
    ///
    /// If a required field is missing that cannot come any more.
    pub(super) fn leave(&mut self) -> Result<(), DecodeError> {
        let element = self.open.pop().is_some_and(|open| open.element);
        let lack = if element { self.first_below() } else { None };
        if let Some(lack) = lack.and_then(|path| self.lacking.get(&path)?.first()) {
            return Err(DecodeError::missing(lack.message, lack.fields, lack.missing));
        }
        self.path.pop();
        Ok(())
    }

    /// The path of a record on or below the current path.
    fn first_below(&self) -> Option<Vec<u32>> {
        let (path, _) = self.lacking.range(self.path.clone()..).next()?;
        path.starts_with(&self.path).then(|| path.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::DecodeErrorKind;

    const FIELDS: &[&str] = &["a", "b"];

    /// Reads a piece of field `tag` in which the fields of `found` are.
    fn piece(pieces: &mut Pieces, tag: u32, again: bool, found: u64) {
        pieces.enter(tag, again, false);
        let missing = pieces.missing(0b11) & !found;
        if missing != 0 {
            pieces.lack(0, "M", FIELDS, missing);
        }
        pieces.leave().unwrap();
    }

    fn outcome(mut pieces: Pieces) -> Result<(), DecodeErrorKind> {
        pieces.leave().map_err(|error| error.kind().clone())
    }

    fn lacks(field: &'static str) -> Result<(), DecodeErrorKind> {
        Err(DecodeErrorKind::MissingField { message: "M", field })
    }

    #[test]
    fn later_pieces_bring_what_is_missing() {
        let mut pieces = Pieces::new();
        piece(&mut pieces, 10, false, 0b01);
        piece(&mut pieces, 18, false, 0b11);
        piece(&mut pieces, 10, true, 0b10);
        piece(&mut pieces, 10, true, 0);
        assert_eq!(outcome(pieces), Ok(()));
    }

    #[test]
    fn what_never_comes_is_missing() {
        let mut pieces = Pieces::new();
        piece(&mut pieces, 10, false, 0b01);
        piece(&mut pieces, 18, false, 0b10);
        piece(&mut pieces, 10, true, 0b01);
        piece(&mut pieces, 18, true, 0b01);
        assert_eq!(outcome(pieces), lacks("b"));
    }

    #[test]
    fn what_is_replaced_lacks_nothing_and_begins_anew() {
        let mut pieces = Pieces::new();
        piece(&mut pieces, 10, false, 0b01);
        pieces.forget(18);
        pieces.forget(10);
        piece(&mut pieces, 18, false, 0b11);
        piece(&mut pieces, 10, false, 0b10);
        assert_eq!(outcome(pieces), lacks("a"));
        let mut pieces = Pieces::new();
        pieces.enter(26, false, false);
        piece(&mut pieces, 10, false, 0b01);
        pieces.leave().unwrap();
        pieces.forget(26);
        assert_eq!(outcome(pieces), Ok(()));
    }

    #[test]
    fn an_element_is_whole_when_it_ends() {
        let mut pieces = Pieces::new();
        pieces.enter(0, false, true);
        piece(&mut pieces, 10, false, 0b01);
        assert_eq!(outcome(pieces), lacks("b"));
    }
}
