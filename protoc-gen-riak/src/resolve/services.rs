//! Operations from the methods of services, as their options declare them.
//!
//! Invariant: an operation that comes out names fields that exist and have the
//! right type, and codes that its messages have. What is wrong is reported
//! where it stands; the method is then left out.

use std::collections::HashMap;

use protobuf::descriptor::method_options::IdempotencyLevel;
use protobuf::descriptor::{MethodDescriptorProto, ServiceDescriptorProto};
use riak_codegen::ident::{Scope, snake_case};
use riak_codegen::model::{ErrorFrame, FileId, MessageId, Mode, Operation, Retry, Schema, Service, Type};

use super::annotations::{self, number, operation};
use super::decls::{Decls, FileDecl, Symbol};
use super::frames::{self, Claim, CodeBook, Role, is_singular};
use super::locations::{joined, part, step};
use super::messages::step_of;
use super::names::Names;
use super::options::Options;
use super::report::{Place, Report};
use super::suggest::did_you_mean;

/// Resolves the services of all files.
pub(crate) struct ServiceResolver<'r, 'd> {
    pub(crate) decls: &'r Decls<'d>,
    pub(crate) names: &'r Names,
    pub(crate) options: &'r Options,
    pub(crate) schema: &'r mut Schema,
    pub(crate) book: &'r mut CodeBook,
    pub(crate) report: &'r mut Report,
    /// What sends each request, and where it was declared.
    requests: HashMap<MessageId, (String, Place)>,
}

/// Where a service or method stands.
struct Site<'s> {
    file: &'s FileDecl<'s>,
    /// Its path through the file's descriptor.
    path: Vec<i32>,
    /// Its name with those around it.
    full_name: String,
    /// What it names may be missing: its file is an overlay.
    lenient: bool,
}

impl Site<'_> {
    /// The place of an option's field, or what is nearest.
    fn option(&self, options: i32, extension: u32, field: u32) -> Place {
        let below = [options, step_of(extension), step_of(field)];
        self.file.locations.place(&joined(&self.path, &below))
    }

    /// The place of a field of the method's `riak.operation`.
    fn operation(&self, field: u32) -> Place {
        self.option(part::METHOD_OPTIONS, number::OPERATION, field)
    }

    fn name_place(&self) -> Place {
        self.file.locations.name_place(&self.path)
    }
}

/// Why a method is no operation: it was reported.
struct LeftOut;

impl<'r, 'd> ServiceResolver<'r, 'd> {
    pub(crate) fn new(
        decls: &'r Decls<'d>,
        names: &'r Names,
        options: &'r Options,
        schema: &'r mut Schema,
        book: &'r mut CodeBook,
        report: &'r mut Report,
    ) -> Self {
        Self { decls, names, options, schema, book, report, requests: HashMap::new() }
    }

    pub(crate) fn resolve(mut self) {
        for (index, file) in self.decls.files.iter().enumerate() {
            for (number, proto) in file.proto.service.iter().enumerate() {
                if let Some(service) = self.service(FileId(index), number, proto) {
                    self.schema.files[index].services.push(service);
                }
            }
        }
    }

    fn service(&mut self, file: FileId, index: usize, proto: &ServiceDescriptorProto) -> Option<Service> {
        let decls = self.decls;
        let decl = &decls.files[file.0];
        let package = decl.proto.package();
        let dot = if package.is_empty() { "" } else { "." };
        let site = Site {
            file: decl,
            path: vec![part::FILE_SERVICE, step(index)],
            full_name: format!("{package}{dot}{}", proto.name()),
            lenient: self.options.overlays.iter().any(|name| name == decl.proto.name()),
        };
        let error = annotations::read_error(proto.options.special_fields.unknown_fields());
        let declared: Vec<_> = proto
            .method
            .iter()
            .map(|method| annotations::read_operation(method.options.special_fields.unknown_fields()))
            .collect();
        if error.is_none() && declared.iter().all(Option::is_none) {
            let text = format!(
                "service {} has no riak options and is left out: its methods are no operations",
                site.full_name
            );
            self.report.notice(&site.name_place(), text);
            return None;
        }
        let error = error.and_then(|error| self.error_frame(&site, &error));
        let mut operations = Vec::new();
        for (number, (method, declared)) in proto.method.iter().zip(declared).enumerate() {
            let site = Site {
                file: decl,
                path: joined(&site.path, &[part::SERVICE_METHOD, step(number)]),
                full_name: format!("{}.{}", site.full_name, method.name()),
                lenient: site.lenient,
            };
            let Some(declared) = declared else {
                let text = format!(
                    "method {} has no riak.operation option: give it request and response codes",
                    site.full_name
                );
                self.report.fault(&site.name_place(), text);
                continue;
            };
            if let Ok(operation) = self.operation(&site, method, declared) {
                operations.push(operation);
            }
        }
        self.check_extern(&site, &operations);
        let methods: Vec<&str> = operations.iter().map(|found| found.name.as_str()).collect();
        let rust_names = Scope::new().take_all(&methods, snake_case);
        for (operation, rust_name) in operations.iter_mut().zip(rust_names) {
            operation.rust_name = rust_name;
        }
        let names = &self.names.services[file.0][index];
        Some(Service {
            name: names.name.clone(),
            server_name: names.server.clone(),
            docs: decl.locations.docs(&site.path),
            deprecated: proto.options.deprecated(),
            error,
            operations,
        })
    }

