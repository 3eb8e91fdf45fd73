//! [`DataTypes`]: values whose replicas merge by themselves, read and changed
//! through types that exclude misuse.
//!
//! Invariant: a removal can only be made from a read, whose context it carries; a
//! context is sent only with changes of sets and maps, since Riak crashes on any
//! other.

mod context;
mod fetched;
mod fields;
mod map;
mod update;

use std::fmt;

use riak_runtime::client::{Call, CallError};

use crate::riak_dt::{DtFetchReq, DtUpdateReq};
use crate::{Location, Riak};

pub use context::{Blind, Causality, Context, Seen};
pub use fetched::{DataType, Map, Set};
pub use fields::MapFields;
pub use map::MapUpdate;
pub use update::{SetUpdate, Update};

/// The bucket type of a location that names none. Data types need a bucket type of
/// their own; this one only has the counters of Riak 1.4.
const DEFAULT_TYPE: &str = "default";

/// Reads and updates Riak's data types: see [`Riak::convergent`].
///
/// A data type is deleted like an object, with the [`VClock`](crate::VClock) of a
/// read of the object: see [`Objects::delete`](crate::Objects::delete).
#[must_use]
pub struct DataTypes<'c, C> {
    riak: &'c Riak<C>,
}

impl<C: Call> Riak<C> {
    /// Returns a client that reads and updates Riak's data types: counters, sets,
    /// maps, grow-only sets and `HyperLogLog`s, whose replicas merge without
    /// siblings (convergent replicated data types).
    ///
    /// It does what [`Riak::data_types`] does, through types that exclude what Riak
    /// refuses or crashes on: an update holds one operation, and removes only what
    /// a read has found.
    ///
    /// ```no_run
    /// # async fn example(riak: riak_client::Riak) -> Result<(), riak_client::CallError> {
    /// use riak_client::{DataType, Location, SetUpdate, Update};
    ///
    /// let tags = Location::new("tags", "alice").of_type("sets");
    /// // Adding needs no read.
    /// riak.convergent().update(&tags, SetUpdate::new().insert("new")).await?;
    /// // Removing does.
    /// if let Some(DataType::Set(set)) = riak.convergent().fetch(&tags).await? {
    ///     riak.convergent().update(&tags, set.update().remove("old")).await?;
    /// }
    /// let visits = Location::new("visits", "alice").of_type("counters");
    /// riak.convergent().update(&visits, Update::increment(1)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub const fn convergent(&self) -> DataTypes<'_, C> {
        DataTypes { riak: self }
    }
}

impl<C: Call> DataTypes<'_, C> {
    /// Fetches a data type, with the context that a removal needs; `None` if there
    /// is none at the key.
    ///
    /// # Errors
    ///
    /// Fails if the call fails.
    pub async fn fetch(&self, at: &Location) -> Result<Option<DataType>, CallError> {
        let request = DtFetchReq::new(at.bucket().clone(), at.key().clone(), bucket_type(at));
        self.riak.data_types().fetch(&request).await.map(DataType::of)
    }

    /// Updates a data type, or creates it.
    ///
    /// The call is never repeated if its outcome is unknown: an increment that is
    /// made twice counts twice.
    ///
    /// # Errors
    ///
    /// Fails if the call fails. The update may have been applied: see
    /// [`CallError::may_have_been_applied`].
    pub async fn update(&self, at: &Location, update: impl Into<Update>) -> Result<(), CallError> {
        let Update { op, context } = update.into();
        let request = DtUpdateReq {
            key: Some(at.key().clone()),
            context: context.map(|context| context.as_bytes().clone()),
            ..DtUpdateReq::new(at.bucket().clone(), bucket_type(at), op)
        };
        self.riak.data_types().update(&request).await.map(drop)
    }
}

fn bucket_type(at: &Location) -> riak_runtime::Blob {
    at.bucket_type().cloned().unwrap_or_else(|| DEFAULT_TYPE.into())
}

impl<C> Clone for DataTypes<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for DataTypes<'_, C> {}

impl<C> fmt::Debug for DataTypes<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataTypes").finish_non_exhaustive()
    }
}
