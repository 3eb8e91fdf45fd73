//! [`Server`]: accepts connections, and stops when it is told to.
//!
//! Invariant: every connection's task belongs to the future that serves: when
//! that ends or is dropped, there are none left.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::config::ServerConfig;
use super::connection::serve_until;
use super::service::Service;

/// How long to wait when accepting fails, which it does when there are too many
/// open files.
const PAUSE: Duration = Duration::from_millis(50);

/// Accepts TCP connections and serves each in a task of its own, until it is shut
/// down by its [`ServerHandle`]. See the [module](super) for an example.
#[derive(Debug)]
pub struct Server {
    config: ServerConfig,
    handle: ServerHandle,
}

/// Shuts a [`Server`] down. Clones are handles of the same server; dropping them
/// does nothing.
#[derive(Clone, Debug)]
pub struct ServerHandle {
    stop: watch::Sender<bool>,
    connections: Arc<AtomicUsize>,
}

impl ServerHandle {
    /// Has the server accept no more connections. Each open one finishes the request
    /// that it is handling, writes the answer and closes. [`Server::serve`] ends when
    /// all have, or after [`grace`](ServerConfig::grace).
    ///
    /// To end at once, drop the future of [`Server::serve`].
    pub fn shut_down(&self) {
        self.stop.send_replace(true);
    }

    /// How many connections are open.
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
    /// A server that does not serve yet.
    #[must_use]
    pub fn new(config: ServerConfig) -> Self {
        let (stop, _) = watch::channel(false);
        Self { config, handle: ServerHandle { stop, connections: Arc::default() } }
    }

    /// A handle that shuts the server down.
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        self.handle.clone()
    }

    /// Serves all connections with one service. Ends when the server is shut down; if
    /// the future is dropped, all connections close at once.
    ///
    /// A service that panics ends its connection alone, after the answers to earlier
    /// requests have been written.
    ///
    /// If accepting fails, which happens when too many files are open, it is tried
    /// again after 50 ms.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with timers and IO.
    pub async fn serve<S: Service>(self, listener: TcpListener, service: S) {
        let service = Arc::new(service);
        self.serve_with(listener, move |_| Arc::clone(&service)).await;
    }

    /// Serves each connection with a service of its own, which can keep the state of
    /// the connection. `service` gets the client's address. Otherwise as
    /// [`Server::serve`].
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with timers and IO.
    pub async fn serve_with<S: Service>(
        self,
        listener: TcpListener,
        mut service: impl FnMut(SocketAddr) -> S + Send,
    ) {
        let mut stopped = self.handle.stop.subscribe();
        // The sender lives as long as `self`: this ends by its value only.
        let mut stop = pin!(async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        });
        let mut tasks = JoinSet::new();
        loop {
            let accepted = poll_fn(|cx| {
                if stop.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(None);
                }
                while let Poll::Ready(Some(_)) = tasks.poll_join_next(cx) {}
                listener.poll_accept(cx).map(Some)
            });
            match accepted.await {
                None => break,
                Some(Ok((socket, peer))) => {
                    tasks.spawn(self.connection(socket, service(peer)));
                }
                Some(Err(_)) => tokio::time::sleep(PAUSE).await,
            }
        }
        drop(listener);
        // A client that reads nothing, or a handler that waits for ever, would
        // hold it up. Whatever is left then goes with the set.
        let ended = async { while tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(self.config.grace, ended).await;
    }

    /// Serves one connection. Its failure concerns nobody else.
    fn connection<S: Service>(
        &self,
        socket: TcpStream,
        service: S,
    ) -> impl Future<Output = io::Result<()>> + Send + use<S> {
        let config = self.config.clone();
        let mut stopped = self.handle.stop.subscribe();
        let open = Open::new(Arc::clone(&self.handle.connections));
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

/// Counts an open connection.
struct Open(Arc<AtomicUsize>);

impl Open {
    fn new(connections: Arc<AtomicUsize>) -> Self {
        connections.fetch_add(1, Ordering::Relaxed);
        Self(connections)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
