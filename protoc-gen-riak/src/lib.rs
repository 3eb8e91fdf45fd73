//! Generates typed Rust from protobuf schemas of frame protocols such as Riak's.
//!
//! This crate reads schemas (from `.proto` files, or from what `protoc` hands to its plugins) and
//! turns them into the model that `riak-codegen` emits.

mod diagnostic;
pub mod resolve;
pub mod source;

pub use diagnostic::{Diagnostic, Diagnostics};
