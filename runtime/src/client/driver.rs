//! [`Driver`]: moves a connection's bytes between its socket and its pipeline.
//!
//! The driver takes all encoded requests in one swap of buffers and sends them with
//! vectored writes, once other tasks have had a turn to add theirs if that is worth it
//! ([`Gathering`]). It reads into one buffer that frames are slices of, and delivers
//! all frames of a read under one lock.
//!
//! Invariants: the pipeline is never locked during I/O or while wakers are called;
//! when the driver ends, for whatever reason, every call has ended.

#[cfg(test)]
mod tests;

use std::fmt;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::connection::Shared;
use super::error::ConnectionError;
use super::gathering::{Decision, Gathering};
use super::sync::Arc;
use crate::{FrameReader, WriteBuffer};

/// Maximum number of slices in a vectored write.
const MAX_SLICES: usize = 64;

/// Rounds of writing and reading in one poll, after which the driver yields to other
/// tasks.
const ROUNDS_PER_POLL: usize = 32;

/// Maximum number of reads between a deadline's passing and its enforcement.
///
/// The reads find answers that arrived in time. Their number is limited so that a
/// server that sends without end cannot postpone a deadline for ever.
const MAX_LATE_READS: usize = 16;

/// Moves the bytes of a [`Connection`](super::Connection).
///
/// Calls make progress only while this future is polled, usually by a task of its
/// own. It ends when the connection is closed: with `Ok` if the last handle was
/// dropped, otherwise with the error that closed the connection. If the driver is
/// dropped earlier, all calls on the connection fail.
#[must_use = "calls make progress only while the driver is polled"]
pub struct Driver<IO> {
    io: IO,
    shared: Arc<Shared>,
    reader: FrameReader,
    output: WriteBuffer,
    /// When the next output is taken.
    gathering: Gathering,
    /// Total number of bytes written.
    written: u64,
    /// Whether bytes may have been written but not flushed.
    unflushed: bool,
    /// Whether a failed write counts as sent: it may have sent a part, as with TLS,
    /// which encrypts more than the socket takes at once.
    assume_sent: bool,
    /// The error of a failed write, kept until everything that the server sent before
    /// it has been read.
    write_error: Option<io::Error>,
    timer: Option<Pin<Box<Sleep>>>,
    /// The deadline that the timer is set to.
    timer_deadline: Option<Instant>,
    /// Number of reads since a deadline was found to have passed.
    late_reads: usize,
    /// Empty between rounds; kept to reuse its allocation.
    wakers: Vec<Waker>,
}

