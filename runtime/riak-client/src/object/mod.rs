//! [`Objects`]: reading, changing and deleting objects without losing concurrent
//! writes.
//!
//! What the messages leave to their user's care is enforced here by types: the
//! result of a read is an enum, and a write or delete names the clock of the read
//! that it is based on. Invariant: nothing here is written or deleted without the
//! clock of a read unless the method's name says so; every read asks for a
//! tombstone's clock; and no data type is written as an object.

mod backoff;
mod fetched;
mod internal;
mod location;
mod resolve;
mod time_limit;
mod vclock;

use std::fmt;

use riak_runtime::client::{Call, CallError};

use crate::riak_kv::{RpbContent, RpbDelReq, RpbGetReq, RpbPutReq};
use crate::{Riak, ServerErrorKind};

pub use fetched::{Fetched, Object, Siblings};
pub use location::Location;
pub use resolve::{Newest, Resolve};
pub use vclock::VClock;

use backoff::UpdateBackoff;
use time_limit::TimeLimit;

/// Reads and writes objects with their causality: see [`Riak::objects`].
///
/// Use [`Objects::update`] for most changes. The other methods do one step each.
///
/// Values that are written at the same time are kept as siblings in buckets whose
/// property `allow_mult` is true, which is the default of bucket types that an
/// operator creates. The default bucket type keeps only the last value written,
/// whatever the clocks say. There, write with [`Objects::update`] or
/// [`Objects::create`], whose writes are refused if the object has changed
/// meanwhile.
///
/// For quorums, other conditions, or bodies in answers, use the requests of
/// [`Riak::kv`]; [`Fetched`] interprets their answers.
///
/// ```no_run
/// # async fn example(riak: riak_client::Riak) -> Result<(), riak_client::CallError> {
/// use riak_client::riak_kv::RpbContent;
/// use riak_client::{Fetched, Location, ServerErrorKind};
///
/// let (objects, cart) = (riak.objects(), Location::new("carts", "alice"));
/// match objects.create(&cart, RpbContent::new("[]")).await {
///     Err(error) if error.is(ServerErrorKind::ConditionFailed) => println!("it exists"),
///     result => result?,
/// }
/// if let Fetched::Found(object) = objects.fetch(&cart).await?
///     && let Some(clock) = &object.vclock
/// {
///     objects.store(&cart, RpbContent::new(r#"["nuts"]"#), clock).await?;
/// }
/// if let Some(clock) = objects.fetch(&cart).await?.resolve(&riak_client::Newest).1 {
///     objects.delete(&cart, &clock).await?;
/// }
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct Objects<'c, C> {
    riak: &'c Riak<C>,
}

impl<C: Call> Riak<C> {
    /// Returns a client that reads and writes objects with their vector clocks,
    /// siblings and tombstones.
    ///
    /// ```no_run
    /// # async fn example(riak: riak_client::Riak) -> Result<(), riak_client::CallError> {
    /// use riak_client::riak_kv::RpbContent;
    /// use riak_client::{Fetched, Location, Newest};
    ///
    /// let alice = Location::new("users", "alice");
    /// match riak.objects().fetch(&alice).await? {
    ///     Fetched::Found(object) => println!("{:?}", object.content.value),
    ///     Fetched::Siblings(siblings) => println!("{} siblings", siblings.contents.len()),
    ///     Fetched::Tombstone(_) => println!("deleted a moment ago"),
    ///     _ => println!("there is no such object"),
    /// }
    /// // Reads, resolves siblings, changes, and writes; starts over if the object has
    /// // changed meanwhile.
    /// riak.objects()
    ///     .update(&alice, &Newest, |found| {
    ///         let visits = found.map_or(0, |content| content.value.len());
    ///         Some(RpbContent::new("x".repeat(visits + 1)))
    ///     })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub const fn objects(&self) -> Objects<'_, C> {
        Objects { riak: self }
    }
}

