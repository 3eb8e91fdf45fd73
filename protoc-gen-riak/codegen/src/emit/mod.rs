//! The model as tokens: one module a file, and a root that ties them together.
//!
//! The impls are printed in full and are thin: they call primitives of the
//! runtime. Owned and borrowed forms are emitted by the same functions, told
//! apart by `Form`.
//!
//! Invariant: the output depends on the schema and the options alone, refers to
//! its own modules by relative paths, and has no inner attributes, so that it
//! works by `include!` and as a module.

mod any_message;
mod client;
mod conversion;
mod debug;
mod declared;
mod decode;
mod docs;
mod encode;
mod enumeration;
mod field;
mod file;
mod form;
mod message;
mod message_code;
mod number;
mod oneof;
mod operation;
mod root;
mod scope;
mod server;

use proc_macro2::TokenStream;

pub use declared::{
    Asked, Declared, Pairing, derive_enumeration, derive_message, derive_oneof, derive_request,
};

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

/// One module of the output.
#[derive(Clone, Debug)]
pub struct Module {
    /// Where it goes: `["google", "protobuf", "any"]` is
    /// `google/protobuf/any.rs`. Empty for the root, `mod.rs`.
    pub path: Vec<String>,
    /// The schema file it was made from, if it was made from one.
    pub source: Option<String>,
    /// Its text.
    pub tokens: TokenStream,
}

/// A module that is to be emitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What is declared in a file: its index in [`Schema::files`].
    File(usize),
    /// The table of message codes.
    MessageCode,
    /// The enum of all messages.
    AnyMessage,
    /// The root, which declares the others.
    Root,
}

impl Part {
    /// All modules: those of files in the schema's order, then the tables, then
    /// the root. None depends on another, so that each can be emitted by a thread
    /// of its own.
    #[must_use]
    pub fn all(schema: &Schema, options: &Options) -> Vec<Self> {
        let files = schema.files.iter().enumerate().filter(|(_, file)| file.emit);
        let mut parts: Vec<Self> = files.map(|(index, _)| Self::File(index)).collect();
        if (Emitter { schema, options, declared: None }).has_frames() {
            parts.extend([Self::MessageCode, Self::AnyMessage]);
        }
        parts.push(Self::Root);
        parts
    }

    /// Emits the module.
    #[must_use]
    pub fn emit(self, schema: &Schema, options: &Options) -> Module {
        let emitter = Emitter { schema, options, declared: None };
        match self {
            Self::File(index) => emitter.file(&schema.files[index]),
            Self::MessageCode => emitter.message_code(),
            Self::AnyMessage => emitter.any_message(),
            Self::Root => emitter.root(),
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
