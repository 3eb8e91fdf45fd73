//! Which nodes are up: this one.
//!
//! Invariant: of the requests for replication, only this one has an answer.

use std::net::SocketAddr;

use riak_client::riak_kv::{RpbClusterMemberEntry, RpbMembershipReq, RpbMembershipResp};
use riak_client::riak_services::RiakReplServer;
use riak_runtime::server::Failure;

/// Where the node says that it listens.
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
