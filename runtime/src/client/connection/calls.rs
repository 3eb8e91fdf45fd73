//! The futures of calls on a connection.
//!
//! Invariant: a future that is dropped cancels its call in the pipeline.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use super::super::error::{CallError, NotSent};
use super::super::outgoing::Outgoing;
use super::super::responses::FrameStream;
use super::super::slots::Ticket;
use super::super::sync::Arc;
use super::{Handle, now};
use crate::Frame;

/// A unary call, which starts when it is first polled. The answer is returned as a `T`.
pub(super) struct UnaryCall<'c, 'r, T> {
    handle: &'c Arc<Handle>,
    /// The time of the first poll, if it is known: reading the clock takes as long as
    /// much of a call.
    now: Option<Instant>,
    stage: Stage<'r, Ticket>,
    answer: PhantomData<fn() -> T>,
}

/// A streaming call, until its first answer. It starts when it is first polled.
pub(super) struct StreamCall<'c, 'r> {
    handle: &'c Arc<Handle>,
    stage: Stage<'r, FrameStream>,
}

enum Stage<'r, T> {
    Start(&'r Outgoing<'r>),
    Started(T),
    Done,
}

impl<'c, 'r, T> UnaryCall<'c, 'r, T> {
    pub(super) fn new(handle: &'c Arc<Handle>, request: &'r Outgoing<'r>, now: Option<Instant>) -> Self {
        Self { handle, now, stage: Stage::Start(request), answer: PhantomData }
    }
}

impl<'c, 'r> StreamCall<'c, 'r> {
    pub(super) fn new(handle: &'c Arc<Handle>, request: &'r Outgoing<'r>) -> Self {
        Self { handle, stage: Stage::Start(request) }
    }
}

impl<T: From<Frame>> Future for UnaryCall<'_, '_, T> {
    type Output = Result<T, CallError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let result = match &this.stage {
            Stage::Start(request) => {
                if request.is_stream() {
                    let operation = request.operation().name;
                    Poll::Ready(Err(NotSent::Streams { operation }.into()))
                } else {
                    let now = this.now.unwrap_or_else(now);
                    match this.handle.with_pipeline(|pipeline| pipeline.call(request, now, cx.waker())) {
                        Ok(ticket) => {
                            this.stage = Stage::Started(ticket);
                            return Poll::Pending;
                        }
                        Err(error) => Poll::Ready(Err(error.into())),
                    }
                }
            }
            Stage::Started(ticket) => {
                let ticket = *ticket;
                this.handle
                    .with_pipeline(|pipeline| pipeline.poll_answer(ticket, cx.waker()))
                    .map(|answer| answer.map(T::from))
            }
            Stage::Done => panic!("a call was polled after its end"),
        };
        if result.is_ready() {
            this.stage = Stage::Done;
        }
        result
    }
}

impl<T> Drop for UnaryCall<'_, '_, T> {
    fn drop(&mut self) {
        if let Stage::Started(ticket) = self.stage {
            let now = now();
            self.handle.with_pipeline(|pipeline| pipeline.cancel(ticket, now));
        }
    }
}

impl Future for StreamCall<'_, '_> {
    type Output = Result<FrameStream, CallError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        match &mut this.stage {
            Stage::Start(request) => {
                let now = now();
                match this.handle.with_pipeline(|pipeline| pipeline.call(request, now, cx.waker())) {
                    Ok(ticket) => {
                        let stream = FrameStream::new(Arc::clone(this.handle), ticket);
                        this.stage = Stage::Started(stream);
                        Poll::Pending
                    }
                    Err(error) => {
                        this.stage = Stage::Done;
                        Poll::Ready(Err(error.into()))
                    }
                }
            }
            Stage::Started(stream) => match stream.poll_first(cx) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(result) => {
                    let Stage::Started(stream) = std::mem::replace(&mut this.stage, Stage::Done) else {
                        unreachable!("the stage was matched above");
                    };
                    Poll::Ready(result.map(|()| stream))
                }
            },
            Stage::Done => panic!("a call was polled after its end"),
        }
    }
}
