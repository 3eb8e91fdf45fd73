//! Resolves services from their options.
//!
//! Invariant: a fault is reported at its place and does not end resolving; a
//! method with a fault is left out.

use std::collections::HashMap;

use protobuf::descriptor::ServiceDescriptorProto;
use riak_codegen::model::{ErrorFrame, FileId, MessageId, Operation, Presence, Schema, Service, Type};
use riak_codegen::suggest::did_you_mean;

use super::annotations::{self, number};
use super::decls::{Decls, FileDecl};
use super::frames::{self, Claim, CodeBook, Role, is_singular};
use super::locations::{joined, part, step};
use super::messages::step_of;
use super::names::Names;
use super::report::{Place, Report};

/// Resolves the services of all files.
pub(crate) struct ServiceResolver<'r, 'd> {
    pub(crate) decls: &'r Decls<'d>,
    pub(crate) names: &'r Names,
    pub(crate) schema: &'r mut Schema,
    pub(crate) book: &'r mut CodeBook,
    pub(crate) report: &'r mut Report,
    /// The method that sends each request, and the place of that method.
    pub(super) requests: HashMap<MessageId, (String, Place)>,
}

/// A service or method, for the places of faults in it.
pub(super) struct Site<'s> {
    pub(super) file: &'s FileDecl<'s>,
    /// The path of the service or method in the file's descriptor.
    pub(super) path: Vec<i32>,
    /// The full name of the service or method.
    pub(super) full_name: String,
}

impl Site<'_> {
    /// Returns the place of a field of an option, or the nearest one known.
    fn option(&self, options: i32, extension: u32, field: u32) -> Place {
        let below = [options, step_of(extension), step_of(field)];
        self.file.locations.place(&joined(&self.path, &below))
    }

    /// Returns the place of a field of the method's `riak.operation`.
    pub(super) fn operation(&self, field: u32) -> Place {
        self.option(part::METHOD_OPTIONS, number::OPERATION, field)
    }

    pub(super) fn name_place(&self) -> Place {
        self.file.locations.name_place(&self.path)
    }
}

/// Error for a method that is left out because of a fault that was reported.
pub(super) struct Reported;

impl<'r, 'd> ServiceResolver<'r, 'd> {
    pub(crate) fn new(
        decls: &'r Decls<'d>,
        names: &'r Names,
        schema: &'r mut Schema,
        book: &'r mut CodeBook,
        report: &'r mut Report,
    ) -> Self {
        Self { decls, names, schema, book, report, requests: HashMap::new() }
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
        let names = &self.names.services[file.0][index];
        Some(Service {
            name: names.name.clone(),
            server_name: names.server.clone(),
            dispatcher_name: String::new(),
            docs: decl.locations.docs(&site.path),
            deprecated: proto.options.deprecated(),
            error,
            operations,
        })
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
        let text = text?;
        let number = match number {
            Some(number) => Some(number?),
            None => None,
        };
        let message_of = &self.schema.messages[message.0];
        for (index, field) in message_of.fields.iter().enumerate() {
            if field.presence == Presence::Required && index != text && Some(index) != number {
                let text = format!(
                    "{}.{} is required, and a generated server sends errors without it: make it optional",
                    message_of.full_name, field.name
                );
                self.report.notice(&place(2), text);
            }
        }
        Some(ErrorFrame { code, message, text, number })
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

    /// Checks that the requests of a service are in the same crate: Rust allows only the
    /// crate of a type to implement a foreign trait for it.
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

    pub(super) fn claim(
        &mut self,
        site: &Site<'_>,
        code: u8,
        message: MessageId,
        role: Role,
        raw: bool,
        place: &Place,
    ) -> Result<(), Reported> {
        let claim = Claim { code, message, role, raw, emit: site.file.emit, place: place.clone() };
        if self.book.claim(&claim, &self.schema.messages, self.report) { Ok(()) } else { Err(Reported) }
    }

    pub(super) fn refuse<T>(&mut self, place: &Place, text: String) -> Result<T, Reported> {
        self.report.fault(place, text);
        Err(Reported)
    }
}
