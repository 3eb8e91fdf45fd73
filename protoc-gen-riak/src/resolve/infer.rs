//! Operations from a code table alone, for schemas without options.
//!
//! A table says which message has which code, and no more: the pairs come from
//! names, the streams from fields. What options say wins; the table adds what
//! they leave out. Invariant: nothing is inferred without a notice, and a row
//! that contradicts the schema is a fault.

use std::collections::BTreeMap;

use riak_codegen::ident::{Scope, snake_case, upper_camel_case};
use riak_codegen::model::{
    Absent, Cost, Docs, ErrorFrame, File, FileId, Message, MessageId, Mode, Operation, Retry, Schema,
    Service, Type,
};

use super::codes::{CodeRow, CodeTable};
use super::frames::{Claim, CodeBook, Role, is_singular, last_part};
use super::names::Names;
use super::report::Report;

/// Adds to a schema what a table says.
pub(crate) struct Inference<'r> {
    table: &'r CodeTable,
    names: &'r mut Names,
    schema: &'r mut Schema,
    book: &'r mut CodeBook,
    report: &'r mut Report,
    /// The file that was added for messages that belong to none.
    own_file: Option<FileId>,
}

/// What a row's name says about its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Request,
    Response,
    /// Neither: the same frame may go both ways.
    Either,
}

