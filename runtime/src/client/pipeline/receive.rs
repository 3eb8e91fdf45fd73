//! Delivery of received frames to their callers.
//!
//! Invariant: a frame is delivered only if its message code is one of its
//! operation's answers; any other code closes the connection.

use std::time::Instant;

use super::super::error::{CallError, ConnectionError};
use super::super::outgoing::LastAnswer;
use super::super::server_error::{ServerError, ServerErrorKind};
use super::super::slots::{Slot, Ticket};
use super::{InFlight, Pipeline};
use crate::error::FrameError;
use crate::operation::Operation;
use crate::{Blob, Frame};

/// Length prefixes from here on are taken for bytes of another protocol.
///
/// No object is that large, whereas ASCII letters read as a length give more.
const MAX_PLAUSIBLE_LENGTH: usize = 1 << 30;

impl Pipeline {
    /// Reports whether frames may be received, which stops while a stream's buffer
    /// is full. Resumes a paused stream whose buffer is half empty.
    pub(in super::super) fn may_receive(&mut self, now: Instant) -> bool {
        let Some(&InFlight { ticket: Some(ticket), exclusive: true, .. }) = self.in_flight.front() else {
            return true;
        };
        let slot = self.slots.get(ticket);
        if slot.paused && slot.buffered <= self.config.stream_buffer / 2 {
            slot.paused = false;
            let deadline = slot.restart_timeout(now, self.config.stream_idle_timeout);
            self.schedule_timer(deadline);
            return true;
        }
        !slot.paused
    }

    /// Accepts a received frame. An error means that the connection has failed.
    pub(in super::super) fn receive(&mut self, frame: Frame, now: Instant) -> Result<(), ConnectionError> {
        if self.finished {
            // All callers have their results already.
            return Err(self.closed.clone().unwrap_or(ConnectionError::Stopped));
        }
        let error = match self.in_flight.front() {
            // A frame cannot answer a request that was not written.
            Some(request) if request.end <= self.written => match request.ticket {
                Some(ticket) => return self.deliver(ticket, frame, now),
                None => match classify(request.operation, frame.code) {
                    Ok(answer) => {
                        let operation = request.operation;
                        self.owed -= 1;
                        if answer == AnswerKind::Error && has_crashed(&server_error(operation, &frame)) {
                            return Err(self.fail_crashed(operation));
                        }
                        self.complete_front(now);
                        return Ok(());
                    }
                    Err(error) => error,
                },
            },
            // Its text says why the server does not want the rest of the request.
            Some(request) if matches!(classify(request.operation, frame.code), Ok(AnswerKind::Error)) => {
                match server_error(request.operation, &frame) {
                    CallError::Server(error) => ConnectionError::Interrupted(Box::new(error)),
                    _ => ConnectionError::Unasked { code: frame.code },
                }
            }
            _ => ConnectionError::Unasked { code: frame.code },
        };
        self.fail(&error);
        Err(error)
    }

    /// Fails the connection because the received bytes are not a valid frame. If
    /// they are an answer that is too long, its call fails with
    /// [`CallError::TooLong`].
    pub(in super::super) fn fail_malformed(&mut self, error: FrameError) -> ConnectionError {
        if let (FrameError::TooLong { length: length @ ..MAX_PLAUSIBLE_LENGTH, max }, Some(request)) =
            (&error, self.in_flight.front())
            && let Some(ticket) = request.ticket
            && request.end <= self.written
        {
            let call = CallError::TooLong { length: *length, max: *max };
            self.slots.get(ticket).finish(Err(call), &mut self.to_wake);
            self.pop_front();
        }
        let error = ConnectionError::Frame(error);
        self.fail(&error);
        error
    }

    /// Fails the connection because the request at the front crashed the server's
    /// handler. The server closes the connection after this answer; since it handles
    /// one request at a time, it has not looked at those behind.
    fn fail_crashed(&mut self, operation: &'static Operation) -> ConnectionError {
        let error = ConnectionError::Crashed { operation: operation.name };
        self.pop_front();
        self.fail_beyond(&error, 0);
        error
    }

