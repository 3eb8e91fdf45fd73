//! [`Store`]: the data of a node, and the operations on it.
//!
//! Invariant: every operation is atomic. The lock is never held while a connection
//! waits.

mod data_types;
mod listing;
mod objects;
mod scans;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use riak_client::riak::{RpbBucketProps, RpbGetBucketResp};
use riak_client::riak_dt::{DtFetchReq, DtFetchResp, DtUpdateReq, DtUpdateResp};
use riak_client::riak_kv::{
    RpbCSBucketReq, RpbContent, RpbCounterGetReq, RpbCounterGetResp, RpbCounterUpdateReq,
    RpbCounterUpdateResp, RpbDelReq, RpbGetBucketKeyPreflistReq, RpbGetReq, RpbGetResp, RpbIndexReq,
    RpbListBucketsReq, RpbListKeysReq, RpbPutReq, RpbPutResp,
};
use riak_runtime::Blob;

use crate::bucket_props::{checked_type, type_or_default};
use crate::bucket_types::BucketTypes;
use crate::clock::Clock;
use crate::identity::Identities;
use crate::object::Object;
use crate::pace::{Pace, Parts};
use crate::refusal::Refusal;
use crate::ring::Ring;
use crate::tombstone::{DeleteMode, Reaper};

pub(crate) use scans::{CsScan, IndexAnswer};

/// A bucket type and the name of a bucket in it.
type BucketId = (Blob, Blob);

/// The settings that a node is created with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) clock: Clock,
    pub(crate) seed: Option<u64>,
    pub(crate) delete_mode: DeleteMode,
    pub(crate) ring_size: u32,
    pub(crate) pace: Pace,
    pub(crate) max_object: usize,
    pub(crate) types: BucketTypes,
}

/// The data of a node. Clones share the same data.
///
/// The operations are the same whether they are called here or over a socket: a
/// test can fill the store, and inspect what the code under test has written.
///
/// ```
/// use riak_client::riak_kv::{RpbContent, RpbGetReq, RpbPutReq};
/// use riak_testkit::Store;
///
/// # fn main() -> Result<(), riak_testkit::Refusal> {
/// let store = Store::new();
/// let put = RpbPutReq { key: Some("alice".into()), ..RpbPutReq::new("users", RpbContent::new("hello")) };
/// store.put(&put)?;
/// assert_eq!(store.get(&RpbGetReq::new("users", "alice"))?.content[0].value, "hello");
/// assert_eq!(store.keys("default", "users"), ["alice"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Store {
    state: Arc<Mutex<State>>,
}

/// An object as it is stored, returned by [`Store::object`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StoredObject {
    /// The object's vclock, as clients see it.
    pub vclock: Blob,
    /// The object's concurrent versions, tombstones included.
    pub siblings: Vec<RpbContent>,
}

#[derive(Debug)]
struct State {
    clock: Clock,
    identities: Identities,
    reaper: Reaper,
    ring: Ring,
    pace: Pace,
    max_object: usize,
    types: BucketTypes,
    buckets: BTreeMap<BucketId, BTreeMap<Blob, Object>>,
    /// The number of scans so far. Each scan asks other partitions than the last.
    scans: u32,
}

impl Default for Store {
    fn default() -> Self {
        Self::new()
    }
}

impl Store {
    /// Creates an empty store with the settings of a fresh node, but no node.
    #[must_use]
    pub fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let state = State {
            clock: settings.clock,
            identities: Identities::new(settings.seed),
            reaper: Reaper::new(settings.delete_mode),
            ring: Ring::new(settings.ring_size),
            pace: settings.pace,
            max_object: settings.max_object,
            types: settings.types,
            buckets: BTreeMap::new(),
            scans: 0,
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // An operation replaces whole objects, so the data is consistent even if a
        // bug in this crate made one panic.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.reap();
        state
    }

    /// Fetches an object, and returns what a node answers to this request.
    ///
    /// # Errors
    ///
    /// If the node answers with an error.
    pub fn get(&self, request: &RpbGetReq) -> Result<RpbGetResp, Refusal> {
        self.state().get(request)
    }

