//! Placeholders in the model for messages and enums that a derive does not see.
//!
//! Invariant: code emitted for a placeholder is correct for every type that it may stand
//! for. A placeholder message therefore has a required field, and a placeholder enum is
//! closed.

use riak_codegen::model::{
    BytesType, Docs, Enum, EnumId, EnumValue, Field, FileId, Kind, Message, MessageId, Presence, RustPath,
    Type,
};

/// The derived message.
pub(crate) const SELF: MessageId = MessageId(0);
/// The placeholder for all other messages.
pub(crate) const PLACEHOLDER_MESSAGE: MessageId = MessageId(1);
/// The placeholder for enums.
pub(crate) const PLACEHOLDER_ENUM: EnumId = EnumId(0);

/// Returns a message of this name without fields.
pub(crate) fn empty_message(name: &str) -> Message {
    Message {
        full_name: name.to_owned(),
        path: RustPath { root: None, module: Vec::new(), name: name.to_owned() },
        ref_name: name.to_owned(),
        file: FileId(0),
        docs: Docs::default(),
        deprecated: false,
        fields: Vec::new(),
        oneofs: Vec::new(),
        nested_module: String::new(),
        messages: Vec::new(),
        enums: Vec::new(),
        code: None,
        unknown: None,
        separate_oneofs: Vec::new(),
        bodyless: false,
        text_extensions: Vec::new(),
    }
}

/// Returns the placeholder for a message. It has a required field, since the actual
/// message may have one.
pub(crate) fn placeholder_message() -> Message {
    let mut message = empty_message("Message");
    message.fields.push(Field {
        name: String::new(),
        rust_name: String::new(),
        number: 1,
        ty: Type::Bool,
        presence: Presence::Required,
        default: None,
        kind: Kind::Plain,
        boxed: false,
        bytes: BytesType::Blob,
        with: None,
        docs: Docs::default(),
        deprecated: false,
    });
    message
}

/// Returns a placeholder for an enum. It is closed, because the code that reads a closed
/// enum can also read an open one.
pub(crate) fn placeholder_enum(path: &str, value: &str) -> Enum {
    let (root, name) = match path.rsplit_once("::") {
        Some((root, name)) => (Some(root.to_owned()), name),
        None => (None, path),
    };
    Enum {
        full_name: name.to_owned(),
        path: RustPath { root, module: Vec::new(), name: name.to_owned() },
        closed: true,
        values: vec![EnumValue {
            name: value.to_owned(),
            rust_name: value.to_owned(),
            number: 0,
            docs: Docs::default(),
            deprecated: false,
        }],
        docs: Docs::default(),
        deprecated: false,
    }
}
