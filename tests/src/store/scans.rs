//! Index queries, and scans over whole objects.
//!
//! Invariant: each answer shows the store at one moment.

use std::collections::BTreeMap;
use std::ops::Bound;

use riak_client::riak::RpbPair;
use riak_client::riak_kv::{RpbCSBucketReq, RpbGetResp, RpbIndexObject, RpbIndexReq, RpbIndexResp};
use riak_runtime::Blob;

use super::State;
use crate::bucket_props::checked_type;
use crate::index::{self, Query};
use crate::pace::Parts;
use crate::refusal::Refusal;

/// The answer to an index query, split into the parts in which it arrives.
#[derive(Clone, Debug)]
pub(crate) struct IndexAnswer {
    pub(crate) parts: Vec<RpbIndexResp>,
    pub(crate) continuation: Option<Blob>,
    pub(crate) timed_out: bool,
}

/// The answer to a scan over objects, split into the parts in which it arrives.
#[derive(Clone, Debug)]
pub(crate) struct CsScan {
    pub(crate) objects: Parts<RpbIndexObject>,
    pub(crate) continuation: Option<Blob>,
}

impl State {
    /// Runs an index query.
    ///
    /// # Errors
    ///
    /// If the query is invalid, or there is no such type.
    pub(super) fn index(&mut self, request: &RpbIndexReq) -> Result<IndexAnswer, Refusal> {
        let query = Query::parse(request)?;
        let offset = self.next_scan();
        let bucket_id = (checked_type(request.r#type.as_ref())?, request.bucket.clone());
        let props = self.types.of_bucket(&bucket_id.0, &bucket_id.1).ok_or(Refusal::NoType)?;
        let n_val = props.n_val.unwrap_or(3);
        let none = BTreeMap::new();
        let objects = self.buckets.get(&bucket_id).unwrap_or(&none);
        let found = index::scan(&query, objects, self.ring.scan_parts(n_val), |key| {
            self.ring.scan_part(&bucket_id.0, &bucket_id.1, key, n_val, offset)
        });
        let Parts { parts, timed_out } = self.pace.apply(found.parts, request.timeout);
        let part = |entries: Vec<(Option<index::IndexTerm>, Blob)>| {
            let mut answer = RpbIndexResp::default();
            for (term, key) in entries {
                match term {
                    Some(term) if query.return_terms => {
                        answer.results.push(RpbPair { value: Some(key), ..RpbPair::new(term.to_blob()) });
                    }
                    _ => answer.keys.push(key),
                }
            }
            answer
        };
        Ok(IndexAnswer {
            parts: parts.into_iter().map(part).collect(),
            continuation: found.continuation,
            timed_out,
        })
    }

    /// Scans the objects of a bucket.
    ///
    /// # Errors
    ///
    /// If the continuation is invalid, or there is no such type.
    pub(super) fn cs_bucket(&mut self, request: &RpbCSBucketReq) -> Result<CsScan, Refusal> {
        let bucket_id = (checked_type(request.r#type.as_ref())?, request.bucket.clone());
        self.types.of_bucket(&bucket_id.0, &bucket_id.1).ok_or(Refusal::NoType)?;
        let after = request.continuation.as_ref().map(index::key_after).transpose()?;
        let start = match after {
            Some(key) => Bound::Excluded(key),
            None if request.start_incl() => Bound::Included(request.start_key.clone()),
            None => Bound::Excluded(request.start_key.clone()),
        };
        let within = |key: &Blob| match &request.end_key {
            None => true,
            Some(end) if request.end_incl() => key <= end,
            Some(end) => key < end,
        };
        let most = request.max_results.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
        let objects: Vec<RpbIndexObject> = self
            .buckets
            .get(&bucket_id)
            .into_iter()
            .flat_map(|objects| objects.range((start.clone(), Bound::Unbounded)))
            .take_while(|(key, _)| within(key))
            .filter(|(_, object)| !object.is_tombstone())
            .take(most)
            .map(|(key, object)| {
                let vclock = Some(object.clock.encode());
                RpbIndexObject::new(
                    key,
                    RpbGetResp { content: object.contents(false), vclock, ..RpbGetResp::default() },
                )
            })
            .collect();
        let last = objects.last().filter(|_| objects.len() == most);
        let continuation = last.map(|object| index::continuation_after(&object.key));
        Ok(CsScan { objects: self.pace.apply(vec![objects], request.timeout), continuation })
    }
}
