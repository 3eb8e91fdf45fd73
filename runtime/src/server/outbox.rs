//! [`Outbox`] and [`Replies`]: collect the answers of handlers.
//!
//! The connection writes the outbox when a handler waits and before it reads again, so
//! that answers are coalesced. Invariant: only the task that serves the connection locks
//! the outbox, and only while it encodes a message, so that the lock is uncontended.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use super::config::ServerConfig;
use super::failure::{ErrorReply, Failure, push_varint};
use crate::error::{DecodeErrorKind, FrameError};
use crate::operation::{Mode, Operation, StreamEnd};
use crate::{Blob, Coded, DecodeError, DecodeLimits, Frame, Message, Owned, Request, WriteBuffer};

/// A type that can be sent as an answer: a message with a code, or an enum of such
/// messages.
pub trait Reply: Sync {
    /// Appends the answer to `out` as one frame.
    ///
    /// # Errors
    ///
    /// If it is longer than a frame may be.
    fn push(&self, out: &mut WriteBuffer) -> Result<(), FrameError>;
}

impl<M: Message + Coded + Sync> Reply for M {
    fn push(&self, out: &mut WriteBuffer) -> Result<(), FrameError> {
        out.push(M::CODE, self)
    }
}

/// The answers that wait to be written to one client. A [`Service`] puts its frames
/// here.
///
/// [`Service`]: super::Service
pub struct Outbox {
    shared: Arc<Mutex<OutboxState>>,
    decode_limits: DecodeLimits,
}

/// The state that handlers and the connection share.
pub(super) struct OutboxState {
    /// Encoded answers.
    pub(super) out: WriteBuffer,
    /// Whether the current request is answered with a stream.
    stream: bool,
    /// Whether the current request has its last answer: no frame may follow.
    answered: bool,
    /// Whether the client may have received the last answer.
    delivered: bool,
    /// Number of bytes in `out` from which handlers wait.
    limit: usize,
    /// The waker of a handler that waits for room.
    waker: Option<Waker>,
}

impl OutboxState {
    /// Reports whether `out` is below its limit.
    pub(super) fn has_room(&self) -> bool {
        self.out.len() < self.limit
    }

    /// Resets the state for another request.
    pub(super) fn begin(&mut self) {
        (self.stream, self.answered, self.delivered) = (false, false, false);
    }

    /// Reports whether the current request is answered with a stream.
    pub(super) fn is_stream(&self) -> bool {
        self.stream
    }

    /// Reports whether the current request is answered with a stream whose last answer the
    /// client cannot have received yet.
    pub(super) fn is_streaming(&self) -> bool {
        self.stream && !self.delivered
    }

    /// Reports whether the current request has its last answer.
    pub(super) fn is_answered(&self) -> bool {
        self.answered
    }

    /// Appends an answer; `last` says whether it is the request's last one.
    fn append(&mut self, frame: WriteBuffer, last: bool) {
        self.out.append(frame);
        self.answered |= last;
    }

    /// Moves the encoded answers into `empty`, an empty buffer. Returns the waker of a
    /// handler that waits for room.
    pub(super) fn take(&mut self, empty: &mut WriteBuffer) -> Option<Waker> {
        std::mem::swap(&mut self.out, empty);
        // Once the last answer is being written, the client may receive it and send its next
        // request.
        self.delivered = self.answered;
        self.waker.take()
    }
}

impl Outbox {
    pub(super) fn new(config: &ServerConfig) -> Self {
        let state = OutboxState {
            out: WriteBuffer::new(),
            stream: false,
            answered: false,
            delivered: false,
            limit: config.write_buffer.max(1),
            waker: None,
        };
        Self { shared: Arc::new(Mutex::new(state)), decode_limits: config.decode_limits }
    }

