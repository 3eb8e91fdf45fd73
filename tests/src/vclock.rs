//! [`Vclock`]: the set of writes that a version of an object has seen.
//!
//! Invariant: each counter of an actor is given out once, and counters only grow,
//! even after objects are reaped and created anew. A stale vclock therefore never
//! covers a later write.

use std::collections::BTreeMap;

use riak_runtime::Blob;

/// A writer: a node.
pub(crate) type Actor = u64;

/// One write: its actor, and its number among the writes of that actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dot {
    pub(crate) actor: Actor,
    pub(crate) counter: u64,
}

/// The first byte of an encoded vclock. Riak's begin with 0x6b, so the clock of a
/// real node is not accepted.
const FORMAT: u8 = 0x76;

/// A set of writes: for each actor, all those up to a counter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Vclock {
    counters: BTreeMap<Actor, u64>,
}

impl Vclock {
    /// Reports whether the set contains this write.
    pub(crate) fn covers(&self, dot: Dot) -> bool {
        self.counters.get(&dot.actor).is_some_and(|counter| *counter >= dot.counter)
    }

    /// Reports whether the set contains all writes of `other`.
    pub(crate) fn descends(&self, other: &Self) -> bool {
        other.counters.iter().all(|(actor, counter)| self.covers(Dot { actor: *actor, counter: *counter }))
    }

    /// Adds a write.
    pub(crate) fn add(&mut self, dot: Dot) {
        let counter = self.counters.entry(dot.actor).or_default();
        *counter = dot.counter.max(*counter);
    }

    /// Adds all writes of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (actor, counter) in &other.counters {
            self.add(Dot { actor: *actor, counter: *counter });
        }
    }

    /// Returns the write with the highest counter. It is taken for the write that
    /// created a version of which only the clock is known.
    pub(crate) fn latest(&self) -> Option<Dot> {
        let (actor, counter) = self.counters.iter().max_by_key(|(_, counter)| **counter)?;
        Some(Dot { actor: *actor, counter: *counter })
    }

    /// Encodes the clock to the bytes that clients echo.
    pub(crate) fn encode(&self) -> Blob {
        let mut bytes = vec![FORMAT];
        for (actor, counter) in &self.counters {
            bytes.extend_from_slice(&actor.to_be_bytes());
            bytes.extend_from_slice(&counter.to_be_bytes());
        }
        bytes.into()
    }

    /// Decodes the clock that a client sent. No bytes, and an empty string, are the
    /// empty clock. Returns `None` if the bytes are not a clock.
    pub(crate) fn decode(bytes: Option<&[u8]>) -> Option<Self> {
        let mut clock = Self::default();
        let mut rest = match bytes {
            None | Some([]) => return Some(clock),
            Some([FORMAT, rest @ ..]) => rest,
            Some(_) => return None,
        };
        while !rest.is_empty() {
            let (actor, after) = rest.split_first_chunk()?;
            let (counter, after) = after.split_first_chunk()?;
            clock.add(Dot { actor: Actor::from_be_bytes(*actor), counter: u64::from_be_bytes(*counter) });
            rest = after;
        }
        Some(clock)
    }
}

#[cfg(test)]
mod tests {
    use super::{Dot, Vclock};

    fn clock(dots: &[(u64, u64)]) -> Vclock {
        let mut clock = Vclock::default();
        for (actor, counter) in dots {
            clock.add(Dot { actor: *actor, counter: *counter });
        }
        clock
    }

    #[test]
    fn a_clock_descends_what_it_covers() {
        let one = clock(&[(1, 3)]);
        let both = clock(&[(1, 3), (2, 1)]);
        assert!(both.descends(&one) && !one.descends(&both));
        assert!(one.descends(&Vclock::default()) && one.descends(&one));
        assert!(!clock(&[(1, 2), (2, 9)]).descends(&one));
        assert!(one.covers(Dot { actor: 1, counter: 2 }) && !one.covers(Dot { actor: 1, counter: 4 }));
    }

    #[test]
    fn clocks_round_trip_through_bytes() {
        let both = clock(&[(u64::MAX, 3), (2, 1)]);
        assert_eq!(Vclock::decode(Some(&both.encode())), Some(both));
        assert_eq!(Vclock::decode(None), Some(Vclock::default()));
        assert_eq!(Vclock::decode(Some(b"")), Some(Vclock::default()));
        assert_eq!(Vclock::decode(Some(b"k\xce")), None);
        assert_eq!(Vclock::decode(Some(b"v123456789")), None);
    }
}
