//! The modules of the output, as parts that are emitted one by one.
//!
//! Invariant: no part depends on another, so each can be emitted on its own thread.

use proc_macro2::TokenStream;

use super::{Emitter, Options};
use crate::model::{MessageId, Schema};

/// One module of the output.
#[derive(Clone, Debug)]
pub struct Module {
    /// The path of the module: `["google", "protobuf", "any"]` is
    /// `google/protobuf/any.rs`. Empty for the root, `mod.rs`.
    pub path: Vec<String>,
    /// The schema file that the module was made from, if any.
    pub source: Option<String>,
    /// The contents of the module.
    pub tokens: TokenStream,
}

/// A module of the output that is yet to be emitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The module of the file at this index in [`Schema::files`].
    File(usize),
    /// The enum of message codes.
    MessageCode,
    /// The enum of all messages.
    AnyMessage,
    /// The root module, which declares the others.
    Root,
}

impl Part {
    /// Returns all parts: the files in the schema's order, then the tables, then the
    /// root.
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

    /// Returns an estimate of the module's size, to compare modules by: about the number
    /// of its fields. Threads should start with the largest.
    #[must_use]
    pub fn size(self, schema: &Schema) -> usize {
        match self {
            Self::File(index) => {
                let file = &schema.files[index];
                let services = file.services.iter();
                fields(schema, &file.messages)
                    + services.map(|service| 8 * service.operations.len()).sum::<usize>()
            }
            Self::MessageCode | Self::AnyMessage => schema.frames.len(),
            Self::Root => 0,
        }
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

/// Estimates the size of messages, with those that are nested in them.
fn fields(schema: &Schema, messages: &[MessageId]) -> usize {
    let messages = messages.iter().map(|&id| schema.message(id));
    messages.map(|message| 4 + message.fields.len() + fields(schema, &message.messages)).sum()
}
