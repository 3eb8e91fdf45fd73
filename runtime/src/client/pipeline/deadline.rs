//! Timeouts of calls.
//!
//! Nearly all calls end before their deadline, so a single timer serves all of
//! them: it is set to the earliest deadline known when it last fired, or to an
//! earlier one set since. Invariant: no call's deadline is before `next_deadline`.

use std::time::{Duration, Instant};

use super::super::error::{CallError, ConnectionError};
use super::super::slots::{State, Ticket};
use super::Pipeline;

impl Pipeline {
    /// Returns when [`Pipeline::expire`] has to be called next.
    pub(in super::super) fn next_deadline(&self) -> Option<Instant> {
        self.next_deadline
    }

    /// Times out the calls whose deadline has passed.
    pub(in super::super) fn expire(&mut self, now: Instant) {
        if self.next_deadline.is_none_or(|deadline| deadline > now) {
            return;
        }
        let mut next: Option<Instant> = None;
        // Waiting calls come first: timing out a call in flight may close the
        // connection, which would fail them with another error.
        let (mut waiting, mut in_flight) = (Vec::new(), Vec::new());
        for (ticket, slot) in self.slots.iter_mut() {
            match slot.deadline {
                Some(deadline) if deadline <= now => {
                    let waits = matches!(slot.state, State::Waiting { .. });
                    if waits { waiting.push(ticket) } else { in_flight.push(ticket) }
                }
                Some(deadline) => next = Some(next.map_or(deadline, |next| next.min(deadline))),
                None => {}
            }
        }
        self.next_deadline = next;
        for ticket in waiting.into_iter().chain(in_flight) {
            self.time_out(ticket);
        }
        self.send_waiting(now);
        self.enforce_max_owed();
    }

    /// Ends a call with [`CallError::Timeout`], unless it is already over.
    pub(super) fn time_out(&mut self, ticket: Ticket) {
        let slot = self.slots.get(ticket);
        let (operation, exclusive, after) = (slot.operation, slot.exclusive, slot.timeout());
        let sequence = match slot.state {
            State::Waiting { .. } => None,
            State::InFlight { sequence } => Some(sequence),
            // An earlier timeout has closed the connection.
            State::Free | State::Done(_) => return,
        };
        // A unary request that is not written yet still will be, since others may
        // be queued behind it. An exclusive one is dropped with the connection.
        let sent = sequence.is_some_and(|sequence| !exclusive || self.is_written(sequence));
        let timeout = CallError::Timeout { after, sent };
        match sequence {
            None => {
                self.slots.unlink(ticket, State::Done(Ok(())));
                self.slots.get(ticket).finish(Err(timeout), &mut self.to_wake);
            }
            Some(sequence) => {
                self.slots.get(ticket).finish(Err(timeout), &mut self.to_wake);
                self.orphan(sequence);
                if exclusive {
                    self.fail(&ConnectionError::Abandoned { operation: operation.name });
                }
            }
        }
    }

    /// Returns the configured timeout for a call of this kind.
    pub(super) fn timeout_for(&self, streams: bool, exclusive: bool) -> Option<Duration> {
        match (streams, exclusive) {
            (true, _) => self.config.stream_idle_timeout,
            (false, true) => self.config.long_call_timeout,
            (false, false) => self.config.call_timeout,
        }
    }

    /// Has the driver set its timer to `deadline` if that is earlier.
    pub(super) fn schedule_timer(&mut self, deadline: Option<Instant>) {
        if let Some(deadline) = deadline
            && self.next_deadline.is_none_or(|next| deadline < next)
        {
            self.next_deadline = Some(deadline);
            self.driver_needed = true;
        }
    }

    /// Reports whether the whole request with this sequence number was written.
    fn is_written(&self, sequence: u64) -> bool {
        sequence
            .checked_sub(self.completed)
            .and_then(|index| self.in_flight.get(usize::try_from(index).ok()?))
            .is_none_or(|request| request.end <= self.written)
    }
}
