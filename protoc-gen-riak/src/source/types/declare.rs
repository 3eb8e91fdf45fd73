//! Adds the declarations of files to the table of names, and reports duplicates.

use std::collections::hash_map::Entry;

use protobuf::descriptor::{DescriptorProto, EnumDescriptorProto, FileDescriptorProto};

use super::{
    EnumInfo, ExtensionInfo, FieldInfo, Kind, MessageInfo, Symbol, SymbolKind, Types, lookup, package_of,
};
use crate::Diagnostic;
use crate::source::ast::{
    self, Enum, Field, Label, Message, MessageKind, Name, OptionSet, RangeEnd, Syntax, ValueKind,
};
use crate::source::check::MAX_FIELD_NUMBER;
use crate::source::graph::{Content, Graph};

impl Types {
    /// Adds the names of a unit.
    pub(super) fn declare_unit(&mut self, graph: &Graph, unit: usize, faults: &mut Vec<Diagnostic>) {
        match &graph.units[unit].content {
            Content::Parsed(parsed) => {
                let file = &parsed.file;
                let mut declarer = Declarer { types: self, graph, unit, syntax: file.syntax, faults };
                declarer.file(file);
            }
            Content::Standard(descriptor) => self.declare_standard(unit, descriptor),
            Content::Broken => {}
        }
    }

    fn add_message(&mut self, info: MessageInfo) -> SymbolKind {
        self.messages.push(info);
        SymbolKind::Message(self.messages.len() - 1)
    }

    fn add_enum(&mut self, info: EnumInfo) -> SymbolKind {
        self.enums.push(info);
        SymbolKind::Enum(self.enums.len() - 1)
    }

    fn declare_standard(&mut self, unit: usize, descriptor: &FileDescriptorProto) {
        let package = descriptor.package();
        for message in &descriptor.message_type {
            self.standard_message(unit, package, message);
        }
        for declared in &descriptor.enum_type {
            self.standard_enum(unit, package, declared);
        }
    }

    fn insert_standard(&mut self, unit: usize, full: String, kind: SymbolKind) {
        self.symbols.entry(full).or_insert(Symbol { unit, offset: 0, kind });
    }

    fn standard_message(&mut self, unit: usize, scope: &str, message: &DescriptorProto) {
        let full = lookup::join(scope, message.name());
        let ranges = message.extension_range.iter();
        let kind = self.add_message(MessageInfo {
            full: full.clone(),
            fields: Vec::new(),
            extension_ranges: ranges
                .map(|range| (i64::from(range.start()), i64::from(range.end()) - 1))
                .collect(),
            map_entry: message.options.map_entry(),
            message_set: message.options.message_set_wire_format(),
        });
        self.insert_standard(unit, full.clone(), kind);
        for field in &message.field {
            self.insert_standard(unit, lookup::join(&full, field.name()), SymbolKind::Field);
        }
        for nested in &message.nested_type {
            self.standard_message(unit, &full, nested);
        }
        for nested in &message.enum_type {
            self.standard_enum(unit, &full, nested);
        }
    }

    fn standard_enum(&mut self, unit: usize, scope: &str, declared: &EnumDescriptorProto) {
        let full = lookup::join(scope, declared.name());
        let values = declared.value.iter();
        let kind = self.add_enum(EnumInfo {
            full: full.clone(),
            values: values.map(|value| (value.name().to_owned(), i64::from(value.number()))).collect(),
            // Enums of descriptor.proto are used only in options; all others are proto3.
            syntax: Syntax::Proto3,
        });
        self.insert_standard(unit, full, kind);
        for value in &declared.value {
            self.insert_standard(unit, lookup::join(scope, value.name()), SymbolKind::EnumValue);
        }
    }
}

struct Declarer<'a> {
    types: &'a mut Types,
    graph: &'a Graph,
    unit: usize,
    syntax: Syntax,
    faults: &'a mut Vec<Diagnostic>,
}

