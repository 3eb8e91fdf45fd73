//! Adds to a schema what its code table implies.
//!
//! A table says only which message has which code: request and response pairs are
//! inferred from names, streams from fields. Options take precedence; the table
//! adds what they leave out. Invariant: each inference is reported in a notice,
//! and a row that contradicts the schema is a fault.

use std::collections::BTreeMap;

use riak_codegen::model::{Docs, File, FileId, Message, MessageId, Mode, Schema};

use super::codes::{CodeRow, CodeTable};
use super::frames::{Claim, CodeBook, Role, last_part};
use super::names::Names;
use super::report::Report;

/// The state of applying a table to a schema.
pub(crate) struct Inference<'r> {
    pub(super) table: &'r CodeTable,
    pub(super) names: &'r mut Names,
    pub(super) schema: &'r mut Schema,
    pub(super) book: &'r mut CodeBook,
    pub(super) report: &'r mut Report,
    /// The file that was added for messages without a file.
    own_file: Option<FileId>,
}

/// The kind of frame that a row's name indicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Request,
    Response,
    /// Neither: the frame may go both ways.
    Either,
}

pub(super) fn shape(name: &str) -> Shape {
    if name.ends_with("Req") {
        Shape::Request
    } else if name.ends_with("Resp") {
        Shape::Response
    } else {
        Shape::Either
    }
}

impl<'r> Inference<'r> {
    pub(crate) fn new(
        table: &'r CodeTable,
        names: &'r mut Names,
        schema: &'r mut Schema,
        book: &'r mut CodeBook,
        report: &'r mut Report,
    ) -> Self {
        Self { table, names, schema, book, report, own_file: None }
    }

    pub(crate) fn apply(mut self) {
        let mut not_read: BTreeMap<String, Vec<&CodeRow>> = BTreeMap::new();
        let mut raw = Vec::new();
        for row in &self.table.rows {
            match self.message_of(row) {
                Found::Message(id) => self.claim(row, id, false),
                Found::Contradiction | Found::Extern => {}
                Found::NotRead(file) => {
                    self.book.reserve(row.code, &row.name, &row.place);
                    not_read.entry(file).or_default().push(row);
                }
                Found::Empty(file) => {
                    let is_raw = shape(&row.name) == Shape::Either && row.name.ends_with("Msg");
                    let id = self.add_message(row, file);
                    self.claim(row, id, is_raw);
                    if is_raw {
                        raw.push((row, id));
                    }
                    self.report_empty(row, is_raw);
                }
            }
        }
        for (file, rows) in not_read {
            let text = format!(
                "{file}.proto is not among the schemas: {} of its codes are names without a message ({})",
                rows.len(),
                rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>().join(", ")
            );
            self.report.notice(&rows[0].place, text);
        }
        for row in &self.table.rows {
            if shape(&row.name) == Shape::Request {
                self.pair(row);
            }
        }
        for (row, id) in raw {
            let operation = self.operation(row, id, (row.code, id), Mode::Unary, true);
            self.add_operation(row, id, operation);
        }
    }

    /// Finds the message that a row refers to.
    fn message_of(&mut self, row: &CodeRow) -> Found {
        if let Some(slot) = self.book.slot(row.code) {
            if slot.name == last_part(&row.name) {
                return slot.message.map_or(Found::Extern, Found::Message);
            }
            let text = format!(
                "code {} is that of {} in the schema ({}), and that of {} here",
                row.code,
                slot.name,
                slot.place.short(),
                row.name
            );
            self.report.fault(&row.place, text);
            return Found::Contradiction;
        }
        let is_named =
            |message: &Message| message.full_name == row.name || last_part(&message.full_name) == row.name;
        let all = self.schema.messages.iter().enumerate();
        let mut named: Vec<MessageId> =
            all.filter(|(_, message)| is_named(message)).map(|(index, _)| MessageId(index)).collect();
        let file = row.file.as_deref().map(|file| self.file_named(file));
        if named.len() > 1
            && let Some(Some(file)) = file
        {
            named.retain(|id| self.schema.messages[id.0].file == file);
        }
        if named.len() > 1 {
            let top_level = |id: &MessageId| {
                let file = self.schema.messages[id.0].file;
                self.schema.files[file.0].messages.contains(id)
            };
            named.retain(top_level);
        }
        match (named.as_slice(), file) {
            (&[id], _) => Found::Message(id),
            ([], None) => Found::Empty(self.counterpart_file(row)),
            ([], Some(Some(file))) if self.schema.files[file.0].emit => Found::Empty(Some(file)),
            ([], Some(Some(_))) => Found::Extern,
            ([], Some(None)) => Found::NotRead(row.file.clone().unwrap_or_default()),
            _ => {
                let text = format!(
                    "several messages are called {}: write its name with the package, or its file",
                    row.name
                );
                self.report.fault(&row.place, text);
                Found::Contradiction
            }
        }
    }

