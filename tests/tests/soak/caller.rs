//! [`Caller`]: a task that makes calls of all kinds, drops some of them, and checks every answer.
//!
//! Invariant: no other task writes to its keys, so it knows for each of its writes whether it was
//! applied, was not applied, or may have been.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_core::Stream;
use riak_client::riak_kv::rpb_index_req::IndexQueryType;
use riak_client::riak_kv::{
    RpbAaeFoldListBucketsReq, RpbContent, RpbDelReq, RpbGetReq, RpbGetResp, RpbIndexReq, RpbListKeysReq,
    RpbPutReq,
};
use riak_client::{Blob, Call, CallError, CallOptions, Responses, Riak, Update};

use crate::increments::{Increments, Outcome};
use crate::ledger::{Ledger, parse, value};

/// A random number generator (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// The numbers of all callers' calls by outcome.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) calls: AtomicUsize,
    pub(crate) answered: AtomicUsize,
    pub(crate) failed: AtomicUsize,
    pub(crate) dropped: AtomicUsize,
    pub(crate) uncertain: AtomicUsize,
    pub(crate) not_applied: AtomicUsize,
}

fn count(counter: &AtomicUsize) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// What a caller knows about its puts.
#[derive(Default)]
struct Puts {
    attempted: u64,
    newest_acknowledged: u64,
    acknowledged: BTreeSet<u64>,
    not_applied: BTreeSet<u64>,
}

/// What a caller has learned about all its writes.
pub(crate) struct WriteLog {
    key: String,
    puts: Puts,
    increments: Increments,
}

impl WriteLog {
    /// Compares the log with what the nodes applied, once no call is in flight.
    pub(crate) fn check(&self, ledger: &Ledger) {
        let Self { key, puts, increments } = self;
        increments.check(ledger.store());
        for &number in &puts.acknowledged {
            assert_ne!(ledger.applied(key, number), 0, "{key}: {number} was acknowledged and is lost");
        }
        for &number in &puts.not_applied {
            assert_eq!(ledger.applied(key, number), 0, "{key}: {number} was reported as not applied");
        }
        for number in 0..=puts.attempted {
            let applied = ledger.applied(key, number);
            assert!(applied <= 1, "{key}: {number} was applied {applied} times");
        }
    }
}

pub(crate) struct Caller<C> {
    riak: Riak<C>,
    counts: Arc<Counts>,
    random: Random,
    bucket: String,
    key: String,
    puts: Puts,
    increments: Increments,
    vclock: Option<Blob>,
}

impl<C: Call + Clone> Caller<C> {
    pub(crate) fn new(riak: Riak<C>, counts: Arc<Counts>, bucket: &str, number: usize, seed: u64) -> Self {
        let random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let (bucket, key) = (bucket.to_owned(), format!("key{number}"));
        let increments = Increments::new(&bucket, &key);
        Self { riak, counts, random, bucket, key, puts: Puts::default(), increments, vclock: None }
    }

    /// Makes this many calls, or fewer if `stop` says so. Returns the log of its writes.
    pub(crate) async fn run(mut self, calls: usize, stop: impl Fn() -> bool) -> WriteLog {
        for _ in 0..calls {
            if stop() {
                break;
            }
            count(&self.counts.calls);
            match self.random.below(44) {
                0..=13 => self.put().await,
                14..=29 => self.get().await,
                30..=31 => self.get_many().await,
                32..=33 => self.ping().await,
                34 => self.fold().await,
                35 => self.delete().await,
                36 => self.index().await,
                37 => self.pages().await,
                38..=41 => self.increment().await,
                _ => self.list().await,
            }
        }
        WriteLog { key: self.key, puts: self.puts, increments: self.increments }
    }

    /// Returns a deadline for the next call, and the time after which it is dropped, which
    /// may come at any moment.
    fn limits(&mut self) -> (CallOptions, Duration) {
        let timeout = Duration::from_millis(20 + self.random.below(400));
        let drop_after = match self.random.below(10) {
            0 => Duration::from_micros(self.random.below(3000)),
            _ => Duration::from_secs(3600),
        };
        (CallOptions::new().timeout(timeout), drop_after)
    }

