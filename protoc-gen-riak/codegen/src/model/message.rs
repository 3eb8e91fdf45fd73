//! Messages, fields, oneofs and enums, as plain data.
//!
//! Invariant: that of [`Schema`](super::Schema).

use super::{Docs, EnumId, FileId, MessageId, RustPath};

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
