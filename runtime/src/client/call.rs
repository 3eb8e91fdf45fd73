//! [`Call`]: the trait of everything that carries calls, and the functions that
//! generated methods call.
//!
//! Invariant: only the outermost functions are generic over message types;
//! everything below them handles frames and is compiled once.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::connection::now;
use super::error::CallError;
use super::node::Node;
use super::outgoing::Outgoing;
use super::responses::{FrameStream, Responses};
use super::tried::{Attempt, Tried};
use crate::error::{DecodeError, DecodeErrorKind};
use crate::operation::{Answer, Operation};
use crate::{Blob, DecodeLimits, Frame, Request};

/// The answer to a unary call, and the node that gave it.
///
/// ```
/// use riak_runtime::client::Answered;
/// use riak_runtime::{Blob, Frame};
///
/// // A single connection does not say which node answered; a cluster does.
/// let answer = Answered::from(Frame { code: 10, body: Blob::new() });
/// assert_eq!(answer.code(), 10);
/// assert!(answer.node().is_none());
/// ```
#[derive(Clone, Debug)]
pub struct Answered {
    answer: WideFrame,
    /// The node that gave it and when it was asked, if a cluster made the call.
    from: Option<(Node, Instant)>,
    /// The attempts that failed before.
    failed: Vec<Attempt>,
}

/// A frame whose code takes a word.
///
/// An answer is moved from each layer of a call to the next. A move of a [`Frame`] copies
/// what is beside its code in overlapping parts, and each load of them waits for several
/// stores (measured: a sixteenth of a call).
#[derive(Clone, Debug)]
pub(super) struct WideFrame {
    code: u64,
    pub(super) body: Blob,
}

impl From<Frame> for WideFrame {
    fn from(frame: Frame) -> Self {
        Self { code: frame.code.into(), body: frame.body }
    }
}

impl WideFrame {
    fn code(&self) -> u8 {
        self.code.to_le_bytes()[0]
    }

    fn narrow(self) -> Frame {
        Frame { code: self.code(), body: self.body }
    }
}

impl Answered {
    /// Creates the answer of a node that was asked at `started`, after other attempts failed.
    pub(super) fn at(answer: WideFrame, node: Node, started: Instant, failed: Vec<Attempt>) -> Self {
        Self { answer, from: Some((node, started)), failed }
    }

    /// Returns the answer's message code.
    #[must_use]
    pub fn code(&self) -> u8 {
        self.answer.code()
    }

    /// Returns the answer's body.
    #[must_use]
    pub fn body(&self) -> &Blob {
        &self.answer.body
    }

    /// Returns the answer's frame.
    #[must_use]
    pub fn into_frame(self) -> Frame {
        self.answer.narrow()
    }

    /// Decodes the answer, and explains why if it cannot be.
    // Inlined into a future, it would move the message twice more (measured: a tenth of a
    // call).
    #[inline(never)]
    fn decode<A: Answer>(self, operation: &'static Operation, limits: &DecodeLimits) -> Result<A, CallError> {
        let Self { answer, from, failed } = self;
        let frame = answer.narrow();
        match A::from_frame_within(&frame, limits) {
            Ok(message) => Ok(message),
            Err(error) => Err(located(explained(error, &frame, operation), from, failed)),
        }
    }

    /// Returns the node that answered, if a [`Cluster`](super::Cluster) made the call.
    #[must_use]
    pub fn node(&self) -> Option<&Node> {
        self.from.as_ref().map(|(node, _)| node)
    }
}

impl From<Frame> for Answered {
    fn from(frame: Frame) -> Self {
        WideFrame::from(frame).into()
    }
}

impl From<WideFrame> for Answered {
    fn from(answer: WideFrame) -> Self {
        Self { answer, from: None, failed: Vec::new() }
    }
}

