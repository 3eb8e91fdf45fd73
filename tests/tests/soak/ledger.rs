//! [`Ledger`]: a record of every put that the nodes have applied.
//!
//! It answers puts in place of the nodes, stores them, and counts them. It also serves a fold, for
//! calls that need a connection to themselves. Invariant: a put is recorded if and only if it was
//! stored.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use riak_client::Coded;
use riak_client::riak_kv::{
    RpbAaeFoldBucket, RpbAaeFoldListBucketsReq, RpbAaeFoldListBucketsResp, RpbPutReq,
};
use riak_runtime::Frame;
use riak_runtime::operation::ErrorFrame;
use riak_runtime::server::{Failure, Outbox, Service};
use riak_testkit::Store;

/// A key, and the number of a write to it.
type Write = (String, u64);

#[derive(Clone)]
pub(crate) struct Ledger {
    store: Store,
    applied: Arc<Mutex<BTreeMap<Write, usize>>>,
}

impl Ledger {
    pub(crate) fn new(store: &Store) -> Self {
        Self { store: store.clone(), applied: Arc::default() }
    }

    /// Returns the store of the nodes.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Returns how often this write was applied.
    pub(crate) fn applied(&self, key: &str, number: u64) -> usize {
        self.applied.lock().unwrap().get(&(key.to_owned(), number)).copied().unwrap_or(0)
    }
}

/// Parses a value that [`value`] has made.
pub(crate) fn parse(value: &str) -> (&str, u64) {
    let (key, number) = value.split_once(':').expect("a value contains its key");
    (key, number.parse().expect("a number"))
}

/// Returns the value that a write stores.
pub(crate) fn value(key: &str, number: u64) -> String {
    format!("{key}:{number}")
}

impl Service for Ledger {
    fn serves(&self, code: u8) -> bool {
        code == RpbPutReq::CODE || code == RpbAaeFoldListBucketsReq::CODE
    }

    fn error_frame(&self, _: Option<u8>) -> Option<ErrorFrame> {
        Some(ErrorFrame::RIAK)
    }

    async fn call(&self, request: Frame, outbox: &mut Outbox) -> Result<(), Failure> {
        if request.code == RpbAaeFoldListBucketsReq::CODE {
            // The answer to a long call identifies the call.
            let number = outbox.decode::<RpbAaeFoldListBucketsReq>(&request)?.n_val.unwrap_or(0);
            let bucket_list = vec![RpbAaeFoldBucket::new(number.to_string())];
            return outbox
                .answer(&RpbAaeFoldListBucketsResp { bucket_list, ..RpbAaeFoldListBucketsResp::default() });
        }
        let put: RpbPutReq = outbox.decode(&request)?;
        let stored = self.store.put(&put)?;
        let (key, number) = parse(put.content.value.to_str().expect("a text"));
        *self.applied.lock().unwrap().entry((key.to_owned(), number)).or_default() += 1;
        outbox.answer(&stored)
    }
}
