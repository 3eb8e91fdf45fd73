//! Riak's messages (being built)
#[rustfmt::skip]
mod generated;
pub use generated::*;
