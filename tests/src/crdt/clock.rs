//! [`Clock`], which counts the events of a data type, and [`Context`], the events that
//! a client has seen.
//!
//! Invariant: each data type that is new under its key counts its events under an
//! [`Epoch`] of its own, so a context from before a delete covers none of them. (Riak
//! begins such an epoch only after the tombstone is reaped.)

use std::collections::BTreeMap;

use riak_runtime::Blob;

use crate::erlang::term::Term;
use crate::index::Integer;

/// The actor that counts the events, as long as the actors of Riak's partitions.
pub(crate) type Epoch = [u8; 12];

/// The number of an event. With its epoch it forms a dot.
pub(crate) type Event = u64;

/// The events of a data type: all those up to a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Clock {
    epoch: Epoch,
    events: Event,
}

impl Clock {
    /// Creates a clock without events.
    pub(crate) fn new(epoch: Epoch) -> Self {
        Self { epoch, events: 0 }
    }

    /// Counts the next event and returns its number.
    pub(crate) fn tick(&mut self) -> Event {
        self.events += 1;
        self.events
    }

    /// Encodes the context of a read that happens now: the bytes that clients echo,
    /// in Riak's format.
    pub(crate) fn encode(&self) -> Blob {
        let events = i64::try_from(self.events).unwrap_or(i64::MAX);
        let entry = Term::pair(Term::binary(&self.epoch), Term::Integer(Integer::from(events)));
        Term::List(if self.events == 0 { Vec::new() } else { vec![entry] }).encode().into()
    }

    /// Returns what an update with this context may remove.
    pub(crate) fn causality(&self, context: Option<&Context>) -> Causality {
        context.map_or(Causality::WithoutContext, |context| {
            Causality::Seen(context.0.get(self.epoch.as_slice()).copied().unwrap_or(0))
        })
    }
}

/// The events that a client has seen: for each actor, all those up to a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Context(BTreeMap<Vec<u8>, Event>);

impl Context {
    /// Decodes the context that a client sent, or returns `None` if the bytes are not
    /// one. Empty bytes are not one either.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let Term::List(entries) = Term::decode(bytes)? else { return None };
        let mut seen = BTreeMap::new();
        for entry in entries {
            let Term::Pair(entry) = entry else { return None };
            let (Term::Binary(actor), Term::Integer(events)) = *entry else { return None };
            if events.is_negative() {
                return None;
            }
            let mut number = [0; 8];
            let magnitude = events.magnitude_bytes();
            number.get_mut(..magnitude.len())?.copy_from_slice(&magnitude);
            seen.insert(actor, Event::from_le_bytes(number));
        }
        Some(Self(seen))
    }
}

/// The events whose effects an update may remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Causality {
    /// The update has no context: it may remove whatever exists, and fails to remove
    /// anything else.
    WithoutContext,
    /// The update has a context: it may remove what existed at this event. It is not
    /// an error if that is missing, since another client may have removed it, or it
    /// may not have arrived yet. Riak defers such a removal until the value arrives;
    /// a single replica has nothing to wait for.
    Seen(Event),
}

impl Causality {
    /// Reports whether the effect of this event may be removed.
    pub(crate) fn covers(self, event: Event) -> bool {
        match self {
            Self::WithoutContext => true,
            Self::Seen(last) => event <= last,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_covers_what_was_there_when_it_was_given() {
        let mut clock = Clock::new([7; 12]);
        let nothing = Context::decode(&clock.encode()).unwrap();
        let first = clock.tick();
        let context = Context::decode(&clock.encode()).unwrap();
        let second = clock.tick();
        let covers = |context: &Context, event| clock.causality(Some(context)).covers(event);
        assert!(covers(&context, first) && !covers(&context, second) && !covers(&nothing, first));
        assert!(clock.causality(None).covers(second));
        // Events of another epoch are different events, even with the same numbers.
        let mut again = Clock::new([8; 12]);
        let third = again.tick();
        assert!(!again.causality(Some(&context)).covers(third));
    }

    #[test]
    fn contexts_round_trip_through_bytes() {
        for events in [0, 1, 255, 256, u64::from(u32::MAX), 1 << 40] {
            let clock = Clock { epoch: [1; 12], events };
            let context = Context::decode(&clock.encode()).unwrap();
            assert_eq!(clock.causality(Some(&context)), Causality::Seen(events));
        }
    }

    #[test]
    fn invalid_contexts_are_not_decoded() {
        let pair = Term::pair(Term::binary(b"a"), Term::binary(b"b"));
        let negative = Term::pair(Term::binary(b"a"), Term::Integer(Integer::from(-1)));
        let long = Term::Integer(Integer::from_magnitude(false, &[1; 9]));
        for term in [
            Term::binary(b"a"),
            Term::List(vec![Term::binary(b"a")]),
            Term::List(vec![pair]),
            Term::List(vec![negative]),
            Term::List(vec![Term::pair(Term::binary(b"a"), long)]),
        ] {
            assert_eq!(Context::decode(&term.encode()), None, "{term:?}");
        }
        for bytes in [&b""[..], b"k\xce", b"\x83"] {
            assert_eq!(Context::decode(bytes), None, "{bytes:?}");
        }
    }
}
