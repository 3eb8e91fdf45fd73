//! The message-code table that accompanies a schema: a CSV file of
//! `code,name,file`.
//!
//! Invariant: a table has no duplicate codes or names, and every row knows its
//! place in the file.

use std::collections::HashMap;

use super::report::Place;
use crate::diagnostic::{Diagnostic, Diagnostics};

/// A message-code table, which accompanies a schema without options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CodeTable {
    pub(crate) rows: Vec<CodeRow>,
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CodeRow {
    pub(crate) code: u8,
    /// The name of the message, usually without its package.
    pub(crate) name: String,
    /// The schema file without `.proto`, if the table names it.
    pub(crate) file: Option<String>,
    pub(crate) place: Place,
    /// Whether the table says that a request is answered by many of these frames.
    pub(crate) many: bool,
}

impl CodeTable {
    /// Parses a table. Blank lines, lines that start with `#`, a first line
    /// `code,name,…`, white space around values and a missing third column are
    /// allowed; columns after the third are ignored.
    ///
    /// `file` is the name that faults print.
    ///
    /// # Errors
    ///
    /// Every line that is not a row, and every duplicate code or name.
    pub fn parse(file: &str, text: &str) -> Result<Self, Diagnostics> {
        let mut faults = Vec::new();
        let mut rows = Vec::new();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (line, number) in text.lines().zip(1..) {
            let bare = line.trim();
            let is_title = rows.is_empty() && bare.to_ascii_lowercase().starts_with("code,");
            if bare.is_empty() || bare.starts_with('#') || is_title {
                continue;
            }
            let place = |column| Place { file: file.to_owned(), line: number, column };
            match row(line, place) {
                Ok(row) => rows.push(row),
                Err((column, message)) => {
                    faults.push(Diagnostic::new(file, number, column, message));
                }
            }
        }
        faults.extend(duplicates(&rows));
        if faults.is_empty() { Ok(Self { rows }) } else { Err(Diagnostics::sorted(faults, [file])) }
    }
}

/// Parses a line as a row. The error is a column and what is wrong there.
fn row(line: &str, place: impl Fn(u32) -> Place) -> Result<CodeRow, (u32, String)> {
    let mut cells = cells(line);
    let (code, code_column) = cells.next().unwrap_or(("", 1));
    let code = code.parse::<u8>().map_err(|_| {
        let message =
            format!("\"{code}\" is not a message code: a row is code,name,file, with a code from 0 to 255");
        (code_column, message)
    })?;
    let Some((name, name_column)) = cells.next().filter(|(name, _)| !name.is_empty()) else {
        let message = format!("code {code} has no name: a row is code,name,file");
        return Err((code_column, message));
    };
    let is_name = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    if !name.split('.').all(is_name) {
        return Err((name_column, format!("\"{name}\" is no name of a message")));
    }
    let file = cells.next().filter(|(file, _)| !file.is_empty());
    let file = file.map(|(file, _)| file.strip_suffix(".proto").unwrap_or(file).to_owned());
    Ok(CodeRow { code, name: name.to_owned(), file, place: place(name_column), many: false })
}

/// Returns the cells of a line, without surrounding white space and quotes, each
/// with its column counted from 1.
fn cells(line: &str) -> impl Iterator<Item = (&str, u32)> {
    let mut column = 1;
    line.split(',').map(move |cell| {
        let blank = |c: char| c.is_whitespace() || c == '"';
        let value = cell.trim_start_matches(blank);
        let lead = cell[..cell.len() - value.len()].chars().count();
        let at = column + u32::try_from(lead).unwrap_or(0);
        column += u32::try_from(cell.chars().count()).unwrap_or(0) + 1;
        (value.trim_end_matches(blank), at)
    })
}

/// Returns a fault for each row whose code or name an earlier row has.
fn duplicates(rows: &[CodeRow]) -> Vec<Diagnostic> {
    let mut by_code: HashMap<u8, &CodeRow> = HashMap::new();
    let mut by_name: HashMap<&str, &CodeRow> = HashMap::new();
    let mut faults = Vec::new();
    for row in rows {
        let mut fault = |message| {
            let Place { file, line, column } = row.place.clone();
            faults.push(Diagnostic::new(file, line, column, message));
        };
        let first = *by_code.entry(row.code).or_insert(row);
        if first != row {
            let (code, place) = (row.code, first.place.short());
            fault(format!("code {code} is taken by {} ({place})", first.name));
        }
        let first = *by_name.entry(&row.name).or_insert(row);
        if first != row {
            let (name, place) = (&row.name, first.place.short());
            fault(format!("{name} has the code {} already ({place})", first.code));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_in_every_style() {
        let text = "\u{feff}Code,Name,File\r\n# riak\r\n\r\n0,RpbErrorResp,riak\r\n \
                    9 , RpbGetReq , riak_kv.proto , x\r\n104,TsTtbMsg\n255,\"RpbStartTls\",\"riak\"";
        let table = CodeTable::parse("codes.csv", text).unwrap();
        let rows: Vec<_> = table
            .rows
            .iter()
            .map(|row| (row.code, row.name.as_str(), row.file.as_deref(), row.place.line, row.place.column))
            .collect();
        assert_eq!(
            rows,
            [
                (0, "RpbErrorResp", Some("riak"), 4, 3),
                (9, "RpbGetReq", Some("riak_kv"), 5, 6),
                (104, "TsTtbMsg", None, 6, 5),
                (255, "RpbStartTls", Some("riak"), 7, 6),
            ]
        );
    }

    #[test]
    fn every_fault_with_its_place() {
        let text = "1,A,a\n256,B,a\nx,C,a\n2\n3,no name,a\n1,D,a\n4,A,a\n";
        let faults = CodeTable::parse("c.csv", text).unwrap_err().to_string();
        let expected = [
            "c.csv:2:1: \"256\" is not a message code: a row is code,name,file, with a code from 0 to 255",
            "c.csv:3:1: \"x\" is not a message code: a row is code,name,file, with a code from 0 to 255",
            "c.csv:4:1: code 2 has no name: a row is code,name,file",
            "c.csv:5:3: \"no name\" is no name of a message",
            "c.csv:6:3: code 1 is taken by A (c.csv:1)",
            "c.csv:7:3: A has the code 1 already (c.csv:1)",
        ];
        assert_eq!(faults.lines().collect::<Vec<_>>(), expected);
    }
}
