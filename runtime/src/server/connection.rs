//! [`serve_connection`]: serves one connection, from its first frame to its close.
//!
//! Buffered requests are handled one after the other. Answers are written when no
//! complete request is buffered, when the outbox is full, or while a handler waits.
//! Invariant: all answers are written before this side closes the connection.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::config::ServerConfig;
use super::failure::{ErrorReply, Failure};
use super::outbox::Outbox;
use super::service::Service;
use crate::error::FrameError;
use crate::operation::ErrorFrame;
use crate::{Frame, FrameReader, WriteBuffer};

/// Maximum number of slices in a vectored write.
const MAX_SLICES: usize = 64;

/// How long a client gets to read the last answer and close its side.
///
/// Closing a socket with unread bytes resets the connection, and the client could lose
/// the answer.
const LINGER: Duration = Duration::from_secs(2);

/// Serves one connection over any byte stream until either side closes it.
///
/// When this side closes the connection, as some errors require, it waits up to 2
/// seconds for the client to read the last answer. [`ServerConfig::grace`] is not used.
/// If the future is dropped, so is `io`.
///
/// # Errors
///
/// If reading or writing fails, or writing makes no progress within
/// [`ServerConfig::write_timeout`].
///
/// # Panics
///
/// Outside of a tokio runtime with timers, if this side closes the connection or the
/// settings have timeouts; and if the service panics, after the answers to earlier
/// requests have been written.
pub async fn serve_connection<IO, S>(io: IO, service: &S, config: &ServerConfig) -> io::Result<()>
where
    IO: AsyncRead + AsyncWrite + Unpin + Send,
    S: Service,
{
    serve_until(io, service, config, std::future::pending()).await
}

/// Serves a connection until either side closes it, or until `stop` is ready when no
/// complete request is buffered.
pub(super) async fn serve_until<IO, S>(
    io: IO,
    service: &S,
    config: &ServerConfig,
    stop: impl Future<Output = ()> + Send,
) -> io::Result<()>
where
    IO: AsyncRead + AsyncWrite + Unpin + Send,
    S: Service,
{
    let mut stop = pin!(stop);
    let mut outbox = Outbox::new(config);
    let mut connection = Connection {
        io,
        reader: FrameReader::new(config.max_frame),
        outbox: outbox.share(),
        writing: WriteBuffer::new(),
        refuse_behind_stream: config.refuse_behind_stream,
        idle: Stall::new(config.idle_timeout),
        blocked: Stall::new(config.write_timeout),
    };
    let mut panicked = None;
    let end = loop {
        let request = match connection.reader.next_frame() {
            Ok(Some(request)) => request,
            Ok(None) => match connection.fill(stop.as_mut()).await? {
                Filled::Bytes => continue,
                Filled::Closed => return connection.flush().await,
                Filled::Stopped | Filled::Idle => break None,
            },
            // Riak closes the connection without an answer.
            Err(FrameError::Empty) => break None,
            Err(_) => {
                let error = ErrorReply::new("Invalid message packet, reason: invalid").and_close();
                break Some((error, None));
            }
        };
        let code = Some(request.code);
        let outcome = if service.serves(request.code) {
            connection.call(service, request, &mut outbox).await?
        } else {
            connection.outbox.lock().begin();
            Outcome::Failed(Failure::unknown_code(request.code))
        };
        match outcome {
            Outcome::Answered => {}
            Outcome::Failed(Failure::Hangup) => break None,
            Outcome::Gone => return Ok(()),
            Outcome::Panicked(payload) => {
                panicked = Some(payload);
                break None;
            }
            // The error is not sent: the client would take a frame after the last answer for
            // the answer to its next request.
            Outcome::Failed(Failure::Error(error)) if connection.outbox.lock().answered => {
                if error.close {
                    break None;
                }
            }
            Outcome::Failed(Failure::Error(error)) if error.close => break Some((error, code)),
            Outcome::Failed(Failure::Error(error)) => match service.error_frame(code) {
                Some(frame) => connection.push_error(&error, frame)?,
                None => break None,
            },
        }
        if !connection.outbox.lock().has_room() {
            connection.flush().await?;
        }
    };
    if let Some((error, code)) = &end
        && let Some(frame) = service.error_frame(*code)
    {
        connection.push_error(error, frame)?;
    }
    let closed = match connection.flush().await {
        Ok(()) => connection.linger().await,
        Err(error) => Err(error),
    };
    match panicked {
        Some(payload) => resume_unwind(payload),
        None => closed,
    }
}

/// The outcome of a request.
enum Outcome {
    Answered,
    Failed(Failure),
    /// The service panicked, with this payload. Answers to earlier requests may not
    /// have been written yet.
    Panicked(Box<dyn Any + Send>),
    /// The client has closed the connection.
    Gone,
}

/// The result of waiting for bytes.
enum Filled {
    Bytes,
    /// The client has closed its side.
    Closed,
    /// The server is shutting down.
    Stopped,
    /// The client has sent nothing for too long.
    Idle,
}

