//! The text of a source file, and its places.
//!
//! Places are counted in two ways. Diagnostics count lines and columns from 1, in characters. Source
//! code info counts from 0, in bytes, and a tab there advances to the next multiple of 8.
//!
//! Invariant: every offset that is returned or passed in is on a character boundary of the text.

use crate::Diagnostic;

/// A range of byte offsets in a file's text; the end is exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    /// Returns the span from the start of this one to the end of another.
    pub(crate) fn to(self, other: Self) -> Self {
        Self { start: self.start, end: other.end }
    }
}

/// The width of a tab in source code info.
const TAB_WIDTH: usize = 8;

/// The text of a file, with its names.
#[derive(Debug, Clone)]
pub(crate) struct SourceText {
    /// The name by which it is imported.
    pub(crate) name: String,
    /// The name that diagnostics show: the path as it was given or found.
    pub(crate) shown: String,
    text: String,
    /// The offset at which each line starts.
    lines: Vec<usize>,
    /// The offset of each tab. Searching for tabs at each lookup would be slow for long lines.
    tabs: Vec<usize>,
}

impl SourceText {
    pub(crate) fn new(name: impl Into<String>, shown: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let tabs = text.match_indices('\t').map(|(at, _)| at).collect();
        Self { name: name.into(), shown: shown.into(), text, lines, tabs }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Returns the text of a span.
    pub(crate) fn slice(&self, span: Span) -> &str {
        &self.text[span.start..span.end]
    }

    /// Returns the line of an offset, counted from 0, and the offset at which that line starts.
    fn line_of(&self, offset: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|&start| start <= offset) - 1;
        (line, self.lines[line])
    }

    /// Returns the line and column for diagnostics: from 1, in characters, not counting a byte order
    /// mark.
    pub(crate) fn place(&self, offset: usize) -> (u32, u32) {
        let (line, start) = self.line_of(offset);
        let before = self.text[start..offset].trim_start_matches('\u{feff}');
        let column = before.chars().count() + 1;
        (u32::try_from(line + 1).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
    }

    /// Returns the line and column for source code info: from 0, in bytes, with tabs expanded.
    fn point(&self, offset: usize) -> (i32, i32) {
        let (line, start) = self.line_of(offset);
        let [first, last] = [start, offset].map(|end| self.tabs.partition_point(|&tab| tab < end));
        let (mut column, mut from) = (0, start);
        for tab in &self.tabs[first..last] {
            column += tab - from;
            column += TAB_WIDTH - column % TAB_WIDTH;
            from = tab + 1;
        }
        let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        (number(line), number(column + offset - from))
    }

    /// Returns a span for source code info, which omits the end line if it is the start line.
    pub(crate) fn span_numbers(&self, span: Span) -> Vec<i32> {
        let (start_line, start_column) = self.point(span.start);
        let (end_line, end_column) = self.point(span.end);
        if start_line == end_line {
            vec![start_line, start_column, end_column]
        } else {
            vec![start_line, start_column, end_line, end_column]
        }
    }

    /// Returns the offset for which [`place`](Self::place) returns this line and column.
    pub(crate) fn offset(&self, line: u32, column: u32) -> Option<usize> {
        let index = usize::try_from(line.checked_sub(1)?).ok()?;
        let start = *self.lines.get(index)?;
        let mark = self.text[start..].len() - self.text[start..].trim_start_matches('\u{feff}').len();
        let before = usize::try_from(column.checked_sub(1)?).ok()?;
        let line = &self.text[start + mark..];
        let within = line.char_indices().nth(before).map_or(line.len(), |(at, _)| at);
        Some(start + mark + within)
    }

    /// Creates a fault or notice at an offset.
    pub(crate) fn diagnose(&self, offset: usize, message: impl Into<String>) -> Diagnostic {
        let (line, column) = self.place(offset);
        Diagnostic::new(self.shown.clone(), line, column, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tabs_move_on_to_the_next_multiple_of_eight() {
        let source = SourceText::new("a", "a", "\t\n a\tb\t\tc\n\td");
        let column = |what| source.point(source.text().find(what).unwrap());
        assert_eq!([column('a'), column('b'), column('c'), column('d')], [(1, 1), (1, 8), (1, 24), (2, 8)]);
        assert_eq!(source.point(1), (0, 8));
    }

    #[test]
    fn diagnostics_count_characters_and_source_code_info_counts_bytes() {
        let source = SourceText::new("a", "a", "\u{feff}x\n\tä b\n");
        assert_eq!(source.place(3), (1, 1));
        let b = source.text().find('b').unwrap();
        assert_eq!(source.place(b), (2, 4));
        let span = Span { start: b, end: b + 1 };
        assert_eq!(source.span_numbers(span), [1, 11, 12]);
        let both = Span { start: 3, end: b + 1 };
        assert_eq!(source.span_numbers(both), [0, 3, 1, 12]);
        assert_eq!(source.place(source.text().len()), (3, 1));
    }
}
