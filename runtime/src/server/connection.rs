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
    let mut outbox = Outbox::new(config);
    let mut connection = Connection {
        io,
        reader: FrameReader::new(config.max_frame),
        outbox: outbox.share(),
        writing: WriteBuffer::new(),
        half_closed: false,
        refuse_behind_stream: config.refuse_behind_stream,
        idle: Stall::new(config.idle_timeout),
        blocked: Stall::new(config.write_timeout),
    };
    // After an error nothing more can be written.
    let end = connection.serve(service, &mut outbox, pin!(stop)).await?;
    connection.close(end).await
}

/// Why a connection ends, if its byte stream has not failed.
enum End {
    /// The client has closed its sending side, and all its requests are answered.
    Client,
    /// This side closes it. The error that says why, if one is due, is in the outbox.
    Server,
    /// The service panicked, with this payload.
    Panic(Box<dyn Any + Send>),
}

/// The outcome of a request.
enum Outcome {
    Answered,
    Failed(Failure),
    /// Another request arrived during the stream of answers.
    Interrupted,
    /// The service panicked, with this payload.
    Panicked(Box<dyn Any + Send>),
}

/// The result of waiting for bytes.
enum Filled {
    Bytes,
    /// The client has closed its sending side.
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
    /// Whether the client has closed its sending side. It may still read.
    half_closed: bool,
    refuse_behind_stream: bool,
    /// The wait for bytes from a client that has taken all answers.
    idle: Stall,
    /// The wait for a client to take some of `writing`.
    blocked: Stall,
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Connection<IO> {
    /// Answers requests until the connection ends. What is in the outbox then has yet to
    /// be written.
    async fn serve<S: Service>(
        &mut self,
        service: &S,
        outbox: &mut Outbox,
        mut stop: Pin<&mut impl Future<Output = ()>>,
    ) -> io::Result<End> {
        loop {
            let request = match self.reader.next_frame() {
                Ok(Some(request)) => request,
                Ok(None) => match self.fill(stop.as_mut()).await? {
                    Filled::Bytes => continue,
                    Filled::Closed => return Ok(End::Client),
                    Filled::Stopped | Filled::Idle => return Ok(End::Server),
                },
                // Riak closes the connection without an answer.
                Err(FrameError::Empty) => return Ok(End::Server),
                Err(error) => {
                    let error = ErrorReply::new(format!("Invalid message packet, reason: {error}"));
                    self.push_error(&error, service.error_frame(None));
                    return Ok(End::Server);
                }
            };
            if let Some(end) = self.answer(service, request, outbox).await? {
                return Ok(end);
            }
            if !self.outbox.lock().has_room() {
                self.flush().await?;
            }
        }
    }

    /// Answers a request. Returns how the connection ends, if it does.
    async fn answer<S: Service>(
        &mut self,
        service: &S,
        request: Frame,
        outbox: &mut Outbox,
    ) -> io::Result<Option<End>> {
        let code = request.code;
        self.outbox.lock().begin();
        let outcome = if service.serves(code) {
            self.call(service, request, outbox).await?
        } else {
            Outcome::Failed(Failure::unknown_code(code))
        };
        let error = match outcome {
            Outcome::Answered => return Ok(None),
            Outcome::Panicked(payload) => return Ok(Some(End::Panic(payload))),
            Outcome::Failed(Failure::Hangup) => return Ok(Some(End::Server)),
            Outcome::Failed(Failure::Error(error)) => {
                let state = self.outbox.lock();
                // The error is not sent: the client would take a frame after the last answer
                // for the answer to its next request. A stream has told the client that it
                // is complete; an answer that is contradicted is all that a unary request
                // gets on this connection.
                if state.is_answered() {
                    error.report_unsent(code);
                    let stays = state.is_stream() && !error.close;
                    return Ok(if stays { None } else { Some(End::Server) });
                }
                error
            }
            Outcome::Interrupted => {
                ErrorReply::new("Cannot send another request while one is in progress").and_close()
            }
        };
        let told = self.push_error(&error, service.error_frame(Some(code)));
        Ok(if told && !error.close { None } else { Some(End::Server) })
    }

    /// Writes what is left of the answers and closes the connection. A panic of the
    /// service goes on from here.
    async fn close(mut self, end: End) -> io::Result<()> {
        let mut closed = self.flush().await;
        if closed.is_ok() && !matches!(end, End::Client) {
            closed = self.linger().await;
        }
        match end {
            End::Panic(payload) => resume_unwind(payload),
            End::Client | End::Server => closed,
        }
    }

    /// Calls the service, and writes its answers while it runs.
    async fn call<S: Service>(
        &mut self,
        service: &S,
        request: Frame,
        outbox: &mut Outbox,
    ) -> io::Result<Outcome> {
        let mut call = pin!(service.call(request, outbox));
        poll_fn(|cx| {
            // The call is not polled again after a panic, and the outbox never holds
            // part of a frame.
            let result = match catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(cx))) {
                Ok(result) => result,
                Err(payload) => return Poll::Ready(Ok(Outcome::Panicked(payload))),
            };
            // A client must not send a request during a stream. The check comes before the
            // end of the stream is written, so that any byte received was sent before the
            // client could know of the end.
            if self.refuse_behind_stream
                && self.outbox.lock().is_streaming()
                && self.poll_interrupted(cx)?.is_ready()
            {
                return Poll::Ready(Ok(Outcome::Interrupted));
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

    /// Is ready once the client has sent something beyond the current request.
    ///
    /// The end of its bytes is not the end of the client, which may wait for its answers:
    /// one that has gone away is found out by a read that fails, or else by a write.
    fn poll_interrupted(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.reader.is_within_frame() {
            return Poll::Ready(Ok(()));
        }
        if ready!(self.poll_read(cx))? == 0 { Poll::Pending } else { Poll::Ready(Ok(())) }
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

    /// Puts an error into the outbox. Returns false, and does nothing, if the schema has no
    /// error frame or the error is too long for one.
    fn push_error(&mut self, error: &ErrorReply, frame: Option<ErrorFrame>) -> bool {
        frame.is_some_and(|frame| error.push(frame, &mut self.outbox.lock().out).is_ok())
    }

    /// Reads into the reader's buffer. The number of bytes is 0, and nothing is read, once
    /// the client has closed its sending side.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.half_closed {
            return Poll::Ready(Ok(0));
        }
        let mut buffer = ReadBuf::new(self.reader.spare());
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer))?;
        let count = buffer.filled().len();
        self.reader.advance(count);
        self.half_closed = count == 0;
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
