//! Listing buckets and keys.
//!
//! Invariant: a listing shows what a scan of the keys finds, which includes
//! tombstones that are not reaped yet.

use std::collections::BTreeMap;

use riak_client::riak_kv::{RpbListBucketsReq, RpbListKeysReq};
use riak_runtime::Blob;

use super::State;
use crate::bucket_props::named_kind;
use crate::pace::Parts;
use crate::refusal::Refusal;

impl State {
    /// The buckets of a type, in the parts of a scan.
    ///
    /// # Errors
    ///
    /// If there is no such type.
    pub(super) fn list_buckets(&mut self, request: &RpbListBucketsReq) -> Result<Parts<Blob>, Refusal> {
        let offset = self.next_scan();
        let kind = named_kind(request.r#type.as_ref());
        // Buckets are listed by their type's n_val: which partitions to ask
        // does not depend on a single bucket.
        let props = self.types.of_type(&kind).ok_or_else(|| Refusal::NoTypeNamed(kind.clone()))?;
        let n_val = props.n_val.unwrap_or(3);
        let mut parts = vec![Vec::new(); self.ring.scan_parts(n_val) as usize];
        for (place, objects) in self.buckets.iter().filter(|(place, _)| place.0 == kind) {
            let first =
                objects.keys().map(|key| self.ring.scan_part(&place.0, &place.1, key, n_val, offset)).min();
            if let Some(first) = first {
                parts[first as usize].push(place.1.clone());
            }
        }
        Ok(self.pace.apply(parts, request.timeout))
    }

    /// The keys of a bucket, in the parts of a scan.
    ///
    /// # Errors
    ///
    /// If there is no such type.
    pub(super) fn list_keys(&mut self, request: &RpbListKeysReq) -> Result<Parts<Blob>, Refusal> {
        let offset = self.next_scan();
        let place = (named_kind(request.r#type.as_ref()), request.bucket.clone());
        let props = self.types.of_bucket(&place.0, &place.1);
        let props = props.ok_or_else(|| Refusal::NoTypeNamed(place.0.clone()))?;
        let n_val = props.n_val.unwrap_or(3);
        let mut parts = vec![Vec::new(); self.ring.scan_parts(n_val) as usize];
        for key in self.buckets.get(&place).into_iter().flat_map(BTreeMap::keys).rev() {
            let part = self.ring.scan_part(&place.0, &place.1, key, n_val, offset);
            parts[part as usize].push(key.clone());
        }
        Ok(self.pace.apply(parts, request.timeout))
    }
}
