//! [`Slots`]: the state of each call, shared by its caller and the pipeline.
//!
//! A slot belongs to a call from its start until the caller has taken its result
//! or has dropped it. Slots are reused, so that a call needs no allocation. Calls
//! that wait to be sent form a doubly linked list through their slots, in order of
//! arrival, which a call can leave without a search.
//!
//! Invariant: a ticket is the index of a slot in use. One caller holds it, and the
//! pipeline does as long as the call is waiting or in flight.

use std::collections::VecDeque;
use std::task::Waker;
use std::time::{Duration, Instant};

use super::config::ConnectionConfig;
use super::error::{CallError, NotSent, QueueLimit};
use super::outgoing::{LastAnswer, ServerTimeout};
use crate::operation::Operation;
use crate::{Frame, WriteBuffer};

/// The index of a call's slot.
pub(super) type Ticket = usize;

/// Number of frames that a vacant slot keeps capacity for.
const KEPT_CAPACITY: usize = 4;

/// Bytes that each frame adds to a stream's buffer besides its body.
const FRAME_COST: usize = size_of::<Frame>();

/// The state of one call.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) state: State,
    pub(super) operation: &'static Operation,
    /// How the last answer is recognised; `None` for a unary call.
    pub(super) last_answer: Option<LastAnswer>,
    /// Whether the call needs the connection to itself.
    pub(super) exclusive: bool,
    /// Answers that the caller has not taken yet.
    pub(super) frames: VecDeque<Frame>,
    /// The size of `frames` in bytes, counted for streams only.
    pub(super) buffered: usize,
    /// Whether reading has stopped because the stream's buffer is full.
    pub(super) paused: bool,
    /// The caller's waker.
    pub(super) waker: Option<Waker>,
    /// When the call times out unless it makes progress.
    pub(super) deadline: Option<Instant>,
    /// The caller's own deadline, which progress does not extend.
    pub(super) call_deadline: Option<Instant>,
    /// When the current timeout began: at the start of the call, or with its last
    /// answer.
    pub(super) timeout_start: Option<Instant>,
}

/// The encoded request of a call that waits to be sent.
#[derive(Debug)]
pub(super) struct PendingRequest {
    pub(super) frame: WriteBuffer,
    /// A field that is added when the frame is sent.
    pub(super) server_timeout: Option<ServerTimeout>,
}

#[derive(Debug)]
pub(super) enum State {
    /// Not in use.
    Free,
    /// Waiting to be sent.
    Waiting {
        request: Box<PendingRequest>,
        /// The previous call in the waiting list.
        previous: Option<Ticket>,
        /// The next call in the waiting list.
        next: Option<Ticket>,
    },
    /// In flight. Sequence numbers count from the connection's first request.
    InFlight { sequence: u64 },
    /// Over. The caller gets what is left in `frames` before the error.
    Done(Result<(), CallError>),
}

impl Slot {
    pub(super) fn push(&mut self, frame: Frame) {
        if self.last_answer.is_some() {
            self.buffered += frame.body.len() + FRAME_COST;
        }
        self.frames.push_back(frame);
    }

    pub(super) fn pop(&mut self) -> Option<Frame> {
        let frame = self.frames.pop_front()?;
        if self.last_answer.is_some() {
            self.buffered -= frame.body.len() + FRAME_COST;
        }
        Some(frame)
    }

    /// Sets the deadline to `now + timeout`, or to the caller's deadline if that is
    /// earlier. Returns the new deadline.
    pub(super) fn restart_timeout(&mut self, now: Instant, timeout: Option<Duration>) -> Option<Instant> {
        let until = timeout.and_then(|timeout| now.checked_add(timeout));
        self.timeout_start = Some(now);
        self.deadline = match (until, self.call_deadline) {
            (Some(until), Some(limit)) => Some(until.min(limit)),
            (until, limit) => until.or(limit),
        };
        self.deadline
    }

    /// Limits how long a call may wait to be sent: to `max_wait`, and to half of the
    /// time until the caller's deadline, so that the server gets the other half.
    /// Returns the deadline for being sent.
    pub(super) fn limit_wait(&mut self, now: Instant, max_wait: Option<Duration>) -> Option<Instant> {
        let latest = max_wait.and_then(|max_wait| now.checked_add(max_wait));
        let half = self.call_deadline.map(|deadline| now + deadline.saturating_duration_since(now) / 2);
        self.deadline = [self.deadline, latest, half].into_iter().flatten().min();
        self.deadline
    }

    /// Returns how long the timeout that ends at the deadline is.
    pub(super) fn timeout(&self) -> Duration {
        self.deadline
            .zip(self.timeout_start)
            .map_or(Duration::ZERO, |(until, start)| until.saturating_duration_since(start))
    }

    /// Ends the call, and adds its caller to those to be woken.
    pub(super) fn finish(&mut self, end: Result<(), CallError>, wake: &mut Vec<Waker>) {
        self.state = State::Done(end);
        self.deadline = None;
        wake.extend(self.waker.take());
    }

