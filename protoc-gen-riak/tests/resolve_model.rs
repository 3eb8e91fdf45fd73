//! Tests the facts of fields, the names and the choice of emitted files, in every syntax.

#[path = "resolve_model/emitted.rs"]
mod emitted;
#[path = "resolve_model/fields.rs"]
mod fields;
#[path = "resolve_model/names.rs"]
mod names;
mod resolving;

use protoc_gen_riak::resolve::{Options, resolve};
use resolving::{descriptors, resolved, resolved_set, written};
use riak_codegen::model::{BytesType, Enum, Field, Literal, Message, Presence, Schema, Type};

fn resolve_one(text: &str) -> Schema {
    let dir = written(&[("a.proto", text)]);
    resolved(dir.path(), &["a.proto"], &Options::default()).0
}

/// Resolves a schema that only `protoc` can read: with editions, or with names that
/// `protobuf-parse` considers equal.
fn resolve_one_by_protoc(text: &str) -> Schema {
    let dir = written(&[("a.proto", text)]);
    resolved_set(&descriptors(dir.path(), &["a.proto"]), &["a.proto"], &Options::default()).0
}

fn message<'s>(schema: &'s Schema, name: &str) -> &'s Message {
    let mut found = schema.messages.iter();
    found.find(|message| message.full_name == name).unwrap_or_else(|| panic!("no message {name}"))
}

fn enumeration<'s>(schema: &'s Schema, name: &str) -> &'s Enum {
    let mut found = schema.enums.iter();
    found.find(|declared| declared.full_name == name).unwrap_or_else(|| panic!("no enum {name}"))
}

fn field<'m>(message: &'m Message, name: &str) -> &'m Field {
    message.fields.iter().find(|field| field.name == name).unwrap_or_else(|| panic!("no field {name}"))
}

fn presences(message: &Message) -> Vec<Presence> {
    message.fields.iter().map(|field| field.presence).collect()
}

const UNPACKED: Presence = Presence::Repeated { packed: false };
const PACKED: Presence = Presence::Repeated { packed: true };
