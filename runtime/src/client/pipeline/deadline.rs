//! Calls that take too long.
//!
//! Nearly all calls end before their deadline, so one timer does for all of
//! them: it is set to the earliest deadline that was known when it went off
//! last. Invariant: no call's deadline lies before
//! `next_deadline`.

use std::time::{Duration, Instant};

use super::super::error::{CallError, ConnectionError};
use super::super::slots::{State, Ticket};
use super::{Pipeline, finish};

impl Pipeline {
    /// When to look for deadlines again.
    pub(in super::super) fn next_deadline(&self) -> Option<Instant> {
        self.next_deadline
    }

    /// Gives up the calls whose deadline has come.
    pub(in super::super) fn expire(&mut self, now: Instant) {
        if self.next_deadline.is_none_or(|deadline| deadline > now) {
            return;
        }
        let mut next: Option<Instant> = None;
        // Those that wait come first: giving up one in flight may end them in
        // another way.
        let (mut waiting, mut flying) = (Vec::new(), Vec::new());
        for (ticket, slot) in self.slots.iter_mut() {
            match slot.deadline {
                Some(deadline) if deadline <= now => {
                    let waits = matches!(slot.state, State::Waiting { .. });
                    if waits { waiting.push(ticket) } else { flying.push(ticket) }
                }
                Some(deadline) => next = Some(next.map_or(deadline, |next| next.min(deadline))),
                None => {}
            }
        }
        self.next_deadline = next;
        for ticket in waiting.into_iter().chain(flying) {
            self.time_out(ticket);
        }
        self.start_waiting(now);
        self.check_owed();
    }

    pub(super) fn time_out(&mut self, ticket: Ticket) {
        let slot = self.slots.get(ticket);
        let (operation, exclusive, after) = (slot.operation, slot.exclusive, slot.allowed());
        let place = match slot.state {
            State::Waiting { .. } => None,
            State::Flying { place } => Some(place),
            // An earlier one has closed the connection.
            State::Free | State::Done(_) => return,
        };
        // What was not written yet still will be, unless the connection closes:
        // others stand behind it.
        let sent = place.is_some_and(|place| !exclusive || self.is_sent(place));
        let timeout = CallError::Timeout { after, sent };
        match place {
            None => {
                self.slots.leave(ticket, State::Done(Ok(())));
                finish(self.slots.get(ticket), Err(timeout), &mut self.wake);
            }
            Some(place) => {
                finish(self.slots.get(ticket), Err(timeout), &mut self.wake);
                self.vacate(place);
                if exclusive {
                    self.fail(&ConnectionError::Abandoned { operation: operation.name });
                }
            }
        }
    }

    pub(super) fn timeout(&self, streams: bool, exclusive: bool) -> Option<Duration> {
        match (streams, exclusive) {
            (true, _) => self.config.stream_idle_timeout,
            (false, true) => self.config.long_call_timeout,
            (false, false) => self.config.call_timeout,
        }
    }

    pub(super) fn note_deadline(&mut self, deadline: Option<Instant>) {
        if let Some(deadline) = deadline
            && self.next_deadline.is_none_or(|next| deadline < next)
        {
            self.next_deadline = Some(deadline);
            self.attention = true;
        }
    }

    /// Whether all of the request at this place was written.
    fn is_sent(&self, place: u64) -> bool {
        place
            .checked_sub(self.passed)
            .and_then(|index| self.places.get(usize::try_from(index).ok()?))
            .is_none_or(|place| place.end <= self.written)
    }
}
