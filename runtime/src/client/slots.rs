//! [`Slots`]: where each call's caller finds what became of it.
//!
//! A slot is a call's mailbox, from the call's start until its caller has taken
//! the end or has gone. Slots are used again, so that a call costs no
//! allocation. Calls that wait their turn form a list through their slots, in
//! the order in which they came and without a search to leave it.
//!
//! Invariant: a ticket is the index of a slot that is in use, known to one
//! caller, and to the pipeline as long as the call's state is waiting or
//! flying.

use std::collections::VecDeque;
use std::task::Waker;
use std::time::{Duration, Instant};

use super::error::CallError;
use super::outgoing::{Allowance, Ends};
use crate::operation::Operation;
use crate::{Frame, WriteBuffer};

/// The index of a call's slot.
pub(super) type Ticket = usize;

/// Frames that a slot keeps room for when it is used again.
const KEEP: usize = 4;

/// What a frame counts towards a stream's buffer, besides its body.
const FRAME_COST: usize = size_of::<Frame>();

#[derive(Debug)]
pub(super) struct Slot {
    pub(super) state: State,
    pub(super) operation: &'static Operation,
    pub(super) ends: Option<Ends>,
    pub(super) exclusive: bool,
    /// Answers that have come and were not taken.
    pub(super) frames: VecDeque<Frame>,
    /// What these count, for a stream.
    pub(super) buffered: usize,
    /// The stream's consumer is slow, so that reading has stopped.
    pub(super) paused: bool,
    /// The caller's.
    pub(super) waker: Option<Waker>,
    /// When the call is given up unless something happens before.
    pub(super) deadline: Option<Instant>,
    /// When it is given up whatever happens: what its caller has said.
    pub(super) limit: Option<Instant>,
    /// When it began, or when its last answer came.
    pub(super) begun: Option<Instant>,
}

/// What a waiting call is going to send.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) frame: WriteBuffer,
    /// What is to be added to it then.
    pub(super) allowance: Option<Allowance>,
}

#[derive(Debug)]
pub(super) enum State {
    /// Not in use.
    Free,
    /// Waits its turn.
    Waiting {
        /// Its encoded frame.
        request: Box<Request>,
        /// Its neighbours in the list.
        previous: Option<Ticket>,
        next: Option<Ticket>,
    },
    /// In flight, at this place counted from the connection's first call.
    Flying { place: u64 },
    /// Over. What is in `frames` comes before the error.
    Done(Result<(), CallError>),
}

impl Slot {
    pub(super) fn push(&mut self, frame: Frame) {
        if self.ends.is_some() {
            self.buffered += frame.body.len() + FRAME_COST;
        }
        self.frames.push_back(frame);
    }

    pub(super) fn pop(&mut self) -> Option<Frame> {
        let frame = self.frames.pop_front()?;
        if self.ends.is_some() {
            self.buffered -= frame.body.len() + FRAME_COST;
        }
        Some(frame)
    }

    /// Lets the call go on for as long as `after`, or to its limit. Returns
    /// its new deadline.
    pub(super) fn extend(&mut self, now: Instant, after: Option<Duration>) -> Option<Instant> {
        let until = after.and_then(|after| now.checked_add(after));
        self.begun = Some(now);
        self.deadline = match (until, self.limit) {
            (Some(until), Some(limit)) => Some(until.min(limit)),
            (until, limit) => until.or(limit),
        };
        self.deadline
    }

    /// Lets a call that waits its turn wait for as long as `after`, and for no
    /// more than half of the time until its limit: what is left is for the
    /// server. Returns its deadline until it has its turn.
    pub(super) fn hurry(&mut self, now: Instant, after: Option<Duration>) -> Option<Instant> {
        let turn = after.and_then(|after| now.checked_add(after));
        let half = self.limit.map(|limit| now + limit.saturating_duration_since(now) / 2);
        self.deadline = [self.deadline, turn, half].into_iter().flatten().min();
        self.deadline
    }

    /// How long the call had until its deadline.
    pub(super) fn allowed(&self) -> Duration {
        self.deadline
            .zip(self.begun)
            .map_or(Duration::ZERO, |(until, begun)| until.saturating_duration_since(begun))
    }

