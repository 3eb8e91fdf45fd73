//! [`Connection`]: a handle on one connection to a server, for many callers.
//!
//! Invariant: a call that is in the pipeline is given up when its future or
//! stream is dropped, and the driver is told when the last handle is gone.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::ToSocketAddrs;

use super::call::{Answered, Call};
use super::config::ConnectionConfig;
use super::connector::dial;
use super::driver::Driver;
use super::error::{CallError, ConnectionError, NotSent};
use super::outgoing::Outgoing;
use super::pipeline::Pipeline;
use super::responses::FrameStream;
use super::slots::Ticket;
use super::sync::{Arc, Mutex, MutexGuard};
use crate::DecodeLimits;

/// A connection to one server: a handle that is cheap to clone and can be used by
/// many tasks at once.
///
/// It is not re-established when it fails, and no call is repeated: that is what
/// [`Pool`](super::Pool) and [`Cluster`](super::Cluster) do.
///
/// ```no_run
/// use riak_runtime::Request;
/// use riak_runtime::client::{CallError, CallExt, Connection, ConnectionConfig};
/// use std::time::Duration;
///
/// # async fn example<R: Request>(first: R, second: R) -> Result<(), Box<dyn std::error::Error>> {
/// let config = ConnectionConfig::new().call_timeout(Some(Duration::from_secs(5)));
/// let connection = Connection::connect_with("127.0.0.1:8087", config).await?;
///
/// // Clones share the connection: both calls are in flight at once.
/// let (mine, other) = (connection.clone(), connection.clone());
/// let task = async move { other.call(&second).await };
/// let (first, second) = tokio::join!(mine.call(&first), task);
/// (first?, second?);
/// if let Some(reason) = connection.closed() {
///     println!("connect again: {reason}");
/// }
/// # Ok(())
/// # }
/// ```
///
/// Unary calls are in flight together, up to
/// [`max_in_flight`](ConnectionConfig::max_in_flight); further ones wait their
/// turn, first come, first served. A stream, or a call of
/// [`Cost::Long`](crate::operation::Cost), starts when nothing is in flight any
/// more and has the connection to itself until its end.
///
/// Futures and streams may be dropped at any time, and no call ever gets
/// another's answer:
///
/// - a call that waits its turn is not sent;
/// - a unary call that was sent keeps its place in the order of answers, and its
///   answer is read and discarded. Until then it counts against
///   [`max_owed`](ConnectionConfig::max_owed);
/// - a stream that is dropped before its end, or a call of `Cost::Long`, closes
///   the connection, since the protocol has no message that cancels it. Calls that
///   wait behind it fail with [`NotSent`].
///
/// The connection closes when the last handle and the last stream are dropped.
#[derive(Clone)]
pub struct Connection {
    handle: Arc<Handle>,
}

/// What handles and the driver share.
pub(super) struct Shared {
    state: Mutex<ConnectionState>,
    /// The driver has ended, which can be seen without a lock.
    ended: AtomicBool,
    progress: Progress,
}

/// What a pool asks at each call: seen without a lock, and as it was when the
/// pipeline was last unlocked.
#[derive(Default)]
struct Progress {
    owed: AtomicUsize,
    answered: AtomicU64,
}

pub(super) struct ConnectionState {
    pub(super) pipeline: Pipeline,
    /// The driver, if it has not been woken already.
    driver_waker: Option<Waker>,
}

/// Counts handles: the driver, which shares the rest, must not keep itself
/// alive.
pub(super) struct Handle {
    shared: Arc<Shared>,
    pub(super) decode_limits: DecodeLimits,
    max_owed: usize,
}

