//! Servers with scripted behaviour: they block gets, count requests, or answer as a node
//! that is still starting.
//!
//! Invariant: a get that is let through is answered from the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use riak_client::riak_kv::{RpbContent, RpbGetReq, RpbPutReq};
use riak_client::{Coded, Frame, Node as NodeAddress};
use riak_runtime::operation::ErrorFrame;
use riak_runtime::server::{Failure, Outbox, Service};
use riak_testkit::{Node, Store};
use tokio::sync::Semaphore;

/// Answers each get once it has a permit.
pub(crate) struct Gated {
    pub(crate) store: Store,
    pub(crate) gate: Arc<Semaphore>,
}

impl Service for Gated {
    fn serves(&self, code: u8) -> bool {
        code == RpbGetReq::CODE
    }

    fn error_frame(&self, _: Option<u8>) -> Option<ErrorFrame> {
        Some(ErrorFrame::RIAK)
    }

    async fn call(&self, request: Frame, outbox: &mut Outbox) -> Result<(), Failure> {
        let request: RpbGetReq = outbox.decode(&request)?;
        self.gate.acquire().await.unwrap().forget();
        outbox.answer(&self.store.get(&request)?)
    }
}

/// Counts the requests with certain codes, and handles them as `answer` says.
pub(crate) struct Counting {
    pub(crate) codes: &'static [u8],
    pub(crate) count: Arc<AtomicUsize>,
    pub(crate) answer: Answer,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The code is unknown, as at a node that is still starting.
    Unserved,
    /// No answer is ever sent.
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

/// Starts a node whose keys `0`, `1` and so on have themselves as values, and which answers as
/// many gets as the gate has permits.
pub(crate) async fn gated(keys: usize, gate: &Arc<Semaphore>) -> Node {
    let store = Store::new();
    for key in 0..keys {
        store.put(&put(&key.to_string())).unwrap();
    }
    let service = Gated { store: store.clone(), gate: Arc::clone(gate) };
    Node::builder().store(store).with_service(service).start().await.unwrap()
}

/// Starts a node that counts the requests with certain codes.
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

pub(crate) fn node_address(node: &Node) -> NodeAddress {
    NodeAddress::from(node.addr())
}

/// Returns a put of a key whose value is the key.
pub(crate) fn put(key: &str) -> RpbPutReq {
    RpbPutReq { key: Some(key.into()), ..RpbPutReq::new("b", RpbContent::new(key)) }
}

pub(crate) fn get(key: &str) -> RpbGetReq {
    RpbGetReq::new("b", key)
}

/// Waits until a condition holds.
pub(crate) async fn until(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..6000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{what}: not within 30 seconds");
}
