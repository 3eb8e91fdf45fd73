//! What becomes of a frame that has arrived.
//!
//! Invariant: a frame that is delivered has a code that its operation may be
//! answered with; after any other the connection is closed.

use std::time::Instant;

use super::super::error::{CallError, ConnectionError};
use super::super::outgoing::Ends;
use super::super::server_error::{ServerError, ServerErrorKind};
use super::super::slots::{Slot, Ticket};
use super::{Pipeline, Place, finish};
use crate::error::FrameError;
use crate::operation::Operation;
use crate::{Blob, Frame};

/// No object is that large: what begins with such a length is something else.
/// Text is, whose letters make more.
const PLAUSIBLE: usize = 1 << 30;

impl Pipeline {
    /// Whether frames may be received: not while a stream's consumer is slow.
    pub(in super::super) fn may_receive(&mut self, now: Instant) -> bool {
        let Some(&Place { ticket: Some(ticket), exclusive: true, .. }) = self.places.front() else {
            return true;
        };
        let slot = self.slots.get(ticket);
        if slot.paused && slot.buffered <= self.config.stream_buffer / 2 {
            slot.paused = false;
            let deadline = slot.extend(now, self.config.stream_idle_timeout);
            self.note_deadline(deadline);
            return true;
        }
        !slot.paused
    }

    /// Takes a frame that has arrived. With an error the connection has failed.
    pub(in super::super) fn receive(&mut self, frame: Frame, now: Instant) -> Result<(), ConnectionError> {
        if self.finished {
            // Nobody waits for what comes now.
            return Err(self.closed.clone().unwrap_or(ConnectionError::Stopped));
        }
        let error = match self.places.front() {
            // An answer cannot come before its request has gone.
            Some(place) if place.end <= self.written => match place.ticket {
                Some(ticket) => return self.deliver(ticket, frame, now),
                None => match check_code(place.operation, frame.code) {
                    Ok(answer) => {
                        let operation = place.operation;
                        self.owed -= 1;
                        if answer == Answer::Error && has_crashed(&server_error(operation, &frame)) {
                            return Err(self.crash(operation));
                        }
                        self.pass(now);
                        return Ok(());
                    }
                    Err(error) => error,
                },
            },
            _ => ConnectionError::Unasked { code: frame.code },
        };
        self.fail(&error);
        Err(error)
    }

    /// The next answer is too long to be read: that is what its call fails with,
    /// and the connection with it.
    pub(in super::super) fn refuse_answer(&mut self, error: FrameError) -> ConnectionError {
        if let (FrameError::TooLong { length: length @ ..PLAUSIBLE, max }, Some(place)) =
            (&error, self.places.front())
            && let Some(ticket) = place.ticket
            && place.end <= self.written
        {
            let call = CallError::TooLong { length: *length, max: *max };
            finish(self.slots.get(ticket), Err(call), &mut self.wake);
            self.leave_first();
        }
        let error = ConnectionError::Frame(error);
        self.fail(&error);
        error
    }

    /// The first request has crashed the server, which closes behind its answer,
    /// and takes requests one at a time: it has not looked at those that were sent
    /// after this one.
    fn crash(&mut self, operation: &'static Operation) -> ConnectionError {
        let error = ConnectionError::Crashed { operation: operation.name };
        self.leave_first();
        self.fail_behind(&error, 0);
        error
    }

    fn deliver(&mut self, ticket: Ticket, frame: Frame, now: Instant) -> Result<(), ConnectionError> {
        let idle = self.config.stream_idle_timeout;
        let limit = self.config.stream_buffer;
        let slot = self.slots.get(ticket);
        let operation = slot.operation;
        let mut crashed = false;
        let (end, error) = match check_code(operation, frame.code) {
            Ok(Answer::Error) => {
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
                        slot.deadline = slot.limit;
                    } else {
                        slot.extend(now, idle);
                    }
                    self.wake.extend(slot.waker.take());
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
            finish(slot, end, &mut self.wake);
        }
        if crashed {
            return Err(self.crash(operation));
        }
        // The place is passed in any case: its caller has got its end.
        self.pass(now);
        match error {
            Some(error) => {
                self.fail(&error);
                Err(error)
            }
            None => Ok(()),
        }
    }
}

/// What a frame is for an operation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Regular,
    Alternative,
    Error,
}

fn check_code(operation: &'static Operation, code: u8) -> Result<Answer, ConnectionError> {
    if code == operation.response {
        Ok(Answer::Regular)
    } else if operation.error.is_some_and(|error| error.code == code) {
        Ok(Answer::Error)
    } else if operation.alternative(code).is_some() {
        Ok(Answer::Alternative)
    } else {
        let expected = operation.response;
        Err(ConnectionError::UnexpectedCode { code, expected, operation: operation.name })
    }
}

/// Whether a frame is a call's last. If that cannot be found out, what the call
/// and the connection end with.
fn is_last(slot: &Slot, answer: Answer, frame: &Frame) -> Result<bool, (CallError, ConnectionError)> {
    let end = match slot.ends {
        None | Some(Ends::First) => return Ok(true),
        Some(Ends::Field(end)) if answer == Answer::Regular => Some(end),
        // Its end may be in another field.
        Some(Ends::Field(_)) => slot.operation.alternative(frame.code).and_then(|answer| answer.end),
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
        Ok((text, code)) => CallError::Server(ServerError::new(Blob::from(text), code)),
        Err(error) => CallError::Decode(error),
    }
}

fn has_crashed(error: &CallError) -> bool {
    matches!(error, CallError::Server(error) if error.kind() == ServerErrorKind::Crashed)
}
