//! Data types: what is stored in a bucket whose type has a `datatype`, and how
//! it changes.
//!
//! One store has one replica of each, so that nothing is ever merged with
//! another: of the algebra of Riak's data types is here what decides when
//! several clients change the same value, each knowing what it has read.
//! Invariant: an update is applied as a whole or not at all, and what removes
//! with a context removes nothing that the context has not seen.

mod answer;
mod change;
mod clock;
mod counter;
mod flag;
mod form;
mod gset;
mod hll;
mod kind;
mod map;
mod register;
mod set;
mod tally;

use std::time::Duration;

use crate::refusal::Refusal;

use clock::{Clock, Context};
use counter::Counter;
use gset::GSet;
use hll::Hll;
use map::Map;
use set::Set;

pub(crate) use answer::{fetched, updated};
pub(crate) use change::{Change, as_increment};
pub(crate) use clock::Epoch;
pub(crate) use hll::DEFAULT_PRECISION;
pub(crate) use kind::Kind;

/// A data type as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Crdt {
    /// A counter of a bucket type with `datatype`.
    Counter(Counter),
    /// A counter of Riak 1.4, in any bucket that keeps siblings.
    LegacyCounter(Counter),
    /// A set, and which of its elements were added when.
    Set(Clock, Set),
    /// A map, and which of its fields were updated when.
    Map(Clock, Map),
    /// A set that only grows.
    GSet(GSet),
    /// A `HyperLogLog`.
    Hll(Hll),
}

impl Crdt {
    /// An empty one, whose events are those of `epoch`. Only a `HyperLogLog` has
    /// a precision.
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

    /// Which one it is.
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

    /// Applies a change. What fails may be half applied: the caller keeps what
    /// there was.
    ///
    /// # Errors
    ///
    /// If something is to be removed that is not there, and no context says that
    /// it was; or if there is a context where none belongs, or one that is none:
    /// Riak's process for the partition crashes on both, so that nobody answers
    /// before the time is up.
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
            (Self::GSet(gset), Change::GSet(elements)) => gset.grow(elements),
            (Self::Hll(hll), Change::Hll(elements)) => hll.observe(elements),
            (Self::Set(clock, set), Change::Set(change)) => {
                let causality = clock.causality(context.as_ref());
                return set.update(change, || clock.tick(), causality);
            }
            (Self::Map(clock, map), Change::Map(change)) => {
                let causality = clock.causality(context.as_ref());
                // Riak counts an update that only removes as an event as well.
                return map.update(change, clock.tick(), causality, now);
            }
            // The store compares both beforehand, and answers with its own words.
            (this, change) => return Err(Refusal::wrong_operation(change.kind(), this.kind())),
        }
        Ok(())
    }
}