    /// Remembers whom to wake. Returns whom no more.
    pub(super) fn wait(&mut self, waker: &Waker) -> Option<Waker> {
        match &self.waker {
            Some(known) if known.will_wake(waker) => None,
            _ => self.waker.replace(waker.clone()),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Slots {
    all: Vec<Slot>,
    free: Vec<Ticket>,
    first: Option<Ticket>,
    last: Option<Ticket>,
    waiting: usize,
}

impl Slots {
    /// A slot for a new call.
    pub(super) fn insert(
        &mut self,
        state: State,
        operation: &'static Operation,
        ends: Option<Ends>,
        exclusive: bool,
    ) -> Ticket {
        let Some(ticket) = self.free.pop() else {
            self.all.push(Slot {
                state,
                operation,
                ends,
                exclusive,
                frames: VecDeque::new(),
                buffered: 0,
                paused: false,
                waker: None,
                deadline: None,
                limit: None,
                begun: None,
            });
            return self.all.len() - 1;
        };
        let slot = &mut self.all[ticket];
        slot.state = state;
        slot.operation = operation;
        slot.ends = ends;
        slot.exclusive = exclusive;
        ticket
    }

    /// Takes a slot back whose call is not waiting. Returns whom not to wake.
    pub(super) fn free(&mut self, ticket: Ticket) -> Option<Waker> {
        let slot = &mut self.all[ticket];
        slot.state = State::Free;
        slot.frames.clear();
        slot.frames.shrink_to(KEEP);
        slot.buffered = 0;
        slot.paused = false;
        slot.deadline = None;
        slot.limit = None;
        let waker = slot.waker.take();
        self.free.push(ticket);
        waker
    }

    pub(super) fn get(&mut self, ticket: Ticket) -> &mut Slot {
        &mut self.all[ticket]
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (Ticket, &mut Slot)> {
        self.all.iter_mut().enumerate().filter(|(_, slot)| !matches!(slot.state, State::Free))
    }

    /// How many calls wait their turn.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// How many slots are in use.
    #[cfg(test)]
    pub(super) fn used(&self) -> usize {
        self.all.len() - self.free.len()
    }

    /// The call that has waited longest, and whether it needs the connection to
    /// itself.
    pub(super) fn first_waiting(&self) -> Option<(Ticket, bool)> {
        self.first.map(|ticket| (ticket, self.all[ticket].exclusive))
    }

    /// A slot for a new call that waits behind all others.
    pub(super) fn insert_waiting(
        &mut self,
        request: Box<Request>,
        operation: &'static Operation,
        ends: Option<Ends>,
        exclusive: bool,
    ) -> Ticket {
        let previous = self.last;
        let state = State::Waiting { request, previous, next: None };
        let ticket = self.insert(state, operation, ends, exclusive);
        match previous {
            Some(previous) => self.link(previous, |_, next| *next = Some(ticket)),
            None => self.first = Some(ticket),
        }
        self.last = Some(ticket);
        self.waiting += 1;
        ticket
    }

    /// Takes a waiting call out of the list, puts it into `state` and returns
    /// its request; `None` if it does not wait.
    pub(super) fn leave(&mut self, ticket: Ticket, state: State) -> Option<Box<Request>> {
        if !matches!(self.all[ticket].state, State::Waiting { .. }) {
            return None;
        }
        let State::Waiting { request, previous, next } =
            std::mem::replace(&mut self.all[ticket].state, state)
        else {
            return None;
        };
        match previous {
            Some(previous) => self.link(previous, |_, theirs| *theirs = next),
            None => self.first = next,
        }
        match next {
            Some(next) => self.link(next, |theirs, _| *theirs = previous),
            None => self.last = previous,
        }
        self.waiting -= 1;
        Some(request)
    }

    fn link(&mut self, ticket: Ticket, change: impl FnOnce(&mut Option<Ticket>, &mut Option<Ticket>)) {
        if let State::Waiting { previous, next, .. } = &mut self.all[ticket].state {
            change(previous, next);
        }
    }
}
