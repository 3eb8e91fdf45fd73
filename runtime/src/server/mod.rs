//! The server side: accepts connections and answers requests. Feature `server`.
//!
//! - [`Server`] accepts TCP connections; [`serve_connection`] serves one over
//!   anything that can be read and written.
//! - [`Service`] answers frames. For each `service` of a schema, `protoc-gen-riak`
//!   generates a trait (`FooServer`) to implement, and a dispatcher (`FooService`)
//!   that turns the implementation into a [`Service`]. [`unary`] and [`streaming`]
//!   turn a closure or handler into one, for requests without such a trait. A tuple
//!   of services serves the message codes of all of them.
//! - A method that fails returns a [`Failure`], usually converted from an
//!   [`ErrorReply`].
//!
//! Dispatchers use [`Outbox`], [`Replies`] and [`unserved`].
//!
#![cfg_attr(all(feature = "client", feature = "derive"), doc = "```")]
#![cfg_attr(not(all(feature = "client", feature = "derive")), doc = "```ignore")]
//! use riak_runtime::RiakMessage;
//! use riak_runtime::client::{CallError, CallExt, Connection};
//! use riak_runtime::server::{ErrorReply, Server, ServerConfig, unary};
//!
//! #[derive(Clone, Debug, Default, RiakMessage)]
//! #[riak(code = 232, response = DivideResp)]
//! struct DivideReq(#[riak(tag = 1)] u32, #[riak(tag = 2)] u32);
//!
//! #[derive(Clone, Debug, Default, RiakMessage)]
//! #[riak(code = 233)]
//! struct DivideResp(#[riak(tag = 1)] u32);
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let divide = unary(|DivideReq(one, other): DivideReq| async move {
//!     match one.checked_div(other) {
//!         Some(quotient) => Ok(DivideResp(quotient)),
//!         None => Err(ErrorReply::new("division by zero").with_number(7).into()),
//!     }
//! });
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let address = listener.local_addr()?;
//! let server = Server::new(ServerConfig::new());
//! let handle = server.handle();
//! let serving = tokio::spawn(server.serve(listener, divide));
//!
//! let connection = Connection::connect(address).await?;
//! assert_eq!(connection.call(&DivideReq(12, 4)).await?.0, 3);
//! // The error goes to the client; the connection stays open.
//! let error = connection.call(&DivideReq(1, 0)).await.unwrap_err();
//! let CallError::Server(error) = error else { panic!("{error}") };
//! assert_eq!((error.text.to_str()?, error.number), ("division by zero", 7));
//!
//! drop(connection);
//! handle.shut_down();
//! serving.await?;
//! # Ok(())
//! # }
//! ```
//!
//! A connection behaves like that of a real Riak node. Requests may be pipelined; they
//! are handled one at a time and answered in order. An unknown message code is answered
//! with an error. A body that cannot be decoded, or a frame that is too long, is
//! answered with an error, and the connection is closed. After a frame of length zero
//! the connection is closed without an answer.

mod config;
mod connection;
mod failure;
mod handler;
mod listen;
mod outbox;
#[cfg(all(test, feature = "tracing"))]
mod recorded_events;
mod service;

pub use config::ServerConfig;
pub use connection::serve_connection;
pub use failure::{ErrorReply, Failure};
pub use handler::{Handler, Operation, StreamHandler, Streaming, Unary, streaming, unary};
pub use listen::{Server, ServerHandle};
pub use outbox::{Outbox, Replies, Reply};
pub use service::{Service, unserved};
