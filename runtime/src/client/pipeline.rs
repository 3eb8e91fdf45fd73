//! [`Pipeline`]: which answer belongs to which caller, without sockets.
//!
//! Answers carry no id: they come in the order of their requests. So calls in
//! flight form a queue of places, and a place outlives its caller: the answer
//! to a call that was given up is awaited and thrown away. A stream, or a call
//! that takes long, starts when nothing is in flight, nothing is sent behind
//! it, and giving it up closes the connection.
//!
//! Invariants:
//! - the frames that went to [`Pipeline::take_output`] are those of the places,
//!   in their order, and each frame received is for the first place;
//! - if a place is exclusive, it is the only one;
//! - whatever happens, each caller gets its answer or one error.

mod deadline;
mod receive;

use std::collections::VecDeque;
use std::task::{Poll, Waker};
use std::time::Instant;

use super::ConnectionConfig;
use super::error::{CallError, ConnectionError, NotSent};
use super::outgoing::Outgoing;
use super::slots::{Request, Slot, Slots, State, Ticket};
use crate::operation::Operation;
use crate::{Frame, WriteBuffer};

/// A request in flight.
#[derive(Debug)]
struct Place {
    /// Who waits for the answer; `None` if the call was given up.
    ticket: Option<Ticket>,
    operation: &'static Operation,
    exclusive: bool,
    /// How many bytes had been produced with the end of its frame.
    end: u64,
}

#[derive(Debug)]
pub(super) struct Pipeline {
    config: ConnectionConfig,
    slots: Slots,
    places: VecDeque<Place>,
    /// How many places there were before the first.
    passed: u64,
    /// How many places nobody waits for.
    owed: usize,
    output: WriteBuffer,
    /// How many bytes have gone into `output`.
    produced: u64,
    /// How many of these have gone to the socket.
    written: u64,
    /// No deadline lies before this one.
    next_deadline: Option<Instant>,
    /// Why no more calls are sent.
    closed: Option<ConnectionError>,
    /// The socket has to be closed.
    finished: bool,
    /// Something has happened that the driver has to see to.
    attention: bool,
    /// Callers whose calls are over, or have got an answer.
    wake: Vec<Waker>,
    /// Wakers that are not needed any more. They are not dropped here: what
    /// that does is up to the executor.
    unused: Vec<Waker>,
}

impl Pipeline {
    pub(super) fn new(config: ConnectionConfig) -> Self {
        Self {
            config,
            slots: Slots::default(),
            places: VecDeque::new(),
            passed: 0,
            owed: 0,
            output: WriteBuffer::new(),
            produced: 0,
            written: 0,
            next_deadline: None,
            closed: None,
            finished: false,
            attention: false,
            wake: Vec::new(),
            unused: Vec::new(),
        }
    }

    // What callers do.

    /// Starts a call: sends it or lets it wait its turn.
    pub(super) fn call(
        &mut self,
        request: &Outgoing<'_>,
        now: Instant,
        waker: &Waker,
    ) -> Result<Ticket, NotSent> {
        if let Some(error) = &self.closed {
            return Err(NotSent::Connection(error.clone()));
        }
        if request.deadline().is_some_and(|limit| limit <= now) {
            return Err(NotSent::Deadline);
        }
        let (operation, ends, exclusive) = (request.operation(), request.ends(), request.is_exclusive());
        // Encoding comes before any change here: it may fail, or even panic.
        let ticket = if self.slots.waiting() == 0 && self.has_room(exclusive) {
            let before = self.output.len();
            request.encode(&mut self.output, now).map_err(NotSent::Frame)?;
            self.produced += (self.output.len() - before) as u64;
            let state = State::Flying { place: self.passed + self.places.len() as u64 };
            let ticket = self.slots.insert(state, operation, ends, exclusive);
            self.take_place(ticket, operation, exclusive);
            ticket
        } else {
            if self.slots.waiting() >= self.config.max_waiting {
                return Err(NotSent::QueueFull { max: self.config.max_waiting });
            }
            let mut frame = WriteBuffer::new();
            let allowance = request.encode_early(&mut frame).map_err(NotSent::Frame)?;
            let early = Box::new(Request { frame, allowance });
            self.slots.insert_waiting(early, operation, ends, exclusive)
        };
        let after = self.timeout(ends.is_some(), exclusive);
        let turn = self.config.wait_timeout;
        let slot = self.slots.get(ticket);
        let unused = slot.wait(waker);
        slot.limit = request.deadline();
        let mut deadline = slot.extend(now, after);
        if matches!(slot.state, State::Waiting { .. }) {
            deadline = slot.hurry(now, turn);
        }
        self.unused.extend(unused);
        self.note_deadline(deadline);
        Ok(ticket)
    }

