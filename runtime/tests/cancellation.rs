//! Dropping a call at any point affects no other call.
//!
//! The tests use a small executor that polls only woken tasks, in an order derived
//! from a seed, so that a lost wake-up shows as a task that never finishes.
#![cfg(all(feature = "client", feature = "server"))]

mod echo;

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use echo::*;
use riak_runtime::Blob;
use riak_runtime::client::{self, CallError, Connection, ConnectionConfig, ConnectionError, NotSent};
use riak_runtime::server::{Failure, Replies, ServerConfig, serve_connection};

/// A random number generator (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Task {
    future: Option<Pin<Box<dyn Future<Output = ()>>>>,
    woken: Arc<Woken>,
    polls: usize,
}

impl Task {
    fn new(future: impl Future<Output = ()> + 'static) -> Self {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        Self { future: Some(Box::pin(future)), woken, polls: 0 }
    }
}

/// Yields to other tasks this many times.
struct Yield(u64);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// [`Mirror`], with a delay that each request's `count` sets.
struct Slow;

impl EchoServer for Slow {
    async fn echo(&self, request: EchoReq) -> Result<EchoResp, Failure> {
        Yield(u64::from(request.count.unwrap_or(0))).await;
        Mirror.echo(request).await
    }

    async fn fold(&self, request: FoldReq) -> Result<FoldResp, Failure> {
        Yield(3).await;
        Mirror.fold(request).await
    }

    async fn list(&self, request: ListReq, replies: &mut Replies<'_, ListResp>) -> Result<(), Failure> {
        Yield(1).await;
        Mirror.list(request, replies).await
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Unary,
    Stream,
    Long,
}

/// The result of each call, or `None` if it did not finish.
type Results = Rc<RefCell<Vec<Option<Result<(), CallError>>>>>;

async fn call(kind: Kind, connection: Connection, nonce: String, pace: u32) -> Result<(), CallError> {
    match kind {
        Kind::Unary => {
            let request = EchoReq { nonce: Blob::from(&nonce), count: Some(pace), flag: None };
            let answer: EchoResp = client::unary(&connection, &request).await?;
            assert_eq!(answer.nonce, nonce, "an answer of another call");
        }
        Kind::Long => {
            let answer: FoldResp = client::unary(&connection, fold(&nonce)).await?;
            assert_eq!(answer.nonce, nonce, "an answer of another call");
        }
        Kind::Stream => {
            let mut answers = client::stream::<_, _, ListResp>(&connection, list(&nonce, 3)).await?;
            for _ in 0..3 {
                let answer = answers.next().await.expect("three answers and an end")?;
                assert_eq!(answer.nonce, nonce, "an answer of another call");
                Yield(1).await;
            }
            assert_eq!(answers.next().await.expect("an end")?.flag, Some(true));
            assert!(answers.next().await.is_none());
        }
    }
    Ok(())
}

/// Runs one scenario, in which one of the calls may be dropped after some polls.
/// Returns the number of polls that each call took.
fn run(seed: u64, dropped_call: Option<(usize, usize)>) -> Vec<usize> {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let exclusive = random.below(3) == 0;
    let calls = 2 + usize::try_from(random.below(6)).unwrap();
    let kinds: Vec<Kind> = (0..calls)
        .map(|_| match random.below(6) {
            0 if exclusive => Kind::Stream,
            1 if exclusive => Kind::Long,
            _ => Kind::Unary,
        })
        .collect();
    let config = ConnectionConfig::new()
        .max_in_flight(1 + usize::try_from(random.below(4)).unwrap())
        .stream_buffer(64)
        .wait_timeout(None)
        .call_timeout(None)
        .long_call_timeout(None)
        .stream_idle_timeout(None);
    // The pipe is so small that it splits frames.
    let (near, far) = tokio::io::duplex(3 + usize::try_from(random.below(60)).unwrap());
    let (connection, driver) = Connection::new(near, config);
    let results: Results = Rc::new(RefCell::new((0..calls).map(|_| None).collect()));

    let mut tasks: Vec<Task> = (0..calls)
        .map(|index| {
            let (kind, connection, results) = (kinds[index], connection.clone(), Rc::clone(&results));
            let (delay, pace) = (random.below(6), u32::try_from(random.below(4)).unwrap());
            Task::new(async move {
                Yield(delay).await;
                let nonce = format!("{seed}/{index}");
                let end = call(kind, connection, nonce, pace).await;
                results.borrow_mut()[index] = Some(end);
            })
        })
        .collect();
    drop(connection);
    tasks.push(Task::new(async move {
        let _ = driver.await;
    }));
    tasks.push(Task::new(async move {
        let _ = serve_connection(far, &EchoService(Slow), &ServerConfig::new().write_buffer(32)).await;
    }));

    let mut dropped_kind = None;
    loop {
        if let Some((index, after)) = dropped_call
            && dropped_kind.is_none()
            && tasks[index].polls == after
        {
            tasks[index].future = None;
            dropped_kind = Some(kinds[index]);
        }
        let ready: Vec<usize> = (0..tasks.len())
            .filter(|&index| tasks[index].future.is_some() && tasks[index].woken.0.load(Ordering::Relaxed))
            .collect();
        if ready.is_empty() {
            break;
        }
        let index = ready[usize::try_from(random.below(ready.len() as u64)).unwrap()];
        let task = &mut tasks[index];
        task.woken.0.store(false, Ordering::Relaxed);
        task.polls += 1;
        let waker = Waker::from(Arc::clone(&task.woken));
        let future = task.future.as_mut().expect("it is ready");
        if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            task.future = None;
        }
    }
    for (index, task) in tasks.iter().enumerate() {
        assert!(task.future.is_none(), "task {index} of {calls} calls never finished");
    }
    for (index, end) in results.borrow().iter().enumerate() {
        match end {
            None => assert_eq!(
                dropped_call.map(|(dropped_call, _)| dropped_call),
                Some(index),
                "call {index} has no end"
            ),
            Some(Ok(())) => {}
            // Only a dropped stream or long call fails others, and those were not sent.
            Some(Err(CallError::NotSent(NotSent::Connection(ConnectionError::Abandoned { .. }))))
                if dropped_kind.is_some_and(|kind| kind != Kind::Unary) => {}
            Some(Err(error)) => panic!("call {index} failed: {error:?}"),
        }
    }
    tasks[..calls].iter().map(|task| task.polls).collect()
}

