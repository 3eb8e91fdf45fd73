//! [`FrameStream`] and [`Responses`]: the answers of a streaming call.
//!
//! Invariant: dropping a stream before its end cancels its call; after its end or
//! an error, a stream yields nothing more.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::call::decode;
use super::connection::{Handle, now};
use super::error::CallError;
use super::slots::Ticket;
use super::sync::Arc;
use super::tried::Origin;
use crate::Frame;
use crate::operation::{Answer, Operation};

/// The answers of a streaming call as undecoded frames, including the one that marks
/// the end. Created by [`frames`](super::frames()) and by
/// [`Responses::into_frames`].
///
/// A stream has its connection to itself. If it is not polled, reading from the
/// socket stops once
/// [`stream_buffer`](super::ConnectionConfig::stream_buffer) is full. Dropping it
/// before its end closes the connection; a pool or cluster replaces it.
///
/// ```no_run
/// use riak_runtime::client::{CallError, Cluster, frames};
/// use riak_runtime::{Blob, Request};
///
/// /// Passes answers on without decoding them, as a proxy does.
/// async fn pass_on<R: Request>(cluster: &Cluster, body: &Blob) -> Result<(), CallError> {
///     let mut answers = frames(cluster, R::OPERATION, body).await?;
///     while let Some(frame) = answers.next().await {
///         let frame = frame?;
///         println!("code {}, {} bytes", frame.code, frame.body.len());
///     }
///     Ok(())
/// }
/// ```
#[must_use = "a stream occupies its connection until it is dropped"]
pub struct FrameStream {
    handle: Arc<Handle>,
    /// The call; `None` when it is over.
    ticket: Option<Ticket>,
    /// The first answer, received before the stream is handed to the caller.
    first: Option<Frame>,
    /// A value that is dropped when the call is over.
    kept: Option<Box<dyn Any + Send + Sync>>,
    /// The node that answers, if it is known.
    origin: Option<Box<Origin>>,
    /// Whether the caller has asked for a frame that has not come yet.
    is_waiting: bool,
}

impl FrameStream {
    pub(super) fn new(handle: Arc<Handle>, ticket: Ticket) -> Self {
        Self { handle, ticket: Some(ticket), first: None, kept: None, origin: None, is_waiting: false }
    }

    /// Sets the node that errors of the stream name.
    pub(super) fn from(mut self, origin: Origin) -> Self {
        self.origin = Some(Box::new(origin));
        self
    }

    /// Adds the node to an error, and reports the error to the node's observer if it
    /// `concerns_node`.
    fn named(&mut self, error: CallError, concerns_node: bool) -> CallError {
        match self.origin.take() {
            Some(origin) => origin.name(error, concerns_node, now()),
            None => error,
        }
    }

    /// Keeps a value until the call is over, then drops it. For implementations of
    /// [`Call`](super::Call) that lend connections or count calls.
    pub fn keeping(mut self, kept: impl Send + Sync + 'static) -> Self {
        self.kept = match self.kept.take() {
            Some(before) => Some(Box::new((before, kept))),
            None => Some(Box::new(kept)),
        };
        self
    }

    /// Returns the length of the first answer's body; 0 if it was taken already.
    pub(super) fn first_len(&self) -> usize {
        self.first.as_ref().map_or(0, |frame| frame.body.len())
    }

    /// Waits for the first answer and keeps it.
    pub(super) fn poll_first(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        match ready!(self.poll_frame(cx)) {
            Some(Ok(frame)) => self.first = Some(frame),
            Some(Err(error)) => return Poll::Ready(Err(error)),
            None => {}
        }
        Poll::Ready(Ok(()))
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, CallError>>> {
        if let Some(frame) = self.first.take() {
            return Poll::Ready(Some(Ok(frame)));
        }
        let Some(ticket) = self.ticket else { return Poll::Ready(None) };
        let (is_paused, result) = self
            .handle
            .with_pipeline(|pipeline| (pipeline.is_paused(ticket), pipeline.poll_frame(ticket, cx.waker())));
        self.is_waiting = result.is_pending();
        let result = ready!(result);
        if !matches!(result, Some(Ok(_))) {
            self.ticket = None;
            self.kept = None;
        }
        if result.is_none()
            && let Some(origin) = self.origin.take()
        {
            origin.went_well();
        }
        Poll::Ready(result.map(|frame| {
            frame.map_err(|error| {
                // The caller has missed its own deadline; the node is not to blame.
                let is_callers_fault = is_paused && matches!(error, CallError::Timeout { .. });
                self.named(error, !is_callers_fault)
            })
        }))
    }

    /// Returns the next frame; `None` after the last one and after an error.
    ///
    /// No frame is lost if the future is dropped.
    pub async fn next(&mut self) -> Option<Result<Frame, CallError>> {
        std::future::poll_fn(|cx| self.poll_frame(cx)).await
    }

    /// Cancels the call, which closes the connection unless the call is over.
    fn cancel(&mut self) {
        self.first = None;
        if let Some(ticket) = self.ticket.take() {
            let now = now();
            self.handle.with_pipeline(|pipeline| pipeline.cancel(ticket, now));
        }
        self.kept = None;
        // Of a node that was being waited for, nothing is known.
        if let Some(origin) = self.origin.take().filter(|_| !self.is_waiting) {
            origin.dropped();
        }
    }
}

impl Drop for FrameStream {
    fn drop(&mut self) {
        self.cancel();
    }
}

impl Stream for FrameStream {
    type Item = Result<Frame, CallError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_frame(cx)
    }
}

