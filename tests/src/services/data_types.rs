//! Convergent data types.
//!
//! Invariant: the answer to a read always names the kind of the data type.

use riak_client::riak_dt::{DtFetchReq, DtFetchResp, DtUpdateReq, DtUpdateResp};
use riak_client::riak_services::RiakDtServer;
use riak_runtime::server::Failure;

use crate::store::Store;

/// The data type service of a store.
#[derive(Debug)]
pub(super) struct DataTypes {
    pub(super) store: Store,
}

impl RiakDtServer for DataTypes {
    async fn fetch(&self, request: DtFetchReq) -> Result<DtFetchResp, Failure> {
        Ok(self.store.fetch(&request)?)
    }

    async fn update(&self, request: DtUpdateReq) -> Result<DtUpdateResp, Failure> {
        Ok(self.store.update(&request)?)
    }
}
