//! Prints derived types as a `.proto` file, from which other languages can generate
//! code. Feature `schema`.
//!
//! With this feature, `#[derive(RiakMessage)]` also implements [`Described`]. A
//! [`Schema`] collects types, with all types that they refer to, and prints them:
//!
//! ```
//! use riak_runtime::{Blob, RiakMessage};
//! use riak_runtime::schema::Schema;
//!
//! /// Asks for a price.
//! #[derive(Clone, Debug, Default, RiakMessage)]
//! #[riak(code = 232, response = PriceResp, retry = "safe", rename = "shop.PriceReq")]
//! struct PriceReq {
//!     /// What is to be bought.
//!     #[riak(tag = 1)]
//!     item: Blob,
//!     #[riak(tag = 2, default = 1)]
//!     count: Option<u32>,
//! }
//!
//! #[derive(Clone, Debug, Default, RiakMessage)]
//! #[riak(code = 233, rename = "shop.PriceResp")]
//! struct PriceResp {
//!     #[riak(tag = 1)]
//!     cents: u64,
//! }
//!
//! let text = Schema::new().with::<PriceReq>().service("Shop").print()?;
//! assert_eq!(text, r#"syntax = "proto2";
//!
//! package shop;
//!
//! import "riak.proto";
//! import "riak_options.proto";
//!
//! // Asks for a price.
//! message PriceReq {
//!   option (riak.code) = 232;
//!
//!   // What is to be bought.
//!   required bytes item = 1;
//!   optional uint32 count = 2 [default = 1];
//! }
//!
//! message PriceResp {
//!   option (riak.code) = 233;
//!
//!   required uint64 cents = 1;
//! }
//!
//! service Shop {
//!   option (riak.error) = { code: 0 type: ".RpbErrorResp" text: "errmsg" number: "errcode" };
//!
//!   // Asks for a price.
//!   rpc Price(.shop.PriceReq) returns (.shop.PriceResp) {
//!     option (riak.operation) = { request: 232 response: 233 retry: SAFE };
//!   }
//! }
//! "#);
//! # Ok::<(), riak_runtime::schema::SchemaError>(())
//! ```
//!
//! The text imports `riak.proto` and `riak_options.proto`; the command `protoc-gen-riak
//! include-dir` prints a directory that contains them.
//!
//! The text is proto2 where possible, proto3 if [`implicit`] fields or open enums
//! require it, and edition 2023 if both are required. The generator reads an edition
//! only as `protoc`'s plugin.
//!
//! The other types here are the description that the derive emits and [`Schema`] reads;
//! programs do not need them.
//!
//! Invariant: a description matches what the codec does, since both come from the same
//! declaration. How a schema is written is decided in this module alone.
//!
//! [`implicit`]: macro@crate::RiakMessage#implicit

mod collect;
mod error;
mod names;
mod print;
mod probe;
mod write;

pub use collect::Schema;
pub use error::SchemaError;
pub use probe::{Named, Probe, Unnamed};

/// A type that can be added to a [`Schema`]. Derived, with the feature `schema`.
pub trait Described {
    /// The description of the type.
    const DESCRIPTION: Description;
}

impl<T: Described> Described for Box<T> {
    const DESCRIPTION: Description = T::DESCRIPTION;
}

