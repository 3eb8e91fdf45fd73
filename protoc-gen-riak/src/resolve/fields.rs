//! Resolves the fields of a message, with every fact that code emission needs.
//!
//! Invariant: a resolved field has a type that exists and a default that fits;
//! any other field is reported and left out.

use std::collections::HashSet;

use protobuf::descriptor::field_descriptor_proto::{Label, Type as ProtoType};
use protobuf::descriptor::{EnumValueDescriptorProto, FieldDescriptorProto};
use riak_codegen::ident::{Scope, snake_case, upper_camel_case};
use riak_codegen::model::{BytesType, Field, MessageId, Oneof, Presence, Type};

use super::annotations;
use super::decls::{Decls, MessageDecl, Symbol};
use super::defaults;
use super::features::{self, Features, FieldPresence};
use super::locations::{joined, part, step};
use super::messages::step_of;
use super::names::Names;
use super::options::{self, Options};
use super::report::Report;

/// Resolves the fields of messages.
pub(crate) struct FieldResolver<'r> {
    pub(crate) decls: &'r Decls<'r>,
    pub(crate) names: &'r Names,
    pub(crate) options: &'r Options,
    /// Indexes of the `bytes` rules that apply to some field.
    pub(crate) bytes_rules: HashSet<usize>,
}

