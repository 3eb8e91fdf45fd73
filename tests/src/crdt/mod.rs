//! Data types: the values in buckets whose type has a `datatype`, and their updates.
//!
//! A store has one replica of each value, so nothing is ever merged. Of the algebra of
//! Riak's data types, this module implements the part that decides what happens when
//! several clients change the same value, each based on what it has read. Invariant:
//! an update is applied as a whole or not at all, and a removal with a context removes
//! only what the context has seen.

mod answer;
mod change;
mod clock;
mod counter;
mod embedded_counter;
mod flag;
mod form;
mod gset;
mod hll;
mod kind;
mod map;
mod register;
mod set;

use std::time::Duration;

use crate::refusal::Refusal;

use clock::{Clock, Context};
use counter::Counter;
use gset::GSet;
use hll::Hll;
use map::Map;
use set::Set;

pub(crate) use answer::{fetch_response, update_response};
pub(crate) use change::{Change, as_increment};
pub(crate) use clock::Epoch;
pub(crate) use hll::DEFAULT_PRECISION;
pub(crate) use kind::Kind;

/// A stored data type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Crdt {
    /// A counter of a bucket type with `datatype`.
    Counter(Counter),
    /// A counter of Riak 1.4, in any bucket that keeps siblings.
    LegacyCounter(Counter),
    /// A set, with the clock of its additions.
    Set(Clock, Set),
    /// A map, with the clock of its updates.
    Map(Clock, Map),
    /// A grow-only set.
    GSet(GSet),
    /// A `HyperLogLog`.
    Hll(Hll),
}

impl Crdt {
    /// Creates an empty value whose events belong to `epoch`. The precision applies
    /// to a `HyperLogLog` only.
    pub(crate) fn new(kind: Kind, epoch: Epoch, precision: Option<u32>) -> Self {
        match kind {
            Kind::Counter => Self::Counter(Counter::default()),
            Kind::LegacyCounter => Self::LegacyCounter(Counter::default()),
            Kind::Set => Self::Set(Clock::new(epoch), Set::default()),
            Kind::Map => Self::Map(Clock::new(epoch), Map::default()),
            Kind::GSet => Self::GSet(GSet::default()),
            Kind::Hll => Self::Hll(Hll::new(precision)),
        }
    }

    /// Returns the kind of data type.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Counter(_) => Kind::Counter,
            Self::LegacyCounter(_) => Kind::LegacyCounter,
            Self::Set(..) => Kind::Set,
            Self::Map(..) => Kind::Map,
            Self::GSet(_) => Kind::GSet,
            Self::Hll(_) => Kind::Hll,
        }
    }

    /// Applies a change. On an error, the value may be partly changed; the caller
    /// discards it and keeps the old one.
    ///
    /// # Errors
    ///
    /// If the change removes something that does not exist and there is no context;
    /// or if there is a context for a data type that takes none, or an invalid one.
    /// The latter two crash the partition's process in Riak, so that the request
    /// times out.
    pub(crate) fn update(
        &mut self,
        change: &Change,
        context: Option<&[u8]>,
        now: Duration,
    ) -> Result<(), Refusal> {
        let context = match (self.kind(), context) {
            (Kind::Set | Kind::Map, Some(bytes)) => Some(Context::decode(bytes).ok_or(Refusal::Timeout)?),
            (_, Some(_)) => return Err(Refusal::Timeout),
            (_, None) => None,
        };
        match (self, change) {
            (Self::Counter(counter) | Self::LegacyCounter(counter), Change::Counter(by)) => counter.add(*by),
            (Self::GSet(gset), Change::GSet(elements)) => gset.insert_all(elements),
            (Self::Hll(hll), Change::Hll(elements)) => hll.insert_all(elements),
            (Self::Set(clock, set), Change::Set(change)) => {
                let causality = clock.causality(context.as_ref());
                return set.update(change, || clock.tick(), causality);
            }
            (Self::Map(clock, map), Change::Map(change)) => {
                let causality = clock.causality(context.as_ref());
                // In Riak, an update that only removes is an event as well.
                return map.update(change, clock.tick(), causality, now);
            }
            // The store has compared the kinds before, with an error text of its own.
            (this, change) => return Err(Refusal::wrong_operation(change.kind(), this.kind())),
        }
        Ok(())
    }
}