/// The clock that deadlines are measured by: tokio's, which tests can stop.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, ConnectionState> {
        // A request that panics while it is encoded leaves no trace.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows those without the lock how it stands.
    pub(super) fn publish_progress(&self, pipeline: &Pipeline) {
        let (owed, answered) = pipeline.progress();
        self.progress.owed.store(owed, Ordering::Relaxed);
        self.progress.answered.store(answered, Ordering::Relaxed);
    }

    /// Says that the driver has ended.
    pub(super) fn mark_ended(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

impl ConnectionState {
    /// Remembers how to wake the driver. Returns how it was before.
    pub(super) fn register_driver(&mut self, waker: &Waker) -> Option<Waker> {
        match &self.driver_waker {
            Some(known) if known.will_wake(waker) => None,
            _ => self.driver_waker.replace(waker.clone()),
        }
    }
}

impl Handle {
    /// Does something with the pipeline, then wakes whom that concerns.
    pub(super) fn with_pipeline<T>(&self, act: impl FnOnce(&mut Pipeline) -> T) -> T {
        let mut wakers = Vec::new();
        let mut state = self.shared.lock();
        let result = act(&mut state.pipeline);
        self.shared.publish_progress(&state.pipeline);
        let driver = if state.pipeline.needs_driver() { state.driver_waker.take() } else { None };
        let unused = state.pipeline.take_wakers(&mut wakers);
        drop(state);
        drop(unused);
        for waker in driver.into_iter().chain(wakers) {
            waker.wake();
        }
        result
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.with_pipeline(Pipeline::close);
    }
}

impl Connection {
    /// Connects over TCP with the default settings and spawns the driver.
    ///
    /// # Errors
    ///
    /// If connecting fails or takes longer than 5 seconds.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with timers and IO.
    pub async fn connect(address: impl ToSocketAddrs) -> Result<Self, ConnectionError> {
        Self::connect_with(address, ConnectionConfig::default()).await
    }

    /// Connects over TCP and spawns the driver. A name that has several addresses
    /// is tried at each of them, in the order in which they were found.
    ///
    /// # Errors
    ///
    /// If connecting fails or takes longer than
    /// [`connect_timeout`](ConnectionConfig::connect_timeout).
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with timers and IO.
    pub async fn connect_with(
        address: impl ToSocketAddrs,
        config: ConnectionConfig,
    ) -> Result<Self, ConnectionError> {
        let socket = dial(address, config.connect_timeout).await?;
        let (connection, driver) = Self::new(socket, config);
        tokio::spawn(driver);
        Ok(connection)
    }

    /// Makes a connection of anything that bytes can be read from and written to,
    /// and the [`Driver`] that moves its bytes: spawn the driver, or poll it along
    /// with the calls.
    ///
    /// A write that fails must have written nothing, as [`std::io::Write`]
    /// requires: calls whose frames were not wholly written fail as not sent.
    /// A writer that may have sent some bytes all the same, such as TLS, needs
    /// [`Driver::leaking`].
    ///
    /// [`ConnectionConfig::connect_timeout`] is not used. The driver needs a tokio
    /// runtime with timers as soon as a call has a deadline or a timeout.
    pub fn new<IO>(io: IO, config: ConnectionConfig) -> (Self, Driver<IO>)
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let (max_frame, decode_limits, max_owed) = (config.max_frame, config.decode_limits, config.max_owed);
        let state = Mutex::new(ConnectionState { pipeline: Pipeline::new(config), driver_waker: None });
        let (ended, progress) = (AtomicBool::new(false), Progress::default());
        let shared = Arc::new(Shared { state, ended, progress });
        let driver = Driver::new(io, Arc::clone(&shared), max_frame);
        (Self { handle: Arc::new(Handle { shared, decode_limits, max_owed }) }, driver)
    }

    /// Why no more calls can be made on this connection; `None` if they still can.
    #[must_use]
    pub fn closed(&self) -> Option<ConnectionError> {
        self.handle.shared.lock().pipeline.closed().cloned()
    }

    /// Whether the driver has ended: what [`Connection::closed`] tells, in a hurry,
    /// and a moment later.
    pub(super) fn has_ended(&self) -> bool {
        self.handle.shared.ended.load(Ordering::Relaxed)
    }

    /// How many answers are owed that nobody waits for any more, without a lock.
    pub(super) fn owed(&self) -> usize {
        self.handle.shared.progress.owed.load(Ordering::Relaxed)
    }

    /// How many calls have been answered, without a lock.
    pub(super) fn answered(&self) -> u64 {
        self.handle.shared.progress.answered.load(Ordering::Relaxed)
    }

    /// How many calls are in flight, including those that were given up and whose
    /// answers have not arrived yet.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.handle.shared.lock().pipeline.load().0
    }

    /// How many calls wait for their turn to be sent.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.handle.shared.lock().pipeline.load().1
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.handle.shared.lock();
        let (in_flight, waiting) = state.pipeline.load();
        f.debug_struct("Connection")
            .field("in_flight", &in_flight)
            .field("waiting", &waiting)
            .field("closed", &state.pipeline.closed())
            .finish()
    }
}

impl Call for Connection {
    fn unary(&self, request: &Outgoing<'_>) -> impl Future<Output = Result<Answered, CallError>> + Send {
        UnaryCall { handle: &self.handle, stage: Stage::Start(request) }
    }

    fn stream(&self, request: &Outgoing<'_>) -> impl Future<Output = Result<FrameStream, CallError>> + Send {
        StreamCall { handle: &self.handle, stage: Stage::Start(request) }
    }

    fn decode_limits(&self) -> DecodeLimits {
        self.handle.decode_limits
    }

    fn max_owed(&self) -> Option<usize> {
        Some(self.handle.max_owed)
    }
}

/// A unary call: not started before it is polled.
struct UnaryCall<'c, 'r> {
    handle: &'c Arc<Handle>,
    stage: Stage<'r, Ticket>,
}

/// A streaming call until its first answer.
struct StreamCall<'c, 'r> {
    handle: &'c Arc<Handle>,
    stage: Stage<'r, FrameStream>,
}

enum Stage<'r, T> {
    Start(&'r Outgoing<'r>),
    Started(T),
    Done,
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
                        unreachable!("it was just looked at");
                    };
                    Poll::Ready(result.map(|()| stream))
                }
            },
            Stage::Done => panic!("a call was polled after its end"),
        }
    }
}
