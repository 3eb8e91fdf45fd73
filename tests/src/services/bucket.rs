//! Properties of buckets and bucket types.
//!
//! Invariant: clients read and change bucket types, but cannot create them.

use riak_client::riak::{
    RpbGetBucketReq, RpbGetBucketResp, RpbGetBucketTypeReq, RpbResetBucketReq, RpbSetBucketReq,
    RpbSetBucketTypeReq,
};
use riak_client::riak_services::{RiakBucketServer, RpbResetBucketResp, RpbSetBucketResp};
use riak_runtime::server::Failure;

use crate::store::Store;

/// The bucket service of a store.
#[derive(Debug)]
pub(super) struct Buckets {
    pub(super) store: Store,
}

impl RiakBucketServer for Buckets {
    async fn get_props(&self, request: RpbGetBucketReq) -> Result<RpbGetBucketResp, Failure> {
        Ok(self.store.get_bucket(request.r#type.as_ref(), &request.bucket)?)
    }

    async fn set_props(&self, request: RpbSetBucketReq) -> Result<RpbSetBucketResp, Failure> {
        self.store.set_bucket(request.r#type.as_ref(), request.bucket, &request.props)?;
        Ok(RpbSetBucketResp::default())
    }

    async fn reset_props(&self, request: RpbResetBucketReq) -> Result<RpbResetBucketResp, Failure> {
        self.store.reset_bucket(request.r#type.as_ref(), request.bucket);
        Ok(RpbResetBucketResp::default())
    }

    async fn get_type_props(&self, request: RpbGetBucketTypeReq) -> Result<RpbGetBucketResp, Failure> {
        Ok(self.store.get_type(&request.r#type)?)
    }

    async fn set_type_props(&self, request: RpbSetBucketTypeReq) -> Result<RpbSetBucketResp, Failure> {
        self.store.set_type(&request.r#type, &request.props)?;
        Ok(RpbSetBucketResp::default())
    }
}
