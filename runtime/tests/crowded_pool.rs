//! Calls that wait for room on the crowded connections of a pool, and calls that never get so
//! far: each is woken by what makes room, and none keeps the pool from closing.
#![cfg(all(feature = "client", feature = "server"))]

mod echo;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use echo::*;
use riak_runtime::client::{
    CallError, CallExt, Connecting, Connection, ConnectionConfig, ConnectionError, Connector, Node, NotSent,
    Pool, PoolConfig,
};
use riak_runtime::server::{Failure, ServerConfig, serve_connection, unary};
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// A node in the same process. A permit of `opens` lets it take a connection, a permit of
/// `answers` lets it answer a request.
#[derive(Clone, Debug)]
struct GatedNode {
    opens: Arc<Semaphore>,
    answers: Arc<Semaphore>,
    /// The nonces of the requests that it has answered.
    answered: Arc<Mutex<Vec<String>>>,
}

impl Connector for GatedNode {
    fn connect<'a>(&'a self, _: &'a Node) -> Connecting<'a> {
        Box::pin(async move {
            self.opens.acquire().await.unwrap().forget();
            let (ours, theirs) = tokio::io::duplex(64 * 1024);
            let (answers, answered) = (Arc::clone(&self.answers), Arc::clone(&self.answered));
            tokio::spawn(async move {
                let service = unary(move |request: EchoReq| {
                    let (answers, answered) = (Arc::clone(&answers), Arc::clone(&answered));
                    async move {
                        answers.acquire().await.unwrap().forget();
                        answered.lock().unwrap().push(request.nonce.to_string_lossy().into_owned());
                        Ok::<_, Failure>(EchoResp { nonce: request.nonce, ..EchoResp::default() })
                    }
                });
                serve_connection(theirs, &service, &ServerConfig::default()).await
            });
            let (connection, driver) = Connection::new(ours, ConnectionConfig::new());
            tokio::spawn(driver);
            Ok(connection)
        })
    }

    fn connect_timeout(&self) -> Duration {
        Duration::from_secs(10_000)
    }
}

/// Counts how often a call is woken.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

type Calling<'p> = Pin<Box<dyn Future<Output = Result<EchoResp, CallError>> + 'p>>;

/// A call that is polled by hand, only when it has been woken.
struct Waiting<'p> {
    call: Calling<'p>,
    wakes: Arc<Wakes>,
    polled_at: usize,
}

impl<'p> Waiting<'p> {
    fn new(pool: &'p Pool, nonce: &str) -> Self {
        let request = echo::echo(nonce);
        let call = Box::pin(async move { pool.call(&request).await });
        let mut waiting = Self { call, wakes: Arc::default(), polled_at: 0 };
        assert!(waiting.poll().is_pending());
        waiting
    }

    fn wakes(&self) -> usize {
        self.wakes.0.load(Ordering::Relaxed)
    }

    fn poll(&mut self) -> Poll<Result<EchoResp, CallError>> {
        self.polled_at = self.wakes();
        let waker = Waker::from(Arc::clone(&self.wakes));
        self.call.as_mut().poll(&mut Context::from_waker(&waker))
    }

    /// Polls the call if it has been woken. Returns whether it has ended.
    fn proceed(&mut self) -> bool {
        self.wakes() > self.polled_at && self.poll().is_ready()
    }
}

/// Lets the tasks of connections and nodes run until they wait.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// Returns a pool with one connection that is full, the calls on it, and its node. A second
/// connection is being opened.
async fn crowded(pool: &Pool) -> Vec<Waiting<'_>> {
    pool.connect().await.unwrap();
    let calls = (0..4).map(|index| Waiting::new(pool, &format!("early {index}"))).collect();
    settle().await;
    assert_eq!((pool.stats().connections, pool.stats().in_flight), (1, 4));
    calls
}

