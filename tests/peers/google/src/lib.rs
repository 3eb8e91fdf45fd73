//! What Google's generator makes of the schemas, and what it is measured with.

#![allow(warnings, clippy::all, clippy::pedantic, reason = "generated code")]

include!(concat!(env!("OUT_DIR"), "/protobuf_generated/generated.rs"));

pub use protobuf::{Parse, Serialize};
