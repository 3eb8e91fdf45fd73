//! Completes the descriptors that `protobuf-parse` returns: options, defaults, ranges, groups, the
//! order of nested messages, and source code info.
//!
//! Invariant: a completed descriptor is what `protoc` gives for the same file, apart from the
//! exceptions that `source` lists.

mod defaults;

use protobuf::MessageField;
use protobuf::descriptor::descriptor_proto::{ExtensionRange, ReservedRange};
use protobuf::descriptor::enum_descriptor_proto::EnumReservedRange;
use protobuf::descriptor::field_descriptor_proto::Type;
use protobuf::descriptor::source_code_info::Location as SourceLocation;
use protobuf::descriptor::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet,
    MethodOptions, OneofDescriptorProto, ServiceDescriptorProto, SourceCodeInfo,
};

use super::ast::{
    self, Enum, Field, FieldType, Label, Message, MessageKind, OptionSet, Range, RangeEnd, Service, Syntax,
};
use super::check::{MAX_FIELD_NUMBER, Options, wire};
use super::graph::Graph;
use super::parser::Parsed;
use super::text::SourceText;
use super::types::{Kind, Types};

/// Completes all descriptors.
pub(crate) fn complete(
    mut set: FileDescriptorSet,
    graph: &Graph,
    types: &Types,
    options: &Options,
) -> FileDescriptorSet {
    for file in &mut set.file {
        let Some(unit) = graph.index_of(file.name()) else {
            continue;
        };
        let content = &graph.units[unit];
        let Some(parsed) = content.parsed() else {
            continue;
        };
        let mut completer = Completer {
            types,
            options,
            unit,
            syntax: parsed.file.syntax,
            // Paths of options, with the index of their location.
            paths: Vec::new(),
        };
        completer.file(file, &parsed.file);
        let info = source_code_info(&content.source, parsed, completer.paths);
        file.source_code_info = MessageField::some(info);
    }
    set
}

/// The number of steps at the end of an unresolved option's path that stand for the option.
const UNRESOLVED_STEPS: usize = 2;

/// Converts locations to source code info.
fn source_code_info(source: &SourceText, parsed: &Parsed, options: Vec<(usize, Vec<i32>)>) -> SourceCodeInfo {
    let mut info = SourceCodeInfo::new();
    info.location = parsed
        .locations
        .iter()
        .map(|from| {
            let mut location = SourceLocation::new();
            location.path.clone_from(&from.path);
            location.span = source.span_numbers(from.span);
            location.leading_comments.clone_from(&from.leading);
            location.trailing_comments.clone_from(&from.trailing);
            location.leading_detached_comments.clone_from(&from.detached);
            location
        })
        .collect();
    for (index, resolved) in options {
        let path = &mut info.location[index].path;
        path.truncate(path.len().saturating_sub(UNRESOLVED_STEPS));
        path.extend(resolved);
    }
    info
}

struct Completer<'a> {
    types: &'a Types,
    options: &'a Options,
    unit: usize,
    syntax: Syntax,
    paths: Vec<(usize, Vec<i32>)>,
}

