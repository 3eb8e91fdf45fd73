//! What the output is made of: modules, and the parts that each is made from.
//!
//! Invariant: no part depends on another, so that each can be emitted by a thread
//! of its own.

use proc_macro2::TokenStream;

use super::{Emitter, Options};
use crate::model::Schema;

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
