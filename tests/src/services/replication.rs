//! The membership request, which lists the nodes that are up: only this one.
//!
//! Invariant: no other request of the replication service is answered.

use std::net::SocketAddr;

use riak_client::riak_kv::{RpbClusterMemberEntry, RpbMembershipReq, RpbMembershipResp};
use riak_client::riak_services::RiakReplServer;
use riak_runtime::server::Failure;

/// The replication service, with the address that the node reports to clients.
#[derive(Debug)]
pub(super) struct Replication {
    pub(super) addr: SocketAddr,
}

impl RiakReplServer for Replication {
    async fn membership(&self, _: RpbMembershipReq) -> Result<RpbMembershipResp, Failure> {
        let this = RpbClusterMemberEntry::new(self.addr.ip().to_string(), self.addr.port().into());
        Ok(RpbMembershipResp { up_nodes: vec![this], ..RpbMembershipResp::default() })
    }
}
