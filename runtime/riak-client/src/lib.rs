//! Riak's messages, message codes and operations, typed, with an async client.
//!
//! Generated from Riak's schemas by `protoc-gen-riak`, and checked in: nothing
//! is generated when this crate is built.
//!
//! ```no_run
//! use riak_client::{Riak, riak_kv};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let riak = Riak::connect("127.0.0.1:8087").await?;
//!
//! let mut put = riak_kv::RpbPutReq::new("users", riak_kv::RpbContent::new(r#"{"age": 42}"#));
//! put.key = Some("alice".into());
//! riak.kv().put(&put).await?;
//!
//! let found = riak.kv().get(&riak_kv::RpbGetReq::new("users", "alice")).await?;
//! for content in &found.content {
//!     println!("{:?}", content.value);
//! }
//!
//! let mut keys = riak.kv().list_keys(&riak_kv::RpbListKeysReq::new("users")).await?;
//! while let Some(chunk) = keys.next().await {
//!     println!("{:?}", chunk?.keys);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Each schema file is a module: [`riak`], [`riak_kv`], [`riak_dt`] and so on
//! hold the messages, [`riak_services`] holds a client and a server trait for
//! each part of the server. [`MessageCode`] is the table of message codes, and
//! [`AnyMessage`] decodes a frame by its code.
//!
//! Features: `client` (default) for the clients, `server` for the server
//! traits. Without either there are messages only, and no dependency but
//! `riak-runtime`. To the clients, `tls` adds secured clusters, `serde`
//! configurations from files, `tracing` a span and `metrics` counters for each
//! attempt at a call, and `tower` a service for its layers.

#[cfg(feature = "client")]
mod bulk;
#[cfg(feature = "client")]
mod config;
#[cfg(feature = "client")]
mod data_type;
#[cfg(feature = "client")]
mod facade;
#[rustfmt::skip]
mod generated;
#[cfg(feature = "client")]
mod index;
#[cfg(feature = "client")]
mod membership;
#[cfg(feature = "client")]
mod object;
#[cfg(feature = "client")]
mod refused;

#[cfg(feature = "client")]
pub use bulk::{Bulk, Results};
#[cfg(feature = "client")]
pub use config::{
    ClientConfig, Discovery, DiscoverySource, IntoConfig, InvalidConfig, PARAMETERS, Parameter, Secret,
};
#[cfg(feature = "client")]
pub use data_type::{
    Blind, Causality, Context, DataType, DataTypes, Map, MapUpdate, Seen, Set, SetUpdate, Update,
};
#[cfg(feature = "client")]
pub use facade::{ConnectError, Riak};
pub use generated::*;
#[cfg(feature = "client")]
pub use index::{IndexEntry, IndexPages};
#[cfg(feature = "client")]
pub use membership::Membership;
#[cfg(feature = "client")]
pub use object::{Fetched, Location, Newest, Object, Objects, Resolve, Siblings, VClock};
#[cfg(feature = "client")]
pub use refused::Checked;
#[cfg(feature = "client")]
pub use riak_runtime::client::{
    Call, CallError, CallOptions, Cluster, ClusterConfig, Connection, ConnectionConfig, ConnectionError,
    Node, NotSent, Responses, ServerError, ServerErrorKind,
};
pub use riak_runtime::{Blob, Coded, Decode, DecodeError, Frame, Framed, Message, Owned, Quorum, Request};
