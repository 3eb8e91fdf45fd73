//! The model as tokens: one module a file, and a root that ties them together.
//!
//! The impls are printed in full and are thin: they call primitives of the
//! runtime. Owned and borrowed forms are emitted by the same functions, told
//! apart by `Form`.
//!
//! Invariant: the output depends on the schema and the options alone, refers to
//! its own modules by relative paths, and has no inner attributes, so that it
//! works by `include!` and as a module.
//!
//! Without the feature `files` there is only what a derive needs, which every
//! build of its users compiles.

#![cfg_attr(not(feature = "files"), allow(dead_code, reason = "parts that only whole files have"))]

#[cfg(feature = "files")]
mod any_message;
#[cfg(feature = "files")]
mod client;
#[cfg(feature = "files")]
mod conversion;
mod debug;
mod declared;
mod decode;
mod derive;
mod docs;
mod encode;
mod enumeration;
mod field;
#[cfg(feature = "files")]
mod file;
mod form;
mod message;
#[cfg(feature = "files")]
mod message_code;
mod number;
mod oneof;
mod operation;
#[cfg(feature = "files")]
mod part;
#[cfg(feature = "files")]
mod root;
mod scope;
#[cfg(feature = "files")]
mod server;

pub use declared::{Declared, Pairing};
pub use derive::{Asked, derive_enumeration, derive_message, derive_oneof, derive_request};
#[cfg(feature = "files")]
pub use part::{Module, Part};

use crate::model::Schema;

/// What is emitted, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "switches that do not depend on one another")]
pub struct Options {
    /// The path of the runtime crate, `::riak_runtime` by default.
    pub runtime: String,
    /// Emit the owned form of each message. Whatever sends or receives messages
    /// is made of these.
    pub owned: bool,
    /// Emit the borrowed form of each message.
    pub borrowed: bool,
    /// Emit clients.
    pub client: bool,
    /// Emit server traits.
    pub server: bool,
    /// Emit the message-code table as an enum, and the enum of all messages.
    pub codes: bool,
    /// The feature of the crate that clients are behind, if any.
    pub client_feature: Option<String>,
    /// The feature of the crate that servers are behind, if any.
    pub server_feature: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            runtime: "::riak_runtime".to_owned(),
            owned: true,
            borrowed: true,
            client: true,
            server: true,
            codes: true,
            client_feature: None,
            server_feature: None,
        }
    }
}

/// What all emitting functions share.
#[derive(Clone, Copy)]
struct Emitter<'s> {
    schema: &'s Schema,
    options: &'s Options,
    /// The declaration that impls are emitted for, where it is not emitted too.
    declared: Option<&'s Declared>,
}

impl Emitter<'_> {
    /// Whether the schema has frames of its own to make tables of.
    fn has_frames(&self) -> bool {
        self.options.codes && !self.schema.frames.is_empty()
    }
}
