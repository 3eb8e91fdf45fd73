//! Reads message codes from the comments of a schema, as in `riakclient.proto` of
//! 2010: `9 - RpbGetReq`, `12 - RpbPutResp - 0 length`,
//! `18 - RpbListKeysResp{1,}`.
//!
//! Invariant: the comments of a file are read as a table only if one of their
//! lines names a message of the file; other numbers in comments are ignored.

use std::collections::HashSet;

use super::codes::{CodeRow, CodeTable};
use super::decls::{Decls, FileDecl};
use super::report::Place;

/// Returns the table in the comments of a file; empty if there is none.
pub(crate) fn code_table(decls: &Decls<'_>, file: &FileDecl<'_>) -> CodeTable {
    let messages: HashSet<&str> = file.messages.iter().map(|id| decls.messages[id.0].proto.name()).collect();
    let name = file.proto.name();
    let stem = name.strip_suffix(".proto").unwrap_or(name);
    let mut rows: Vec<CodeRow> = Vec::new();
    for (place, comment) in file.locations.comments() {
        let found: Vec<CodeRow> = comment
            .lines()
            .filter_map(|line| row(line, stem, &place))
            .filter(|row| is_frame(&row.name, &messages))
            .collect();
        // The first line for a code or a name counts.
        for row in found {
            let known = |other: &CodeRow| other.code == row.code || other.name == row.name;
            if !rows.iter().any(known) {
                rows.push(row);
            }
        }
    }
    if !rows.iter().any(|row| messages.contains(row.name.as_str())) {
        rows.clear();
    }
    CodeTable { rows }
}

/// Reports whether a name is that of a frame: there is such a message, or the name
/// is that of a request or response, which then has no body.
fn is_frame(name: &str, messages: &HashSet<&str>) -> bool {
    messages.contains(name) || name.ends_with("Req") || name.ends_with("Resp")
}

fn row(line: &str, file: &str, place: &Place) -> Option<CodeRow> {
    let line = line.trim_start_matches(|c: char| c == '*' || c.is_whitespace());
    let (code, rest) = line.split_once('-')?;
    let code = code.trim().parse().ok()?;
    let rest = rest.trim_start();
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let rest = rest.trim();
    // After the name, only a number of frames or the length of the body may follow.
    let plain = rest.is_empty() || rest.starts_with(['{', '-', '(']);
    plain.then(|| CodeRow {
        code,
        name: name.to_owned(),
        file: Some(file.to_owned()),
        place: place.clone(),
        many: rest.starts_with("{1,"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_table() {
        let read = |line| row(line, "f", &Place::default()).map(|row| (row.code, row.name, row.many));
        assert_eq!(read("** 9 - RpbGetReq"), Some((9, "RpbGetReq".to_owned(), false)));
        assert_eq!(read(" 12 - RpbPutResp - 0 length"), Some((12, "RpbPutResp".to_owned(), false)));
        assert_eq!(read("  18 - RpbListKeysResp{1,}"), Some((18, "RpbListKeysResp".to_owned(), true)));
        assert_eq!(read("300 - RpbGetReq"), None);
        assert_eq!(read("1 - one of the many"), None);
        assert_eq!(read("- RpbGetReq"), None);
        assert_eq!(read("0x00 Message Code - RpbGetReq"), None);
    }
}
