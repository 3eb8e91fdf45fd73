//! Generates typed Rust from the protobuf schemas of Riak, and of other protocols with
//! length-prefixed frames: messages, message codes, an async client and server traits.
//!
//! To talk to Riak, use the crate `riak-client`, which contains the generated code. This
//! crate is for schemas of your own. In a build script, without `protoc`:
//!
//! ```no_run
//! // build.rs
//! fn main() -> Result<(), protoc_gen_riak::Error> {
//!     protoc_gen_riak::Config::new()
//!         .riak_client("::riak_client")? // use Riak's types from there, if they are imported
//!         .compile(&["proto/shop.proto"], &["proto"])?;
//!     Ok(())
//! }
//! ```
//!
//! The crate being built depends on `riak-runtime` and includes the generated code:
//!
//! ```ignore
//! pub mod generated {
//!     include!(concat!(env!("OUT_DIR"), "/mod.rs"));
//! }
//! ```
//!
//! # Where to start
//!
//! - [`Config`] holds the settings; [`Config::compile`] and [`Config::generate`] run the
//!   generator.
//! - [`Error`] says why a run failed. Faults of a schema are [`Diagnostics`], which print
//!   as `file:line:column: message`. All faults of all files are reported at once.
//! - [`Report`] lists the files that were read and written, and the notices.
//!
//! # Three ways to run it
//!
//! All three give the same output, byte for byte:
//!
//! | way | entry |
//! |--|--|
//! | a build script | [`Config`] |
//! | `protoc --riak_out=OUT`, or `buf` | [`plugin`] |
//! | `protoc-gen-riak generate` | [`cli`]; `--help` lists the settings |
//!
//! Options in the schema, defined by `riak_options.proto`, say which code a message has,
//! which response answers a request and how a stream ends. This file and Riak's own
//! schemas are [built in](builtin), so that they can be imported without a copy.
//!
//! The steps can also be called separately: [`source`] reads schemas, and [`resolve`]
//! makes the model from which `riak-codegen` emits code. The crate has no features.

pub mod builtin;
pub mod cli;
mod config;
mod diagnostic;
mod error;
mod generate;
mod output;
pub mod plugin;
mod replace;
pub mod resolve;
mod settings;
pub mod source;

pub use config::{Config, Report};
pub use diagnostic::{Diagnostic, Diagnostics};
pub use error::Error;
pub use output::OutputFile;
pub use riak_codegen::model::BytesType;
