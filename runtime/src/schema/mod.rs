//! Derived types as the text of a `.proto` file, from which other languages generate
//! their code. Feature `schema`.
//!
//! With this feature `#[derive(RiakMessage)]` also implements [`Described`]. A
//! [`Schema`] collects types, with all that they refer to, and prints them:
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
//! The text imports `riak.proto` and `riak_options.proto`; the command
//! `protoc-gen-riak include-dir` prints a directory that has them.
//!
//! The text is proto2 where that is enough, proto3 if [`implicit`] fields or open
//! enums need it, and edition 2023 if both are needed. The
//! generator reads an edition only as `protoc`'s plugin.
//!
//! The other types here are the description that the derive writes and [`Schema`]
//! reads; programs do not need them.
//!
//! Invariant: a description says what the codec does, since both come from the
//! same declaration; how a schema is written is decided here alone.
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

/// A type that can be put into a [`Schema`]. Derived, with the feature `schema`.
pub trait Described {
    /// What it is.
    const DESCRIPTION: Description;
}

impl<T: Described> Described for Box<T> {
    const DESCRIPTION: Description = T::DESCRIPTION;
}

/// What a type is.
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

/// Looks a type up that a description refers to. A function, since messages may
/// refer to themselves.
pub type Refer = fn() -> Reference;

/// A type that a description refers to.
#[derive(Clone, Copy, Debug)]
pub struct Reference {
    /// Its name in the schema, if it is a message; else empty.
    pub name: &'static str,
    /// Its name in Rust.
    pub rust: &'static str,
    /// What it is; `None` if it is not derived.
    pub description: Option<Description>,
}

/// A message.
#[derive(Clone, Copy, Debug)]
pub struct MessageDescription {
    /// Its name, with its package.
    pub name: &'static str,
    /// Its doc comment, line by line.
    pub docs: &'static str,
    /// Its message code, if it is a frame.
    pub code: Option<u8>,
    /// The field numbers that are reserved: first and last of each range.
    pub reserved: &'static [(u32, u32)],
    /// The names that are reserved.
    pub reserved_names: &'static [&'static str],
    /// Its fields and oneofs, as they are declared.
    pub members: &'static [Member],
    /// How it is answered, if it is a request.
    pub request: Option<RequestDescription>,
}

/// A member of a message.
#[derive(Clone, Copy, Debug)]
pub enum Member {
    /// A field.
    Field(Field),
    /// The name of a oneof, and the type that has its fields.
    Oneof(&'static str, Refer),
}

/// A field.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its number.
    pub number: u32,
    /// How often it is there.
    pub label: Label,
    /// The type of one value.
    pub ty: Type,
    /// What it stands for when it is absent, if that is declared.
    pub default: Option<DefaultValue>,
    /// What it means beyond its type: a value of `riak.Kind`; empty if nothing.
    pub kind: &'static str,
    /// Its doc comment, line by line.
    pub docs: &'static str,
}

/// How often a field is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// Once.
    Required,
    /// Once, or not.
    Optional,
    /// Not if it is zero.
    Implicit,
    /// Any number of times.
    Repeated,
    /// The same, written as one run.
    Packed,
    /// Once for each key, of this type.
    Map(&'static str),
    /// As one of a oneof.
    Oneof,
}

/// The type of a field.
#[derive(Clone, Copy, Debug)]
pub enum Type {
    /// A scalar, by its name in schemas, such as `uint32`.
    Scalar(&'static str),
    /// A message.
    Message(Refer),
    /// A message between a start and an end tag.
    Group(Refer),
    /// An enum.
    Enum(Refer),
}

/// What an absent field stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DefaultValue {
    /// A number or a bool, as schemas have it.
    Plain(&'static str),
    /// A string, or bytes.
    Bytes(&'static [u8]),
    /// A variant of an enum, by its name in Rust.
    Variant(&'static str),
}

/// An enum.
#[derive(Clone, Copy, Debug)]
pub struct EnumDescription {
    /// Its name, with its package.
    pub name: &'static str,
    /// Its doc comment, line by line.
    pub docs: &'static str,
    /// Whether it keeps numbers that have no name.
    pub open: bool,
    /// Its values, as they are declared.
    pub values: &'static [Value],
}

/// A value of an enum.
#[derive(Clone, Copy, Debug)]
pub struct Value {
    /// Its name.
    pub name: &'static str,
    /// Its variant in Rust.
    pub variant: &'static str,
    /// Its number.
    pub number: i32,
    /// Its doc comment, line by line.
    pub docs: &'static str,
}

/// How a request is answered.
#[derive(Clone, Copy, Debug)]
pub struct RequestDescription {
    /// The answer.
    pub answer: Refer,
    /// Whether many answers come, always or if the request says so.
    pub streams: bool,
    /// The bool of the answer that is true in the last one.
    pub done: Option<Done>,
    /// The bool of the request that asks for many answers; empty if it has none.
    pub stream_if: &'static str,
    /// The field with the milliseconds that the server may take; empty if there
    /// is none.
    pub timeout: &'static str,
    /// What else is to be said, as `riak.Operation` has it, such as
    /// `retry: SAFE`.
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
