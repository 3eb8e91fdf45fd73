//! The schema as plain data: everything that emission needs, resolved once.
//!
//! A [`Schema`] is built by a front end (descriptors in `protoc-gen-riak`,
//! `syn` in `riak-derive`) and read by the emitter. Nothing in it asks which
//! syntax a fact came from: proto2, proto3 and editions are presets of the same
//! facts. Messages, enums and services stand in flat tables and are referred to
//! by index, so that recursive types need no special care.
//!
//! Invariant: every id in a schema is an index into the table of that schema,
//! and every name is a valid Rust identifier (raw where it has to be).

mod message;
mod service;

pub use message::{
    BytesType, Enum, EnumValue, Field, Kind, Literal, Message, Oneof, Presence, SeparateOneof, Type,
};
pub use service::{Absent, Cost, Direction, ErrorFrame, Frame, Mode, Operation, Retry, Service};

/// Index of a file in [`Schema::files`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub usize);

/// Index of a message in [`Schema::messages`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub usize);

/// Index of an enum in [`Schema::enums`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EnumId(pub usize);

/// A whole schema: what is to be emitted, and what that refers to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema {
    /// Files, dependencies before dependents.
    pub files: Vec<File>,
    /// All messages of all files.
    pub messages: Vec<Message>,
    /// All enums of all files.
    pub enums: Vec<Enum>,
    /// The message-code table, ascending by code.
    pub frames: Vec<Frame>,
}

/// One `.proto` file.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    /// Its name as importers write it, such as `riak_kv.proto`.
    pub name: String,
    /// The module its items live in, such as `["google", "protobuf", "any"]`.
    pub module: Vec<String>,
    /// The comment above its `syntax` or `package` statement.
    pub docs: Docs,
    /// Whether code is emitted for it. Not so for options files, and for files
    /// that an extern path maps to another crate.
    pub emit: bool,
    /// Its top-level messages, in order, without those that an extern path maps.
    pub messages: Vec<MessageId>,
    /// Its top-level enums, in order, without those that an extern path maps.
    pub enums: Vec<EnumId>,
    /// Its services, in order.
    pub services: Vec<Service>,
}

/// Where a type lives in Rust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RustPath {
    /// The path of another crate's root module for this schema, such as
    /// `::riak_client`; `None` for the code being emitted.
    pub root: Option<String>,
    /// Modules below the root, such as `["riak_kv", "rpb_index_req"]`.
    pub module: Vec<String>,
    /// The type's own name, such as `IndexQueryType`.
    pub name: String,
}

/// A comment of the schema, ready to become rustdoc.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Docs {
    /// Its lines, without comment markers, one leading blank and trailing
    /// white space removed.
    pub lines: Vec<String>,
}

impl Schema {
    /// The message with this id.
    #[must_use]
    pub fn message(&self, id: MessageId) -> &Message {
        &self.messages[id.0]
    }

    /// The enum with this id.
    #[must_use]
    pub fn enumeration(&self, id: EnumId) -> &Enum {
        &self.enums[id.0]
    }

    /// All services of the files that are emitted.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.files.iter().filter(|file| file.emit).flat_map(|file| &file.services)
    }
}
