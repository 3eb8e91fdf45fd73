//! [`Location`]: where an object is.
//!
//! Invariant: names are bytes, and pass through as they are.

use riak_runtime::Blob;

use crate::riak_kv::{RpbContent, RpbDelReq, RpbGetReq, RpbPutReq};

/// Where an object is: bucket type, bucket and key. Each is bytes and need not be text.
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
    /// A key in a bucket of the default bucket type.
    pub fn new(bucket: impl Into<Blob>, key: impl Into<Blob>) -> Self {
        Self { bucket_type: None, bucket: bucket.into(), key: key.into() }
    }

    /// The same key, in a bucket of this bucket type.
    #[must_use]
    pub fn of_type(mut self, bucket_type: impl Into<Blob>) -> Self {
        self.bucket_type = Some(bucket_type.into());
        self
    }

    /// The bucket type; `None` is the default bucket type.
    #[must_use]
    pub fn bucket_type(&self) -> Option<&Blob> {
        self.bucket_type.as_ref()
    }

    /// The bucket.
    #[must_use]
    pub fn bucket(&self) -> &Blob {
        &self.bucket
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &Blob {
        &self.key
    }

    /// A request that fetches the object, to which options can be added: for
    /// [`Objects::fetch_as`](crate::Objects::fetch_as) or [`Riak::kv`](crate::Riak::kv).
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
