//! The async client: what generated clients call, and a connection that
//! carries the calls.
//!
//! - [`unary`] and [`stream`] are what generated methods are made of; [`Call`]
//!   is what they need, and [`Connection`] provides it. [`CallExt`] calls with
//!   any request.
//! - [`Responses`] are the answers of a streaming call.
//! - [`CallError`] says what went wrong, and whether the request may have been
//!   applied.
//!
//! Unary calls from many tasks share a connection and are in flight together.
//! A stream, or a call that keeps the server busy for long
//! ([`Cost::Long`](crate::operation::Cost)), waits until nothing is in flight
//! and has the connection to itself. Futures may be dropped at any time: see
//! [`Connection`] for what that costs.
//!
//! Which answer belongs to which caller is decided in `pipeline`, which knows
//! neither sockets nor tokio; `driver` moves the bytes.

mod balance;
mod breaker;
mod budget;
mod call;
mod cluster;
mod config;
mod connection;
mod connector;
mod driver;
mod error;
mod handshake;
mod node;
mod observe;
mod options;
mod outgoing;
mod pipeline;
mod pool;
mod random;
mod request;
mod responses;
mod server_error;
#[cfg(feature = "tower")]
mod service;
mod slots;
mod sync;
mod tried;

pub use balance::{Balance, Candidate, LeastLoaded, RoundRobin};
pub use breaker::{BreakerConfig, BreakerState};
pub use call::{Answered, Call, frame, frames, stream, unary};
pub use cluster::{Cluster, ClusterConfig, ClusterStats, Discover, Discovering, Dns, NodeStats, RetryConfig};
pub use config::ConnectionConfig;
pub use connection::Connection;
#[cfg(feature = "tls")]
pub(crate) use connector::dial;
pub use connector::{Connecting, Connector, TcpConnector};
pub use driver::Driver;
pub use error::{CallError, ConnectionError, NotSent};
pub use handshake::handshake;
pub use node::{InvalidNode, Node};
pub use options::{CallOptions, With};
pub use outgoing::Outgoing;
pub use pool::{Pool, PoolConfig, PoolStats};
pub use request::CallExt;
pub use responses::{FrameStream, Responses};
pub use server_error::{ServerError, ServerErrorKind};
#[cfg(feature = "tower")]
pub use service::{CallService, Calling};
/// What [`Connection::connect`] takes for an address.
pub use tokio::net::ToSocketAddrs;
pub use tried::{Attempt, Tried};
