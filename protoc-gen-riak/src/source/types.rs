//! The table of all declared names, and their lookup.
//!
//! Lookup follows `protoc`: the first part of a name is looked up in the innermost scope and then
//! outwards; if it finds something that has members, the rest of the name must be one of them. A
//! file sees its own declarations, those of its imports and those of their public imports.
//!
//! Invariant: each full name, without a leading dot, stands for one symbol, the first declared. Any
//! other declaration of the name is a fault.

mod declare;
mod lookup;
mod newer;
mod resolve;

use std::collections::{BTreeSet, HashMap, HashSet};

use protobuf::descriptor::FileDescriptorProto;
use protobuf::descriptor::field_descriptor_proto::{Label as ProtoLabel, Type};

use super::ast::{self, Label, Scalar, Syntax};
use super::graph::{Content, Graph};
use crate::Diagnostic;

pub(crate) use declare::is_set;
pub(crate) use lookup::{Lookup, join};

/// The kind of declaration that a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SymbolKind {
    Message(usize),
    Enum(usize),
    EnumValue,
    Field,
    Extension(usize),
    Oneof,
    Service,
    Method,
}

impl SymbolKind {
    fn is_type(self) -> bool {
        matches!(self, Self::Message(_) | Self::Enum(_))
    }

    /// Reports whether other names may be declared within it.
    fn has_members(self) -> bool {
        self.is_type() || self == Self::Service
    }

    /// Returns the noun for error messages.
    fn noun(self) -> &'static str {
        match self {
            Self::Message(_) => "a message",
            Self::Enum(_) => "an enum",
            Self::EnumValue => "an enum value",
            Self::Field => "a field",
            Self::Extension(_) => "an extension",
            Self::Oneof => "a oneof",
            Self::Service => "a service",
            Self::Method => "a method",
        }
    }
}

/// A declared name and its place.
#[derive(Debug, Clone, Copy)]
struct Symbol {
    unit: usize,
    offset: usize,
    kind: SymbolKind,
}

/// The resolved type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Scalar(Scalar),
    Message(usize),
    Group(usize),
    Enum(usize),
    /// The type cannot be resolved, which is a fault unless an import could not be read.
    Unknown,
}