    /// Stores an object, and returns what a node answers to this request.
    ///
    /// # Errors
    ///
    /// If the node answers with an error.
    pub fn put(&self, request: &RpbPutReq) -> Result<RpbPutResp, Refusal> {
        self.state().put(request)
    }

    /// Deletes an object. It is not an error if there is none.
    ///
    /// # Errors
    ///
    /// If the node answers with an error.
    pub fn delete(&self, request: &RpbDelReq) -> Result<(), Refusal> {
        self.state().delete(request)
    }

    /// Fetches a data type, and returns what a node answers to this request.
    ///
    /// # Errors
    ///
    /// If the node answers with an error.
    pub fn fetch(&self, request: &DtFetchReq) -> Result<DtFetchResp, Refusal> {
        self.state().fetch(request)
    }

    /// Updates a data type, and returns what a node answers to this request.
    ///
    /// ```
    /// use riak_client::riak_dt::{DtFetchReq, DtOp, DtUpdateReq, SetOp};
    /// use riak_testkit::Node;
    ///
    /// # fn main() -> Result<(), riak_testkit::Refusal> {
    /// let store = Node::builder().data_types().build_store();
    /// let add = SetOp { adds: vec!["b".into(), "a".into()], ..SetOp::default() };
    /// let op = DtOp { set_op: Some(add), ..DtOp::default() };
    /// store.update(&DtUpdateReq { key: Some("alice".into()), ..DtUpdateReq::new("tags", "sets", op) })?;
    /// let found = store.fetch(&DtFetchReq::new("tags", "alice", "sets"))?;
    /// assert_eq!(found.value.unwrap().set_value, ["a", "b"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the node answers with an error. An update of a grow-only set that asks for
    /// the new value fails too, but is applied.
    pub fn update(&self, request: &DtUpdateReq) -> Result<DtUpdateResp, Refusal> {
        self.state().update(request)
    }

    /// Fetches a counter of Riak 1.4, and returns what a node answers.
    ///
    /// # Errors
    ///
    /// If the node answers with an error.
    pub fn get_counter(&self, request: &RpbCounterGetReq) -> Result<RpbCounterGetResp, Refusal> {
        self.state().get_counter(request)
    }

    /// Increments a counter of Riak 1.4, and returns what a node answers.
    ///
    /// # Errors
    ///
    /// If the node answers with an error.
    pub fn update_counter(&self, request: &RpbCounterUpdateReq) -> Result<RpbCounterUpdateResp, Refusal> {
        self.state().update_counter(request)
    }

    /// Returns the object stored under a key, tombstones included.
    #[must_use]
    pub fn object(
        &self,
        kind: impl Into<Blob>,
        bucket: impl Into<Blob>,
        key: impl Into<Blob>,
    ) -> Option<StoredObject> {
        let state = self.state();
        let object = state.buckets.get(&(kind.into(), bucket.into()))?.get(&key.into())?;
        Some(StoredObject { vclock: object.clock.encode(), siblings: object.contents(false) })
    }

    /// Returns the keys of a bucket's objects, sorted, without tombstones.
    #[must_use]
    pub fn keys(&self, kind: impl Into<Blob>, bucket: impl Into<Blob>) -> Vec<Blob> {
        let state = self.state();
        let objects = state.buckets.get(&(kind.into(), bucket.into()));
        let live = objects.into_iter().flatten().filter(|(_, object)| !object.is_tombstone());
        live.map(|(key, _)| key.clone()).collect()
    }

    /// Returns the buckets of a type that hold objects, sorted.
    #[must_use]
    pub fn buckets(&self, kind: impl Into<Blob>) -> Vec<Blob> {
        let kind = kind.into();
        let state = self.state();
        let live = state.buckets.iter().filter(|(bucket_id, objects)| {
            bucket_id.0 == kind && objects.values().any(|object| !object.is_tombstone())
        });
        live.map(|(bucket_id, _)| bucket_id.1.clone()).collect()
    }

