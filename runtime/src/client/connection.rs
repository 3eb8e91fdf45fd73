//! [`Connection`]: a handle to one connection to a server, for many callers.
//!
//! Invariant: dropping the future or stream of a call cancels it in the pipeline,
//! and dropping the last handle closes the pipeline, which ends the driver.

mod calls;

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{OnceLock, PoisonError};
use std::task::Waker;
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::ToSocketAddrs;

use super::call::{Answered, Call, WideFrame};
use super::config::ConnectionConfig;
use super::connector::dial;
use super::driver::Driver;
use super::error::{CallError, ConnectionError};
use super::outgoing::Outgoing;
use super::pipeline::Pipeline;
use super::responses::FrameStream;
use super::sync::{Arc, Mutex, MutexGuard};
use crate::DecodeLimits;
use calls::{StreamCall, UnaryCall};

/// A connection to one server: a handle that is cheap to clone and can be used by
/// many tasks at once.
///
/// A connection does not reconnect and does not retry calls: [`Pool`](super::Pool)
/// and [`Cluster`](super::Cluster) do.
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
/// [`max_in_flight`](ConnectionConfig::max_in_flight); further calls wait in a
/// queue, first come, first served. A stream, or a call of
/// [`Cost::Long`](crate::operation::Cost), starts when nothing else is in flight and
/// has the connection to itself until it ends.
///
/// Futures and streams may be dropped at any time, and no call ever gets the answer
/// to another. When a call is dropped:
///
/// - a call that waits in the queue is not sent;
/// - the answer to a unary call that was sent is read and discarded. Until it
///   arrives, the call counts against [`max_owed`](ConnectionConfig::max_owed);
/// - a stream before its end, or a call of `Cost::Long`, closes the connection, since
///   the protocol has no message that cancels it. Calls that wait behind it fail with
///   [`NotSent`](super::NotSent).
///
/// The connection closes when the last handle and the last stream are dropped.
#[derive(Clone)]
pub struct Connection {
    handle: Arc<Handle>,
}

/// The state that handles and the driver share.
pub(super) struct Shared {
    state: Mutex<ConnectionState>,
    /// Whether the driver has ended, readable without the lock.
    ended: AtomicBool,
    progress: Progress,
    /// Called when the last owed answer has arrived.
    on_settled: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

/// Counters that a pool reads at each call without the lock, as of when the pipeline
/// was last unlocked.
#[derive(Default)]
struct Progress {
    owed: AtomicUsize,
    answered: AtomicU64,
}

/// The state behind the lock.
pub(super) struct ConnectionState {
    pub(super) pipeline: Pipeline,
    /// The driver's waker; `None` if it has been woken already.
    driver_waker: Option<Waker>,
}

/// The part that [`Connection`]s and streams share, without the driver.
///
/// It is dropped with the last of them. The driver holds [`Shared`] only, so that it
/// does not keep its own connection open.
pub(super) struct Handle {
    shared: Arc<Shared>,
    pub(super) decode_limits: DecodeLimits,
    max_owed: usize,
}

/// Returns the time by tokio's clock, which tests can pause.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, ConnectionState> {
        // A request that panics while it is encoded leaves the state unchanged.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes the counters that are read without the lock. If it returns true,
    /// [`Shared::settled`] has to be called after the pipeline is unlocked.
    pub(super) fn publish_progress(&self, pipeline: &Pipeline) -> bool {
        let (owed, answered) = pipeline.progress();
        let known = (self.owed(), self.progress.answered.load(Ordering::Relaxed));
        // Written only if they have changed: other cores then keep the cache line.
        if (owed, answered) != known {
            self.progress.owed.store(owed, Ordering::Relaxed);
            self.progress.answered.store(answered, Ordering::Relaxed);
        }
        owed == 0 && known.0 != 0
    }

    /// Tells the pool that no answer is owed any more.
    #[cold]
    pub(super) fn settled(&self) {
        if let Some(tell) = self.on_settled.get() {
            tell();
        }
    }

    fn owed(&self) -> usize {
        self.progress.owed.load(Ordering::Relaxed)
    }

