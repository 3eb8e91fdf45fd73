//! Assigns comments to declarations, by the same rules as `protoc`.
//!
//! The comments between two tokens, the second of which starts a new declaration, are divided into
//! the trailing comment of the previous declaration, detached comments, and the leading comment of
//! the next declaration:
//!
//! - A comment that starts on the line of the previous token is trailing, unless the next token is on
//!   the line on which the comment ends: it could then belong to either, and is detached.
//! - Line comments on consecutive lines are one comment; a block comment is always one by itself.
//! - If there is no comment on the previous token's line, the first comment after it is trailing if a
//!   blank line, another comment or the end of the block follows it, and no blank line precedes it.
//! - The last comment is leading if no blank line separates it from the next token and that token
//!   does not close a block.
//! - Every other comment is detached.
//!
//! Invariant: each comment keeps its exact text after the opening mark, including line ends, except
//! that white space and one `*` are removed from the start of each line of a block comment.

use super::lexer::is_space;
use super::text::Span;

/// A comment: its text as in source code info, and its place.
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

/// Classifies the comments of a gap, which contains only white space and whole comments. `at_start`
/// says that no token precedes the gap, `closes` that the file ends after it or that the next token
/// closes a block.
pub(crate) fn classify(text: &str, gap: Span, at_start: bool, closes: bool) -> Gap {
    let mut classifier = Classifier {
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
    classifier.run(at_start, closes);
    classifier.gap
}

struct Classifier<'a> {
    text: &'a str,
    start: usize,
    at: usize,
    end: usize,
    /// The comment that is being collected.
    pending: Option<Comment>,
    /// Whether the pending comment is a line comment, which the next line may continue.
    joins_lines: bool,
    /// Whether the next finished comment may be trailing.
    can_trail: bool,
    /// The number of finished comments.
    count: usize,
    gap: Gap,
}

impl Classifier<'_> {
    fn run(&mut self, at_start: bool, closes: bool) {
        let previous_line = self.line();
        let mut trailing_line = None;
        if !at_start {
            self.skip_spaces();
            if self.starts_with("//") {
                trailing_line = Some(self.line());
                self.line_comment();
                // Comments on the following lines are separate.
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

    /// Returns the number of line ends since the start of the gap, to compare lines.
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

    /// Finishes the pending comment, which does not belong to the next token.
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

    /// Detaches a single comment that shares a line with the tokens before and after it.
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

    /// Returns the comments of a gap between two tokens, the second of which does not close a block.
    fn classified(text: &str) -> (Option<String>, Vec<String>, Option<String>) {
        let gap = classify(text, Span { start: 0, end: text.len() }, false, false);
        let plain = |comment: Comment| comment.text;
        (gap.trailing.map(plain), gap.detached.into_iter().map(plain).collect(), gap.leading.map(plain))
    }

    #[test]
    fn comment_on_the_line_is_trailing_and_one_above_is_leading() {
        assert_eq!(
            classified(" // a\n// b\n// c\n"),
            (Some(" a\n".to_owned()), vec![], Some(" b\n c\n".to_owned()))
        );
        assert_eq!(classified("\n// a\n"), (None, vec![], Some(" a\n".to_owned())));
        assert_eq!(classified("\n// a\n\n"), (Some(" a\n".to_owned()), vec![], None));
        assert_eq!(
            classified("\n\n// a\n\n// b\n"),
            (None, vec![" a\n".to_owned()], Some(" b\n".to_owned()))
        );
    }

    #[test]
    fn comment_between_two_tokens_on_a_line_is_detached() {
        assert_eq!(classified(" /* a */ "), (None, vec![" a ".to_owned()], None));
        assert_eq!(classified(" /* a\n b */ "), (None, vec![" a\nb ".to_owned()], None));
    }

    #[test]
    fn the_end_of_a_block_has_no_leading_comment() {
        let text = "\n// a\n";
        let gap = classify(text, Span { start: 0, end: text.len() }, false, true);
        assert_eq!(gap.trailing.unwrap().text, " a\n");
        assert_eq!(gap.leading, None);
    }

    #[test]
    fn stars_at_the_start_of_a_comment_line_are_removed() {
        assert_eq!(classified("\n/* a\n  * b\n c*/"), (None, vec![], Some(" a\n b\nc".to_owned())));
    }
}
