//! [`Outgoing`]: a request as it is passed to a [`Call`](super::Call).
//!
//! Invariant: a request may be encoded several times, since a call may be retried
//! on another connection. The bytes are always the same, except for the timeout
//! field that tells the server how much time is left.

use std::fmt;
use std::time::{Duration, Instant};

use super::options::CallOptions;
use crate::error::FrameError;
use crate::frame::encode_body;
use crate::operation::{Cost, Mode, Operation, Retry, StreamEnd};
use crate::{Blob, Request, WriteBuffer};

/// A request of any type, with its operation, call options and deadline.
///
/// Only implementations of [`Call`](super::Call) need it.
#[derive(Clone, Copy)]
pub struct Outgoing<'r> {
    operation: &'static Operation,
    body: Body<'r>,
    /// Overrides the value of the request's field that asks for a stream.
    stream_field: Option<bool>,
    /// How the last answer is recognised; `None` for a unary call.
    last_answer: Option<LastAnswer>,
    /// Whether the request sets a timeout for the server. True for an encoded body,
    /// which may contain one.
    has_server_timeout: bool,
    /// How long the request itself gives the server, if that is known.
    own_timeout: Option<Duration>,
    deadline: Option<Instant>,
    /// When the call fails unless it has a connection by then.
    start_by: Option<Instant>,
    /// Whether the request carries the causal context of a read.
    has_context: bool,
    /// As the schema or the caller says.
    retry: Retry,
}

/// The most time that is left for the server's answer to travel back.
///
/// The server is told to give up earlier than the caller by an eighth of the time
/// that is left, but by no more than this.
pub const MAX_RETURN_MARGIN: Duration = Duration::from_millis(100);

#[derive(Clone, Copy)]
enum Body<'r> {
    None,
    Message(&'r dyn Encode),
    /// A message, and its encoded form, which is sent.
    Encoded(&'r dyn Encode, &'r Blob),
    Bytes(&'r Blob),
}

/// How the last answer of a streaming call is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LastAnswer {
    /// The first answer is the last: the operation does not stream.
    First,
    /// A field of the answer marks it as the last.
    Marked(StreamEnd),
}

/// A request of any type: the object-safe subset of [`Request`] used here.
trait Encode: Sync {
    fn push(&self, code: u8, fields: &[u8], out: &mut WriteBuffer) -> Result<(), FrameError>;
    fn bucket_type(&self) -> Option<&[u8]>;
    fn len(&self) -> usize;
    fn bytes(&self) -> Result<Blob, FrameError>;
}

impl<R: Request> Encode for R {
    fn push(&self, code: u8, fields: &[u8], out: &mut WriteBuffer) -> Result<(), FrameError> {
        out.push_with(code, self, fields)
    }

    fn bucket_type(&self) -> Option<&[u8]> {
        R::bucket_type(self)
    }

    fn len(&self) -> usize {
        self.encoded_len()
    }

    fn bytes(&self) -> Result<Blob, FrameError> {
        encode_body(self).map(Blob::from)
    }
}

impl<'r> Outgoing<'r> {
    /// Creates a request with one answer. If it has a field that asks for a stream, the
    /// field is sent as false.
    pub fn unary<R: Request>(request: &'r R) -> Self {
        let stream_field = (request.asks_for_stream() == Some(true)).then_some(false);
        Self { stream_field, ..Self::typed(request, false) }
    }

    /// Creates a request that is answered with a stream. If it has a field that asks for
    /// one, the field is sent as true.
    pub fn stream<R: Request>(request: &'r R) -> Self {
        let stream_field = (request.asks_for_stream() != Some(true)).then_some(true);
        Self { stream_field, ..Self::typed(request, true) }
    }

    /// Creates a request with one answer from an encoded body.
    #[must_use]
    pub fn raw_unary(operation: &'static Operation, body: &'r Blob) -> Self {
        Self { stream_field: Some(false), ..Self::of(operation, Body::Bytes(body), false) }
    }

    /// Creates a request that is answered with a stream from an encoded body.
    #[must_use]
    pub fn raw_stream(operation: &'static Operation, body: &'r Blob) -> Self {
        Self { stream_field: Some(true), ..Self::of(operation, Body::Bytes(body), true) }
    }