    /// Records that the driver has ended.
    pub(super) fn mark_ended(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

impl ConnectionState {
    /// Stores the driver's waker. Returns the one that it replaces.
    pub(super) fn register_driver(&mut self, waker: &Waker) -> Option<Waker> {
        match &self.driver_waker {
            Some(known) if known.will_wake(waker) => None,
            _ => self.driver_waker.replace(waker.clone()),
        }
    }
}

impl Handle {
    /// Runs `act` on the locked pipeline, then wakes the driver and callers as needed.
    pub(super) fn with_pipeline<T>(&self, act: impl FnOnce(&mut Pipeline) -> T) -> T {
        let mut wakers = Vec::new();
        let mut state = self.shared.lock();
        let result = act(&mut state.pipeline);
        let settled = self.shared.publish_progress(&state.pipeline);
        let driver = if state.pipeline.needs_driver() { state.driver_waker.take() } else { None };
        let stale_wakers = state.pipeline.take_wakers(&mut wakers);
        drop(state);
        drop(stale_wakers);
        for waker in driver.into_iter().chain(wakers) {
            waker.wake();
        }
        if settled {
            self.shared.settled();
        }
        result
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.with_pipeline(|pipeline| pipeline.fail(&ConnectionError::Stopped));
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

    /// Connects over TCP and spawns the driver. If a host name has several addresses,
    /// they are tried in the order of the lookup's result.
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

    /// Creates a connection over any byte stream, and the [`Driver`] that moves its
    /// bytes. Spawn the driver, or poll it along with the calls.
    ///
    /// A write that fails must have written nothing, as [`std::io::Write`] requires:
    /// calls whose frames were not completely written fail as not sent. A writer that
    /// may have sent some bytes in spite of the error, such as TLS, needs
    /// [`Driver::assume_sent`].
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
        let shared = Arc::new(Shared { state, ended, progress, on_settled: OnceLock::new() });
        let driver = Driver::new(io, Arc::clone(&shared), max_frame);
        (Self { handle: Arc::new(Handle { shared, decode_limits, max_owed }) }, driver)
    }

    /// Makes a unary call. `now` is the time if it is polled at once, and `None` if it may
    /// be polled later.
    pub(super) fn unary_frame(
        &self,
        request: &Outgoing<'_>,
        now: Option<Instant>,
    ) -> impl Future<Output = Result<WideFrame, CallError>> + Send {
        UnaryCall::new(&self.handle, request, now)
    }

    /// Returns why the connection takes no more calls; `None` if it still does.
    #[must_use]
    pub fn closed(&self) -> Option<ConnectionError> {
        self.handle.shared.lock().pipeline.closed().cloned()
    }

    /// Reports whether the driver has ended. Unlike [`Connection::closed`] it takes no
    /// lock, and it turns true slightly later.
    pub(super) fn has_ended(&self) -> bool {
        self.handle.shared.ended.load(Ordering::Relaxed)
    }

    /// Returns the number of owed answers that no caller waits for, without the lock.
    pub(super) fn owed(&self) -> usize {
        self.handle.shared.owed()
    }

    /// Sets what is called when the last owed answer has arrived. Only the first call has
    /// an effect.
    pub(super) fn on_settled(&self, tell: impl Fn() + Send + Sync + 'static) {
        let _ = self.handle.shared.on_settled.set(Box::new(tell));
    }

    /// Returns the number of requests answered so far, without the lock.
    pub(super) fn answered(&self) -> u64 {
        self.handle.shared.progress.answered.load(Ordering::Relaxed)
    }

    /// Returns the number of calls in flight, including dropped and timed-out calls
    /// whose answers have not arrived yet.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.handle.shared.lock().pipeline.load().0
    }

    /// Returns the number of calls that wait to be sent.
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
        UnaryCall::new(&self.handle, request, None)
    }

    fn stream(&self, request: &Outgoing<'_>) -> impl Future<Output = Result<FrameStream, CallError>> + Send {
        StreamCall::new(&self.handle, request)
    }

    fn decode_limits(&self) -> DecodeLimits {
        self.handle.decode_limits
    }

    fn max_owed(&self) -> Option<usize> {
        Some(self.handle.max_owed)
    }
}
