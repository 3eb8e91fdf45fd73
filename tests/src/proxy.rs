//! [`Proxy`]: an unreliable network between a client and a node.
//!
//! The proxy forwards frames after a delay, and injects the faults of networks and
//! broken servers into some of them. A seed decides which ones. Invariant: a frame
//! without a fault is forwarded whole, in order, and not before it is due.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// The capacity, in frames, of the queue for each direction of a connection.
const QUEUE_CAPACITY: usize = 4096;

/// The faults of a network. A chance is the number of affected frames in a million
/// (for [`Faults::refuse`], of affected connections in a million).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Faults {
    /// The latency of every frame, in each direction.
    pub latency: Duration,
    /// The chance that a connection is closed as soon as it is accepted.
    pub refuse: u32,
    /// The chance that the connection is closed before a frame.
    pub cut: u32,
    /// The chance that the connection is closed in the middle of a frame.
    pub truncate: u32,
    /// The chance that an answer and all that follow it are lost, although the
    /// connection stays open.
    pub stall: u32,
    /// The chance that an answer is 100 milliseconds late and delays those behind it.
    pub delay: u32,
    /// The chance that an answer gets a message code that belongs to no answer.
    pub wrong_code: u32,
    /// The chance that an answer gets a length that no frame has.
    pub wrong_length: u32,
}

/// A proxy with configurable faults. It runs until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    addr: SocketAddr,
    shared: Arc<Shared>,
    /// The tasks, which end when the proxy is dropped.
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    target: SocketAddr,
    faults: Mutex<Faults>,
    random: AtomicU64,
    open: AtomicUsize,
    injected: AtomicUsize,
}

/// What happens to a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Pass,
    Cut,
    Truncate,
    Stall,
    Delay,
    WrongCode,
    WrongLength,
}

impl Proxy {
    /// Starts a proxy in front of `target`, without faults.
    ///
    /// # Errors
    ///
    /// If no socket can be bound.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with I/O and timers.
    pub async fn start(target: SocketAddr, seed: u64) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(Shared {
            target,
            faults: Mutex::default(),
            random: AtomicU64::new(seed),
            open: AtomicUsize::new(0),
            injected: AtomicUsize::new(0),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { addr, shared, _tasks: tasks })
    }

    /// Returns the address that the proxy listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Sets the faults from now on.
    pub fn set_faults(&self, faults: Faults) {
        *self.shared.faults() = faults;
    }

