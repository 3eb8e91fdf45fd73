//! The generated code, and nothing else.

#![allow(warnings, clippy::all, clippy::pedantic, reason = "generated code")]

include!(concat!(env!("OUT_DIR"), "/code/mod.rs"));
