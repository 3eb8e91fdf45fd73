//! Resolves the types that fields, extensions and methods name, and reports unknown names.

use super::{FieldInfo, Kind, Lookup, SymbolKind, Types, join, package_of};
use crate::Diagnostic;
use crate::source::ast::{self, FieldType, Label, Scalar, Syntax};
use crate::source::graph::Graph;

impl Types {
    /// Resolves the types that a file names.
    pub(super) fn resolve_file(
        &mut self,
        graph: &Graph,
        unit: usize,
        file: &ast::File,
        faults: &mut Vec<Diagnostic>,
    ) {
        let package = package_of(file).to_owned();
        let mut resolver = Resolver { types: self, graph, unit, faults };
        for extension in &file.extensions {
            resolver.extension(&package, extension);
        }
        for message in &file.messages {
            resolver.message(&package, message);
        }
        for service in &file.services {
            let scope = join(&package, &service.name.text);
            for method in &service.methods {
                for name in [&method.input, &method.output] {
                    resolver.method_type(&scope, name);
                }
            }
        }
    }
}

/// The state of resolving one file.
struct Resolver<'a> {
    types: &'a mut Types,
    graph: &'a Graph,
    unit: usize,
    faults: &'a mut Vec<Diagnostic>,
}

impl Resolver<'_> {
    fn message(&mut self, scope: &str, message: &ast::Message) {
        let full = join(scope, &message.name.text);
        let fields: Vec<_> = message.fields.iter().map(|field| self.field(&full, field)).collect();
        if let Some(id) = self.types.message_at(self.unit, message.name.span.start)
            && message.kind != ast::MessageKind::MapEntry
        {
            self.types.messages[id].fields = fields;
        }
        for extension in &message.extensions {
            self.extension(&full, extension);
        }
        for nested in &message.messages {
            self.message(&full, nested);
        }
    }

    fn extension(&mut self, scope: &str, extension: &ast::Field) {
        let field = self.field(scope, extension);
        let mut extendee = None;
        if let Some(name) = &extension.extendee {
            match self.types.lookup_any(self.unit, scope, &name.text) {
                Lookup::Found(SymbolKind::Message(id)) => extendee = Some(id),
                found => self.report(scope, name, &found, "a message"),
            }
        }
        let key = (self.unit, extension.name.span.start);
        if let Some(id) = self.types.extensions_at.get(&key).copied() {
            let info = &mut self.types.extensions[id];
            info.extendee = extendee;
            info.field = field;
        }
    }

    fn field(&mut self, scope: &str, field: &ast::Field) -> FieldInfo {
        let kind = match &field.ty {
            FieldType::Group(name) => {
                // The message is declared next to the field, even if another one of this name is visible.
                let declared = self.types.kind_of(&join(scope, &name.text));
                match declared {
                    Some(SymbolKind::Message(id)) => Kind::Group(id),
                    _ => Kind::Unknown,
                }
            }
            FieldType::Map(types, _) => {
                let key = self.kind(scope, &types.0);
                let value = self.kind(scope, &types.1);
                let entry = self
                    .types
                    .message_at(self.unit, field.name.span.start)
                    .filter(|_| field.extendee.is_none());
                if let Some(entry) = entry {
                    let part = |name: &str, number, kind| FieldInfo {
                        name: name.to_owned(),
                        number,
                        kind,
                        label: Label::Optional,
                        packed: false,
                    };
                    self.types.messages[entry].fields = vec![part("key", 1, key), part("value", 2, value)];
                }
                entry.map_or(Kind::Unknown, Kind::Message)
            }
            plain => self.kind(scope, plain),
        };
        let label = match (&field.ty, field.label) {
            (FieldType::Map(..), _) => Label::Repeated,
            (_, Some((label, _))) => label,
            (_, None) => Label::Optional,
        };
        FieldInfo {
            name: field.name.text.clone(),
            number: field.number.value,
            kind,
            label,
            packed: label == Label::Repeated && self.is_packed(field, kind),
        }
    }

    /// Reports whether a repeated field is packed: if an option says so, or in proto3 by default if the
    /// type allows it.
    fn is_packed(&self, field: &ast::Field, kind: Kind) -> bool {
        let can = match kind {
            Kind::Scalar(scalar) => !matches!(scalar, Scalar::String | Scalar::Bytes),
            Kind::Enum(_) => true,
            Kind::Message(_) | Kind::Group(_) | Kind::Unknown => false,
        };
        let mut options = field.options.iter().filter(|option| option.is_built_in("packed"));
        let declared = options.find_map(|option| match &option.value.kind {
            ast::ValueKind::Ident { text, .. } => Some(text == "true"),
            _ => None,
        });
        let file = self.graph.units[self.unit].file();
        let by_default = file.is_some_and(|file| file.syntax == Syntax::Proto3);
        can && declared.unwrap_or(by_default)
    }

    fn kind(&mut self, scope: &str, ty: &FieldType) -> Kind {
        match ty {
            FieldType::Scalar(scalar) => Kind::Scalar(*scalar),
            FieldType::Named(name) => match self.types.lookup_type(self.unit, scope, &name.text) {
                Lookup::Found(SymbolKind::Message(id)) => Kind::Message(id),
                Lookup::Found(SymbolKind::Enum(id)) => Kind::Enum(id),
                found => {
                    self.report(scope, name, &found, "a type");
                    Kind::Unknown
                }
            },
            // The grammar allows neither inside another type.
            FieldType::Group(_) | FieldType::Map(..) => Kind::Unknown,
        }
    }

    fn method_type(&mut self, scope: &str, name: &ast::Name) {
        match self.types.lookup_any(self.unit, scope, &name.text) {
            Lookup::Found(SymbolKind::Message(_)) => {}
            found => self.report(scope, name, &found, "a message"),
        }
    }

    /// Reports a name that does not refer to what is wanted.
    fn report(&mut self, scope: &str, name: &ast::Name, found: &Lookup, wanted: &str) {
        if let Some(why) = self.types.lookup_fault(self.unit, scope, &name.text, found, wanted) {
            let source = &self.graph.units[self.unit].source;
            self.faults.push(source.diagnose(name.span.start, why));
        }
    }
}
