//! From a resolved schema to Rust tokens.
//!
//! A front end fills the [`model`] (descriptors in `protoc-gen-riak`, `syn` in
//! `riak-derive`), with names made by [`ident`], and the emitter turns it into
//! tokens. Neither the wire format nor a `.proto` file is read here.

pub mod emit;
pub mod ident;
pub mod model;
