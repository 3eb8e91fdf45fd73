//! Servers that do as they are told: they wait at a gate, count, or say what a
//! node says that starts.
//!
//! Invariant: what passes the gate is answered from the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use riak_client::riak_kv::{RpbContent, RpbGetReq, RpbPutReq};
use riak_client::{Coded, Frame, Node as Place};
use riak_runtime::operation::ErrorFrame;
use riak_runtime::server::{Failure, Outbox, Service};
use riak_testkit::{Node, Store};
use tokio::sync::Semaphore;

/// What becomes of a get.
#[derive(Clone)]
pub(crate) enum Pace {
    /// It takes this long.
    Takes(Duration),
    /// It waits for a permit.
    Gate(Arc<Semaphore>),
}

/// Answers gets at a pace.
pub(crate) struct Paced {
    pub(crate) store: Store,
    pub(crate) pace: Pace,
}

impl Service for Paced {
    fn serves(&self, code: u8) -> bool {
        code == RpbGetReq::CODE
    }

    fn error_frame(&self, _: Option<u8>) -> Option<ErrorFrame> {
        Some(ErrorFrame::RIAK)
    }

    async fn call(&self, request: Frame, outbox: &mut Outbox) -> Result<(), Failure> {
        let request: RpbGetReq = outbox.decode(&request)?;
        match &self.pace {
            Pace::Takes(time) => tokio::time::sleep(*time).await,
            Pace::Gate(gate) => gate.acquire().await.unwrap().forget(),
        }
        outbox.answer(&self.store.get(&request)?)
    }
}

/// Counts the requests of some codes, and does with them as `answer` says.
pub(crate) struct Counting {
    pub(crate) codes: &'static [u8],
    pub(crate) count: Arc<AtomicUsize>,
    pub(crate) answer: Answer,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Nobody serves them: the node starts.
    Unserved,
    /// None ever comes.
    Never,
}

impl Service for Counting {
    fn serves(&self, code: u8) -> bool {
        self.codes.contains(&code)
    }

    fn error_frame(&self, _: Option<u8>) -> Option<ErrorFrame> {
        Some(ErrorFrame::RIAK)
    }

    async fn call(&self, request: Frame, _: &mut Outbox) -> Result<(), Failure> {
        self.count.fetch_add(1, Ordering::Relaxed);
        match self.answer {
            Answer::Unserved => Err(Failure::unknown_code(request.code)),
            Answer::Never => Ok(()),
        }
    }
}

/// A node whose keys `0`, `1` and so on hold themselves, and that answers gets
/// at a pace.
pub(crate) async fn paced(keys: usize, pace: Pace) -> Node {
    let store = Store::new();
    for key in 0..keys {
        store.put(&put(&key.to_string())).unwrap();
    }
    let service = Paced { store: store.clone(), pace };
    Node::builder().store(store).with_service(service).start().await.unwrap()
}

/// A node that counts the requests of some codes.
pub(crate) async fn counting(
    store: &Store,
    codes: &'static [u8],
    answer: Answer,
) -> (Node, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let service = Counting { codes, count: Arc::clone(&count), answer };
    let node = Node::builder().store(store.clone()).with_service(service).start().await.unwrap();
    (node, count)
}

pub(crate) fn place(node: &Node) -> Place {
    Place::from(node.addr())
}

/// A put of a key whose value is the key.
pub(crate) fn put(key: &str) -> RpbPutReq {
    RpbPutReq { key: Some(key.into()), ..RpbPutReq::new("b", RpbContent::new(key)) }
}

pub(crate) fn get(key: &str) -> RpbGetReq {
    RpbGetReq::new("b", key)
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, so: impl Fn() -> bool) {
    for _ in 0..6000 {
        if so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{what}: not within 30 seconds");
}
