//! Get, put and delete.
//!
//! Invariant: the checks run in the order in which a node makes them, since the
//! first that fails decides the answer. A refused request changes nothing.

use riak_client::riak::{RpbBucketProps, RpbPair};
use riak_client::riak_kv::{RpbContent, RpbDelReq, RpbGetReq, RpbGetResp, RpbPutReq, RpbPutResp};
use riak_runtime::{Blob, Message, Quorum};

use super::{BucketId, State};
use crate::bucket_props::checked_type;
use crate::conditional;
use crate::index::parse_entries;
use crate::object::{Object, Sibling};
use crate::quorum;
use crate::refusal::Refusal;
use crate::ring::DEFAULT_TYPE;
use crate::siblings::{Policy, after_replication, after_write};
use crate::vclock::Vclock;

/// Decodes the clock that a client sent.
fn context(bytes: Option<&Blob>) -> Result<Vclock, Refusal> {
    let crash = || Refusal::Crash("error:badarg:[{riak_object,decode_vclock}]".to_owned());
    Vclock::decode(bytes.map(Blob::as_slice)).ok_or_else(crash)
}

/// Checks the names in a request for an object. A key that the node is to generate
/// is `None`.
pub(super) fn check_names(bucket: &Blob, key: Option<&Blob>) -> Result<(), Refusal> {
    if bucket.is_empty() {
        return Err(Refusal::EmptyBucket);
    }
    if key.is_some_and(|key| key.is_empty()) {
        return Err(Refusal::EmptyKey);
    }
    Ok(())
}

impl State {
    pub(super) fn props(&self, bucket_id: &BucketId) -> Result<RpbBucketProps, Refusal> {
        self.types.of_bucket(&bucket_id.0, &bucket_id.1).ok_or(Refusal::NoType)
    }

    pub(super) fn stored(&self, bucket_id: &BucketId, key: &Blob) -> Option<&Object> {
        self.buckets.get(bucket_id)?.get(key)
    }

