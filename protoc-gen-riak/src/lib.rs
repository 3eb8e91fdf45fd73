//! Generates typed Rust from the protobuf schemas of Riak, and of other protocols with
//! length-prefixed frames: messages, message codes, an async client and server traits.
//!
//! To talk to Riak, use the crate `riak-client`, which is generated already. This crate
//! is for schemas of your own. In a build script, which needs no `protoc`:
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
//! The crate that is built depends on `riak-runtime`, and includes the code:
//!
//! ```ignore
//! pub mod generated {
//!     include!(concat!(env!("OUT_DIR"), "/mod.rs"));
//! }
//! ```
//!
//! # Where to start
//!
//! - [`Config`] has the settings, and [`Config::compile`] and [`Config::generate`].
//! - [`Error`] says why a run failed. Faults of a schema are [`Diagnostics`], which print
//!   as `file:line:column: message`; all faults of all files are reported at once.
//! - [`Report`] lists the files that were read and written, and notices.
//!
//! # Three ways in
//!
//! All give the same output, byte for byte:
//!
//! | way | entry |
//! |--|--|
//! | a build script | [`Config`] |
//! | `protoc --riak_out=OUT`, or `buf` | [`plugin`] |
//! | `protoc-gen-riak generate` | [`cli`]; `--help` lists the settings |
//!
//! Message codes, answers and how streams end are options in the schema, defined by
//! `riak_options.proto`. It can be imported without a copy, and so can Riak's own schemas
//! ([`builtin`]).
//!
//! The steps can be called by themselves: [`source`] reads schemas, [`resolve`] makes the
//! model that `riak-codegen` emits. There are no features.

pub mod builtin;
pub mod cli;
mod config;
mod diagnostic;
mod error;
mod generate;
mod output;
pub mod plugin;
pub mod resolve;
mod settings;
pub mod source;

pub use config::{Config, Report};
pub use diagnostic::{Diagnostic, Diagnostics};
pub use error::Error;
pub use output::OutputFile;
pub use riak_codegen::model::BytesType;
