//! [`FrameStream`] and [`Responses`]: the answers of a streaming call.
//!
//! Invariant: a stream that is dropped before its end gives its call up, and
//! after its end, or an error, it gives nothing more.

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

/// The frames that answer a streaming call, from the first to the one that says
/// that it is the last.
///
/// It has the connection to itself. While it is not polled, reading from the
/// socket stops as soon as
/// [`stream_buffer`](super::ConnectionConfig::stream_buffer) is full; when it
/// is dropped before its end, the connection closes.
#[must_use = "a stream has its connection to itself as long as it is kept"]
pub struct FrameStream {
    handle: Arc<Handle>,
    /// `None` when the call is over.
    ticket: Option<Ticket>,
    /// The first answer, which has been waited for.
    first: Option<Frame>,
    /// What has to live as long as the call.
    kept: Option<Box<dyn Any + Send + Sync>>,
    /// Where it comes from, if that is known.
    origin: Option<Box<Origin>>,
}

impl FrameStream {
    pub(super) fn new(handle: Arc<Handle>, ticket: Ticket) -> Self {
        Self { handle, ticket: Some(ticket), first: None, kept: None, origin: None }
    }

    /// Names where it comes from in its errors.
    pub(super) fn from(mut self, origin: Origin) -> Self {
        self.origin = Some(Box::new(origin));
        self
    }

    fn named(&mut self, error: CallError) -> CallError {
        match self.origin.take() {
            Some(origin) => origin.name(error, now()),
            None => error,
        }
    }

    /// Keeps something until the call is over: what a connection was borrowed
    /// with, or a count of calls.
    pub fn keeping(mut self, kept: impl Send + Sync + 'static) -> Self {
        self.kept = match self.kept.take() {
            Some(before) => Some(Box::new((before, kept))),
            None => Some(Box::new(kept)),
        };
        self
    }

    /// How long the first answer's body is, if it was not taken yet.
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
        let result = ready!(self.handle.with(|pipeline| pipeline.poll_frame(ticket, cx.waker())));
        if !matches!(result, Some(Ok(_))) {
            self.ticket = None;
            self.kept = None;
        }
        if result.is_none()
            && let Some(origin) = self.origin.take()
        {
            origin.went_well();
        }
        Poll::Ready(result.map(|frame| frame.map_err(|error| self.named(error))))
    }

    /// The next frame; `None` after the last one, or after an error.
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<Frame, CallError>> {
        std::future::poll_fn(|cx| self.poll_frame(cx)).await
    }

    /// Closes the connection if this is not the end.
    fn give_up(&mut self) {
        self.first = None;
        if let Some(ticket) = self.ticket.take() {
            let now = now();
            self.handle.with(|pipeline| pipeline.give_up(ticket, now));
        }
        self.kept = None;
        if let Some(origin) = self.origin.take() {
            origin.went_well();
        }
    }
}

impl Drop for FrameStream {
    fn drop(&mut self) {
        self.give_up();
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
/// A [`Stream`], and for those without its combinators, [`Responses::next`] and
/// [`Responses::all`]. It has the connection to itself until its end: see
/// [`FrameStream`].
#[must_use = "a stream has its connection to itself as long as it is kept"]
pub struct Responses<A> {
    frames: FrameStream,
    operation: &'static Operation,
    answer: PhantomData<fn() -> A>,
}

impl<A: Answer> Responses<A> {
    /// Answers of `operation`.
    pub fn new(frames: FrameStream, operation: &'static Operation) -> Self {
        Self { frames, operation, answer: PhantomData }
    }

    /// The next answer; `None` after the last one, or after an error.
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<A, CallError>> {
        std::future::poll_fn(|cx| self.poll_answer(cx)).await
    }

    /// All answers that are left.
    ///
    /// # Errors
    ///
    /// The first error that occurs.
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
                .map_err(|error| self.frames.named(error)),
            Some(Err(error)) => Err(error),
            None => return Poll::Ready(None),
        };
        if answer.is_err() {
            // The rest of a stream with a hole in it is worth nothing.
            self.frames.give_up();
        }
        Poll::Ready(Some(answer))
    }
}

impl<A> Responses<A> {
    /// The frames that are left, as they came.
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
