//! An in-memory Riak node for tests of programs that talk to Riak.
//!
//! ```
//! use riak_client::riak_kv::{RpbContent, RpbGetReq, RpbPutReq};
//! use riak_client::Riak;
//! use riak_testkit::Node;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let node = Node::start().await?;
//!
//! // The code under test talks to `node.addr()` as to any Riak node.
//! let riak = Riak::connect(node.addr()).await?;
//! let mut put = RpbPutReq::new("users", RpbContent::new("hello"));
//! put.key = Some("alice".into());
//! riak.kv().put(&put).await?;
//! let found = riak.kv().get(&RpbGetReq::new("users", "alice")).await?;
//! assert_eq!(found.content[0].value, "hello");
//!
//! // The test can read and write the node's data directly.
//! assert_eq!(node.store().keys("default", "users"), ["alice"]);
//! # Ok(())
//! # }
//! ```
//!
//! # What it does
//!
//! The node answers as an `OpenRiak` 3.2 node that is alone in its ring. It serves
//! ping, server info and client ids; get, put and delete with vclocks, siblings,
//! tombstones and conditions; data types with contexts, and the counters of
//! Riak 1.4; properties of buckets and bucket types; listings; secondary indexes
//! with pages and streams; scans over whole objects; preference lists and
//! membership. Exchanges recorded with a real node are replayed against it, and
//! give the same message codes, connection closes, error texts and contents.
//!
//! Any other request, such as map-reduce, a search or a query of Riak TS, gets the
//! answer of a real node that does not serve it: "Unknown message code".
//!
//! # How it differs from a real node
//!
//! - A data type has one replica, changed by one actor, where Riak has one for each
//!   partition. Contexts look like Riak's and cover what was read, but name a single
//!   actor. A data type that is created anew under its key gets a new actor at
//!   once; in Riak, until the tombstone is reaped, an old context also covers part
//!   of the new value. If a counter in a map is removed while other clients
//!   increment it, only their increments remain; in Riak, everything remains that
//!   was added through the same partitions, earlier increments included.
//! - Requests that crash a partition's process in Riak, such as an update of a
//!   counter with a context or an update with an invalid context, are answered with
//!   "timeout" at once, not after a minute.
//! - A plain read of a data type returns bytes that begin as Riak's do, but cannot
//!   be decoded. Written back, they are a plain value.
//! - Estimates of a `HyperLogLog` equal Riak's in the range of linear counting, up
//!   to 11,500 elements at the default precision. Above, up to 80,000, they are as
//!   accurate, but not identical.
//! - Vclocks have a format of their own, which makes no difference to clients, since
//!   vclocks are opaque. A vclock from another node is refused as a real node
//!   refuses malformed bytes.
//! - The node holds all replicas: every quorum that `n_val` allows is met, and each
//!   replica counts as a separate node for `node_confirms`.
//! - An error that a real node answers with a stack trace has only its first line,
//!   and error texts that print a term have no line breaks.
//! - `term_regex` takes the syntax of the crate `regex`, without back-references
//!   and look-around.
//! - Requests take no time. [`NodeBuilder::part_time`] sets the time that counts
//!   towards their timeouts.
//! - Security is off, unless a `SecuredNode` (feature `tls`) stands in front of the
//!   node, whose users may do everything until they are granted something
//!   (`Security::grant`). Commit hooks are stored as properties, but never run; buckets with
//!   `write_once` or `consistent` behave as all others.
//!
//! # Reproducible tests
//!
//! [`NodeBuilder::seed`] fixes keys, vtags and vclocks, and [`Clock::manual`] fixes
//! the time. The same requests then get the same bytes, and tombstones are reaped
//! when the test advances the clock.
//!
//! The node may run in the caller's runtime with tokio's clock paused
//! (`start_paused = true`), so that deadlines pass without waiting. A paused clock
//! jumps to the next deadline whenever the runtime is idle, which includes the time
//! in which the operating system transfers, for example, a value of a megabyte.
//!
//! ```
//! use std::time::Duration;
//!
//! use riak_client::riak_kv::{RpbContent, RpbDelReq, RpbGetReq, RpbPutReq};
//! use riak_testkit::{Clock, Node};
//!
//! # fn main() -> Result<(), riak_testkit::Refusal> {
//! let clock = Clock::manual(Duration::from_secs(1_700_000_000));
//! // A store alone is enough where no socket is needed.
//! let store = Node::builder().seed(7).clock(clock.clone()).build_store();
//! let put = RpbPutReq { key: Some("k".into()), ..RpbPutReq::new("b", RpbContent::new("v")) };
//! store.put(&put)?;
//! store.delete(&RpbDelReq::new("b", "k"))?;
//! assert!(store.object("default", "b", "k").is_some(), "the tombstone is there");
//! clock.advance(Duration::from_secs(3));
//! assert!(store.object("default", "b", "k").is_none(), "it is reaped");
//! # Ok(())
//! # }
//! ```
//!
//! # Messages of your own
//!
//! [`NodeBuilder::with_service`] adds a service with messages of its own to the
//! node's socket: the generated dispatcher of a `service` in your schema, or any
//! other type that implements [`Service`](riak_runtime::server::Service). It takes
//! precedence over the node's own services, so a test can also use it to replace
//! the node's answers.

mod bucket_props;
mod bucket_types;
mod clock;
mod conditional;
mod crdt;
mod erlang;
mod identity;
mod index;
mod node;
mod object;
mod pace;
#[cfg(feature = "tls")]
mod permission;
mod proxy;
mod quorum;
mod refusal;
#[cfg(feature = "tls")]
mod relay;
mod ring;
#[cfg(feature = "tls")]
mod secured;
mod services;
mod sha1;
mod siblings;
mod store;
mod tombstone;
mod vclock;

pub use clock::Clock;
pub use node::{NoService, Node, NodeBuilder};
pub use proxy::{Faults, Proxy};
pub use refusal::{IndexFault, Refusal};
#[cfg(feature = "tls")]
pub use secured::{SecuredNode, Security};
pub use store::{Store, StoredObject};
pub use tombstone::DeleteMode;

/// The programs of the README, which are compiled here.
#[cfg(all(doctest, feature = "tls"))]
#[doc = include_str!("../../README.md")]
struct Readme;
