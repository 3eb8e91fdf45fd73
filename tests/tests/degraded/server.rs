//! A server whose behaviour is controlled by [`ServerControl`]; [`StallingConnector`],
//! whose connects to one node are slow and fail; and [`SlowConnector`], whose connects are
//! all slow but succeed.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use riak_runtime::client::{Connecting, ConnectionError, Connector, Node, TcpConnector};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::sleep;

/// The behaviour of a server, and what it has observed.
#[derive(Debug, Default)]
pub(crate) struct ServerControl {
    /// The delay before each answer, in milliseconds.
    pub(crate) delay: AtomicU64,
    /// Closes all connections when notified.
    pub(crate) cut: Notify,
    pub(crate) requests: AtomicUsize,
    /// The largest number of requests on one connection.
    pub(crate) most_on_one: AtomicUsize,
    pub(crate) open: AtomicUsize,
    /// The error to answer every request with, if any.
    pub(crate) error: Mutex<Option<&'static str>>,
}

impl ServerControl {
    pub(crate) fn request_count(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    pub(crate) fn delay(&self, millis: u64) {
        self.delay.store(millis, Ordering::SeqCst);
    }

    pub(crate) fn fail_with(&self, error: &'static str) {
        *self.error.lock().unwrap() = Some(error);
    }

    pub(crate) fn recover(&self) {
        *self.error.lock().unwrap() = None;
    }

    fn error(&self) -> Option<Vec<u8>> {
        let text = (*self.error.lock().unwrap())?;
        let len = u8::try_from(text.len()).unwrap();
        let head = [0, 0, 0, len + 5, 0, 0x0a, len];
        Some([&head, text.as_bytes(), &[0x10, 0]].concat())
    }
}

/// Starts a server that answers every request without a body, and every listing with its end.
pub(crate) async fn start_server() -> (Node, Arc<ServerControl>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let node = Node::from(listener.local_addr().unwrap());
    let control = Arc::new(ServerControl::default());
    let shared = Arc::clone(&control);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let control = Arc::clone(&shared);
            tokio::spawn(async move {
                control.open.fetch_add(1, Ordering::SeqCst);
                tokio::select! {
                    _ = serve(socket, &control) => {}
                    () = control.cut.notified() => {}
                }
                control.open.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    (node, control)
}

async fn serve(mut socket: TcpStream, control: &ServerControl) -> io::Result<()> {
    socket.set_nodelay(true)?;
    for count in 1.. {
        let mut frame = vec![0; socket.read_u32().await? as usize];
        socket.read_exact(&mut frame).await?;
        control.requests.fetch_add(1, Ordering::SeqCst);
        control.most_on_one.fetch_max(count, Ordering::SeqCst);
        sleep(Duration::from_millis(control.delay.load(Ordering::SeqCst))).await;
        if let Some(error) = control.error() {
            socket.write_all(&error).await?;
            continue;
        }
        match frame[0] {
            17 => socket.write_all(&[0, 0, 0, 3, 18, 0x10, 1]).await?,
            code => socket.write_all(&[0, 0, 0, 1, code + 1]).await?,
        }
    }
    Ok(())
}

/// A connector whose connects to one node fail after a while.
#[derive(Debug)]
pub(crate) struct StallingConnector {
    pub(crate) node: Node,
    pub(crate) stalled: AtomicBool,
    /// The time after which a connect fails.
    pub(crate) after: Duration,
    pub(crate) tries: AtomicUsize,
}

impl StallingConnector {
    pub(crate) fn new(node: &Node, after: Duration) -> Arc<Self> {
        let (stalled, tries) = (AtomicBool::new(true), AtomicUsize::new(0));
        Arc::new(Self { node: node.clone(), stalled, after, tries })
    }
}

impl Connector for StallingConnector {
    fn connect<'a>(&'a self, node: &'a Node) -> Connecting<'a> {
        Box::pin(async move {
            if *node == self.node && self.stalled.load(Ordering::SeqCst) {
                self.tries.fetch_add(1, Ordering::SeqCst);
                sleep(self.after).await;
                return Err(ConnectionError::from(io::Error::from(io::ErrorKind::ConnectionRefused)));
            }
            TcpConnector::default().connect(node).await
        })
    }
}

/// A connector whose connects are delayed.
#[derive(Debug)]
pub(crate) struct SlowConnector {
    pub(crate) millis: AtomicU64,
    pub(crate) tries: AtomicUsize,
    timeout: Duration,
}

impl SlowConnector {
    pub(crate) fn new(millis: u64) -> Arc<Self> {
        Self::with_timeout(millis, Duration::from_millis(500))
    }

    pub(crate) fn with_timeout(millis: u64, timeout: Duration) -> Arc<Self> {
        Arc::new(Self { millis: AtomicU64::new(millis), tries: AtomicUsize::new(0), timeout })
    }
}

impl Connector for SlowConnector {
    fn connect<'a>(&'a self, node: &'a Node) -> Connecting<'a> {
        self.tries.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            sleep(Duration::from_millis(self.millis.load(Ordering::SeqCst))).await;
            TcpConnector::default().connect(node).await
        })
    }

    fn connect_timeout(&self) -> Duration {
        self.timeout
    }
}
