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

/// Objects, and the causality of what is done to them. See [`Riak::objects`].
///
/// What several write at the same time is kept, as siblings, in buckets whose
/// property `allow_mult` is true: those of bucket types that somebody has made,
/// unless it was said otherwise. The default bucket type keeps the last value
/// alone, whatever clocks say: what has to survive there is written by
/// [`Objects::update`] or [`Objects::create`], whose writes are refused where
/// others were first.
///
/// What it does not offer (quorums, conditions, bodies in answers) is there in
/// [`Riak::kv`], whose requests are whole; [`Fetched`] reads their answers.
#[must_use]
pub struct Objects<'c, C> {
    riak: &'c Riak<C>,
}

impl<C: Call> Riak<C> {
    /// Objects, and the causality of what is done to them.
    ///
    /// ```no_run
    /// # async fn example(riak: riak_client::Riak) -> Result<(), riak_client::CallError> {
    /// use riak_client::riak_kv::RpbContent;
    /// use riak_client::{Fetched, Location, Newest};
    ///
    /// let alice = Location::new("users", "alice");
    /// match riak.objects().fetch(&alice).await? {
    ///     Fetched::Found(object) => println!("{:?}", object.content.value),
    ///     Fetched::Siblings(siblings) => println!("{} at once", siblings.contents.len()),
    ///     Fetched::Tombstone(_) => println!("deleted a moment ago"),
    ///     _ => println!("there is no such object"),
    /// }
    /// // Read, resolve if there are several, change, write if nobody else has.
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
    /// Fetches an object, whatever has become of it.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn fetch(&self, at: &Location) -> Result<Fetched, CallError> {
        self.fetch_as(at.get()).await
    }

    /// The same, as a request says: with quorums, or only if the object has
    /// changed. The clocks of tombstones are asked for in any case.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn fetch_as(&self, request: RpbGetReq) -> Result<Fetched, CallError> {
        let request = RpbGetReq { deletedvclock: Some(true), ..request };
        self.riak.kv().get(&request).await.map(Fetched::from)
    }

    /// Stores an object over what a read has found: what was read is replaced.
    /// What others have written since stays beside it as a sibling where the
    /// bucket keeps siblings (`allow_mult`), and is lost where it does not: see
    /// [`Objects::update`] for those. The clock is that of an [`Object`], of
    /// [`Siblings`], or of a tombstone.
    ///
    /// # Errors
    ///
    /// If the call fails. It may have been applied then: see
    /// [`CallError::may_have_been_applied`]. With
    /// [`NotSent::Refused`](crate::NotSent::Refused) if the content is a data type
    /// in the form that Riak stores it in.
    pub async fn store(&self, at: &Location, content: RpbContent, over: &VClock) -> Result<(), CallError> {
        let vclock = Some(over.as_bytes().clone());
        self.put(RpbPutReq { vclock, ..at.put(content) }).await
    }

    /// Stores an object that is not there yet, or not any more: what has been
    /// deleted lately has a clock, which is read first, and stored over.
    ///
    /// # Errors
    ///
    /// If the call fails; with [`ServerErrorKind::ConditionFailed`] if there is
    /// such an object; with [`NotSent::Refused`](crate::NotSent::Refused) if the
    /// content is a data type in the form that Riak stores it in.
    pub async fn create(&self, at: &Location, content: RpbContent) -> Result<(), CallError> {
        // To the server's check a tombstone is no object, and stays a sibling of
        // what is stored without its clock.
        let vclock = match self.fetch_as(RpbGetReq { head: Some(true), ..at.get() }).await? {
            Fetched::Tombstone(clock) => Some(clock.as_bytes().clone()),
            _ => None,
        };
        self.put(RpbPutReq { if_none_match: Some(true), vclock, ..at.put(content) }).await
    }

    /// Stores an object whatever is there: beside it as a sibling, or in its
    /// place where the bucket keeps no siblings.
    ///
    /// # Errors
    ///
    /// If the call fails. With [`NotSent::Refused`](crate::NotSent::Refused) if
    /// the content is a data type in the form that Riak stores it in.
    pub async fn store_blindly(&self, at: &Location, content: RpbContent) -> Result<(), CallError> {
        self.put(at.put(content)).await
    }

    async fn put(&self, request: RpbPutReq) -> Result<(), CallError> {
        internal::refuse(std::slice::from_ref(&request.content))?;
        self.riak.kv().put(&request).await.map(drop)
    }

    /// Deletes what a read has found. What others have written since stays where
    /// the bucket keeps siblings (`allow_mult`), and is deleted as well where it
    /// does not. Such a call may be made again by itself: a second time it finds
    /// nothing to delete.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn delete(&self, at: &Location, read: &VClock) -> Result<(), CallError> {
        let vclock = Some(read.as_bytes().clone());
        self.del(RpbDelReq { vclock, ..at.delete() }).await
    }

    /// Deletes whatever is there, also what nobody has read.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn delete_blindly(&self, at: &Location) -> Result<(), CallError> {
        self.del(at.delete()).await
    }

    async fn del(&self, request: RpbDelReq) -> Result<(), CallError> {
        self.riak.kv().delete(&request).await.map(drop)
    }

    /// Reads an object, changes it, and writes it if it is still as it was read;
    /// begins anew, with what is there now, if others have changed, created or
    /// deleted it meanwhile.
    ///
    /// `resolve` is asked if and only if several values stand beside each
    /// other. `change` gets the value, if there is one, and says what is to be
    /// stored; `None` writes nothing, not even what was resolved. It is called
    /// once in every round. Returns what was stored.
    ///
    /// Nodes up to 3.2 look whether the object has changed, and then write: two
    /// who do so in the same moment may both succeed. Where the bucket keeps
    /// siblings (`allow_mult`), both values stay, for the next read to resolve;
    /// where it does not, as in the default bucket type, one of the two is lost.
    /// Newer nodes take a token for the key, and strongly consistent bucket
    /// types leave no gap at all.
    ///
    /// # Errors
    ///
    /// If a call fails. The write may have been applied then: see
    /// [`CallError::may_have_been_applied`]. With
    /// [`ServerErrorKind::ConditionFailed`] if others were first again and again,
    /// 32 times, for about a second. With
    /// [`NotSent::Refused`](crate::NotSent::Refused) if the object is a data type,
    /// or becomes one: those are updated by [`Riak::convergent`].
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with timers, when it begins anew.
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
