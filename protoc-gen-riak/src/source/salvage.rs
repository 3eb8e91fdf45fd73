//! Salvages the valid parts of files with faults, so that the same run can also check their options.
//!
//! Statements with faults are blanked out, then the statements that have faults because those are
//! missing, until there are no more faults. Invariant: what remains has no faults, and keeps its
//! place.

use std::collections::BTreeSet;

use protobuf::descriptor::FileDescriptorProto;

use super::graph::{Content, Graph};
use super::lexer::lex;
use super::overlay::blank_spans;
use super::statements::{Statement, statements};
use super::text::Span;
use super::{Loaded, Sources, check, finish, overlay};
use crate::Diagnostic;

/// The maximum number of blanking passes; chains of dependent declarations are shorter.
const MAX_PASSES: usize = 50;

/// The valid parts of files with faults.
#[derive(Debug)]
pub(crate) struct Salvaged {
    pub(crate) loaded: Loaded,
    removed: BTreeSet<Removed>,
    /// Whether whole files are missing, so that their declarations are unknown.
    files_missing: bool,
    order: Vec<String>,
}

/// A declaration that was blanked out: its name, and that of the enclosing declaration.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Removed {
    parent: Option<String>,
    name: String,
}

impl Salvaged {
    /// Returns the files as diagnostics show them, in the order of diagnostics.
    pub(crate) fn order(&self) -> impl Iterator<Item = &str> {
        self.order.iter().map(String::as_str)
    }

    /// Reports whether a fault in the remaining text may be a consequence of what was blanked out: it
    /// names a blanked declaration, or a message that an unreadable file may declare.
    pub(crate) fn explains(&self, fault: &Diagnostic) -> bool {
        if self.files_missing && fault.message.starts_with("message \"") {
            return true;
        }
        let words = fault.message.split(|char: char| !(char.is_ascii_alphanumeric() || char == '_'));
        let words: BTreeSet<&str> = words.collect();
        self.removed.iter().any(|removed| {
            let named = |name: &String| words.contains(name.as_str());
            named(&removed.name) && removed.parent.as_ref().is_none_or(named)
        })
    }
}

/// Reads files again, some of which have faults. Returns `None` if nothing can be salvaged.
pub(crate) fn salvage(sources: &Sources<'_>) -> Option<Salvaged> {
    let mut graph = Graph::read(sources);
    let notices = overlay::prune(&mut graph);
    let mut removed = BTreeSet::new();
    let order = graph.shown_order();
    let files_missing = graph.complete().contains(&false);
    for _ in 0..MAX_PASSES {
        graph.check_imports();
        let faults = match check::check(&mut graph) {
            Ok((types, options)) => {
                let mut loaded = finish(&graph, &types, &options, notices).ok()?;
                let read: BTreeSet<&str> = loaded.set.file.iter().map(FileDescriptorProto::name).collect();
                let named = loaded.to_generate.iter().filter(|name| read.contains(name.as_str()));
                loaded.to_generate = named.cloned().collect();
                return Some(Salvaged { loaded, removed, files_missing, order });
            }
            Err(faults) => faults,
        };
        let mut blanked = false;
        for unit in 0..graph.units.len() {
            blanked |= blank_faults(&mut graph, unit, &faults, &mut removed);
        }
        if !blanked {
            return None;
        }
    }
    None
}

