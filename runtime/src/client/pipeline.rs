//! [`Pipeline`]: matches answers to callers, without sockets.
//!
//! Answers carry no request id: they arrive in the order of the requests. The
//! requests in flight therefore form a queue, and an entry stays in it when its
//! caller goes away: the answer to a call that was cancelled or timed out is awaited
//! and discarded. A stream or a long call is exclusive: it starts when nothing is in
//! flight, nothing is sent behind it, and cancelling it closes the connection.
//!
//! Invariants:
//! - [`Pipeline::take_output`] yields the frames of the queued requests, in queue
//!   order, and each frame received answers the request at the front;
//! - an exclusive request is the only one in the queue;
//! - every caller gets either its answer or exactly one error.

mod deadline;
mod receive;

use std::collections::VecDeque;
use std::task::{Poll, Waker};
use std::time::Instant;

use super::ConnectionConfig;
use super::error::{CallError, ConnectionError, NotSent};
use super::outgoing::Outgoing;
use super::slots::{PendingRequest, Slots, State, Ticket};
use crate::operation::Operation;
use crate::{Frame, WriteBuffer};

/// A request in flight.
#[derive(Debug)]
struct InFlight {
    /// The call that waits for the answer; `None` if it was cancelled or timed out.
    ticket: Option<Ticket>,
    operation: &'static Operation,
    exclusive: bool,
    /// Offset of the end of its frame in the connection's outgoing bytes.
    end: u64,
}

#[derive(Debug)]
pub(super) struct Pipeline {
    config: ConnectionConfig,
    slots: Slots,
    in_flight: VecDeque<InFlight>,
    /// Number of requests that have left the front of `in_flight`, which is the
    /// sequence number of the request now at the front.
    completed: u64,
    /// Number of requests in flight without a ticket: their answers are still owed.
    owed: usize,
    output: WriteBuffer,
    /// Total number of bytes appended to `output`.
    encoded: u64,
    /// How many of the encoded bytes the driver has written to the socket.
    written: u64,
    /// Lower bound of all deadlines.
    next_deadline: Option<Instant>,
    /// Why the connection takes no more calls.
    closed: Option<ConnectionError>,
    /// Whether the driver has to close the socket.
    finished: bool,
    /// Whether the driver has to be woken.
    driver_needed: bool,
    /// Wakers of callers that have something to receive.
    to_wake: Vec<Waker>,
    /// Wakers that are no longer needed. They are dropped outside of the lock,
    /// since dropping one runs code of the executor.
    stale_wakers: Vec<Waker>,
}

impl Pipeline {
    pub(super) fn new(config: ConnectionConfig) -> Self {
        Self {
            config,
            slots: Slots::default(),
            in_flight: VecDeque::new(),
            completed: 0,
            owed: 0,
            output: WriteBuffer::new(),
            encoded: 0,
            written: 0,
            next_deadline: None,
            closed: None,
            finished: false,
            driver_needed: false,
            to_wake: Vec::new(),
            stale_wakers: Vec::new(),
        }
    }

    // Methods for callers.

    /// Starts a call: encodes it for sending, or queues it until it may be sent.
    pub(super) fn call(
        &mut self,
        request: &Outgoing<'_>,
        now: Instant,
        waker: &Waker,
    ) -> Result<Ticket, NotSent> {
        if let Some(error) = &self.closed {
            return Err(NotSent::Connection(error.clone()));
        }
        if request.deadline().is_some_and(|deadline| deadline <= now) {
            return Err(NotSent::Deadline);
        }
        let (operation, last_answer, exclusive) =
            (request.operation(), request.last_answer(), request.is_exclusive());
        // Encoding may fail or panic, so it comes before any change of state.
        let ticket = if self.slots.waiting() == 0 && self.can_send(exclusive) {
            let before = self.output.len();
            request.encode(&mut self.output, now).map_err(NotSent::Frame)?;
            self.encoded += (self.output.len() - before) as u64;
            let state = State::InFlight { sequence: self.requests() };
            let ticket = self.slots.insert(state, operation, last_answer, exclusive);
            self.push_in_flight(ticket, operation, exclusive);
            ticket
        } else {
            // A request that would be refused anyway is not encoded first.
            self.slots.check_room(0, &self.config)?;
            let mut frame = WriteBuffer::new();
            let server_timeout = request.encode_early(&mut frame).map_err(NotSent::Frame)?;
            self.slots.check_room(frame.len(), &self.config)?;
            let pending = Box::new(PendingRequest { frame, server_timeout });
            self.slots.insert_waiting(pending, operation, last_answer, exclusive)
        };
        let timeout = self.timeout_for(last_answer.is_some(), exclusive);
        let max_wait = self.config.wait_timeout;
        let slot = self.slots.get(ticket);
        let stale = slot.register(waker);
        slot.call_deadline = request.deadline();
        let mut deadline = slot.restart_timeout(now, timeout);
        if matches!(slot.state, State::Waiting { .. }) {
            deadline = slot.limit_wait(now, max_wait);
        }
        self.stale_wakers.extend(stale);
        self.schedule_timer(deadline);
        Ok(ticket)
    }