    /// Returns the number of open connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.open.load(Ordering::Relaxed)
    }

    /// Returns the number of faults injected so far.
    #[must_use]
    pub fn faults(&self) -> usize {
        self.shared.injected.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a random number below a million (splitmix64).
    fn draw(&self) -> u32 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut mixed = self.random.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((mixed ^ (mixed >> 31)) % 1_000_000).unwrap_or(0)
    }

    fn fate(&self, is_answer: bool) -> Fate {
        let faults = self.faults();
        let answers = |chance| if is_answer { chance } else { 0 };
        let chances = [
            (Fate::Cut, faults.cut),
            (Fate::Truncate, faults.truncate),
            (Fate::Stall, answers(faults.stall)),
            (Fate::Delay, answers(faults.delay)),
            (Fate::WrongCode, answers(faults.wrong_code)),
            (Fate::WrongLength, answers(faults.wrong_length)),
        ];
        drop(faults);
        let mut drawn = self.draw();
        for (fate, chance) in chances {
            if drawn < chance {
                self.injected.fetch_add(1, Ordering::Relaxed);
                return fate;
            }
            drawn -= chance;
        }
        Fate::Pass
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        if shared.draw() < shared.faults().refuse {
            shared.injected.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            shared.open.fetch_add(1, Ordering::Relaxed);
            // Errors are expected here: the proxy causes them on purpose.
            let _ = relay(socket, &shared).await;
            shared.open.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

/// Forwards frames in both directions until the node has closed its side, or a fault or an
/// error ends the connection. A client that closes its side may still get answers.
async fn relay(client: TcpStream, shared: &Arc<Shared>) -> io::Result<()> {
    let node = TcpStream::connect(shared.target).await?;
    client.set_nodelay(true)?;
    node.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_node, to_node) = node.into_split();
    let mut ways = JoinSet::new();
    for (from, to, is_answer) in [(from_client, to_node, false), (from_node, to_client, true)] {
        let shared = Arc::clone(shared);
        ways.spawn(async move { (is_answer, forward(from, to, shared, is_answer).await) });
    }
    while let Some(Ok((is_answer, ended))) = ways.join_next().await {
        if is_answer || ended.is_err() {
            return ended;
        }
    }
    Ok(())
}

/// Forwards frames in one direction, up to the end of the input and including it.
async fn forward(
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
    shared: Arc<Shared>,
    is_answer: bool,
) -> io::Result<()> {
    let (sender, receiver) = mpsc::channel(QUEUE_CAPACITY);
    let mut ends = JoinSet::new();
    // At the end of the input the sender is dropped, and the writer ends behind the last frame.
    ends.spawn(read_frames(from, sender, shared, is_answer));
    ends.spawn(write_frames(to, receiver));
    while let Some(ended) = ends.join_next().await {
        ended.map_err(io::Error::other)??;
    }
    Ok(())
}

/// Bytes, and the time at which they are due.
type Due = (Instant, Vec<u8>);

/// Reads a frame. It is incomplete if the input ends in it, and empty at the end of the
/// input.
async fn read_frame(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut frame = Vec::with_capacity(64);
    from.take(4).read_to_end(&mut frame).await?;
    if let Some(length) = frame.first_chunk() {
        let length = u32::from_be_bytes(*length);
        from.take(u64::from(length)).read_to_end(&mut frame).await?;
    }
    Ok(frame)
}

async fn read_frames(
    from: OwnedReadHalf,
    sender: mpsc::Sender<Due>,
    shared: Arc<Shared>,
    is_answer: bool,
) -> io::Result<()> {
    let closed = || io::Error::from(io::ErrorKind::ConnectionAborted);
    let mut from = tokio::io::BufReader::new(from);
    loop {
        let mut frame = read_frame(&mut from).await?;
        if frame.is_empty() {
            return Ok(());
        }
        let mut due = Instant::now() + shared.faults().latency;
        let fate = shared.fate(is_answer);
        match fate {
            Fate::Pass | Fate::Truncate => {}
            Fate::Cut => return Err(closed()),
            Fate::Stall => {
                tokio::io::copy(&mut from, &mut tokio::io::sink()).await?;
                return Ok(());
            }
            Fate::Delay => due += Duration::from_millis(100),
            // No message has the code 199. A frame of length zero has no code to replace.
            Fate::WrongCode => frame.iter_mut().skip(4).take(1).for_each(|code| *code = 199),
            Fate::WrongLength => {
                frame.iter_mut().zip(u32::MAX.to_be_bytes()).for_each(|(byte, wrong)| *byte = wrong);
            }
        }
        if fate == Fate::Truncate {
            let half = frame.len() / 2 + 1;
            frame.truncate(half);
            sender.send((due, frame)).await.map_err(|_| closed())?;
            // The half frame has to arrive before the connection closes.
            let latency = shared.faults().latency;
            tokio::time::sleep(latency + Duration::from_millis(1)).await;
            return Err(closed());
        }
        sender.send((due, frame)).await.map_err(|_| closed())?;
    }
}

async fn write_frames(mut to: OwnedWriteHalf, mut receiver: mpsc::Receiver<Due>) -> io::Result<()> {
    while let Some((due, mut bytes)) = receiver.recv().await {
        if due > Instant::now() {
            sleep_until(due).await;
        }
        // Frames that are due as well go into the same write.
        while bytes.len() < 64 * 1024
            && let Ok((next_due, next)) = receiver.try_recv()
        {
            if next_due > Instant::now() {
                to.write_all(&bytes).await?;
                sleep_until(next_due).await;
                bytes = next;
            } else {
                bytes.extend(next);
            }
        }
        to.write_all(&bytes).await?;
    }
    to.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Starts a node that answers every connection with `answers` and closes it, and a proxy in
    /// front of it. Returns the proxy and what a client receives.
    async fn receive(answers: Vec<u8>, faults: Faults) -> (Proxy, Vec<u8>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let proxy = Proxy::start(listener.local_addr().unwrap(), 1).await.unwrap();
        proxy.set_faults(faults);
        let node = async {
            let (mut socket, _) = listener.accept().await.unwrap();
            socket.write_all(&answers).await.unwrap();
        };
        let client = async {
            let mut socket = TcpStream::connect(proxy.addr()).await.unwrap();
            let mut received = Vec::new();
            socket.read_to_end(&mut received).await.unwrap();
            received
        };
        let ((), received) = tokio::join!(node, client);
        (proxy, received)
    }

    #[tokio::test]
    async fn answers_before_the_nodes_close_arrive() {
        let faults = Faults { latency: Duration::from_millis(10), ..Faults::default() };
        // The last one is cut off by the node itself.
        let answers = [&[0, 0, 0, 2, 10, 1][..], &[0; 4], &[0, 0, 0, 2, 10, 2], &[0, 0, 0, 9, 10]].concat();
        let (proxy, received) = receive(answers.clone(), faults).await;
        assert_eq!(received, answers);
        while proxy.connections() > 0 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_frame_without_a_code_gets_no_other() {
        let faults = Faults { wrong_code: 1_000_000, ..Faults::default() };
        let answers = [&[0; 4][..], &[0, 0, 0, 1, 10]].concat();
        assert_eq!(receive(answers, faults).await.1, [0, 0, 0, 0, 0, 0, 0, 1, 199]);
    }

    #[tokio::test]
    async fn a_stalled_connection_ends_with_its_client() {
        let node = crate::Node::start().await.unwrap();
        let proxy = Proxy::start(node.addr(), 1).await.unwrap();
        proxy.set_faults(Faults { stall: 1_000_000, ..Faults::default() });
        let mut client = TcpStream::connect(proxy.addr()).await.unwrap();
        client.write_all(&[0, 0, 0, 1, 1]).await.unwrap();
        while proxy.faults() == 0 {
            tokio::task::yield_now().await;
        }
        drop(client);
        while proxy.connections() > 0 {
            tokio::task::yield_now().await;
        }
    }

    #[test]
    fn faults_have_the_configured_frequency_and_repeat_with_the_seed() {
        let shared = || Shared {
            target: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
            faults: Mutex::new(Faults { cut: 100_000, stall: 200_000, ..Faults::default() }),
            random: AtomicU64::new(3),
            open: AtomicUsize::new(0),
            injected: AtomicUsize::new(0),
        };
        let fates = |shared: Shared| (0..10_000).map(|_| shared.fate(true)).collect::<Vec<_>>();
        let drawn = fates(shared());
        let count = |fate| drawn.iter().filter(|&&drawn| drawn == fate).count();
        assert!((900..1100).contains(&count(Fate::Cut)), "{}", count(Fate::Cut));
        assert!((1800..2200).contains(&count(Fate::Stall)), "{}", count(Fate::Stall));
        assert_eq!(count(Fate::Truncate), 0);
        assert_eq!(drawn, fates(shared()));
    }
}
