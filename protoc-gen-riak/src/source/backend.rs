//! Passes checked files to `protobuf-parse`, which makes descriptors of them.
//!
//! That parser reads only from directories, and fails on some valid schemas: it loses declarations
//! within groups and all but one value of a repeated field in an option, and rejects options of
//! extension ranges and reserved ranges below zero. It therefore gets each file in a simplified
//! form: declarations without comments, with the full name of every type, and with groups written as
//! a message and a field. `complete` then sets what that form leaves out (options, defaults, ranges).
//!
//! Invariant: declarations are written in the order of descriptors, so that `complete` finds each
//! of them at the index of its element.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use protobuf::descriptor::FileDescriptorSet;

use super::ast::{self, Enum, Field, FieldType, ImportKind, Label, Message, MessageKind, Syntax};
use super::graph::Graph;
use super::mangling::{self, mangle};
use super::types::{Lookup, Types, join, package_of};
use crate::Diagnostic;

/// Makes descriptors of all files, imports first.
pub(crate) fn descriptors(graph: &Graph, types: &Types) -> Result<FileDescriptorSet, Vec<Diagnostic>> {
    let mut set = FileDescriptorSet::new();
    let inputs = graph.to_generate();
    if inputs.is_empty() {
        return Ok(set);
    }
    let failed = |error: &io::Error| {
        let message = format!("cannot write to the directory for temporary files: {error}");
        vec![Diagnostic::new("", 0, 0, message)]
    };
    let dir = tempfile::tempdir().map_err(|error| failed(&error))?;
    for (unit, content) in graph.units.iter().enumerate() {
        if let Some(file) = content.file() {
            let text = print(types, unit, file);
            let path = dir.path().join(&content.source.name);
            write(&path, &text).map_err(|error| failed(&error))?;
        }
    }
    let mut parser = protobuf_parse::Parser::new();
    parser.pure().include(dir.path());
    parser.inputs(inputs.iter().map(|name| dir.path().join(name)));
    match parser.parse_and_typecheck() {
        Ok(parsed) => {
            set.file = parsed.file_descriptors;
            set.file.iter_mut().for_each(mangling::restore);
            Ok(set)
        }
        Err(error) => Err(vec![fault_from_error(graph, dir.path(), &format!("{error:#}"))]),
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    fs::write(path, text)
}

/// Converts an error of the parser, which has no place, to a fault at the first occurrence of the
/// name that it mentions.
fn fault_from_error(graph: &Graph, dir: &Path, message: &str) -> Diagnostic {
    let dir = format!("{}/", dir.display());
    let mut plain = message.replace(&dir, "");
    let unit = graph
        .units
        .iter()
        .filter(|unit| unit.file().is_some() && plain.contains(&unit.source.name))
        .max_by_key(|unit| unit.source.name.len())
        .or_else(|| graph.units.first());
    for prefix in ["using pure parser: ", "error in "] {
        plain = plain.replace(prefix, "");
    }
    let Some(unit) = unit else {
        return Diagnostic::new("", 0, 0, plain);
    };
    let plain = plain.replace(&format!("`{}`: ", unit.source.name), "");
    let message = format!("the parser behind this one refuses the file: {plain}");
    let words = plain.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let text = unit.source.text();
    let offset = words
        .rev()
        .filter(|word| word.len() > 2 && !word.starts_with(|c: char| c.is_ascii_digit()))
        .find_map(|word| text.find(word));
    match offset {
        Some(offset) => unit.source.diagnose(offset, message),
        None => Diagnostic::new(unit.source.shown.clone(), 0, 0, message),
    }
}

/// Writes a file in its simplified form.
fn print(types: &Types, unit: usize, file: &ast::File) -> String {
    let mut printer = Printer { types, unit, out: String::new() };
    printer.file(file);
    printer.out
}

struct Printer<'a> {
    types: &'a Types,
    unit: usize,
    out: String,
}