impl Completer<'_> {
    fn file(&mut self, to: &mut FileDescriptorProto, from: &ast::File) {
        if self.syntax == Syntax::Proto2 {
            // Descriptors of proto2 files leave the syntax out.
            to.syntax = None;
        }
        self.set_options(&mut to.options, &from.options);
        for (to, from) in to.message_type.iter_mut().zip(&from.messages) {
            self.message(to, from);
        }
        for (to, from) in to.enum_type.iter_mut().zip(&from.enums) {
            self.enumeration(to, from);
        }
        for (to, from) in to.extension.iter_mut().zip(&from.extensions) {
            self.extension(to, from);
        }
        for (to, from) in to.service.iter_mut().zip(&from.services) {
            self.service(to, from);
        }
    }

    /// Sets the options of an element, or removes them if it has none.
    fn set_options<M: protobuf::Message>(&mut self, to: &mut MessageField<M>, options: &[OptionSet]) {
        let mut records: Vec<wire::Record> = Vec::new();
        for option in options {
            let Some(resolved) = self.options.get(self.unit, option) else {
                continue;
            };
            if let Some(location) = option.location {
                self.paths.push((location, resolved.path.clone()));
            }
            let depth = option.name.len() - 1;
            wire::merge(&mut records, resolved.records.clone(), depth);
        }
        *to = if options.is_empty() {
            MessageField::none()
        } else {
            // The bytes were encoded for this message, so they can be parsed.
            MessageField::from_option(M::parse_from_bytes(&wire::body(records)).ok())
        };
    }

    fn message(&mut self, to: &mut DescriptorProto, from: &Message) {
        if from.kind == MessageKind::MapEntry {
            return;
        }
        self.set_options(&mut to.options, &from.options);
        let mut nested = std::mem::take(&mut to.nested_type);
        for message in &from.messages {
            let same = |known: &DescriptorProto| known.name() == message.name.text;
            if let Some(index) = nested.iter().position(same) {
                to.nested_type.push(nested.remove(index));
            }
        }
        for (to, from) in to.nested_type.iter_mut().zip(&from.messages) {
            self.message(to, from);
        }
        for (to, from) in to.enum_type.iter_mut().zip(&from.enums) {
            self.enumeration(to, from);
        }
        for (to, from) in to.extension.iter_mut().zip(&from.extensions) {
            self.extension(to, from);
        }
        let info = self.types.message_at(self.unit, from.name.span.start);
        let info = info.map(|id| &self.types.messages[id]);
        for (index, (to, from)) in to.field.iter_mut().zip(&from.fields).enumerate() {
            let field = info.and_then(|info| info.fields.get(index));
            self.field(to, from, field.map_or(Kind::Unknown, |field| field.kind));
        }
        self.oneofs(to, from);
        let ranges = info.map_or(&[][..], |info| &info.extension_ranges);
        to.extension_range = ranges
            .iter()
            .map(|&(start, end)| {
                let mut range = ExtensionRange::new();
                range.set_start(to_i32(start));
                range.set_end(to_i32(end + 1));
                range
            })
            .collect();
        to.reserved_range = from
            .reserved
            .ranges
            .iter()
            .map(|from| {
                let mut range = ReservedRange::new();
                range.set_start(to_i32(from.start.value));
                range.set_end(to_i32(end(from, MAX_FIELD_NUMBER) + 1));
                range
            })
            .collect();
        to.reserved_name = names(&from.reserved.names);
    }

    /// Sets the oneofs: declared ones first, then the synthetic ones of proto3 `optional` fields.
    fn oneofs(&mut self, to: &mut DescriptorProto, from: &Message) {
        to.oneof_decl = from
            .oneofs
            .iter()
            .map(|from| {
                let mut oneof = OneofDescriptorProto::new();
                oneof.set_name(from.name.text.clone());
                self.set_options(&mut oneof.options, &from.options);
                oneof
            })
            .collect();
        for (field, from_field) in to.field.iter_mut().zip(&from.fields) {
            field.oneof_index = from_field.oneof.map(step);
        }
        if self.syntax == Syntax::Proto2 {
            return;
        }
        let mut taken: Vec<String> = from
            .fields
            .iter()
            .map(|field| &field.name)
            .chain(from.oneofs.iter().map(|oneof| &oneof.name))
            .map(|name| name.text.clone())
            .collect();
        for (field, from_field) in to.field.iter_mut().zip(&from.fields) {
            if !matches!(from_field.label, Some((Label::Optional, _))) {
                continue;
            }
            let mut name = if from_field.name.text.starts_with('_') {
                from_field.name.text.clone()
            } else {
                format!("_{}", from_field.name.text)
            };
            while taken.contains(&name) {
                name.insert(0, 'X');
            }
            field.oneof_index = Some(step(to.oneof_decl.len()));
            let mut oneof = OneofDescriptorProto::new();
            oneof.set_name(name.clone());
            taken.push(name);
            to.oneof_decl.push(oneof);
        }
    }

    fn field(&mut self, to: &mut FieldDescriptorProto, from: &Field, kind: Kind) {
        if let FieldType::Group(_) = from.ty {
            to.set_type(Type::TYPE_GROUP);
        }
        match &from.json_name {
            Some((name, _)) => to.set_json_name(name.text.clone()),
            None if from.extendee.is_none() => to.set_json_name(json_name(&from.name.text)),
            None => {}
        }
        if let Some((value, _)) = &from.default {
            to.default_value = Some(defaults::default_text(kind, value));
        }
        self.set_options(&mut to.options, &from.options);
    }

    fn extension(&mut self, to: &mut FieldDescriptorProto, from: &Field) {
        let id = self.types.extension_at(self.unit, from.name.span.start);
        let kind = id.map_or(Kind::Unknown, |id| self.types.extensions[id].field.kind);
        self.field(to, from, kind);
    }

    fn enumeration(&mut self, to: &mut EnumDescriptorProto, from: &Enum) {
        self.set_options(&mut to.options, &from.options);
        for (to, from) in to.value.iter_mut().zip(&from.values) {
            self.set_options(&mut to.options, &from.options);
        }
        to.reserved_range = from
            .reserved
            .ranges
            .iter()
            .map(|from| {
                let mut range = EnumReservedRange::new();
                range.set_start(to_i32(from.start.value));
                range.set_end(to_i32(end(from, i64::from(i32::MAX))));
                range
            })
            .collect();
        to.reserved_name = names(&from.reserved.names);
    }

    fn service(&mut self, to: &mut ServiceDescriptorProto, from: &Service) {
        self.set_options(&mut to.options, &from.options);
        for (to, from) in to.method.iter_mut().zip(&from.methods) {
            self.set_options(&mut to.options, &from.options);
            if from.has_block && to.options.is_none() {
                to.options = MessageField::some(MethodOptions::new());
            }
        }
    }
}

fn names(names: &[ast::Name]) -> Vec<String> {
    names.iter().map(|name| name.text.clone()).collect()
}

/// Returns the last number of a range.
fn end(range: &Range, max: i64) -> i64 {
    match range.end {
        RangeEnd::Number(number) => number.value,
        RangeEnd::Max => max,
    }
}

/// Converts a number that has been checked to fit.
fn to_i32(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn step(index: usize) -> i32 {
    i32::try_from(index).unwrap_or(i32::MAX)
}

/// Returns the default JSON name of a field: without underscores, and with a capital after each.
pub(super) fn json_name(name: &str) -> String {
    let mut json = String::with_capacity(name.len());
    let mut capital = false;
    for char in name.chars() {
        match char {
            '_' => capital = true,
            char => json.push(if std::mem::take(&mut capital) { char.to_ascii_uppercase() } else { char }),
        }
    }
    json
}

#[cfg(test)]
mod tests {
    use super::json_name;

    #[test]
    fn json_names_as_protoc_makes_them() {
        for (name, json) in
            [("a_b", "aB"), ("new_", "new"), ("__", ""), ("_1", "1"), ("A_B", "AB"), ("aB", "aB")]
        {
            assert_eq!(json_name(name), json);
        }
    }
}
