//! The other side of a connection: what generated server traits and their
//! dispatchers are made of.
//!
//! - [`Service`] is what answers frames; the generated dispatchers are ones,
//!   and tuples of services are ones by message code.
//! - [`unary`] and [`streaming`] are services of a single operation, for
//!   requests that have no generated trait.
//! - [`unserved`], [`Outbox`] and [`Replies`] are what a dispatcher
//!   calls; [`Failure`] is what a method fails with.
//! - [`Server`] accepts connections, and [`serve_connection`] serves one over
//!   anything.
//!
//! A connection behaves as a real node's: requests may be pipelined and are
//! answered in their order, one at a time; a body that cannot be decoded is
//! answered with an error and a close; a frame of length zero, with a close
//! alone; an unknown message code, with an error.

mod config;
mod connection;
mod failure;
mod handler;
mod listen;
mod outbox;
mod service;

pub use config::ServerConfig;
pub use connection::serve_connection;
pub use failure::{ErrorReply, Failure};
pub use handler::{Handler, Operation, StreamHandler, Streaming, Unary, streaming, unary};
pub use listen::{Server, ServerHandle};
pub use outbox::{Outbox, Replies, Reply};
pub use service::{Service, unserved};
