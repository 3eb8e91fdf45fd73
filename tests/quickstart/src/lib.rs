//! A crate whose build script generates Riak's client from the schemas.

/// The generated code, one module for each schema file.
pub mod riak_api {
    include!(concat!(env!("OUT_DIR"), "/mod.rs"));
}

/// The files that the build script read and wrote.
pub const REPORT: &str = include_str!(concat!(env!("OUT_DIR"), "/report.txt"));
