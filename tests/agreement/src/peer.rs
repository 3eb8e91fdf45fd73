//! The independent implementation: prost's wire format, led by descriptors that
//! `protoc` made.
//!
//! It does not look for required fields, and takes every number for a value of
//! an enum; both are made up for here. Invariant: what it wrote is compared, for
//! which it puts fields in the order of their numbers.

use std::sync::LazyLock;

use prost_reflect::prost::Message as _;
use prost_reflect::{
    Cardinality, DescriptorPool, DynamicMessage, MessageDescriptor, ReflectMessage as _, Value,
};

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    let schemas = include_bytes!(concat!(env!("OUT_DIR"), "/schemas.bin"));
    DescriptorPool::decode(&schemas[..]).expect("protoc wrote it")
});

/// The names of all messages of the schemas that hold more than options.
pub(crate) fn names() -> Vec<String> {
    // What describes a schema extends the messages of descriptor.proto.
    let describes = |file: &prost_reflect::FileDescriptor| {
        file.name().starts_with("google/") || file.extensions().next().is_some()
    };
    let files = POOL.files().filter(|file| !describes(file));
    let mut names = Vec::new();
    let mut left: Vec<MessageDescriptor> =
        files.flat_map(|file| file.messages().collect::<Vec<_>>()).collect();
    while let Some(message) = left.pop() {
        if !message.is_map_entry() {
            names.push(message.full_name().to_owned());
        }
        left.extend(message.child_messages());
    }
    names
}

/// What the schema says of a message.
pub(crate) fn descriptor(name: &str) -> MessageDescriptor {
    POOL.get_message_by_name(name).unwrap_or_else(|| panic!("the schema has no message {name}"))
}

/// What the peer makes of bytes.
pub(crate) struct Theirs {
    /// What it writes.
    pub(crate) bytes: Vec<u8>,
    /// Whether no required field is missing.
    pub(crate) whole: bool,
}

/// Decodes bytes and encodes them again.
pub(crate) fn read(of: &MessageDescriptor, bytes: &[u8]) -> Theirs {
    let message = DynamicMessage::decode(of.clone(), bytes)
        .unwrap_or_else(|error| panic!("the peer does not read {}: {error}", of.full_name()));
    Theirs { bytes: message.encode_to_vec(), whole: is_whole(&message) }
}

fn is_whole(message: &DynamicMessage) -> bool {
    let required = |field: &prost_reflect::FieldDescriptor| field.cardinality() == Cardinality::Required;
    message.descriptor().fields().filter(required).all(|field| message.has_field(&field))
        && message.fields().all(|(_, value)| is_whole_value(value))
}

fn is_whole_value(value: &Value) -> bool {
    match value {
        Value::Message(message) => is_whole(message),
        Value::List(values) => values.iter().all(is_whole_value),
        Value::Map(values) => values.values().all(is_whole_value),
        _ => true,
    }
}
