//! Listing buckets and keys.
//!
//! Invariant: a listing shows what a scan of the keys finds, which includes
//! tombstones that are not reaped yet.

use std::collections::BTreeMap;

use riak_client::riak_kv::{RpbListBucketsReq, RpbListKeysReq};
use riak_runtime::Blob;

use super::State;
use crate::bucket_props::kind_of;
use crate::pace::Parts;
use crate::refusal::Refusal;
use crate::ring::DEFAULT_TYPE;

impl State {
    /// The buckets of a type, in the parts of a scan. An unknown type has none.
    pub(super) fn list_buckets(&mut self, request: &RpbListBucketsReq) -> Parts<Blob> {
        let offset = self.next_scan();
        let kind = request.r#type.clone().unwrap_or(Blob::from_static(DEFAULT_TYPE));
        // Buckets are listed by their type's n_val: which partitions to ask
        // does not depend on a single bucket.
        let n_val = self.types.of_type(&kind).and_then(|props| props.n_val).unwrap_or(3);
        let mut parts = vec![Vec::new(); self.ring.scan_parts(n_val) as usize];
        for (place, objects) in self.buckets.iter().filter(|(place, _)| place.0 == kind) {
            let first =
                objects.keys().map(|key| self.ring.scan_part(&place.0, &place.1, key, n_val, offset)).min();
            if let Some(first) = first {
                parts[first as usize].push(place.1.clone());
            }
        }
        self.pace.apply(parts, request.timeout)
    }

    /// The keys of a bucket, in the parts of a scan.
    ///
    /// # Errors
    ///
    /// If there is no such type.
    pub(super) fn list_keys(&mut self, request: &RpbListKeysReq) -> Result<Parts<Blob>, Refusal> {
        let offset = self.next_scan();
        let place = (kind_of(request.r#type.as_ref())?, request.bucket.clone());
        let props = self.types.of_bucket(&place.0, &place.1).ok_or(Refusal::NoType)?;
        let n_val = props.n_val.unwrap_or(3);
        let mut parts = vec![Vec::new(); self.ring.scan_parts(n_val) as usize];
        for key in self.buckets.get(&place).into_iter().flat_map(BTreeMap::keys).rev() {
            let part = self.ring.scan_part(&place.0, &place.1, key, n_val, offset);
            parts[part as usize].push(key.clone());
        }
        Ok(self.pace.apply(parts, request.timeout))
    }
}