#[derive(Debug, Clone)]
pub(crate) struct FieldInfo {
    pub(crate) name: String,
    pub(crate) number: i64,
    pub(crate) kind: Kind,
    pub(crate) label: Label,
    /// Whether the values are packed.
    pub(crate) packed: bool,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct MessageInfo {
    pub(crate) full: String,
    pub(crate) fields: Vec<FieldInfo>,
    /// The numbers for extensions, inclusive at both ends.
    pub(crate) extension_ranges: Vec<(i64, i64)>,
    pub(crate) map_entry: bool,
    /// Whether the message has `message_set_wire_format`.
    pub(crate) message_set: bool,
}

impl MessageInfo {
    pub(crate) fn field(&self, name: &str) -> Option<&FieldInfo> {
        self.fields.iter().find(|field| field.name == name)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct EnumInfo {
    pub(crate) full: String,
    pub(crate) values: Vec<(String, i64)>,
    pub(crate) syntax: Syntax,
}

#[derive(Debug, Clone)]
pub(crate) struct ExtensionInfo {
    pub(crate) full: String,
    pub(crate) extendee: Option<usize>,
    pub(crate) field: FieldInfo,
}

/// All declared names of a run.
#[derive(Default)]
pub(crate) struct Types {
    symbols: HashMap<String, Symbol>,
    pub(crate) messages: Vec<MessageInfo>,
    pub(crate) enums: Vec<EnumInfo>,
    pub(crate) extensions: Vec<ExtensionInfo>,
    /// The units in each package, and in each prefix of a package that ends before a dot.
    packages: HashMap<String, BTreeSet<usize>>,
    /// The units whose names each unit sees.
    visible: Vec<HashSet<usize>>,
    /// Whether all imports of each unit could be read: only then is an unknown name a fault of the
    /// unit.
    complete: Vec<bool>,
    /// The file names of the units.
    names: Vec<String>,
    /// The messages and enums by the place of their name: unit and offset.
    declared_at: HashMap<(usize, usize), SymbolKind>,
    /// The extensions, likewise. They have a table of their own because the name of a group extension
    /// is also that of its message, at the same place.
    extensions_at: HashMap<(usize, usize), usize>,
}

impl Types {
    /// Collects the names of all units and resolves the types of their fields.
    pub(crate) fn collect(graph: &Graph, faults: &mut Vec<Diagnostic>) -> Self {
        let mut types = Self {
            visible: (0..graph.units.len()).map(|unit| graph.visible(unit).into_iter().collect()).collect(),
            complete: graph.complete(),
            names: graph.units.iter().map(|unit| unit.source.name.clone()).collect(),
            ..Self::default()
        };
        types.packages(graph);
        for index in 0..graph.units.len() {
            types.declare_unit(graph, index, faults);
        }
        for (index, unit) in graph.units.iter().enumerate() {
            match &unit.content {
                Content::Standard(descriptor) => types.resolve_standard(index, descriptor),
                Content::Parsed(parsed) => types.resolve_file(graph, index, &parsed.file, faults),
                Content::Broken => {}
            }
        }
        types.add_newer_options();
        types
    }

    fn packages(&mut self, graph: &Graph) {
        for (index, unit) in graph.units.iter().enumerate() {
            let package = match &unit.content {
                Content::Parsed(parsed) => parsed.file.package.as_ref().map(|name| name.text.as_str()),
                Content::Standard(descriptor) => Some(descriptor.package()),
                Content::Broken => None,
            };
            let Some(package) = package.filter(|package| !package.is_empty()) else {
                continue;
            };
            let ends = package.match_indices('.').map(|(at, _)| at);
            for end in ends.chain([package.len()]) {
                let units = self.packages.entry(package[..end].to_owned()).or_default();
                units.insert(index);
            }
        }
    }

    // Types of fields.

    fn resolve_standard(&mut self, unit: usize, descriptor: &FileDescriptorProto) {
        fn visit(
            types: &mut Types,
            unit: usize,
            scope: &str,
            messages: &[protobuf::descriptor::DescriptorProto],
        ) {
            for message in messages {
                let full = lookup::join(scope, message.name());
                let fields = message.field.iter().map(|field| types.standard_field(field));
                let fields = fields.collect();
                // A file of the user that has the standard file's messages, by another name, takes
                // precedence, with its own fields.
                if let Some(&Symbol { unit: of, kind: SymbolKind::Message(id), .. }) =
                    types.symbols.get(&full)
                    && of == unit
                {
                    types.messages[id].fields = fields;
                }
                visit(types, unit, &full, &message.nested_type);
            }
        }
        visit(self, unit, descriptor.package(), &descriptor.message_type);
    }

    fn standard_field(&self, field: &protobuf::descriptor::FieldDescriptorProto) -> FieldInfo {
        let named = self.kind_of(field.type_name().trim_start_matches('.'));
        let kind = match (field.type_(), named) {
            (Type::TYPE_GROUP, Some(SymbolKind::Message(id))) => Kind::Group(id),
            (_, Some(SymbolKind::Message(id))) => Kind::Message(id),
            (_, Some(SymbolKind::Enum(id))) => Kind::Enum(id),
            (scalar, _) => {
                let name = format!("{scalar:?}").to_ascii_lowercase();
                let name = name.strip_prefix("type_").unwrap_or_default();
                Scalar::from_name(name).map_or(Kind::Unknown, Kind::Scalar)
            }
        };
        FieldInfo {
            name: field.name().to_owned(),
            number: i64::from(field.number()),
            kind,
            label: match field.label() {
                ProtoLabel::LABEL_OPTIONAL => Label::Optional,
                ProtoLabel::LABEL_REQUIRED => Label::Required,
                ProtoLabel::LABEL_REPEATED => Label::Repeated,
            },
            packed: field.options.packed(),
        }
    }

    /// Returns the message that is declared at an offset.
    pub(crate) fn message_at(&self, unit: usize, offset: usize) -> Option<usize> {
        match self.declared_at.get(&(unit, offset)) {
            Some(SymbolKind::Message(id)) => Some(*id),
            _ => None,
        }
    }

    /// Returns the extension that is declared at an offset.
    pub(crate) fn extension_at(&self, unit: usize, offset: usize) -> Option<usize> {
        self.extensions_at.get(&(unit, offset)).copied()
    }

    /// Reports whether a unit and all of its imports could be read.
    pub(crate) fn is_complete(&self, unit: usize) -> bool {
        self.complete[unit]
    }
}

/// Returns the package of a file; empty if it has none.
pub(crate) fn package_of(file: &ast::File) -> &str {
    file.package.as_ref().map_or("", |name| name.text.as_str())
}
