//! Turns comments of a schema into rustdoc.
//!
//! Schema comments are plain text that happens to look like Markdown in places.
//! Invariant: rustdoc reads the output without a warning and finds no doctest in
//! it. Code blocks are marked as text, brackets and angle brackets that would be
//! links and tags are escaped, bare addresses become links, and rulers do not
//! turn text into headings.

mod inline;

use riak_codegen::model::Docs;

/// Turns a comment into documentation. The comment is as in descriptors: without
/// `//`, `/*` and leading `*`.
pub(crate) fn from_comment(comment: &str) -> Docs {
    let lines = dedent(comment);
    let mut out = Vec::new();
    let mut paragraph: Vec<String> = Vec::new();
    let mut index = 0;
    while index < lines.len() {
        let line = &lines[index];
        let after_text = !paragraph.is_empty();
        if let Some(fence) = fence_of(line) {
            flush_paragraph(&mut paragraph, &mut out);
            index = copy_fenced(&lines, index, &fence, &mut out);
        } else if line.is_empty() {
            flush_paragraph(&mut paragraph, &mut out);
            out.push(String::new());
            index += 1;
        } else if !after_text && indent(line) >= 4 {
            index = copy_indented(&lines, index, &mut out);
        } else {
            paragraph.push(line.clone());
            // Text after a heading starts a new paragraph.
            if line.starts_with('#') {
                flush_paragraph(&mut paragraph, &mut out);
            }
            index += 1;
        }
    }
    flush_paragraph(&mut paragraph, &mut out);
    out.dedup_by(|line, before| line.is_empty() && before.is_empty());
    while out.last().is_some_and(String::is_empty) {
        out.pop();
    }
    let start = out.iter().take_while(|line| line.is_empty()).count();
    Docs { lines: out.split_off(start) }
}

/// Splits a comment into lines, removes their common indentation, trailing white
/// space and rulers, and expands tabs.
fn dedent(comment: &str) -> Vec<String> {
    // A lone carriage return, which Rust rejects in comments, also ends a line.
    let lines: Vec<String> = comment
        .lines()
        .flat_map(|line| line.split('\r'))
        .map(|line| line.replace(is_bidi_control, ""))
        .map(|line| line.trim_start_matches('*').replace('\t', "    "))
        .map(|line| if is_ruler(&line) { String::new() } else { line })
        .map(|line| line.trim_end().to_owned())
        .collect();
    let margin = lines.iter().filter(|line| !line.is_empty()).map(|line| indent(line)).min().unwrap_or(0);
    lines.into_iter().map(|line| line.get(margin..).unwrap_or_default().to_owned()).collect()
}

/// Reports whether a character changes the direction of text; the compiler rejects
/// these characters in comments.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Reports whether a line is drawn with punctuation. Below text, such a line would turn
/// the text into a heading.
fn is_ruler(line: &str) -> bool {
    let line = line.trim();
    let Some(first) = line.chars().next() else {
        return false;
    };
    line.chars().all(|c| c == first)
        && (matches!(first, '-' | '=') || (matches!(first, '*' | '#' | '/' | '_') && line.len() > 2))
}

/// Returns the characters of the fence that a line opens, if it opens one.
fn fence_of(line: &str) -> Option<String> {
    let line = line.trim_start_matches(' ');
    let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let fence: String = line.chars().take_while(|&c| c == mark).collect();
    let info = &line[fence.len()..];
    // With a backtick in its info string, it would be a code span.
    (fence.len() >= 3 && !info.contains('`')).then_some(fence)
}

/// Copies a fenced block, marked as text unless it names a language other than
/// Rust, and closes it if the comment does not. Returns the index of the line after
/// the block.
fn copy_fenced(lines: &[String], start: usize, fence: &str, out: &mut Vec<String>) -> usize {
    let opening = lines[start].trim();
    let info = opening[fence.len()..].trim();
    out.push(format!("{fence}{}", language(info)));
    let mut index = start + 1;
    while let Some(line) = lines.get(index) {
        index += 1;
        let bare = line.trim();
        let closes = bare.len() >= fence.len() && bare.chars().all(|c| fence.starts_with(c));
        if closes {
            break;
        }
        out.push(line.clone());
    }
    out.push(fence.to_owned());
    index
}

