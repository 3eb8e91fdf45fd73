//! Removes from overlays what refers to things that the schemas do not have.
//!
//! An overlay is written for the newest schemas, and also used with older ones. What it says about
//! a missing file, message or field is blanked out of its text before the checks, so that an older
//! schema never fails for something it lacks. Each removal is as small as is safe, and has a notice:
//!
//! - an import of a missing file;
//! - a method whose request or response is missing, or whose stream cannot be distinguished from a
//!   single response because the field that ends it or requests it is missing: the whole method is
//!   removed, since a stream must not turn into a single response;
//! - in other methods, an alternative response whose message or a time limit whose field is missing;
//! - an error frame whose message or text field is missing, or only its number if that is missing;
//! - a fact about a missing field.
//!
//! Invariant: blanked text keeps its length, so that everything else keeps its place.

use super::ast::{self, NamePart, OptionSet, Value, ValueField, ValueKind};
use super::graph::{Graph, Role, Unit};
use super::lexer::Token;
use super::parser::{Parsed, comments_before};
use super::text::Span;
use super::types::{Lookup, SymbolKind, Types, join, package_of};
use crate::Diagnostic;

/// The options that overlays use.
const OPERATION: &str = "riak.operation";
const ERROR: &str = "riak.error";
const FIELD: &str = "riak.field";

/// Blanks what the overlays say about missing things, and returns a notice for each removal.
pub(crate) fn prune(graph: &mut Graph) -> Vec<Diagnostic> {
    let mut notices = Vec::new();
    if graph.units.iter().all(|unit| unit.role != Role::Overlay) {
        return notices;
    }
    // Faults are ignored: `check` collects types again from the remaining text.
    let types = Types::collect(graph, &mut Vec::new());
    for index in 0..graph.units.len() {
        let unit = &graph.units[index];
        let (Role::Overlay, Some(parsed)) = (unit.role, unit.parsed()) else {
            continue;
        };
        let mut pruner =
            Pruner { types: &types, index, unit, parsed, blanks: Vec::new(), notices: &mut notices };
        pruner.file();
        let blanks = pruner.blanks;
        if blanks.is_empty() {
            continue;
        }
        let text = blank_spans(unit.source.text(), &blanks);
        let imports = unit.imports.iter().flatten().copied().map(Some).collect();
        graph.replace(index, text, imports);
    }
    notices
}

/// Replaces spans of a text by spaces, except for line ends.
pub(super) fn blank_spans(text: &str, blanks: &[Span]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for blank in blanks {
        for byte in &mut bytes[blank.start..blank.end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    }
    // Spans start and end at tokens and comments, so no character is split.
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// A field of an option's message value, in either notation.
struct Fact<'a> {
    name: &'a str,
    value: &'a Value,
    /// The span to blank to remove the field.
    span: Span,
}

struct Pruner<'a> {
    types: &'a Types,
    index: usize,
    unit: &'a Unit,
    parsed: &'a Parsed,
    blanks: Vec<Span>,
    notices: &'a mut Vec<Diagnostic>,
}

impl<'a> Pruner<'a> {
    fn notice(&mut self, at: Span, message: String) {
        self.notices.push(self.unit.source.diagnose(at.start, message));
    }

    fn file(&mut self) {
        let file = &self.parsed.file;
        for (import, target) in file.imports.iter().zip(&self.unit.imports) {
            if target.is_none() {
                let message = format!(
                    "the import of `{}` is left out: the schemas at hand have no such file",
                    import.name.text
                );
                self.notice(import.name.span, message);
                self.blank_statement(import.span);
            }
        }
        let package = package_of(file);
        for option in &file.options {
            self.field_fact(package, option);
        }
        for service in &file.services {
            let scope = join(package, &service.name.text);
            for option in &service.options {
                self.error_frame(package, &scope, option);
            }
            for method in &service.methods {
                self.method(&scope, method);
            }
        }
    }

    // Lookup.

    fn message(&self, scope: &str, name: &str) -> Option<usize> {
        match self.types.lookup_type(self.index, scope, name) {
            Lookup::Found(SymbolKind::Message(id)) => Some(id),
            _ => None,
        }
    }