/// Blanks the faulty statements of a unit, and returns whether there were any.
fn blank_faults(
    graph: &mut Graph,
    index: usize,
    faults: &[Diagnostic],
    removed: &mut BTreeSet<Removed>,
) -> bool {
    let unit = &graph.units[index];
    if matches!(unit.content, Content::Standard(_)) {
        return false;
    }
    if unit.parsed().is_none() {
        // A file that cannot be parsed is empty, also for the files that import it.
        let empty = unit.source.text().trim().is_empty();
        if !empty {
            let text = " ".repeat(unit.source.text().len());
            graph.replace(index, text, Vec::new());
        }
        return !empty;
    }
    let source = &unit.source;
    let found = statements(source, &lex(source.text()).0);
    let mut spans = Vec::new();
    for fault in faults.iter().filter(|fault| fault.file == source.shown && fault.line > 0) {
        let Some(offset) = source.offset(fault.line, fault.column) else { continue };
        spans.extend(remove_faulty(&found, None, offset, removed));
    }
    if spans.is_empty() {
        return false;
    }
    let text = blank_spans(source.text(), &spans);
    graph.replace(index, text, Vec::new());
    let names: Vec<String> = match graph.units[index].file() {
        Some(file) => file.imports.iter().map(|import| import.name.text.clone()).collect(),
        None => Vec::new(),
    };
    graph.units[index].imports = names.iter().map(|name| graph.index_of(name)).collect();
    true
}

/// Returns the smallest statement that can be removed for a fault.
fn remove_faulty(
    statements: &[Statement],
    parent: Option<&Statement>,
    offset: usize,
    removed: &mut BTreeSet<Removed>,
) -> Option<Span> {
    let statement = statements.iter().find(|statement| statement.contains(offset))?;
    // A method without one of its options would mean something else, so it is removed whole. A oneof
    // or `extend` with a single member is removed with it, since neither may be empty.
    let whole = match statement.word.as_str() {
        "rpc" => true,
        "oneof" | "extend" => statement.inner.len() < 2,
        _ => false,
    };
    if !whole && let Some(span) = remove_faulty(&statement.inner, Some(statement), offset, removed) {
        return Some(span);
    }
    // Faults name types without the enclosing declaration, and fields with their message.
    let is_type = matches!(statement.word.as_str(), "message" | "enum" | "service");
    if let Some(name) = &statement.name {
        let parent = parent.and_then(|parent| parent.name.clone()).filter(|_| !is_type);
        removed.insert(Removed { parent, name: name.clone() });
    }
    Some(statement.span)
}

#[cfg(test)]
mod tests {
    use protobuf::descriptor::{FieldDescriptorProto, MethodDescriptorProto};

    use super::*;

    fn salvaged(builtin: &[(&str, &str)]) -> Salvaged {
        let sources = Sources {
            overlays: builtin.iter().map(|(name, _)| name.into()).collect(),
            builtin,
            ..Sources::default()
        };
        salvage(&sources).expect("something is left")
    }

    #[test]
    fn salvaged_files_have_no_faults() {
        let a = "syntax = \"proto2\";\nimport \"b.proto\";\nimport \"gone.proto\";\n\
                 message A {\n  optional Lost lost = 1;\n  optional B b = 2;\n  oneof o { Lost only = 3; }\n  optional int32 c = 2;\n}\n\
                 message Uses { optional A a = 1; optional Broken broken = 2; }\n\
                 service S { rpc Good(A) returns (A); rpc Bad(Uses) returns (Lost); }\n";
        let b = "syntax = \"proto2\";\nimport \"a.proto\";\nmessage B { optional int32 x = 0; }\n";
        let broken = "message Broken {";
        let left = salvaged(&[("a.proto", a), ("b.proto", b), ("broken.proto", broken)]);
        let file = left.loaded.set.file.iter().find(|file| file.name() == "a.proto").unwrap();
        let fields: Vec<_> = file.message_type[0].field.iter().map(FieldDescriptorProto::name).collect();
        // The second of two conflicting fields is removed; so are uses of removed declarations.
        assert_eq!(fields, ["b"]);
        let methods: Vec<_> = file.service[0].method.iter().map(MethodDescriptorProto::name).collect();
        assert_eq!(methods, ["Good"]);
        let fault = |message: &str| Diagnostic::new("a.proto", 1, 1, message);
        assert!(left.explains(&fault("A has no field \"lost\"")));
        assert!(left.explains(&fault("A.c is not a bool")));
        assert!(!left.explains(&fault("A has no field \"done\"")));
        assert!(!left.explains(&fault("Other has no field \"lost\"")));
    }
}
