//! The runtime of code generated for Riak's Protocol Buffers API: the protobuf codec,
//! length-prefixed frames, an async client and an async server.
//!
//! To talk to Riak, use the crate `riak-client`, which contains Riak's own messages and
//! is built on this crate. Use this crate directly for messages of your own, generated
//! by `protoc-gen-riak` or derived with `#[derive(RiakMessage)]`:
//!
#![cfg_attr(all(feature = "client", feature = "derive", feature = "server"), doc = "```")]
#![cfg_attr(not(all(feature = "client", feature = "derive", feature = "server")), doc = "```ignore")]
//! use riak_runtime::RiakMessage;
//! use riak_runtime::client::{CallExt, Connection};
//! use riak_runtime::server::{Server, unary};
//!
//! #[derive(Clone, Debug, Default, RiakMessage)]
//! #[riak(code = 232, response = SquareResp, retry = "safe")]
//! struct SquareReq {
//!     #[riak(tag = 1)]
//!     number: u32,
//! }
//!
//! #[derive(Clone, Debug, Default, RiakMessage)]
//! #[riak(code = 233)]
//! struct SquareResp {
//!     #[riak(tag = 1)]
//!     square: u64,
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let address = listener.local_addr()?;
//! let squares = unary(|request: SquareReq| async move {
//!     Ok(SquareResp { square: u64::from(request.number).pow(2) })
//! });
//! tokio::spawn(Server::default().serve(listener, squares));
//!
//! let connection = Connection::connect(address).await?;
//! let answer = connection.call(&SquareReq { number: 12 }).await?;
//! assert_eq!(answer.square, 144);
//! # Ok(())
//! # }
//! ```
//!
//! # Where to start
//!
//! - [`client::Connection`] makes calls over one connection, and [`client::Cluster`]
//!   over several nodes, with retries; [`client::CallError`] reports why a call failed.
//! - [`server::Server`] answers calls.
//! - [`Message`] and [`Decode`] are the traits that every message implements.
//!
//! The other parts, from the lowest layer up: [`Blob`] holds a `bytes` field;
//! [`varint`] and [`wire`] implement protobuf's wire format; [`Owned`], [`View`],
//! [`Coded`] and [`Request`] complete the message traits; [`frame`] splits a byte
//! stream into frames; [`Framed`] keeps a borrowed message together with its frame;
//! [`operation`] describes how a request is answered; [`tls`] secures connections.
//!
//! # Features
//!
//! | feature | adds |
//! |--|--|
//! | `client` (default) | [`client`], on tokio |
//! | `server` | [`server`], on tokio |
//! | `tls` | [`tls`], using rustls with ring |
//! | `derive` | `#[derive(RiakMessage)]` |
//! | `schema` | [`schema`]: derived types printed as a `.proto` file |
//! | `bytes` | `bytes::Bytes` as the type of a `bytes` field |
//! | `tracing`, `metrics` | a span, counters and a histogram for each attempt: [see `client`][observation]; `tracing` also events of the server: failed accepts, and errors that no client sees |
//! | `tower` | [`client::CallService`], calls as a `tower::Service` |
//!
//! With no features enabled, the crate has no dependencies.
//!
// Without a feature, its items are not in the documentation: link to docs.rs, which has all of them.
#![cfg_attr(feature = "client", doc = "[observation]: client#observation")]
#![cfg_attr(
    not(feature = "client"),
    doc = "
[`client`]: https://docs.rs/riak-runtime/latest/riak_runtime/client/
[observation]: https://docs.rs/riak-runtime/latest/riak_runtime/client/#observation
[`client::Connection`]: https://docs.rs/riak-runtime/latest/riak_runtime/client/struct.Connection.html
[`client::Cluster`]: https://docs.rs/riak-runtime/latest/riak_runtime/client/struct.Cluster.html
[`client::CallError`]: https://docs.rs/riak-runtime/latest/riak_runtime/client/enum.CallError.html
"
)]
#![cfg_attr(
    not(feature = "server"),
    doc = "
[`server`]: https://docs.rs/riak-runtime/latest/riak_runtime/server/
[`server::Server`]: https://docs.rs/riak-runtime/latest/riak_runtime/server/struct.Server.html
"
)]
#![cfg_attr(not(feature = "tls"), doc = "[`tls`]: https://docs.rs/riak-runtime/latest/riak_runtime/tls/")]
#![cfg_attr(
    not(feature = "schema"),
    doc = "[`schema`]: https://docs.rs/riak-runtime/latest/riak_runtime/schema/"
)]
#![cfg_attr(
    not(feature = "tower"),
    doc = "[`client::CallService`]: https://docs.rs/riak-runtime/latest/riak_runtime/client/struct.CallService.html"
)]

pub mod blob;
#[cfg(feature = "client")]
pub mod client;
pub mod debug;
#[cfg(test)]
mod dice;
mod error;
pub mod forms;
pub mod frame;
mod framed;
mod limits;
pub mod message;
pub mod operation;
mod quorum;
#[cfg(feature = "schema")]
pub mod schema;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "tls")]
pub mod tls;
pub mod varint;
pub mod wire;

pub use blob::Blob;
pub use error::{DecodeError, DecodeErrorKind, FrameError};
pub use frame::{Frame, FrameReader, WriteBuffer};
pub use framed::Framed;
pub use limits::DecodeLimits;
pub use message::{Coded, Decode, Message, Owned, View};
pub use operation::{Answer, Operation, Request};
pub use quorum::Quorum;
#[cfg(feature = "derive")]
pub use riak_derive::RiakMessage;

/// The version of the interface between generated code and this crate.
///
/// Generated code asserts this version in a constant, so code that was generated for
/// another version does not compile, and the compiler error says what to do.
pub const GENERATED_CODE_VERSION: u32 = 1;
