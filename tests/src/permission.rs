//! [`Grants`]: what a user is permitted, and what a request needs.
//!
//! Invariant: a request that Riak does not check needs nothing, and neither does one that
//! cannot be decoded, which the node refuses itself.

use std::collections::BTreeSet;
use std::io;

use riak_client::AnyMessage;
use riak_runtime::{Blob, Frame};

/// The permissions that Riak knows.
const PERMISSIONS: [&str; 14] = [
    "riak_core.get_bucket",
    "riak_core.get_bucket_type",
    "riak_core.set_bucket",
    "riak_core.set_bucket_type",
    "riak_kv.delete",
    "riak_kv.get",
    "riak_kv.get_preflist",
    "riak_kv.index",
    "riak_kv.list_buckets",
    "riak_kv.list_keys",
    "riak_kv.mapreduce",
    "riak_kv.put",
    "search.admin",
    "search.query",
];

/// The permissions of one user.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grants(BTreeSet<String>);

impl Grants {
    pub(crate) fn add(&mut self, permissions: impl IntoIterator<Item = impl Into<String>>) {
        self.0.extend(permissions.into_iter().map(Into::into));
    }

    /// Checks that Riak knows each permission.
    pub(crate) fn check(&self) -> io::Result<()> {
        match self.0.iter().find(|name| !PERMISSIONS.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => {
                let known = PERMISSIONS.join("`, `");
                let text = format!("`{name}` is no permission: grant some of `{known}`");
                Err(io::Error::new(io::ErrorKind::InvalidInput, text))
            }
        }
    }

    /// Returns the text of the error for a request that the user has no permission for.
    pub(crate) fn refusal(&self, user: &str, request: &Frame) -> Option<String> {
        let (permission, on) = needed(request)?;
        let denied = format!("Permission denied: User '{user}' does not have '{permission}' on {on}");
        (!self.0.contains(permission)).then_some(denied)
    }
}

/// Returns the permission that a request needs, and what it needs it on.
fn needed(request: &Frame) -> Option<(&'static str, String)> {
    Some(match AnyMessage::decode(request).ok()? {
        AnyMessage::RpbGetReq(get) => ("riak_kv.get", bucket(get.r#type.as_ref(), &get.bucket)),
        AnyMessage::RpbPutReq(put) => ("riak_kv.put", bucket(put.r#type.as_ref(), &put.bucket)),
        AnyMessage::RpbDelReq(delete) => ("riak_kv.delete", bucket(delete.r#type.as_ref(), &delete.bucket)),
        AnyMessage::RpbCounterGetReq(get) => ("riak_kv.get", bucket(None, &get.bucket)),
        AnyMessage::RpbCounterUpdateReq(update) => ("riak_kv.put", bucket(None, &update.bucket)),
        AnyMessage::DtFetchReq(fetch) => ("riak_kv.get", bucket(Some(&fetch.r#type), &fetch.bucket)),
        AnyMessage::DtUpdateReq(update) => ("riak_kv.put", bucket(Some(&update.r#type), &update.bucket)),
        AnyMessage::RpbIndexReq(query) => ("riak_kv.index", bucket(query.r#type.as_ref(), &query.bucket)),
        AnyMessage::RpbListKeysReq(list) => ("riak_kv.list_keys", bucket(list.r#type.as_ref(), &list.bucket)),
        AnyMessage::RpbListBucketsReq(list) => ("riak_kv.list_buckets", bucket_type(list.r#type.as_ref())),
        AnyMessage::RpbGetBucketKeyPreflistReq(list) => {
            ("riak_kv.get_preflist", bucket(list.r#type.as_ref(), &list.bucket))
        }
        AnyMessage::RpbGetBucketReq(get) => {
            ("riak_core.get_bucket", bucket(get.r#type.as_ref(), &get.bucket))
        }
        AnyMessage::RpbSetBucketReq(set) => {
            ("riak_core.set_bucket", bucket(set.r#type.as_ref(), &set.bucket))
        }
        AnyMessage::RpbResetBucketReq(reset) => {
            ("riak_core.set_bucket", bucket(reset.r#type.as_ref(), &reset.bucket))
        }
        AnyMessage::RpbGetBucketTypeReq(get) => ("riak_core.get_bucket_type", bucket_type(Some(&get.r#type))),
        AnyMessage::RpbSetBucketTypeReq(set) => ("riak_core.set_bucket_type", bucket_type(Some(&set.r#type))),
        _ => return None,
    })
}

fn bucket(kind: Option<&Blob>, bucket: &Blob) -> String {
    format!("{}/{}", bucket_type(kind), bucket.to_string_lossy())
}

fn bucket_type(kind: Option<&Blob>) -> String {
    kind.map_or("default".into(), |kind| kind.to_string_lossy()).into_owned()
}
