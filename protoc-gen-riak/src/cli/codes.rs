//! `protoc-gen-riak codes`: prints the message-code table of a schema.
//!
//! Invariant: the output has one line, or one object, for each code, in ascending order.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;

use riak_codegen::model::{Cost, Direction, Mode, Operation, Retry, Schema};

use super::flags::Flags;
use super::{Failure, print};

/// Runs the command.
pub(super) fn run(args: &[OsString]) -> Result<(), Failure> {
    let flags = Flags::parse(args)?;
    if flags.out.is_some() {
        return Err(Failure::Usage("the table goes to standard output: -o belongs to generate".to_owned()));
    }
    let show = match flags.format.as_deref() {
        None | Some("text") => text,
        Some("json") => json,
        Some(other) => {
            return Err(Failure::Usage(format!("there is no format {other}: write text or json")));
        }
    };
    let (schema, notices) = flags.config.schema(&flags.files, &flags.include)?;
    for notice in &notices {
        eprintln!("{notice}");
    }
    print(&show(&schema))
}

/// One row of the table.
struct Row<'s> {
    code: u8,
    name: &'s str,
    file: &'s str,
    direction: &'static str,
    operation: Option<&'s Operation>,
}

fn rows(schema: &Schema) -> Vec<Row<'_>> {
    let operations: BTreeMap<u8, &Operation> = schema
        .files
        .iter()
        .flat_map(|file| &file.services)
        .flat_map(|service| &service.operations)
        .map(|operation| (operation.request_code, operation))
        .collect();
    schema
        .frames
        .iter()
        .map(|frame| Row {
            code: frame.code,
            name: &frame.name,
            file: frame.message.map_or("", |id| &schema.files[schema.message(id).file.0].name),
            direction: match frame.direction {
                Direction::Request => "request",
                Direction::Response => "response",
                Direction::Both => "both",
                _ => "nested",
            },
            operation: operations.get(&frame.code).copied(),
        })
        .collect()
}

/// Returns a word for the number of responses.
fn frames(operation: &Operation) -> &'static str {
    match operation.mode {
        Mode::Unary => "one",
        Mode::Stream { .. } => "many",
        Mode::Conditional { .. } => "many if asked",
    }
}

fn retry(operation: &Operation) -> &'static str {
    match operation.retry {
        Retry::Safe => "safe",
        Retry::IfUnsent => "if unsent",
        Retry::IfContext => "if context",
        _ => "never",
    }
}

fn text(schema: &Schema) -> String {
    let rows = rows(schema);
    let width = |column: fn(&Row<'_>) -> usize| rows.iter().map(column).max().unwrap_or(0);
    let (names, files) = (width(|row| row.name.len()), width(|row| row.file.len()));
    let mut text = String::new();
    for row in &rows {
        let mut line =
            format!("{:>3}  {:<names$}  {:<files$}  {:<8}", row.code, row.name, row.file, row.direction);
        if let Some(operation) = row.operation {
            let cost = if operation.cost == Cost::Long { ", long" } else { "" };
            let _ = write!(
                line,
                "  {} -> {}, {}, retry {}{cost}",
                operation.name,
                operation.response_code,
                frames(operation),
                retry(operation),
            );
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn json(schema: &Schema) -> String {
    let objects: Vec<String> = rows(schema)
        .iter()
        .map(|row| {
            let mut object = format!(
                "{{\"code\": {}, \"name\": {}, \"file\": {}, \"direction\": {}",
                row.code,
                string(row.name),
                string(row.file),
                string(row.direction),
            );
            if let Some(operation) = row.operation {
                let alternatives: Vec<String> =
                    operation.alternatives.iter().map(|(code, _)| code.to_string()).collect();
                let _ = write!(
                    object,
                    ", \"operation\": {}, \"response\": {}, \"alternatives\": [{}], \"frames\": {}, \
                     \"retry\": {}, \"long\": {}",
                    string(&operation.name),
                    operation.response_code,
                    alternatives.join(", "),
                    string(frames(operation)),
                    string(retry(operation)),
                    operation.cost == Cost::Long,
                );
            }
            object.push('}');
            object
        })
        .collect();
    format!("[\n  {}\n]\n", objects.join(",\n  "))
}

/// Returns a JSON string. Paths, unlike names in a schema, may need escapes.
fn string(text: &str) -> String {
    let mut out = String::from("\"");
    for char in text.chars() {
        match char {
            '"' | '\\' => out.extend(['\\', char]),
            char if char.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(char));
            }
            char => out.push(char),
        }
    }
    out.push('"');
    out
}
