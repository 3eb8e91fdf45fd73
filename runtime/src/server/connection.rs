//! [`serve_connection`]: one connection, from its first frame to its close.
//!
//! Requests are taken one after the other out of what was read; answers are
//! written when there is nothing left to be read, when they get many, or when a
//! handler waits. Invariant: an answer is written before the connection is
//! closed behind it.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::config::ServerConfig;
use super::failure::{ErrorReply, Failure};
use super::outbox::Outbox;
use super::service::Service;
use crate::error::FrameError;
use crate::operation::ErrorFrame;
use crate::{Frame, FrameReader, WriteBuffer};

/// Slices of one vectored write.
const SLICES: usize = 64;

/// How long a client gets to read the last answer and close its side. Closing
/// a socket with bytes unread would take the answer back.
const LINGER: Duration = Duration::from_secs(2);

/// Serves one connection, over anything that can be read and written, until either
/// side closes it.
///
/// When this side closes, after an error that says so, it waits up to 2 seconds for
/// the client to read the last answer. [`ServerConfig::grace`] is not used. If the
/// future is dropped, so is `io`.
///
/// # Errors
///
/// If reading or writing fails.
///
/// # Panics
///
/// Outside of a tokio runtime with timers, if this side closes the connection; and if
/// the service panics, after the answers to earlier requests have been written.
pub async fn serve_connection<IO, S>(io: IO, service: &S, config: &ServerConfig) -> io::Result<()>
where
    IO: AsyncRead + AsyncWrite + Unpin + Send,
    S: Service,
{
    serve_until(io, service, config, std::future::pending()).await
}

/// Serves a connection until either side closes it or, between two requests,
/// `stop` is ready.
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
    let mut wire = Wire {
        io,
        reader: FrameReader::new(config.max_frame),
        outbox: outbox.share(),
        writing: WriteBuffer::new(),
        refuse_behind_stream: config.refuse_behind_stream,
    };
    let mut panicked = None;
    let end = loop {
        let request = match wire.reader.next_frame() {
            Ok(Some(request)) => request,
            Ok(None) => match wire.fill(stop.as_mut()).await? {
                Filled::Some => continue,
                Filled::Closed => return wire.flush().await,
                Filled::Stopped => break None,
            },
            // Riak closes without a word.
            Err(FrameError::Empty) => break None,
            Err(_) => {
                let error = ErrorReply::new("Invalid message packet, reason: invalid").and_close();
                break Some((error, None));
            }
        };
        let code = Some(request.code);
        let done = if service.serves(request.code) {
            wire.call(service, request, &mut outbox).await?
        } else {
            wire.outbox.lock().begin();
            Done::Failed(Failure::unknown_code(request.code))
        };
        match done {
            Done::Answered => {}
            Done::Failed(Failure::Hangup) | Done::Gone => return Ok(()),
            Done::Panicked(payload) => {
                panicked = Some(payload);
                break None;
            }
            // Nothing may follow the last answer: it would be taken for the next
            // request's.
            Done::Failed(Failure::Error(error)) if wire.outbox.lock().answered => {
                if error.close {
                    break None;
                }
            }
            Done::Failed(Failure::Error(error)) if error.close => break Some((error, code)),
            Done::Failed(Failure::Error(error)) => match service.error_frame(code) {
                Some(frame) => wire.push_error(&error, frame)?,
                None => break None,
            },
        }
        if !wire.outbox.lock().has_room() {
            wire.flush().await?;
        }
    };
    if let Some((error, code)) = &end
        && let Some(frame) = service.error_frame(*code)
    {
        wire.push_error(error, frame)?;
    }
    let closed = match wire.flush().await {
        Ok(()) => wire.linger().await,
        Err(error) => Err(error),
    };
    match panicked {
        Some(payload) => resume_unwind(payload),
        None => closed,
    }
}

/// What became of a request.
enum Done {
    Answered,
    Failed(Failure),
    /// The service panicked, with this payload. Answers to earlier requests may not
    /// have been written yet.
    Panicked(Box<dyn Any + Send>),
    /// The client has gone.
    Gone,
}

/// What came of waiting for bytes.
enum Filled {
    Some,
    /// The client has closed its side.
    Closed,
    /// The server is to stop.
    Stopped,
}

struct Wire<IO> {
    io: IO,
    reader: FrameReader,
    outbox: Outbox,
    /// What was taken out of the outbox.
    writing: WriteBuffer,
    refuse_behind_stream: bool,
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Wire<IO> {
    /// Calls the service; meanwhile writes what it has answered.
    async fn call<S: Service>(
        &mut self,
        service: &S,
        request: Frame,
        outbox: &mut Outbox,
    ) -> io::Result<Done> {
        self.outbox.lock().begin();
        let mut call = pin!(service.call(request, outbox));
        poll_fn(|cx| {
            // The call is not polled again after a panic, and the outbox never holds
            // part of a frame.
            let result = match catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(cx))) {
                Ok(result) => result,
                Err(payload) => return Poll::Ready(Ok(Done::Panicked(payload))),
            };
            if self.refuse_behind_stream && self.outbox.lock().streaming {
                // Nothing may be sent behind a request that streams. This looks
                // before the stream's end is written, so that what has come was
                // sent before the client could know it.
                let too_early = if self.reader.is_within_frame() {
                    true
                } else {
                    match self.poll_read(cx) {
                        Poll::Ready(Ok(0)) => return Poll::Ready(Ok(Done::Gone)),
                        Poll::Ready(Ok(_)) => true,
                        Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                        Poll::Pending => false,
                    }
                };
                if too_early {
                    self.outbox.lock().answered = false;
                    let text = "Cannot send another request while one is in progress";
                    return Poll::Ready(Ok(Done::Failed(ErrorReply::new(text).and_close().into())));
                }
            }
            if let Poll::Ready(result) = result {
                return Poll::Ready(Ok(result.map_or_else(Done::Failed, |()| Done::Answered)));
            }
            match self.poll_flush(cx) {
                Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                // A handler that waited for room has been woken.
                Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    /// Writes what there is and waits for bytes.
    async fn fill(&mut self, mut stop: Pin<&mut impl Future<Output = ()>>) -> io::Result<Filled> {
        poll_fn(|cx| {
            if let Poll::Ready(Err(error)) = self.poll_flush(cx) {
                return Poll::Ready(Err(error));
            }
            if stop.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(Filled::Stopped));
            }
            let count = ready!(self.poll_read(cx))?;
            Poll::Ready(Ok(if count == 0 { Filled::Closed } else { Filled::Some }))
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
                let mut pending = self.outbox.lock();
                if pending.out.is_empty() {
                    break;
                }
                let handler = pending.take(&mut self.writing);
                drop(pending);
                handler.into_iter().for_each(std::task::Waker::wake);
            }
            let mut slices = [IoSlice::new(&[]); SLICES];
            let used = self.writing.slices(&mut slices);
            let count = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, &slices[..used]))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.writing.consume(count);
        }
        Pin::new(&mut self.io).poll_flush(cx)
    }

    /// Says that nothing more comes, and reads until the client has seen it.
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
