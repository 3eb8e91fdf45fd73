//! A crate whose build script generates Riak's client from the schemas.

/// The generated code: a module for each schema file.
pub mod riak_api {
    include!(concat!(env!("OUT_DIR"), "/mod.rs"));
}

/// What the build script read and wrote.
pub const REPORT: &str = include_str!(concat!(env!("OUT_DIR"), "/report.txt"));
