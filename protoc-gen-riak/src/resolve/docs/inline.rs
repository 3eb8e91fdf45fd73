//! Escapes the inline text of a paragraph: code spans, links and tags.
//!
//! Invariant: code spans within one block, links to addresses and escaped punctuation are kept; every
//! other backtick, bracket and opening angle bracket of a tag is escaped, and bare addresses become
//! links.

use super::is_list_marker;

/// Escapes a paragraph except for its code spans and links.
pub(super) fn escape(text: &str, in_table: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        // Most text is plain: it is copied in runs.
        let plain = rest.bytes().position(may_be_markup).unwrap_or(rest.len());
        out.push_str(&rest[..plain]);
        rest = &rest[plain..];
        let Some(first) = rest.bytes().next() else { return out };
        let taken = match first {
            b'\\' => copy_escape(rest, &mut out),
            b'`' => copy_code(rest, in_table, &mut out),
            b'<' => copy_angle(rest, &mut out),
            b'[' => copy_bracket(rest, &mut out),
            b']' => {
                out.push_str("\\]");
                1
            }
            _ if starts_address(rest) && !out.ends_with(|c: char| c.is_alphanumeric()) => {
                let address = address(rest);
                out.push('<');
                out.push_str(address);
                out.push('>');
                address.len()
            }
            _ => {
                out.push_str(&rest[..1]);
                1
            }
        };
        rest = &rest[taken..];
    }
}

/// Reports whether a byte may begin markup, or an address (`http`).
fn may_be_markup(byte: u8) -> bool {
    matches!(byte, b'\\' | b'`' | b'<' | b'[' | b']' | b'h')
}

/// Copies a backslash, with the punctuation that it escapes.
fn copy_escape(rest: &str, out: &mut String) -> usize {
    let next = rest[1..].chars().next().filter(char::is_ascii_punctuation);
    let len = 1 + usize::from(next.is_some());
    out.push_str(&rest[..len]);
    len
}

/// Copies a code span, or escapes a backtick that has no partner.
fn copy_code(rest: &str, in_table: bool, out: &mut String) -> usize {
    let run = rest.len() - rest.trim_start_matches('`').len();
    let mut from = run;
    while let Some(found) = rest[from..].find('`') {
        let start = from + found;
        let after = &rest[start..];
        let length = after.len() - after.trim_start_matches('`').len();
        if length == run {
            if !is_in_one_block(&rest[run..start], in_table) {
                break;
            }
            out.push_str(&rest[..start + length]);
            return start + length;
        }
        from = start + length;
    }
    for _ in 0..run {
        out.push_str("\\`");
    }
    run
}

/// Reports whether the text between two backticks is in one block. It is not if it
/// crosses a table cell, or if one of its lines starts with anything but a word.
fn is_in_one_block(code: &str, in_table: bool) -> bool {
    let is_word = |line: &str| {
        let first = line.split_whitespace().next().unwrap_or_default();
        first.starts_with(|c: char| c.is_ascii_alphanumeric()) && !is_list_marker(first)
    };
    if in_table { !code.contains(['|', '\n']) } else { code.split('\n').skip(1).all(is_word) }
}

/// Copies an address in angle brackets; escapes any other angle bracket that would
/// open a tag.
fn copy_angle(rest: &str, out: &mut String) -> usize {
    let inside = &rest[1..];
    if starts_address(inside)
        && let Some(end) = inside.find(|c: char| c == '>' || c.is_whitespace())
        && inside[end..].starts_with('>')
    {
        out.push_str(&rest[..end + 2]);
        return end + 2;
    }
    let opens_tag = inside.starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c));
    out.push_str(if opens_tag { "\\<" } else { "<" });
    1
}

/// Copies a link to an address; escapes any other bracket.
fn copy_bracket(rest: &str, out: &mut String) -> usize {
    let text_end = rest.find(']');
    if let Some(text_end) = text_end
        && let Some(target) = rest[text_end..].strip_prefix("](")
        && starts_address(target)
        && let Some(end) = target.find(|c: char| c == ')' || c.is_whitespace())
        && target[end..].starts_with(')')
        && !rest[1..text_end].contains(['[', '<', '`'])
    {
        let len = text_end + 2 + end + 1;
        out.push_str(&rest[..len]);
        return len;
    }
    out.push_str("\\[");
    1
}

fn starts_address(text: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| {
        text.strip_prefix(scheme).is_some_and(|host| host.starts_with(|c: char| c.is_alphanumeric()))
    })
}

/// Returns the address at the start of a text, without the punctuation of the
/// sentence around it.
fn address(text: &str) -> &str {
    let end = text.find(|c: char| c.is_whitespace() || "<>\"`[]\\".contains(c)).unwrap_or(text.len());
    let mut address = &text[..end];
    loop {
        let unpaired = address.ends_with(')') && !address.contains('(');
        if unpaired || address.ends_with(['.', ',', ';', ':', '!', '?', '\'', '*', '_']) {
            address = &address[..address.len() - 1];
        } else {
            return address;
        }
    }
}