/// Sends requests to a server and returns their answers.
///
/// This is all that generated clients need. [`Connection`](super::Connection),
/// [`Pool`](super::Pool), [`Cluster`](super::Cluster) and [`With`](super::With)
/// implement it, and so do references to them and [`Arc`]s.
///
/// An implementation returns only frames whose code is one of the operation's
/// answers. An error answer of the server is an `Err` ([`CallError::Server`]).
pub trait Call: Send + Sync {
    /// Sends a request and waits for its only answer. The call starts when the future
    /// is first polled; the future may be dropped at any time.
    fn unary(&self, request: &Outgoing<'_>) -> impl Future<Output = Result<Answered, CallError>> + Send;

    /// Sends a request and waits for its first answer, which is also the first item
    /// of the returned stream.
    fn stream(&self, request: &Outgoing<'_>) -> impl Future<Output = Result<FrameStream, CallError>> + Send;

    /// Returns the limits for decoding answers. The default implementation returns
    /// [`DecodeLimits::DEFAULT`].
    fn decode_limits(&self) -> DecodeLimits {
        DecodeLimits::DEFAULT
    }

    /// Returns how many sent calls may be cancelled at once without closing the
    /// only connection. `None` means that there is no such limit, since a closed
    /// connection is replaced.
    fn max_owed(&self) -> Option<usize> {
        None
    }

    /// Returns the timeout that every unary call gets, for all its attempts together,
    /// so that an operation that makes several calls can keep to it as a whole. `None`
    /// means that there is no such timeout; attempts may have their own.
    fn timeout(&self) -> Option<Duration> {
        None
    }
}

impl<C: Call + ?Sized> Call for &C {
    fn unary(&self, request: &Outgoing<'_>) -> impl Future<Output = Result<Answered, CallError>> + Send {
        (**self).unary(request)
    }

    fn stream(&self, request: &Outgoing<'_>) -> impl Future<Output = Result<FrameStream, CallError>> + Send {
        (**self).stream(request)
    }

    fn decode_limits(&self) -> DecodeLimits {
        (**self).decode_limits()
    }

    fn max_owed(&self) -> Option<usize> {
        (**self).max_owed()
    }

    fn timeout(&self) -> Option<Duration> {
        (**self).timeout()
    }
}

impl<C: Call + ?Sized> Call for Arc<C> {
    fn unary(&self, request: &Outgoing<'_>) -> impl Future<Output = Result<Answered, CallError>> + Send {
        (**self).unary(request)
    }

    fn stream(&self, request: &Outgoing<'_>) -> impl Future<Output = Result<FrameStream, CallError>> + Send {
        (**self).stream(request)
    }

    fn decode_limits(&self) -> DecodeLimits {
        (**self).decode_limits()
    }

    fn max_owed(&self) -> Option<usize> {
        (**self).max_owed()
    }

    fn timeout(&self) -> Option<Duration> {
        (**self).timeout()
    }
}

/// Makes a call and waits for its only answer. If the request has a field that
/// asks for a stream, it is sent as false.
///
/// # Errors
///
/// If the server answers with an error, no answer arrives, or the answer cannot be
/// decoded as an `A`.
pub async fn unary<C: Call + ?Sized, R: Request, A: Answer>(call: &C, request: R) -> Result<A, CallError> {
    let answered = call.unary(&Outgoing::unary(&request)).await?;
    answered.decode(R::OPERATION, &call.decode_limits())
}

/// Makes a call that is answered with a stream, and waits for the first answer. If
/// the request has a field that asks for a stream, it is sent as true.
///
/// # Errors
///
/// If the first answer is an error, or none arrives. A later error is the last item
/// of the stream.
pub async fn stream<C: Call + ?Sized, R: Request, A: Answer>(
    call: &C,
    request: R,
) -> Result<Responses<A>, CallError> {
    let frames = call.stream(&Outgoing::stream(&request)).await?;
    Ok(Responses::new(frames, R::OPERATION))
}

/// Makes a call with a body that is already encoded, and returns the answer as a
/// frame. For proxies, which need not know the message types.
///
/// # Errors
///
/// If the server answers with an error, or no answer arrives.
pub async fn frame<C: Call + ?Sized>(
    call: &C,
    operation: &'static Operation,
    body: &Blob,
) -> Result<Frame, CallError> {
    call.unary(&Outgoing::raw_unary(operation, body)).await.map(Answered::into_frame)
}

/// Makes a call with a body that is already encoded, and returns the answers as
/// frames. For an operation that never streams, the stream has one frame.
///
/// # Errors
///
/// If the first answer is an error, or none arrives. A later error is the last item
/// of the stream.
pub async fn frames<C: Call + ?Sized>(
    call: &C,
    operation: &'static Operation,
    body: &Blob,
) -> Result<FrameStream, CallError> {
    call.stream(&Outgoing::raw_stream(operation, body)).await
}

/// Decodes an answer of `operation`, and explains an unexpected message code.
pub(super) fn decode<A: Answer>(
    frame: &Frame,
    operation: &'static Operation,
    limits: &DecodeLimits,
) -> Result<A, CallError> {
    A::from_frame_within(frame, limits).map_err(|error| explained(error, frame, operation))
}

#[cold]
fn explained(error: DecodeError, frame: &Frame, operation: &'static Operation) -> CallError {
    match *error.kind() {
        DecodeErrorKind::UnexpectedCode { code } if operation.alternative(code).is_some() => {
            CallError::Alternative(frame.clone())
        }
        DecodeErrorKind::UnexpectedCode { code } => {
            CallError::UnexpectedCode { code, expected: operation.response }
        }
        _ => CallError::Decode(error),
    }
}

/// Adds where an answer came from to the error for it, and the attempts before.
#[cold]
fn located(error: CallError, from: Option<(Node, Instant)>, mut failed: Vec<Attempt>) -> CallError {
    let Some((node, started)) = from else { return error };
    let after = now().saturating_duration_since(started);
    failed.push(Attempt { node, error, after });
    Tried::error(failed)
}
