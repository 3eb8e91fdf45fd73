//! [`Tally`]: increments of counters, and how often each was applied.
//!
//! An increment that is made twice counts twice, so no other write shows as well
//! that a call was repeated which must not be. Invariant: each increment is a
//! power of 16 of its own in its counter, so that the digits of what the counter
//! has become say how often each was applied.

use riak_client::riak_dt::DtFetchReq;
use riak_client::{CallError, Location};
use riak_testkit::Store;

/// The bucket type of the counters.
const TYPE: &str = "counters";

/// Increments of one counter: so many digits fit.
const DIGITS: usize = 15;

/// What was said of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// Nothing, yet or at all: its call was dropped.
    Nothing,
    Acknowledged,
    NotApplied,
    Uncertain,
}

impl Said {
    pub(crate) fn of<T>(result: &Result<T, CallError>) -> Self {
        match result {
            Ok(_) => Self::Acknowledged,
            Err(error) if error.may_have_been_applied() => Self::Uncertain,
            Err(_) => Self::NotApplied,
        }
    }
}

/// The increments that one caller has made.
pub(crate) struct Tally {
    bucket: String,
    key: String,
    said: Vec<Said>,
}

impl Tally {
    pub(crate) fn new(bucket: &str, key: &str) -> Self {
        Self { bucket: bucket.to_owned(), key: key.to_owned(), said: Vec::new() }
    }

    fn counter(&self, number: usize) -> String {
        format!("{}/{}", self.key, number / DIGITS)
    }

    /// The next increment: where, and by how much.
    pub(crate) fn begin(&mut self) -> (Location, i64) {
        let number = self.said.len();
        self.said.push(Said::Nothing);
        let by = 1 << (4 * (number % DIGITS));
        (Location::new(self.bucket.as_str(), self.counter(number)).of_type(TYPE), by)
    }

    /// What its caller was told of the last increment.
    pub(crate) fn end(&mut self, said: Said) {
        if let Some(last) = self.said.last_mut() {
            *last = said;
        }
    }

    /// Compares what was said with what is stored, once nothing is under way any
    /// more.
    pub(crate) fn check(&self, store: &Store) {
        for (group, said) in self.said.chunks(DIGITS).enumerate() {
            let key = self.counter(group * DIGITS);
            let fetch = DtFetchReq::new(self.bucket.as_str(), key.as_str(), TYPE);
            let found = store.fetch(&fetch).expect("a counter, or none");
            let mut rest = found.value.and_then(|value| value.counter_value).unwrap_or(0);
            for (digit, said) in said.iter().enumerate() {
                let applied = rest & 15;
                rest >>= 4;
                let fits = match said {
                    Said::Acknowledged => applied == 1,
                    Said::NotApplied => applied == 0,
                    Said::Nothing | Said::Uncertain => applied <= 1,
                };
                assert!(fits, "{key}: increment {digit} was told as {said:?}, and applied {applied} times");
            }
            assert_eq!(rest, 0, "{key}: nobody added that");
        }
    }
}