    fn typed<R: Request>(request: &'r R, stream: bool) -> Self {
        let body = if R::OPERATION.bodyless { Body::None } else { Body::Message(request) };
        let own_timeout = request.server_timeout();
        Self {
            has_server_timeout: own_timeout.is_some(),
            own_timeout,
            has_context: request.has_context(),
            ..Self::of(R::OPERATION, body, stream)
        }
    }

    fn of(operation: &'static Operation, body: Body<'r>, stream: bool) -> Self {
        let last_answer = match operation.mode {
            Mode::Stream(end) => Some(LastAnswer::Marked(end)),
            Mode::Conditional { end, .. } if stream => Some(LastAnswer::Marked(end)),
            Mode::Unary if stream => Some(LastAnswer::First),
            Mode::Unary | Mode::Conditional { .. } => None,
        };
        Self {
            operation,
            body,
            stream_field: None,
            last_answer,
            has_server_timeout: true,
            own_timeout: None,
            deadline: None,
            start_by: None,
            has_context: false,
            retry: operation.retry,
        }
    }

    /// Applies options whose timeout begins `now`. An earlier deadline of the request
    /// stays.
    #[must_use]
    pub fn with_options(self, options: &CallOptions, now: Instant) -> Self {
        let until = options.timeout.and_then(|timeout| now.checked_add(timeout));
        let request = until.map_or(self, |deadline| self.with_deadline(deadline));
        Self { retry: options.retry.unwrap_or(request.retry), ..request }
    }

    /// Sets the deadline to `deadline`, unless the request has an earlier one.
    #[must_use]
    pub fn with_deadline(self, deadline: Instant) -> Self {
        let deadline = self.deadline.map_or(deadline, |known| known.min(deadline));
        Self { deadline: Some(deadline), ..self }
    }

    /// Returns the call's deadline; `None` if it has none.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Sets the time by which the call must have a connection.
    pub(super) fn starting_by(self, limit: Instant) -> Self {
        Self { start_by: Some(limit), ..self }
    }

    /// Returns the time by which the call must have a connection.
    pub(super) fn start_by(&self) -> Option<Instant> {
        [self.deadline, self.start_by].into_iter().flatten().min()
    }

    /// Returns how long the request itself gives the server; `None` if it does not say,
    /// or was created from an encoded body.
    pub(super) fn own_timeout(&self) -> Option<Duration> {
        self.own_timeout
    }