impl<C: Call> Objects<'_, C> {
    /// Fetches an object: its value or siblings, or the tombstone of a deleted one.
    ///
    /// # Errors
    ///
    /// Fails if the call fails.
    pub async fn fetch(&self, at: &Location) -> Result<Fetched, CallError> {
        self.fetch_as(at.get()).await
    }

    /// Fetches an object with a custom request, such as [`Location::get`] with
    /// quorums or `if_modified`.
    ///
    /// The field `deletedvclock` is always set, so that tombstones are recognised.
    ///
    /// # Errors
    ///
    /// Fails if the call fails.
    pub async fn fetch_as(&self, request: RpbGetReq) -> Result<Fetched, CallError> {
        let request = RpbGetReq { deletedvclock: Some(true), ..request };
        self.riak.kv().get(&request).await.map(Fetched::from)
    }

    /// Stores a value in place of what a read has found.
    ///
    /// `over` is the clock of that read: of an [`Object`], of [`Siblings`], or of a
    /// tombstone.
    ///
    /// A value that another client has written since then stays as a sibling if the
    /// bucket keeps siblings (`allow_mult`). Otherwise it is lost: use
    /// [`Objects::update`] there.
    ///
    /// # Errors
    ///
    /// Fails if the call fails. The write may have been applied: see
    /// [`CallError::may_have_been_applied`]. The error is
    /// [`NotSent::Refused`](crate::NotSent::Refused) if the content is a data type
    /// in Riak's internal format.
    pub async fn store(&self, at: &Location, content: RpbContent, over: &VClock) -> Result<(), CallError> {
        let vclock = Some(over.as_bytes().clone());
        self.put(RpbPutReq { vclock, ..at.put(content) }).await
    }

    /// Stores an object only if there is none.
    ///
    /// It reads first, since an object that was deleted a moment ago has a
    /// tombstone, whose clock the write needs. A timeout of the client's calls
    /// ([`CallOptions::timeout`](crate::CallOptions), or the option `timeout`) covers
    /// both calls together.
    ///
    /// # Errors
    ///
    /// Fails if a call fails. The write may have been applied: see
    /// [`CallError::may_have_been_applied`]. The error is
    /// [`ServerErrorKind::ConditionFailed`] if the object exists, and
    /// [`NotSent::Refused`](crate::NotSent::Refused) if the content is a data type
    /// in Riak's internal format.
    pub async fn create(&self, at: &Location, content: RpbContent) -> Result<(), CallError> {
        let limit = TimeLimit::of(self.riak.carrier());
        // The server's condition ignores a tombstone, which would stay as a sibling
        // of a value stored without its clock.
        let vclock =
            match limit.rest(self.riak).objects().fetch_as(RpbGetReq { head: Some(true), ..at.get() }).await?
            {
                Fetched::Tombstone(clock) => Some(clock.as_bytes().clone()),
                _ => None,
            };
        let request = RpbPutReq { if_none_match: Some(true), vclock, ..at.put(content) };
        limit.rest(self.riak).objects().put(request).await
    }

    /// Stores a value without the clock of a read: as a sibling of the present
    /// value, or in its place if the bucket keeps no siblings.
    ///
    /// # Errors
    ///
    /// Fails if the call fails. The write may have been applied. The error is
    /// [`NotSent::Refused`](crate::NotSent::Refused) if the content is a data type
    /// in Riak's internal format.
    pub async fn store_blindly(&self, at: &Location, content: RpbContent) -> Result<(), CallError> {
        self.put(at.put(content)).await
    }

    async fn put(&self, request: RpbPutReq) -> Result<(), CallError> {
        internal::check_contents(std::slice::from_ref(&request.content))?;
        self.riak.kv().put(&request).await.map(drop)
    }

    /// Deletes what a read has found; `read` is the clock of that read.
    ///
    /// A value that another client has written since then stays if the bucket keeps
    /// siblings (`allow_mult`), and is deleted as well otherwise. The call is
    /// repeated if its outcome is unknown: a second delete finds nothing to delete.
    ///
    /// # Errors
    ///
    /// Fails if the call fails.
    pub async fn delete(&self, at: &Location, read: &VClock) -> Result<(), CallError> {
        let vclock = Some(read.as_bytes().clone());
        self.del(RpbDelReq { vclock, ..at.delete() }).await
    }

    /// Deletes the object whatever its value, without the clock of a read.
    ///
    /// # Errors
    ///
    /// Fails if the call fails. The delete may have been applied.
    pub async fn delete_blindly(&self, at: &Location) -> Result<(), CallError> {
        self.del(at.delete()).await
    }

    async fn del(&self, request: RpbDelReq) -> Result<(), CallError> {
        self.riak.kv().delete(&request).await.map(drop)
    }

    /// Reads an object, changes it, and writes it if it has not changed since the
    /// read.
    ///
    /// If another client has changed, created or deleted it meanwhile, the update
    /// starts over with what is there now. Returns the value that was stored.
    ///
    /// `change` gets the present value, or `None` if there is none, and returns the
    /// value to store. If it returns `None`, nothing is written, not even siblings
    /// that were resolved. It is called once in each round. `resolve` is called
    /// only if there are siblings.
    ///
    /// On nodes up to 3.2 the check and the write are two steps, so that two
    /// writers at the same moment may both succeed. If the bucket keeps siblings
    /// (`allow_mult`), both values stay, and the next read resolves them;
    /// otherwise, as in the default bucket type, one of them is lost. Newer nodes
    /// lock the key with a token, and strongly consistent bucket types have no such
    /// gap.
    ///
    /// A timeout of the client's calls
    /// ([`CallOptions::timeout`](crate::CallOptions), or the option `timeout`) covers
    /// the whole update, all rounds and pauses together:
    ///
    /// ```no_run
    /// # async fn example(riak: riak_client::Riak) -> Result<(), riak_client::CallError> {
    /// # use riak_client::{CallOptions, Location, Newest, riak_kv::RpbContent};
    /// # let alice = Location::new("users", "alice");
    /// let quick = riak.with(CallOptions::new().timeout(std::time::Duration::from_millis(200)));
    /// quick.objects().update(&alice, &Newest, |_| Some(RpbContent::new("{}"))).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if a call fails, or the time is up. The write may have been applied: see
    /// [`CallError::may_have_been_applied`]. The error is
    /// [`ServerErrorKind::ConditionFailed`] if other writers were first 32 times in
    /// a row, which takes about a second, or until the time was up, and
    /// [`NotSent::Refused`](crate::NotSent::Refused) if the object is a data type,
    /// or would become one: use [`Riak::convergent`] for those.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime with timers, if the update has to start
    /// over.
    pub async fn update(
        &self,
        at: &Location,
        resolve: &(impl Resolve + ?Sized),
        mut change: impl FnMut(Option<RpbContent>) -> Option<RpbContent>,
    ) -> Result<Option<RpbContent>, CallError> {
        let limit = TimeLimit::of(self.riak.carrier());
        let mut backoff = UpdateBackoff::new();
        let mut conflict: Option<CallError> = None;
        loop {
            let found = match limit.rest(self.riak).objects().fetch(at).await {
                Ok(found) => found,
                Err(error) => return Err(conflict.filter(|_| limit.has_ended(&error)).unwrap_or(error)),
            };
            internal::check_found(&found)?;
            let (found, vclock) = found.resolve(resolve);
            // The server's condition ignores a tombstone: a value that replaces one
            // is created, with the tombstone's clock.
            let is_there = found.is_some();
            let Some(content) = change(found) else { return Ok(None) };
            let request = RpbPutReq {
                if_not_modified: is_there.then_some(true),
                if_none_match: (!is_there).then_some(true),
                vclock: vclock.map(|vclock| vclock.as_bytes().clone()),
                ..at.put(content.clone())
            };
            let error = match limit.rest(self.riak).objects().put(request).await {
                Ok(()) => return Ok(Some(content)),
                Err(error) => error,
            };
            if !is_conflict(&error) {
                // The conflict would hide that this write may have been applied.
                let is_late = limit.has_ended(&error) && !error.may_have_been_applied();
                return Err(conflict.filter(|_| is_late).unwrap_or(error));
            }
            match backoff.next_pause() {
                Some(pause) if limit.outlasts(pause) => tokio::time::sleep(pause).await,
                _ => return Err(error),
            }
            conflict = Some(error);
        }
    }
}

/// Reports whether a put was refused only because the object is not as it was read:
/// it exists, has changed, or no longer exists.
fn is_conflict(error: &CallError) -> bool {
    let is_condition = error.is(ServerErrorKind::ConditionFailed) || error.is(ServerErrorKind::NotFound);
    is_condition && !error.may_have_been_applied()
}

impl<C> Clone for Objects<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Objects<'_, C> {}

impl<C> fmt::Debug for Objects<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Objects").finish_non_exhaustive()
    }
}