impl Declarer<'_> {
    fn file(&mut self, file: &ast::File) {
        let package = package_of(file).to_owned();
        if let Some(name) = &file.package {
            self.package(name);
        }
        for message in &file.messages {
            self.message(&package, message);
        }
        for declared in &file.enums {
            self.enumeration(&package, declared);
        }
        for extension in &file.extensions {
            self.extension(&package, extension);
        }
        for service in &file.services {
            let full = self.insert(&package, &service.name, SymbolKind::Service);
            for method in &service.methods {
                self.insert(&full, &method.name, SymbolKind::Method);
            }
        }
    }

    fn package(&mut self, name: &Name) {
        let taken = lookup::scopes(&name.text)
            .filter(|part| !part.is_empty())
            .find_map(|part| self.types.symbols.get(part).map(|symbol| (part, *symbol)));
        if let Some((part, symbol)) = taken {
            let message = format!(
                "`{part}` cannot be a package: it is {} in `{}`",
                symbol.kind.noun(),
                self.types.names[symbol.unit]
            );
            self.fault(name.span.start, message);
        }
    }

    fn fault(&mut self, offset: usize, message: String) {
        let source = &self.graph.units[self.unit].source;
        self.faults.push(source.diagnose(offset, message));
    }

    /// Adds a name, and returns the full name.
    fn insert(&mut self, scope: &str, name: &Name, kind: SymbolKind) -> String {
        let full = lookup::join(scope, &name.text);
        let symbol = Symbol { unit: self.unit, offset: name.span.start, kind };
        if let Some(units) = self.types.packages.get(&full) {
            let file = units.first().map_or("", |&unit| &self.types.names[unit]);
            let message = format!("`{full}` is already a package, in `{file}`: rename it");
            self.fault(name.span.start, message);
        }
        // The members of a message that another file declares as well follow from that fault.
        let outer = self.types.symbols.get(scope);
        let follows = outer.is_some_and(|outer| outer.unit != self.unit && outer.kind.has_members());
        match self.types.symbols.entry(full.clone()) {
            Entry::Vacant(free) => {
                free.insert(symbol);
            }
            Entry::Occupied(mut taken) => {
                let known = *taken.get();
                // In a file, the declaration that comes first in the text counts as the first.
                let (before, after) = if known.unit == self.unit && known.offset > symbol.offset {
                    taken.insert(symbol);
                    (symbol, known)
                } else {
                    (known, symbol)
                };
                if !follows {
                    let message = self.duplicate_message(scope, &name.text, before, after.kind);
                    self.fault(after.offset, message);
                }
            }
        }
        let at = (self.unit, name.span.start);
        if let SymbolKind::Extension(id) = kind {
            self.types.extensions_at.insert(at, id);
        } else if kind.is_type() {
            self.types.declared_at.insert(at, kind);
        }
        full
    }

    fn duplicate_message(&self, scope: &str, name: &str, before: Symbol, after: SymbolKind) -> String {
        let of = &self.graph.units[before.unit].source;
        let place = if before.unit == self.unit {
            format!("in line {}", of.place(before.offset).0)
        } else {
            format!("in `{}`", of.name)
        };
        let within = if scope.is_empty() { String::new() } else { format!(" of `{scope}`") };
        let noun = before.kind.noun();
        let mut message = format!("the name `{name}`{within} is already {noun}, {place}: rename one");
        if after == SymbolKind::EnumValue && before.kind == SymbolKind::EnumValue {
            message.push_str(
                " (the values of an enum are named in the scope around it, beside those of other \
                 enums)",
            );
        }
        message
    }

    fn message(&mut self, scope: &str, message: &Message) {
        let ranges = message.extension_ranges.iter().map(|range| {
            let end = match range.end {
                RangeEnd::Number(number) => number.value,
                RangeEnd::Max if is_set(&message.options, "message_set_wire_format") => {
                    i64::from(i32::MAX) - 1
                }
                RangeEnd::Max => MAX_FIELD_NUMBER,
            };
            (range.start.value, end)
        });
        let kind = self.types.add_message(MessageInfo {
            full: lookup::join(scope, &message.name.text),
            fields: Vec::new(),
            extension_ranges: ranges.collect(),
            map_entry: message.kind == MessageKind::MapEntry,
            message_set: is_set(&message.options, "message_set_wire_format"),
        });
        let full = self.insert(scope, &message.name, kind);
        for field in &message.fields {
            self.insert(&full, &field.name, SymbolKind::Field);
        }
        for oneof in &message.oneofs {
            self.insert(&full, &oneof.name, SymbolKind::Oneof);
        }
        for nested in &message.messages {
            self.message(&full, nested);
        }
        for nested in &message.enums {
            self.enumeration(&full, nested);
        }
        for extension in &message.extensions {
            self.extension(&full, extension);
        }
    }

    fn enumeration(&mut self, scope: &str, declared: &Enum) {
        let values = declared.values.iter();
        let kind = self.types.add_enum(EnumInfo {
            full: lookup::join(scope, &declared.name.text),
            values: values.map(|value| (value.name.text.clone(), value.number.value)).collect(),
            syntax: self.syntax,
        });
        self.insert(scope, &declared.name, kind);
        for value in &declared.values {
            self.insert(scope, &value.name, SymbolKind::EnumValue);
        }
    }

    fn extension(&mut self, scope: &str, extension: &Field) {
        self.types.extensions.push(ExtensionInfo {
            full: lookup::join(scope, &extension.name.text),
            extendee: None,
            field: FieldInfo {
                name: extension.name.text.clone(),
                number: extension.number.value,
                kind: Kind::Unknown,
                label: Label::Optional,
                packed: false,
            },
        });
        let id = self.types.extensions.len() - 1;
        self.insert(scope, &extension.name, SymbolKind::Extension(id));
    }
}

/// Reports whether a built-in bool option is set to true.
pub(crate) fn is_set(options: &[OptionSet], name: &str) -> bool {
    options.iter().any(|option| {
        option.is_built_in(name)
            && matches!(&option.value.kind, ValueKind::Ident { text, .. } if text == "true")
    })
}