    /// Makes a call, and returns `None` if it was dropped.
    async fn bounded<T>(
        &self,
        drop_after: Duration,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Option<Result<T, CallError>> {
        let result = tokio::time::timeout(drop_after, call).await.ok();
        match &result {
            Some(Ok(_)) => count(&self.counts.answered),
            // The nodes refuse none of these requests.
            Some(Err(CallError::Server(error))) => panic!("{error}"),
            Some(Err(_)) => count(&self.counts.failed),
            None => count(&self.counts.dropped),
        }
        result
    }

    /// Makes a call that writes, and returns its outcome.
    async fn write<T>(
        &self,
        drop_after: Duration,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Outcome {
        let result = self.bounded(drop_after, call).await;
        let outcome = result.as_ref().map_or(Outcome::Unknown, Outcome::of);
        match outcome {
            Outcome::Uncertain => count(&self.counts.uncertain),
            Outcome::NotApplied => count(&self.counts.not_applied),
            Outcome::Acknowledged | Outcome::Unknown => {}
        }
        outcome
    }

    async fn put(&mut self) {
        let (options, drop_after) = self.limits();
        self.puts.attempted += 1;
        let written = self.puts.attempted;
        let put = RpbPutReq {
            key: Some(self.key.clone().into()),
            vclock: self.vclock.clone(),
            ..RpbPutReq::new(self.bucket.as_str(), RpbContent::new(value(&self.key, written)))
        };
        let riak = self.riak.with(options);
        match self.write(drop_after, riak.kv().put(&put)).await {
            Outcome::Acknowledged => {
                self.puts.newest_acknowledged = written;
                self.puts.acknowledged.insert(written);
            }
            Outcome::NotApplied => {
                self.puts.not_applied.insert(written);
            }
            Outcome::Uncertain | Outcome::Unknown => {}
        }
    }

    /// Checks that the values belong to this caller, and that no acknowledged write is missing.
    fn check(&self, found: &RpbGetResp) {
        let texts: Vec<_> = found.content.iter().map(|content| content.value.to_string_lossy()).collect();
        let mut newest = 0;
        for text in &texts {
            let (owner, number) = parse(text);
            assert_eq!(owner, self.key, "the answer is of another call");
            assert!(number <= self.puts.attempted, "{}: {number} was never written", self.key);
            assert!(!self.puts.not_applied.contains(&number), "{}: {number} was not applied", self.key);
            newest = newest.max(number);
        }
        let acknowledged = self.puts.newest_acknowledged;
        assert!(newest >= acknowledged, "{}: {acknowledged} was acknowledged, and {texts:?} found", self.key);
    }

    async fn get(&mut self) {
        let (options, drop_after) = self.limits();
        let riak = self.riak.with(options);
        let request = RpbGetReq::new(self.bucket.as_str(), self.key.as_str());
        if let Some(Ok(found)) = self.bounded(drop_after, riak.kv().get(request)).await {
            self.check(&found);
            self.vclock = found.vclock;
        }
    }

    async fn get_many(&mut self) {
        let (options, drop_after) = self.limits();
        let riak = self.riak.with(options);
        let requests = (0..8).map(|_| RpbGetReq::new(self.bucket.as_str(), self.key.as_str()));
        let mut results = riak.bulk().concurrency(4).get_many(requests);
        let taken = async {
            let mut count = 0;
            while let Some((index, result)) = results.next().await {
                assert!(index < 8);
                count += 1;
                if let Ok(found) = result {
                    self.check(&found);
                }
            }
            assert_eq!(count, 8);
            Ok(())
        };
        self.bounded(drop_after, taken).await;
    }

    async fn ping(&mut self) {
        let (options, drop_after) = self.limits();
        let riak = self.riak.with(options);
        self.bounded(drop_after, riak.server().ping()).await;
    }

    async fn fold(&mut self) {
        let (options, drop_after) = self.limits();
        let number = u32::try_from(self.random.below(1 << 30)).unwrap();
        let request = RpbAaeFoldListBucketsReq { n_val: Some(number), ..RpbAaeFoldListBucketsReq::default() };
        let riak = self.riak.with(options);
        if let Some(Ok(found)) = self.bounded(drop_after, riak.anti_entropy().list_buckets(request)).await {
            assert_eq!(found.bucket_list[0].bucket, number.to_string(), "the answer is of another call");
        }
    }

    async fn increment(&mut self) {
        let (options, drop_after) = self.limits();
        let riak = self.riak.with(options);
        let (counter, by) = self.increments.begin();
        let counters = riak.convergent();
        let outcome = self.write(drop_after, counters.update(&counter, Update::increment(by))).await;
        self.increments.end(outcome);
    }

    /// Deletes a key that does not exist, so that deletes occur between the other calls.
    async fn delete(&mut self) {
        let (options, drop_after) = self.limits();
        let riak = self.riak.with(options);
        let request = RpbDelReq::new("other", self.key.as_str());
        self.bounded(drop_after, riak.kv().delete(request)).await;
    }

    fn everything(&self) -> RpbIndexReq {
        let bucket = self.bucket.as_str();
        RpbIndexReq { key: Some(bucket.into()), ..RpbIndexReq::new(bucket, "$bucket", IndexQueryType::Eq) }
    }

    async fn index(&mut self) {
        let (options, drop_after) = self.limits();
        let riak = self.riak.with(options);
        let Some(Ok(keys)) = self.bounded(drop_after, riak.kv().index_stream(self.everything())).await else {
            return;
        };
        self.read_some(keys, |chunk| chunk.keys).await;
    }

    async fn list(&mut self) {
        let (options, drop_after) = self.limits();
        let riak = self.riak.with(options);
        let request = RpbListKeysReq::new(self.bucket.as_str());
        let Some(Ok(keys)) = self.bounded(drop_after, riak.kv().list_keys(request)).await else { return };
        self.read_some(keys, |chunk| chunk.keys).await;
    }

    /// Reads some or all of a stream's chunks, and drops the rest.
    async fn read_some<A>(&mut self, mut stream: Responses<A>, keys: impl Fn(A) -> Vec<Blob>)
    where
        Responses<A>: Stream<Item = Result<A, CallError>> + Unpin,
    {
        let most = if self.random.below(4) == 0 { self.random.below(8) } else { u64::MAX };
        for _ in 0..most {
            let next = std::future::poll_fn(|cx| std::pin::Pin::new(&mut stream).poll_next(cx)).await;
            let Some(Ok(chunk)) = next else { break };
            for key in keys(chunk) {
                assert!(key.starts_with(b"key"), "the answer is of another call");
            }
        }
    }

    async fn pages(&mut self) {
        let (options, drop_after) = self.limits();
        let riak = self.riak.with(options);
        let request = RpbIndexReq { max_results: Some(7), ..self.everything() };
        let mut pages = riak.index_pages(request);
        let all = async {
            let mut last = Blob::new();
            while let Some(page) = pages.next().await? {
                for entry in page {
                    assert!(entry.key > last, "{:?} comes after {last:?}", entry.key);
                    last = entry.key;
                }
            }
            Ok(())
        };
        self.bounded(drop_after, all).await;
    }
}
