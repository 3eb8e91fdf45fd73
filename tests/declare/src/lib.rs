//! Writes the messages of a schema as declarations for `#[derive(RiakMessage)]`, owned and
//! borrowed, in one module.
//!
//! Invariant: each type is named after its message, with underscores for dots, so names are
//! distinct where those of the schema are.

use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;

use protoc_gen_riak::resolve::{Options, resolve};
use protoc_gen_riak::source::{Sources, load};
use riak_codegen::model::{
    BytesType, Enum, EnumId, Field, Kind, Literal, Message, MessageId, Oneof, Presence, Schema, Type,
};

/// Loads the schema of these files.
///
/// # Errors
///
/// If the files have faults.
pub fn schema(include: PathBuf, files: Vec<PathBuf>) -> Result<Schema, Box<dyn Error>> {
    let loaded = load(&Sources { include: vec![include], files, ..Sources::default() })?;
    let (schema, _) = resolve(&loaded.set, &loaded.to_generate, &Options::default())?;
    Ok(schema)
}

/// One of the two forms of a message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Owned,
    Borrowed,
}

/// Returns the declarations of all enums, and of the messages that `wanted` selects.
///
/// # Panics
///
/// Never: text can always be written.
#[must_use]
pub fn declarations(schema: &Schema, wanted: impl Fn(&Message) -> bool) -> String {
    let mut text = String::from("// Written from a schema. Do not edit.\n\n");
    for item in &schema.enums {
        enumeration(&mut text, item);
    }
    for message in schema.messages.iter().filter(|message| wanted(message)) {
        let printer = Printer { schema, message };
        printer.message(&mut text, Form::Owned);
        printer.message(&mut text, Form::Borrowed);
    }
    text
}

/// Returns the name of a derived type.
#[must_use]
pub fn type_name(full_name: &str) -> String {
    let name = full_name.replace('.', "_");
    // These names would be taken for the built-in types.
    if matches!(name.as_str(), "Map" | "Option" | "String") { format!("{name}_") } else { name }
}

fn enumeration(text: &mut String, item: &Enum) {
    let name = type_name(&item.full_name);
    let mut seen = Vec::new();
    let mut variants = String::new();
    for value in &item.values {
        if seen.contains(&value.number) {
            continue;
        }
        let default = if seen.is_empty() { "    #[default]\n" } else { "" };
        seen.push(value.number);
        let _ = writeln!(
            variants,
            "{default}    #[riak(rename = {:?})]\n    {} = {},",
            value.name,
            variant(&value.name),
            value.number
        );
    }
    if !item.closed {
        // The discriminant of this variant has no meaning, but has to be unique.
        let free = (i32::MIN..=i32::MAX).find(|number| !seen.contains(number)).unwrap_or_default();
        let _ = writeln!(variants, "    #[riak(other)]\n    OtherNumber(i32) = {free},");
    }
    let _ = writeln!(
        text,
        "#[derive(Clone, Copy, Debug, Default, PartialEq, RiakMessage)]\n#[riak(enum, rename = {:?})]\n\
         #[repr(i32)]\npub enum {name} {{\n{variants}}}\n",
        item.full_name
    );
}

/// Returns the name of a variant, in the schema's spelling.
fn variant(name: &str) -> String {
    riak_codegen::ident::escape(name)
}

#[derive(Clone, Copy)]
struct Printer<'s> {
    schema: &'s Schema,
    message: &'s Message,
}

