//! A load of calls of all kinds, from many tasks, that end in every possible way.
//!
//! Invariant: each call ends soon after its deadline, and an answer is always its own.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test uses its part of it")]

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use riak_runtime::Blob;
use riak_runtime::client::{Call, CallExt, CallOptions, With};

use crate::echo::{EchoReq, FoldReq, ListReq};
use crate::faulty_server::Random;

pub fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Polls a call at most this many times.
pub async fn give_up_after<F: Future>(polls: u32, call: F) -> Option<F::Output> {
    let mut call = pin!(call);
    let mut left = polls;
    std::future::poll_fn(|cx| {
        if let Poll::Ready(result) = call.as_mut().poll(cx) {
            return Poll::Ready(Some(result));
        }
        left -= 1;
        if left == 0 { Poll::Ready(None) } else { Poll::Pending }
    })
    .await
}

/// The numbers of calls by outcome.
#[derive(Debug, Default)]
pub struct Outcomes {
    pub answered: AtomicUsize,
    pub failed: AtomicUsize,
    pub given_up: AtomicUsize,
}

impl Outcomes {
    fn record<T, E>(&self, result: Option<&Result<T, E>>) {
        let count = match result {
            Some(Ok(_)) => &self.answered,
            Some(Err(_)) => &self.failed,
            None => &self.given_up,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// Makes one call of a random kind, which ends in a random way.
pub async fn any_call<C: Call + Clone + Send + Sync + 'static>(
    call: C,
    random: &Random,
    outcomes: &Outcomes,
) {
    let nonce = Blob::from(format!("a nonce of more than twenty-three bytes {}", random.below(u32::MAX)));
    let timeout = ms(20 + u64::from(random.below(150)));
    let begun = Instant::now();
    let with = With::new(call, CallOptions::new().timeout(timeout));
    let polls = if random.below(4) == 0 { 1 + random.below(3) } else { u32::MAX };
    let call_to_end = async {
        match random.below(20) {
            0..14 => {
                let request = EchoReq { nonce: nonce.clone(), ..EchoReq::default() };
                let result = give_up_after(polls, with.call(&request)).await;
                outcomes.record(result.as_ref());
                if let Some(Ok(answer)) = result {
                    assert_eq!(answer.nonce, nonce);
                }
            }
            14 => {
                let request = FoldReq { nonce: nonce.clone(), ..FoldReq::default() };
                let result = give_up_after(polls, with.call(&request)).await;
                outcomes.record(result.as_ref());
                if let Some(Ok(answer)) = result {
                    assert_eq!(answer.nonce, nonce);
                }
            }
            15..17 => {
                let request = EchoReq { nonce: nonce.clone(), ..EchoReq::default() };
                let soon = Duration::from_micros(u64::from(random.below(3000)));
                tokio::select! {
                    result = with.call(&request) => {
                        if let Ok(answer) = result {
                            assert_eq!(answer.nonce, nonce);
                        }
                    }
                    () = tokio::time::sleep(soon) => {}
                }
            }
            _ => {
                let request = ListReq { nonce: nonce.clone(), count: Some(1 + random.below(40)), flag: None };
                let result = give_up_after(polls, with.call_stream(&request)).await;
                outcomes.record(result.as_ref());
                let Some(Ok(mut stream)) = result else { return };
                let mut expected = 0;
                let stop = random.below(60);
                while let Some(answer) = stream.next().await {
                    let Ok(answer) = answer else { break };
                    assert_eq!((answer.nonce, answer.count), (nonce.clone(), Some(expected)));
                    expected += 1;
                    if expected == stop {
                        // Drop the stream on another thread.
                        match random.below(3) {
                            0 => drop(tokio::task::spawn_blocking(move || drop(stream))),
                            1 => {
                                std::thread::spawn(move || drop(stream));
                            }
                            _ => drop(stream),
                        }
                        break;
                    }
                    if expected % 7 == 0 {
                        stream = tokio::spawn(async { stream }).await.unwrap();
                    }
                }
            }
        }
    };
    // A busy machine may be late to notice the deadline.
    let bound = timeout + Duration::from_secs(3);
    let in_time = tokio::time::timeout(bound, call_to_end).await.is_ok();
    assert!(in_time, "a call of {timeout:?} has not ended after {:?}", begun.elapsed());
}

/// Makes calls from this many tasks for the given duration.
pub async fn run_load<C>(call: &C, tasks: u32, duration: Duration, outcomes: &Arc<Outcomes>)
where
    C: Call + Clone + Send + Sync + 'static,
{
    let until = Instant::now() + duration;
    let random = Arc::new(Random::default());
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..tasks {
        let (call, random, outcomes) = (call.clone(), Arc::clone(&random), Arc::clone(outcomes));
        callers.spawn(async move {
            while Instant::now() < until {
                any_call(call.clone(), &random, &outcomes).await;
                // Calls that fail at once never yield by themselves.
                tokio::task::yield_now().await;
            }
        });
    }
    while let Some(result) = callers.join_next().await {
        result.unwrap();
    }
}
