//! An in-memory Riak node in the process, for tests of what talks to Riak.

mod bucket_props;
mod bucket_types;
mod clock;
mod conditional;
mod erlang;
mod identity;
mod index;
mod node;
mod object;
mod pace;
mod quorum;
mod refusal;
mod ring;
mod services;
mod sha1;
mod siblings;
mod store;
mod tombstone;
mod vclock;

pub use clock::Clock;
pub use node::{NoService, Node, NodeBuilder};
pub use refusal::{IndexFault, Refusal};
pub use store::{Store, StoredObject};
pub use tombstone::DeleteMode;