    pub(super) fn get(&mut self, request: &RpbGetReq) -> Result<RpbGetResp, Refusal> {
        check_names(&request.bucket, Some(&request.key))?;
        let bucket_id = (checked_type(request.r#type.as_ref())?, request.bucket.clone());
        let props = self.props(&bucket_id)?;
        quorum::check(&props, request.n_val, &[request.r, request.pr], request.node_confirms)?;
        let Some(object) = self.stored(&bucket_id, &request.key).cloned() else {
            return Ok(RpbGetResp::default());
        };
        if object.is_tombstone() {
            self.schedule_reap_after_read(&bucket_id, &request.key, &object.clock, request.n_val, &props);
            let vclock = (request.deletedvclock == Some(true)).then(|| object.clock.encode());
            return Ok(RpbGetResp { vclock, ..RpbGetResp::default() });
        }
        let seen = request.if_modified.as_ref().map(|clock| context(Some(clock))).transpose()?;
        if seen.is_some_and(|seen| seen == object.clock) {
            return Ok(RpbGetResp { unchanged: Some(true), ..RpbGetResp::default() });
        }
        Ok(RpbGetResp {
            content: object.contents(request.head == Some(true)),
            vclock: Some(object.clock.encode()),
            ..RpbGetResp::default()
        })
    }

    /// Schedules the reaping of a tombstone that a read has found. A tombstone that was
    /// put, not deleted, is reaped in no other way. The read must ask all replicas.
    pub(super) fn schedule_reap_after_read(
        &mut self,
        bucket_id: &BucketId,
        key: &Blob,
        clock: &Vclock,
        n_val: Option<u32>,
        props: &RpbBucketProps,
    ) {
        if n_val.is_none_or(|n_val| Some(n_val) == props.n_val) {
            self.schedule_reap(bucket_id, key, clock);
        }
    }

    /// Refuses content that exceeds the maximum object size.
    pub(super) fn check_size(&self, content: &RpbContent) -> Result<(), Refusal> {
        let size = content.encoded_len();
        if size > self.max_object { Err(Refusal::TooLarge(size)) } else { Ok(()) }
    }

    pub(super) fn put(&mut self, request: &RpbPutReq) -> Result<RpbPutResp, Refusal> {
        check_names(&request.bucket, request.key.as_ref())?;
        let bucket_id = (checked_type(request.r#type.as_ref())?, request.bucket.clone());
        let props = self.props(&bucket_id)?;
        let context = context(request.vclock.as_ref())?;
        let stored = request.key.as_ref().and_then(|key| self.stored(&bucket_id, key));
        conditional::check(request, &context, stored)?;
        quorum::check(&props, request.n_val, &[request.w, request.dw, request.pw], request.node_confirms)?;
        let entries = parse_entries(&request.content.indexes).map_err(Refusal::InvalidIndexes)?;
        self.check_size(&request.content)?;

        let key = request.key.clone().unwrap_or_else(|| self.identities.key());
        let asis = request.asis == Some(true);
        let version = self.version(&request.content, entries, asis);
        let object = self.store(bucket_id, key.clone(), &props, context, version, asis);

        let head = request.return_head == Some(true);
        let body = head || request.return_body == Some(true);
        Ok(RpbPutResp {
            content: if body { object.contents(head) } else { Vec::new() },
            vclock: body.then(|| object.clock.encode()),
            key: request.key.is_none().then_some(key),
            ..RpbPutResp::default()
        })
    }

    pub(super) fn delete(&mut self, request: &RpbDelReq) -> Result<(), Refusal> {
        let bucket_id = (checked_type(request.r#type.as_ref())?, request.bucket.clone());
        let props = self.props(&bucket_id)?;
        // A quorum that names the default counts as absent.
        let given = |quorum: Option<Quorum>| quorum.filter(|quorum| *quorum != Quorum::DEFAULT);
        let (r, w, rw) = (given(request.r), given(request.w), given(request.rw));
        let seen = if let Some(clock) = &request.vclock {
            context(Some(clock))?
        } else {
            // Without a clock the node reads first, and stops if the read finds
            // nothing or a tombstone. Only then does it check the write quorums.
            let r = if r.is_none() && w.is_none() { rw } else { r };
            quorum::check(&props, request.n_val, &[r, request.pr], None)?;
            match self.stored(&bucket_id, &request.key) {
                Some(object) if !object.is_tombstone() => object.clock.clone(),
                _ => return Ok(()),
            }
        };
        quorum::check(&props, request.n_val, &[w.or(rw), request.pw, request.dw], None)?;
        let content = RpbContent { deleted: Some(true), ..RpbContent::default() };
        let version = self.version(&content, Vec::new(), false);
        let object = self.store(bucket_id.clone(), request.key.clone(), &props, seen, version, false);
        // A delete with an n_val of its own leaves the tombstone unreaped.
        if object.is_tombstone() && request.n_val.is_none() {
            self.schedule_reap(&bucket_id, &request.key, &object.clock);
            self.reap();
        }
        Ok(())
    }

    fn schedule_reap(&mut self, bucket_id: &BucketId, key: &Blob, clock: &Vclock) {
        let now = self.clock.now();
        self.reaper.schedule(now, bucket_id, key, clock);
    }

    /// Returns the version to store for this content.
    pub(super) fn version(
        &mut self,
        content: &RpbContent,
        entries: Vec<(Blob, crate::index::IndexTerm)>,
        asis: bool,
    ) -> Sibling {
        let mut content = content.clone();
        content.unknown_fields = <_>::default();
        content.indexes = entries
            .iter()
            .map(|(index, term)| RpbPair { value: Some(term.to_blob()), ..RpbPair::new(index) })
            .collect();
        // Only a delete carries this field.
        content.deleted = content.deleted.filter(|deleted| *deleted);
        if !asis {
            let now = self.clock.now();
            content.vtag = Some(self.identities.vtag());
            content.last_mod = Some(u32::try_from(now.as_secs()).unwrap_or(u32::MAX));
            content.last_mod_usecs = Some(now.subsec_micros());
        }
        Sibling { dot: None, content, entries, crdt: None }
    }

    /// Stores a version beside the stored ones, or replacing them.
    fn store(
        &mut self,
        bucket_id: BucketId,
        key: Blob,
        props: &RpbBucketProps,
        context: Vclock,
        version: Sibling,
        asis: bool,
    ) -> Object {
        let policy = Policy::of(props, bucket_id.0 == *DEFAULT_TYPE);
        let stored = self.buckets.get(&bucket_id).and_then(|objects| objects.get(&key));
        let object = if asis {
            after_replication(stored, context, version, policy)
        } else {
            after_write(stored, &context, self.identities.next_dot(), version, policy)
        };
        self.buckets.entry(bucket_id).or_default().insert(key, object.clone());
        object
    }
}
