//! Generates typed Rust from protobuf schemas of frame protocols such as Riak's.
//!
//! Three ways in, one output, byte for byte:
//!
//! - [`Config`], in a build script;
//! - [`plugin`], as `protoc --riak_out`;
//! - [`cli`], as `protoc-gen-riak generate`.
//!
//! Each reads schemas ([`source`], or descriptors from `protoc`), resolves them into a model
//! ([`resolve`]), and has `riak-codegen` emit it.

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
