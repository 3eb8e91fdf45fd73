//! An async client for Riak: KV 1.x to `OpenRiak` 3.4, and Riak TS.
//!
//! It has Riak's messages as typed Rust, a method for each request, and a cluster
//! client with load balancing, retries and deadlines. The messages and methods are
//! generated from Riak's schemas by `protoc-gen-riak` and checked in: building this
//! crate generates nothing.
//!
//! ```no_run
//! use riak_client::riak_kv::{RpbContent, RpbGetReq, RpbListKeysReq, RpbPutReq};
//! use riak_client::{CallError, Riak};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let riak = Riak::connect("riak://riak-1.example.com,riak-2.example.com?timeout=2s").await?;
//!
//! let put = RpbPutReq {
//!     key: Some("alice".into()),
//!     ..RpbPutReq::new("users", RpbContent::new(r#"{"age": 42}"#))
//! };
//! riak.kv().put(&put).await?;
//!
//! match riak.kv().get(&RpbGetReq::new("users", "alice")).await {
//!     Ok(found) => println!("{:?}", found.content), // empty if there is no such object
//!     Err(CallError::Server(error)) => println!("Riak refuses: {error}"),
//!     Err(error) => println!("no answer: {error}"),
//! }
//!
//! let mut keys = riak.kv().list_keys(&RpbListKeysReq::new("users")).await?; // a stream
//! while let Some(chunk) = keys.next().await {
//!     println!("{:?}", chunk?.keys);
//! }
//! # Ok(())
//! # }
//! ```
//!
#![cfg_attr(feature = "client", doc = include_str!("start.md"))]
//!
//! # Features
//!
//! | feature | adds |
//! |--|--|
//! | `client` (default) | `Riak` and the clients, on tokio |
//! | `server` | the server traits in [`riak_services`], and the module `server`, which serves them |
//! | `tls` | TLS and authentication, for clusters with security enabled |
//! | `serde` | `ClientConfig` read from files |
//! | `tracing`, `metrics` | a span, counters and a histogram for each attempt at a call; the module `client` lists them |
//! | `tower` | `client::CallService`, calls as a `tower::Service` |
//!
//! Without any of them, there are only messages, and the one dependency is
//! `riak-runtime`.
//!
//! # Proxies and inspectors
//!
//! [`MessageCode`] is the table of message codes; [`AnyMessage`] decodes any frame by
//! its code:
//!
//! ```
//! use riak_client::{AnyMessage, Blob, Frame, MessageCode};
//!
//! let frame = Frame { code: 9, body: Blob::from(b"\x0a\x05users\x12\x05alice") };
//! match AnyMessage::decode(&frame)? {
//!     AnyMessage::RpbGetReq(get) => assert_eq!((get.bucket, get.key), ("users".into(), "alice".into())),
//!     other => println!("not a get: {other:?}"),
//! }
//! assert_eq!(MessageCode::try_from(9)?.name(), "RpbGetReq");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Servers
//!
//! A program can answer Riak's requests itself: implement the trait of a service,
//! and serve it through its dispatcher. Methods that are left out answer "Unknown
//! message code". The crate `riak-testkit` is a whole node made this way, for
//! tests.
//!
#![cfg_attr(all(feature = "client", feature = "server"), doc = "```")]
#![cfg_attr(not(all(feature = "client", feature = "server")), doc = "```ignore")]
//! use riak_client::Riak;
//! use riak_client::riak_kv::{RpbContent, RpbGetReq, RpbGetResp};
//! use riak_client::riak_services::{RiakKvServer, RiakKvService};
//! use riak_client::server::{Failure, Server};
//!
//! /// Has an object at each key: the key itself.
//! struct Keys;
//!
//! impl RiakKvServer for Keys {
//!     async fn get(&self, request: RpbGetReq) -> Result<RpbGetResp, Failure> {
//!         let content = vec![RpbContent::new(request.key)];
//!         Ok(RpbGetResp { content, ..RpbGetResp::default() })
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! #     tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(example())
//! # }
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let address = listener.local_addr()?;
//! tokio::spawn(Server::default().serve(listener, RiakKvService(Keys)));
//!
//! let riak = Riak::connect(address).await?;
//! let found = riak.kv().get(&RpbGetReq::new("users", "alice")).await?;
//! assert_eq!(found.content[0].value, "alice");
//! # Ok(())
//! # }
//! ```

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
mod checked;
#[cfg(feature = "client")]
mod index;
#[cfg(feature = "client")]
mod membership;
#[cfg(feature = "client")]
mod object;

#[cfg(feature = "client")]
pub use bulk::{Bulk, Results};
#[cfg(feature = "client")]
pub use checked::Checked;
#[cfg(feature = "client")]
pub use config::{
    ClientConfig, Discovery, DiscoverySource, IntoConfig, InvalidConfig, PARAMETERS, Parameter, Secret,
};
#[cfg(feature = "client")]
pub use data_type::{
    Blind, Causality, Context, DataType, DataTypes, Map, MapFields, MapUpdate, Seen, Set, SetUpdate, Update,
};
#[cfg(feature = "client")]
pub use facade::{ConnectError, Riak};
/// The types of a map's fields, which [`MapUpdate::remove`] takes.
#[cfg(feature = "client")]
pub use generated::riak_dt::map_field::MapFieldType;
pub use generated::*;
#[cfg(feature = "client")]
pub use index::{IndexEntry, IndexPages};
#[cfg(feature = "client")]
pub use membership::Membership;
#[cfg(feature = "client")]
pub use object::{Fetched, Location, Newest, Object, Objects, Resolve, Siblings, VClock};
#[cfg(feature = "client")]
pub use riak_runtime::client;
#[cfg(feature = "client")]
pub use riak_runtime::client::{
    Attempt, Balance, BreakerConfig, BreakerState, Call, CallError, CallExt, CallOptions, Candidate, Cluster,
    ClusterConfig, ClusterStats, Connection, ConnectionConfig, ConnectionError, InvalidNode, LeastLoaded,
    Node, NodeStats, NotSent, PoolConfig, PoolStats, QueueLimit, Responses, RetryConfig, RoundRobin,
    ServerError, ServerErrorKind, Tried, With,
};
pub use riak_runtime::operation::{self, Retry};
#[cfg(feature = "server")]
pub use riak_runtime::server;
#[cfg(feature = "tls")]
pub use riak_runtime::tls;
#[cfg(all(feature = "client", feature = "tls"))]
pub use riak_runtime::tls::{TlsConfig, TlsError, Verify};
pub use riak_runtime::{
    Answer, Blob, Coded, Decode, DecodeError, DecodeErrorKind, DecodeLimits, Frame, FrameError, FrameReader,
    Framed, Message, Operation, Owned, Quorum, Request, View, WriteBuffer,
};
