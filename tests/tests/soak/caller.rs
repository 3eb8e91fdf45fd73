//! [`Caller`]: a task that makes calls of all kinds, gives some of them up, and
//! checks every answer.
//!
//! Invariant: nobody else writes to its keys, so that it knows of each of its
//! writes whether it was applied, was not, or may have been.

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

use crate::ledger::{Ledger, parse, value};
use crate::tally::{Said, Tally};

/// Numbers from a seed: an xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// What has become of all callers' calls.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) calls: AtomicUsize,
    pub(crate) good: AtomicUsize,
    pub(crate) failed: AtomicUsize,
    pub(crate) dropped: AtomicUsize,
    pub(crate) uncertain: AtomicUsize,
    pub(crate) not_applied: AtomicUsize,
}

fn count(counter: &AtomicUsize) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// What a caller knows of its writes.
#[derive(Default)]
struct Known {
    attempted: u64,
    newest_acknowledged: u64,
    acknowledged: BTreeSet<u64>,
    not_applied: BTreeSet<u64>,
}

/// What a caller was told of its writes.
pub(crate) struct Told {
    key: String,
    known: Known,
    tally: Tally,
}

impl Told {
    /// Compares it with what has become of them, once nothing is under way any
    /// more.
    pub(crate) fn check(&self, ledger: &Ledger) {
        let Self { key, known, tally } = self;
        tally.check(ledger.store());
        for &number in &known.acknowledged {
            assert_ne!(ledger.applied(key, number), 0, "{key}: {number} was acknowledged and is lost");
        }
        for &number in &known.not_applied {
            assert_eq!(ledger.applied(key, number), 0, "{key}: {number} was reported as not applied");
        }
        for number in 0..=known.attempted {
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
    known: Known,
    tally: Tally,
    vclock: Option<Blob>,
}

impl<C: Call> Caller<C> {
    pub(crate) fn new(riak: Riak<C>, counts: Arc<Counts>, bucket: &str, number: usize, seed: u64) -> Self {
        let random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let (bucket, key) = (bucket.to_owned(), format!("key{number}"));
        let tally = Tally::new(&bucket, &key);
        Self { riak, counts, random, bucket, key, known: Known::default(), tally, vclock: None }
    }

    /// Makes so many calls, or fewer if `over` says so. Returns what it was told
    /// of its writes.
    pub(crate) async fn run(mut self, calls: usize, over: impl Fn() -> bool) -> Told {
        for _ in 0..calls {
            if over() {
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
        Told { key: self.key, known: self.known, tally: self.tally }
    }

    /// How long a call may take, and when it is dropped: some are given up from
    /// outside, at any moment.
    fn limits(&mut self) -> (CallOptions, Duration) {
        let patience = Duration::from_millis(20 + self.random.below(400));
        let given_up = match self.random.below(10) {
            0 => Duration::from_micros(self.random.below(3000)),
            _ => Duration::from_secs(3600),
        };
        (CallOptions::new().timeout(patience), given_up)
    }

    /// Makes a call, which may be dropped half-way: `None`.
    async fn bounded<T>(
        &self,
        given_up: Duration,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Option<Result<T, CallError>> {
        let result = tokio::time::timeout(given_up, call).await.ok();
        match &result {
            Some(Ok(_)) => count(&self.counts.good),
            // The nodes refuse nothing of what is asked here.
            Some(Err(CallError::Server(error))) => panic!("{error}"),
            Some(Err(_)) => count(&self.counts.failed),
            None => count(&self.counts.dropped),
        }
        result
    }

    /// Makes a call that writes, and says what was said of it.
    async fn write<T>(&self, given_up: Duration, call: impl Future<Output = Result<T, CallError>>) -> Said {
        let result = self.bounded(given_up, call).await;
        let said = result.as_ref().map_or(Said::Nothing, Said::of);
        match said {
            Said::Uncertain => count(&self.counts.uncertain),
            Said::NotApplied => count(&self.counts.not_applied),
            Said::Acknowledged | Said::Nothing => {}
        }
        said
    }

    async fn put(&mut self) {
        let (options, given_up) = self.limits();
        self.known.attempted += 1;
        let written = self.known.attempted;
        let put = RpbPutReq {
            key: Some(self.key.clone().into()),
            vclock: self.vclock.clone(),
            ..RpbPutReq::new(self.bucket.as_str(), RpbContent::new(value(&self.key, written)))
        };
        let riak = self.riak.with(options);
        match self.write(given_up, riak.kv().put(&put)).await {
            Said::Acknowledged => {
                self.known.newest_acknowledged = written;
                self.known.acknowledged.insert(written);
            }
            Said::NotApplied => {
                self.known.not_applied.insert(written);
            }
            Said::Uncertain | Said::Nothing => {}
        }
    }

    /// What was found is this caller's, and no acknowledged write is missing.
    fn check(&self, found: &RpbGetResp) {
        let texts: Vec<_> = found.content.iter().map(|content| content.value.to_string_lossy()).collect();
        let mut newest = 0;
        for text in &texts {
            let (owner, number) = parse(text);
            assert_eq!(owner, self.key, "the answer is of another call");
            assert!(number <= self.known.attempted, "{}: nobody wrote {number}", self.key);
            assert!(!self.known.not_applied.contains(&number), "{}: {number} was not applied", self.key);
            newest = newest.max(number);
        }
        let acknowledged = self.known.newest_acknowledged;
        assert!(newest >= acknowledged, "{}: {acknowledged} was acknowledged, and {texts:?} found", self.key);
    }

    async fn get(&mut self) {
        let (options, given_up) = self.limits();
        let riak = self.riak.with(options);
        let request = RpbGetReq::new(self.bucket.as_str(), self.key.as_str());
        if let Some(Ok(found)) = self.bounded(given_up, riak.kv().get(request)).await {
            self.check(&found);
            self.vclock = found.vclock;
        }
    }

    async fn get_many(&mut self) {
        let (options, given_up) = self.limits();
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
        self.bounded(given_up, taken).await;
    }

    async fn ping(&mut self) {
        let (options, given_up) = self.limits();
        let riak = self.riak.with(options);
        self.bounded(given_up, riak.server().ping()).await;
    }

    async fn fold(&mut self) {
        let (options, given_up) = self.limits();
        let number = u32::try_from(self.random.below(1 << 30)).unwrap();
        let request = RpbAaeFoldListBucketsReq { n_val: Some(number), ..RpbAaeFoldListBucketsReq::default() };
        let riak = self.riak.with(options);
        if let Some(Ok(found)) = self.bounded(given_up, riak.anti_entropy().list_buckets(request)).await {
            assert_eq!(found.bucket_list[0].bucket, number.to_string(), "the answer is of another call");
        }
    }

    async fn increment(&mut self) {
        let (options, given_up) = self.limits();
        let riak = self.riak.with(options);
        let (counter, by) = self.tally.begin();
        let counters = riak.convergent();
        let said = self.write(given_up, counters.update(&counter, Update::increment(by))).await;
        self.tally.end(said);
    }

    /// Of what nobody stores: deletes come and go between the others.
    async fn delete(&mut self) {
        let (options, given_up) = self.limits();
        let riak = self.riak.with(options);
        let request = RpbDelReq::new("other", self.key.as_str());
        self.bounded(given_up, riak.kv().delete(request)).await;
    }

    fn everything(&self) -> RpbIndexReq {
        let bucket = self.bucket.as_str();
        RpbIndexReq { key: Some(bucket.into()), ..RpbIndexReq::new(bucket, "$bucket", IndexQueryType::Eq) }
    }

    async fn index(&mut self) {
        let (options, given_up) = self.limits();
        let riak = self.riak.with(options);
        let Some(Ok(keys)) = self.bounded(given_up, riak.kv().index_stream(self.everything())).await else {
            return;
        };
        self.take_some(keys, |chunk| chunk.keys).await;
    }

    async fn list(&mut self) {
        let (options, given_up) = self.limits();
        let riak = self.riak.with(options);
        let request = RpbListKeysReq::new(self.bucket.as_str());
        let Some(Ok(keys)) = self.bounded(given_up, riak.kv().list_keys(request)).await else { return };
        self.take_some(keys, |chunk| chunk.keys).await;
    }

    /// Takes some of a stream's chunks, or all, and drops the rest.
    async fn take_some<A>(&mut self, mut stream: Responses<A>, keys: impl Fn(A) -> Vec<Blob>)
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
        let (options, given_up) = self.limits();
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
        self.bounded(given_up, all).await;
    }
}
