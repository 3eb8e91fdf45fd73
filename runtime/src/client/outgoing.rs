//! [`Outgoing`]: a request as it is handed to whatever carries calls.
//!
//! Invariant: it is encoded as often as is needed (a call may be made again on
//! another connection) and always to the same bytes.

use std::fmt;

use crate::error::FrameError;
use crate::operation::{Cost, Mode, Operation, StreamEnd};
use crate::{Blob, Message, Request, WriteBuffer};

/// A request and how it is called, without its type: what a
/// [`Call`](super::Call) sends.
#[derive(Clone, Copy)]
pub struct Outgoing<'r> {
    operation: &'static Operation,
    body: Body<'r>,
    /// Overrides the request's field that asks for a stream.
    stream_field: Option<bool>,
    ends: Option<Ends>,
}

#[derive(Clone, Copy)]
enum Body<'r> {
    None,
    Message(&'r dyn Encode),
    Bytes(&'r Blob),
}

/// Which answer of a streaming call is the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    /// The first: the operation does not stream.
    First,
    /// The one that says so.
    Field(StreamEnd),
}

/// A message of any type that can be written as a frame's body.
trait Encode: Sync {
    fn push(&self, code: u8, fields: &[u8], out: &mut WriteBuffer) -> Result<(), FrameError>;
}

impl<M: Message + Sync> Encode for M {
    fn push(&self, code: u8, fields: &[u8], out: &mut WriteBuffer) -> Result<(), FrameError> {
        out.push_with(code, self, fields)
    }
}

impl<'r> Outgoing<'r> {
    /// A request that is answered once. Where it may ask for a stream, it will
    /// not.
    pub fn unary<R: Request>(request: &'r R) -> Self {
        let stream_field = (request.asks_for_stream() == Some(true)).then_some(false);
        Self { stream_field, ..Self::of(R::OPERATION, Self::body(request), false) }
    }

    /// A request that is answered with a stream. Where it may ask for one, it
    /// will.
    pub fn stream<R: Request>(request: &'r R) -> Self {
        let stream_field = (request.asks_for_stream() != Some(true)).then_some(true);
        Self { stream_field, ..Self::of(R::OPERATION, Self::body(request), true) }
    }

    /// A request whose body is there already, answered once.
    #[must_use]
    pub fn raw_unary(operation: &'static Operation, body: &'r Blob) -> Self {
        Self { stream_field: Some(false), ..Self::of(operation, Body::Bytes(body), false) }
    }

    /// A request whose body is there already, answered with a stream.
    #[must_use]
    pub fn raw_stream(operation: &'static Operation, body: &'r Blob) -> Self {
        Self { stream_field: Some(true), ..Self::of(operation, Body::Bytes(body), true) }
    }

    fn body<R: Request>(request: &'r R) -> Body<'r> {
        if R::OPERATION.bodyless { Body::None } else { Body::Message(request) }
    }

    fn of(operation: &'static Operation, body: Body<'r>, stream: bool) -> Self {
        let ends = match operation.mode {
            Mode::Stream(end) => Some(Ends::Field(end)),
            Mode::Conditional { end, .. } if stream => Some(Ends::Field(end)),
            Mode::Unary if stream => Some(Ends::First),
            Mode::Unary | Mode::Conditional { .. } => None,
        };
        Self { operation, body, stream_field: None, ends }
    }

    /// The operation.
    #[must_use]
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// Whether it is answered with a stream.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        self.ends.is_some()
    }

    pub(super) fn ends(&self) -> Option<Ends> {
        self.ends
    }

    /// Whether nothing else may be in flight on the connection.
    #[must_use]
    pub fn is_exclusive(&self) -> bool {
        // Behind a handshake, what follows may have to be sent another way.
        self.is_stream() || self.operation.cost == Cost::Long || self.operation.handshake
    }

    /// Appends the request's frame to `out`.
    ///
    /// # Errors
    ///
    /// If it is longer than a frame may be. Nothing is appended then.
    pub fn encode(&self, out: &mut WriteBuffer) -> Result<(), FrameError> {
        let code = self.operation.request;
        let mut buffer = [0; 6];
        let fields = match (self.stream_field, self.operation.mode) {
            (Some(value), Mode::Conditional { stream_if, .. }) => bool_field(stream_if, value, &mut buffer),
            _ => &[],
        };
        match self.body {
            Body::None => out.push_body(code, &[]),
            Body::Message(message) => message.push(code, fields, out),
            Body::Bytes(body) => out.push_blob(code, body, fields),
        }
    }
}

impl fmt::Debug for Outgoing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the body: it may be large, or a password.
        f.debug_struct("Outgoing")
            .field("operation", &self.operation.name)
            .field("stream", &self.is_stream())
            .finish_non_exhaustive()
    }
}

/// A bool field on the wire: at most five bytes of tag, and one of value.
fn bool_field(number: u32, value: bool, buffer: &mut [u8; 6]) -> &[u8] {
    let mut tag = number << 3;
    let mut len = 0;
    while tag >= 0x80 {
        buffer[len] = tag.to_le_bytes()[0] | 0x80;
        len += 1;
        tag >>= 7;
    }
    buffer[len] = tag.to_le_bytes()[0];
    buffer[len + 1] = u8::from(value);
    &buffer[..len + 2]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{Absent, Retry};

    static CONDITIONAL: Operation = Operation {
        name: "Test.Index",
        request: 25,
        response: 26,
        alternatives: &[],
        error: None,
        mode: Mode::Conditional { end: StreamEnd { field: 4, when_absent: false }, stream_if: 2000 },
        cost: Cost::Unary,
        retry: Retry::Safe,
        absent: Absent::Defaults,
        bodyless: false,
        handshake: false,
        since: None,
        served_by: None,
        timeout: None,
    };

    #[test]
    fn a_conditional_request_says_what_is_asked_of_it() {
        let body = Blob::from("\x0a\x01b");
        let mut out = WriteBuffer::new();
        Outgoing::raw_unary(&CONDITIONAL, &body).encode(&mut out).unwrap();
        assert_eq!(out.to_vec(), [0, 0, 0, 7, 25, 0x0a, 1, b'b', 0x80, 0x7d, 0]);
        let stream = Outgoing::raw_stream(&CONDITIONAL, &body);
        let mut out = WriteBuffer::new();
        stream.encode(&mut out).unwrap();
        assert_eq!(out.to_vec()[8..], [0x80, 0x7d, 1]);
        assert!(stream.is_exclusive() && !Outgoing::raw_unary(&CONDITIONAL, &body).is_exclusive());
    }

    #[test]
    fn a_bool_field_fits_whatever_its_number() {
        let mut buffer = [0; 6];
        assert_eq!(bool_field(1, true, &mut buffer), [8, 1]);
        assert_eq!(bool_field((1 << 29) - 1, true, &mut buffer).len(), 6);
    }
}