    /// Returns a second handle to the outbox, for the connection that writes it.
    pub(super) fn share(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), decode_limits: self.decode_limits }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, OutboxState> {
        // A message that panics while it is encoded leaves the state unchanged.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decodes a request within the connection's
    /// [`decode_limits`](ServerConfig::decode_limits).
    ///
    /// # Errors
    ///
    /// If the body is malformed or exceeds the limits, or if the request must not have a
    /// body and has one. Return the failure from the service: it is the answer that Riak
    /// sends.
    pub fn decode<R: Request + Owned>(&self, request: &Frame) -> Result<R, Failure> {
        if R::OPERATION.bodyless && !request.body.is_empty() {
            return Err(DecodeError::new(DecodeErrorKind::InvalidTag, 0).into());
        }
        Ok(request.decode_within(&self.decode_limits)?)
    }

    /// Appends the only answer to a request. An error that the service returns afterwards
    /// cannot be sent: it closes the connection.
    ///
    /// # Errors
    ///
    /// If it is longer than a frame may be, or follows the last answer, which also closes
    /// the connection.
    pub fn answer<A: Reply + ?Sized>(&mut self, answer: &A) -> Result<(), Failure> {
        self.append(|out| answer.push(out))
    }

    /// Appends a frame whose body is already encoded: the only answer to a request, or,
    /// after [`Outbox::begin_stream`], any number of them. An error that the service
    /// returns afterwards closes the connection, as with [`Outbox::answer`]; in a stream
    /// it is sent as the last answer.
    ///
    /// # Errors
    ///
    /// If it is longer than a frame may be, or follows the last answer, which also closes
    /// the connection.
    pub fn frame(&mut self, code: u8, body: &Blob) -> Result<(), Failure> {
        self.append(|out| out.push_blob(code, body, &[]))
    }

    fn append(
        &mut self,
        push: impl FnOnce(&mut WriteBuffer) -> Result<(), FrameError>,
    ) -> Result<(), Failure> {
        let mut state = self.lock();
        if state.answered {
            return Err(ErrorReply::new("an answer was sent behind the last one").and_close().into());
        }
        push(&mut state.out)?;
        // Which answer of a stream is the last one, only `Replies` knows.
        state.answered = !state.stream;
        Ok(())
    }

    /// Begins a stream of answers to a request.
    pub fn replies<R: Request>(&mut self) -> Replies<'_, R::Response> {
        self.begin_stream();
        let end = match R::OPERATION.mode {
            Mode::Stream(end) | Mode::Conditional { end, .. } => Some(end),
            Mode::Unary => None,
        };
        Replies { outbox: self, operation: R::OPERATION, end, ended: false, answer: PhantomData }
    }

    /// Declares that the request is answered with any number of frames. Until the end of the
    /// stream no other request may arrive
    /// ([`refuse_behind_stream`](ServerConfig::refuse_behind_stream)).
    pub fn begin_stream(&mut self) {
        self.lock().stream = true;
    }

    /// Waits until fewer bytes than [`write_buffer`](ServerConfig::write_buffer) wait to
    /// be written. This is the back-pressure of a client that does not read.
    pub async fn room(&mut self) {
        poll_fn(|cx| {
            let mut state = self.lock();
            if state.has_room() {
                return Poll::Ready(());
            }
            state.waker = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("bytes", &self.lock().out.len()).finish_non_exhaustive()
    }
}

/// The stream of answers to one request, which a streaming method sends to.
///
/// An answer whose end-of-stream field is set ends the stream. If no answer has it set,
/// the dispatcher sends a last answer with only this field after the method has
/// returned.
pub struct Replies<'o, A> {
    outbox: &'o mut Outbox,
    operation: &'static Operation,
    end: Option<StreamEnd>,
    /// Whether an answer has ended the stream.
    ended: bool,
    answer: PhantomData<fn(A)>,
}

impl<A: Reply> Replies<'_, A> {
    /// Sends an answer, then waits while
    /// [`write_buffer`](ServerConfig::write_buffer) bytes or more wait to be written, so
    /// that a slow client delays the method instead of filling memory.
    ///
    /// An error that the method returns after the last answer is not sent.
    ///
    /// # Errors
    ///
    /// If the answer is longer than a frame may be, or follows the last answer, which
    /// also closes the connection.
    pub async fn send(&mut self, answer: &A) -> Result<(), Failure> {
        if self.ended {
            let text = format!("{}: an answer was sent behind the last one", self.operation.name);
            return Err(ErrorReply::new(text).and_close().into());
        }
        let mut frame = WriteBuffer::new();
        answer.push(&mut frame)?;
        self.ended = self.is_last(&frame)?;
        self.outbox.lock().append(frame, self.ended);
        self.outbox.room().await;
        Ok(())
    }

    /// Reports whether an encoded answer ends the stream.
    fn is_last(&self, frame: &WriteBuffer) -> Result<bool, Failure> {
        let mut slices = [std::io::IoSlice::new(&[]); 2];
        let is_last = |frame: &[u8]| {
            // An alternative answer may have another end-of-stream field, or none.
            let end = match self.operation.alternative(frame[4]) {
                Some(alternative) => self.end.and(alternative.end),
                None => self.end,
            };
            Ok(end.map(|end| end.is_last(&frame[crate::frame::HEADER..])).transpose()?.unwrap_or(false))
        };
        match frame.slices(&mut slices) {
            1 => is_last(&slices[0]),
            _ => is_last(&frame.to_vec()),
        }
    }
}

impl<A> Replies<'_, A> {
    /// Ends the stream, unless an answer has ended it. Dispatchers call it when the method
    /// has succeeded.
    ///
    /// # Errors
    ///
    /// None at present.
    #[expect(clippy::unused_async, reason = "like `send`, so that it can wait in a later version")]
    pub async fn finish(self) -> Result<(), Failure> {
        if let Some(end) = self.end
            && !self.ended
        {
            let mut body = Vec::new();
            push_varint(u64::from(end.field << 3), &mut body);
            body.push(1);
            let mut state = self.outbox.lock();
            state.out.push_body(self.operation.response, &body)?;
            state.answered = true;
        }
        Ok(())
    }
}

impl<A> fmt::Debug for Replies<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replies")
            .field("operation", &self.operation.name)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
