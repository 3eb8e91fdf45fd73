//! [`IndexPages`]: a query of a secondary index, page after page.
//!
//! Invariant: a page that could not be had is asked for again, with the same
//! continuation; none is left out, none comes twice, and there is an end to them.

use std::fmt;

use futures_util::{Stream, stream};
use riak_runtime::Blob;
use riak_runtime::client::{Call, CallError, NotSent};

use crate::Riak;
use crate::riak_kv::{RpbGetResp, RpbIndexReq};
use crate::riak_services::RiakKvIndexAnswer;

/// Entries of a page unless the request says how many: an answer of some tens
/// of kilobytes.
const PAGE: u32 = 1000;

/// What a page holds of an object.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct IndexEntry {
    /// Its key.
    pub key: Blob,
    /// The term that it was found by: Riak gives it if the request has asked
    /// for terms and the query is of a range.
    pub term: Option<Blob>,
    /// The object, if the request has asked for it and the node gives it (Riak
    /// TS does).
    pub object: Option<RpbGetResp>,
}

/// The pages of a query. See [`Riak::index_pages`].
#[must_use = "nothing is asked for before the first page is"]
pub struct IndexPages<'c, C> {
    riak: &'c Riak<C>,
    request: RpbIndexReq,
    over: bool,
    /// The last page was to be followed by itself.
    stuck: bool,
}

impl<C: Call> Riak<C> {
    /// Queries a secondary index page by page. A request without `max_results`
    /// gets pages of 1,000, and pages of none are refused; one with a continuation
    /// goes on from there.
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
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn index_pages(&self, mut request: RpbIndexReq) -> IndexPages<'_, C> {
        request.max_results.get_or_insert(PAGE);
        request.stream = None;
        request.continuation = request.continuation.filter(|it| !it.is_empty());
        IndexPages { riak: self, request, over: false, stuck: false }
    }
}

impl<'c, C: Call> IndexPages<'c, C> {
    /// The next page; `None` after the last. The last one may be empty: Riak
    /// does not know that a full page has nothing behind it.
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// If the call fails. The same page can be asked for again then. With
    /// [`NotSent::Refused`] if `max_results` is 0, or if the node has given a page
    /// the continuation that it was asked for with: what follows cannot be had.
    pub async fn next(&mut self) -> Result<Option<Vec<IndexEntry>>, CallError> {
        if self.over {
            return Ok(None);
        }
        if self.request.max_results == Some(0) {
            let reason = "pages of no entries would never come to an end: set max_results to 1 or more";
            return Err(NotSent::Refused { reason }.into());
        }
        if self.stuck {
            let reason = "the node gave the last page's own continuation for the next one, which would be the \
                          same again: make the query without pages, or at another node";
            return Err(NotSent::Refused { reason }.into());
        }
        let answer = self.riak.kv().index_any(&self.request).await?;
        let (entries, continuation) = entries(answer);
        // An empty one names no place to go on from.
        match continuation.filter(|it| !it.is_empty()) {
            None => self.over = true,
            next if next == self.request.continuation => self.stuck = true,
            next => self.request.continuation = next,
        }
        Ok(Some(entries))
    }

    /// Where the next page begins: to go on later, or elsewhere, put it into a
    /// request that is the same otherwise. `None` before the first page, if the
    /// request had none, and after the last.
    #[must_use]
    pub fn continuation(&self) -> Option<&Blob> {
        self.request.continuation.as_ref().filter(|_| !self.over)
    }

    /// All entries that are left, one after the other. An error ends the
    /// stream.
    pub fn entries(self) -> impl Stream<Item = Result<IndexEntry, CallError>> + Send + 'c {
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

/// An answer's entries, and its continuation.
fn entries(answer: RiakKvIndexAnswer) -> (Vec<IndexEntry>, Option<Blob>) {
    let entry = |key, term, object| IndexEntry { key, term, object };
    match answer {
        RiakKvIndexAnswer::RpbIndexResp(answer) => {
            // Riak fills one of the two, by what it was asked for; what a node
            // gives all the same is an entry, too.
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

impl<C> fmt::Debug for IndexPages<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IndexPages")
            .field("index", &self.request.index)
            .field("over", &self.over)
            .finish_non_exhaustive()
    }
}
