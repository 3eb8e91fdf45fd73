//! Checks files for everything that `protoc` would reject, and reports each fault at its place.
//!
//! Invariant: one run finds all faults of all files. A file that imports a file with a syntax
//! error, or one that is missing, gets no faults for names which that file may declare.

mod defaults;
mod fields;
mod message_values;
mod options;
mod restrictions;
mod services;
mod values;
pub(crate) mod wire;

use std::collections::HashMap;

pub(crate) use options::Options;

use super::ast::{self, Enum, Message, Syntax};
use super::graph::Graph;
use super::text::Span;
use super::types::{Types, join, package_of};
use crate::Diagnostic;

/// The highest field number.
pub(crate) const MAX_FIELD_NUMBER: i64 = (1 << 29) - 1;

/// The field numbers that protobuf reserves for its implementation.
const PROTOBUF_NUMBERS: std::ops::RangeInclusive<i64> = 19_000..=19_999;

/// Checks all units, and returns their types and resolved options.
pub(crate) fn check(graph: &mut Graph) -> Result<(Types, Options), Vec<Diagnostic>> {
    let mut faults = std::mem::take(&mut graph.faults);
    let types = Types::collect(graph, &mut faults);
    let mut options = Options::default();
    let mut extension_numbers = HashMap::new();
    for (unit, content) in graph.units.iter().enumerate() {
        let Some(file) = content.file() else { continue };
        let mut checker = Checker {
            graph,
            types: &types,
            unit,
            syntax: file.syntax,
            faults: &mut faults,
            options: &mut options,
            extension_numbers: &mut extension_numbers,
        };
        checker.file(file);
    }
    if faults.is_empty() { Ok((types, options)) } else { Err(faults) }
}

/// The state of checking one unit.
struct Checker<'a> {
    graph: &'a Graph,
    types: &'a Types,
    unit: usize,
    syntax: Syntax,
    faults: &'a mut Vec<Diagnostic>,
    options: &'a mut Options,
    /// The full name of the extension for each extended message and number.
    extension_numbers: &'a mut HashMap<(usize, i64), String>,
}

impl Checker<'_> {
    fn fault(&mut self, span: Span, message: impl Into<String>) {
        let source = &self.graph.units[self.unit].source;
        self.faults.push(source.diagnose(span.start, message));
    }

    fn line(&self, span: Span) -> u32 {
        self.graph.units[self.unit].source.place(span.start).0
    }

    fn file(&mut self, file: &ast::File) {
        let package = package_of(file).to_owned();
        for (index, import) in file.imports.iter().enumerate() {
            let before = &file.imports[..index];
            if before.iter().any(|known| known.name.text == import.name.text) {
                let message = format!("`{}` is imported twice: once is enough", import.name.text);
                self.fault(import.name.span, message);
            }
        }
        self.options_of("FileOptions", &package, &file.options);
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
            self.service(&package, service);
        }
    }

    fn message(&mut self, scope: &str, message: &Message) {
        let full = join(scope, &message.name.text);
        self.options_of("MessageOptions", scope, &message.options);
        self.message_restrictions(message);
        self.fields_of(&full, message);
        for oneof in &message.oneofs {
            self.options_of("OneofOptions", &full, &oneof.options);
        }
        for nested in &message.messages {
            self.message(&full, nested);
        }
        for declared in &message.enums {
            self.enumeration(&full, declared);
        }
        for extension in &message.extensions {
            self.extension(&full, extension);
        }
    }

    fn enumeration(&mut self, scope: &str, declared: &Enum) {
        self.options_of("EnumOptions", scope, &declared.options);
        for value in &declared.values {
            self.options_of("EnumValueOptions", scope, &value.options);
        }
        self.values_of(declared);
    }
}
