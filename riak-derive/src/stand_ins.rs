//! What stands in the model for messages and enums that a derive does not see.
//!
//! Invariant: a stand-in asks for no less care than any type that it may stand
//! for: it has a required field, or is closed.

use riak_codegen::model::{
    BytesType, Docs, Enum, EnumId, EnumValue, Field, FileId, Kind, Message, MessageId, Presence, RustPath,
    Type,
};

/// The message that is derived.
pub(crate) const SELF: MessageId = MessageId(0);
/// Stands for any other.
pub(crate) const SOME_MESSAGE: MessageId = MessageId(1);
/// Stands for any enum.
pub(crate) const SOME_ENUM: EnumId = EnumId(0);

/// A message of this name without fields.
pub(crate) fn some_message(name: &str) -> Message {
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

/// Stands for a message that is not seen. It has a required field: a message
/// that is not seen may lack something.
pub(crate) fn stand_in() -> Message {
    let mut message = some_message("Message");
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

/// An enum that is not seen. It is read as a closed one, which an open one can
/// be read as, too.
pub(crate) fn some_enum(path: &str, value: &str) -> Enum {
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
