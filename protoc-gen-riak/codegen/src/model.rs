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

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The protobuf name without a leading dot, such as `pkg.Outer.Inner`.
    pub full_name: String,
    /// Where the owned struct lives. The borrowed one stands beside it under
    /// [`Message::ref_name`].
    pub path: RustPath,
    /// The borrowed struct's name, such as `RpbGetReqRef`.
    pub ref_name: String,
    /// The file it was declared in.
    pub file: FileId,
    /// Comment above it.
    pub docs: Docs,
    /// Marked deprecated in the schema.
    pub deprecated: bool,
    /// Fields, in the order of declaration.
    pub fields: Vec<Field>,
    /// Its oneofs; proto3 `optional` is none.
    pub oneofs: Vec<Oneof>,
    /// The module, beside the struct, that holds nested types and oneof enums,
    /// such as `rpb_index_req`.
    pub nested_module: String,
    /// Messages declared inside it; synthetic map entries are not among them.
    pub messages: Vec<MessageId>,
    /// Enums declared inside it.
    pub enums: Vec<EnumId>,
    /// The code of the frame that it is the body of, if it is one.
    pub code: Option<u8>,
    /// The Rust name of the member that keeps fields that the schema does not
    /// know; `None` where they are dropped.
    pub unknown: Option<String>,
    /// Its oneofs that are types of their own, written by hand; their fields
    /// are not among [`Message::fields`].
    pub separate_oneofs: Vec<SeparateOneof>,
    /// Decoded from any body, and encoded to none.
    pub bodyless: bool,
    /// Numbers of the `string` extensions that have to be UTF-8, ascending.
    /// Extensions are kept among the fields that the schema does not know.
    pub text_extensions: Vec<u32>,
}

/// One field.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its protobuf name, such as `return_body`.
    pub name: String,
    /// Its Rust name, such as `return_body` or `r#type`.
    pub rust_name: String,
    /// Its field number.
    pub number: u32,
    /// Type of one value.
    pub ty: Type,
    /// When it is written, and what its absence means.
    pub presence: Presence,
    /// Its declared default; `None` where the type's own default applies.
    pub default: Option<Literal>,
    /// What it means beyond its type.
    pub kind: Kind,
    /// A message whose type contains itself through this field: it needs a
    /// `Box`.
    pub boxed: bool,
    /// The owned Rust type of a `bytes` field.
    pub bytes: BytesType,
    /// The path of a type that reads and writes its values in place of the
    /// runtime's own for [`Field::ty`]: for Rust types that the runtime does
    /// not know.
    pub with: Option<String>,
    /// Comment above it, or behind it.
    pub docs: Docs,
    /// Marked deprecated in the schema.
    pub deprecated: bool,
}

/// The type of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "protobuf's own names")]
pub enum Type {
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Float,
    Double,
    Bool,
    String,
    Bytes,
    Enum(EnumId),
    /// Length-delimited.
    Message(MessageId),
    /// Delimited by start and end tag: a proto2 group, or an edition's
    /// `DELIMITED` message encoding.
    Group(MessageId),
}

/// When a field is written, and what its absence means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Always written; a message without it is refused.
    Required,
    /// Written when set: an `Option`.
    Explicit,
    /// Written unless zero: proto3 without `optional`.
    Implicit,
    /// Any number of values.
    Repeated {
        /// Written as one length-delimited run. Both forms are always read.
        packed: bool,
    },
    /// A map; the field's type is that of the values.
    Map {
        /// Type of the keys: integral, bool or string.
        key: Type,
    },
    /// Member of the message's oneof of this index.
    Oneof(usize),
}

/// The value of a declared default.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// Any signed integer type.
    Int(i64),
    /// Any unsigned integer type.
    Uint(u64),
    /// `float` or `double`.
    Float(f64),
    /// `bool`.
    Bool(bool),
    /// `string`.
    Text(String),
    /// `bytes`, unescaped.
    Bytes(Vec<u8>),
    /// An enum's value, as an index into [`Enum::values`].
    Enum(usize),
}

/// What a field means beyond its type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "documented at riak.Kind in riak_options.proto")]
pub enum Kind {
    #[default]
    Plain,
    Quorum,
    VClock,
    Context,
    Millis,
    Key,
    Text,
    Continuation,
    Secret,
    Bucket,
    BucketType,
    UnixSeconds,
    NodeConfirms,
    CoverContext,
}

/// The owned Rust type of a `bytes` field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BytesType {
    /// `riak_runtime::Blob`.
    #[default]
    Blob,
    /// `Vec<u8>`.
    Vec,
    /// `bytes::Bytes`: needs `riak-runtime`'s feature `bytes`, and the crate
    /// `bytes` beside it.
    Bytes,
}

/// One oneof.
#[derive(Clone, Debug, PartialEq)]
pub struct Oneof {
    /// Its protobuf name.
    pub name: String,
    /// The Rust name of the member that holds it.
    pub rust_name: String,
    /// The name of its Rust enum, in the message's nested module.
    pub enum_name: String,
    /// The name of its borrowed Rust enum, in the same module.
    pub enum_ref_name: String,
    /// Indexes of its fields in [`Message::fields`], with the Rust name of the
    /// variant of each.
    pub variants: Vec<(usize, String)>,
    /// Comment above it.
    pub docs: Docs,
}

/// A oneof that is a type of its own: an enum that reads and writes its own
/// fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeparateOneof {
    /// Its protobuf name.
    pub name: String,
    /// The Rust name of the member that holds it.
    pub rust_name: String,
    /// Its lowest field number: where it is written.
    pub number: u32,
}

