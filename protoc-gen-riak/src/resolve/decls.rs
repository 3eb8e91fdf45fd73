//! Every declaration of a schema in flat tables, before it has a Rust name.
//!
//! Invariant: the ids assigned here are those of the finished schema. Messages
//! are in the order of files and declarations, an outer message before its nested
//! ones; the implicit entry messages of map fields are not included.

use std::collections::HashMap;

use protobuf::descriptor::{DescriptorProto, EnumDescriptorProto, FileDescriptorProto};
use riak_codegen::model::{EnumId, FileId, MessageId};
use riak_codegen::suggest::did_you_mean;

use super::features::{self, Features};
use super::files::Files;
use super::locations::{Locations, joined, part, step};
use super::report::Report;

/// A file.
#[derive(Debug)]
pub(crate) struct FileDecl<'a> {
    pub(crate) proto: &'a FileDescriptorProto,
    pub(crate) locations: Locations<'a>,
    pub(crate) emit: bool,
    pub(crate) root: Option<String>,
    pub(crate) messages: Vec<MessageId>,
    pub(crate) enums: Vec<EnumId>,
}

/// A message.
#[derive(Debug)]
pub(crate) struct MessageDecl<'a> {
    pub(crate) proto: &'a DescriptorProto,
    pub(crate) full_name: String,
    pub(crate) file: FileId,
    /// The path of the message in the file's descriptor.
    pub(crate) path: Vec<i32>,
    pub(crate) features: Features,
    pub(crate) messages: Vec<MessageId>,
    pub(crate) enums: Vec<EnumId>,
}

/// An enum.
#[derive(Debug)]
pub(crate) struct EnumDecl<'a> {
    pub(crate) proto: &'a EnumDescriptorProto,
    pub(crate) full_name: String,
    pub(crate) file: FileId,
    pub(crate) path: Vec<i32>,
    pub(crate) closed: bool,
}

/// The declaration that a type name refers to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Symbol<'a> {
    Message(MessageId),
    Enum(EnumId),
    /// The entry of a map field.
    MapEntry(&'a DescriptorProto),
}

/// All declarations.
#[derive(Debug)]
pub(crate) struct Decls<'a> {
    pub(crate) files: Vec<FileDecl<'a>>,
    pub(crate) messages: Vec<MessageDecl<'a>>,
    pub(crate) enums: Vec<EnumDecl<'a>>,
    symbols: HashMap<String, Symbol<'a>>,
}

impl<'a> Decls<'a> {
    pub(crate) fn new(files: Files<'a>, report: &mut Report) -> Self {
        let mut decls =
            Self { files: Vec::new(), messages: Vec::new(), enums: Vec::new(), symbols: HashMap::new() };
        let facts = files.emit.into_iter().zip(files.root);
        for (proto, (emit, root)) in files.order.into_iter().zip(facts) {
            let locations = Locations::new(proto);
            let features = Features::of_file(proto).unwrap_or_else(|wrong| {
                let path =
                    [if proto.syntax() == "editions" { part::FILE_EDITION } else { part::FILE_SYNTAX }];
                report.fault(&locations.place(&path), wrong);
                Features::of_file(&FileDescriptorProto::new()).expect("a file without a syntax is proto2")
            });
            let file = FileId(decls.files.len());
            decls.files.push(FileDecl {
                proto,
                locations,
                emit,
                root,
                messages: Vec::new(),
                enums: Vec::new(),
            });
            let scope = Scope { file, name: proto.package(), path: &[], features };
            let (messages, enums) = decls.declare(
                &scope,
                (&proto.message_type, part::FILE_MESSAGE),
                (&proto.enum_type, part::FILE_ENUM),
            );
            decls.files[file.0].messages = messages;
            decls.files[file.0].enums = enums;
        }
        decls
    }

