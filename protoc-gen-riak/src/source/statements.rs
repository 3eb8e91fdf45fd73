//! Splits a text that can be parsed into nested statements.
//!
//! Invariant: a statement extends from its first token to the semicolon or brace that ends it, and
//! is entirely inside the enclosing statement.

use super::lexer::{Kind, Token};
use super::text::{SourceText, Span};

/// A statement.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) span: Span,
    /// The first word, such as `message`, or the start of a field's type.
    pub(super) word: String,
    /// The name of the declared message, field, method and so on, if the statement declares one.
    pub(super) name: Option<String>,
    /// The statements in its block.
    pub(super) inner: Vec<Statement>,
}

impl Statement {
    /// Reports whether an offset is in the statement.
    pub(super) fn contains(&self, offset: usize) -> bool {
        self.span.start <= offset && offset < self.span.end
    }
}

/// Returns the statements of a file.
pub(super) fn statements(source: &SourceText, tokens: &[Token]) -> Vec<Statement> {
    let tokens = tokens.iter().filter(|token| !matches!(token.kind, Kind::End | Kind::Bad));
    let mut reader = Reader { source, tokens: tokens.copied().collect(), at: 0 };
    let mut found = Vec::new();
    while reader.at < reader.tokens.len() {
        if let Some(statement) = reader.statement() {
            found.push(statement);
        } else {
            reader.at += 1;
        }
    }
    found
}

struct Reader<'s> {
    source: &'s SourceText,
    tokens: Vec<Token>,
    at: usize,
}

impl<'s> Reader<'s> {
    fn text(&self, index: usize) -> &'s str {
        self.tokens.get(index).map_or("", |token| self.source.slice(token.span))
    }

    /// Reads a statement. Returns `None` at the end of a block.
    fn statement(&mut self) -> Option<Statement> {
        let first = self.at;
        let word = self.text(first).to_owned();
        if matches!(word.as_str(), "" | "}") {
            return None;
        }
        let is_option = word == "option";
        let mut inner = Vec::new();
        // Brackets, and the braces of values, are part of the statement.
        let mut depth = 0usize;
        let mut name = None;
        while self.at < self.tokens.len() {
            let text = self.text(self.at);
            self.at += 1;
            match text {
                "[" | "(" => depth += 1,
                "{" if is_option || depth > 0 => depth += 1,
                "]" | ")" => depth = depth.saturating_sub(1),
                "}" if depth > 0 => depth -= 1,
                "{" => {
                    while let Some(statement) = self.statement() {
                        inner.push(statement);
                    }
                    // Skip the closing brace of the block.
                    self.at += 1;
                    break;
                }
                ";" if depth == 0 => break,
                "=" if depth == 0 && name.is_none() && !is_option => {
                    name = Some(self.text(self.at - 2).to_owned());
                }
                _ => {}
            }
        }
        if matches!(word.as_str(), "message" | "enum" | "service" | "rpc" | "oneof") && name.is_none() {
            name = Some(self.text(first + 1).to_owned());
        }
        let last = self.at.min(self.tokens.len()).saturating_sub(1);
        let span = self.tokens.get(first)?.span.to(self.tokens.get(last)?.span);
        Some(Statement { span, word, name, inner })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::lexer::lex;

    /// Formats statements: their words and names, with nested statements in braces.
    fn shown(statements: &[Statement]) -> String {
        let one = |statement: &Statement| {
            let name = statement.name.as_deref().unwrap_or("-");
            let inner = shown(&statement.inner);
            if inner.is_empty() {
                format!("{} {name}", statement.word)
            } else {
                format!("{} {name} {{{inner}}}", statement.word)
            }
        };
        statements.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn every_statement_and_what_is_inside() {
        let text = "syntax = \"proto2\"; import \"x\"; option (a) = { b: { c: 1 } d: [1, 2] };
            message M { reserved 1 to 3; optional int32 a = 1 [(o) = { x: 1 }, default = 1];
              map<int32, M> m = 2; oneof o { bytes b = 3; } optional group G = 4 { optional M x = 1; } enum E { A = 0; } }
            extend M { optional int32 e = 100; }
            service S { rpc A (M) returns (stream M); rpc B (M) returns (M) { option (x).y = { z: 1 }; } ; }";
        let source = SourceText::new("a.proto", "a.proto", text);
        let found = statements(&source, &lex(text).0);
        assert_eq!(
            shown(&found),
            "syntax syntax, import -, option -, message M {reserved -, optional a, map m, oneof o {bytes b}, \
             optional G {optional x}, enum E {A A}}, extend - {optional e}, \
             service S {rpc A, rpc B {option -}, ; -}"
        );
        assert_eq!(source.slice(found[2].span), "option (a) = { b: { c: 1 } d: [1, 2] };");
        assert!(source.slice(found[3].span).ends_with("enum E { A = 0; } }"));
    }
}
