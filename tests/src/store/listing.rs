//! Listing buckets and keys.
//!
//! Invariant: a listing shows what a scan of the keys finds, including tombstones
//! that are not reaped yet.

use std::collections::BTreeMap;

use riak_client::riak_kv::{RpbListBucketsReq, RpbListKeysReq};
use riak_runtime::Blob;

use super::State;
use crate::bucket_props::type_or_default;
use crate::pace::Parts;
use crate::refusal::Refusal;

impl State {
    /// Lists the buckets of a type, split into the parts of a scan.
    ///
    /// # Errors
    ///
    /// If there is no such type.
    pub(super) fn list_buckets(&mut self, request: &RpbListBucketsReq) -> Result<Parts<Blob>, Refusal> {
        let offset = self.next_scan();
        let kind = type_or_default(request.r#type.as_ref());
        // A listing of buckets uses the n_val of their type: no single bucket
        // can decide which partitions are asked.
        let props = self.types.of_type(&kind).ok_or_else(|| Refusal::NoTypeNamed(kind.clone()))?;
        let n_val = props.n_val.unwrap_or(3);
        let mut parts = vec![Vec::new(); self.ring.scan_parts(n_val) as usize];
        for (bucket_id, objects) in self.buckets.iter().filter(|(bucket_id, _)| bucket_id.0 == kind) {
            let first = objects
                .keys()
                .map(|key| self.ring.scan_part(&bucket_id.0, &bucket_id.1, key, n_val, offset))
                .min();
            if let Some(first) = first {
                parts[first as usize].push(bucket_id.1.clone());
            }
        }
        Ok(self.pace.apply(parts, request.timeout))
    }

    /// Lists the keys of a bucket, split into the parts of a scan.
    ///
    /// # Errors
    ///
    /// If there is no such type.
    pub(super) fn list_keys(&mut self, request: &RpbListKeysReq) -> Result<Parts<Blob>, Refusal> {
        let offset = self.next_scan();
        let bucket_id = (type_or_default(request.r#type.as_ref()), request.bucket.clone());
        let props = self.types.of_bucket(&bucket_id.0, &bucket_id.1);
        let props = props.ok_or_else(|| Refusal::NoTypeNamed(bucket_id.0.clone()))?;
        let n_val = props.n_val.unwrap_or(3);
        let mut parts = vec![Vec::new(); self.ring.scan_parts(n_val) as usize];
        for key in self.buckets.get(&bucket_id).into_iter().flat_map(BTreeMap::keys).rev() {
            let part = self.ring.scan_part(&bucket_id.0, &bucket_id.1, key, n_val, offset);
            parts[part as usize].push(key.clone());
        }
        Ok(self.pace.apply(parts, request.timeout))
    }
}
