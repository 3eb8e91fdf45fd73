//! [`Outgoing`]: a request as it is handed to whatever carries calls.
//!
//! Invariant: it is encoded as often as is needed (a call may be made again on
//! another connection), and always to the same bytes, but for the time that the
//! server is given.

use std::fmt;
use std::time::{Duration, Instant};

use super::options::CallOptions;
use crate::error::FrameError;
use crate::operation::{Cost, Mode, Operation, Retry, StreamEnd};
use crate::{Blob, Request, WriteBuffer};

/// A request of any type, how it is called, and its deadline: what a
/// [`Call`](super::Call) sends.
///
/// Only implementations of [`Call`](super::Call) need it.
#[derive(Clone, Copy)]
pub struct Outgoing<'r> {
    operation: &'static Operation,
    body: Body<'r>,
    /// Overrides the request's field that asks for a stream.
    stream_field: Option<bool>,
    last_answer: Option<LastAnswer>,
    /// The request says itself how long the server may take, or nobody knows
    /// whether it does.
    has_server_timeout: bool,
    deadline: Option<Instant>,
    /// When the call is given up unless it has a connection by then.
    start_by: Option<Instant>,
    retry: Retry,
}

/// How much earlier than the caller the server is to give up: an eighth of what
/// is left, for its answer's way back, and no more than this.
const MAX_RETURN_MARGIN: Duration = Duration::from_millis(100);

#[derive(Clone, Copy)]
enum Body<'r> {
    None,
    Message(&'r dyn Encode),
    Bytes(&'r Blob),
}

/// Which answer of a streaming call is the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LastAnswer {
    /// The first: the operation does not stream.
    First,
    /// The one that says so.
    Marked(StreamEnd),
}

/// A message of any type that can be written as a frame's body.
trait Encode: Sync {
    fn push(&self, code: u8, fields: &[u8], out: &mut WriteBuffer) -> Result<(), FrameError>;
    fn bucket_type(&self) -> Option<&[u8]>;
    fn len(&self) -> usize;
    fn bytes(&self) -> Blob;
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

    fn bytes(&self) -> Blob {
        Blob::from(self.encode_to_vec())
    }
}

impl<'r> Outgoing<'r> {
    /// A request that is answered once. If it may ask for a stream, it is sent so
    /// that it does not.
    pub fn unary<R: Request>(request: &'r R) -> Self {
        let stream_field = (request.asks_for_stream() == Some(true)).then_some(false);
        Self { stream_field, ..Self::typed(request, false) }
    }

    /// A request that is answered with a stream. If it may ask for one, it is sent
    /// so that it does.
    pub fn stream<R: Request>(request: &'r R) -> Self {
        let stream_field = (request.asks_for_stream() != Some(true)).then_some(true);
        Self { stream_field, ..Self::typed(request, true) }
    }

    /// A request whose body is already encoded, answered once.
    #[must_use]
    pub fn raw_unary(operation: &'static Operation, body: &'r Blob) -> Self {
        Self { stream_field: Some(false), ..Self::of(operation, Body::Bytes(body), false) }
    }

    /// A request whose body is already encoded, answered with a stream.
    #[must_use]
    pub fn raw_stream(operation: &'static Operation, body: &'r Blob) -> Self {
        Self { stream_field: Some(true), ..Self::of(operation, Body::Bytes(body), true) }
    }

    fn typed<R: Request>(request: &'r R, stream: bool) -> Self {
        let body = if R::OPERATION.bodyless { Body::None } else { Body::Message(request) };
        let has_server_timeout = request.server_timeout().is_some();
        let retry = match R::OPERATION.retry {
            Retry::IfContext if request.has_context() => Retry::Safe,
            retry => retry,
        };
        Self { has_server_timeout, retry, ..Self::of(R::OPERATION, body, stream) }
    }

    fn of(operation: &'static Operation, body: Body<'r>, stream: bool) -> Self {
        let last_answer = match operation.mode {
            Mode::Stream(end) => Some(LastAnswer::Marked(end)),
            Mode::Conditional { end, .. } if stream => Some(LastAnswer::Marked(end)),
            Mode::Unary if stream => Some(LastAnswer::First),
            Mode::Unary | Mode::Conditional { .. } => None,
        };
        let retry = operation.retry;
        Self {
            operation,
            body,
            stream_field: None,
            last_answer,
            has_server_timeout: true,
            deadline: None,
            start_by: None,
            retry,
        }
    }

