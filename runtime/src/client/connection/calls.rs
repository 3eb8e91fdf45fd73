//! The futures of calls on a connection.
//!
//! Invariant: a future that is dropped cancels its call in the pipeline.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::super::call::Answered;
use super::super::error::{CallError, NotSent};
use super::super::outgoing::Outgoing;
use super::super::responses::FrameStream;
use super::super::slots::Ticket;
use super::super::sync::Arc;
use super::{Handle, now};

/// A unary call, which starts when it is first polled.
pub(super) struct UnaryCall<'c, 'r> {
    handle: &'c Arc<Handle>,
    stage: Stage<'r, Ticket>,
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

impl<'c, 'r> UnaryCall<'c, 'r> {
    pub(super) fn new(handle: &'c Arc<Handle>, request: &'r Outgoing<'r>) -> Self {
        Self { handle, stage: Stage::Start(request) }
    }
}

impl<'c, 'r> StreamCall<'c, 'r> {
    pub(super) fn new(handle: &'c Arc<Handle>, request: &'r Outgoing<'r>) -> Self {
        Self { handle, stage: Stage::Start(request) }
    }
}

impl Future for UnaryCall<'_, '_> {
    type Output = Result<Answered, CallError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let result = match &this.stage {
            Stage::Start(request) => {
                if request.is_stream() {
                    let operation = request.operation().name;
                    Poll::Ready(Err(NotSent::Streams { operation }.into()))
                } else {
                    let now = now();
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
                    .map(|answer| answer.map(Answered::from))
            }
            Stage::Done => panic!("a call was polled after its end"),
        };
        if result.is_ready() {
            this.stage = Stage::Done;
        }
        result
    }
}

impl Drop for UnaryCall<'_, '_> {
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