    fn operation(
        &mut self,
        site: &Site<'_>,
        method: &MethodDescriptorProto,
        declared: annotations::Operation,
    ) -> Result<Operation, LeftOut> {
        let request = self.method_type(site, method.input_type())?;
        let response = self.method_type(site, method.output_type())?;
        if method.client_streaming() {
            let text = format!(
                "the request of {} is a stream: a request is one frame, take \"stream\" away",
                site.full_name
            );
            return self.refuse(&site.name_place(), text);
        }
        let request_code = self.code(site, declared.request, operation::REQUEST, "request");
        let response_code = self.code(site, declared.response, operation::RESPONSE, "response");
        let mode = self.mode(site, method, &declared, request, response);
        let timeout = self.timeout(site, &declared, request);
        let alternatives = self.alternatives(site, &declared);
        let bodies = self.raw_bodies(site, &declared, request, response);
        // Everything has been looked at: now a fault may end it.
        let (request_code, response_code) = (request_code?, response_code?);
        let (mode, timeout) = (mode?, timeout?);
        bodies?;
        self.sent_once(site, request)?;
        for (code, message, role, field) in [
            (request_code, request, Role::Request, operation::REQUEST),
            (response_code, response, Role::Response, operation::RESPONSE),
        ] {
            self.claim(site, code, message, role, declared.raw, &site.operation(field))?;
        }
        if declared.bodyless {
            self.schema.messages[request.0].bodyless = true;
        }
        Ok(Operation {
            name: method.name().to_owned(),
            rust_name: String::new(),
            request,
            request_code,
            response,
            response_code,
            mode,
            alternatives,
            absent: declared.absent,
            cost: declared.cost,
            retry: declared.retry.unwrap_or_else(|| retry_of(method)),
            since: declared.since,
            served_by: declared.served_by,
            handshake: declared.handshake,
            raw: declared.raw,
            bodyless: declared.bodyless,
            timeout,
            docs: site.file.locations.docs(&site.path),
            deprecated: method.options.deprecated(),
        })
    }

    /// How the answers end.
    fn mode(
        &mut self,
        site: &Site<'_>,
        method: &MethodDescriptorProto,
        declared: &annotations::Operation,
        request: MessageId,
        response: MessageId,
    ) -> Result<Mode, LeftOut> {
        let streams = method.server_streaming();
        if !streams {
            for (field, name, set) in [
                (operation::DONE, "done", declared.done.is_some()),
                (operation::STREAM_IF, "stream_if", declared.stream_if.is_some()),
            ] {
                if set {
                    let text = format!(
                        "{} has \"{name}\" and returns no stream: write returns (stream …), or take \"{name}\" away",
                        site.full_name
                    );
                    return self.refuse(&site.operation(field), text);
                }
            }
            return Ok(Mode::Unary);
        }
        let Some(done) = &declared.done else {
            let text = format!(
                "{} returns a stream: name the bool of the answer that marks the last frame in \"done\"",
                site.full_name
            );
            return self.refuse(&site.operation(operation::DONE), text);
        };
        let is_bool = |ty| ty == Type::Bool;
        let done = self.named_field(site, operation::DONE, response, done, "a singular bool", is_bool);
        let stream_if = declared.stream_if.as_ref().map(|name| {
            self.named_field(site, operation::STREAM_IF, request, name, "a singular bool", is_bool)
        });
        let done = done?;
        Ok(match stream_if {
            Some(stream_if) => Mode::Conditional { done, stream_if: stream_if? },
            None => Mode::Stream { done },
        })
    }