/// Returns the language of a block, or `text` if rustdoc would take the block for Rust.
fn language(info: &str) -> &str {
    const RUST: [&str; 8] =
        ["rust", "rs", "ignore", "should_panic", "no_run", "compile_fail", "test_harness", "custom"];
    let plain = !info.is_empty() && info.chars().all(|c| c.is_ascii_alphanumeric());
    let of_rust = RUST.contains(&info) || info.starts_with("edition");
    if plain && !of_rust { info } else { "text" }
}

/// Copies an indented block as a fenced one. Returns the index of the line after it.
fn copy_indented(lines: &[String], start: usize, out: &mut Vec<String>) -> usize {
    let indented = |line: &String| line.is_empty() || indent(line) >= 4;
    let mut end = start + lines[start..].iter().take_while(|line| indented(line)).count();
    while lines[end - 1].is_empty() {
        end -= 1;
    }
    let block = &lines[start..end];
    let margin = block.iter().filter(|line| !line.is_empty()).map(|line| indent(line)).min().unwrap_or(0);
    let body = block.iter().map(|line| line.get(margin..).unwrap_or_default().to_owned());
    // A fence in the block must not close the fence around it.
    let fence = if block.iter().any(|line| line.contains("```")) {
        let run = |line: &String| line.split(|c| c != '~').map(str::len).max().unwrap_or(0);
        "~".repeat(block.iter().map(run).max().map_or(6, |longest| longest + 1).max(6))
    } else {
        "```".to_owned()
    };
    out.push(format!("{fence}text"));
    out.extend(body);
    out.push(fence);
    end
}

/// Ends a paragraph: escapes it as a whole, since a code span may extend over
/// several lines.
fn flush_paragraph(paragraph: &mut Vec<String>, out: &mut Vec<String>) {
    if paragraph.is_empty() {
        return;
    }
    let in_table = paragraph.iter().any(|line| is_table_delimiter(line));
    let mut starts_block = in_table;
    let mut text = Vec::new();
    for line in paragraph.drain(..) {
        // Indented text at the start of a block would be code.
        let line = if starts_block { line.trim_start().to_owned() } else { line };
        starts_block = in_table || ends_block(&line);
        text.push(escape_block_start(&line));
    }
    out.extend(inline::escape(&text.join("\n"), in_table).lines().map(str::to_owned));
}

/// Reports whether a line ends a block: an empty list item, a ruler or a heading, also
/// in a list.
fn ends_block(line: &str) -> bool {
    let mut text = line.trim();
    while let Some((_, rest)) = text.split_once(' ').filter(|(word, _)| is_list_marker(word)) {
        text = rest.trim_start();
    }
    is_list_marker(text) || is_ruler(text) || text.starts_with('#')
}

/// Reports whether a line separates the head of a table from its rows.
fn is_table_delimiter(line: &str) -> bool {
    line.contains('|') && line.contains('-') && line.chars().all(|c| "|-: ".contains(c))
}

/// Escapes what would start a block within a paragraph, also in a list: a quote, a
/// fence, or a list item's text that is indented so far that it would be code.
fn escape_block_start(line: &str) -> String {
    let (spaces, text) = line.split_at(indent(line));
    if text.starts_with('>') || fence_of(text).is_some() {
        return format!("{spaces}\\{text}");
    }
    match text.find(' ').filter(|&end| is_list_marker(&text[..end])) {
        Some(end) => {
            let gap = if indent(&text[end..]) > 4 { " " } else { &text[end..end + indent(&text[end..])] };
            format!("{spaces}{}{gap}{}", &text[..end], escape_block_start(text[end..].trim_start()))
        }
        None => line.to_owned(),
    }
}

