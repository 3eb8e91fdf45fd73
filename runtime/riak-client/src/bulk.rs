//! [`Bulk`]: many calls, a limited number at a time, with a result for each.
//!
//! No task is spawned: the calls make progress while the results are polled.
//! Invariant: there is one result for each request, whatever becomes of the others,
//! and never more calls in flight than the concurrency allows.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::{Stream, StreamExt, stream};
use riak_runtime::Request;
use riak_runtime::client::{Call, CallError, unary};

use crate::Riak;
use crate::checked::Checked;
use crate::riak_kv::{RpbDelReq, RpbGetReq, RpbGetResp, RpbPutReq, RpbPutResp};
use crate::riak_services::RpbDelResp;

/// The default concurrency: the number of calls that the connections of one node
/// take before calls queue up behind each other.
const DEFAULT_CONCURRENCY: usize = 64;

/// Many calls, a limited number at a time, with a result for each: see
/// [`Riak::bulk`].
///
/// No task is spawned.
#[derive(Debug)]
pub struct Bulk<C> {
    call: Checked<C>,
    concurrency: usize,
    ordered: bool,
}

impl<C: Call> Riak<C> {
    /// Makes many calls, a limited number at a time, with a result for each.
    ///
    /// A call that fails does not stop the others.
    ///
    /// Requests that Riak is known to crash on are refused: see [`Checked`].
    ///
    /// ```no_run
    /// # async fn example(riak: riak_client::Riak, keys: Vec<String>) {
    /// use riak_client::riak_kv::RpbGetReq;
    ///
    /// let requests = keys.iter().map(|key| RpbGetReq::new("users", key.as_str()));
    /// let mut results = riak.bulk().concurrency(200).get_many(requests);
    /// while let Some((index, result)) = results.next().await {
    ///     match result {
    ///         Ok(found) => println!("{}: {:?}", keys[index], found.content),
    ///         Err(error) => println!("{}: {error}", keys[index]),
    ///     }
    /// }
    /// # }
    /// ```
    pub fn bulk(&self) -> Bulk<C>
    where
        C: Clone,
    {
        Bulk { call: Checked::new(self.carrier().clone()), concurrency: DEFAULT_CONCURRENCY, ordered: false }
    }
}

impl<C: Call + Clone> Bulk<C> {
    /// Sets how many calls are in flight at once.
    ///
    /// Default 64: as many as the connections of one node take before calls queue
    /// up. 0 counts as 1. Over a single connection ([`Riak::connect_one`]) the
    /// number never exceeds its `max_owed`, 128 by default.
    #[must_use]
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.concurrency = calls.max(1);
        self
    }

    /// Returns results in the order of the requests, instead of as they arrive.
    ///
    /// A slow call then holds up the results after it.
    #[must_use]
    pub fn ordered(mut self) -> Self {
        self.ordered = true;
        self
    }

    /// Gets many objects. For an object that does not exist, the answer has no
    /// content.
    pub fn get_many<'c, I>(self, requests: I) -> Results<'c, RpbGetResp>
    where
        I: IntoIterator<Item = RpbGetReq, IntoIter: Send + 'c>,
        C: 'c,
    {
        self.call_many(requests)
    }

    /// Stores many objects.
    ///
    /// A put that fails may have been applied: see
    /// [`CallError::may_have_been_applied`].
    pub fn put_many<'c, I>(self, requests: I) -> Results<'c, RpbPutResp>
    where
        I: IntoIterator<Item = RpbPutReq, IntoIter: Send + 'c>,
        C: 'c,
    {
        self.call_many(requests)
    }

    /// Deletes many objects.
    pub fn delete_many<'c, I>(self, requests: I) -> Results<'c, RpbDelResp>
    where
        I: IntoIterator<Item = RpbDelReq, IntoIter: Send + 'c>,
        C: 'c,
    {
        self.call_many(requests)
    }

    /// Makes many calls with requests of one type that has a single answer.
    ///
    /// Requests are taken from the iterator as they are sent.
    pub fn call_many<'c, R, I>(self, requests: I) -> Results<'c, R::Response>
    where
        R: Request + 'c,
        I: IntoIterator<Item = R, IntoIter: Send + 'c>,
        C: 'c,
    {
        let call = self.call;
        // Dropping the results abandons all calls in flight. More than `max_owed`
        // of those would close the connection.
        let concurrency = call.max_owed().map_or(self.concurrency, |most| self.concurrency.min(most.max(1)));
        let calls = stream::iter(requests.into_iter().enumerate()).map(move |(index, request)| {
            let call = call.clone();
            async move { (index, unary(&call, request).await) }
        });
        Results {
            results: if self.ordered {
                Box::pin(calls.buffered(concurrency))
            } else {
                Box::pin(calls.buffer_unordered(concurrency))
            },
        }
    }
}

/// The results of many calls, each with the index of its request.
///
/// Calls make progress only while [`Results::next`] or the stream is polled.
///
/// Dropping the results abandons the calls in flight, without affecting other
/// calls. But a single connection ([`Riak::connect_one`]) closes when more answers
/// than its `max_owed` are outstanding for abandoned calls: those dropped here
/// count, together with others.
#[must_use = "calls make progress only while the results are polled"]
pub struct Results<'c, A> {
    #[expect(clippy::type_complexity, reason = "what is streamed, spelled out once")]
    results: Pin<Box<dyn Stream<Item = (usize, Result<A, CallError>)> + Send + 'c>>,
}

impl<A> Results<'_, A> {
    /// Returns the next result, with the index of its request from 0; `None` after
    /// the last.
    ///
    /// No result is lost if the future is dropped.
    pub async fn next(&mut self) -> Option<(usize, Result<A, CallError>)> {
        self.results.next().await
    }

    /// Returns all remaining results, in the order of the requests and without
    /// indexes.
    pub async fn all(self) -> Vec<Result<A, CallError>> {
        let mut all: Vec<_> = self.results.collect().await;
        all.sort_unstable_by_key(|(index, _)| *index);
        all.into_iter().map(|(_, result)| result).collect()
    }
}

impl<A> Stream for Results<'_, A> {
    type Item = (usize, Result<A, CallError>);

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.results.as_mut().poll_next(cx)
    }
}

impl<A> fmt::Debug for Results<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Results").finish_non_exhaustive()
    }
}
