//! The operations that a code table implies: which response belongs to a request,
//! and how many there are.
//!
//! Invariant: every operation that is inferred here is reported in a notice.

use riak_codegen::ident::{snake_case, upper_camel_case};
use riak_codegen::model::{
    Absent, Cost, Docs, ErrorFrame, Field, FileId, MessageId, Mode, Operation, Retry, Service, Type,
};

use super::codes::CodeRow;
use super::frames::{Claim, Role, is_singular, last_part};
use super::infer::{Inference, Shape, shape};

impl Inference<'_> {
    /// Makes an operation of a request, if there is a response to it.
    pub(super) fn pair(&mut self, row: &CodeRow) {
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
        let counterpart = last_part(&format!("{stem}Resp")).to_owned();
        let answer = self.book.code_named(&counterpart).and_then(|code| {
            let response = self.book.slot(code)?.message?;
            Some((code, response))
        });
        let Some((code, response)) = answer else {
            let text = format!(
                "no code is called {counterpart}: {} ({}) gets its type and its code, and no method",
                row.name, row.code
            );
            self.report.notice(&row.place, text);
            return;
        };
        let many = self.table.rows.iter().any(|row| row.code == code && row.many);
        let (mode, text) = self.mode(request, response, many);
        let text = format!(
            "{} ({}) is answered by {text} {counterpart} ({code}), as the names say",
            row.name, row.code
        );
        self.report.notice(&row.place, text);
        let operation = self.operation(row, request, (code, response), mode, false);
        self.add_operation(row, request, operation);
    }

    /// Returns how many responses there are, also in words.
    fn mode(&self, request: MessageId, response: MessageId, many: bool) -> (Mode, &'static str) {
        let flag = |id: MessageId, name: &str| {
            let fields = self.schema.messages[id.0].fields.iter();
            let is_flag =
                |field: &Field| field.name == name && field.ty == Type::Bool && is_singular(field.presence);
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

    pub(super) fn operation(
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
            answer_name: String::new(),
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

    /// Returns the method name, such as `ListKeys` for `RpbListKeysReq`: without the
    /// suffix, and without the first word if every request of its file starts with it.
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

    /// Adds an operation to the service of the file that its row names, or else of the
    /// request's file.
    pub(super) fn add_operation(&mut self, row: &CodeRow, request: MessageId, operation: Operation) {
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
        let service_name = match &row.file {
            Some(column) => column.clone(),
            None => self.schema.files[file.0].module.last().cloned().unwrap_or_default(),
        };
        let service_name = service_name.rsplit('/').next().unwrap_or(&service_name);
        let name = upper_camel_case(service_name.trim_start_matches("r#"));
        let (file, index) = self.service_named(&name, file);
        self.schema.files[file.0].services[index].operations.push(operation);
    }

    /// Finds the emitted service of this name, or adds one to `file`.
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
            dispatcher_name: String::new(),
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

    /// Returns the message of code 0 as the error frame, if it has a text and a number.
    fn error_frame(&mut self) -> Option<ErrorFrame> {
        let slot = self.book.slot(0)?;
        let (id, place) = (slot.message?, slot.place.clone());
        let message = &self.schema.messages[id.0];
        let singular = |ty: Type| {
            let fields = message.fields.iter();
            let fits = |field: &Field| field.ty == ty && is_singular(field.presence);
            fields.enumerate().find(|(_, field)| fits(field)).map(|(index, _)| index)
        };
        let text = singular(Type::Bytes)?;
        let number = Some(singular(Type::Uint32)?);
        let notice =
            format!("{} (0) may stand in for any answer, by its code and its fields", message.full_name);
        self.report.notice(&place, notice);
        let claim = Claim { code: 0, message: id, role: Role::Response, raw: false, emit: true, place };
        let claimed = self.book.claim(&claim, &self.schema.messages, self.report);
        claimed.then_some(ErrorFrame { code: 0, message: id, text, number })
    }
}