    /// Polls for the answer to a unary call. `Ready` invalidates the ticket.
    pub(super) fn poll_answer(&mut self, ticket: Ticket, waker: &Waker) -> Poll<Result<Frame, CallError>> {
        match self.poll_frame(ticket, waker) {
            Poll::Ready(Some(answer)) => {
                if answer.is_ok() {
                    self.free(ticket);
                }
                Poll::Ready(answer)
            }
            // Unreachable: a unary call ends with an answer or an error.
            Poll::Ready(None) => Poll::Ready(Err(CallError::Lost(ConnectionError::Stopped))),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Polls for the next answer of a stream. An error or the end invalidates the
    /// ticket.
    pub(super) fn poll_frame(
        &mut self,
        ticket: Ticket,
        waker: &Waker,
    ) -> Poll<Option<Result<Frame, CallError>>> {
        let slot = self.slots.get(ticket);
        if let Some(frame) = slot.pop() {
            // Reading resumes at half of the buffer: if it resumed after each
            // frame, the driver would read one frame at a time.
            if slot.paused && slot.buffered <= self.config.stream_buffer / 2 {
                self.driver_needed = true;
            }
            return Poll::Ready(Some(Ok(frame)));
        }
        if let State::Done(end) = &mut slot.state {
            let end = std::mem::replace(end, Ok(()));
            self.free(ticket);
            return Poll::Ready(end.err().map(Err));
        }
        let stale = slot.register(waker);
        self.stale_wakers.extend(stale);
        Poll::Pending
    }

    /// Reports whether reading has stopped, or had stopped when the call ended, because
    /// its caller took the answers too slowly.
    pub(super) fn is_paused(&mut self, ticket: Ticket) -> bool {
        self.slots.get(ticket).paused
    }

    /// Cancels a call and invalidates its ticket.
    pub(super) fn cancel(&mut self, ticket: Ticket, now: Instant) {
        let slot = self.slots.get(ticket);
        match slot.state {
            State::Free => {}
            State::Done(_) => self.free(ticket),
            State::Waiting { .. } => {
                self.slots.unlink(ticket, State::Free);
                self.free(ticket);
                // The cancelled call may have blocked those behind it.
                self.send_waiting(now);
            }
            State::InFlight { sequence } => {
                let (operation, exclusive) = (slot.operation, slot.exclusive);
                self.free(ticket);
                self.orphan(sequence);
                if exclusive {
                    self.fail(&ConnectionError::Abandoned { operation: operation.name });
                } else {
                    self.enforce_max_owed();
                }
            }
        }
    }

    /// Returns why the connection takes no more calls; `None` if it still does.
    pub(super) fn closed(&self) -> Option<&ConnectionError> {
        self.closed.as_ref()
    }

    /// Returns the number of requests in flight and the number waiting to be sent.
    pub(super) fn load(&self) -> (usize, usize) {
        (self.in_flight.len(), self.slots.waiting())
    }

    /// Returns the number of owed answers that no caller waits for, and the number of
    /// requests that are no longer in flight.
    pub(super) fn progress(&self) -> (usize, u64) {
        (self.owed, self.completed)
    }

    /// Appends the callers to be woken to `wake` and returns wakers to be dropped.
    /// Both have to happen after the pipeline is unlocked.
    pub(super) fn take_wakers(&mut self, wake: &mut Vec<Waker>) -> Vec<Waker> {
        if !self.to_wake.is_empty() {
            wake.append(&mut self.to_wake);
        }
        std::mem::take(&mut self.stale_wakers)
    }

    /// Reports whether the driver has to be woken.
    pub(super) fn needs_driver(&self) -> bool {
        self.driver_needed
    }

    // Methods for the driver.

    /// Records that the driver is running and has written `written` bytes in
    /// total. Returns whether it has to close the socket.
    pub(super) fn sync_driver(&mut self, written: u64) -> bool {
        self.driver_needed = false;
        self.written = written;
        self.finished
    }

    /// Returns the number of requests encoded so far that were or are in flight.
    pub(super) fn requests(&self) -> u64 {
        self.completed + self.in_flight.len() as u64
    }

    /// Returns the number of callers that wait for an answer or have not yet taken it.
    pub(super) fn callers(&self) -> usize {
        self.slots.used()
    }

    /// Reports whether there are bytes to be written.
    pub(super) fn has_output(&self) -> bool {
        !self.output.is_empty()
    }

    /// Moves the bytes to be written into `empty`, an empty buffer.
    pub(super) fn take_output(&mut self, empty: &mut WriteBuffer) {
        std::mem::swap(&mut self.output, empty);
    }

    /// Fails all calls: nothing more is written or received.
    pub(super) fn fail(&mut self, error: &ConnectionError) {
        self.fail_beyond(error, self.written);
    }

    /// Fails all calls, given that the server has processed at most the first
    /// `seen` bytes: requests that end beyond those fail as not sent.
    fn fail_beyond(&mut self, error: &ConnectionError, seen: u64) {
        self.stop_accepting(error);
        for request in self.in_flight.drain(..) {
            self.completed += 1;
            let Some(ticket) = request.ticket else { continue };
            let call = if request.end <= seen {
                CallError::Lost(error.clone())
            } else {
                CallError::NotSent(NotSent::Connection(error.clone()))
            };
            self.slots.get(ticket).finish(Err(call), &mut self.to_wake);
        }
        self.owed = 0;
        self.output = WriteBuffer::new();
        self.finished = true;
        self.driver_needed = true;
    }

    // Internals, which keep the invariants.

    fn free(&mut self, ticket: Ticket) {
        let stale = self.slots.free(ticket);
        self.stale_wakers.extend(stale);
    }

    /// Reports whether another call may be sent now.
    fn can_send(&self, exclusive: bool) -> bool {
        match self.in_flight.back() {
            None => true,
            Some(last) => !exclusive && !last.exclusive && self.in_flight.len() < self.config.max_in_flight,
        }
    }

    fn push_in_flight(&mut self, ticket: Ticket, operation: &'static Operation, exclusive: bool) {
        self.in_flight.push_back(InFlight { ticket: Some(ticket), operation, exclusive, end: self.encoded });
        self.driver_needed = true;
    }

    /// Detaches a request in flight from its caller: its answer will be discarded.
    fn orphan(&mut self, sequence: u64) {
        let index = sequence.checked_sub(self.completed).and_then(|index| usize::try_from(index).ok());
        if let Some(request) = index.and_then(|index| self.in_flight.get_mut(index)) {
            request.ticket = None;
            self.owed += 1;
        }
    }

    /// Removes the request at the front, which has been answered.
    fn pop_front(&mut self) {
        self.in_flight.pop_front();
        self.completed += 1;
    }

    /// Removes the request at the front and sends calls that waited for it.
    fn complete_front(&mut self, now: Instant) {
        self.pop_front();
        self.send_waiting(now);
        if self.closed.is_some() {
            self.enforce_max_owed();
        }
    }

    /// Sends waiting calls in order until one may not be sent yet. Calls whose
    /// deadline has passed time out instead.
    fn send_waiting(&mut self, now: Instant) {
        while let Some((ticket, exclusive)) = self.slots.first_waiting() {
            if !self.can_send(exclusive) {
                break;
            }
            if self.slots.get(ticket).deadline.is_some_and(|deadline| deadline <= now) {
                self.time_out(ticket);
                continue;
            }
            let state = State::InFlight { sequence: self.requests() };
            let Some(request) = self.slots.unlink(ticket, state) else { break };
            let PendingRequest { mut frame, server_timeout } = *request;
            if let Some(server_timeout) = server_timeout {
                server_timeout.add(&mut frame, now);
            }
            self.encoded += frame.len() as u64;
            self.output.append(frame);
            let slot = self.slots.get(ticket);
            let (operation, streams, start) =
                (slot.operation, slot.last_answer.is_some(), slot.timeout_start);
            let timeout = self.timeout_for(streams, exclusive);
            // The timeout includes the time spent waiting to be sent.
            self.slots.get(ticket).restart_timeout(start.unwrap_or(now), timeout);
            self.push_in_flight(ticket, operation, exclusive);
        }
    }

    /// Takes no more calls if more than `max_owed` answers are owed that no caller waits
    /// for. Closes a connection that takes no more calls once no caller waits.
    fn enforce_max_owed(&mut self) {
        if self.owed > self.config.max_owed {
            self.stop_accepting(&ConnectionError::Owed { count: self.owed });
        }
        if let Some(error) = &self.closed
            && !self.finished
            && self.owed == self.in_flight.len()
        {
            let error = error.clone();
            self.fail(&error);
        }
    }

    /// Takes no more calls, and fails those that wait to be sent.
    fn stop_accepting(&mut self, error: &ConnectionError) {
        if self.closed.is_none() {
            self.closed = Some(error.clone());
        }
        while let Some((ticket, _)) = self.slots.first_waiting() {
            self.slots.unlink(ticket, State::Done(Ok(())));
            let call = CallError::NotSent(NotSent::Connection(error.clone()));
            self.slots.get(ticket).finish(Err(call), &mut self.to_wake);
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
