//! [`Objects`]: reading, changing and deleting objects without losing what
//! others write at the same time.
//!
//! What the messages leave to their user's care is decided here by types: what
//! a read can find is an enum, and what is written or deleted says what it
//! stands on. Invariant: nothing here is written or deleted without the clock
//! of a read, unless the method's name says so; a tombstone's clock is asked for
//! with every read; and no data type is written as if it were an object.

mod fetched;
mod internal;
mod location;
mod resolve;
mod rounds;
mod vclock;

use std::fmt;

use riak_runtime::client::{Call, CallError};

use crate::riak_kv::{RpbContent, RpbDelReq, RpbGetReq, RpbPutReq};
use crate::{Riak, ServerErrorKind};

pub use fetched::{Fetched, Object, Siblings};
pub use location::Location;
pub use resolve::{Newest, Resolve};
pub use vclock::VClock;

use rounds::Rounds;

/// Reads and writes objects with their causality: see [`Riak::objects`].
///
/// [`Objects::update`] is the method for most changes. The others do one step each.
///
/// Values that are written at the same time are kept as siblings in buckets whose
/// property `allow_mult` is true, which is the default of bucket types that an operator
/// creates. The default bucket type keeps only the value that was written last,
/// whatever the clocks say. There, write with [`Objects::update`] or
/// [`Objects::create`], whose writes are refused if the object was changed meanwhile.
///
/// For quorums, other conditions, or bodies in answers use the requests of
/// [`Riak::kv`]; [`Fetched`] reads their answers.
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
    /// Reads and writes objects with their vector clocks, siblings and tombstones.
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
    /// // Reads, resolves siblings, changes, and writes unless the object has changed
    /// // meanwhile; then it begins anew.
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
    /// If the call fails.
    pub async fn fetch(&self, at: &Location) -> Result<Fetched, CallError> {
        self.fetch_as(at.get()).await
    }

    /// Fetches an object by a request of your own, such as [`Location::get`] with
    /// quorums or `if_modified`. The field `deletedvclock` is always set, so that
    /// tombstones are recognised.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn fetch_as(&self, request: RpbGetReq) -> Result<Fetched, CallError> {
        let request = RpbGetReq { deletedvclock: Some(true), ..request };
        self.riak.kv().get(&request).await.map(Fetched::from)
    }

    /// Stores a value in place of what a read has found. `over` is the clock of that
    /// read: of an [`Object`], of [`Siblings`], or of a tombstone.
    ///
    /// A value that others have written since stays as a sibling if the bucket keeps
    /// siblings (`allow_mult`). Otherwise it is lost: use [`Objects::update`] there.
    ///
    /// # Errors
    ///
    /// If the call fails. It may have been applied: see
    /// [`CallError::may_have_been_applied`]. With
    /// [`NotSent::Refused`](crate::NotSent::Refused) if the content is a data type in
    /// Riak's internal format.
    pub async fn store(&self, at: &Location, content: RpbContent, over: &VClock) -> Result<(), CallError> {
        let vclock = Some(over.as_bytes().clone());
        self.put(RpbPutReq { vclock, ..at.put(content) }).await
    }

    /// Stores an object only if there is none. It reads first, since an object that was
    /// deleted a moment ago has a tombstone whose clock the write needs.
    ///
    /// # Errors
    ///
    /// If a call fails; the write may have been applied: see
    /// [`CallError::may_have_been_applied`]. With
    /// [`ServerErrorKind::ConditionFailed`] if the object exists. With
    /// [`NotSent::Refused`](crate::NotSent::Refused) if the content is a data type in
    /// Riak's internal format.
    pub async fn create(&self, at: &Location, content: RpbContent) -> Result<(), CallError> {
        // To the server's check a tombstone is no object, and stays a sibling of
        // what is stored without its clock.
        let vclock = match self.fetch_as(RpbGetReq { head: Some(true), ..at.get() }).await? {
            Fetched::Tombstone(clock) => Some(clock.as_bytes().clone()),
            _ => None,
        };
        self.put(RpbPutReq { if_none_match: Some(true), vclock, ..at.put(content) }).await
    }

    /// Stores a value without the clock of a read: as a sibling of the present value,
    /// or in its place if the bucket keeps no siblings.
    ///
    /// # Errors
    ///
    /// If the call fails; it may have been applied. With
    /// [`NotSent::Refused`](crate::NotSent::Refused) if the content is a data type in
    /// Riak's internal format.
    pub async fn store_blindly(&self, at: &Location, content: RpbContent) -> Result<(), CallError> {
        self.put(at.put(content)).await
    }

    async fn put(&self, request: RpbPutReq) -> Result<(), CallError> {
        internal::refuse(std::slice::from_ref(&request.content))?;
        self.riak.kv().put(&request).await.map(drop)
    }

    /// Deletes what a read has found; `read` is its clock. A value that others have
    /// written since stays if the bucket keeps siblings (`allow_mult`), and is deleted
    /// as well otherwise. The call is repeated if its outcome is unknown: a second time
    /// it finds nothing to delete.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn delete(&self, at: &Location, read: &VClock) -> Result<(), CallError> {
        let vclock = Some(read.as_bytes().clone());
        self.del(RpbDelReq { vclock, ..at.delete() }).await
    }

    /// Deletes the object whatever its value, without the clock of a read.
    ///
    /// # Errors
    ///
    /// If the call fails; it may have been applied.
    pub async fn delete_blindly(&self, at: &Location) -> Result<(), CallError> {
        self.del(at.delete()).await
    }

    async fn del(&self, request: RpbDelReq) -> Result<(), CallError> {
        self.riak.kv().delete(&request).await.map(drop)
    }

    /// Reads an object, changes it, and writes it if it is still as it was read. If
    /// others have changed, created or deleted it meanwhile, begins anew with what is
    /// there now.
    ///
    /// `change` gets the present value, or `None` if there is none, and returns the
    /// value to store. If it returns `None`, nothing is written, not even siblings that
    /// were resolved. It is called once in each round. `resolve` is called only if there
    /// are siblings. Returns the value that was stored.
    ///
    /// On nodes up to 3.2 the check and the write are two steps, so that two writers in
    /// the same moment may both succeed. If the bucket keeps siblings (`allow_mult`),
    /// both values stay, and the next read resolves them; otherwise, as in the default
    /// bucket type, one of the two is lost. Newer nodes lock the key with a token, and
    /// strongly consistent bucket types have no such gap.
    ///
    /// # Errors
    ///
    /// If a call fails. The write may have been applied: see
    /// [`CallError::may_have_been_applied`]. With
    /// [`ServerErrorKind::ConditionFailed`] if others were first 32 times in a row,
    /// which takes about a second. With
    /// [`NotSent::Refused`](crate::NotSent::Refused) if the object is a data type, or
    /// would become one: use [`Riak::convergent`] for those.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with timers, if it has to begin anew.
    pub async fn update(
        &self,
        at: &Location,
        resolve: &(impl Resolve + ?Sized),
        mut change: impl FnMut(Option<RpbContent>) -> Option<RpbContent>,
    ) -> Result<Option<RpbContent>, CallError> {
        let mut rounds = Rounds::new();
        loop {
            let found = self.fetch(at).await?;
            internal::refuse_found(&found)?;
            let (found, vclock) = found.resolve(resolve);
            // To the server's check a tombstone is no object: what stands on one is
            // created, with its clock.
            let is_there = found.is_some();
            let Some(content) = change(found) else { return Ok(None) };
            let request = RpbPutReq {
                if_not_modified: is_there.then_some(true),
                if_none_match: (!is_there).then_some(true),
                vclock: vclock.map(|vclock| vclock.as_bytes().clone()),
                ..at.put(content.clone())
            };
            let error = match self.put(request).await {
                Ok(()) => return Ok(Some(content)),
                Err(error) => error,
            };
            match rounds.lose() {
                Some(pause) if others_were_first(&error) => tokio::time::sleep(pause).await,
                _ => return Err(error),
            }
        }
    }
}

/// Whether a put was refused since the object is not as it was read, and for no
/// other reason: it exists, has changed, or does not exist any more.
fn others_were_first(error: &CallError) -> bool {
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
