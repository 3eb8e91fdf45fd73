//! Ping, the node's name and release, and client ids.
//!
//! Invariant: a client id belongs to its connection and has no other effect.

use std::sync::{Mutex, PoisonError};

use riak_client::riak::RpbGetServerInfoResp;
use riak_client::riak_kv::{RpbGetClientIdResp, RpbSetClientIdReq};
use riak_client::riak_services::{
    RiakServerServer, RpbGetClientIdReq, RpbGetServerInfoReq, RpbPingReq, RpbPingResp, RpbSetClientIdResp,
};
use riak_runtime::Blob;
use riak_runtime::server::Failure;

use super::NodeInfo;

/// The server service of one connection.
#[derive(Debug)]
pub(super) struct Server {
    name: Blob,
    version: Blob,
    client_id: Mutex<Blob>,
}

impl Server {
    pub(super) fn new(node_info: &NodeInfo) -> Self {
        // A real node begins with four zero bytes, too.
        let client_id = Mutex::new(Blob::from_static(&[0; 4]));
        Self { name: node_info.name.clone(), version: node_info.version.clone(), client_id }
    }
}

impl RiakServerServer for Server {
    async fn ping(&self, _: RpbPingReq) -> Result<RpbPingResp, Failure> {
        Ok(RpbPingResp::default())
    }

    async fn get_server_info(&self, _: RpbGetServerInfoReq) -> Result<RpbGetServerInfoResp, Failure> {
        Ok(RpbGetServerInfoResp {
            node: Some(self.name.clone()),
            server_version: Some(self.version.clone()),
            ..RpbGetServerInfoResp::default()
        })
    }

    async fn get_client_id(&self, _: RpbGetClientIdReq) -> Result<RpbGetClientIdResp, Failure> {
        Ok(RpbGetClientIdResp::new(&*self.client_id.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    async fn set_client_id(&self, request: RpbSetClientIdReq) -> Result<RpbSetClientIdResp, Failure> {
        *self.client_id.lock().unwrap_or_else(PoisonError::into_inner) = request.client_id;
        Ok(RpbSetClientIdResp::default())
    }
}
