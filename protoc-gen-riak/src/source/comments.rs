//! Says which comment belongs to what, by the same rules as `protoc`.
//!
//! What lies between two tokens, the second of which starts a new declaration, is cut into the
//! comment that trails what came before, the comments that belong to nothing, and the comment that
//! leads what comes next:
//!
//! - A comment that starts on the line of the previous token trails it, unless the next token stands
//!   on the line that it ends on: then it could belong to either, and is detached.
//! - Line comments on consecutive lines are one comment; a block comment is always one by itself.
//! - Where nothing stands on the previous token's line, the first comment after it trails it if a
//!   blank line, another comment or the end of the block follows it, and no blank line precedes it.
//! - The last comment leads the next token if no blank line lies between them and the next token
//!   closes no block.
//! - Every other comment is detached.
//!
//! Invariant: each comment is kept with its exact text after the opening mark, line ends included;
//! of a block comment, white space and one `*` at the start of a line are taken off.

use super::lexer::is_space;
use super::text::Span;

/// One comment: its text as source code info has it, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Comment {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// The comments between two tokens.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Gap {
    pub(crate) trailing: Option<Comment>,
    pub(crate) detached: Vec<Comment>,
    pub(crate) leading: Option<Comment>,
}

/// Sorts the comments of a gap. The gap holds white space and whole comments, as the lexer leaves
/// it; `at_start` says that no token precedes it, `closes` that the text ends after it or that the
/// next token closes a block.
pub(crate) fn sort(text: &str, gap: Span, at_start: bool, closes: bool) -> Gap {
    let mut sorter = Sorter {
        text,
        start: gap.start,
        at: gap.start,
        end: gap.end,
        pending: None,
        joins_lines: false,
        can_trail: !at_start,
        count: 0,
        gap: Gap::default(),
    };
    sorter.run(at_start, closes);
    sorter.gap
}

struct Sorter<'a> {
    text: &'a str,
    start: usize,
    at: usize,
    end: usize,
    /// The comment that is being collected.
    pending: Option<Comment>,
    /// Whether the pending comment is one of lines, which a next line would continue.
    joins_lines: bool,
    /// Whether the next finished comment may trail the previous token.
    can_trail: bool,
    /// How many comments are finished.
    count: usize,
    gap: Gap,
}

