//! [`IndexPages`]: a query of a secondary index, page by page.
//!
//! Invariant: a page whose call failed is requested again with the same
//! continuation; no page is skipped or repeated, and the pages come to an end.

use std::fmt;

use futures_util::{Stream, stream};
use riak_runtime::Blob;
use riak_runtime::client::{Call, CallError, NotSent};

use crate::Riak;
use crate::riak_kv::{RpbGetResp, RpbIndexReq};
use crate::riak_services::RiakKvIndexAnswer;

/// The default number of entries on a page, which make an answer of some tens of
/// kilobytes.
const DEFAULT_PAGE_SIZE: u32 = 1000;

/// One entry of a page.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct IndexEntry {
    /// The key of the object.
    pub key: Blob,
    /// The term by which the object was found. Riak sends it only if the request
    /// sets `return_terms` and queries a range.
    pub term: Option<Blob>,
    /// The object, if the request sets `return_body` and the node sends it, as Riak
    /// TS does.
    pub object: Option<RpbGetResp>,
}

/// The pages of a secondary index query: see [`Riak::index_pages`].
#[must_use = "no page is requested until `next` is polled"]
pub struct IndexPages<C> {
    riak: Riak<C>,
    request: RpbIndexReq,
    is_finished: bool,
    /// Set if the last page's continuation would lead to the same page again.
    is_stuck: bool,
}

impl<C: Call> Riak<C> {
    /// Queries a secondary index page by page.
    ///
    /// The pages have `max_results` entries, or 1,000 if the request does not set
    /// it. A request with a `continuation` resumes from there. The field `stream`
    /// is ignored.
    ///
    /// ```no_run
    /// # async fn example(riak: riak_client::Riak) -> Result<(), riak_client::CallError> {
    /// use riak_client::riak_kv::{RpbIndexReq, rpb_index_req::IndexQueryType};
    ///
    /// let adults = RpbIndexReq {
    ///     range_min: Some("18".into()),
    ///     range_max: Some("150".into()),
    ///     ..RpbIndexReq::new("users", "age_int", IndexQueryType::Range)
    /// };
    /// let mut pages = riak.index_pages(adults);
    /// while let Some(page) = pages.next().await? {
    ///     for entry in page {
    ///         println!("{:?}", entry.key);
    ///     }
    ///     // To go on later, in another process: keep `pages.continuation()`.
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn index_pages(&self, mut request: RpbIndexReq) -> IndexPages<C>
    where
        C: Clone,
    {
        request.max_results.get_or_insert(DEFAULT_PAGE_SIZE);
        request.stream = None;
        request.continuation = request.continuation.filter(|it| !it.is_empty());
        IndexPages { riak: self.clone(), request, is_finished: false, is_stuck: false }
    }
}

impl<C: Call> IndexPages<C> {
    /// Returns the next page; `None` after the last.
    ///
    /// The last page may be empty: after a full page, Riak does not know that
    /// nothing follows.
    ///
    /// No page is lost if the future is dropped.
    ///
    /// # Errors
    ///
    /// Fails if the call fails; calling `next` again requests the same page. The
    /// error is [`NotSent::Refused`] if `max_results` is 0, or if the node answered
    /// a page with the continuation of the request, so that what follows cannot be
    /// reached.
    pub async fn next(&mut self) -> Result<Option<Vec<IndexEntry>>, CallError> {
        if self.is_finished {
            return Ok(None);
        }
        if self.request.max_results == Some(0) {
            let reason = "pages of no entries would never end: set max_results to 1 or more";
            return Err(NotSent::Refused { reason }.into());
        }
        if self.is_stuck {
            let reason = "the node gave the continuation of the last page for the next one, which would be the same page again: \
                          make the query without pages, or at another node";
            return Err(NotSent::Refused { reason }.into());
        }
        let answer = self.riak.kv().index_any(&self.request).await?;
        let (entries, continuation) = entries(answer);
        // An empty continuation does not say where to resume.
        match continuation.filter(|it| !it.is_empty()) {
            None => self.is_finished = true,
            next if next == self.request.continuation => self.is_stuck = true,
            next => self.request.continuation = next,
        }
        Ok(Some(entries))
    }

    /// Returns the continuation at which the next page begins.
    ///
    /// To resume later or elsewhere, put it into a request that is otherwise the
    /// same. It is `None` before the first page, unless the request had a
    /// continuation, and after the last page.
    #[must_use]
    pub fn continuation(&self) -> Option<&Blob> {
        self.request.continuation.as_ref().filter(|_| !self.is_finished)
    }

    /// Returns all remaining entries as a stream that requests pages as needed. An
    /// error is its last item.
    pub fn entries(self) -> impl Stream<Item = Result<IndexEntry, CallError>> + Send + use<C> {
        let begin = (Some(self), Vec::new().into_iter());
        stream::unfold(begin, |(mut pages, mut page)| async move {
            loop {
                if let Some(entry) = page.next() {
                    return Some((Ok(entry), (pages, page)));
                }
                match pages.as_mut()?.next().await {
                    Ok(Some(next)) => page = next.into_iter(),
                    Ok(None) => return None,
                    Err(error) => return Some((Err(error), (None, page))),
                }
            }
        })
    }
}

/// Returns an answer's entries and its continuation.
fn entries(answer: RiakKvIndexAnswer) -> (Vec<IndexEntry>, Option<Blob>) {
    let entry = |key, term, object| IndexEntry { key, term, object };
    match answer {
        RiakKvIndexAnswer::RpbIndexResp(answer) => {
            // Riak fills one of the two fields, depending on the request. If a node
            // fills both, the keys are entries as well.
            let pairs = answer.results.into_iter();
            let found = pairs.map(|pair| entry(pair.value.unwrap_or_default(), Some(pair.key), None));
            let keys = answer.keys.into_iter().map(|key| entry(key, None, None));
            (found.chain(keys).collect(), answer.continuation)
        }
        RiakKvIndexAnswer::RpbIndexBodyResp(answer) => {
            let objects = answer.objects.into_iter();
            let entries = objects.map(|found| entry(found.key, None, Some(found.object)));
            (entries.collect(), answer.continuation)
        }
    }
}

impl<C> fmt::Debug for IndexPages<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IndexPages")
            .field("index", &self.request.index)
            .field("over", &self.is_finished)
            .finish_non_exhaustive()
    }
}
