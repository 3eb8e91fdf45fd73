//! [`Site`]: a server that answers every request, as late as it is told to or
//! with an error, and counts; [`Stalls`]: a connector whose connects to some nodes
//! take their time; [`Late`]: one whose connects all do, and succeed.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use riak_runtime::client::{Connecting, ConnectionError, Connector, Node, TcpConnector};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::sleep;

/// What a server does, and what it has seen.
#[derive(Debug, Default)]
pub(crate) struct Conduct {
    /// Milliseconds before each answer.
    pub(crate) delay: AtomicU64,
    /// Closes all connections.
    pub(crate) cut: Notify,
    pub(crate) requests: AtomicUsize,
    pub(crate) open: AtomicUsize,
    /// An error to answer with.
    pub(crate) error: Mutex<Option<&'static str>>,
}

impl Conduct {
    pub(crate) fn seen(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    pub(crate) fn delay(&self, millis: u64) {
        self.delay.store(millis, Ordering::SeqCst);
    }

    pub(crate) fn fail(&self, error: &'static str) {
        *self.error.lock().unwrap() = Some(error);
    }

    pub(crate) fn work(&self) {
        *self.error.lock().unwrap() = None;
    }

    fn error(&self) -> Option<Vec<u8>> {
        let text = (*self.error.lock().unwrap())?;
        let len = u8::try_from(text.len()).unwrap();
        let head = [0, 0, 0, len + 5, 0, 0x0a, len];
        Some([&head, text.as_bytes(), &[0x10, 0]].concat())
    }
}

/// A server that answers requests without a body, but for listings, which are
/// done at once.
pub(crate) async fn site() -> (Node, Arc<Conduct>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let node = Node::from(listener.local_addr().unwrap());
    let conduct = Arc::new(Conduct::default());
    let shared = Arc::clone(&conduct);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let conduct = Arc::clone(&shared);
            tokio::spawn(async move {
                conduct.open.fetch_add(1, Ordering::SeqCst);
                tokio::select! {
                    _ = serve(socket, &conduct) => {}
                    () = conduct.cut.notified() => {}
                }
                conduct.open.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    (node, conduct)
}

async fn serve(mut socket: TcpStream, conduct: &Conduct) -> io::Result<()> {
    socket.set_nodelay(true)?;
    loop {
        let mut frame = vec![0; socket.read_u32().await? as usize];
        socket.read_exact(&mut frame).await?;
        conduct.requests.fetch_add(1, Ordering::SeqCst);
        sleep(Duration::from_millis(conduct.delay.load(Ordering::SeqCst))).await;
        if let Some(error) = conduct.error() {
            socket.write_all(&error).await?;
            continue;
        }
        match frame[0] {
            17 => socket.write_all(&[0, 0, 0, 3, 18, 0x10, 1]).await?,
            code => socket.write_all(&[0, 0, 0, 1, code + 1]).await?,
        }
    }
}

/// Connects, but for one node: its connects take a while, or are refused.
#[derive(Debug)]
pub(crate) struct Stalls {
    pub(crate) node: Node,
    pub(crate) stalled: AtomicBool,
    /// How long a connect takes before it fails.
    pub(crate) after: Duration,
    pub(crate) tries: AtomicUsize,
}

impl Stalls {
    pub(crate) fn new(node: &Node, after: Duration) -> Arc<Self> {
        let (stalled, tries) = (AtomicBool::new(true), AtomicUsize::new(0));
        Arc::new(Self { node: node.clone(), stalled, after, tries })
    }
}

impl Connector for Stalls {
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

/// Connects after a while.
#[derive(Debug)]
pub(crate) struct Late {
    pub(crate) millis: AtomicU64,
    pub(crate) tries: AtomicUsize,
}

impl Late {
    pub(crate) fn new(millis: u64) -> Arc<Self> {
        Arc::new(Self { millis: AtomicU64::new(millis), tries: AtomicUsize::new(0) })
    }
}

impl Connector for Late {
    fn connect<'a>(&'a self, node: &'a Node) -> Connecting<'a> {
        self.tries.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            sleep(Duration::from_millis(self.millis.load(Ordering::SeqCst))).await;
            TcpConnector::default().connect(node).await
        })
    }

    fn connect_timeout(&self) -> Duration {
        Duration::from_millis(500)
    }
}
