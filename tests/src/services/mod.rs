//! The node's implementation of the generated server traits, one file per trait.
//!
//! Invariant: this module makes no decisions. It passes each request to the store
//! and turns the result into an answer.

mod bucket;
mod data_types;
mod gate;
mod kv;
mod replication;
mod security;
mod server;

use std::net::SocketAddr;

use riak_client::riak_services::{
    RiakBucketService, RiakDtService, RiakKvService, RiakReplService, RiakSecurityService, RiakServerService,
};
use riak_runtime::Blob;
use riak_runtime::server::{ErrorReply, Failure, Service};

use crate::refusal::Refusal;
use crate::store::Store;

/// The facts about the node that the services of all connections share.
#[derive(Clone, Debug)]
pub(crate) struct NodeInfo {
    /// The node's name.
    pub(crate) name: Blob,
    /// The release that the node reports.
    pub(crate) version: Blob,
    /// The address that the node reports to clients.
    pub(crate) addr: SocketAddr,
}

/// Returns the services of one connection.
pub(crate) fn connection(store: &Store, node_info: &NodeInfo) -> impl Service + use<> {
    gate::Gate((
        RiakServerService(server::Server::new(node_info)),
        RiakSecurityService(security::SecurityOff),
        RiakBucketService(bucket::Buckets { store: store.clone() }),
        RiakKvService(kv::Kv { store: store.clone(), name: node_info.name.clone() }),
        RiakDtService(data_types::DataTypes { store: store.clone() }),
        RiakReplService(replication::Replication { addr: node_info.addr }),
    ))
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let error = ErrorReply::new(refusal.to_string());
        if refusal.closes() { error.and_close().into() } else { error.into() }
    }
}