impl Printer<'_> {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = self.out.write_fmt(line);
        self.out.push('\n');
    }

    fn file(&mut self, file: &ast::File) {
        let syntax = match file.syntax {
            Syntax::Proto2 => "proto2",
            Syntax::Proto3 => "proto3",
        };
        self.line(format_args!("syntax = \"{syntax}\";"));
        if let Some(package) = &file.package {
            self.line(format_args!("package {};", mangle(&package.text)));
        }
        for import in &file.imports {
            let kind = match import.kind {
                ImportKind::Plain => "",
                ImportKind::Public => "public ",
                ImportKind::Weak => "weak ",
            };
            let name = import.name.text.replace('"', "\\\"");
            self.line(format_args!("import {kind}\"{name}\";"));
        }
        let package = package_of(file);
        for message in &file.messages {
            self.message(package, message);
        }
        for declared in &file.enums {
            self.enumeration(declared);
        }
        for extension in &file.extensions {
            self.extension(package, extension);
        }
        for service in &file.services {
            let scope = join(package, &service.name.text);
            self.line(format_args!("service {} {{", mangle(&service.name.text)));
            for method in &service.methods {
                let stream = |streams| if streams { "stream " } else { "" };
                let input = self.type_name(&scope, &method.input.text);
                let output = self.type_name(&scope, &method.output.text);
                self.line(format_args!(
                    "rpc {} ({}{input}) returns ({}{output});",
                    mangle(&method.name.text),
                    stream(method.client_streams),
                    stream(method.server_streams),
                ));
            }
            self.line(format_args!("}}"));
        }
    }

    /// Returns the full name of a type, with a leading dot. The checks have found the type.
    fn type_name(&self, scope: &str, name: &str) -> String {
        match self.types.lookup_type(self.unit, scope, name) {
            Lookup::Found(kind) => format!(".{}", mangle(self.types.full_name(kind))),
            Lookup::NotImported(_) | Lookup::Nothing => mangle(name).into_owned(),
        }
    }

    fn message(&mut self, scope: &str, message: &Message) {
        if message.kind == MessageKind::MapEntry {
            return;
        }
        let full = join(scope, &message.name.text);
        self.line(format_args!("message {} {{", mangle(&message.name.text)));
        for nested in &message.messages {
            self.message(&full, nested);
        }
        for declared in &message.enums {
            self.enumeration(declared);
        }
        for extension in &message.extensions {
            self.extension(&full, extension);
        }
        // `protobuf-parse` refuses two fields with the same JSON name, which `check` has looked at. The
        // fields of such a message get their own names as JSON names, which `complete` replaces.
        let named = json_names_may_clash(&message.fields);
        let mut open = None;
        for field in &message.fields {
            if field.oneof != open {
                if open.is_some() {
                    self.line(format_args!("}}"));
                }
                if let Some(oneof) = field.oneof.and_then(|index| message.oneofs.get(index)) {
                    self.line(format_args!("oneof {} {{", mangle(&oneof.name.text)));
                }
                open = field.oneof;
            }
            self.field(&full, field, named);
        }
        if open.is_some() {
            self.line(format_args!("}}"));
        }
        self.line(format_args!("}}"));
    }

    fn enumeration(&mut self, declared: &Enum) {
        self.line(format_args!("enum {} {{", mangle(&declared.name.text)));
        for value in &declared.values {
            self.line(format_args!("{} = {};", mangle(&value.name.text), value.number.value));
        }
        self.line(format_args!("}}"));
    }

    fn extension(&mut self, scope: &str, extension: &Field) {
        let Some(extendee) = &extension.extendee else {
            return;
        };
        let extendee = self.type_name(scope, &extendee.text);
        self.line(format_args!("extend {extendee} {{"));
        self.field(scope, extension, false);
        self.line(format_args!("}}"));
    }

    /// Writes a field, with its own name as its JSON name if `named` is set.
    fn field(&mut self, scope: &str, field: &Field, named: bool) {
        let label = match field.label {
            Some((Label::Optional, _)) => "optional ",
            Some((Label::Required, _)) => "required ",
            Some((Label::Repeated, _)) => "repeated ",
            None => "",
        };
        let ty = match &field.ty {
            FieldType::Map(types, _) => {
                let key = self.plain_type(scope, &types.0);
                let value = self.plain_type(scope, &types.1);
                format!("map<{key}, {value}>")
            }
            plain => self.plain_type(scope, plain),
        };
        let (name, number) = (mangle(&field.name.text), field.number.value);
        if named {
            let json_name = &field.name.text;
            self.line(format_args!("{label}{ty} {name} = {number} [json_name = \"{json_name}\"];"));
        } else {
            self.line(format_args!("{label}{ty} {name} = {number};"));
        }
    }

    fn plain_type(&self, scope: &str, ty: &FieldType) -> String {
        match ty {
            FieldType::Scalar(scalar) => scalar.name().to_owned(),
            FieldType::Named(name) => self.type_name(scope, &name.text),
            FieldType::Group(name) => format!(".{}", mangle(&join(scope, &name.text))),
            FieldType::Map(..) => String::new(),
        }
    }
}

