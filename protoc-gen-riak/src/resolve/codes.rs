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
    /// Every line that is not a row, and every duplicate code or name. If most lines do
    /// not even begin with a number, the file is no table: only the first of them is
    /// reported then.
    pub fn parse(file: &str, text: &str) -> Result<Self, Diagnostics> {
        let mut faults = Vec::new();
        let mut rows = Vec::new();
        let mut unlike = Unlike::default();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (line, number) in text.lines().zip(1..) {
            let bare = line.trim();
            let is_title = rows.is_empty() && bare.to_ascii_lowercase().starts_with("code,");
            if bare.is_empty() || bare.starts_with('#') || is_title {
                continue;
            }
            unlike.count(number, line);
            let place = |column| Place { file: file.to_owned(), line: number, column };
            match row(line, place) {
                Ok(row) => rows.push(row),
                Err((column, message)) => {
                    faults.push(Diagnostic::new(file, number, column, message));
                }
            }
        }
        if let Some(fault) = unlike.fault(file) {
            return Err(fault.into());
        }
        faults.extend(duplicates(&rows));
        if faults.is_empty() { Ok(Self { rows }) } else { Err(Diagnostics::sorted(faults, [file])) }
    }
}

/// Tells a table with faults from a file that is no table.
#[derive(Default)]
struct Unlike<'t> {
    /// The first line that does not begin with a number, and its own number.
    first: Option<(u32, &'t str)>,
    /// How many lines do not begin with a number.
    others: usize,
    /// How many lines begin with a number.
    numbered: usize,
}

impl<'t> Unlike<'t> {
    fn count(&mut self, number: u32, line: &'t str) {
        let is_number = |cell: &str| !cell.is_empty() && cell.bytes().all(|byte| byte.is_ascii_digit());
        if cells(line).next().is_some_and(|(cell, _)| is_number(cell)) {
            self.numbered += 1;
        } else {
            self.others += 1;
            self.first.get_or_insert((number, line));
        }
    }

    /// Returns the fault of a file that is no table.
    fn fault(&self, file: &str) -> Option<Diagnostic> {
        let (number, line) = self.first.filter(|_| self.others > self.numbered)?;
        let message = format!(
            "this file is no table of message codes: a line of one is code,name,file, such as \
             9,RpbGetReq,riak_kv, and the first line that differs is \"{}\"",
            excerpt(line)
        );
        Some(Diagnostic::new(file, number, 1, message))
    }
}

/// Returns the start of a line, in which every character can be shown.
fn excerpt(line: &str) -> String {
    const LENGTH: usize = 40;
    let line = line.trim();
    let shown = |char: char| if char.is_control() { char::REPLACEMENT_CHARACTER } else { char };
    let mut text: String = line.chars().take(LENGTH).map(shown).collect();
    if line.chars().nth(LENGTH).is_some() {
        text.push('…');
    }
    text
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

    #[test]
    fn a_file_that_is_no_table_has_one_fault() {
        let fault = |text| CodeTable::parse("f", text).unwrap_err().to_string();
        let says = |line: u32, shown: &str| {
            format!(
                "f:{line}:1: this file is no table of message codes: a line of one is code,name,file, such as \
                 9,RpbGetReq,riak_kv, and the first line that differs is \"{shown}\""
            )
        };
        let schema = "# a schema\n\nsyntax = \"proto2\";\nmessage A {\n  optional bytes a = 1;\n}\n";
        assert_eq!(fault(schema), says(3, "syntax = \"proto2\";"));
        assert_eq!(fault("9;RpbGetReq;riak_kv\n10;RpbGetResp;riak_kv\n"), says(1, "9;RpbGetReq;riak_kv"));
        assert_eq!(fault("1,A,a\n2,B,a\nx\n\u{0}y\nz\n"), says(3, "x"));
        assert_eq!(
            fault("\u{7f}ELF\u{0}\u{1b}[2J this is a very long line of a program\n"),
            says(1, "\u{fffd}ELF\u{fffd}\u{fffd}[2J this is a very long line of a …")
        );
    }

    #[test]
    fn a_table_that_is_mostly_right_keeps_its_own_faults() {
        let faults = CodeTable::parse("c.csv", "1,A,a\nB,2,a\nC,3,a\n4,D,a\n").unwrap_err();
        assert_eq!(faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [2, 3]);
        assert!(faults.to_string().contains("\"B\" is not a message code"), "{faults}");
    }
}
