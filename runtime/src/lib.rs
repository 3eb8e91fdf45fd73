//! What code generated for Riak's Protocol Buffers API targets.
//!
//! Generated code, and code that derives its messages, is thin: it calls what
//! is in here. From the bottom up:
//!
//! - [`Blob`]: the owned type of a `bytes` field;
//! - [`varint`] and [`wire`]: protobuf's wire format;
//! - [`Message`], [`Decode`], [`Owned`], [`Coded`], [`Request`]: what a message
//!   implements;
//! - [`frame`] and [`Framed`]: length-prefixed frames, and messages that borrow
//!   from one;
//! - `client` and `server`, behind the features of the same names: the two
//!   sides of a connection, on tokio; `tls`, for what secures it.
//!
//! Without these features there are no dependencies at all. The feature `bytes`
//! adds `bytes::Bytes` to the types that `bytes` fields can have, `derive` adds
//! `#[derive(RiakMessage)]` for hand-written types, `schema` has these types
//! printed as a `.proto` file.

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

/// The version of the interface between generated code and this crate. Code
/// that was generated for another one does not compile, and says why.
pub const GENERATED_CODE_VERSION: u32 = 1;
