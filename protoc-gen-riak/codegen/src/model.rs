//! The schema as plain data: everything that the emitter needs, already resolved.
//!
//! A front end (`protoc-gen-riak` from descriptors, `riak-derive` from `syn`)
//! builds a [`Schema`], and the emitter reads it. The model does not record which
//! syntax a property came from: proto2, proto3 and editions are presets of the
//! same properties. Messages and enums are in flat tables and are referred to by
//! index, so recursive types need no special handling.
//!
//! Invariant: every id in a schema is a valid index into that schema's tables, and
//! every Rust name is a valid identifier, raw where necessary.

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

/// A whole schema: everything to emit, and everything that it refers to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema {
    /// The files, with dependencies before their dependents.
    pub files: Vec<File>,
    /// The messages of all files.
    pub messages: Vec<Message>,
    /// The enums of all files.
    pub enums: Vec<Enum>,
    /// The message-code table, in ascending order of code.
    pub frames: Vec<Frame>,
}

/// One `.proto` file.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    /// The name that `import` statements use, such as `riak_kv.proto`.
    pub name: String,
    /// The module that holds the file's items, such as
    /// `["google", "protobuf", "any"]`.
    pub module: Vec<String>,
    /// The comment above the `syntax` or `package` statement.
    pub docs: Docs,
    /// Whether code is emitted for the file. False for options files and for files
    /// that an extern path maps to another crate.
    pub emit: bool,
    /// The top-level messages in declaration order, except those that an extern
    /// path maps to another crate.
    pub messages: Vec<MessageId>,
    /// The top-level enums in declaration order, except those that an extern path
    /// maps to another crate.
    pub enums: Vec<EnumId>,
    /// The services, in declaration order.
    pub services: Vec<Service>,
}

/// The location of a type in Rust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RustPath {
    /// The root module of generated code in another crate, such as
    /// `::riak_client`; `None` for a type of the code being emitted.
    pub root: Option<String>,
    /// The modules below the root, such as `["riak_kv", "rpb_index_req"]`.
    pub module: Vec<String>,
    /// The name of the type, such as `IndexQueryType`.
    pub name: String,
}

/// A schema comment, ready to become rustdoc.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Docs {
    /// The lines, without comment markers, one leading space and trailing
    /// whitespace.
    pub lines: Vec<String>,
}

impl Schema {
    /// Returns the message with this id.
    #[must_use]
    pub fn message(&self, id: MessageId) -> &Message {
        &self.messages[id.0]
    }

    /// Returns the enum with this id.
    #[must_use]
    pub fn enumeration(&self, id: EnumId) -> &Enum {
        &self.enums[id.0]
    }

    /// Iterates over the services of all files for which code is emitted.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.files.iter().filter(|file| file.emit).flat_map(|file| &file.services)
    }
}
