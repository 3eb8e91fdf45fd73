//! The async client: connections, pools and clusters. Feature `client`.
//!
//! Three types carry calls. Each implements [`Call`], which is all that a
//! generated client needs:
//!
//! - [`Connection`]: one connection to one server;
//! - [`Pool`]: several connections to one node, opened on demand;
//! - [`Cluster`]: several nodes, with load balancing and retries.
//!
//! Make calls with the methods of a generated client, or with [`CallExt`] for a
//! request of any type; [`With`] gives calls a deadline ([`CallOptions`]). A unary
//! call returns one message, a streaming call returns [`Responses`]. A call that fails
//! returns a [`CallError`], which says whether the request may have been applied.
//!
//! Unary calls from many tasks share a connection and are in flight together.
//! A stream, or a call that keeps the server busy for long
//! ([`Cost::Long`](crate::operation::Cost)), waits until nothing is in flight
//! and then has the connection to itself. Futures may be dropped at any time:
//! [`Connection`] describes what that does to the connection.
//!
//! # Observation
//!
//! A [`Cluster`] reports each attempt at a call. No body, key or password is
//! reported.
//!
//! With the feature `tracing`, each attempt is a span named `call` with the target
//! `riak` and the level `DEBUG`. It starts with the fields `operation`, `node`,
//! `attempt` (from 1), `bucket_type` (if the request has one) and `bytes_out`. At its
//! end it gets `outcome` and, if it succeeded, `bytes_in`. If a source of nodes
//! ([`Discover`]) fails, that is an event of the level `WARN` with the field `error`,
//! unless the query before failed for the same reason.
//!
//! With the feature `metrics`, each attempt updates these metrics, which all have
//! the labels `operation` and `node`:
//!
//! | name | kind | meaning |
//! |--|--|--|
//! | `riak_attempts_total` | counter | attempts that have ended, with the label `outcome` |
//! | `riak_attempt_seconds` | histogram | duration of attempts in seconds; for a stream, until its first answer |
//! | `riak_bytes_sent_total` | counter | bytes of request bodies that were sent, or may have been |
//! | `riak_bytes_received_total` | counter | bytes of answer bodies; for a stream, of its first answer |
//!
//! The outcome is `ok`, `server_error`, `timeout`, `lost`, `not_sent` or
//! `bad_answer`; in metrics also `dropped`, if the caller dropped the call's future.

// `pipeline` matches answers to callers and knows neither sockets nor tokio; `driver`
// moves the bytes.
mod balance;
mod breaker;
mod budget;
mod call;
mod cluster;
mod config;
mod connection;
mod connection_error;
mod connector;
mod driver;
mod error;
mod gathering;
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
pub use cluster::{
    Cluster, ClusterConfig, ClusterStats, Discover, DiscoverError, Discovering, Dns, NodeStats, RetryConfig,
};
pub use config::ConnectionConfig;
pub use connection::Connection;
#[cfg(feature = "tls")]
pub(crate) use connector::dial;
pub use connector::{Connecting, Connector, TcpConnector};
pub use driver::Driver;
pub use error::{CallError, ConnectionError, NotSent, QueueLimit, Unreachable};
pub use handshake::handshake;
pub use node::{InvalidNode, Node};
pub use options::{CallOptions, With};
pub use outgoing::{MAX_RETURN_MARGIN, Outgoing};
pub use pool::{Pool, PoolConfig, PoolStats};
pub use request::CallExt;
pub use responses::{FrameStream, Responses};
pub use server_error::{ServerError, ServerErrorKind};
#[cfg(feature = "tower")]
pub use service::{CallService, Calling};
/// The address types that [`Connection::connect`] accepts, re-exported from tokio.
pub use tokio::net::ToSocketAddrs;
pub use tried::{Attempt, Tried};
