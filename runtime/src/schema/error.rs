//! [`SchemaError`]: why types cannot be printed as a schema.

use std::error::Error;
use std::fmt;

/// Why types cannot be printed as a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemaError {
    /// A type that another refers to is not derived.
    NotDerived {
        /// What refers to it.
        by: String,
        /// Its name in Rust.
        rust: &'static str,
    },
    /// Two types that differ have one name.
    SameName {
        /// The name.
        name: String,
    },
    /// Names are of different packages.
    Packages {
        /// One name.
        first: String,
        /// Another.
        second: String,
    },
    /// A name that protobuf does not have.
    Name {
        /// The name.
        name: String,
        /// What has it.
        of: String,
    },
    /// Two things have one name, in one scope: protobuf's values stand beside
    /// their enum, not in it.
    SameValue {
        /// The name.
        value: String,
        /// The type that has it, as its own name or that of a value.
        first: &'static str,
        /// The other one.
        second: &'static str,
    },
    /// Two fields of a message have one name, or a field and a oneof.
    SameMember {
        /// The name.
        member: &'static str,
        /// The message.
        message: &'static str,
    },
    /// The service is called as what stands beside it.
    Service {
        /// The name.
        name: String,
        /// The type that has it, as its own name or that of a value.
        of: &'static str,
    },
    /// A field that is not written when it is zero is of a closed enum.
    ImplicitClosed {
        /// The field.
        field: String,
        /// The enum.
        name: &'static str,
    },
    /// The values of a map are of an enum whose first value is not zero.
    MapEnum {
        /// The field.
        field: String,
        /// The enum.
        name: &'static str,
    },
    /// An open enum has no value of the number zero.
    NoZero {
        /// The enum.
        name: &'static str,
    },
    /// The field that ends a stream is not known by name.
    StreamEnd {
        /// The request.
        request: &'static str,
    },
    /// A default names no value of its enum.
    NoSuchValue {
        /// The field.
        field: String,
        /// The variant.
        variant: &'static str,
    },
    /// A type to print is neither a message nor an enum nor a set of frames.
    NoMessage {
        /// Its name in Rust.
        rust: &'static str,
    },
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotDerived { by, rust } => write!(
                f,
                "{by} refers to {rust}, which is not derived: say which file has it with `import`, if it is a \
                 generated message, or derive `RiakMessage` for it"
            ),
            Self::SameName { name } => write!(
                f,
                "two types that are not the same are called {name}: give one another name, `#[riak(rename = …)]`; of \
                 a generic type, print one instance"
            ),
            Self::Packages { first, second } => write!(
                f,
                "{first} and {second} are of different packages, and a file has one: print them one by one, with \
                 `import` for what the others have"
            ),
            Self::Name { name, of } => write!(
                f,
                "{name:?} of {of} is no name of protobuf, which has ASCII letters, digits and underscores: give it \
                 one, `#[riak(rename = …)]`"
            ),
            Self::SameValue { value, first, second } => write!(
                f,
                "{first} and {second} both bring the name {value}, and values are named beside their enum: give one \
                 another name, `#[riak(rename = …)]` at the variant"
            ),
            Self::SameMember { member, message } => write!(
                f,
                "{message} has two members that are called {member}: give one another name, `#[riak(rename = …)]`; a \
                 oneof's fields are members of the message, too"
            ),
            Self::Service { name, of } => write!(
                f,
                "the service cannot be called {name}, which {of} brings: give `service` another name"
            ),
            Self::ImplicitClosed { field, name } => write!(
                f,
                "{field} is `implicit`, which fields of closed enums cannot be in a schema: add a variant with \
                 `#[riak(other)]` to {name}, or make the field an `Option`"
            ),
            Self::MapEnum { field, name } => {
                write!(
                    f,
                    "{field} is a map to {name}, and the first value of such an enum is zero: begin it with `= 0`"
                )
            }
            Self::NoZero { name } => {
                write!(f, "{name} keeps any number, and such an enum has a value zero: add a variant `= 0`")
            }
            Self::StreamEnd { request } => write!(
                f,
                "the end of {request}'s stream has no name here: derive the answer, and say `done = \"name\"` of a \
                 bool that it has"
            ),
            Self::NoSuchValue { field, variant } => {
                write!(f, "the default of {field} is no value of its enum: {variant}")
            }
            Self::NoMessage { rust } => write!(
                f,
                "{rust} is a part of a message, and stands in no schema by itself: print the message that has it"
            ),
        }
    }
}

impl Error for SchemaError {}
