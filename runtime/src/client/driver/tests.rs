//! The driver over byte streams that fail, stall or flood.
//!
//! Invariant: no call is told more or less than what the driver can know.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::Blob;
use crate::client::pipeline::tests::{FOLD, GET};
use crate::client::{CallError, Connection, ConnectionConfig, frame};

/// A writer that fails each write; how many bytes it sent is unknown.
struct BrokenWriter;

impl AsyncRead for BrokenWriter {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for BrokenWriter {
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
async fn a_failed_write_that_is_assumed_to_be_sent_may_have_been_applied() {
    for assumes_sent in [false, true] {
        let (connection, driver) = Connection::new(BrokenWriter, ConnectionConfig::new());
        let driver = if assumes_sent { driver.assume_sent() } else { driver };
        let body = Blob::from("value");
        let (result, _) = tokio::join!(frame(&connection, &GET, &body), driver);
        let error = result.unwrap_err();
        assert_eq!(error.may_have_been_applied(), assumes_sent, "{error:?}");
        assert_eq!(matches!(error, CallError::Lost(_)), assumes_sent, "{error:?}");
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
    let driving = tokio::spawn(driver.assume_sent());
    let call = async { frame(&connection, &GET, &Blob::new()).await };
    let answer = tokio::time::timeout(Duration::from_secs(5), call).await.unwrap().unwrap();
    assert_eq!(answer.code, 10);
    driving.abort();
}

/// Answers that arrived while this side was stalled are in time.
#[tokio::test]
async fn an_answer_that_has_arrived_is_not_timed_out() {
    let (near, mut far) = tokio::io::duplex(1000);
    let config = ConnectionConfig::new().call_timeout(Some(Duration::from_millis(50)));
    let (connection, driver) = Connection::new(near, config);
    let driver = tokio::spawn(driver);
    let call = tokio::spawn(async move { frame(&connection, &GET, &Blob::new()).await });
    let mut request = [0; 5];
    far.read_exact(&mut request).await.unwrap();
    far.write_all(&[0, 0, 0, 1, 10]).await.unwrap();
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(call.await.unwrap().unwrap().code, 10);
    driver.abort();
}

/// Otherwise a pool would take a closed connection for one that is merely slow.
#[tokio::test]
async fn nothing_is_owed_once_the_connection_is_closed() {
    let (near, mut far) = tokio::io::duplex(1000);
    let (connection, driver) = Connection::new(near, ConnectionConfig::new());
    let driver = tokio::spawn(driver);
    let caller = connection.clone();
    let call = tokio::spawn(async move { frame(&caller, &GET, &Blob::new()).await });
    let mut request = [0; 5];
    far.read_exact(&mut request).await.unwrap();
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    assert_eq!(connection.owed(), 1);
    drop(far);
    driver.await.unwrap().unwrap_err();
    assert_eq!(connection.owed(), 0);
}

/// The server sends one endless frame.
#[tokio::test]
async fn a_server_that_sends_without_end_postpones_no_deadline() {
    let (near, mut far) = tokio::io::duplex(64 * 1024);
    let config = ConnectionConfig::new().call_timeout(Some(Duration::from_millis(50)));
    let (connection, driver) = Connection::new(near, config);
    let driver = tokio::spawn(driver);
    let sender = tokio::spawn(async move {
        // A frame too long to end within the timeout, a few bytes at a time.
        far.write_all(&[2, 0, 0, 0, 10]).await?;
        loop {
            far.write_all(&[0; 8]).await?;
            tokio::task::yield_now().await;
        }
        #[expect(unreachable_code, reason = "names the error type")]
        Ok::<(), io::Error>(())
    });
    let start = std::time::Instant::now();
    let error = frame(&connection, &GET, &Blob::new()).await.unwrap_err();
    assert!(matches!(error, CallError::Timeout { .. }), "{error:?}");
    assert!(start.elapsed() < Duration::from_secs(2));
    driver.abort();
    sender.abort();
}

/// A stream that counts writes.
struct Counted {
    stream: tokio::io::DuplexStream,
    writes: std::sync::Arc<std::sync::atomic::AtomicUsize>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.writes.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// On a runtime with threads, a driver that is woken runs right after the first caller.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_write_takes_the_requests_of_all_callers_that_are_about_to_run() {
    const CALLERS: usize = 16;
    const CALLS: usize = 50;
    let (near, mut far) = tokio::io::duplex(1 << 16);
    let writes = std::sync::Arc::default();
    let io = Counted { stream: near, writes: std::sync::Arc::clone(&writes) };
    let (connection, driver) = Connection::new(io, ConnectionConfig::new());
    tokio::spawn(driver);
    let server = tokio::spawn(async move {
        let mut requests = [0; 1 << 12];
        loop {
            let len = far.read(&mut requests).await.unwrap();
            if len == 0 {
                return;
            }
            // Callers do not run one after the other if answers take time.
            tokio::time::sleep(Duration::from_millis(1)).await;
            // The requests have no body; nor have the answers.
            far.write_all(&[0, 0, 0, 1, 10].repeat(len / 5)).await.unwrap();
        }
    });
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let connection = connection.clone();
            tokio::spawn(async move {
                for _ in 0..CALLS {
                    frame(&connection, &GET, &Blob::new()).await.unwrap();
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    drop(connection);
    server.await.unwrap();
    let writes = writes.load(std::sync::atomic::Ordering::Relaxed);
    assert!(writes <= CALLERS * CALLS / 4, "{writes} writes for {} calls", CALLERS * CALLS);
}

/// A TLS stream that takes no bytes at first. Later it takes all of them, but sends them
/// on only as the socket lets it, which cannot be told from here.
struct TakesLater {
    opens: tokio::time::Instant,
}

impl AsyncRead for TakesLater {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for TakesLater {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if tokio::time::Instant::now() < self.opens { Poll::Pending } else { Poll::Ready(Ok(bytes.len())) }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// The last look for an answer may write what was still to be written. An exclusive call
/// that times out then was sent.
#[tokio::test(start_paused = true)]
async fn what_was_written_just_before_the_deadline_may_have_been_applied() {
    let limit = Duration::from_millis(50);
    for (opens, sent) in [(limit, true), (limit * 2, false)] {
        let stream = TakesLater { opens: tokio::time::Instant::now() + opens };
        let config = ConnectionConfig::new().long_call_timeout(Some(limit));
        let (connection, driver) = Connection::new(stream, config);
        let body = Blob::from("value");
        let (result, _) = tokio::join!(frame(&connection, &FOLD, &body), driver.assume_sent());
        let error = result.unwrap_err();
        assert!(matches!(error, CallError::Timeout { .. }), "{error:?}");
        assert_eq!(error.may_have_been_applied(), sent, "{error:?}");
    }
}