    /// The same request with these options, whose timeout begins `now`. If it has an
    /// earlier deadline already, that one stays.
    #[must_use]
    pub fn with_options(self, options: &CallOptions, now: Instant) -> Self {
        let until = options.timeout.and_then(|timeout| now.checked_add(timeout));
        let request = until.map_or(self, |deadline| self.with_deadline(deadline));
        Self { retry: options.retry.unwrap_or(request.retry), ..request }
    }

    /// The same request, to be given up at `deadline`, or at the deadline that it
    /// already has, whichever is earlier.
    #[must_use]
    pub fn with_deadline(self, deadline: Instant) -> Self {
        let deadline = self.deadline.map_or(deadline, |known| known.min(deadline));
        Self { deadline: Some(deadline), ..self }
    }

    /// When the call is to be given up; `None` if it has no deadline.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// The same request, to be given up unless it has a connection at `limit`.
    pub(super) fn starting_by(self, limit: Instant) -> Self {
        Self { start_by: Some(limit), ..self }
    }

    /// When it is given up unless it has a connection.
    pub(super) fn start_by(&self) -> Option<Instant> {
        [self.deadline, self.start_by].into_iter().flatten().min()
    }

    /// Whether this request may be sent again: what its operation allows, given the
    /// causal context that it carries or not, unless its caller says otherwise.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.retry
    }

    /// The operation that the request is of.
    #[must_use]
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// The bucket type that the request names; `None` if it names none, or was given
    /// as an encoded body.
    #[must_use]
    pub fn bucket_type(&self) -> Option<&'r [u8]> {
        match self.body {
            Body::Message(message) => message.bucket_type(),
            Body::None | Body::Bytes(_) => None,
        }
    }

    /// The length of the request's body in bytes, without the fields that are added
    /// when it is sent. Encodes the message to find out.
    #[must_use]
    pub fn body_len(&self) -> usize {
        match self.body {
            Body::None => 0,
            Body::Message(message) => message.len(),
            Body::Bytes(body) => body.len(),
        }
    }

    /// The request's body, without the fields that are added when it is sent: for
    /// looking at a request before it is sent. Encodes the message.
    ///
    /// # Panics
    ///
    /// If it is longer than protobuf allows, 2 GiB less one byte.
    #[must_use]
    pub fn body(&self) -> Blob {
        match self.body {
            Body::None => Blob::new(),
            Body::Message(message) => message.bytes(),
            Body::Bytes(body) => body.clone(),
        }
    }

    /// Whether the answer is a stream.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        self.last_answer.is_some()
    }

    pub(super) fn last_answer(&self) -> Option<LastAnswer> {
        self.last_answer
    }

    /// Whether the call must have its connection to itself: a stream, a long call,
    /// or a handshake.
    #[must_use]
    pub fn is_exclusive(&self) -> bool {
        // Behind a handshake, what follows may have to be sent another way.
        self.is_stream() || self.operation.cost == Cost::Long || self.operation.handshake
    }

    /// The time that the server is to be told, if the request has a field for it
    /// and leaves it to its deadline.
    fn server_timeout(&self) -> Option<ServerTimeout> {
        let (field, deadline) = (self.operation.timeout?, self.deadline?);
        (!self.has_server_timeout).then_some(ServerTimeout { field, deadline })
    }

    /// Appends the request's frame to `out`, as it is to be sent `now`.
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

    /// Appends the request's frame as it is to be sent later, when
    /// [`ServerTimeout::add`] tells the server how much time is left.
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

/// What tells the server how long it may take: a field of the request, and when
/// the caller gives up.
#[derive(Clone, Copy, Debug)]
pub(super) struct ServerTimeout {
    field: u32,
    deadline: Instant,
}

impl ServerTimeout {
    /// Adds the field to a frame that stands alone, as it is to be sent `now`.
    pub(super) fn add(self, frame: &mut WriteBuffer, now: Instant) {
        let mut fields = Fields::default();
        self.push(&mut fields, now);
        frame.add_fields(fields.bytes());
    }

    fn push(self, fields: &mut Fields, now: Instant) {
        let left = self.deadline.saturating_duration_since(now);
        let left = left.saturating_sub(MAX_RETURN_MARGIN.min(left / 8));
        // The field is a uint32 in Riak's schemas; none at all means a minute.
        let millis = u64::try_from(left.as_millis()).unwrap_or(u64::MAX).clamp(1, u64::from(u32::MAX));
        fields.push(self.field, millis);
    }
}

/// Fields that are appended to a request: two at most, each a tag of up to five
/// bytes and a varint of up to ten.
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
mod tests;
