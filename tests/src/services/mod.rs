//! The node's side of the generated server traits: one file a trait.
//!
//! Invariant: nothing is decided here. A request goes to the store, and what it
//! gives becomes an answer.

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

/// What the services of all connections know of their node.
#[derive(Clone, Debug)]
pub(crate) struct About {
    /// The node's name.
    pub(crate) name: Blob,
    /// The release that it says it is.
    pub(crate) version: Blob,
    /// Where it says that it listens.
    pub(crate) addr: SocketAddr,
}

/// The services of one connection.
pub(crate) fn connection(store: &Store, about: &About) -> impl Service + use<> {
    gate::Gate((
        RiakServerService(server::Server::new(about)),
        RiakSecurityService(security::Off),
        RiakBucketService(bucket::Buckets { store: store.clone() }),
        RiakKvService(kv::Kv { store: store.clone(), name: about.name.clone() }),
        RiakDtService(data_types::DataTypes { store: store.clone() }),
        RiakReplService(replication::Replication { addr: about.addr }),
    ))
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let error = ErrorReply::new(refusal.to_string());
        if refusal.closes() { error.and_close().into() } else { error.into() }
    }
}