/// The description of a type.
#[derive(Clone, Copy, Debug)]
pub enum Description {
    /// A message.
    Message(&'static MessageDescription),
    /// An enum.
    Enum(&'static EnumDescription),
    /// The fields of a oneof.
    Oneof(&'static [Field]),
    /// A set of messages with codes.
    Frames(&'static [Refer]),
}

/// Returns a type that a description refers to. A function, since messages may refer to
/// themselves.
pub type Refer = fn() -> Reference;

/// A type that a description refers to.
#[derive(Clone, Copy, Debug)]
pub struct Reference {
    /// The name in the schema, if the type is a message or an enum; else empty.
    pub name: &'static str,
    /// The name in Rust.
    pub rust: &'static str,
    /// The description; `None` if the type is not derived.
    pub description: Option<Description>,
}

/// The description of a message.
#[derive(Clone, Copy, Debug)]
pub struct MessageDescription {
    /// The name, with the package.
    pub name: &'static str,
    /// The doc comment, line by line.
    pub docs: &'static str,
    /// The message code, if the message can be the body of a frame.
    pub code: Option<u8>,
    /// The reserved field numbers: first and last of each range.
    pub reserved: &'static [(u32, u32)],
    /// The reserved names.
    pub reserved_names: &'static [&'static str],
    /// The fields and oneofs, in the order of declaration.
    pub members: &'static [Member],
    /// How the request is answered, if the message is a request.
    pub request: Option<RequestDescription>,
}

/// A member of a message.
#[derive(Clone, Copy, Debug)]
pub enum Member {
    /// A field.
    Field(Field),
    /// The name of a oneof, and the type that contains its fields.
    Oneof(&'static str, Refer),
}

/// The description of a field.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The name.
    pub name: &'static str,
    /// The number.
    pub number: u32,
    /// How often the field occurs.
    pub label: Label,
    /// The type of one value.
    pub ty: Type,
    /// The default that an absent field stands for, if one is declared.
    pub default: Option<DefaultValue>,
    /// The meaning beyond the type: a value of `riak.Kind`, or empty.
    pub kind: &'static str,
    /// The doc comment, line by line.
    pub docs: &'static str,
}

/// How often a field occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// Exactly once.
    Required,
    /// At most once.
    Optional,
    /// Once, unless its value is zero.
    Implicit,
    /// Any number of times.
    Repeated,
    /// Any number of times, written as one packed run.
    Packed,
    /// Once for each key, whose type is given.
    Map(&'static str),
    /// As a member of a oneof.
    Oneof,
}

/// The type of a field.
#[derive(Clone, Copy, Debug)]
pub enum Type {
    /// A scalar, by its name in schemas, such as `uint32`.
    Scalar(&'static str),
    /// A message.
    Message(Refer),
    /// A message between a start tag and an end tag.
    Group(Refer),
    /// An enum.
    Enum(Refer),
}

/// The default of an absent field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DefaultValue {
    /// A number or a bool, in schema syntax.
    Plain(&'static str),
    /// A string, or bytes.
    Bytes(&'static [u8]),
    /// A variant of an enum, by its name in Rust.
    Variant(&'static str),
}

/// An enum.
#[derive(Clone, Copy, Debug)]
pub struct EnumDescription {
    /// The name, with the package.
    pub name: &'static str,
    /// The doc comment, line by line.
    pub docs: &'static str,
    /// Whether the enum keeps unknown numbers.
    pub open: bool,
    /// The values, in the order of declaration.
    pub values: &'static [Value],
}

/// A value of an enum.
#[derive(Clone, Copy, Debug)]
pub struct Value {
    /// The name.
    pub name: &'static str,
    /// The variant in Rust.
    pub variant: &'static str,
    /// The number.
    pub number: i32,
    /// The doc comment, line by line.
    pub docs: &'static str,
}

/// How a request is answered.
#[derive(Clone, Copy, Debug)]
pub struct RequestDescription {
    /// The answer.
    pub answer: Refer,
    /// Whether the request has a stream of answers, always or on request.
    pub streams: bool,
    /// The bool field of the answer that is true in the last one.
    pub done: Option<Done>,
    /// The bool field of the request that asks for a stream; empty if there is none.
    pub stream_if: &'static str,
    /// The field for the server-side timeout in milliseconds; empty if there is none.
    pub timeout: &'static str,
    /// Other options in the syntax of `riak.Operation`, such as `retry: SAFE`.
    pub facts: &'static str,
}

/// A field of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// By its name.
    Name(&'static str),
    /// By its number.
    Number(u32),
}