    /// Reports whether a name refers to a type. If that is not a message, the checks report it.
    fn is_type(&self, scope: &str, name: &str) -> bool {
        matches!(self.types.lookup_type(self.index, scope, name), Lookup::Found(_))
    }

    fn has_field(&self, message: usize, name: &str) -> bool {
        self.types.messages[message].field(name).is_some()
    }

    fn is_option(&self, scope: &str, part: Option<&NamePart>, full: &str) -> bool {
        part.is_some_and(|part| {
            part.extension
                && matches!(
                    self.types.lookup_any(self.index, scope, &part.text),
                    Lookup::Found(kind) if self.types.full_name(kind) == full
                )
        })
    }

    /// Returns the fields that an option sets, if it is the option with the given full name.
    fn facts(&self, scope: &str, option: &'a OptionSet, full: &str) -> Option<Vec<Fact<'a>>> {
        if !self.is_option(scope, option.name.first(), full) {
            return None;
        }
        let facts = match (option.name.as_slice(), &option.value.kind) {
            ([_], ValueKind::Message(fields)) => fields
                .iter()
                .map(|field: &ValueField| Fact {
                    name: &field.name.text,
                    value: &field.value,
                    span: field.span,
                })
                .collect(),
            ([_, part], _) => {
                vec![Fact { name: &part.text, value: &option.value, span: self.statement(option.span) }]
            }
            _ => Vec::new(),
        };
        Some(facts)
    }

    // Removal.

    fn field_fact(&mut self, scope: &str, option: &'a OptionSet) {
        let Some(facts) = self.facts(scope, option, FIELD) else {
            return;
        };
        let Some((path, at)) = text(&facts, "path") else {
            return;
        };
        let missing = match path.rsplit_once('.') {
            Some((message, field)) => match self.message(scope, message) {
                Some(id) if self.has_field(id, field) => None,
                Some(_) => Some(format!("`{message}` has no field `{field}`")),
                None => Some(format!("there is no message `{message}`")),
            },
            None => None,
        };
        if let Some(why) = missing {
            let message = format!("the fact about `{path}` is left out: {why} in the schemas at hand");
            self.notice(at, message);
            self.blank_statement(option.span);
        }
    }

    fn error_frame(&mut self, package: &str, scope: &str, option: &'a OptionSet) {
        let Some(facts) = self.facts(package, option, ERROR) else {
            return;
        };
        let Some((name, at)) = text(&facts, "type") else {
            return;
        };
        let missing = match self.message(scope, &name) {
            Some(id) => text(&facts, "text")
                .filter(|(field, _)| !self.has_field(id, field))
                .map(|(field, _)| format!("`{name}` has no field `{field}`")),
            None if self.is_type(scope, &name) => None,
            None => Some(format!("there is no message `{name}`")),
        };
        if let Some(why) = missing {
            let message = format!("the error frame is left out: {why} in the schemas at hand");
            self.notice(at, message);
            self.blank_statement(option.span);
            return;
        }
        if let Some(id) = self.message(scope, &name) {
            self.blank_unless_field(id, &facts, "number", "the number of the error frame");
        }
    }

    /// Blanks a fact that names a field which the message does not have.
    fn blank_unless_field(&mut self, message: usize, facts: &[Fact<'_>], fact: &str, what: &str) {
        let Some((field, at)) = text(facts, fact) else {
            return;
        };
        if self.has_field(message, &field) {
            return;
        }
        let full = &self.types.messages[message].full;
        let text = format!("{what} is left out: `{full}` has no field `{field}` in the schemas at hand");
        self.notice(at, text);
        let spans = facts.iter().filter(|known| known.name == fact);
        self.blanks.extend(spans.map(|known| known.span));
    }

    fn method(&mut self, scope: &str, method: &'a ast::Method) {
        let facts: Vec<Fact<'_>> = method
            .options
            .iter()
            .filter_map(|option| self.facts(scope, option, OPERATION))
            .flatten()
            .collect();
        if let Some((at, why)) = self.missing(scope, method, &facts) {
            let message =
                format!("the method `{}` is left out: {why} in the schemas at hand", method.name.text);
            self.notice(at, message);
            self.blank_statement(method.span);
            return;
        }
        for fact in facts.iter().filter(|fact| fact.name == "alternative") {
            self.alternative(scope, &method.name.text, fact);
        }
        if let Some(request) = self.message(scope, &method.input.text) {
            let what = format!("the time limit of `{}`", method.name.text);
            self.blank_unless_field(request, &facts, "timeout", &what);
        }
    }

    /// Returns what a method requires and the schemas lack: its place and a description.
    fn missing(&self, scope: &str, method: &ast::Method, facts: &[Fact<'_>]) -> Option<(Span, String)> {
        for (name, role) in [(&method.input, "request"), (&method.output, "answer")] {
            if !self.is_type(scope, &name.text) {
                return Some((name.span, format!("there is no message `{}`, its {role},", name.text)));
            }
        }
        let request = self.message(scope, &method.input.text)?;
        let answer = self.message(scope, &method.output.text)?;
        if let Some((field, at)) = text(facts, "done")
            && !self.has_field(answer, &field)
        {
            let full = &self.types.messages[answer].full;
            return Some((
                at,
                format!("its answer `{full}` has no field `{field}`, which would end the stream,"),
            ));
        }
        if let Some((field, at)) = text(facts, "stream_if")
            && !self.has_field(request, &field)
        {
            let full = &self.types.messages[request].full;
            return Some((
                at,
                format!(
                    "its request `{full}` has no field `{field}`, which would ask for a stream, so \
                     that one answer could not be told from many,"
                ),
            ));
        }
        None
    }

    fn alternative(&mut self, scope: &str, method: &str, fact: &Fact<'a>) {
        let (items, in_list): (Vec<&Value>, bool) = match &fact.value.kind {
            ValueKind::List(items) => (items.iter().collect(), true),
            _ => (vec![fact.value], false),
        };
        for item in items {
            let ValueKind::Message(fields) = &item.kind else {
                continue;
            };
            let named = fields.iter().find(|field| field.name.text == "type");
            let Some((name, at)) = named.and_then(|field| as_text(&field.value)) else {
                continue;
            };
            if self.is_type(scope, &name) {
                continue;
            }
            let message = format!(
                "the alternative answer `{name}` of `{method}` is left out: there is no such \
                 message in the schemas at hand"
            );
            self.notice(at, message);
            let span = if in_list { self.list_item(item.span) } else { fact.span };
            self.blanks.push(span);
        }
    }

    // Blanking.

    fn token_at(&self, offset: usize) -> usize {
        let tokens: &[Token] = &self.parsed.tokens;
        tokens.partition_point(|token| token.span.start < offset).min(tokens.len() - 1)
    }

    /// Extends a statement's span by the comments that belong to it.
    fn statement(&self, span: Span) -> Span {
        let text = self.unit.source.text();
        let tokens = &self.parsed.tokens;
        let first = self.token_at(span.start);
        let after = self.token_at(span.end);
        let leading = comments_before(text, tokens, first).leading;
        let trailing = comments_before(text, tokens, after).trailing;
        Span {
            start: leading.map_or(span.start, |comment| comment.span.start),
            end: trailing.map_or(span.end, |comment| comment.span.end.max(span.end)),
        }
    }

    fn blank_statement(&mut self, span: Span) {
        let span = self.statement(span);
        self.blanks.push(span);
    }

    /// Extends a list item's span by the comma after it, or else the one before it.
    fn list_item(&self, item: Span) -> Span {
        let tokens = &self.parsed.tokens;
        let is_comma = |index: usize| {
            let span = tokens[index].span;
            let blank = self.blanks.iter().any(|b| b.start <= span.start && span.end <= b.end);
            self.unit.source.slice(span) == "," && !blank
        };
        let after = self.token_at(item.end);
        if is_comma(after) {
            return item.to(tokens[after].span);
        }
        match self.token_at(item.start).checked_sub(1) {
            Some(before) if is_comma(before) => tokens[before].span.to(item),
            _ => item,
        }
    }
}

/// Returns the text value of a fact, and its place.
fn text(facts: &[Fact<'_>], name: &str) -> Option<(String, Span)> {
    facts.iter().find(|fact| fact.name == name).and_then(|fact| as_text(fact.value))
}

fn as_text(value: &Value) -> Option<(String, Span)> {
    match &value.kind {
        ValueKind::Text(bytes) => {
            let text = String::from_utf8(bytes.clone()).ok()?;
            Some((text, value.span))
        }
        _ => None,
    }
}
