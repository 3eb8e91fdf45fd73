//! [`BucketTypes`]: the bucket types of a node, and the properties of single buckets.
//!
//! Invariant: the type `default` always exists. As in Riak, no request creates a
//! type.

use std::collections::BTreeMap;

use riak_client::riak::RpbBucketProps;
use riak_runtime::Blob;

use crate::bucket_props::{check, default_type_props, merged, new_type_props};
use crate::crdt::{DEFAULT_PRECISION, Kind};
use crate::refusal::Refusal;
use crate::ring::DEFAULT_TYPE;

/// The bucket types of a node.
#[derive(Clone, Debug)]
pub(crate) struct BucketTypes {
    types: BTreeMap<Blob, RpbBucketProps>,
    buckets: BTreeMap<(Blob, Blob), RpbBucketProps>,
}

impl BucketTypes {
    /// Creates the type `default` alone.
    pub(crate) fn new() -> Self {
        let default = (Blob::from_static(DEFAULT_TYPE), default_type_props());
        Self { types: BTreeMap::from([default]), buckets: BTreeMap::new() }
    }

    /// Creates a type with these properties, replacing one of the same name.
    pub(crate) fn create(&mut self, name: Blob, props: &RpbBucketProps) {
        let base = if name == *DEFAULT_TYPE { default_type_props() } else { new_type_props() };
        let mut props = merged(base, props);
        if Kind::of(&props) == Some(Kind::Hll) {
            props.hll_precision.get_or_insert(DEFAULT_PRECISION);
        }
        self.types.insert(name, props);
    }

    /// Returns the properties of a type, or `None` if there is no such type.
    pub(crate) fn of_type(&self, kind: &Blob) -> Option<&RpbBucketProps> {
        self.types.get(kind)
    }

    /// Returns the properties of a bucket, which default to those of its type, or
    /// `None` if there is no such type.
    pub(crate) fn of_bucket(&self, kind: &Blob, bucket: &Blob) -> Option<RpbBucketProps> {
        let props = self.types.get(kind)?.clone();
        Some(match self.buckets.get(&(kind.clone(), bucket.clone())) {
            Some(over) => merged(props, over),
            None => props,
        })
    }

    /// Sets properties of a bucket.
    ///
    /// # Errors
    ///
    /// If there is no such type, or a property cannot be set.
    pub(crate) fn set_bucket(
        &mut self,
        kind: Blob,
        bucket: Blob,
        props: &RpbBucketProps,
    ) -> Result<(), Refusal> {
        let Some(existing) = self.of_bucket(&kind, &bucket) else {
            return Err(Refusal::NoTypeNamed(kind));
        };
        check(kind == *DEFAULT_TYPE, &existing, props)?;
        let own = self.buckets.entry((kind, bucket)).or_default();
        *own = merged(std::mem::take(own), props);
        Ok(())
    }

    /// Resets a bucket's properties to those of its type.
    pub(crate) fn reset_bucket(&mut self, kind: Blob, bucket: Blob) {
        self.buckets.remove(&(kind, bucket));
    }

    /// Sets properties of a type.
    ///
    /// # Errors
    ///
    /// If there is no such type, it is `default`, or a property cannot be set.
    pub(crate) fn set_type(&mut self, kind: &Blob, props: &RpbBucketProps) -> Result<(), Refusal> {
        if *kind == *DEFAULT_TYPE {
            return Err(Refusal::NoDefaultUpdate);
        }
        let existing = self.types.get_mut(kind).ok_or(Refusal::NotActive)?;
        check(false, existing, props)?;
        *existing = merged(std::mem::take(existing), props);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_props_default_to_those_of_the_type() {
        let mut types = BucketTypes::new();
        types.create("mine".into(), &RpbBucketProps::default());
        let (kind, bucket) = (Blob::from("mine"), Blob::from("b"));
        let n_val = |types: &BucketTypes| types.of_bucket(&kind, &bucket).unwrap().n_val.unwrap();
        types
            .set_bucket(
                kind.clone(),
                bucket.clone(),
                &RpbBucketProps { r: Some(1.into()), ..RpbBucketProps::default() },
            )
            .unwrap();
        types.set_type(&kind, &RpbBucketProps { n_val: Some(5), ..RpbBucketProps::default() }).unwrap();
        assert_eq!(n_val(&types), 5);
        types
            .set_bucket(
                kind.clone(),
                bucket.clone(),
                &RpbBucketProps { n_val: Some(2), ..RpbBucketProps::default() },
            )
            .unwrap();
        assert_eq!(n_val(&types), 2);
        assert_eq!(types.of_bucket(&kind, &bucket).unwrap().r, Some(1.into()));
        types.reset_bucket(kind.clone(), bucket.clone());
        assert_eq!(n_val(&types), 5);
        assert!(types.of_bucket(&"other".into(), &bucket).is_none());
    }
}
