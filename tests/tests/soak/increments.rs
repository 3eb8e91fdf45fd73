//! [`Increments`]: increments of counters, and how often each was applied.
//!
//! An increment that is applied twice counts twice, so no other write shows as clearly that a call
//! was repeated although it must not be. Invariant: each increment is a power of 16 of its own in
//! its counter, so the digits of the counter's value say how often each was applied.

use riak_client::riak_dt::DtFetchReq;
use riak_client::{CallError, Location};
use riak_testkit::Store;

/// The bucket type of the counters.
const TYPE: &str = "counters";

/// The number of increments of one counter, as many as its value has digits.
const DIGITS: usize = 15;

/// What the caller learned about a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing: the call is in flight, or was dropped.
    Unknown,
    Acknowledged,
    NotApplied,
    Uncertain,
}

impl Outcome {
    pub(crate) fn of<T>(result: &Result<T, CallError>) -> Self {
        match result {
            Ok(_) => Self::Acknowledged,
            Err(error) if error.may_have_been_applied() => Self::Uncertain,
            Err(_) => Self::NotApplied,
        }
    }
}

/// The increments that one caller has made.
pub(crate) struct Increments {
    bucket: String,
    key: String,
    outcome: Vec<Outcome>,
}

impl Increments {
    pub(crate) fn new(bucket: &str, key: &str) -> Self {
        Self { bucket: bucket.to_owned(), key: key.to_owned(), outcome: Vec::new() }
    }

    fn counter(&self, number: usize) -> String {
        format!("{}/{}", self.key, number / DIGITS)
    }

    /// Begins the next increment. Returns its counter and its amount.
    pub(crate) fn begin(&mut self) -> (Location, i64) {
        let number = self.outcome.len();
        self.outcome.push(Outcome::Unknown);
        let by = 1 << (4 * (number % DIGITS));
        (Location::new(self.bucket.as_str(), self.counter(number)).of_type(TYPE), by)
    }

    /// Records the outcome of the last increment.
    pub(crate) fn end(&mut self, outcome: Outcome) {
        if let Some(last) = self.outcome.last_mut() {
            *last = outcome;
        }
    }

    /// Compares the outcomes with the stored values, once no call is in flight.
    pub(crate) fn check(&self, store: &Store) {
        for (group, outcome) in self.outcome.chunks(DIGITS).enumerate() {
            let key = self.counter(group * DIGITS);
            let fetch = DtFetchReq::new(self.bucket.as_str(), key.as_str(), TYPE);
            let found = store.fetch(&fetch).expect("a counter, or none");
            let mut rest = found.value.and_then(|value| value.counter_value).unwrap_or(0);
            for (digit, outcome) in outcome.iter().enumerate() {
                let applied = rest & 15;
                rest >>= 4;
                let fits = match outcome {
                    Outcome::Acknowledged => applied == 1,
                    Outcome::NotApplied => applied == 0,
                    Outcome::Unknown | Outcome::Uncertain => applied <= 1,
                };
                assert!(
                    fits,
                    "{key}: increment {digit} was told as {outcome:?}, and applied {applied} times"
                );
            }
            assert_eq!(rest, 0, "{key}: no increment added this");
        }
    }
}
