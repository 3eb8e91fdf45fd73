//! Parses the tokens of a file into a syntax tree, and records the location of each element.
//!
//! This file has the state that the whole grammar uses: the current token, the locations so far, and
//! the comments for the next declaration. The files beside it have the grammar.
//!
//! Invariant: locations are in the order in which `protoc` records them, with the same paths, spans
//! and comments, except that the paths of options are incomplete until their names are resolved.

mod enums;
mod file;
mod message;
mod options;
pub(crate) mod path;
mod ranges;
mod service;

use super::ast::{File, Name, Number};
use super::comments::{self, Gap};
use super::lexer::{self, Fault, Kind, Token};
use super::text::{SourceText, Span};

/// The maximum depth of nested messages, groups and values.
pub(crate) const MAX_DEPTH: usize = 64;

/// The place of an element, with its comments.
#[derive(Debug, Clone, Default)]
pub(crate) struct Location {
    pub(crate) path: Vec<i32>,
    pub(crate) span: Span,
    pub(crate) leading: Option<String>,
    pub(crate) trailing: Option<String>,
    pub(crate) detached: Vec<String>,
}

/// A parsed file.
#[derive(Debug, Clone)]
pub(crate) struct Parsed {
    pub(crate) file: File,
    pub(crate) locations: Vec<Location>,
    pub(crate) tokens: Vec<Token>,
}

/// Parses a file, or returns its first syntax error.
pub(crate) fn parse(source: &SourceText) -> Result<Parsed, Fault> {
    let (tokens, unreadable) = lexer::lex(source.text());
    let mut parser = Parser {
        source,
        tokens: &tokens,
        at: 0,
        unreadable,
        locations: Vec::new(),
        leading: None,
        detached: Vec::new(),
        depth: 0,
    };
    let file = parser.file()?;
    let locations = parser.locations;
    Ok(Parsed { file, locations, tokens })
}

/// Returns the comments before a token.
pub(crate) fn comments_before(text: &str, tokens: &[Token], index: usize) -> Gap {
    let next = tokens[index];
    let start = index.checked_sub(1).map_or_else(
        || text.len() - text.trim_start_matches('\u{feff}').len(),
        |previous| tokens[previous].span.end,
    );
    let gap = Span { start, end: next.span.start.max(start) };
    let closes = matches!(next.kind, Kind::End | Kind::Bad)
        || matches!(&text[next.span.start..next.span.end], "}" | "]" | ")");
    comments::classify(text, gap, index == 0, closes)
}

type Parse<T> = Result<T, Fault>;

struct Parser<'a> {
    source: &'a SourceText,
    tokens: &'a [Token],
    at: usize,
    unreadable: Option<Fault>,
    locations: Vec<Location>,
    /// The leading comment of the next declaration.
    leading: Option<String>,
    /// The detached comments before the next declaration.
    detached: Vec<String>,
    depth: usize,
}