    fn timeout(
        &mut self,
        site: &Site<'_>,
        declared: &annotations::Operation,
        request: MessageId,
    ) -> Result<Option<usize>, LeftOut> {
        let Some(name) = &declared.timeout else {
            return Ok(None);
        };
        // An older schema without it is served just as well.
        let known = self.schema.messages[request.0].fields.iter().any(|field| field.name == *name);
        if site.lenient && !known {
            let text = format!(
                "{} has no field \"{name}\": {} is without its timeout",
                self.schema.messages[request.0].full_name, site.full_name
            );
            self.report.notice(&site.operation(operation::TIMEOUT), text);
            return Ok(None);
        }
        let field = operation::TIMEOUT;
        self.named_field(site, field, request, name, "a singular integer", is_integer).map(Some)
    }

    /// A field of a message that an option names.
    fn named_field(
        &mut self,
        site: &Site<'_>,
        option: u32,
        message: MessageId,
        name: &str,
        wanted: &str,
        fits: impl Fn(Type) -> bool,
    ) -> Result<usize, LeftOut> {
        let place = site.operation(option);
        let message = &self.schema.messages[message.0];
        let full_name = &message.full_name;
        let found = message.fields.iter().enumerate().find(|(_, field)| field.name == name);
        let Some((index, field)) = found else {
            let known = message.fields.iter().map(|field| field.name.as_str());
            let text = format!("{full_name} has no field \"{name}\"{}", did_you_mean(name, known));
            if site.lenient {
                let text = format!("{text}: {} is left out", site.full_name);
                self.report.notice(&place, text);
                return Err(LeftOut);
            }
            return self.refuse(&place, text);
        };
        if !(is_singular(field.presence) && fits(field.ty)) {
            let text = format!("{full_name}.{name} is not {wanted}, which {} needs", site.full_name);
            return self.refuse(&place, text);
        }
        Ok(index)
    }

    fn alternatives(&mut self, site: &Site<'_>, declared: &annotations::Operation) -> Vec<(u8, MessageId)> {
        let mut found = Vec::new();
        for alternative in &declared.alternatives {
            let place = site.operation(operation::ALTERNATIVE);
            let code = self.code(site, alternative.code, operation::ALTERNATIVE, "alternative code");
            let name = alternative.type_name.as_deref().unwrap_or_default();
            match self.decls.message_named(&site.full_name, name) {
                Ok(message) => {
                    let Ok(code) = code else { continue };
                    let role = Role::Response;
                    if self.claim(site, code, message, role, declared.raw, &place).is_ok() {
                        found.push((code, message));
                    }
                }
                Err(wrong) if site.lenient => {
                    let text = format!("{wrong}: {} is without this alternative", site.full_name);
                    self.report.notice(&place, text);
                }
                Err(wrong) => self.report.fault(&place, wrong),
            }
        }
        found
    }

    fn error_frame(&mut self, site: &Site<'_>, declared: &annotations::ErrorFrame) -> Option<ErrorFrame> {
        let place = |field| site.option(part::SERVICE_OPTIONS, number::ERROR, field);
        let name = declared.type_name.as_deref().unwrap_or_default();
        let message = match self.decls.message_named(&site.full_name, name) {
            Ok(message) => message,
            Err(wrong) => {
                self.report.fault(&place(2), wrong);
                return None;
            }
        };
        let Some(number) = declared.code else {
            let text = format!("the riak.error option of {} lacks \"code\"", site.full_name);
            self.report.fault(&place(1), text);
            return None;
        };
        let code = frames::code(number, "the error frame")
            .map_err(|wrong| self.report.fault(&place(1), wrong))
            .ok()?;
        let text = declared.text.as_deref().unwrap_or_default();
        let is_text = |ty| matches!(ty, Type::Bytes | Type::String);
        let text = self.error_field(message, text, &place(3), "singular bytes or a singular string", is_text);
        let number = declared.number.as_deref().map(|name| {
            self.error_field(message, name, &place(4), "a singular uint32", |ty| ty == Type::Uint32)
        });
        self.claim(site, code, message, Role::Response, false, &place(1)).ok()?;
        Some(ErrorFrame {
            code,
            message,
            text: text?,
            number: match number {
                Some(number) => Some(number?),
                None => None,
            },
        })
    }