impl Printer<'_> {
    fn message(&self, text: &mut String, form: Form) {
        let message = self.message;
        for oneof in &message.oneofs {
            self.oneof(text, oneof, form);
        }
        let name = type_name(&message.full_name);
        let secret = message.fields.iter().any(|field| field.kind == Kind::Secret);
        let debug = if secret { "" } else { "Debug, " };
        let code = message.code.map(|code| format!(", code = {code}")).unwrap_or_default();
        let (declared, other) = match form {
            Form::Owned => (name.clone(), format!("borrowed = {name}Ref")),
            Form::Borrowed => (format!("{name}Ref<'a>"), format!("owned = {name}")),
        };
        let bodyless = self.bodyless();
        let _ = writeln!(
            text,
            "#[derive(Clone, {debug}Default, PartialEq, RiakMessage)]\n#[riak(rename = {:?}, {other}{code}{bodyless})]\n\
             pub struct {declared} {{",
            message.full_name
        );
        let mut oneofs = vec![false; message.oneofs.len()];
        for field in &message.fields {
            if let Presence::Oneof(index) = field.presence {
                if !std::mem::replace(&mut oneofs[index], true) {
                    self.oneof_member(text, &message.oneofs[index], form);
                }
                continue;
            }
            let attributes = self.attributes(field);
            let ty = self.member_type(field, form);
            let _ = writeln!(text, "    #[riak({attributes})]\n    pub {}: {ty},", field.rust_name);
        }
        match (&message.unknown, form) {
            (Some(unknown), Form::Owned) => {
                let _ = writeln!(text, "    #[riak(unknown)]\n    pub {unknown}: wire::UnknownFields,");
            }
            (Some(unknown), Form::Borrowed) => {
                let _ =
                    writeln!(text, "    #[riak(unknown)]\n    pub {unknown}: wire::UnknownFieldsRef<'a>,");
            }
            (None, Form::Owned) => {}
            (None, Form::Borrowed) => {
                text.push_str("    #[riak(skip)]\n    pub lifetime: std::marker::PhantomData<&'a ()>,\n");
            }
        }
        text.push_str("}\n\n");
    }

    /// Returns the attributes of a request that is sent without its body.
    fn bodyless(&self) -> String {
        let services = self.schema.services().flat_map(|service| &service.operations);
        let sent = services
            .filter(|operation| operation.bodyless)
            .find(|operation| self.schema.message(operation.request).full_name == self.message.full_name);
        sent.map_or_else(String::new, |operation| {
            let response = type_name(&self.schema.message(operation.response).full_name);
            format!(", response = {response}, bodyless")
        })
    }

    fn oneof_name(&self, oneof: &Oneof, form: Form) -> String {
        let form = if form == Form::Borrowed { "Ref" } else { "" };
        format!("{}_{}{form}", type_name(&self.message.full_name), oneof.enum_name)
    }

    /// Reports whether a oneof's borrowed enum has a lifetime.
    fn borrows(&self, oneof: &Oneof) -> bool {
        let mut fields = oneof.variants.iter().map(|(index, _)| &self.message.fields[*index]);
        fields.any(|field| matches!(field.ty, Type::String | Type::Bytes | Type::Message(_) | Type::Group(_)))
    }

    fn oneof(&self, text: &mut String, oneof: &Oneof, form: Form) {
        let name = self.oneof_name(oneof, form);
        let lifetime = if form == Form::Borrowed && self.borrows(oneof) { "<'a>" } else { "" };
        if form == Form::Borrowed && lifetime.is_empty() {
            return;
        }
        let owned = if form == Form::Borrowed {
            format!(", owned = {}", self.oneof_name(oneof, Form::Owned))
        } else {
            String::new()
        };
        let _ = writeln!(
            text,
            "#[derive(Clone, Debug, PartialEq, RiakMessage)]\n#[riak(oneof{owned})]\npub enum {name}{lifetime} {{"
        );
        for (index, variant) in &oneof.variants {
            let field = &self.message.fields[*index];
            let (attributes, ty) = (self.attributes(field), self.value_type(field, form));
            let _ = writeln!(text, "    #[riak({attributes})]\n    {variant}({ty}),");
        }
        text.push_str("}\n\n");
    }

    fn oneof_member(&self, text: &mut String, oneof: &Oneof, form: Form) {
        let numbers = oneof.variants.iter().map(|(index, _)| self.message.fields[*index].number.to_string());
        let numbers = numbers.collect::<Vec<_>>().join(", ");
        let borrows = form == Form::Borrowed && self.borrows(oneof);
        let name = self.oneof_name(oneof, if borrows { form } else { Form::Owned });
        let lifetime = if borrows { "<'a>" } else { "" };
        let _ = writeln!(
            text,
            "    #[riak(oneof, tags({numbers}))]\n    pub {}: Option<{name}{lifetime}>,",
            oneof.rust_name
        );
    }

    fn attributes(&self, field: &Field) -> String {
        let mut text = format!("tag = {}, rename = {:?}, {}", field.number, field.name, wire_type(field.ty));
        match field.presence {
            Presence::Implicit => text.push_str(", implicit"),
            Presence::Repeated { packed: true } => text.push_str(", packed"),
            Presence::Map { key } => {
                let _ = write!(text, ", key = {}", wire_type(key));
            }
            _ => {}
        }
        if field.kind == Kind::Secret {
            text.push_str(", secret");
        }
        if let (Presence::Explicit, Some(default)) = (field.presence, &field.default) {
            let _ = write!(text, ", default = {}", self.default(field, default));
        }
        text
    }

    fn default(&self, field: &Field, default: &Literal) -> String {
        match default {
            Literal::Int(value) => value.to_string(),
            Literal::Uint(value) => value.to_string(),
            Literal::Float(value) if value.is_finite() => format!("{value:?}"),
            Literal::Float(value) => format!("\"{value}\""),
            Literal::Bool(value) => value.to_string(),
            Literal::Text(value) => format!("{value:?}"),
            Literal::Bytes(value) => format!("b\"{}\"", value.escape_ascii()),
            Literal::Enum(index) => {
                let Type::Enum(id) = field.ty else { unreachable!("only enums have enum defaults") };
                let values = &self.enumeration(id).values;
                let number = values[*index].number;
                let first = values.iter().find(|value| value.number == number).unwrap_or(&values[*index]);
                format!("{:?}", variant(&first.name))
            }
        }
    }

    fn enumeration(&self, id: EnumId) -> &Enum {
        self.schema.enumeration(id)
    }

    fn member_type(&self, field: &Field, form: Form) -> String {
        let value = self.value_type(field, form);
        match field.presence {
            Presence::Explicit => format!("Option<{value}>"),
            Presence::Repeated { .. } => format!("Vec<{value}>"),
            Presence::Map { key } => {
                format!("std::collections::BTreeMap<{}, {value}>", self.plain_type(key, field.bytes, form))
            }
            Presence::Required | Presence::Implicit | Presence::Oneof(_) => value,
        }
    }

    fn value_type(&self, field: &Field, form: Form) -> String {
        if field.kind == Kind::Quorum && field.ty == Type::Uint32 {
            return "Quorum".to_owned();
        }
        let value = self.plain_type(field.ty, field.bytes, form);
        if field.boxed { format!("Box<{value}>") } else { value }
    }

    fn plain_type(&self, ty: Type, bytes: BytesType, form: Form) -> String {
        let borrowed = form == Form::Borrowed;
        match ty {
            Type::Int32 | Type::Sint32 | Type::Sfixed32 => "i32",
            Type::Int64 | Type::Sint64 | Type::Sfixed64 => "i64",
            Type::Uint32 | Type::Fixed32 => "u32",
            Type::Uint64 | Type::Fixed64 => "u64",
            Type::Float => "f32",
            Type::Double => "f64",
            Type::Bool => "bool",
            Type::String if borrowed => "&'a str",
            Type::String => "String",
            Type::Bytes if borrowed => "&'a [u8]",
            Type::Bytes if bytes == BytesType::Vec => "Vec<u8>",
            Type::Bytes => "Blob",
            Type::Enum(id) => return type_name(&self.enumeration(id).full_name),
            Type::Message(id) | Type::Group(id) => return self.message_type(id, borrowed),
        }
        .to_owned()
    }

    fn message_type(&self, id: MessageId, borrowed: bool) -> String {
        let name = type_name(&self.schema.message(id).full_name);
        if borrowed { format!("{name}Ref<'a>") } else { name }
    }
}

/// Returns the name of a type in attributes.
fn wire_type(ty: Type) -> &'static str {
    match ty {
        Type::Int32 => "int32",
        Type::Int64 => "int64",
        Type::Uint32 => "uint32",
        Type::Uint64 => "uint64",
        Type::Sint32 => "sint32",
        Type::Sint64 => "sint64",
        Type::Fixed32 => "fixed32",
        Type::Fixed64 => "fixed64",
        Type::Sfixed32 => "sfixed32",
        Type::Sfixed64 => "sfixed64",
        Type::Float => "float",
        Type::Double => "double",
        Type::Bool => "bool",
        Type::String => "string",
        Type::Bytes => "bytes",
        Type::Enum(_) => "enum",
        Type::Message(_) => "message",
        Type::Group(_) => "group",
    }
}