/// The state of a connection: its byte stream and buffers.
struct Connection<IO> {
    io: IO,
    reader: FrameReader,
    outbox: Outbox,
    /// Bytes taken from the outbox and not yet written.
    writing: WriteBuffer,
    refuse_behind_stream: bool,
    /// The wait for bytes from a client that has taken all answers.
    idle: Stall,
    /// The wait for a client to take some of `writing`.
    blocked: Stall,
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Connection<IO> {
    /// Calls the service, and writes its answers while it runs.
    async fn call<S: Service>(
        &mut self,
        service: &S,
        request: Frame,
        outbox: &mut Outbox,
    ) -> io::Result<Outcome> {
        self.outbox.lock().begin();
        let mut call = pin!(service.call(request, outbox));
        poll_fn(|cx| {
            // The call is not polled again after a panic, and the outbox never holds
            // part of a frame.
            let result = match catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(cx))) {
                Ok(result) => result,
                Err(payload) => return Poll::Ready(Ok(Outcome::Panicked(payload))),
            };
            if self.refuse_behind_stream && self.outbox.lock().streaming {
                // A client must not send a request during a stream. The check comes before
                // the end of the stream is written, so that any byte received was sent
                // before the client could know of the end.
                let too_early = if self.reader.is_within_frame() {
                    true
                } else {
                    match self.poll_read(cx) {
                        Poll::Ready(Ok(0)) => return Poll::Ready(Ok(Outcome::Gone)),
                        Poll::Ready(Ok(_)) => true,
                        Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                        Poll::Pending => false,
                    }
                };
                if too_early {
                    self.outbox.lock().answered = false;
                    let text = "Cannot send another request while one is in progress";
                    return Poll::Ready(Ok(Outcome::Failed(ErrorReply::new(text).and_close().into())));
                }
            }
            if let Poll::Ready(result) = result {
                return Poll::Ready(Ok(result.map_or_else(Outcome::Failed, |()| Outcome::Answered)));
            }
            match self.poll_flush(cx) {
                Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                // If a flush made room, it has woken the handler that waits for it.
                Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    /// Writes pending answers and waits for bytes or for `stop`.
    async fn fill(&mut self, mut stop: Pin<&mut impl Future<Output = ()>>) -> io::Result<Filled> {
        self.idle.end();
        poll_fn(|cx| {
            let flushed = self.poll_flush(cx)?.is_ready();
            if stop.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(Filled::Stopped));
            }
            if let Poll::Ready(count) = self.poll_read(cx)? {
                return Poll::Ready(Ok(if count == 0 { Filled::Closed } else { Filled::Bytes }));
            }
            // A client that still reads its answers is not idle.
            if flushed && self.idle.poll_expired(cx).is_ready() {
                return Poll::Ready(Ok(Filled::Idle));
            }
            Poll::Pending
        })
        .await
    }

    async fn flush(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    fn push_error(&mut self, error: &ErrorReply, frame: ErrorFrame) -> io::Result<()> {
        error
            .push(frame, &mut self.outbox.lock().out)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(self.reader.spare());
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer))?;
        let count = buffer.filled().len();
        self.reader.advance(count);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.writing.is_empty() {
                let mut state = self.outbox.lock();
                if state.out.is_empty() {
                    break;
                }
                let handler = state.take(&mut self.writing);
                drop(state);
                handler.into_iter().for_each(std::task::Waker::wake);
            }
            let mut slices = [IoSlice::new(&[]); MAX_SLICES];
            let used = self.writing.slices(&mut slices);
            let Poll::Ready(count) = Pin::new(&mut self.io).poll_write_vectored(cx, &slices[..used])? else {
                return self.poll_blocked(cx);
            };
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.writing.consume(count);
            self.blocked.end();
        }
        if Pin::new(&mut self.io).poll_flush(cx)?.is_pending() {
            return self.poll_blocked(cx);
        }
        self.blocked.end();
        Poll::Ready(Ok(()))
    }

    /// Fails once a write has been blocked for longer than
    /// [`write_timeout`](ServerConfig::write_timeout).
    fn poll_blocked(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.blocked.poll_expired(cx));
        let text = "the client took nothing of its answers within the write timeout";
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, text)))
    }

    /// Shuts down the sending side, then discards input until the client closes its side.
    async fn linger(&mut self) -> io::Result<()> {
        let drained = poll_fn(|cx| {
            ready!(Pin::new(&mut self.io).poll_shutdown(cx))?;
            let mut bytes = [0; 4096];
            loop {
                let mut buffer = ReadBuf::new(&mut bytes);
                ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer))?;
                if buffer.filled().is_empty() {
                    return Poll::Ready(Ok(()));
                }
            }
        });
        tokio::time::timeout(LINGER, drained).await.unwrap_or(Ok(()))
    }
}

/// A wait for the client that may take only so long.
struct Stall {
    /// `None` if it may take for ever.
    limit: Option<Duration>,
    /// Runs during a wait.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Stall {
    fn new(limit: Option<Duration>) -> Self {
        Self { limit, timer: None }
    }

    /// Begins the wait unless it has begun, and is ready once it has taken too long.
    fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(limit) = self.limit else { return Poll::Pending };
        self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit))).as_mut().poll(cx)
    }

    /// Ends the wait: the client has done something.
    fn end(&mut self) {
        self.timer = None;
    }
}
