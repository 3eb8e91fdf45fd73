//! Blank lines between items, which `prettyplease` does not print.
//!
//! Invariant: only white space between tokens changes.

/// Inserts the blank lines between items that people would write and the printer
/// omits, and puts each list of lints on one line.
pub(super) fn add_blank_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        out.push_str(line);
        if line.trim_start() == "#[allow(" {
            let mut gap = "";
            for lint in lines.by_ref().map(str::trim) {
                if lint == ")]" {
                    out.push_str(lint);
                    break;
                }
                out.push_str(gap);
                out.push_str(lint);
                gap = " ";
            }
            out.push('\n');
            continue;
        }
        out.push('\n');
        let Some(next) = lines.peek() else { break };
        let depth = |line: &str| line.len() - line.trim_start().len();
        if depth(line) == depth(next) && needs_blank_line(line.trim_start(), next.trim_start()) {
            out.push('\n');
        }
    }
    out
}

/// Reports whether a blank line belongs between two lines of equal indentation.
pub(super) fn needs_blank_line(line: &str, next: &str) -> bool {
    let ends = line.ends_with(';');
    let starts = |starts: &[&str]| starts.iter().any(|start| line.starts_with(start));
    if starts(&["use "]) {
        return ends && !next.starts_with("use ") && !next.starts_with("#[cfg");
    }
    let closes = matches!(line, "}" | "};" | "});");
    let documented = ends && next.starts_with("///") && !line.starts_with("///");
    let associated = ends && starts(&["const ", "type "]) && (next.starts_with("#[") || begins_fn(next));
    (closes && begins_item(next)) || documented || associated
}

fn begins_fn(line: &str) -> bool {
    ["fn ", "async fn ", "pub fn ", "pub const fn ", "pub async fn "]
        .iter()
        .any(|start| line.starts_with(start))
}

fn begins_item(line: &str) -> bool {
    ["///", "#[", "pub ", "impl", "fn ", "async fn ", "const ", "mod ", "type "]
        .iter()
        .any(|start| line.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_lints_are_one_line() {
        let text = "#[allow(\n    clippy::all,\n    dead_code\n)]\npub mod a;\n";
        assert_eq!(add_blank_lines(text), "#[allow(clippy::all, dead_code)]\npub mod a;\n");
    }

    #[test]
    fn comments_with_code_have_no_blank_lines() {
        let text = "/// ```text\n/// let a;\n/// let b;\n/// ```\nstruct A {\n    /// Set a;\n    /// then b.\n    b: B,\n}\n";
        assert_eq!(add_blank_lines(text), text);
    }

    #[test]
    fn blank_lines_separate_items_but_not_statements() {
        let text = "use a::B;\nstruct A {\n    b: B,\n}\nimpl A {\n    const B: u8 = 1;\n    fn a() {\n        if b {\n        }\n        c()\n    }\n    fn d() {}\n}\n";
        assert_eq!(
            add_blank_lines(text),
            "use a::B;\n\nstruct A {\n    b: B,\n}\n\nimpl A {\n    const B: u8 = 1;\n\n    fn a() {\n        if b {\n        }\n        c()\n    }\n\n    fn d() {}\n}\n"
        );
    }
}