    /// Stores the caller's waker. Returns the one that it replaces.
    pub(super) fn register(&mut self, waker: &Waker) -> Option<Waker> {
        match &self.waker {
            Some(known) if known.will_wake(waker) => None,
            _ => self.waker.replace(waker.clone()),
        }
    }
}

/// All slots of a connection, and the list of waiting calls.
#[derive(Debug, Default)]
pub(super) struct Slots {
    entries: Vec<Slot>,
    vacant: Vec<Ticket>,
    /// The waiting call that came first.
    head: Option<Ticket>,
    /// The waiting call that came last.
    tail: Option<Ticket>,
    /// The length of the waiting list.
    waiting: usize,
    /// The size of the requests of the waiting calls in bytes.
    waiting_bytes: usize,
}

impl Slots {
    /// Assigns a slot to a new call.
    pub(super) fn insert(
        &mut self,
        state: State,
        operation: &'static Operation,
        last_answer: Option<LastAnswer>,
        exclusive: bool,
    ) -> Ticket {
        let Some(ticket) = self.vacant.pop() else {
            self.entries.push(Slot {
                state,
                operation,
                last_answer,
                exclusive,
                frames: VecDeque::new(),
                buffered: 0,
                paused: false,
                waker: None,
                deadline: None,
                call_deadline: None,
                timeout_start: None,
            });
            return self.entries.len() - 1;
        };
        let slot = &mut self.entries[ticket];
        slot.state = state;
        slot.operation = operation;
        slot.last_answer = last_answer;
        slot.exclusive = exclusive;
        ticket
    }

    /// Frees the slot of a call that is not waiting. Returns its waker, to be dropped
    /// without the lock.
    pub(super) fn free(&mut self, ticket: Ticket) -> Option<Waker> {
        let slot = &mut self.entries[ticket];
        slot.state = State::Free;
        slot.frames.clear();
        slot.frames.shrink_to(KEPT_CAPACITY);
        slot.buffered = 0;
        slot.paused = false;
        slot.deadline = None;
        slot.call_deadline = None;
        let waker = slot.waker.take();
        self.vacant.push(ticket);
        waker
    }

    pub(super) fn get(&mut self, ticket: Ticket) -> &mut Slot {
        &mut self.entries[ticket]
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (Ticket, &mut Slot)> {
        self.entries.iter_mut().enumerate().filter(|(_, slot)| !matches!(slot.state, State::Free))
    }

    /// Returns the number of calls that wait to be sent.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Checks that another call may wait whose request has `len` bytes. If no call waits,
    /// its size does not matter.
    pub(super) fn check_room(&self, len: usize, config: &ConnectionConfig) -> Result<(), NotSent> {
        let max = if self.waiting >= config.max_queued {
            QueueLimit::Calls(config.max_queued)
        } else if self.waiting > 0 && self.waiting_bytes.saturating_add(len) > config.max_queued_bytes {
            QueueLimit::Bytes(config.max_queued_bytes)
        } else {
            return Ok(());
        };
        Err(NotSent::QueueFull { max })
    }

    /// Returns the number of slots in use.
    pub(super) fn used(&self) -> usize {
        self.entries.len() - self.vacant.len()
    }

    /// Returns the call that has waited longest, and whether it is exclusive.
    pub(super) fn first_waiting(&self) -> Option<(Ticket, bool)> {
        self.head.map(|ticket| (ticket, self.entries[ticket].exclusive))
    }

    /// Assigns a slot to a new call and appends it to the waiting list.
    pub(super) fn insert_waiting(
        &mut self,
        request: Box<PendingRequest>,
        operation: &'static Operation,
        last_answer: Option<LastAnswer>,
        exclusive: bool,
    ) -> Ticket {
        let previous = self.tail;
        self.waiting_bytes += request.frame.len();
        let state = State::Waiting { request, previous, next: None };
        let ticket = self.insert(state, operation, last_answer, exclusive);
        match previous {
            Some(previous) => self.link(previous, |_, next| *next = Some(ticket)),
            None => self.head = Some(ticket),
        }
        self.tail = Some(ticket);
        self.waiting += 1;
        ticket
    }

    /// Removes a call from the waiting list, sets its state and returns its request;
    /// `None`, and no change, if it is not waiting.
    pub(super) fn unlink(&mut self, ticket: Ticket, state: State) -> Option<Box<PendingRequest>> {
        if !matches!(self.entries[ticket].state, State::Waiting { .. }) {
            return None;
        }
        let State::Waiting { request, previous, next } =
            std::mem::replace(&mut self.entries[ticket].state, state)
        else {
            return None;
        };
        match previous {
            Some(previous) => self.link(previous, |_, theirs| *theirs = next),
            None => self.head = next,
        }
        match next {
            Some(next) => self.link(next, |theirs, _| *theirs = previous),
            None => self.tail = previous,
        }
        self.waiting -= 1;
        self.waiting_bytes -= request.frame.len();
        Some(request)
    }

    /// Changes the links of a waiting call.
    fn link(&mut self, ticket: Ticket, change: impl FnOnce(&mut Option<Ticket>, &mut Option<Ticket>)) {
        if let State::Waiting { previous, next, .. } = &mut self.entries[ticket].state {
            change(previous, next);
        }
    }
}