impl fmt::Debug for FrameStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameStream").field("over", &self.ticket.is_none()).finish_non_exhaustive()
    }
}

/// The answers of a streaming call, decoded.
///
/// It implements [`Stream`]; [`Responses::next`] and [`Responses::all`] work without
/// combinators. It has its connection to itself until its end, and closes it if it
/// is dropped earlier: see [`FrameStream`].
///
#[cfg_attr(all(feature = "derive", feature = "server"), doc = "```")]
#[cfg_attr(not(all(feature = "derive", feature = "server")), doc = "```ignore")]
/// # use riak_runtime::RiakMessage;
/// # use riak_runtime::client::{CallExt, Connection};
/// # use riak_runtime::server::{Failure, Replies, Server, StreamHandler, streaming};
/// #[derive(Clone, Debug, Default, RiakMessage)]
/// #[riak(code = 232, response = CountResp, stream, done = "done")]
/// struct CountReq {
///     #[riak(tag = 1)]
///     to: u32,
/// }
///
/// #[derive(Clone, Debug, Default, RiakMessage)]
/// #[riak(code = 233)]
/// struct CountResp {
///     #[riak(tag = 1)]
///     number: Option<u32>,
///     #[riak(tag = 2)]
///     done: Option<bool>,
/// }
/// # struct Counter;
/// # impl StreamHandler<CountReq> for Counter {
/// #     async fn handle(&self, request: CountReq, replies: &mut Replies<'_, CountResp>) -> Result<(), Failure> {
/// #         for number in 1..=request.to {
/// #             replies.send(&CountResp { number: Some(number), done: None }).await?;
/// #         }
/// #         Ok(())
/// #     }
/// # }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// # let address = listener.local_addr()?;
/// # tokio::spawn(Server::default().serve(listener, streaming(Counter)));
/// # let connection = Connection::connect(address).await?;
/// let mut answers = connection.call_stream(&CountReq { to: 3 }).await?;
/// let mut numbers = Vec::new();
/// while let Some(answer) = answers.next().await {
///     numbers.extend(answer?.number);
/// }
/// assert_eq!(numbers, [1, 2, 3]);
/// # Ok(())
/// # }
/// ```
#[must_use = "a stream occupies its connection until it is dropped"]
pub struct Responses<A> {
    frames: FrameStream,
    operation: &'static Operation,
    answer: PhantomData<fn() -> A>,
}

impl<A: Answer> Responses<A> {
    /// Decodes frames as answers of `operation`.
    pub fn new(frames: FrameStream, operation: &'static Operation) -> Self {
        Self { frames, operation, answer: PhantomData }
    }

    /// Returns the next answer; `None` after the last one and after an error. An answer
    /// that cannot be decoded is an error and closes the connection.
    ///
    /// No answer is lost if the future is dropped.
    pub async fn next(&mut self) -> Option<Result<A, CallError>> {
        std::future::poll_fn(|cx| self.poll_answer(cx)).await
    }

    /// Collects all remaining answers.
    ///
    /// # Errors
    ///
    /// The first error; the answers before it are dropped.
    pub async fn all(mut self) -> Result<Vec<A>, CallError> {
        let mut answers = Vec::new();
        while let Some(answer) = self.next().await {
            answers.push(answer?);
        }
        Ok(answers)
    }

    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<A, CallError>>> {
        let answer = match ready!(self.frames.poll_frame(cx)) {
            Some(Ok(frame)) => decode(&frame, self.operation, &self.frames.handle.decode_limits)
                .map_err(|error| self.frames.named(error, true)),
            Some(Err(error)) => Err(error),
            None => return Poll::Ready(None),
        };
        if answer.is_err() {
            // The caller cannot use the rest of an incomplete stream.
            self.frames.cancel();
        }
        Poll::Ready(Some(answer))
    }
}

impl<A> Responses<A> {
    /// Returns the remaining answers, undecoded.
    pub fn into_frames(self) -> FrameStream {
        self.frames
    }
}

impl<A: Answer> Stream for Responses<A> {
    type Item = Result<A, CallError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_answer(cx)
    }
}

impl<A> fmt::Debug for Responses<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responses")
            .field("operation", &self.operation.name)
            .field("frames", &self.frames)
            .finish()
    }
}
