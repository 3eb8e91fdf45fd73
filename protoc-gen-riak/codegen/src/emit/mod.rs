//! The emitter: turns the model into tokens, with one module for each schema file
//! and a root module that declares them.
//!
//! The emitted impls are written out in full, but they are thin: they call
//! primitives of the runtime. The same functions emit the owned and the borrowed
//! form, distinguished by `Form`.
//!
//! Invariant: the output depends only on the schema and the options, refers to its
//! own modules by relative paths, and has no inner attributes, so it works both
//! with `include!` and as a module.
//!
//! Without the feature `files`, this module contains only what a derive needs,
//! because every build of a crate that uses the derive compiles it.

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
mod flags;
mod form;
mod message;
#[cfg(feature = "files")]
mod message_code;
mod number;
mod oneof;
mod operation;
#[cfg(feature = "files")]
mod part;
mod read;
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

/// The options of the emitter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "switches that do not depend on one another")]
pub struct Options {
    /// The path of the runtime crate, `::riak_runtime` by default.
    pub runtime: String,
    /// Whether to emit the owned form of each message. Clients and servers need it.
    pub owned: bool,
    /// Whether to emit the borrowed form of each message.
    pub borrowed: bool,
    /// Whether to emit clients.
    pub client: bool,
    /// Whether to emit server traits.
    pub server: bool,
    /// Whether to emit the enum of message codes and the enum of all messages.
    pub codes: bool,
    /// The crate feature that gates clients, if any.
    pub client_feature: Option<String>,
    /// The crate feature that gates servers, if any.
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

/// The input that all emitting functions share.
#[derive(Clone, Copy)]
struct Emitter<'s> {
    schema: &'s Schema,
    options: &'s Options,
    /// The hand-written declaration to emit impls for; `None` if the declaration is
    /// emitted as well.
    declared: Option<&'s Declared>,
}

impl Emitter<'_> {
    /// Reports whether to emit the tables of message codes.
    fn has_frames(&self) -> bool {
        self.options.codes && !self.schema.frames.is_empty()
    }
}
