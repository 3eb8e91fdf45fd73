//! A crate with messages and a service of its own, generated next to Riak's.

/// The generated code.
pub mod generated {
    include!(concat!(env!("OUT_DIR"), "/mod.rs"));
}

pub use generated::shop;
