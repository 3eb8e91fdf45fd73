//! The independent implementation: prost's wire format, led by descriptors that
//! `protoc` made.
//!
//! It does not look for required fields, and takes every number for a value of
//! an enum; both are looked for here. Invariant: what it wrote is compared, for
//! which it puts fields in the order of their numbers.

use std::sync::LazyLock;

use prost_reflect::prost::{DecodeError, Message as _};
use prost_reflect::{
    Cardinality, DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor,
    ReflectMessage as _, Value,
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
    /// Whether every enum has a number that the schema knows.
    pub(crate) known: bool,
}

/// Decodes bytes and encodes them again.
pub(crate) fn read(of: &MessageDescriptor, bytes: &[u8]) -> Result<Theirs, DecodeError> {
    let message = DynamicMessage::decode(of.clone(), bytes)?;
    Ok(Theirs { bytes: message.encode_to_vec(), whole: is_whole(&message), known: is_known(&message) })
}

fn is_whole(message: &DynamicMessage) -> bool {
    let required = |field: &FieldDescriptor| field.cardinality() == Cardinality::Required;
    message.descriptor().fields().filter(required).all(|field| message.has_field(&field))
        && messages_in(message).all(is_whole)
}

fn is_known(message: &DynamicMessage) -> bool {
    let known = |(field, value): (FieldDescriptor, &Value)| match field.kind() {
        Kind::Enum(of) => values_in(value)
            .iter()
            .filter_map(Value::as_enum_number)
            .all(|number| of.get_value(number).is_some()),
        _ => true,
    };
    message.fields().all(known) && messages_in(message).all(is_known)
}

/// The messages that are values of this one's fields.
fn messages_in(message: &DynamicMessage) -> impl Iterator<Item = &DynamicMessage> {
    message.fields().flat_map(|(_, value)| values_in(value)).filter_map(Value::as_message)
}

/// The values of a list, or the one that it is.
fn values_in(value: &Value) -> &[Value] {
    value.as_list().unwrap_or(std::slice::from_ref(value))
}