    fn error_field(
        &mut self,
        message: MessageId,
        name: &str,
        place: &Place,
        wanted: &str,
        fits: impl Fn(Type) -> bool,
    ) -> Option<usize> {
        let message = &self.schema.messages[message.0];
        let full_name = &message.full_name;
        let found = message.fields.iter().position(|field| field.name == name);
        let text = if let Some(index) = found {
            let field = &message.fields[index];
            if is_singular(field.presence) && fits(field.ty) {
                return Some(index);
            }
            format!("{full_name}.{name} is not {wanted}, which an error frame needs")
        } else {
            let known = message.fields.iter().map(|field| field.name.as_str());
            let hint = did_you_mean(name, known);
            format!("{full_name} has no field \"{name}\"{hint}")
        };
        self.report.fault(place, text);
        None
    }

    /// A raw body is bytes, and no fields.
    fn raw_bodies(
        &mut self,
        site: &Site<'_>,
        declared: &annotations::Operation,
        request: MessageId,
        response: MessageId,
    ) -> Result<(), LeftOut> {
        for id in [request, response] {
            let message = &self.schema.messages[id.0];
            if declared.raw && !message.fields.is_empty() {
                let text = format!(
                    "{} is raw, and {} has fields: the body of a raw frame is not protobuf",
                    site.full_name, message.full_name
                );
                return self.refuse(&site.name_place(), text);
            }
        }
        Ok(())
    }

    /// Two operations with one request could not be told apart.
    fn sent_once(&mut self, site: &Site<'_>, request: MessageId) -> Result<(), LeftOut> {
        let place = site.name_place();
        if let Some((other, there)) = self.requests.get(&request) {
            let text = format!(
                "{} is the request of {other} already ({}): a request belongs to one operation",
                self.schema.messages[request.0].full_name,
                there.short()
            );
            return self.refuse(&place, text);
        }
        self.requests.insert(request, (site.full_name.clone(), place));
        Ok(())
    }

    /// Rust lets only the crate of a type say that it is a request.
    fn check_extern(&mut self, site: &Site<'_>, operations: &[Operation]) {
        if !site.file.emit {
            return;
        }
        let foreign = operations.iter().find_map(|operation| {
            let message = &self.schema.messages[operation.request.0];
            Some((message, message.path.root.as_ref()?))
        });
        if let Some((message, root)) = foreign {
            let text = format!(
                "service {} sends {}, which an extern path maps to {root}: only that crate can make it a \
                 request, so map {} to it as well",
                site.full_name,
                message.full_name,
                site.file.proto.name()
            );
            self.report.fault(&site.name_place(), text);
        }
    }

    fn method_type(&mut self, site: &Site<'_>, name: &str) -> Result<MessageId, LeftOut> {
        if let Some(Symbol::Message(id)) = self.decls.symbol(name) {
            return Ok(id);
        }
        let text = format!("message \"{name}\" of method {} is not known", site.full_name);
        self.refuse(&site.name_place(), text)
    }

    fn code(&mut self, site: &Site<'_>, number: Option<u64>, field: u32, what: &str) -> Result<u8, LeftOut> {
        let place = site.operation(field);
        let Some(number) = number else {
            let text = format!("the riak.operation option of {} lacks the {what}", site.full_name);
            return self.refuse(&place, text);
        };
        match frames::code(number, &format!("the {what} of {}", site.full_name)) {
            Ok(code) => Ok(code),
            Err(wrong) => self.refuse(&place, wrong),
        }
    }

    fn claim(
        &mut self,
        site: &Site<'_>,
        code: u8,
        message: MessageId,
        role: Role,
        raw: bool,
        place: &Place,
    ) -> Result<(), LeftOut> {
        let claim = Claim { code, message, role, raw, emit: site.file.emit, place: place.clone() };
        if self.book.claim(&claim, &self.schema.messages, self.report) { Ok(()) } else { Err(LeftOut) }
    }

    fn refuse<T>(&mut self, place: &Place, text: String) -> Result<T, LeftOut> {
        self.report.fault(place, text);
        Err(LeftOut)
    }
}

/// What may be repeated, as the standard option says.
fn retry_of(method: &MethodDescriptorProto) -> Retry {
    match method.options.idempotency_level() {
        IdempotencyLevel::NO_SIDE_EFFECTS | IdempotencyLevel::IDEMPOTENT => Retry::Safe,
        IdempotencyLevel::IDEMPOTENCY_UNKNOWN => Retry::Never,
    }
}

fn is_integer(ty: Type) -> bool {
    matches!(
        ty,
        Type::Int32
            | Type::Int64
            | Type::Uint32
            | Type::Uint64
            | Type::Sint32
            | Type::Sint64
            | Type::Fixed32
            | Type::Fixed64
            | Type::Sfixed32
            | Type::Sfixed64
    )
}