    /// The answer to a unary call. When it is there, the ticket is used up.
    pub(super) fn poll_answer(&mut self, ticket: Ticket, waker: &Waker) -> Poll<Result<Frame, CallError>> {
        match self.poll_frame(ticket, waker) {
            Poll::Ready(Some(answer)) => {
                if answer.is_ok() {
                    self.free(ticket);
                }
                Poll::Ready(answer)
            }
            // A unary call ends with an answer or an error.
            Poll::Ready(None) => Poll::Ready(Err(CallError::Lost(ConnectionError::Stopped))),
            Poll::Pending => Poll::Pending,
        }
    }

    /// The next answer of a stream. With an error or the end, the ticket is
    /// used up.
    pub(super) fn poll_frame(
        &mut self,
        ticket: Ticket,
        waker: &Waker,
    ) -> Poll<Option<Result<Frame, CallError>>> {
        let slot = self.slots.get(ticket);
        if let Some(frame) = slot.pop() {
            // Not at every frame: a consumer that takes one at a time would
            // make the driver read one at a time.
            if slot.paused && slot.buffered <= self.config.stream_buffer / 2 {
                self.attention = true;
            }
            return Poll::Ready(Some(Ok(frame)));
        }
        if let State::Done(end) = &mut slot.state {
            let end = std::mem::replace(end, Ok(()));
            self.free(ticket);
            return Poll::Ready(end.err().map(Err));
        }
        let unused = slot.wait(waker);
        self.unused.extend(unused);
        Poll::Pending
    }

    /// Gives a call up.
    pub(super) fn give_up(&mut self, ticket: Ticket, now: Instant) {
        let slot = self.slots.get(ticket);
        match slot.state {
            State::Free => {}
            State::Done(_) => self.free(ticket),
            State::Waiting { .. } => {
                self.slots.leave(ticket, State::Free);
                self.free(ticket);
                // It may have held up others.
                self.start_waiting(now);
            }
            State::Flying { place } => {
                let (operation, exclusive) = (slot.operation, slot.exclusive);
                self.free(ticket);
                self.vacate(place);
                if exclusive {
                    self.fail(&ConnectionError::Abandoned { operation: operation.name });
                } else {
                    self.check_owed();
                }
            }
        }
    }

    /// Says that nobody can call any more.
    pub(super) fn close(&mut self) {
        self.fail(&ConnectionError::Stopped);
    }

    /// Why no more calls are sent, if that is so.
    pub(super) fn closed(&self) -> Option<&ConnectionError> {
        self.closed.as_ref()
    }

    /// How many requests were sent whose answers have not come, and how many
    /// wait to be sent.
    pub(super) fn load(&self) -> (usize, usize) {
        (self.places.len(), self.slots.waiting())
    }

    /// How many answers are owed that nobody waits for, and how many answers have
    /// come.
    pub(super) fn progress(&self) -> (usize, u64) {
        (self.owed, self.passed)
    }

    /// Whom to wake, and whose wakers to drop, once this is no longer locked.
    pub(super) fn take_wakers(&mut self, wake: &mut Vec<Waker>) -> Vec<Waker> {
        if !self.wake.is_empty() {
            wake.append(&mut self.wake);
        }
        std::mem::take(&mut self.unused)
    }

    /// Whether the driver has to be woken.
    pub(super) fn needs_driver(&self) -> bool {
        self.attention
    }

    // What the driver does.

    /// Says that the driver is looking, and how many bytes it has written in
    /// all. Returns whether the socket has to be closed.
    pub(super) fn attend(&mut self, written: u64) -> bool {
        self.attention = false;
        self.written = written;
        self.finished
    }

    /// Swaps an empty buffer for what is to be written.
    pub(super) fn take_output(&mut self, empty: &mut WriteBuffer) {
        if !self.output.is_empty() {
            std::mem::swap(&mut self.output, empty);
        }
    }

    /// Ends everything: nothing more will be written or received.
    pub(super) fn fail(&mut self, error: &ConnectionError) {
        self.fail_behind(error, self.written);
    }

