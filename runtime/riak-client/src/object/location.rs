//! [`Location`]: the address of an object.
//!
//! Invariant: names are bytes, and are passed on unchanged.

use riak_runtime::Blob;

use crate::riak_kv::{RpbContent, RpbDelReq, RpbGetReq, RpbPutReq};

/// The address of an object: bucket type, bucket and key. Each is bytes and need
/// not be text.
///
/// ```
/// use riak_client::Location;
///
/// let carts = Location::new("carts", [0xff, 0, 1]).of_type("maps");
/// assert_eq!(carts.bucket_type().unwrap(), "maps");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    bucket_type: Option<Blob>,
    bucket: Blob,
    key: Blob,
}

impl Location {
    /// Creates a location in a bucket of the default bucket type.
    pub fn new(bucket: impl Into<Blob>, key: impl Into<Blob>) -> Self {
        Self { bucket_type: None, bucket: bucket.into(), key: key.into() }
    }

    /// Sets the bucket type.
    #[must_use]
    pub fn of_type(mut self, bucket_type: impl Into<Blob>) -> Self {
        self.bucket_type = Some(bucket_type.into());
        self
    }

    /// Returns the bucket type; `None` is the default bucket type.
    #[must_use]
    pub fn bucket_type(&self) -> Option<&Blob> {
        self.bucket_type.as_ref()
    }

    /// Returns the bucket.
    #[must_use]
    pub fn bucket(&self) -> &Blob {
        &self.bucket
    }

    /// Returns the key.
    #[must_use]
    pub fn key(&self) -> &Blob {
        &self.key
    }

    /// Returns a request that fetches the object.
    ///
    /// Options can be added, for [`Objects::fetch_as`](crate::Objects::fetch_as) or
    /// [`Riak::kv`](crate::Riak::kv).
    #[must_use]
    pub fn get(&self) -> RpbGetReq {
        RpbGetReq {
            r#type: self.bucket_type.clone(),
            ..RpbGetReq::new(self.bucket.clone(), self.key.clone())
        }
    }

    pub(super) fn put(&self, content: RpbContent) -> RpbPutReq {
        RpbPutReq {
            r#type: self.bucket_type.clone(),
            key: Some(self.key.clone()),
            ..RpbPutReq::new(self.bucket.clone(), content)
        }
    }

    pub(super) fn delete(&self) -> RpbDelReq {
        RpbDelReq {
            r#type: self.bucket_type.clone(),
            ..RpbDelReq::new(self.bucket.clone(), self.key.clone())
        }
    }
}