impl FieldResolver<'_> {
    /// Resolves the fields and oneofs of a message.
    pub(crate) fn resolve(&mut self, id: MessageId, report: &mut Report) -> (Vec<Field>, Vec<Oneof>) {
        let decls = self.decls;
        let decl = &decls.messages[id.0];
        let mut oneofs = Oneofs::new(decl, decls, self.names, id);
        let rust_names = member_names(decl, &oneofs);
        let mut fields = Vec::new();
        for (index, proto) in decl.proto.field.iter().enumerate() {
            let path = joined(&decl.path, &[part::MESSAGE_FIELD, step(index)]);
            let field = self.field(decl, proto, &path, &oneofs, report);
            let Some(mut field) = field else { continue };
            field.rust_name.clone_from(&rust_names.fields[index]);
            if let Presence::Oneof(oneof) = field.presence {
                oneofs.found[oneof].variants.push((fields.len(), String::new()));
            }
            fields.push(field);
        }
        for (oneof, rust_name) in oneofs.found.iter_mut().zip(rust_names.oneofs) {
            oneof.rust_name = rust_name;
            let members: Vec<&str> =
                oneof.variants.iter().map(|(field, _)| fields[*field].name.as_str()).collect();
            let variants = Scope::new().take_all(&members, upper_camel_case);
            for ((_, variant), name) in oneof.variants.iter_mut().zip(variants) {
                *variant = name;
            }
        }
        (fields, oneofs.found)
    }

    fn field(
        &mut self,
        decl: &MessageDecl<'_>,
        proto: &FieldDescriptorProto,
        path: &[i32],
        oneofs: &Oneofs,
        report: &mut Report,
    ) -> Option<Field> {
        let locations = &self.decls.files[decl.file.0].locations;
        let place = locations.name_place(path);
        let full_name = format!("{}.{}", decl.full_name, proto.name());
        let features = field_features(decl, proto);
        let Some(mut ty) = self.value_type(proto, features) else {
            let message = format!("the type \"{}\" of {full_name} is not known", proto.type_name());
            report.fault(&place, message);
            return None;
        };
        let presence = match self.decls.symbol(proto.type_name()) {
            Some(Symbol::MapEntry(entry)) => {
                let [key, value] = entry.field.as_slice() else {
                    report.fault(&place, format!("{full_name} is a map without key and value"));
                    return None;
                };
                // Values in a map entry are never delimited.
                let features = Features { delimited: false, ..features };
                let key = self.value_type(key, features)?;
                ty = self.value_type(value, features)?;
                Presence::Map { key }
            }
            _ => presence(proto, features, ty, oneofs),
        };
        let Ok(number) = u32::try_from(proto.number()) else {
            report.fault(&place, format!("the number of {full_name} is negative"));
            return None;
        };
        let kind = annotations::read_kind(proto.options.special_fields.unknown_fields());
        let kind = kind.unwrap_or_else(|unknown| {
            let option = [part::FIELD_OPTIONS, step_of(annotations::number::KIND)];
            let place = locations.place(&joined(path, &option));
            report.fault(&place, format!("the kind of {full_name}: {unknown}"));
            None
        });
        let mut field = Field {
            name: proto.name().to_owned(),
            rust_name: String::new(),
            number,
            ty,
            presence,
            default: None,
            kind: kind.unwrap_or_default(),
            boxed: false,
            bytes: self.bytes_type(ty, &full_name),
            with: None,
            docs: locations.docs(path),
            deprecated: proto.options.deprecated(),
        };
        if proto.has_default_value() {
            match self.default(proto.default_value(), ty) {
                Ok(literal) => field.default = Some(literal),
                Err(wrong) => {
                    let place = locations.place(&joined(path, &[part::FIELD_DEFAULT]));
                    report.fault(&place, format!("the default of {full_name}: {wrong}"));
                }
            }
        }
        Some(field)
    }

    /// Returns the type of one value. For a map this is a placeholder: the caller takes
    /// the types of key and value from the entry.
    fn value_type(&self, proto: &FieldDescriptorProto, features: Features) -> Option<Type> {
        Some(match proto.type_() {
            ProtoType::TYPE_INT32 => Type::Int32,
            ProtoType::TYPE_INT64 => Type::Int64,
            ProtoType::TYPE_UINT32 => Type::Uint32,
            ProtoType::TYPE_UINT64 => Type::Uint64,
            ProtoType::TYPE_SINT32 => Type::Sint32,
            ProtoType::TYPE_SINT64 => Type::Sint64,
            ProtoType::TYPE_FIXED32 => Type::Fixed32,
            ProtoType::TYPE_FIXED64 => Type::Fixed64,
            ProtoType::TYPE_SFIXED32 => Type::Sfixed32,
            ProtoType::TYPE_SFIXED64 => Type::Sfixed64,
            ProtoType::TYPE_FLOAT => Type::Float,
            ProtoType::TYPE_DOUBLE => Type::Double,
            ProtoType::TYPE_BOOL => Type::Bool,
            ProtoType::TYPE_STRING => Type::String,
            ProtoType::TYPE_BYTES => Type::Bytes,
            ProtoType::TYPE_ENUM | ProtoType::TYPE_MESSAGE | ProtoType::TYPE_GROUP => {
                match self.decls.symbol(proto.type_name())? {
                    Symbol::Enum(id) => Type::Enum(id),
                    Symbol::MapEntry(_) => Type::Bool,
                    Symbol::Message(id) => {
                        let group = proto.type_() == ProtoType::TYPE_GROUP || features.delimited;
                        if group { Type::Group(id) } else { Type::Message(id) }
                    }
                }
            }
        })
    }

    fn bytes_type(&mut self, ty: Type, full_name: &str) -> BytesType {
        if ty != Type::Bytes {
            return BytesType::default();
        }
        let Some((rule, &bytes)) = options::best_match(&self.options.bytes, full_name) else {
            return BytesType::default();
        };
        self.bytes_rules.insert(rule);
        bytes
    }

    fn default(&self, text: &str, ty: Type) -> Result<riak_codegen::model::Literal, String> {
        let values: Vec<&str> = match ty {
            Type::Enum(id) => {
                let values = &self.decls.enums[id.0].proto.value;
                values.iter().map(EnumValueDescriptorProto::name).collect()
            }
            _ => Vec::new(),
        };
        defaults::parse(text, ty, &values)
    }
}

/// Returns the features of a field, which override those of its oneof or message.
fn field_features(decl: &MessageDecl<'_>, proto: &FieldDescriptorProto) -> Features {
    let oneof = proto.oneof_index.and_then(|index| decl.proto.oneof_decl.get(usize::try_from(index).ok()?));
    let around = oneof.map_or(decl.features, |oneof| {
        let options = oneof.options.special_fields.unknown_fields();
        decl.features.with(options, features::number::ONEOF)
    });
    let options = proto.options.special_fields.unknown_fields();
    around.with(options, features::number::FIELD)
}