    /// Ends everything, where the server has seen no more than `seen` bytes of all
    /// that was written.
    fn fail_behind(&mut self, error: &ConnectionError, seen: u64) {
        self.refuse(error);
        for place in self.places.drain(..) {
            self.passed += 1;
            let Some(ticket) = place.ticket else { continue };
            let call = if place.end <= seen {
                CallError::Lost(error.clone())
            } else {
                CallError::NotSent(NotSent::Connection(error.clone()))
            };
            finish(self.slots.get(ticket), Err(call), &mut self.wake);
        }
        self.owed = 0;
        self.output = WriteBuffer::new();
        self.finished = true;
        self.attention = true;
    }

    // What keeps the invariants.

    fn free(&mut self, ticket: Ticket) {
        let unused = self.slots.free(ticket);
        self.unused.extend(unused);
    }

    /// Whether another call may be sent now.
    fn has_room(&self, exclusive: bool) -> bool {
        match self.places.back() {
            None => true,
            Some(last) => !exclusive && !last.exclusive && self.places.len() < self.config.max_in_flight,
        }
    }

    fn take_place(&mut self, ticket: Ticket, operation: &'static Operation, exclusive: bool) {
        self.places.push_back(Place { ticket: Some(ticket), operation, exclusive, end: self.produced });
        self.attention = true;
    }

    /// Leaves a place without its caller.
    fn vacate(&mut self, place: u64) {
        let index = place.checked_sub(self.passed).and_then(|index| usize::try_from(index).ok());
        if let Some(place) = index.and_then(|index| self.places.get_mut(index)) {
            place.ticket = None;
            self.owed += 1;
        }
    }

    /// Takes the first place away, whose answer has come.
    fn leave_first(&mut self) {
        self.places.pop_front();
        self.passed += 1;
    }

    /// Goes on behind the first place.
    fn pass(&mut self, now: Instant) {
        self.leave_first();
        self.start_waiting(now);
        if self.closed.is_some() {
            self.check_owed();
        }
    }

    /// Sends waiting calls as long as they may be, but none whose time is up.
    fn start_waiting(&mut self, now: Instant) {
        while let Some((ticket, exclusive)) = self.slots.first_waiting() {
            if !self.has_room(exclusive) {
                break;
            }
            if self.slots.get(ticket).deadline.is_some_and(|deadline| deadline <= now) {
                self.time_out(ticket);
                continue;
            }
            let state = State::Flying { place: self.passed + self.places.len() as u64 };
            let Some(request) = self.slots.leave(ticket, state) else { break };
            let Request { mut frame, allowance } = *request;
            if let Some(allowance) = allowance {
                allowance.add(&mut frame, now);
            }
            self.produced += frame.len() as u64;
            self.output.append(frame);
            let slot = self.slots.get(ticket);
            let (operation, streams, begun) = (slot.operation, slot.ends.is_some(), slot.begun);
            let after = self.timeout(streams, exclusive);
            // What it may take counts from its beginning: its turn was a part.
            self.slots.get(ticket).extend(begun.unwrap_or(now), after);
            self.take_place(ticket, operation, exclusive);
        }
    }

    /// Sends no more calls if too many answers are owed to nobody, and closes
    /// once nobody waits for one.
    fn check_owed(&mut self) {
        if self.owed > self.config.max_owed {
            self.refuse(&ConnectionError::Owed { count: self.owed });
        }
        if let Some(error) = &self.closed
            && !self.finished
            && self.owed == self.places.len()
        {
            let error = error.clone();
            self.fail(&error);
        }
    }

    /// Sends no more calls, not even those that wait.
    fn refuse(&mut self, error: &ConnectionError) {
        if self.closed.is_none() {
            self.closed = Some(error.clone());
        }
        while let Some((ticket, _)) = self.slots.first_waiting() {
            self.slots.leave(ticket, State::Done(Ok(())));
            let call = CallError::NotSent(NotSent::Connection(error.clone()));
            finish(self.slots.get(ticket), Err(call), &mut self.wake);
        }
    }
}

fn finish(slot: &mut Slot, end: Result<(), CallError>, wake: &mut Vec<Waker>) {
    slot.state = State::Done(end);
    slot.deadline = None;
    wake.extend(slot.waker.take());
}

#[cfg(test)]
pub(super) mod tests;