impl Sorter<'_> {
    fn run(&mut self, at_start: bool, closes: bool) {
        let previous_line = self.line();
        let mut trailing_line = None;
        if !at_start {
            self.skip_spaces();
            if self.starts_with("//") {
                trailing_line = Some(self.line());
                self.line_comment();
                // Comments on the lines after it are others.
                self.flush();
            } else if self.starts_with("/*") {
                self.block_comment();
                trailing_line = Some(self.line());
                self.flush();
            } else if !self.newline() {
                return;
            }
        }
        while self.at < self.end {
            self.skip_spaces();
            if self.starts_with("//") {
                self.line_comment();
            } else if self.starts_with("/*") {
                self.block_comment();
                self.skip_spaces();
                self.newline();
            } else if self.newline() {
                self.flush();
                self.can_trail = false;
            } else {
                break;
            }
        }
        let line = self.line();
        if closes {
            self.flush();
        }
        if !at_start && (line == previous_line || trailing_line == Some(line)) {
            self.detach_single();
        }
        self.gap.leading = self.pending.take();
    }

    /// Lines are only compared: the count of line ends from the gap's start up to here does.
    fn line(&self) -> usize {
        self.text[self.start..self.at].matches('\n').count()
    }

    fn starts_with(&self, mark: &str) -> bool {
        self.text[self.at..self.end].starts_with(mark)
    }

    fn skip_spaces(&mut self) {
        let bytes = self.text.as_bytes();
        while self.at < self.end && is_space(bytes[self.at]) && bytes[self.at] != b'\n' {
            self.at += 1;
        }
    }

    fn newline(&mut self) -> bool {
        let found = self.starts_with("\n");
        self.at += usize::from(found);
        found
    }

    fn line_comment(&mut self) {
        if !self.joins_lines {
            self.flush();
        }
        let start = self.at;
        let rest = &self.text[start..self.end];
        let length = rest.find('\n').map_or(rest.len(), |len| len + 1);
        self.at += length;
        let comment = self
            .pending
            .get_or_insert_with(|| Comment { text: String::new(), span: Span { start, end: start } });
        comment.text.push_str(&rest[2..length]);
        comment.span.end = start + rest[..length].trim_end_matches('\n').len();
        self.joins_lines = true;
    }

    fn block_comment(&mut self) {
        self.flush();
        let start = self.at;
        let body = &self.text[start + 2..self.end];
        let length = body.find("*/").unwrap_or(body.len());
        self.at = (start + 2 + length + 2).min(self.end);
        let mut text = String::new();
        for (index, line) in body[..length].split_inclusive('\n').enumerate() {
            if index == 0 {
                text.push_str(line);
                continue;
            }
            let line = line.trim_start_matches([' ', '\t', '\r', '\x0b', '\x0c']);
            text.push_str(line.strip_prefix('*').unwrap_or(line));
        }
        let end = self.at;
        self.pending = Some(Comment { text, span: Span { start, end } });
        self.joins_lines = false;
    }

    /// Finishes the pending comment: it does not belong to the next token.
    fn flush(&mut self) {
        self.joins_lines = false;
        let Some(comment) = self.pending.take() else {
            return;
        };
        self.count += 1;
        if self.can_trail {
            self.can_trail = false;
            self.gap.trailing = Some(comment);
        } else {
            self.gap.detached.push(comment);
        }
    }

    /// A single comment that shares a line with tokens on both sides belongs to neither.
    fn detach_single(&mut self) {
        if self.count + usize::from(self.pending.is_some()) == 1 {
            self.can_trail = false;
            if let Some(trailing) = self.gap.trailing.take() {
                self.gap.detached.push(trailing);
            }
            self.flush();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The comments of a gap after a token, before one that closes no block.
    fn sorted(text: &str) -> (Option<String>, Vec<String>, Option<String>) {
        let gap = sort(text, Span { start: 0, end: text.len() }, false, false);
        let plain = |comment: Comment| comment.text;
        (gap.trailing.map(plain), gap.detached.into_iter().map(plain).collect(), gap.leading.map(plain))
    }

    #[test]
    fn a_comment_on_the_line_trails_and_one_above_leads() {
        assert_eq!(
            sorted(" // a\n// b\n// c\n"),
            (Some(" a\n".to_owned()), vec![], Some(" b\n c\n".to_owned()))
        );
        assert_eq!(sorted("\n// a\n"), (None, vec![], Some(" a\n".to_owned())));
        assert_eq!(sorted("\n// a\n\n"), (Some(" a\n".to_owned()), vec![], None));
        assert_eq!(sorted("\n\n// a\n\n// b\n"), (None, vec![" a\n".to_owned()], Some(" b\n".to_owned())));
    }

    #[test]
    fn a_comment_between_two_tokens_of_a_line_is_nobodys() {
        assert_eq!(sorted(" /* a */ "), (None, vec![" a ".to_owned()], None));
        assert_eq!(sorted(" /* a\n b */ "), (None, vec![" a\nb ".to_owned()], None));
    }

    #[test]
    fn the_end_of_a_block_has_no_leading_comment() {
        let text = "\n// a\n";
        let gap = sort(text, Span { start: 0, end: text.len() }, false, true);
        assert_eq!(gap.trailing.unwrap().text, " a\n");
        assert_eq!(gap.leading, None);
    }

    #[test]
    fn stars_at_the_start_of_a_line_are_decoration() {
        assert_eq!(sorted("\n/* a\n  * b\n c*/"), (None, vec![], Some(" a\n b\nc".to_owned())));
    }
}