    /// Returns the number of objects, without tombstones.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state()
            .buckets
            .values()
            .flat_map(BTreeMap::values)
            .filter(|object| !object.is_tombstone())
            .count()
    }

    /// Reports whether there are no objects.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes all objects and tombstones. Bucket types and properties stay.
    pub fn clear(&self) {
        self.state().buckets.clear();
    }

    /// Creates a bucket type with these properties, active at once. It replaces a
    /// type of the same name.
    pub fn create_bucket_type(&self, name: impl Into<Blob>, props: &RpbBucketProps) {
        self.state().types.create(name.into(), props);
    }

    /// Returns the properties of a bucket, or `None` if there is no such type.
    #[must_use]
    pub fn bucket_props(&self, kind: impl Into<Blob>, bucket: impl Into<Blob>) -> Option<RpbBucketProps> {
        self.state().types.of_bucket(&kind.into(), &bucket.into())
    }

    pub(crate) fn get_bucket(&self, kind: Option<&Blob>, bucket: &Blob) -> Result<RpbGetBucketResp, Refusal> {
        let kind = type_or_default(kind);
        let props = self.state().types.of_bucket(&kind, bucket).ok_or(Refusal::NoTypeNamed(kind))?;
        Ok(RpbGetBucketResp::new(props))
    }

    pub(crate) fn set_bucket(
        &self,
        kind: Option<&Blob>,
        bucket: Blob,
        props: &RpbBucketProps,
    ) -> Result<(), Refusal> {
        self.state().types.set_bucket(type_or_default(kind), bucket, props)
    }

    pub(crate) fn reset_bucket(&self, kind: Option<&Blob>, bucket: Blob) {
        self.state().types.reset_bucket(type_or_default(kind), bucket);
    }

    pub(crate) fn get_type(&self, kind: &Blob) -> Result<RpbGetBucketResp, Refusal> {
        let props = self.state().types.of_type(kind).cloned();
        Ok(RpbGetBucketResp::new(props.ok_or_else(|| Refusal::InvalidType(kind.clone()))?))
    }

    pub(crate) fn set_type(&self, kind: &Blob, props: &RpbBucketProps) -> Result<(), Refusal> {
        self.state().types.set_type(kind, props)
    }

    pub(crate) fn list_buckets(&self, request: &RpbListBucketsReq) -> Result<Parts<Blob>, Refusal> {
        self.state().list_buckets(request)
    }

    pub(crate) fn list_keys(&self, request: &RpbListKeysReq) -> Result<Parts<Blob>, Refusal> {
        self.state().list_keys(request)
    }

    pub(crate) fn index(&self, request: &RpbIndexReq) -> Result<IndexAnswer, Refusal> {
        self.state().index(request)
    }

    pub(crate) fn cs_bucket(&self, request: &RpbCSBucketReq) -> Result<CsScan, Refusal> {
        self.state().cs_bucket(request)
    }

    pub(crate) fn preflist(&self, request: &RpbGetBucketKeyPreflistReq) -> Result<Vec<u32>, Refusal> {
        objects::check_names(&request.bucket, Some(&request.key))?;
        let kind = checked_type(request.r#type.as_ref())?;
        let state = self.state();
        let props = state.types.of_bucket(&kind, &request.bucket).ok_or(Refusal::NoType)?;
        Ok(state.ring.preflist(&kind, &request.bucket, &request.key, props.n_val.unwrap_or(3)))
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            clock: Clock::system(),
            seed: None,
            delete_mode: DeleteMode::default(),
            ring_size: 8,
            pace: Pace::default(),
            max_object: 50 * 1024 * 1024,
            types: BucketTypes::new(),
        }
    }
}

impl State {
    /// Removes the tombstones that are due and have not been overwritten.
    fn reap(&mut self) {
        let now = self.clock.now();
        for pending in self.reaper.take_due(now) {
            let Some(objects) = self.buckets.get_mut(&pending.bucket_id) else { continue };
            if objects
                .get(&pending.key)
                .is_some_and(|object| object.is_tombstone() && object.clock == pending.clock)
            {
                objects.remove(&pending.key);
            }
            if objects.is_empty() {
                self.buckets.remove(&pending.bucket_id);
            }
        }
    }

    /// Returns the number of the next scan.
    fn next_scan(&mut self) -> u32 {
        self.scans = self.scans.wrapping_add(1);
        self.scans
    }
}