    /// Declares the messages and enums of a scope.
    fn declare(
        &mut self,
        scope: &Scope<'_>,
        (messages, message_part): (&'a [DescriptorProto], i32),
        (enums, enum_part): (&'a [EnumDescriptorProto], i32),
    ) -> (Vec<MessageId>, Vec<EnumId>) {
        let mut message_ids = Vec::new();
        for (index, proto) in messages.iter().enumerate() {
            let path = joined(scope.path, &[message_part, step(index)]);
            message_ids.extend(self.message(scope, proto, &path));
        }
        let mut enum_ids = Vec::new();
        for (index, proto) in enums.iter().enumerate() {
            let id = EnumId(self.enums.len());
            let options = proto.options.special_fields.unknown_fields();
            let full_name = scope.member(proto.name());
            self.symbols.insert(full_name.clone(), Symbol::Enum(id));
            self.enums.push(EnumDecl {
                proto,
                full_name,
                file: scope.file,
                path: joined(scope.path, &[enum_part, step(index)]),
                closed: scope.features.with(options, features::number::ENUM).closed_enums,
            });
            enum_ids.push(id);
        }
        (message_ids, enum_ids)
    }

    fn message(&mut self, scope: &Scope<'_>, proto: &'a DescriptorProto, path: &[i32]) -> Option<MessageId> {
        let full_name = scope.member(proto.name());
        if proto.options.map_entry() {
            self.symbols.insert(full_name, Symbol::MapEntry(proto));
            return None;
        }
        let id = MessageId(self.messages.len());
        let options = proto.options.special_fields.unknown_fields();
        let features = scope.features.with(options, features::number::MESSAGE);
        self.symbols.insert(full_name.clone(), Symbol::Message(id));
        self.messages.push(MessageDecl {
            proto,
            full_name: full_name.clone(),
            file: scope.file,
            path: path.to_vec(),
            features,
            messages: Vec::new(),
            enums: Vec::new(),
        });
        let inside = Scope { file: scope.file, name: &full_name, path, features };
        let (messages, enums) = self.declare(
            &inside,
            (&proto.nested_type, part::MESSAGE_NESTED),
            (&proto.enum_type, part::MESSAGE_ENUM),
        );
        self.messages[id.0].messages = messages;
        self.messages[id.0].enums = enums;
        Some(id)
    }

    /// Looks up a full name, with or without a leading dot.
    pub(crate) fn symbol(&self, full_name: &str) -> Option<Symbol<'a>> {
        let name = full_name.strip_prefix('.').unwrap_or(full_name);
        self.symbols.get(name).copied()
    }

    /// Looks up the message that a name refers to in a scope, by protobuf's rules: from
    /// the scope outwards, or from the root if the name has a leading dot.
    ///
    /// # Errors
    ///
    /// A text that says what is wrong with the name.
    pub(crate) fn message_named(&self, scope: &str, name: &str) -> Result<MessageId, String> {
        let mut around = scope;
        let found = if let Some(absolute) = name.strip_prefix('.') {
            self.symbols.get(absolute)
        } else {
            loop {
                let candidate = if around.is_empty() { name.to_owned() } else { format!("{around}.{name}") };
                let found = self.symbols.get(&candidate);
                if found.is_some() || around.is_empty() {
                    break found;
                }
                around = around.rsplit_once('.').map_or("", |(outer, _)| outer);
            }
        };
        match found {
            Some(Symbol::Message(id)) => Ok(*id),
            Some(_) => Err(format!("\"{name}\" is no message")),
            None => {
                let known: Vec<&str> = self
                    .messages
                    .iter()
                    .flat_map(|message| {
                        let full = message.full_name.as_str();
                        [full, full.rsplit('.').next().unwrap_or(full)]
                    })
                    .collect();
                let mut hint = did_you_mean(name.trim_start_matches('.'), known);
                if hint.is_empty() {
                    ": declare it, or import the file that declares it".clone_into(&mut hint);
                }
                Err(format!("message \"{name}\" is not known{hint}"))
            }
        }
    }

    /// Returns the file that declares a message.
    pub(crate) fn file_of(&self, message: MessageId) -> &FileDecl<'a> {
        &self.files[self.messages[message.0].file.0]
    }
}

/// The package or message that contains a declaration.
struct Scope<'s> {
    file: FileId,
    /// The full name of the package or message; empty for the root.
    name: &'s str,
    path: &'s [i32],
    features: Features,
}

impl Scope<'_> {
    fn member(&self, name: &str) -> String {
        if self.name.is_empty() { name.to_owned() } else { format!("{}.{name}", self.name) }
    }
}
