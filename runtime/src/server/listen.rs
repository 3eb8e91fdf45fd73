//! [`Server`]: accepts connections until it is shut down.
//!
//! Invariant: the future of [`Server::serve`] owns the tasks of all connections: when
//! it ends or is dropped, none is left.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Sleep;

use super::config::ServerConfig;
use super::connection::serve_until;
use super::service::Service;

/// Delay after an accept that failed for want of something, such as file descriptors.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(50);

/// `EPROTO` on Linux, which [`io::ErrorKind`] has no name for.
const PROTOCOL_ERROR: i32 = 71;

/// Accepts TCP connections and serves each in a task of its own.
///
/// It runs until its [`ServerHandle`] shuts it down. See the [module](super) for an
/// example.
#[derive(Debug)]
pub struct Server {
    config: ServerConfig,
    handle: ServerHandle,
}

/// A handle to shut a [`Server`] down.
///
/// Clones refer to the same server; dropping a handle does nothing.
#[derive(Clone, Debug)]
pub struct ServerHandle {
    stop: watch::Sender<bool>,
    connections: Arc<AtomicUsize>,
}

impl ServerHandle {
    /// Stops accepting connections. Each open connection answers the requests that it has
    /// read, then closes; a stream that is being sent goes on to its end. [`Server::serve`]
    /// ends when all connections have closed. After [`grace`](ServerConfig::grace), it closes
    /// those that are left and drops their handlers, wherever these wait. A handler that
    /// blocks its thread is waited for.
    ///
    /// To stop at once, drop the future of [`Server::serve`].
    pub fn shut_down(&self) {
        self.stop.send_replace(true);
    }

    /// Returns the number of open connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Default for Server {
    fn default() -> Self {
        Self::new(ServerConfig::default())
    }
}

impl Server {
    /// Creates a server. It serves once [`Server::serve`] is called and polled.
    #[must_use]
    pub fn new(config: ServerConfig) -> Self {
        let (stop, _) = watch::channel(false);
        Self { config, handle: ServerHandle { stop, connections: Arc::default() } }
    }

    /// Returns a handle that can shut the server down.
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        self.handle.clone()
    }

    /// Serves all connections with one service until the server is shut down. If the
    /// future is dropped, all connections close at once.
    ///
    /// A service that panics ends only its own connection, after the answers to earlier
    /// requests have been written.
    ///
    /// A failed accept is reported as an event of `tracing` with the target `riak`, if the
    /// feature `tracing` is on. If the error concerns one connection, as when a client has
    /// gone away again, the level is `DEBUG`, and the next one is accepted at once. For any
    /// other error, as when too many files are open, the level is `WARN`, and accepting
    /// resumes after 50 ms.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with timers and IO.
    pub async fn serve<S: Service>(self, listener: TcpListener, service: S) {
        let service = Arc::new(service);
        self.serve_with(listener, move |_| Arc::clone(&service)).await;
    }

    /// Serves each connection with a service of its own, which can hold state of the
    /// connection. `service` creates it from the client's address. Otherwise like
    /// [`Server::serve`].
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with timers and IO.
    pub async fn serve_with<S: Service>(
        self,
        listener: TcpListener,
        service: impl FnMut(SocketAddr) -> S + Send,
    ) {
        self.serve_accepted(move |cx| listener.poll_accept(cx), service).await;
    }

    /// Serves the connections that `accept` returns, and drops it before it waits for them
    /// to end.
    async fn serve_accepted<S: Service>(
        self,
        mut accept: impl FnMut(&mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> + Send,
        mut service: impl FnMut(SocketAddr) -> S + Send,
    ) {
        let mut stopped = self.handle.stop.subscribe();
        // The sender lives as long as `self`, so `wait_for` cannot fail before the value is
        // set.
        let mut stop = pin!(async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        });
        let mut tasks = JoinSet::new();
        // Runs after a failed accept that is not to be repeated at once.
        let mut delay: Option<Pin<Box<Sleep>>> = None;
        loop {
            let accepted = poll_fn(|cx| {
                if stop.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(None);
                }
                while let Poll::Ready(Some(_)) = tasks.poll_join_next(cx) {}
                if let Some(sleep) = &mut delay {
                    ready!(sleep.as_mut().poll(cx));
                    delay = None;
                }
                accept(cx).map(Some)
            });
            match accepted.await {
                None => break,
                Some(Ok((socket, peer))) => {
                    tasks.spawn(self.connection(socket, service(peer)));
                }
                Some(Err(error)) => {
                    let concerns_one = concerns_one_connection(&error);
                    report(&error, concerns_one);
                    if !concerns_one {
                        delay = Some(Box::pin(tokio::time::sleep(ACCEPT_RETRY_DELAY)));
                    }
                }
            }
        }
        drop(accept);
        // A client that does not read, or a handler that never returns, must not delay
        // the end for ever.
        let ended = async { while tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(self.config.grace, ended).await;
        // Waits until the tasks that are left are gone: the program may take away next what
        // their handlers use.
        tasks.shutdown().await;
    }

    /// Returns the task of one connection. Its error is ignored: it affects no other
    /// connection.
    fn connection<S: Service>(
        &self,
        socket: TcpStream,
        service: S,
    ) -> impl Future<Output = io::Result<()>> + Send + use<S> {
        let config = self.config.clone();
        let mut stopped = self.handle.stop.subscribe();
        let open = OpenConnection::new(Arc::clone(&self.handle.connections));
        async move {
            let _open = open;
            socket.set_nodelay(true)?;
            let stop = async move {
                let _ = stopped.wait_for(|stop| *stop).await;
            };
            serve_until(socket, &service, &config, stop).await
        }
    }
}

/// Reports whether an accept failed because of the connection that it took from the queue,
/// so that the next one may succeed at once.
fn concerns_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    // Linux also passes on errors of the network that are pending on the new socket.
    let of_one = matches!(
        error.kind(),
        Kind::ConnectionAborted
            | Kind::ConnectionReset
            | Kind::ConnectionRefused
            | Kind::Interrupted
            | Kind::HostUnreachable
            | Kind::NetworkUnreachable
            | Kind::NetworkDown
    );
    of_one || (cfg!(target_os = "linux") && error.raw_os_error() == Some(PROTOCOL_ERROR))
}

/// Reports a failed accept to tracing, if the feature is on.
#[cfg_attr(not(feature = "tracing"), expect(unused_variables, reason = "there is nobody to tell"))]
fn report(error: &io::Error, concerns_one: bool) {
    #[cfg(feature = "tracing")]
    if concerns_one {
        tracing::debug!(target: "riak", %error, "a connection could not be accepted");
    } else {
        tracing::warn!(target: "riak", %error, "no connection can be accepted: the next attempt is in 50 ms");
    }
}

/// Counts an open connection until it is dropped.
struct OpenConnection(Arc<AtomicUsize>);

impl OpenConnection {
    fn new(connections: Arc<AtomicUsize>) -> Self {
        connections.fetch_add(1, Ordering::Relaxed);
        Self(connections)
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(all(test, feature = "tracing"))]
mod tests;
