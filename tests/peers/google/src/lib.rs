//! The code that Google's generator makes from the schemas, and the traits that it is
//! measured with.

#![allow(warnings, clippy::all, clippy::pedantic, reason = "generated code")]

include!(concat!(env!("OUT_DIR"), "/protobuf_generated/generated.rs"));

pub use protobuf::{Parse, Serialize};
