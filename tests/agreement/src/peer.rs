//! The independent implementation: prost's wire format, driven by descriptors made by `protoc`.
//!
//! It neither checks for required fields nor whether an enum has a number, so this module
//! does. Invariant: results are compared by the bytes that the peer encodes, with fields in
//! the order of their numbers.

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

/// Returns the names of all messages of the schemas, except files that only define options.
pub(crate) fn names() -> Vec<String> {
    // Files that define options extend the messages of descriptor.proto.
    let defines_options = |file: &prost_reflect::FileDescriptor| {
        file.name().starts_with("google/") || file.extensions().next().is_some()
    };
    let files = POOL.files().filter(|file| !defines_options(file));
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

/// Returns the descriptor of a message.
pub(crate) fn descriptor(name: &str) -> MessageDescriptor {
    POOL.get_message_by_name(name).unwrap_or_else(|| panic!("the schema has no message {name}"))
}

/// The result of decoding bytes with the peer.
pub(crate) struct PeerResult {
    /// The bytes that the peer encodes the message to.
    pub(crate) bytes: Vec<u8>,
    /// Whether all required fields are present.
    pub(crate) complete: bool,
    /// Whether all values of enums are in the schema.
    pub(crate) has_known_enums: bool,
}

/// Decodes bytes and encodes the message again.
pub(crate) fn read(of: &MessageDescriptor, bytes: &[u8]) -> Result<PeerResult, DecodeError> {
    let message = DynamicMessage::decode(of.clone(), bytes)?;
    Ok(PeerResult {
        bytes: message.encode_to_vec(),
        complete: is_complete(&message),
        has_known_enums: has_known_enums(&message),
    })
}

fn is_complete(message: &DynamicMessage) -> bool {
    let required = |field: &FieldDescriptor| field.cardinality() == Cardinality::Required;
    message.descriptor().fields().filter(required).all(|field| message.has_field(&field))
        && messages_in(message).all(is_complete)
}

fn has_known_enums(message: &DynamicMessage) -> bool {
    let known = |(field, value): (FieldDescriptor, &Value)| match field.kind() {
        Kind::Enum(of) => values_in(value)
            .iter()
            .filter_map(Value::as_enum_number)
            .all(|number| of.get_value(number).is_some()),
        _ => true,
    };
    message.fields().all(known) && messages_in(message).all(has_known_enums)
}

/// Returns the messages that are values of this message's fields.
fn messages_in(message: &DynamicMessage) -> impl Iterator<Item = &DynamicMessage> {
    message.fields().flat_map(|(_, value)| values_in(value)).filter_map(Value::as_message)
}

/// Returns the values of a list, or the single value.
fn values_in(value: &Value) -> &[Value] {
    value.as_list().unwrap_or(std::slice::from_ref(value))
}