    /// Hands a frame to the call at the front of the queue.
    fn deliver(&mut self, ticket: Ticket, frame: Frame, now: Instant) -> Result<(), ConnectionError> {
        let idle = self.config.stream_idle_timeout;
        let limit = self.config.stream_buffer;
        let slot = self.slots.get(ticket);
        let operation = slot.operation;
        let mut crashed = false;
        let (end, error) = match classify(operation, frame.code) {
            Ok(AnswerKind::Error) => {
                let call = server_error(operation, &frame);
                crashed = has_crashed(&call);
                (Some(Err(call)), None)
            }
            Ok(answer) => match is_last(slot, answer, &frame) {
                Ok(true) => {
                    slot.push(frame);
                    (Some(Ok(())), None)
                }
                Ok(false) => {
                    slot.push(frame);
                    slot.paused = slot.buffered >= limit;
                    if slot.paused {
                        slot.deadline = slot.call_deadline;
                    } else {
                        slot.restart_timeout(now, idle);
                    }
                    self.to_wake.extend(slot.waker.take());
                    return Ok(());
                }
                Err((call, connection)) => (Some(Err(call)), Some(connection)),
            },
            Err(error) => {
                let call = CallError::UnexpectedCode { code: frame.code, expected: operation.response };
                (Some(Err(call)), Some(error))
            }
        };
        if let Some(end) = end {
            slot.finish(end, &mut self.to_wake);
        }
        if crashed {
            return Err(self.fail_crashed(operation));
        }
        // Before a failure, too: the caller at the front has its result already.
        self.complete_front(now);
        match error {
            Some(error) => {
                self.fail(&error);
                Err(error)
            }
            None => Ok(()),
        }
    }
}

/// What a frame's message code means to its operation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AnswerKind {
    Regular,
    Alternative,
    Error,
}

/// Classifies a frame by its message code.
fn classify(operation: &'static Operation, code: u8) -> Result<AnswerKind, ConnectionError> {
    if code == operation.response {
        Ok(AnswerKind::Regular)
    } else if operation.error.is_some_and(|error| error.code == code) {
        Ok(AnswerKind::Error)
    } else if operation.alternative(code).is_some() {
        Ok(AnswerKind::Alternative)
    } else {
        let expected = operation.response;
        Err(ConnectionError::UnexpectedCode { code, expected, operation: operation.name })
    }
}

/// Reports whether a frame is the last one of its call. If that cannot be determined,
/// returns the errors for the call and for the connection.
fn is_last(slot: &Slot, answer: AnswerKind, frame: &Frame) -> Result<bool, (CallError, ConnectionError)> {
    let end = match slot.last_answer {
        None | Some(LastAnswer::First) => return Ok(true),
        Some(LastAnswer::Marked(end)) if answer == AnswerKind::Regular => Some(end),
        // An alternative answer may mark the end in another field.
        Some(LastAnswer::Marked(_)) => slot.operation.alternative(frame.code).and_then(|answer| answer.end),
    };
    match end {
        None => {
            let (code, expected) = (frame.code, slot.operation.response);
            let connection =
                ConnectionError::UnexpectedCode { code, expected, operation: slot.operation.name };
            Err((CallError::Alternative(frame.clone()), connection))
        }
        Some(end) => end
            .is_last(&frame.body)
            .map_err(|error| (CallError::Decode(error.clone()), ConnectionError::StreamEnd(error))),
    }
}

fn server_error(operation: &Operation, frame: &Frame) -> CallError {
    let Some(error) = operation.error else {
        return CallError::UnexpectedCode { code: frame.code, expected: operation.response };
    };
    match error.read(&frame.body) {
        Ok((text, number)) => CallError::Server(ServerError::new(Blob::from(text), number).of(operation)),
        Err(error) => CallError::Decode(error),
    }
}

fn has_crashed(error: &CallError) -> bool {
    matches!(error, CallError::Server(error) if error.kind() == ServerErrorKind::Crashed)
}
