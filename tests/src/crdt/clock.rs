//! [`Clock`]: the events of one data type, and [`Context`]: which of them a
//! client has seen.
//!
//! Invariant: each data type that is new under its key counts its events under
//! an [`Epoch`] of its own, so that a context from before it was deleted covers
//! nothing of it. (Riak begins such an epoch only once the tombstone is reaped.)

use std::collections::BTreeMap;

use riak_runtime::Blob;

use crate::erlang::term::Term;
use crate::index::Integer;

/// Who counts: an actor, as long as those of Riak's partitions.
pub(crate) type Epoch = [u8; 12];

/// The how-many-eth change it was. With its epoch it is a dot.
pub(crate) type Event = u64;

/// The events of a data type: all up to a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Clock {
    epoch: Epoch,
    events: Event,
}

impl Clock {
    /// One without events.
    pub(crate) fn new(epoch: Epoch) -> Self {
        Self { epoch, events: 0 }
    }

    /// The next event.
    pub(crate) fn tick(&mut self) -> Event {
        self.events += 1;
        self.events
    }

    /// The context of who reads now: the bytes that clients echo. They are what
    /// Riak makes of such a clock.
    pub(crate) fn encode(&self) -> Blob {
        let events = i64::try_from(self.events).unwrap_or(i64::MAX);
        let entry = Term::pair(Term::binary(&self.epoch), Term::Integer(Integer::from(events)));
        Term::List(if self.events == 0 { Vec::new() } else { vec![entry] }).encode().into()
    }

    /// What an update with this context may remove here.
    pub(crate) fn causality(&self, context: Option<&Context>) -> Causality {
        context.map_or(Causality::Blind, |context| {
            Causality::Seen(context.0.get(self.epoch.as_slice()).copied().unwrap_or(0))
        })
    }
}

/// What a client has seen: the events of each actor up to a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Context(BTreeMap<Vec<u8>, Event>);

impl Context {
    /// The context that a client sent; `None` if it is none. Empty bytes are
    /// none, either.
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

/// What an update may remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Causality {
    /// It came without a context: whatever is there, and nothing else.
    Blind,
    /// It came with one: what was there by this event. What is not there was
    /// removed by others, or is not here yet: no error. Riak keeps the removal of
    /// what is not here yet until it is; one that has no other replica has
    /// nothing to wait for.
    Seen(Event),
}

impl Causality {
    /// Whether what this event has left may be removed.
    pub(crate) fn covers(self, event: Event) -> bool {
        match self {
            Self::Blind => true,
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
        // The same numbers of another epoch are other events.
        let mut again = Clock::new([8; 12]);
        let third = again.tick();
        assert!(!again.causality(Some(&context)).covers(third));
    }

    #[test]
    fn contexts_of_many_events_go_through_bytes() {
        for events in [0, 1, 255, 256, u64::from(u32::MAX), 1 << 40] {
            let clock = Clock { epoch: [1; 12], events };
            let context = Context::decode(&clock.encode()).unwrap();
            assert_eq!(clock.causality(Some(&context)), Causality::Seen(events));
        }
    }

    #[test]
    fn what_is_no_context_is_none() {
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
