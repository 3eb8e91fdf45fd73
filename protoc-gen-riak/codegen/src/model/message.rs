//! Messages, fields, oneofs and enums, as plain data.
//!
//! Invariant: the one of [`Schema`](super::Schema).

use super::{Docs, EnumId, FileId, MessageId, RustPath};

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The fully qualified protobuf name without a leading dot, such as
    /// `pkg.Outer.Inner`.
    pub full_name: String,
    /// The location of the owned struct. The borrowed struct is in the same module,
    /// under the name [`Message::ref_name`].
    pub path: RustPath,
    /// The name of the borrowed struct, such as `RpbGetReqRef`.
    pub ref_name: String,
    /// The file that declares the message.
    pub file: FileId,
    /// The comment above the declaration.
    pub docs: Docs,
    /// Whether the schema marks the message deprecated.
    pub deprecated: bool,
    /// The fields, in declaration order.
    pub fields: Vec<Field>,
    /// The oneofs, without the synthetic ones of proto3 `optional` fields.
    pub oneofs: Vec<Oneof>,
    /// The module next to the struct that holds nested types and oneof enums, such
    /// as `rpb_index_req`.
    pub nested_module: String,
    /// The messages declared inside this one, without synthetic map entries.
    pub messages: Vec<MessageId>,
    /// The enums declared inside this message.
    pub enums: Vec<EnumId>,
    /// The message code, if the message is the body of a frame.
    pub code: Option<u8>,
    /// The Rust name of the member that keeps unknown fields; `None` if they are
    /// dropped.
    pub unknown: Option<String>,
    /// The oneofs that are separate, hand-written types. Their fields are not in
    /// [`Message::fields`].
    pub separate_oneofs: Vec<SeparateOneof>,
    /// Whether the message is always encoded without a body. Any body is decoded.
    pub bodyless: bool,
    /// The numbers of the `string` extensions that must be UTF-8, in ascending
    /// order. Extensions are kept as unknown fields.
    pub text_extensions: Vec<u32>,
}

/// One field.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The protobuf name, such as `return_body`.
    pub name: String,
    /// The Rust name, such as `return_body` or `r#type`.
    pub rust_name: String,
    /// The field number.
    pub number: u32,
    /// The type of a single value.
    pub ty: Type,
    /// When the field is written, and what its absence means.
    pub presence: Presence,
    /// The declared default; `None` if the default of the type applies.
    pub default: Option<Literal>,
    /// The meaning of the field beyond its type.
    pub kind: Kind,
    /// Whether the value needs a `Box`, because the message contains itself through
    /// this field.
    pub boxed: bool,
    /// The owned Rust type of a `bytes` field.
    pub bytes: BytesType,
    /// The path of a type that reads and writes the values, in place of the
    /// runtime's wire type for [`Field::ty`]. For Rust types that the runtime does
    /// not know.
    pub with: Option<String>,
    /// The comment above or after the declaration.
    pub docs: Docs,
    /// Whether the schema marks the field deprecated.
    pub deprecated: bool,
}

impl Field {
    /// Reports whether the field is a single bool outside of oneofs: one that may ask
    /// for a stream, or mark the last answer of one.
    #[must_use]
    pub fn is_flag(&self) -> bool {
        let single = matches!(self.presence, Presence::Required | Presence::Explicit | Presence::Implicit);
        single && self.ty == Type::Bool && self.with.is_none()
    }
}

/// The type of a single value.
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
    /// A length-delimited message.
    Message(MessageId),
    /// A message delimited by a start tag and an end tag: a proto2 group, or the
    /// `DELIMITED` message encoding of editions.
    Group(MessageId),
}

/// When a field is written, and what its absence means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Always written; decoding fails if it is absent.
    Required,
    /// Written if set; the member is an `Option`.
    Explicit,
    /// Written unless zero or empty: proto3 without `optional`.
    Implicit,
    /// Any number of values.
    Repeated {
        /// Whether all values are written as one length-delimited run. Both
        /// encodings are always read.
        packed: bool,
    },
    /// A map; [`Field::ty`] is the type of its values.
    Map {
        /// The type of the keys: an integer, `bool` or `string`.
        key: Type,
    },
    /// A member of the oneof at this index in [`Message::oneofs`].
    Oneof(usize),
}

/// The value of a declared default.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// A value of a signed integer type.
    Int(i64),
    /// A value of an unsigned integer type.
    Uint(u64),
    /// A `float` or `double`.
    Float(f64),
    /// A `bool`.
    Bool(bool),
    /// A `string`.
    Text(String),
    /// A `bytes` value, unescaped.
    Bytes(Vec<u8>),
    /// A value of an enum, as an index into [`Enum::values`].
    Enum(usize),
}

/// The meaning of a field beyond its type.
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
    /// `bytes::Bytes`, which needs the crate `bytes` and the feature `bytes` of
    /// `riak-runtime`.
    Bytes,
}

/// One oneof.
#[derive(Clone, Debug, PartialEq)]
pub struct Oneof {
    /// The protobuf name.
    pub name: String,
    /// The Rust name of the member that holds the oneof.
    pub rust_name: String,
    /// The name of the owned Rust enum, in the message's nested module.
    pub enum_name: String,
    /// The name of the borrowed Rust enum, in the same module.
    pub enum_ref_name: String,
    /// For each field of the oneof, its index in [`Message::fields`] and the Rust
    /// name of its variant.
    pub variants: Vec<(usize, String)>,
    /// The comment above the declaration.
    pub docs: Docs,
}

/// A oneof that is a separate type: an enum that reads and writes its own fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeparateOneof {
    /// The protobuf name.
    pub name: String,
    /// The Rust name of the member that holds the oneof.
    pub rust_name: String,
    /// The lowest field number, which decides where the oneof is written.
    pub number: u32,
}

/// One enum.
#[derive(Clone, Debug, PartialEq)]
pub struct Enum {
    /// The fully qualified protobuf name without a leading dot.
    pub full_name: String,
    /// The location of the Rust type.
    pub path: RustPath,
    /// Whether the enum is closed. A closed enum is a Rust enum, and a field with an
    /// unnamed number is an unknown field. An open enum is a newtype over `i32` that
    /// keeps any number.
    pub closed: bool,
    /// The values in declaration order, including aliases.
    pub values: Vec<EnumValue>,
    /// The comment above the declaration.
    pub docs: Docs,
    /// Whether the schema marks the enum deprecated.
    pub deprecated: bool,
}

/// One value of an enum.
#[derive(Clone, Debug, PartialEq)]
pub struct EnumValue {
    /// The protobuf name, such as `xxsmall`.
    pub name: String,
    /// The Rust name: of a variant (`Xxsmall`) if the enum is closed, of a constant
    /// (`XXSMALL`) if it is open.
    pub rust_name: String,
    /// The number.
    pub number: i32,
    /// The comment above or after the declaration.
    pub docs: Docs,
    /// Whether the schema marks the value deprecated.
    pub deprecated: bool,
}