fn shape(name: &str) -> Shape {
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
        let mut foreign: BTreeMap<String, Vec<&CodeRow>> = BTreeMap::new();
        let mut raw = Vec::new();
        for row in &self.table.rows {
            match self.message_of(row) {
                Found::Message(id) => self.claim(row, id, false),
                Found::Contradiction | Found::Elsewhere => {}
                Found::Foreign(file) => {
                    self.book.reserve(row.code, &row.name, &row.place);
                    foreign.entry(file).or_default().push(row);
                }
                Found::Empty(file) => {
                    let is_raw = shape(&row.name) == Shape::Either && row.name.ends_with("Msg");
                    let id = self.add_message(row, file);
                    self.claim(row, id, is_raw);
                    if is_raw {
                        raw.push((row, id));
                    }
                    self.say_empty(row, is_raw);
                }
            }
        }
        for (file, rows) in foreign {
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

    /// The message that a row means.
    fn message_of(&mut self, row: &CodeRow) -> Found {
        if let Some(slot) = self.book.slot(row.code) {
            if slot.name == last_part(&row.name) {
                return slot.message.map_or(Found::Elsewhere, Found::Message);
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
            ([], None) => Found::Empty(self.partner_file(row)),
            ([], Some(Some(file))) if self.schema.files[file.0].emit => Found::Empty(Some(file)),
            ([], Some(Some(_))) => Found::Elsewhere,
            ([], Some(None)) => Found::Foreign(row.file.clone().unwrap_or_default()),
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

    /// The file of a table's third column.
    fn file_named(&self, column: &str) -> Option<FileId> {
        let stem = |name: &str| name.strip_suffix(".proto").unwrap_or(name).to_owned();
        let base = |name: &str| name.rsplit('/').next().unwrap_or(name).to_owned();
        let files = &self.schema.files;
        let exact = files.iter().position(|file| stem(&file.name) == column);
        let same_base = || files.iter().position(|file| base(&stem(&file.name)) == column);
        exact.or_else(same_base).map(FileId)
    }

    /// The file of the message that a row without a file goes with.
    fn partner_file(&self, row: &CodeRow) -> Option<FileId> {
        let partner = match shape(&row.name) {
            Shape::Request => format!("{}Resp", row.name.strip_suffix("Req")?),
            Shape::Response => format!("{}Req", row.name.strip_suffix("Resp")?),
            Shape::Either => return None,
        };
        let named = |message: &&Message| last_part(&message.full_name) == partner;
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

    /// Adds an empty message to a file, or to one of its own.
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
            keep_unknown: true,
            bodyless: false,
        });
        self.schema.files[file.0].messages.push(id);
        id
    }

    /// The file that holds the messages that have no other.
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

    fn say_empty(&mut self, row: &CodeRow, raw: bool) {
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

    /// Makes an operation of a request, if there is an answer to it.
    fn pair(&mut self, row: &CodeRow) {
        let Some(slot) = self.book.slot(row.code) else {
            return;
        };
        let Some(request) = slot.message.filter(|_| !slot.request && slot.emit) else {
            return;
        };
        let message = &self.schema.messages[request.0];
        if !self.schema.files[message.file.0].emit {
            return;
        }
        let stem = row.name.strip_suffix("Req").unwrap_or(&row.name);
        let partner = last_part(&format!("{stem}Resp")).to_owned();
        let answer = self.book.code_named(&partner).and_then(|code| {
            let response = self.book.slot(code)?.message?;
            Some((code, response))
        });
        let Some((code, response)) = answer else {
            let text = format!(
                "no code is called {partner}: {} ({}) gets its type and its code, and no method",
                row.name, row.code
            );
            self.report.notice(&row.place, text);
            return;
        };
        let many = self.table.rows.iter().any(|row| row.code == code && row.many);
        let (mode, text) = self.mode(request, response, many);
        let text =
            format!("{} ({}) is answered by {text} {partner} ({code}), as the names say", row.name, row.code);
        self.report.notice(&row.place, text);
        let operation = self.operation(row, request, (code, response), mode, false);
        self.add_operation(row, request, operation);
    }

    /// How many answers come, and that in words.
    fn mode(&self, request: MessageId, response: MessageId, many: bool) -> (Mode, &'static str) {
        let flag = |id: MessageId, name: &str| {
            let fields = self.schema.messages[id.0].fields.iter();
            let is_flag = |field: &riak_codegen::model::Field| {
                field.name == name && field.ty == Type::Bool && is_singular(field.presence)
            };
            fields.enumerate().find(|(_, field)| is_flag(field)).map(|(index, _)| index)
        };
        match (flag(response, "done"), flag(request, "stream")) {
            (Some(done), Some(stream_if)) => (
                Mode::Conditional { done, stream_if },
                "one, or with \"stream\" by many (the last with \"done\"),",
            ),
            (Some(done), None) => (Mode::Stream { done }, "many (the last with \"done\")"),
            (None, _) if many => (Mode::Unary, "one (many by the table, but nothing in it marks the last)"),
            (None, _) => (Mode::Unary, "one"),
        }
    }

    fn operation(
        &self,
        row: &CodeRow,
        request: MessageId,
        (response_code, response): (u8, MessageId),
        mode: Mode,
        raw: bool,
    ) -> Operation {
        let name = self.method_name(row);
        Operation {
            rust_name: String::new(),
            docs: self.schema.messages[request.0].docs.clone(),
            deprecated: self.schema.messages[request.0].deprecated,
            name,
            request,
            request_code: row.code,
            response,
            response_code,
            mode,
            alternatives: Vec::new(),
            absent: Absent::Defaults,
            cost: Cost::Unary,
            retry: Retry::Never,
            since: None,
            served_by: None,
            handshake: false,
            raw,
            bodyless: false,
            timeout: None,
        }
    }

    /// `RpbListKeysReq` as `ListKeys`: without what makes it a request, and
    /// without the first word if every request of its file starts with it.
    fn method_name(&self, row: &CodeRow) -> String {
        let bare = |row: &CodeRow| {
            let name = last_part(&row.name);
            let name = name.strip_suffix("Req").or_else(|| name.strip_suffix("Msg"));
            snake_case(name.unwrap_or(&row.name)).replace("r#", "")
        };
        let is_beside = |other: &&CodeRow| other.file == row.file && shape(&other.name) == Shape::Request;
        let own = bare(row);
        let word = own.split('_').next().unwrap_or_default();
        let shared = self.table.rows.iter().filter(is_beside).all(|other| {
            bare(other).strip_prefix(word).is_some_and(|rest| rest.starts_with('_') && rest.len() > 1)
        });
        let rest = own.strip_prefix(word).unwrap_or_default().trim_start_matches('_');
        if shared && !rest.is_empty() { upper_camel_case(rest) } else { upper_camel_case(&own) }
    }

    /// Puts an operation into the service of its table's file, or of the
    /// request's.
    fn add_operation(&mut self, row: &CodeRow, request: MessageId, mut operation: Operation) {
        for (code, message, role) in [
            (operation.request_code, request, Role::Request),
            (operation.response_code, operation.response, Role::Response),
        ] {
            let claim =
                Claim { code, message, role, raw: operation.raw, emit: true, place: row.place.clone() };
            if !self.book.claim(&claim, &self.schema.messages, self.report) {
                return;
            }
        }
        let declared = self.schema.messages[request.0].file;
        let column = row.file.as_deref().and_then(|column| self.file_named(column));
        let file = column.filter(|file| self.schema.files[file.0].emit).unwrap_or(declared);
        let called = match &row.file {
            Some(column) => column.clone(),
            None => self.schema.files[file.0].module.last().cloned().unwrap_or_default(),
        };
        let called = called.rsplit('/').next().unwrap_or(&called);
        let name = upper_camel_case(called.trim_start_matches("r#"));
        let (file, index) = self.service_named(&name, file);
        let service = &mut self.schema.files[file.0].services[index];
        let mut methods =
            Scope::with_taken(service.operations.iter().map(|operation| operation.rust_name.clone()));
        operation.rust_name = methods.take(&snake_case(&operation.name));
        service.operations.push(operation);
    }

    /// The service of this name, wherever it is emitted; a new one in the file
    /// if there is none.
    fn service_named(&mut self, name: &str, file: FileId) -> (FileId, usize) {
        for (index, known) in self.schema.files.iter().enumerate() {
            let found = known.services.iter().position(|service| service.name == name);
            if let Some(found) = found.filter(|_| known.emit) {
                return (FileId(index), found);
            }
        }
        let names = self.names.add_service(file, name);
        let service = Service {
            name: names.name,
            server_name: names.server,
            docs: Docs {
                lines: vec![format!(
                    "The operations of {}, as the names of its messages pair them.",
                    self.schema.files[file.0].name
                )],
            },
            deprecated: false,
            error: self.error_frame(),
            operations: Vec::new(),
        };
        let services = &mut self.schema.files[file.0].services;
        services.push(service);
        (file, services.len() - 1)
    }

    /// The message of code 0, if it has a text and a number.
    fn error_frame(&mut self) -> Option<ErrorFrame> {
        let slot = self.book.slot(0)?;
        let (id, place) = (slot.message?, slot.place.clone());
        let message = &self.schema.messages[id.0];
        let singular = |ty: Type| {
            let fields = message.fields.iter();
            let fits = |field: &riak_codegen::model::Field| field.ty == ty && is_singular(field.presence);
            fields.enumerate().find(|(_, field)| fits(field)).map(|(index, _)| index)
        };
        let text = singular(Type::Bytes)?;
        let number = Some(singular(Type::Uint32)?);
        let said =
            format!("{} (0) may stand in for any answer, by its code and its fields", message.full_name);
        self.report.notice(&place, said);
        let claim = Claim { code: 0, message: id, role: Role::Response, raw: false, emit: true, place };
        let claimed = self.book.claim(&claim, &self.schema.messages, self.report);
        claimed.then_some(ErrorFrame { code: 0, message: id, text, number })
    }
}

/// Where the message of a row is.
enum Found {
    Message(MessageId),
    /// Nowhere: it is empty, and belongs to this file or to none.
    Empty(Option<FileId>),
    /// In a schema that was not read.
    Foreign(String),
    /// In a crate that an extern path maps.
    Elsewhere,
    /// It was reported.
    Contradiction,
}