    /// Returns the file that a table's third column names.
    pub(super) fn file_named(&self, column: &str) -> Option<FileId> {
        let stem = |name: &str| name.strip_suffix(".proto").unwrap_or(name).to_owned();
        let base = |name: &str| name.rsplit('/').next().unwrap_or(name).to_owned();
        let files = &self.schema.files;
        let exact = files.iter().position(|file| stem(&file.name) == column);
        let same_base = || files.iter().position(|file| base(&stem(&file.name)) == column);
        exact.or_else(same_base).map(FileId)
    }

    /// Returns the file of the response to a request, or of the request of a response,
    /// for a row that names no file.
    fn counterpart_file(&self, row: &CodeRow) -> Option<FileId> {
        let counterpart = match shape(&row.name) {
            Shape::Request => format!("{}Resp", row.name.strip_suffix("Req")?),
            Shape::Response => format!("{}Req", row.name.strip_suffix("Resp")?),
            Shape::Either => return None,
        };
        let named = |message: &&Message| last_part(&message.full_name) == counterpart;
        let found = self.schema.messages.iter().find(named)?;
        self.schema.files[found.file.0].emit.then_some(found.file)
    }

    fn claim(&mut self, row: &CodeRow, message: MessageId, raw: bool) {
        let file = self.schema.messages[message.0].file;
        let claim = Claim {
            code: row.code,
            message,
            role: Role::Unknown,
            raw,
            emit: self.schema.files[file.0].emit,
            place: row.place.clone(),
        };
        self.book.claim(&claim, &self.schema.messages, self.report);
    }

    /// Adds an empty message to a file, or to the file for messages without one.
    fn add_message(&mut self, row: &CodeRow, file: Option<FileId>) -> MessageId {
        let file = file.unwrap_or_else(|| self.own_file());
        let id = MessageId(self.schema.messages.len());
        let names = self.names.add_message(file, &row.name);
        self.schema.messages.push(Message {
            full_name: row.name.clone(),
            path: names.path,
            ref_name: names.ref_name,
            file,
            docs: Docs { lines: vec![format!("Frame {}, which the schema has no message for.", row.code)] },
            deprecated: false,
            fields: Vec::new(),
            oneofs: Vec::new(),
            nested_module: names.nested_module,
            messages: Vec::new(),
            enums: Vec::new(),
            code: None,
            unknown: Some(super::messages::UNKNOWN_FIELDS.to_owned()),
            separate_oneofs: Vec::new(),
            bodyless: false,
            text_extensions: Vec::new(),
        });
        self.schema.files[file.0].messages.push(id);
        id
    }

    /// Returns the file for messages without a file, and adds it if necessary.
    fn own_file(&mut self) -> FileId {
        if let Some(file) = self.own_file {
            return file;
        }
        let file = self.names.add_file("frames");
        let module = self.names.files[file.0].clone();
        self.schema.files.push(File {
            name: format!("{}.proto", module.join("/")),
            module,
            docs: Docs { lines: vec!["Frames that no schema has a message for.".to_owned()] },
            emit: true,
            messages: Vec::new(),
            enums: Vec::new(),
            services: Vec::new(),
        });
        self.own_file = Some(file);
        file
    }

    fn report_empty(&mut self, row: &CodeRow, raw: bool) {
        let what = if raw {
            "its body is taken for bytes that are no protobuf, and it is answered by the same frame"
        } else if shape(&row.name) == Shape::Either {
            "it is taken for a frame without a body, and gets no method"
        } else {
            "it is taken for a frame without a body"
        };
        let text = format!("the schema has no message {} ({}): {what}", row.name, row.code);
        self.report.notice(&row.place, text);
    }
}

/// Where the message of a row is declared.
enum Found {
    Message(MessageId),
    /// Nowhere: the message is empty, and is added to this file or to the file for
    /// messages without one.
    Empty(Option<FileId>),
    /// In a schema that was not read.
    NotRead(String),
    /// In another crate, by an extern path.
    Extern,
    /// Unknown: the row contradicts the schema, which was reported.
    Contradiction,
}
