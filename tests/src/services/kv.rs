//! Objects, listings, indexes, and the counters of Riak 1.4.
//!
//! Invariant: an answer that is not streamed is one frame without `done`; the
//! last frame of a stream of index results carries the continuation.

use riak_client::riak_kv::{
    RpbBucketKeyPreflistItem, RpbCSBucketReq, RpbCSBucketResp, RpbCounterGetReq, RpbCounterGetResp,
    RpbCounterUpdateReq, RpbCounterUpdateResp, RpbDelReq, RpbGetBucketKeyPreflistReq,
    RpbGetBucketKeyPreflistResp, RpbGetReq, RpbGetResp, RpbIndexReq, RpbIndexResp, RpbListBucketsReq,
    RpbListBucketsResp, RpbListKeysReq, RpbListKeysResp, RpbPutReq, RpbPutResp,
};
use riak_client::riak_services::{RiakKvIndexAnswer, RiakKvServer, RpbDelResp};
use riak_runtime::Blob;
use riak_runtime::server::{ErrorReply, Failure, Replies};

use crate::refusal::Refusal;
use crate::store::Store;

/// The objects of a store.
#[derive(Debug)]
pub(super) struct Kv {
    pub(super) store: Store,
    /// The node's name, which preference lists show.
    pub(super) name: Blob,
}

/// Fails if the request's timeout expired before the scan was complete.
fn in_time(timed_out: bool) -> Result<(), Refusal> {
    if timed_out { Err(Refusal::Timeout) } else { Ok(()) }
}

/// As [`in_time`], for streams of index results and of objects. A real node ends
/// these with the error tuple of the scan.
fn scanned_in_time(timed_out: bool) -> Result<(), Failure> {
    if timed_out { Err(ErrorReply::new("{error,timeout}").into()) } else { Ok(()) }
}

impl RiakKvServer for Kv {
    async fn get(&self, request: RpbGetReq) -> Result<RpbGetResp, Failure> {
        Ok(self.store.get(&request)?)
    }

    async fn put(&self, request: RpbPutReq) -> Result<RpbPutResp, Failure> {
        Ok(self.store.put(&request)?)
    }

    async fn delete(&self, request: RpbDelReq) -> Result<RpbDelResp, Failure> {
        self.store.delete(&request)?;
        Ok(RpbDelResp::default())
    }

    async fn list_buckets(&self, request: RpbListBucketsReq) -> Result<RpbListBucketsResp, Failure> {
        let found = self.store.list_buckets(&request)?;
        in_time(found.timed_out)?;
        Ok(RpbListBucketsResp { buckets: found.parts.concat(), ..RpbListBucketsResp::default() })
    }

    async fn list_buckets_stream(
        &self,
        request: RpbListBucketsReq,
        replies: &mut Replies<'_, RpbListBucketsResp>,
    ) -> Result<(), Failure> {
        let found = self.store.list_buckets(&request)?;
        for buckets in found.parts {
            replies.send(&RpbListBucketsResp { buckets, ..RpbListBucketsResp::default() }).await?;
        }
        Ok(in_time(found.timed_out)?)
    }

    async fn list_keys(
        &self,
        request: RpbListKeysReq,
        replies: &mut Replies<'_, RpbListKeysResp>,
    ) -> Result<(), Failure> {
        let found = self.store.list_keys(&request)?;
        for keys in found.parts {
            replies.send(&RpbListKeysResp { keys, ..RpbListKeysResp::default() }).await?;
        }
        Ok(in_time(found.timed_out)?)
    }

    async fn index(&self, request: RpbIndexReq) -> Result<RiakKvIndexAnswer, Failure> {
        let found = self.store.index(&request)?;
        in_time(found.timed_out)?;
        let mut answer = RpbIndexResp { continuation: found.continuation, ..RpbIndexResp::default() };
        for part in found.parts {
            answer.keys.extend(part.keys);
            answer.results.extend(part.results);
        }
        Ok(answer.into())
    }

    async fn index_stream(
        &self,
        request: RpbIndexReq,
        replies: &mut Replies<'_, RpbIndexResp>,
    ) -> Result<(), Failure> {
        let found = self.store.index(&request)?;
        for part in &found.parts {
            replies.send(part).await?;
        }
        scanned_in_time(found.timed_out)?;
        let last =
            RpbIndexResp { continuation: found.continuation, done: Some(true), ..RpbIndexResp::default() };
        replies.send(&last).await
    }

    async fn cs_bucket(
        &self,
        request: RpbCSBucketReq,
        replies: &mut Replies<'_, RpbCSBucketResp>,
    ) -> Result<(), Failure> {
        let found = self.store.cs_bucket(&request)?;
        for objects in found.objects.parts {
            replies.send(&RpbCSBucketResp { objects, ..RpbCSBucketResp::default() }).await?;
        }
        scanned_in_time(found.objects.timed_out)?;
        let last = RpbCSBucketResp {
            continuation: found.continuation,
            done: Some(true),
            ..RpbCSBucketResp::default()
        };
        replies.send(&last).await
    }

    async fn update_counter(&self, request: RpbCounterUpdateReq) -> Result<RpbCounterUpdateResp, Failure> {
        Ok(self.store.update_counter(&request)?)
    }

    async fn get_counter(&self, request: RpbCounterGetReq) -> Result<RpbCounterGetResp, Failure> {
        Ok(self.store.get_counter(&request)?)
    }

    async fn preflist(
        &self,
        request: RpbGetBucketKeyPreflistReq,
    ) -> Result<RpbGetBucketKeyPreflistResp, Failure> {
        let partitions = self.store.preflist(&request)?;
        let item = |partition: u32| RpbBucketKeyPreflistItem::new(partition.into(), self.name.clone(), true);
        let preflist = partitions.into_iter().map(item).collect();
        Ok(RpbGetBucketKeyPreflistResp { preflist, ..RpbGetBucketKeyPreflistResp::default() })
    }
}