/// Reports whether two fields may have the same JSON name. Names that differ in more than underscores
/// and case never do.
fn json_names_may_clash(fields: &[Field]) -> bool {
    let mut names = HashSet::new();
    !fields.iter().all(|field| names.insert(field.name.text.replace('_', "").to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    #[test]
    fn backend_error_gets_the_place_of_the_name_in_it() {
        let builtin = [("a.proto", "syntax = \"proto3\";\nmessage Oddity {}\n")];
        let graph = Graph::read(&Sources {
            overlays: vec!["a.proto".into()],
            builtin: &builtin,
            ..Sources::default()
        });
        let refusal = "using pure parser: error in `/t/a.proto`: no good: `Oddity`";
        let fault = fault_from_error(&graph, Path::new("/t"), refusal);
        assert_eq!(
            fault.to_string(),
            "a.proto:2:9: the parser behind this one refuses the file: no good: `Oddity`"
        );
    }

    #[test]
    fn two_fields_of_proto3_with_one_json_name_are_a_fault() {
        let text = "syntax = \"proto3\";\nmessage A { int32 own = 1; int32 own_ = 2; }\n";
        let builtin = [("a.proto", text)];
        let sources = Sources { overlays: vec!["a.proto".into()], builtin: &builtin, ..Sources::default() };
        let error = crate::source::load(&sources).unwrap_err().to_string();
        assert!(
            error.contains("a.proto:2:34: `own_` has the JSON name `own` of `own` in line 2: "),
            "{error}"
        );
    }

    #[test]
    fn json_names_of_proto3_are_checked_as_protoc_does() {
        let load = |fields: &str| {
            let text = format!("syntax = \"proto3\";\nmessage A {{\n{fields}\n}}\n");
            let builtin = [("a.proto", text.as_str())];
            let sources =
                Sources { overlays: vec!["a.proto".into()], builtin: &builtin, ..Sources::default() };
            crate::source::load(&sources).map(drop).map_err(|error| error.to_string())
        };
        let short = load("int32 a_b = 1;\nint32 aB = 2;").unwrap_err();
        assert_eq!(
            short,
            "a.proto:4:7: `aB` has the JSON name `aB` of `a_b` in line 3: underscores do not count in it: rename one"
        );
        let replaced = load("int32 a_b = 1;\nint32 aB = 2 [json_name = \"c\"];").unwrap_err();
        assert_eq!(replaced, short);
        let own = load("int32 a = 1;\nint32 b = 2 [json_name = \"a\"];").unwrap_err();
        assert_eq!(
            own,
            "a.proto:4:7: `b` has the JSON name `a` of `a` in line 3: rename one, or choose another json_name"
        );
        let legacy = "option deprecated_legacy_json_field_conflicts = true;\nint32 a_b = 1;\nint32 aB = 2;";
        assert_eq!(load(legacy), Ok(()));
        assert_eq!(load("int32 a = 1 [json_name = \"b\"];\nint32 c = 2 [json_name = \"a\"];"), Ok(()));
    }

    #[test]
    fn fields_of_proto2_may_share_a_json_name() {
        let text =
            "syntax = \"proto2\";\nmessage A { optional int32 foo_bar = 1; optional int32 fooBar = 2; }\n";
        let builtin = [("a.proto", text)];
        let sources = Sources { overlays: vec!["a.proto".into()], builtin: &builtin, ..Sources::default() };
        let loaded = crate::source::load(&sources).unwrap();
        let fields = &loaded.set.file[0].message_type[0].field;
        let names: Vec<_> = fields.iter().map(|field| (field.name(), field.json_name())).collect();
        assert_eq!(names, [("foo_bar", "fooBar"), ("fooBar", "fooBar")]);
    }
}
