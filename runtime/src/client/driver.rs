//! [`Driver`]: moves a connection's bytes between its socket and its pipeline.
//!
//! It takes what callers have encoded in one swap and writes it in vectored
//! writes, reads into one buffer that frames are sliced from, and hands over
//! all frames of a read at once. Invariants: nothing is read or written, and
//! nobody is woken, while the pipeline is locked; when the driver ends, for
//! whatever reason, so has every call.

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
use super::sync::Arc;
use crate::{FrameReader, WriteBuffer};

/// Slices of one vectored write.
const SLICES: usize = 64;

/// Rounds of writing and reading before other tasks get their turn.
const ROUNDS: usize = 32;

/// How often is read what has arrived before a deadline that is over is kept. A
/// server that sends without end must not put it off for ever.
const LATE_READS: usize = 16;

/// Moves the bytes of a [`Connection`](super::Connection): a future that has to
/// be polled for calls to make progress, usually by a task of its own.
///
/// It ends when the connection is closed: with `Ok` if the last handle was
/// dropped, otherwise with the error that closed the connection. If the driver
/// is dropped before, all calls on the connection fail.
#[must_use = "calls get on only while the driver is polled"]
pub struct Driver<IO> {
    io: IO,
    shared: Arc<Shared>,
    reader: FrameReader,
    output: WriteBuffer,
    /// How many bytes were written in all.
    written: u64,
    /// There may be written bytes that were not flushed.
    unflushed: bool,
    /// A write that fails may have sent some of what it was given all the same,
    /// as TLS does, which encrypts more than the socket takes at once.
    leaks: bool,
    /// Writing has failed; what the server had sent before is still read.
    write_error: Option<io::Error>,
    timer: Option<Pin<Box<Sleep>>>,
    /// What the timer is set to.
    armed: Option<Instant>,
    /// How often was read since a deadline was found to be over.
    late_reads: usize,
    /// Kept for its memory.
    wakers: Vec<Waker>,
}