impl Parser<'_> {
    // Tokens.

    fn token(&self) -> Token {
        self.tokens[self.at]
    }

    fn span(&self) -> Span {
        self.token().span
    }

    /// Returns the span of the last token taken.
    fn previous(&self) -> Span {
        self.at.checked_sub(1).map_or_else(|| self.span(), |previous| self.tokens[previous].span)
    }

    fn text(&self) -> &str {
        self.source.slice(self.span())
    }

    fn kind(&self) -> Kind {
        self.token().kind
    }

    /// Reports whether the next token is this word or symbol.
    fn next_is(&self, text: &str) -> bool {
        matches!(self.kind(), Kind::Ident | Kind::Symbol) && self.text() == text
    }

    /// Moves to the next token, but never past the last one.
    fn advance(&mut self) -> Span {
        let span = self.span();
        if !matches!(self.kind(), Kind::End | Kind::Bad) {
            self.at += 1;
        }
        span
    }

    fn take_if(&mut self, text: &str) -> bool {
        let found = self.next_is(text);
        if found {
            self.advance();
        }
        found
    }

    /// Returns the fault that the next token is not what was expected.
    fn expected(&self, what: &str) -> Fault {
        if self.kind() == Kind::Bad
            && let Some(fault) = &self.unreadable
        {
            return fault.clone();
        }
        let found = match self.kind() {
            Kind::End => "the end of the file".to_owned(),
            Kind::Str => format!("the string {}", truncated(self.text())),
            _ => format!("`{}`", truncated(self.text())),
        };
        let offset = self.span().start;
        Fault::new(offset, format!("expected {what}, found {found}"))
    }

    fn take(&mut self, text: &str, what: &str) -> Parse<Span> {
        if self.next_is(text) { Ok(self.advance()) } else { Err(self.expected(what)) }
    }

    fn name(&mut self, what: &str) -> Parse<Name> {
        if self.kind() != Kind::Ident {
            return Err(self.expected(what));
        }
        let text = self.text().to_owned();
        let span = self.advance();
        Ok(Name { text, span })
    }

    /// Parses a name of several parts, with a leading dot if it is absolute.
    fn type_name(&mut self, what: &str) -> Parse<Name> {
        let start = self.span();
        let mut text = String::new();
        if self.take_if(".") {
            text.push('.');
        }
        text.push_str(&self.name(what)?.text);
        while self.take_if(".") {
            text.push('.');
            text.push_str(&self.name("a name after the `.`")?.text);
        }
        let span = start.to(self.previous());
        Ok(Name { text, span })
    }

    /// Parses an integer, with a leading `-` if `signed` allows it.
    fn integer(&mut self, signed: bool, what: &str) -> Parse<Number> {
        let start = self.span();
        let negative = signed && self.take_if("-");
        if self.kind() != Kind::Int {
            return Err(self.expected(what));
        }
        let magnitude = lexer::int_value(self.text()).and_then(|value| i64::try_from(value).ok());
        let span = start.to(self.advance());
        let value = match (magnitude, negative) {
            (Some(value), false) => value,
            (Some(value), true) => -value,
            (None, false) => i64::MAX,
            (None, true) => i64::MIN,
        };
        Ok(Number { value, span })
    }

    /// Parses adjacent strings, and returns their concatenated bytes.
    fn string(&mut self, what: &str) -> Parse<(Vec<u8>, Span)> {
        if self.kind() != Kind::Str {
            return Err(self.expected(what));
        }
        let start = self.span();
        let mut bytes = Vec::new();
        while self.kind() == Kind::Str {
            let span = self.advance();
            let body = Span { start: span.start + 1, end: span.end - 1 };
            lexer::unescape(self.source.slice(body), &mut bytes)
                .map_err(|fault| Fault::new(body.start + fault.offset, fault.message))?;
        }
        Ok((bytes, start.to(self.previous())))
    }

    /// Parses a string that must be UTF-8.
    fn text_string(&mut self, what: &str) -> Parse<Name> {
        let (bytes, span) = self.string(what)?;
        let text =
            String::from_utf8(bytes).map_err(|_| Fault::new(span.start, "this string is not UTF-8 text"))?;
        Ok(Name { text, span })
    }

    // Nesting.

    /// Enters a nesting level, which [`Self::leave`] leaves.
    fn enter(&mut self, what: &str) -> Parse<()> {
        if self.depth == MAX_DEPTH {
            return Err(Fault::new(
                self.span().start,
                format!("{what} nest more than {MAX_DEPTH} levels deep: flatten them"),
            ));
        }
        self.depth += 1;
        Ok(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    // Locations.

    /// Starts the location of an element at the next token.
    fn open(&mut self, path: &[i32]) -> usize {
        let start = self.span().start;
        self.locations.push(Location {
            path: path.to_vec(),
            span: Span { start, end: start },
            ..Location::default()
        });
        self.locations.len() - 1
    }

    /// Ends a location at the last token.
    fn close(&mut self, location: usize) {
        let end = self.previous().end;
        let span = &mut self.locations[location].span;
        span.end = end.max(span.start);
    }

    /// Records a location with a known span.
    fn record(&mut self, path: &[i32], span: Span) {
        self.locations.push(Location { path: path.to_vec(), span, ..Location::default() });
    }

    // Ends of declarations, where comments are assigned.

    /// Takes the token that ends a declaration or the head of its block. The pending comments and the
    /// trailing one go to `location`.
    fn finish(&mut self, text: &str, location: usize, what: &str) -> Parse<()> {
        self.take(text, what)?;
        let gap = comments_before(self.source.text(), self.tokens, self.at);
        let location = &mut self.locations[location];
        location.leading = std::mem::replace(&mut self.leading, text_of(gap.leading));
        location.trailing = text_of(gap.trailing);
        let detached = gap.detached.into_iter().map(|comment| comment.text);
        location.detached = std::mem::replace(&mut self.detached, detached.collect());
        Ok(())
    }

    /// Takes an empty statement if there is one. Its leading and trailing comments are dropped.
    fn skip_empty(&mut self) -> bool {
        let found = self.take_if(";");
        if found {
            let gap = comments_before(self.source.text(), self.tokens, self.at);
            self.leading = text_of(gap.leading);
            let detached = gap.detached.into_iter().map(|comment| comment.text);
            self.detached.extend(detached);
        }
        found
    }

    /// Takes the end of a block if it is there. Pending comments in the block are dropped.
    fn end_block(&mut self) -> bool {
        let found = self.take_if("}");
        if found {
            let gap = comments_before(self.source.text(), self.tokens, self.at);
            self.leading = text_of(gap.leading);
            self.detached = gap.detached.into_iter().map(|c| c.text).collect();
        }
        found
    }

    /// Returns a fault if the file ends inside a block.
    fn require_more(&self, open: Span, what: &str) -> Parse<()> {
        if self.kind() == Kind::End {
            let (line, _) = self.source.place(open.start);
            return Err(self.expected(&format!("the `}}` of the {what} of line {line}")));
        }
        Ok(())
    }
}

/// Returns the text of a comment, if it is not empty.
fn text_of(comment: Option<comments::Comment>) -> Option<String> {
    comment.map(|comment| comment.text).filter(|text| !text.is_empty())
}

/// Truncates a token's text for an error message.
fn truncated(text: &str) -> String {
    const MAX_CHARS: usize = 40;
    if text.chars().count() <= MAX_CHARS {
        text.to_owned()
    } else {
        let start: String = text.chars().take(MAX_CHARS).collect();
        format!("{start}…")
    }
}

/// Appends steps to a path.
fn join(path: &[i32], steps: &[i32]) -> Vec<i32> {
    [path, steps].concat()
}

/// Converts an index to a step of a path.
fn step(index: usize) -> i32 {
    i32::try_from(index).unwrap_or(i32::MAX)
}