fn is_list_marker(word: &str) -> bool {
    let number = word.strip_suffix(['.', ')']);
    matches!(word, "-" | "*" | "+")
        || number.is_some_and(|n| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(comment: &str) -> Vec<String> {
        from_comment(comment).lines
    }

    #[test]
    fn plain_text_stays() {
        assert_eq!(
            lines(" A name and a value: `a[0]`, n_val -> 3.  \n\n\n More.\n\n"),
            ["A name and a value: `a[0]`, n_val -> 3.", "", "More."]
        );
        assert!(lines("").is_empty());
        assert!(lines(" \n \n").is_empty());
    }

    #[test]
    fn characters_that_rust_rejects_in_comments_are_removed() {
        assert_eq!(lines(" one\r two\r\n three"), ["one", "two", "three"]);
        assert_eq!(lines(" a\u{202e}b\u{2069}c"), ["abc"]);
    }

    #[test]
    fn no_line_of_an_indented_block_closes_its_fence() {
        assert_eq!(
            lines(" Head\n\n     a\n     ```\n     ~~~~~~~\n     x [y]\n\n After [z]\n"),
            ["Head", "", "~~~~~~~~text", "a", "```", "~~~~~~~", "x [y]", "~~~~~~~~", "", "After \\[z\\]"]
        );
    }

    #[test]
    fn block_comments_lose_their_frame() {
        assert_eq!(
            lines("* -------------\n*\n* riak.proto: buffers\n* ===\n* -------------\n"),
            ["riak.proto: buffers"]
        );
        assert_eq!(lines("* Doc.\n  And more. "), ["Doc.", " And more."]);
        // Asterisks of a list are kept.
        assert_eq!(lines(" * one\n * two\n"), ["* one", "* two"]);
    }

    #[test]
    fn ruler_does_not_make_a_heading() {
        assert_eq!(lines(" Title\n -----\n text\n"), ["Title", "", "text"]);
    }

    #[test]
    fn indented_blocks_are_text_and_no_doctests() {
        assert_eq!(
            lines(" Layout:\n\n     let x = 1;\n       y\n\n     z\n\n After.\n"),
            ["Layout:", "", "```text", "let x = 1;", "  y", "", "z", "```", "", "After."]
        );
        // Indented text that continues a paragraph or a list item is not code.
        assert_eq!(lines(" - item\n      goes on\n"), ["- item", "     goes on"]);
        // After a heading it is.
        assert_eq!(lines(" # Head\n     code\n"), ["# Head", "```text", "code", "```"]);
        assert_eq!(lines(" -      far in\n"), ["- far in"]);
        assert_eq!(lines(" 1.\n        far in\n"), ["1.", "far in"]);
        assert_eq!(lines(" - 1. ~~~\n"), ["- 1. \\~~~"]);
        assert_eq!(lines(" - # H\n         code\n"), ["- # H", "code"]);
        assert_eq!(lines(" |a|b|\n |-|-|\n      `|[x]`\n"), ["|a|b|", "|-|-|", "\\`|\\[x\\]\\`"]);
    }

    #[test]
    fn fences_are_marked_and_closed() {
        assert_eq!(lines(" ```\n a[0]\n ```\n"), ["```text", "a[0]", "```"]);
        assert_eq!(lines(" ```rust,ignore\n x\n"), ["```text", "x", "```"]);
        assert_eq!(lines(" ~~~erlang\n x\n ~~~\n"), ["~~~erlang", "x", "~~~"]);
        assert_eq!(lines(" ```should_panic\n <b>\n ```\n")[0], "```text");
    }

    #[test]
    fn brackets_and_angles_are_escaped() {
        assert_eq!(
            lines(" [Foo] of Vec<u8> and <tag>, a < b, {error, [x]}\n"),
            ["\\[Foo\\] of Vec\\<u8> and \\<tag>, a < b, {error, \\[x\\]}"]
        );
        assert_eq!(lines(" > quoted\n"), ["\\> quoted"]);
        assert_eq!(lines(" `[a]` and ``b`[c]``\n"), ["`[a]` and ``b`[c]``"]);
        assert_eq!(lines(" a ` [b]\n"), ["a \\` \\[b\\]"]);
        assert_eq!(lines(" `over\n lines [x]` [y]\n"), ["`over", "lines [x]` \\[y\\]"]);
        assert_eq!(lines(" \\[done\\]\n"), ["\\[done\\]"]);
    }

    #[test]
    fn addresses_become_links() {
        assert_eq!(
            lines(" See http://a.example/x_(y), or (https://b.example/).\n"),
            ["See <http://a.example/x_(y)>, or (<https://b.example/>)."]
        );
        assert_eq!(
            lines(" <https://a.example> [b](https://b.example/c) http:// xhttp://d\n"),
            ["<https://a.example> [b](https://b.example/c) http:// xhttp://d"]
        );
    }
}