/// One enum.
#[derive(Clone, Debug, PartialEq)]
pub struct Enum {
    /// The protobuf name without a leading dot.
    pub full_name: String,
    /// Where it lives.
    pub path: RustPath,
    /// Closed: a Rust enum; a number without a name is an unknown field.
    /// Open: a newtype over `i32`; any number is kept.
    pub closed: bool,
    /// Values, in the order of declaration; aliases included.
    pub values: Vec<EnumValue>,
    /// Comment above it.
    pub docs: Docs,
    /// Marked deprecated in the schema.
    pub deprecated: bool,
}

/// One value of an enum.
#[derive(Clone, Debug, PartialEq)]
pub struct EnumValue {
    /// Its protobuf name, such as `xxsmall`.
    pub name: String,
    /// Its Rust name: a variant (`Xxsmall`) if the enum is closed, a constant
    /// (`XXSMALL`) if it is open.
    pub rust_name: String,
    /// Its number.
    pub number: i32,
    /// Comment above it, or behind it.
    pub docs: Docs,
    /// Marked deprecated in the schema.
    pub deprecated: bool,
}

/// One service.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Its protobuf name without package; the client struct has the same.
    pub name: String,
    /// Its server trait's name, such as `RiakKvServer`.
    pub server_name: String,
    /// The name of the struct that dispatches to a server trait by message
    /// code, such as `RiakKvService`.
    pub dispatcher_name: String,
    /// Comment above it.
    pub docs: Docs,
    /// Marked deprecated in the schema.
    pub deprecated: bool,
    /// The frame that answers a request which failed.
    pub error: Option<ErrorFrame>,
    /// Its methods that are operations, in order.
    pub operations: Vec<Operation>,
}

/// The frame that answers a request which failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorFrame {
    /// Its code.
    pub code: u8,
    /// Its message.
    pub message: MessageId,
    /// Index of the message's field that holds the text (`bytes` or `string`).
    pub text: usize,
    /// Index of the message's field that holds the number (`uint32`).
    pub number: Option<usize>,
}

/// One operation: a request and what answers it.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "facts of the schema that do not depend on one another")]
pub struct Operation {
    /// The method's protobuf name, such as `ListKeys`.
    pub name: String,
    /// The method's Rust name, such as `list_keys`.
    pub rust_name: String,
    /// The request.
    pub request: MessageId,
    /// The request's code.
    pub request_code: u8,
    /// The regular answer.
    pub response: MessageId,
    /// The regular answer's code.
    pub response_code: u8,
    /// How many answers come, and which is the last.
    pub mode: Mode,
    /// Other answers that may come in its place: code and message.
    pub alternatives: Vec<(u8, MessageId)>,
    /// The name of the enum of all answers, such as `RiakKvIndexAnswer`; of no
    /// meaning where there are no alternatives.
    pub answer_name: String,
    /// What an answer without a body means.
    pub absent: Absent,
    /// What it costs the server.
    pub cost: Cost,
    /// What may be repeated.
    pub retry: Retry,
    /// First release that has it.
    pub since: Option<String>,
    /// The part of the server that serves it.
    pub served_by: Option<String>,
    /// Only legal while a connection is being set up.
    pub handshake: bool,
    /// Bodies are not protobuf: the body is taken and given as bytes.
    pub raw: bool,
    /// The request is sent without a body.
    pub bodyless: bool,
    /// Index of the request's field with the server-side timeout in
    /// milliseconds.
    pub timeout: Option<usize>,
    /// Comment above it.
    pub docs: Docs,
    /// Marked deprecated in the schema.
    pub deprecated: bool,
}

/// How many answers a request gets, and which is the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One.
    Unary,
    /// Many; the last one has the bool set.
    Stream {
        /// Index of the bool among the response's fields.
        done: usize,
    },
    /// One, or many if the request says so.
    Conditional {
        /// Index of the bool among the response's fields.
        done: usize,
        /// Index of the bool that switches streaming on, among the request's
        /// fields.
        stream_if: usize,
    },
}

/// What an answer without a body means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Absent {
    /// The message with no field set.
    #[default]
    Defaults,
    /// There is no such thing.
    NotFound,
    /// It is done, and there is nothing to say.
    Ok,
    /// An empty list.
    EmptyList,
}

/// What an operation costs the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cost {
    /// Answered at once.
    #[default]
    Unary,
    /// Answered after seconds to minutes; has the connection to itself.
    Long,
}

/// Whether a call whose outcome is unknown may be sent again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retry {
    /// Never.
    #[default]
    Never,
    /// Always.
    Safe,
    /// Only when it is certain that it was not sent.
    IfUnsent,
    /// Only when the request carries the causal context of a read.
    IfContext,
}

/// One line of the message-code table.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// The code.
    pub code: u8,
    /// The message's protobuf name, without package.
    pub name: String,
    /// The name of its [`MessageCode`](crate) variant.
    pub variant: String,
    /// Its message; `None` where the schema has none.
    pub message: Option<MessageId>,
    /// Who sends it.
    pub direction: Direction,
    /// Its body is not protobuf.
    pub raw: bool,
}

/// Who sends a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Direction {
    /// The client.
    Request,
    /// The server.
    Response,
    /// Either, under the same code.
    Both,
    /// Nobody: the code is assigned, but the message only occurs inside others.
    Nested,
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
