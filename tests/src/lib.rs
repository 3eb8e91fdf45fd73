//! An in-memory Riak node in the process, for tests of what talks to Riak.
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
//! // What is to be tested talks to `node.addr()` as to any Riak node.
//! let riak = Riak::connect(node.addr()).await?;
//! let mut put = RpbPutReq::new("users", RpbContent::new("hello"));
//! put.key = Some("alice".into());
//! riak.kv().put(&put).await?;
//! let found = riak.kv().get(&RpbGetReq::new("users", "alice")).await?;
//! assert_eq!(found.content[0].value, "hello");
//!
//! // The test can look behind the socket, and put things there.
//! assert_eq!(node.store().keys("default", "users"), ["alice"]);
//! # Ok(())
//! # }
//! ```
//!
//! # What it does
//!
//! It answers as an `OpenRiak` 3.2 node does, with one partitioned ring that is
//! all its own: ping, server info and client ids; get, put and delete with
//! vclocks, siblings, tombstones and conditions; data types, with contexts, and
//! the counters of Riak 1.4; properties of buckets and bucket types; listings;
//! secondary indexes, with pages and streams; the walk over whole objects;
//! preference lists and membership. Exchanges that were
//! recorded with a real node are replayed against it, and give the same codes,
//! closes, error texts and contents.
//!
//! Any other request, such as those for search, gets what a real node says that
//! does not serve it: "Unknown message code".
//!
//! # What differs from a real node
//!
//! - There is one replica of each data type, and one actor that changes it, where
//!   Riak has one for each partition: contexts look like Riak's, and cover what
//!   was read, but name one actor. One that is new under its key has a new actor
//!   at once; in Riak, if its tombstone is not reaped yet, an old context covers
//!   some of what is new. A counter in a map that is removed while others
//!   increment it keeps just their increments; in Riak, those of their partitions
//!   from before as well.
//! - What crashes a partition's process in Riak, such as a context with a counter,
//!   or bytes that are no context, is answered with "timeout" at once, and not
//!   after a minute.
//! - A plain read of a data type shows a form that begins as Riak's does, and that
//!   nobody reads: written back, it is a plain value.
//! - Estimates of a `HyperLogLog` are Riak's as long as it counts linearly, which
//!   it does up to 11,500 elements at the default precision. Above, up to 80,000,
//!   they are as exact, but not the same.
//! - Vclocks are of its own kind: opaque, as they are to clients. One that comes
//!   from elsewhere is refused as a real node refuses nonsense.
//! - All replicas are here, so that every quorum that `n_val` allows is met, and
//!   each counts as a node of its own for `node_confirms`.
//! - Errors that a real node answers with a stack trace have its first line
//!   only, and error texts that print a term have no line breaks.
//! - `term_regex` takes the expressions of the crate `regex`: no
//!   back-references, no look-around.
//! - Requests take no time. [`NodeBuilder::part_time`] says what they cost when
//!   it comes to their timeouts.
//! - Security is off, but for what stands in front of a node with the feature
//!   `tls` (`SecuredNode`), and commit hooks are properties that nobody runs.
//!
//! # Tests that are the same each time
//!
//! [`NodeBuilder::seed`] fixes keys, vtags and vclocks, and [`Clock::manual`]
//! the time: then the same requests get the same bytes, and tombstones are
//! reaped when the test says so.
//!
//! The node may run under a clock of tokio's that is stopped
//! (`start_paused = true`), in the runtime of who calls it: deadlines come at once
//! then. Where the system takes a moment, as over values of a megabyte, such a
//! clock jumps to the next deadline.
//!
//! ```
//! use std::time::Duration;
//!
//! use riak_client::riak_kv::{RpbContent, RpbDelReq, RpbGetReq, RpbPutReq};
//! use riak_testkit::{Clock, Node};
//!
//! # fn main() -> Result<(), riak_testkit::Refusal> {
//! let clock = Clock::manual(Duration::from_secs(1_700_000_000));
//! // A store alone will do where no socket is needed.
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
//! # Messages of one's own
//!
//! [`NodeBuilder::with_service`] adds the service of a schema of one's own to
//! Riak's on the same socket: the dispatcher that is generated for a `service`,
//! or anything else that implements
//! [`Service`](riak_runtime::server::Service). It is asked before the node, so
//! that it may also answer in its place: that is how a test makes a node lie.

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
mod proxy;
mod quorum;
mod refusal;
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