fn presence(proto: &FieldDescriptorProto, features: Features, ty: Type, oneofs: &Oneofs) -> Presence {
    let is_message = matches!(ty, Type::Message(_) | Type::Group(_));
    if proto.label() == Label::LABEL_REPEATED {
        let packable = !is_message && !matches!(ty, Type::String | Type::Bytes);
        let packed = proto.options.packed.unwrap_or(features.packed);
        return Presence::Repeated { packed: packable && packed };
    }
    if let Some(oneof) = oneofs.index_of(proto) {
        return Presence::Oneof(oneof);
    }
    if proto.label() == Label::LABEL_REQUIRED || features.presence == FieldPresence::LegacyRequired {
        Presence::Required
    } else if proto.proto3_optional() || is_message || features.presence == FieldPresence::Explicit {
        Presence::Explicit
    } else {
        Presence::Implicit
    }
}

/// The oneofs of a message, without those that represent proto3 `optional`.
struct Oneofs {
    found: Vec<Oneof>,
    /// The index in `found` of each oneof of the descriptor.
    index: Vec<Option<usize>>,
}

impl Oneofs {
    fn new(decl: &MessageDecl<'_>, decls: &Decls<'_>, names: &Names, id: MessageId) -> Self {
        let locations = &decls.files[decl.file.0].locations;
        let mut found = Vec::new();
        let mut index = Vec::new();
        for (number, proto) in decl.proto.oneof_decl.iter().enumerate() {
            let is_member = |field: &&FieldDescriptorProto| field.oneof_index == Some(step(number));
            let mut members = decl.proto.field.iter().filter(is_member);
            if members.all(FieldDescriptorProto::proto3_optional) {
                index.push(None);
                continue;
            }
            index.push(Some(found.len()));
            let (enum_name, enum_ref_name) = names.message(id).oneofs[number].clone();
            found.push(Oneof {
                name: proto.name().to_owned(),
                rust_name: String::new(),
                enum_name,
                enum_ref_name,
                variants: Vec::new(),
                docs: locations.docs(&joined(&decl.path, &[part::MESSAGE_ONEOF, step(number)])),
            });
        }
        Self { found, index }
    }

    fn index_of(&self, field: &FieldDescriptorProto) -> Option<usize> {
        let index = usize::try_from(field.oneof_index?).ok()?;
        *self.index.get(index)?
    }
}

struct MemberNames {
    /// In the order of the descriptor.
    fields: Vec<String>,
    oneofs: Vec<String>,
}

/// Names the members of a struct. Fields of a oneof are not members, but need
/// names for the items derived from them.
fn member_names(decl: &MessageDecl<'_>, oneofs: &Oneofs) -> MemberNames {
    let mut scope = Scope::with_taken(["unknown_fields"]);
    let is_member = |field: &FieldDescriptorProto| oneofs.index_of(field).is_none();
    let fields = &decl.proto.field;
    let mut declared: Vec<&str> =
        fields.iter().filter(|field| is_member(field)).map(FieldDescriptorProto::name).collect();
    let plain = declared.len();
    declared.extend(oneofs.found.iter().map(|oneof| oneof.name.as_str()));
    let mut members = scope.take_all(&declared, snake_case);
    let oneof_names = members.split_off(plain);
    let in_oneofs: Vec<&str> =
        fields.iter().filter(|field| !is_member(field)).map(FieldDescriptorProto::name).collect();
    let mut variants = scope.take_all(&in_oneofs, snake_case).into_iter();
    let mut members = members.into_iter();
    let fields = fields
        .iter()
        .map(|field| {
            let names = if is_member(field) { &mut members } else { &mut variants };
            names.next().unwrap_or_default()
        })
        .collect();
    MemberNames { fields, oneofs: oneof_names }
}