fn gated_pool() -> (Pool, GatedNode) {
    let node = GatedNode {
        opens: Arc::new(Semaphore::new(1)),
        answers: Arc::new(Semaphore::new(0)),
        answered: Arc::default(),
    };
    let config = PoolConfig::new().max_connections(2).target_in_flight(1).wait_timeout(HOUR);
    (Pool::new(Node::new("gated", 1), Arc::new(node.clone()), config), node)
}

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test(start_paused = true)]
async fn waiting_calls_are_woken_in_order_by_each_answer_and_by_nothing_else() {
    let (pool, node) = gated_pool();
    let mut calls = crowded(&pool).await;
    let late = (0..6).map(|index| Waiting::new(&pool, &format!("late {index}")));
    calls.extend(late);
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert!(calls.iter().all(|call| call.wakes() == 0), "they look by themselves");
    for ended in 0..10 {
        node.answers.add_permits(1);
        settle().await;
        assert!(calls[ended].proceed(), "call {ended} has its answer");
        settle().await;
        // Room for one call wakes one call, and a call that comes now is behind all others.
        let woken: Vec<_> = (ended + 1..calls.len()).filter(|&at| calls[at].wakes() > 0).collect();
        let expected: Vec<_> = (ended + 4..=ended + 4).filter(|&at| at < 10).collect();
        assert_eq!(woken.iter().copied().filter(|&at| at >= ended + 4).collect::<Vec<_>>(), expected);
        let newcomer = Waiting::new(&pool, "newcomer");
        calls.iter_mut().skip(ended + 1).for_each(|call| assert!(!call.proceed()));
        drop(newcomer);
    }
    let names =
        (0..4).map(|index| format!("early {index}")).chain((0..6).map(|index| format!("late {index}")));
    assert_eq!(*node.answered.lock().unwrap(), names.collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn waiting_calls_are_woken_by_late_answers_whose_callers_are_gone() {
    let (pool, node) = gated_pool();
    let given_up = crowded(&pool).await;
    let mut waiting = Waiting::new(&pool, "waiting");
    drop(given_up);
    settle().await;
    assert!(!waiting.proceed(), "the answers are owed");
    let begun = Instant::now();
    node.answers.add_permits(5);
    settle().await;
    assert!(!waiting.proceed());
    settle().await;
    assert!(waiting.proceed(), "it was not told of the last owed answer");
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn waiting_calls_are_woken_by_dropped_calls_new_connections_and_the_pools_close() {
    // A call that is dropped before it was sent makes room without an answer.
    let (pool, node) = gated_pool();
    let calls = crowded(&pool).await;
    let mut waiting: Vec<_> = (0..40).map(|index| Waiting::new(&pool, &format!("{index}"))).collect();
    // The second connection is the last one, so that all calls get a share.
    node.opens.add_permits(1);
    settle().await;
    assert!(waiting.iter_mut().all(|call| call.wakes() == 1 && !call.proceed()));
    assert_eq!(pool.stats().in_flight, 44);
    drop((calls, waiting));

    let (pool, _node) = gated_pool();
    let _calls = crowded(&pool).await;
    let mut waiting: Vec<_> = (0..40).map(|index| Waiting::new(&pool, &format!("{index}"))).collect();
    assert!(tokio::time::timeout(Duration::ZERO, pool.close()).await.is_err());
    for call in &mut waiting {
        let Poll::Ready(Err(error)) = call.poll() else { panic!("it still waits") };
        assert!(matches!(error, CallError::NotSent(NotSent::Connection(ConnectionError::Stopped))));
    }
}

#[test]
fn a_call_outside_of_a_runtime_leaves_nothing_behind() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (pool, node) = gated_pool();
    node.opens.add_permits(10);
    runtime.block_on(pool.connect()).unwrap();
    let busy = Waiting::new(&pool, "busy");
    // It wants another connection, for which no task can be spawned here.
    let request = echo::echo("no runtime");
    let mut call = pin!(async { pool.call(&request).await });
    let poll_once = || call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(catch_unwind(AssertUnwindSafe(poll_once)).is_err());
    drop(busy);
    assert_eq!(pool.stats().in_flight, 0);
    runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(5), pool.close()).await.expect("it waits for the call");
    });
}
