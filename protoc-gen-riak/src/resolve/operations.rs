//! Makes an operation from a method and its `riak.operation` option.
//!
//! Invariant: the fields that an operation names exist and have the right type,
//! and its codes are those of its messages.

use protobuf::descriptor::MethodDescriptorProto;
use protobuf::descriptor::method_options::IdempotencyLevel;
use riak_codegen::model::{Field, Kind, MessageId, Mode, Operation, Presence, Retry, Type};
use riak_codegen::suggest::did_you_mean;

use super::annotations::{self, operation};
use super::decls::Symbol;
use super::frames::{self, Role, is_singular};
use super::services::{Reported, ServiceResolver, Site};

impl ServiceResolver<'_, '_> {
    pub(super) fn operation(
        &mut self,
        site: &Site<'_>,
        method: &MethodDescriptorProto,
        declared: annotations::Operation,
    ) -> Result<Operation, Reported> {
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
        let retry = self.retry(site, method, &declared, request);
        let body = self.check_bodyless(site, &declared, request);
        let alternatives = self.alternatives(site, &declared, response);
        let others = alternatives.iter().map(|&(_, message)| message);
        let bodies = self.check_raw_bodies(site, &declared, [request, response].into_iter().chain(others));
        // All faults have been reported by now, so the first one can end it.
        let (request_code, response_code) = (request_code?, response_code?);
        let (mode, timeout, retry) = (mode?, timeout?, retry?);
        bodies?;
        body?;
        self.record_request(site, request)?;
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
            answer_name: String::new(),
            absent: declared.absent,
            cost: declared.cost,
            retry,
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

    /// Returns how the responses end.
    fn mode(
        &mut self,
        site: &Site<'_>,
        method: &MethodDescriptorProto,
        declared: &annotations::Operation,
        request: MessageId,
        response: MessageId,
    ) -> Result<Mode, Reported> {
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
    ) -> Result<Option<usize>, Reported> {
        let Some(name) = &declared.timeout else {
            return Ok(None);
        };
        let field = operation::TIMEOUT;
        self.named_field(site, field, request, name, "a singular integer", is_integer).map(Some)
    }

    /// Returns the retry class: as `riak.operation` says, or else as protobuf's
    /// `idempotency_level` says.
    fn retry(
        &mut self,
        site: &Site<'_>,
        method: &MethodDescriptorProto,
        declared: &annotations::Operation,
        request: MessageId,
    ) -> Result<Retry, Reported> {
        let retry = declared.retry.unwrap_or_else(|| retry_of(method));
        let message = &self.schema.messages[request.0];
        if retry == Retry::IfContext && !message.fields.iter().any(is_context) {
            let text = format!(
                "{} is repeated only with a causal context, and {} has none: mark the field that is one, \
                 [(riak.kind) = VCLOCK] or CONTEXT, or choose another \"retry\"",
                site.full_name, message.full_name
            );
            return self.refuse(&site.operation(operation::RETRY), text);
        }
        Ok(retry)
    }

    /// Checks that a request which is sent without a body requires no field, since its
    /// server could not decode it.
    fn check_bodyless(
        &mut self,
        site: &Site<'_>,
        declared: &annotations::Operation,
        request: MessageId,
    ) -> Result<(), Reported> {
        let message = &self.schema.messages[request.0];
        let required = message.fields.iter().find(|field| field.presence == Presence::Required);
        if let (true, Some(field)) = (declared.bodyless, required) {
            let text = format!(
                "{} is sent without a body, and {} requires \"{}\": make the field optional, or take \
                 \"bodyless\" away",
                site.full_name, message.full_name, field.name
            );
            return self.refuse(&site.operation(operation::BODYLESS), text);
        }
        Ok(())
    }

    /// Finds a field of a message that an option names, and checks its type.
    fn named_field(
        &mut self,
        site: &Site<'_>,
        option: u32,
        message: MessageId,
        name: &str,
        wanted: &str,
        fits: impl Fn(Type) -> bool,
    ) -> Result<usize, Reported> {
        let place = site.operation(option);
        let message = &self.schema.messages[message.0];
        let full_name = &message.full_name;
        let found = message.fields.iter().enumerate().find(|(_, field)| field.name == name);
        let Some((index, field)) = found else {
            let known = message.fields.iter().map(|field| field.name.as_str());
            let text = format!("{full_name} has no field \"{name}\"{}", did_you_mean(name, known));
            return self.refuse(&place, text);
        };
        if !(is_singular(field.presence) && fits(field.ty)) {
            let text = format!("{full_name}.{name} is not {wanted}, which {} needs", site.full_name);
            return self.refuse(&place, text);
        }
        Ok(index)
    }

    fn alternatives(
        &mut self,
        site: &Site<'_>,
        declared: &annotations::Operation,
        response: MessageId,
    ) -> Vec<(u8, MessageId)> {
        let mut found: Vec<(u8, MessageId)> = Vec::new();
        for alternative in &declared.alternatives {
            let place = site.operation(operation::ALTERNATIVE);
            let code = self.code(site, alternative.code, operation::ALTERNATIVE, "alternative code");
            let name = alternative.type_name.as_deref().unwrap_or_default();
            match self.decls.message_named(&site.full_name, name) {
                Ok(message) if message == response || found.iter().any(|&(_, known)| known == message) => {
                    let name = &self.schema.messages[message.0].full_name;
                    let text = format!("{name} is an answer of {} already: name each once", site.full_name);
                    self.report.fault(&place, text);
                }
                Ok(message) => {
                    let Ok(code) = code else { continue };
                    let role = Role::Response;
                    if self.claim(site, code, message, role, declared.raw, &place).is_ok() {
                        found.push((code, message));
                    }
                }
                Err(wrong) => self.report.fault(&place, wrong),
            }
        }
        found
    }

    /// Checks that the messages of a raw operation have no fields.
    fn check_raw_bodies(
        &mut self,
        site: &Site<'_>,
        declared: &annotations::Operation,
        messages: impl Iterator<Item = MessageId>,
    ) -> Result<(), Reported> {
        for id in messages {
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

    /// Records the request of an operation. Two operations with the same request could
    /// not be told apart.
    fn record_request(&mut self, site: &Site<'_>, request: MessageId) -> Result<(), Reported> {
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

    fn method_type(&mut self, site: &Site<'_>, name: &str) -> Result<MessageId, Reported> {
        if let Some(Symbol::Message(id)) = self.decls.symbol(name) {
            return Ok(id);
        }
        let text = format!("message \"{name}\" of method {} is not known", site.full_name);
        self.refuse(&site.name_place(), text)
    }

    fn code(&mut self, site: &Site<'_>, number: Option<u64>, field: u32, what: &str) -> Result<u8, Reported> {
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
}

/// Reports whether a field of a request can carry a causal context.
fn is_context(field: &Field) -> bool {
    matches!(field.kind, Kind::VClock | Kind::Context) && is_singular(field.presence)
}

/// Returns the retry class that protobuf's `idempotency_level` says.
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
