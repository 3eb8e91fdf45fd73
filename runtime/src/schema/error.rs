//! [`SchemaError`]: why types cannot be printed as a schema.

use std::error::Error;
use std::fmt;

/// Why types cannot be printed as a [`Schema`](super::Schema).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemaError {
    /// A type that another refers to is not derived.
    NotDerived {
        /// The type or field that refers to it.
        by: String,
        /// Its name in Rust.
        rust: &'static str,
    },
    /// Two different types have the same name.
    SameName {
        /// The name.
        name: String,
    },
    /// Two types belong to different packages.
    Packages {
        /// The name of one type.
        first: String,
        /// The name of the other type, or the configured package.
        second: String,
    },
    /// A name is not valid in protobuf.
    Name {
        /// The name.
        name: String,
        /// The type or member that has it.
        of: String,
    },
    /// Two items in one scope have the same name. In protobuf, the values of an enum
    /// belong to the scope of the enum itself.
    SameValue {
        /// The name.
        value: String,
        /// The type that has it, as its own name or that of a value.
        first: &'static str,
        /// The other type.
        second: &'static str,
    },
    /// Two fields of a message have the same name, or a field and a oneof.
    SameMember {
        /// The name.
        member: &'static str,
        /// The message.
        message: &'static str,
    },
    /// The service has the name of a type or an enum value.
    Service {
        /// The name.
        name: String,
        /// The type that has it, as its own name or that of a value.
        of: &'static str,
    },
    /// The type of an `implicit` field is a closed enum.
    ImplicitClosed {
        /// The field.
        field: String,
        /// The enum.
        name: &'static str,
    },
    /// The values of a map are of a closed enum whose first value is not zero.
    MapEnum {
        /// The field.
        field: String,
        /// The enum.
        name: &'static str,
    },
    /// An open enum has no value with the number zero.
    NoZero {
        /// The enum.
        name: &'static str,
    },
    /// The field that ends a stream has no known name.
    StreamEnd {
        /// The request.
        request: &'static str,
    },
    /// The default of a field is not a value of its enum.
    NoSuchValue {
        /// The field.
        field: String,
        /// The variant.
        variant: &'static str,
    },
    /// The type to print is not a message, an enum or a set of frames.
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
                "{by} refers to {rust}, which is not derived: derive `RiakMessage` for it, or if it is a generated \
                 message, name its file with `import`"
            ),
            Self::SameName { name } => write!(
                f,
                "two different types are called {name}: give one another name, `#[riak(rename = …)]`; of \
                 a generic type, print one instance only"
            ),
            Self::Packages { first, second } => write!(
                f,
                "{first} and {second} are of different packages, and a file has one package: print them as separate \
                 files, with `import` for what others have"
            ),
            Self::Name { name, of } => write!(
                f,
                "{name:?} of {of} is not a valid name, which has ASCII letters, digits and underscores only: give it \
                 another one, `#[riak(rename = …)]`"
            ),
            Self::SameValue { value, first, second } => write!(
                f,
                "{first} and {second} both define the name {value}, since the values of an enum are in the enum's own \
                 scope: give one another name, `#[riak(rename = …)]` at the variant"
            ),
            Self::SameMember { member, message } => write!(
                f,
                "{message} has two members that are called {member}: give one another name, `#[riak(rename = …)]`; the \
                 fields of a oneof are members of the message, too"
            ),
            Self::Service { name, of } => write!(
                f,
                "the service cannot be called {name}, a name that {of} defines: give `service` another name"
            ),
            Self::ImplicitClosed { field, name } => write!(
                f,
                "{field} is `implicit`, which fields of closed enums cannot be in a schema: make {name} open by a variant \
                 with `#[riak(other)]`, or make the field an `Option`"
            ),
            Self::MapEnum { field, name } => {
                write!(
                    f,
                    "{field} is a map to {name}, and the first value of such an enum must be zero: begin it with a variant `= 0`"
                )
            }
            Self::NoZero { name } => {
                write!(f, "{name} is an open enum, which must have a value zero: add a variant `= 0`")
            }
            Self::StreamEnd { request } => write!(
                f,
                "the field that ends the stream of {request} has no known name: derive the answer, and name one of its \
                 bools by `done = \"name\"`"
            ),
            Self::NoSuchValue { field, variant } => {
                write!(f, "the default of {field}, {variant}, is not a value of its enum: name one that is")
            }
            Self::NoMessage { rust } => write!(
                f,
                "{rust} is a part of a message, and cannot be printed by itself: print the message that has it"
            ),
        }
    }
}

impl Error for SchemaError {}
