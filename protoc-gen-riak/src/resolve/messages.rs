//! Makes the messages and enums of the schema from their declarations and names.
//!
//! Invariant: the message or enum of each id in [`Decls`] has the same index in
//! the schema.

use std::collections::HashSet;

use protobuf::descriptor::EnumValueDescriptorProto;
use riak_codegen::ident::{Scope, screaming_snake_case, strip_enum_prefix, variant};
use riak_codegen::model::{Enum, EnumId, EnumValue, Message, MessageId, Presence, Type};

use super::annotations;
use super::cycles;
use super::decls::{Decls, EnumDecl};
use super::fields::FieldResolver;
use super::locations::{Locations, joined, part, step};
use super::names::Names;
use super::options::{self, Options};
use super::report::{Place, Report};
use super::unused;

/// Resolves all messages and enums.
pub(crate) fn resolve(
    decls: &Decls<'_>,
    names: &Names,
    options: &Options,
    report: &mut Report,
) -> (Vec<Message>, Vec<Enum>) {
    let mut fields = FieldResolver { decls, names, options, bytes_rules: HashSet::new() };
    let mut unknown_rules = HashSet::new();
    let mut messages = Vec::new();
    for index in 0..decls.messages.len() {
        let id = MessageId(index);
        let mut message = message(decls, names, id);
        let rule = options::best_match(&options.unknown_fields, &message.full_name);
        if let Some((rule, &keep)) = rule {
            unknown_rules.insert(rule);
            message.unknown = message.unknown.filter(|_| keep);
        }
        (message.fields, message.oneofs) = fields.resolve(id, report);
        messages.push(message);
    }
    cycles::mark_boxed(&mut messages);
    for (id, field) in cycles::required_cycles(&messages) {
        make_optional(decls, &mut messages, id, field, report);
    }
    let bytes = bytes_fields(&messages);
    unused::report(("bytes", &options.bytes), &fields.bytes_rules, ("bytes field", &bytes), decls, report);
    let all: Vec<String> = messages.iter().map(|message| message.full_name.clone()).collect();
    unused::report(
        ("unknown_fields", &options.unknown_fields),
        &unknown_rules,
        ("message", &all),
        decls,
        report,
    );
    let enums = (0..decls.enums.len()).map(|index| enumeration(decls, names, EnumId(index)));
    (messages, enums.collect())
}

/// Makes a required field optional if no message with it could be finite. Protobuf
/// accepts such a schema, although no message can satisfy it.
fn make_optional(
    decls: &Decls<'_>,
    messages: &mut [Message],
    id: MessageId,
    field: usize,
    report: &mut Report,
) {
    let decl = &decls.messages[id.0];
    let field = &mut messages[id.0].fields[field];
    field.presence = Presence::Explicit;
    let declared = decl.proto.field.iter();
    let index = declared.take_while(|proto| proto.name() != field.name).count();
    let path = joined(&decl.path, &[part::MESSAGE_FIELD, step(index)]);
    let text = format!(
        "{}.{} is required and leads back to {}: no value of it is finite, so it is taken as optional",
        decl.full_name, field.name, decl.full_name
    );
    report.notice(&decls.files[decl.file.0].locations.name_place(&path), text);
}

/// Returns the full name of each field whose values are `bytes`.
fn bytes_fields(messages: &[Message]) -> Vec<String> {
    let of = |message: &Message| {
        let fields = message.fields.iter().filter(|field| field.ty == Type::Bytes);
        fields.map(|field| format!("{}.{}", message.full_name, field.name)).collect::<Vec<_>>()
    };
    messages.iter().flat_map(of).collect()
}

/// The name of the member that keeps unknown fields.
pub(crate) const UNKNOWN_FIELDS: &str = "unknown_fields";

fn message(decls: &Decls<'_>, names: &Names, id: MessageId) -> Message {
    let decl = &decls.messages[id.0];
    let own = names.message(id);
    let locations = &decls.files[decl.file.0].locations;
    Message {
        full_name: decl.full_name.clone(),
        path: own.path.clone(),
        ref_name: own.ref_name.clone(),
        file: decl.file,
        docs: locations.docs(&decl.path),
        deprecated: decl.proto.options.deprecated(),
        fields: Vec::new(),
        oneofs: Vec::new(),
        nested_module: own.nested_module.clone(),
        messages: emitted_messages(&decl.messages, names),
        enums: emitted_enums(&decl.enums, names),
        code: None,
        unknown: Some(UNKNOWN_FIELDS.to_owned()),
        separate_oneofs: Vec::new(),
        bodyless: false,
        text_extensions: Vec::new(),
    }
}

/// Returns the messages that no extern path maps to another crate.
pub(crate) fn emitted_messages(ids: &[MessageId], names: &Names) -> Vec<MessageId> {
    let emitted = |id: &MessageId| names.message(*id).path.root.is_none();
    ids.iter().copied().filter(emitted).collect()
}

/// Returns the enums that no extern path maps to another crate.
pub(crate) fn emitted_enums(ids: &[EnumId], names: &Names) -> Vec<EnumId> {
    let emitted = |id: &EnumId| names.enumeration(*id).root.is_none();
    ids.iter().copied().filter(emitted).collect()
}

fn enumeration(decls: &Decls<'_>, names: &Names, id: EnumId) -> Enum {
    let decl = &decls.enums[id.0];
    let locations = &decls.files[decl.file.0].locations;
    Enum {
        full_name: decl.full_name.clone(),
        path: names.enumeration(id).clone(),
        closed: decl.closed,
        values: values(decl, locations),
        docs: locations.docs(&decl.path),
        deprecated: decl.proto.options.deprecated(),
    }
}

fn values(decl: &EnumDecl<'_>, locations: &Locations<'_>) -> Vec<EnumValue> {
    let declared: Vec<&str> = decl.proto.value.iter().map(EnumValueDescriptorProto::name).collect();
    let short = strip_enum_prefix(decl.proto.name(), &declared);
    let convert = if decl.closed { variant } else { screaming_snake_case };
    let rust_names = Scope::new().take_all(&short, convert);
    let values = decl.proto.value.iter().zip(rust_names).enumerate();
    values
        .map(|(index, (proto, rust_name))| {
            let path = joined(&decl.path, &[part::ENUM_VALUE, step(index)]);
            EnumValue {
                name: proto.name().to_owned(),
                rust_name,
                number: proto.number(),
                docs: locations.docs(&path),
                deprecated: proto.options.deprecated(),
            }
        })
        .collect()
}

/// Returns the codes that messages declare with `(riak.code)`, with their places.
pub(crate) fn declared_codes(decls: &Decls<'_>) -> Vec<(MessageId, u64, Place)> {
    let mut found = Vec::new();
    for (index, decl) in decls.messages.iter().enumerate() {
        let options = decl.proto.options.special_fields.unknown_fields();
        let Some(code) = annotations::read_code(options) else {
            continue;
        };
        let option = [part::MESSAGE_OPTIONS, step_of(annotations::number::CODE)];
        let locations = &decls.files[decl.file.0].locations;
        let place = locations.place(&joined(&decl.path, &option));
        found.push((MessageId(index), code, place));
    }
    found
}

/// Converts a field number to a step of a path.
pub(crate) fn step_of(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