#[test]
fn dropping_a_call_after_any_number_of_polls_affects_no_other_call() {
    let mut runs = 0;
    for seed in 0..1500 {
        let baseline = run_or_report(seed, None);
        for (call, &polls) in baseline.iter().enumerate() {
            for after in 0..polls {
                run_or_report(seed, Some((call, after)));
                runs += 1;
            }
        }
    }
    assert!(runs > 10_000, "only {runs} runs");
}

fn run_or_report(seed: u64, dropped_call: Option<(usize, usize)>) -> Vec<usize> {
    std::panic::catch_unwind(|| run(seed, dropped_call))
        .unwrap_or_else(|_| panic!("seed {seed}, dropping (call, after how many polls) {dropped_call:?}"))
}

/// The same over real sockets and threads, with tasks that drop their calls after
/// timeouts of their own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_calls_under_load_affects_no_other_call() {
    let address = mirror().await;
    let config = ConnectionConfig::new().max_in_flight(32).max_owed(usize::MAX);
    let connection = Connection::connect_with(address, config).await.unwrap();
    let tasks: Vec<_> = (0..64_u64)
        .map(|task| {
            let connection = connection.clone();
            tokio::spawn(async move {
                let mut random = Random(task + 1);
                let mut answered = 0;
                for round in 0..200 {
                    let nonce = format!("{task}/{round}");
                    let call = client::unary::<_, _, EchoResp>(&connection, echo::echo(&nonce));
                    let timeout = Duration::from_micros(random.below(2000));
                    if let Ok(answer) = tokio::time::timeout(timeout, call).await {
                        assert_eq!(answer.unwrap().nonce, nonce);
                        answered += 1;
                    }
                }
                answered
            })
        })
        .collect();
    let mut answered = 0;
    for task in tasks {
        answered += task.await.unwrap();
    }
    assert!(answered > 0);
    // By now, all owed answers have arrived.
    let last: EchoResp = client::unary(&connection, echo::echo("last")).await.unwrap();
    assert_eq!(last.nonce, "last");
    assert_eq!((connection.in_flight(), connection.waiting()), (0, 0));
}