/// Whether to run another round or to wait for a wake-up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Round {
    Again,
    Wait,
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Driver<IO> {
    pub(super) fn new(io: IO, shared: Arc<Shared>, max_frame: usize) -> Self {
        Self {
            io,
            shared,
            reader: FrameReader::new(max_frame),
            output: WriteBuffer::new(),
            gathering: Gathering::new(),
            written: 0,
            unflushed: false,
            assume_sent: false,
            write_error: None,
            timer: None,
            timer_deadline: None,
            late_reads: 0,
            wakers: Vec::new(),
        }
    }

    /// Treats a failed write as if it had sent all bytes that it was given.
    ///
    /// TLS, and any other writer that buffers, needs this: a failed write may have
    /// sent a part of its bytes, and a call must not be reported as not sent if the
    /// server may have seen it. The driver also flushes when there is nothing left to
    /// read, since TLS itself replies to some messages.
    pub fn assume_sent(mut self) -> Self {
        self.assume_sent = true;
        self
    }

    /// Delivers what was read, expires deadlines, then writes and reads once.
    fn round(&mut self, cx: &mut Context<'_>) -> Result<Round, ConnectionError> {
        let now = super::connection::now();
        let mut state = self.shared.lock();
        if state.pipeline.sync_driver(self.written) {
            return Err(state.pipeline.closed().cloned().unwrap_or(ConnectionError::Stopped));
        }
        let mut may_receive = state.pipeline.may_receive(now);
        // Deliver the frames of the last read, and those held back for a slow consumer.
        while may_receive {
            let Some(frame) =
                self.reader.next_frame().map_err(|error| state.pipeline.fail_malformed(error))?
            else {
                break;
            };
            state.pipeline.receive(frame, now)?;
            may_receive = state.pipeline.may_receive(now);
        }
        let is_late = state.pipeline.next_deadline().is_some_and(|deadline| deadline <= now);
        if is_late && may_receive && self.late_reads < MAX_LATE_READS {
            // The answer may have arrived in time while this task was not polled.
            self.late_reads += 1;
            drop(state);
            if self.poll_read(cx)? == Round::Again {
                return Ok(Round::Again);
            }
            state = self.shared.lock();
            // A read over TLS writes as well, and whether a request was written decides
            // what a call that times out is told.
            state.pipeline.sync_driver(self.written);
        }
        self.late_reads = 0;
        state.pipeline.expire(now);
        let mut defers = false;
        if self.output.is_empty() && state.pipeline.has_output() {
            let (callers, requests) = (state.pipeline.callers(), state.pipeline.requests());
            match self.gathering.decide(callers, requests) {
                Decision::Write => state.pipeline.take_output(&mut self.output),
                Decision::Defer => defers = true,
                Decision::Wait => {}
            }
        }
        // The driver's own changes need no wake-up. Only the end of the connection and
        // the next deadline concern the rest of this round.
        let finished = state.pipeline.sync_driver(self.written);
        let deadline = state.pipeline.next_deadline();
        let settled = self.shared.publish_progress(&state.pipeline);
        let replaced = state.register_driver(cx.waker());
        let stale_wakers = state.pipeline.take_wakers(&mut self.wakers);
        drop(state);
        drop((replaced, stale_wakers));
        self.wake();
        if settled {
            self.shared.settled();
        }
        if defers {
            cx.waker().wake_by_ref();
        }
        if finished {
            return Ok(Round::Again);
        }

        let wrote = self.poll_write(cx);
        let read = if may_receive { self.poll_read(cx)? } else { Round::Wait };
        if read == Round::Wait
            && let Some(error) = self.write_error.take()
        {
            return Err(error.into());
        }
        if wrote == Round::Again || read == Round::Again {
            return Ok(Round::Again);
        }
        Ok(self.poll_timer(deadline, cx))
    }

    /// Writes the pending output. An error is kept until there is nothing left to
    /// read, since the server may have sent the reason before it closed.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Round {
        if self.write_error.is_some() {
            return Round::Wait;
        }
        let had_output = !self.output.is_empty();
        match self.try_write(cx) {
            Poll::Ready(Ok(())) if had_output => Round::Again,
            Poll::Ready(Ok(())) | Poll::Pending => Round::Wait,
            Poll::Ready(Err(error)) => {
                self.write_error = Some(error);
                Round::Wait
            }
        }
    }

    fn try_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.output.is_empty() {
            let mut slices = [IoSlice::new(&[]); MAX_SLICES];
            let used = self.output.slices(&mut slices);
            let offered = &slices[..used];
            let io = Pin::new(&mut self.io);
            // The system takes a single slice faster by itself than as a list of one.
            let result = match offered {
                [only] => io.poll_write(cx, only),
                _ => io.poll_write_vectored(cx, offered),
            };
            let count = match ready!(result) {
                Ok(count) => count,
                Err(error) => {
                    if self.assume_sent {
                        self.written += offered.iter().map(|slice| slice.len() as u64).sum::<u64>();
                    }
                    return Poll::Ready(Err(error));
                }
            };
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.output.consume(count);
            self.written += count as u64;
            self.unflushed = true;
        }
        if self.unflushed {
            ready!(Pin::new(&mut self.io).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Reads once. The next round delivers the frames.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Result<Round, ConnectionError> {
        let mut buffer = ReadBuf::new(self.reader.spare());
        let count = match Pin::new(&mut self.io).poll_read(cx, &mut buffer) {
            Poll::Ready(Ok(())) => buffer.filled().len(),
            // TLS reports this if the server closes without a close_notify alert. Frames
            // have a length prefix, so that a truncated one is noticed anyway.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            Poll::Ready(Err(error)) => return Err(error.into()),
            // TLS replies to some messages itself, for example to a request to
            // renegotiate, but sends the reply only with the next write or flush. The
            // server may send no answers before it gets the reply.
            Poll::Pending if self.assume_sent => {
                self.unflushed = true;
                return Ok(self.poll_write(cx));
            }
            Poll::Pending => return Ok(Round::Wait),
        };
        if count == 0 {
            let within_frame = self.reader.is_within_frame();
            return Err(ConnectionError::Closed { within_frame });
        }
        self.reader.advance(count);
        Ok(Round::Again)
    }

    /// Sets the timer to `deadline` and polls it. Returns `Again` if the deadline has passed.
    fn poll_timer(&mut self, deadline: Option<Instant>, cx: &mut Context<'_>) -> Round {
        let Some(deadline) = deadline else { return Round::Wait };
        let at = tokio::time::Instant::from_std(deadline);
        let timer = match &mut self.timer {
            Some(timer) => {
                if self.timer_deadline != Some(deadline) {
                    timer.as_mut().reset(at);
                }
                timer
            }
            None => self.timer.insert(Box::pin(tokio::time::sleep_until(at))),
        };
        self.timer_deadline = Some(deadline);
        match timer.as_mut().poll(cx) {
            Poll::Ready(()) => {
                // A fired timer must be reset before it is polled again.
                self.timer_deadline = None;
                Round::Again
            }
            Poll::Pending => Round::Wait,
        }
    }
}

impl<IO> Driver<IO> {
    fn wake(&mut self) {
        for waker in self.wakers.drain(..) {
            waker.wake();
        }
    }

    /// Ends every call with `error`.
    fn fail(&mut self, error: &ConnectionError) {
        let mut state = self.shared.lock();
        state.pipeline.sync_driver(self.written);
        state.pipeline.fail(error);
        // After `fail`: whoever sees the flag finds the reason under the lock.
        self.shared.mark_ended();
        let settled = self.shared.publish_progress(&state.pipeline);
        let stale_wakers = state.pipeline.take_wakers(&mut self.wakers);
        drop(state);
        drop(stale_wakers);
        self.wake();
        if settled {
            self.shared.settled();
        }
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Future for Driver<IO> {
    type Output = Result<(), ConnectionError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let driver = self.get_mut();
        driver.gathering.begin_poll();
        for _ in 0..ROUNDS_PER_POLL {
            match driver.round(cx) {
                Ok(Round::Again) => {}
                Ok(Round::Wait) => return Poll::Pending,
                Err(error) => {
                    driver.fail(&error);
                    return Poll::Ready(match error {
                        ConnectionError::Stopped => Ok(()),
                        error => Err(error),
                    });
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<IO> Drop for Driver<IO> {
    fn drop(&mut self) {
        self.fail(&ConnectionError::Stopped);
    }
}

impl<IO> fmt::Debug for Driver<IO> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("written", &self.written).finish_non_exhaustive()
    }
}