    /// Returns whether this request may be sent again, as its operation or the caller's
    /// options say. [`Retry::IfContext`] is resolved: a request with a causal context
    /// is [`Retry::Safe`].
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self.retry {
            Retry::IfContext if self.has_context => Retry::Safe,
            retry => retry,
        }
    }

    /// Returns the request's operation.
    #[must_use]
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// Returns the bucket type that the request names; `None` if it names none or was
    /// created from an encoded body.
    #[must_use]
    pub fn bucket_type(&self) -> Option<&'r [u8]> {
        match self.body {
            Body::Message(message) | Body::Encoded(message, _) => message.bucket_type(),
            Body::None | Body::Bytes(_) => None,
        }
    }

    /// Returns the length of the request's body in bytes, without the fields that are
    /// added when it is sent. Encodes the message.
    #[must_use]
    pub fn body_len(&self) -> usize {
        match self.body {
            Body::None => 0,
            Body::Message(message) => message.len(),
            Body::Encoded(_, body) | Body::Bytes(body) => body.len(),
        }
    }

    /// Returns the request's body, without the fields that are added when it is sent,
    /// to inspect a request before it is sent. Encodes the message; to send the result
    /// instead of encoding it again, pass it to [`Outgoing::with_body`].
    ///
    /// # Errors
    ///
    /// If it is longer than a frame may be.
    pub fn body(&self) -> Result<Blob, FrameError> {
        match self.body {
            Body::None => Ok(Blob::new()),
            Body::Message(message) => message.bytes(),
            Body::Encoded(_, body) | Body::Bytes(body) => Ok(body.clone()),
        }
    }

    /// Returns the same request with an encoded body, which is sent in place of the
    /// message. All other properties stay those of the message.
    ///
    /// `body` is what [`Outgoing::body`] has returned. A request without a body stays
    /// without one.
    #[must_use]
    pub fn with_body<'b>(&self, body: &'b Blob) -> Outgoing<'b>
    where
        'r: 'b,
    {
        let body = match self.body {
            Body::None => Body::None,
            Body::Message(message) | Body::Encoded(message, _) => Body::Encoded(message, body),
            Body::Bytes(_) => Body::Bytes(body),
        };
        Outgoing { body, ..*self }
    }

    /// Reports whether the answer is a stream.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        self.last_answer.is_some()
    }

    /// Returns how the last answer is recognised; `None` for a unary call.
    pub(super) fn last_answer(&self) -> Option<LastAnswer> {
        self.last_answer
    }

    /// Reports whether the call needs its connection to itself, as a stream, a long call
    /// and a handshake do.
    #[must_use]
    pub fn is_exclusive(&self) -> bool {
        // A handshake may change how later requests have to be sent, as TLS does.
        self.is_stream() || self.operation.cost == Cost::Long || self.operation.handshake
    }

    /// Returns the timeout field to add, if the request has such a field, does not set
    /// it, and has a deadline.
    fn server_timeout(&self) -> Option<ServerTimeout> {
        let (field, deadline) = (self.operation.timeout?, self.deadline?);
        (!self.has_server_timeout).then_some(ServerTimeout { field, deadline })
    }

    /// Appends the request's frame to `out`, to be sent `now`.
    ///
    /// # Errors
    ///
    /// If it is longer than a frame may be. Nothing is appended then.
    pub fn encode(&self, out: &mut WriteBuffer, now: Instant) -> Result<(), FrameError> {
        self.encode_with(out, |fields| {
            if let Some(server_timeout) = self.server_timeout() {
                server_timeout.push(fields, now);
            }
        })
    }

    /// Appends the request's frame, to be sent later. Before it is sent,
    /// [`ServerTimeout::add`] adds the timeout field.
    pub(super) fn encode_early(&self, out: &mut WriteBuffer) -> Result<Option<ServerTimeout>, FrameError> {
        self.encode_with(out, |_| ())?;
        Ok(self.server_timeout())
    }

    fn encode_with(&self, out: &mut WriteBuffer, more: impl FnOnce(&mut Fields)) -> Result<(), FrameError> {
        let code = self.operation.request;
        let mut fields = Fields::default();
        if let (Some(value), Mode::Conditional { stream_if, .. }) = (self.stream_field, self.operation.mode) {
            fields.push(stream_if, u64::from(value));
        }
        more(&mut fields);
        let fields = fields.bytes();
        match self.body {
            Body::None => out.push_body(code, &[]),
            Body::Message(message) => message.push(code, fields, out),
            Body::Encoded(_, body) | Body::Bytes(body) => out.push_blob(code, body, fields),
        }
    }
}

impl fmt::Debug for Outgoing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The body is left out: it may be large or contain a password.
        f.debug_struct("Outgoing")
            .field("operation", &self.operation.name)
            .field("stream", &self.is_stream())
            .finish_non_exhaustive()
    }
}

/// The timeout that the server is told: a field of the request, computed from the
/// caller's deadline.
#[derive(Clone, Copy, Debug)]
pub(super) struct ServerTimeout {
    field: u32,
    deadline: Instant,
}

impl ServerTimeout {
    /// Adds the field to `frame`, a single frame that is sent `now`.
    pub(super) fn add(self, frame: &mut WriteBuffer, now: Instant) {
        let mut fields = Fields::default();
        self.push(&mut fields, now);
        frame.add_fields(fields.bytes());
    }

    fn push(self, fields: &mut Fields, now: Instant) {
        let left = self.deadline.saturating_duration_since(now);
        let left = left.saturating_sub(MAX_RETURN_MARGIN.min(left / 8));
        // The field is a uint32 in Riak's schemas. At least 1 is sent, since without a value
        // the server takes a minute.
        let millis = u64::try_from(left.as_millis()).unwrap_or(u64::MAX).clamp(1, u64::from(u32::MAX));
        fields.push(self.field, millis);
    }
}

/// Encoded fields that are appended to a request: at most two, each a tag of up to
/// five bytes and a varint of up to ten.
#[derive(Default)]
struct Fields {
    bytes: [u8; 30],
    len: usize,
}

impl Fields {
    fn push(&mut self, number: u32, value: u64) {
        self.push_varint(u64::from(number) << 3);
        self.push_varint(value);
    }

    fn push_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes[self.len] = value.to_le_bytes()[0] | 0x80;
            self.len += 1;
            value >>= 7;
        }
        self.bytes[self.len] = value.to_le_bytes()[0];
        self.len += 1;
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

#[cfg(test)]
pub(super) mod tests;