/// Whether another round is worth it.
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
            written: 0,
            unflushed: false,
            leaks: false,
            write_error: None,
            timer: None,
            armed: None,
            late_reads: 0,
            wakers: Vec::new(),
        }
    }

    /// Treats a write that fails as if it had sent everything that it was given.
    ///
    /// Needed over TLS, and over any writer that buffers: a failed write may have
    /// sent a part, and a call must not be reported as not sent if the server may
    /// have seen it. The driver also flushes after it has read, since
    /// TLS replies to some messages itself.
    pub fn leaking(mut self) -> Self {
        self.leaks = true;
        self
    }

    fn round(&mut self, cx: &mut Context<'_>) -> Result<Round, ConnectionError> {
        let now = super::connection::now();
        let mut state = self.shared.lock();
        if state.pipeline.attend(self.written) {
            return Err(state.pipeline.closed().cloned().unwrap_or(ConnectionError::Stopped));
        }
        let mut may_receive = state.pipeline.may_receive(now);
        // Frames that were read before a slow consumer stopped their delivery.
        while may_receive {
            let Some(frame) =
                self.reader.next_frame().map_err(|error| state.pipeline.refuse_answer(error))?
            else {
                break;
            };
            state.pipeline.receive(frame, now)?;
            may_receive = state.pipeline.may_receive(now);
        }
        let is_late = state.pipeline.next_deadline().is_some_and(|deadline| deadline <= now);
        if is_late && may_receive && self.late_reads < LATE_READS {
            // It may be this side that is late, and the answer may be there.
            self.late_reads += 1;
            drop(state);
            if self.poll_read(cx)? == Round::Again {
                return Ok(Round::Again);
            }
            state = self.shared.lock();
        }
        self.late_reads = 0;
        state.pipeline.expire(now);
        if self.output.is_empty() {
            state.pipeline.take_output(&mut self.output);
        }
        // What was just done by the driver itself needs no second look, apart
        // from an end, and from deadlines that came up.
        let finished = state.pipeline.attend(self.written);
        let deadline = state.pipeline.next_deadline();
        self.shared.note_progress(&state.pipeline);
        let before = state.wait(cx.waker());
        let unused = state.pipeline.take_wakers(&mut self.wakers);
        drop(state);
        drop((before, unused));
        self.wake();
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

    /// Writes what there is. A failure is kept for when there is nothing left
    /// to be read: the server may have said why before it closed.
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
            let mut slices = [IoSlice::new(&[]); SLICES];
            let used = self.output.slices(&mut slices);
            let offered = &slices[..used];
            let count = match ready!(Pin::new(&mut self.io).poll_write_vectored(cx, offered)) {
                Ok(count) => count,
                Err(error) => {
                    if self.leaks {
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

    /// Reads once. The next round delivers what has arrived.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Result<Round, ConnectionError> {
        let mut buffer = ReadBuf::new(self.reader.spare());
        let count = match Pin::new(&mut self.io).poll_read(cx, &mut buffer) {
            Poll::Ready(Ok(())) => buffer.filled().len(),
            // So does TLS call an end that the server did not announce; frames say
            // themselves whether they are whole.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            Poll::Ready(Err(error)) => return Err(error.into()),
            // TLS replies to some messages itself, for example to a request to
            // renegotiate, but sends the reply only with the next write or flush. The
            // server may send no answers before it gets the reply.
            Poll::Pending if self.leaks => {
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

    fn poll_timer(&mut self, deadline: Option<Instant>, cx: &mut Context<'_>) -> Round {
        let Some(deadline) = deadline else { return Round::Wait };
        let at = tokio::time::Instant::from_std(deadline);
        let timer = match &mut self.timer {
            Some(timer) => {
                if self.armed != Some(deadline) {
                    timer.as_mut().reset(at);
                }
                timer
            }
            None => self.timer.insert(Box::pin(tokio::time::sleep_until(at))),
        };
        self.armed = Some(deadline);
        match timer.as_mut().poll(cx) {
            Poll::Ready(()) => {
                // A timer that has fired is set again before it is polled.
                self.armed = None;
                Round::Again
            }
            Poll::Pending => Round::Wait,
        }
    }

    fn wake(&mut self) {
        for waker in self.wakers.drain(..) {
            waker.wake();
        }
    }
}

impl<IO> Driver<IO> {
    /// Ends every call with `error`.
    fn fail(&mut self, error: &ConnectionError) {
        let mut state = self.shared.lock();
        state.pipeline.attend(self.written);
        state.pipeline.fail(error);
        // Who sees that finds the reason.
        self.shared.end();
        let unused = state.pipeline.take_wakers(&mut self.wakers);
        drop(state);
        drop(unused);
        for waker in self.wakers.drain(..) {
            waker.wake();
        }
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Future for Driver<IO> {
    type Output = Result<(), ConnectionError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let driver = self.get_mut();
        for _ in 0..ROUNDS {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::Blob;
    use crate::client::pipeline::tests::GET;
    use crate::client::{CallError, Connection, ConnectionConfig, frame};

    /// Fails each write, after who knows what.
    struct Breaks;

    impl AsyncRead for Breaks {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Breaks {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn what_a_failed_write_may_have_sent_may_have_been_applied() {
        for leaks in [false, true] {
            let (connection, driver) = Connection::new(Breaks, ConnectionConfig::new());
            let driver = if leaks { driver.leaking() } else { driver };
            let body = Blob::from("value");
            let (result, _) = tokio::join!(frame(&connection, &GET, &body), driver);
            let error = result.unwrap_err();
            assert_eq!(error.may_have_been_applied(), leaks, "{error:?}");
            assert_eq!(matches!(error, CallError::Lost(_)), leaks, "{error:?}");
        }
    }

    /// A TLS stream whose server asks for renegotiation and sends no answers before it
    /// gets a reply: a read prepares the reply, and a flush sends it.
    #[derive(Default)]
    struct Renegotiates {
        asked: bool,
        answered: bool,
        reading: Option<Waker>,
    }

    impl AsyncRead for Renegotiates {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            if self.answered {
                buffer.put_slice(&[0, 0, 0, 1, 10]);
                return Poll::Ready(Ok(()));
            }
            self.asked = true;
            self.reading = Some(cx.waker().clone());
            Poll::Pending
        }
    }

    impl AsyncWrite for Renegotiates {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.answered |= self.asked;
            if let (true, Some(reading)) = (self.answered, self.reading.take()) {
                reading.wake();
            }
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn what_tls_has_to_answer_does_not_wait_for_the_next_request() {
        let (connection, driver) = Connection::new(Renegotiates::default(), ConnectionConfig::new());
        let driving = tokio::spawn(driver.leaking());
        let call = async { frame(&connection, &GET, &Blob::new()).await };
        let answer = tokio::time::timeout(Duration::from_secs(5), call).await.unwrap().unwrap();
        assert_eq!(answer.code, 10);
        driving.abort();
    }

    /// Answers that are there when a stall of this side ends came in time.
    #[tokio::test]
    async fn an_answer_that_is_there_is_no_timeout() {
        let (near, mut far) = tokio::io::duplex(1000);
        let config = ConnectionConfig::new().call_timeout(Some(Duration::from_millis(50)));
        let (connection, driver) = Connection::new(near, config);
        let driving = tokio::spawn(driver);
        let call = tokio::spawn(async move { frame(&connection, &GET, &Blob::new()).await });
        let mut request = [0; 5];
        far.read_exact(&mut request).await.unwrap();
        far.write_all(&[0, 0, 0, 1, 10]).await.unwrap();
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(call.await.unwrap().unwrap().code, 10);
        driving.abort();
    }

    /// Sends without end what answers nothing that is waited for.
    #[tokio::test]
    async fn a_server_that_sends_on_and_on_puts_no_deadline_off() {
        let (near, mut far) = tokio::io::duplex(64 * 1024);
        let config = ConnectionConfig::new().call_timeout(Some(Duration::from_millis(50)));
        let (connection, driver) = Connection::new(near, config);
        let driving = tokio::spawn(driver);
        let sending = tokio::spawn(async move {
            // A frame that does not end in that time, a few bytes at a time.
            far.write_all(&[2, 0, 0, 0, 10]).await?;
            loop {
                far.write_all(&[0; 8]).await?;
                tokio::task::yield_now().await;
            }
            #[expect(unreachable_code, reason = "says what it fails with")]
            Ok::<(), io::Error>(())
        });
        let begun = std::time::Instant::now();
        let error = frame(&connection, &GET, &Blob::new()).await.unwrap_err();
        assert!(matches!(error, CallError::Timeout { .. }), "{error:?}");
        assert!(begun.elapsed() < Duration::from_secs(2));
        driving.abort();
        sending.abort();
    }
}
