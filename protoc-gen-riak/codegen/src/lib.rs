//! Turns a resolved schema into Rust tokens.
//!
//! A front end fills the [`model`], with names from [`ident`]; `protoc-gen-riak`
//! does so from descriptors, `riak-derive` from `syn`. The emitter, [`emit`], turns
//! the model into tokens, and [`suggest`] finds what a misspelt name was meant to be. This crate reads neither the wire format nor `.proto`
//! files.

pub mod emit;
pub mod ident;
pub mod model;
pub mod suggest;
