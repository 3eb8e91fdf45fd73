//! [`Call`]: what carries calls, and the functions that generated methods are
//! made of.
//!
//! Invariant: only the outermost functions know a message's type; everything
//! below them deals in frames and is compiled once.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::error::CallError;
use super::node::Node;
use super::outgoing::Outgoing;
use super::responses::{FrameStream, Responses};
use super::tried::{Attempt, Tried};
use crate::error::DecodeErrorKind;
use crate::operation::{Answer, Operation};
use crate::{Blob, DecodeLimits, Frame, Request};

/// The answer to a unary call, and who gave it.
///
/// ```
/// use riak_runtime::client::Answered;
/// use riak_runtime::{Blob, Frame};
///
/// // What carries calls to one server only says no more.
/// let answer = Answered::from(Frame { code: 10, body: Blob::new() });
/// assert_eq!(answer.frame().code, 10);
/// assert!(answer.node().is_none());
/// ```
#[derive(Clone, Debug)]
pub struct Answered {
    frame: Frame,
    /// Who gave it, and after what time, where there are several nodes.
    from: Option<(Node, Duration)>,
    /// What was tried before.
    failed: Vec<Attempt>,
}

impl Answered {
    pub(super) fn at(self, node: Node, after: Duration, failed: Vec<Attempt>) -> Self {
        Self { from: Some((node, after)), failed, ..self }
    }

    /// The answer.
    #[must_use]
    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// The answer alone.
    #[must_use]
    pub fn into_frame(self) -> Frame {
        self.frame
    }

    /// The node that gave it, if there are several.
    #[must_use]
    pub fn node(&self) -> Option<&Node> {
        self.from.as_ref().map(|(node, _)| node)
    }
}

impl From<Frame> for Answered {
    fn from(frame: Frame) -> Self {
        Self { frame, from: None, failed: Vec::new() }
    }
}

/// Carries calls to a server and brings their answers: a
/// [`Connection`](super::Connection), or whatever is made of connections.
///
/// Whoever implements it gets frames whose codes are those of the operation's
/// answers; errors that the server answered with are errors here.
pub trait Call: Send + Sync {
    /// Sends a request and waits for its only answer. Nothing is done before
    /// the future is polled.
    fn unary(&self, request: &Outgoing<'_>) -> impl Future<Output = Result<Answered, CallError>> + Send;

    /// Sends a request and waits for the first of its answers, which the stream
    /// begins with.
    fn stream(&self, request: &Outgoing<'_>) -> impl Future<Output = Result<FrameStream, CallError>> + Send;

    /// What decoding an answer may cost.
    fn decode_limits(&self) -> DecodeLimits {
        DecodeLimits::DEFAULT
    }

    /// How many calls may be given up at once after they have been sent; more
    /// would be the end of what carries them. `None` if it has no such end, as
    /// where connections are made anew.
    fn max_owed(&self) -> Option<usize> {
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
}

/// Makes a call that is answered once. Where the request may ask for a stream,
/// it will not.
///
/// # Errors
///
/// If the server answers with an error, or no answer can be had that `A` can be
/// decoded from.
pub async fn unary<C: Call + ?Sized, R: Request, A: Answer>(call: &C, request: R) -> Result<A, CallError> {
    let Answered { frame, from, mut failed } = call.unary(&Outgoing::unary(&request)).await?;
    decode(&frame, R::OPERATION, &call.decode_limits()).map_err(|error| match from {
        Some((node, after)) => {
            failed.push(Attempt { node, error, after });
            Tried::error(failed)
        }
        None => error,
    })
}

/// Makes a call that is answered by many messages. Where the request may ask
/// for that, it will.
///
/// # Errors
///
/// If the first answer is an error, or none comes. Later errors end the stream.
pub async fn stream<C: Call + ?Sized, R: Request, A: Answer>(
    call: &C,
    request: R,
) -> Result<Responses<A>, CallError> {
    let frames = call.stream(&Outgoing::stream(&request)).await?;
    Ok(Responses::new(frames, R::OPERATION))
}

/// Makes a call that is answered once, with a body that is there already: for
/// proxies, and for messages that only their senders know.
///
/// # Errors
///
/// If the server answers with an error, or no answer can be had.
pub async fn frame<C: Call + ?Sized>(
    call: &C,
    operation: &'static Operation,
    body: &Blob,
) -> Result<Frame, CallError> {
    call.unary(&Outgoing::raw_unary(operation, body)).await.map(Answered::into_frame)
}

/// Makes a call that is answered by many frames, with a body that is there
/// already. An operation that never streams gives one.
///
/// # Errors
///
/// If the first answer is an error, or none comes. Later errors end the stream.
pub async fn frames<C: Call + ?Sized>(
    call: &C,
    operation: &'static Operation,
    body: &Blob,
) -> Result<FrameStream, CallError> {
    call.stream(&Outgoing::raw_stream(operation, body)).await
}

/// Decodes an answer of `operation`.
pub(super) fn decode<A: Answer>(
    frame: &Frame,
    operation: &'static Operation,
    limits: &DecodeLimits,
) -> Result<A, CallError> {
    A::from_frame_within(frame, limits).map_err(|error| match error.kind() {
        DecodeErrorKind::UnexpectedCode { code } if operation.alternative(*code).is_some() => {
            CallError::Alternative(frame.clone())
        }
        DecodeErrorKind::UnexpectedCode { code } => {
            CallError::UnexpectedCode { code: *code, expected: operation.response }
        }
        _ => CallError::Decode(error),
    })
}
