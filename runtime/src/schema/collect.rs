//! [`Schema`]: a set of types, with all types that they refer to.
//!
//! Invariant: the set is complete: each type that a message in it refers to is in it,
//! or is recorded as defined elsewhere.

use std::collections::BTreeSet;

use super::print::File;
use super::{
    Described, Description, EnumDescription, Field, Member, MessageDescription, Refer, SchemaError, Type,
};

/// Derived types that are printed as one `.proto` file. See the
/// [module](crate::schema) for an example.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    pub(super) items: Vec<Item>,
    pub(super) package: Option<String>,
    pub(super) service: Option<String>,
    pub(super) imports: Vec<String>,
    /// The error of the first type that could not be added.
    fault: Option<SchemaError>,
    /// The types added so far, by their names in the schema and in Rust.
    seen: BTreeSet<(&'static str, &'static str)>,
    /// References to types that are not derived: the referring item, the name in Rust,
    /// and the name in the schema.
    foreign: Vec<(String, &'static str, &'static str)>,
}

/// A message or an enum.
#[derive(Clone, Copy, Debug)]
pub(super) enum Item {
    Message(&'static MessageDescription),
    Enum(&'static EnumDescription),
}

impl Item {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Message(message) => message.name,
            Self::Enum(item) => item.name,
        }
    }
}

impl Schema {
    /// Creates a schema without types.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a type and all types that it refers to: the messages and enums of its
    /// fields, and its answer if it is a request; for an enum with `#[riak(frames)]`,
    /// all of its messages. A type that is already there is not added again.
    #[must_use]
    pub fn with<T: Described>(mut self) -> Self {
        self.add(T::DESCRIPTION, std::any::type_name::<T>());
        self
    }

    /// Sets the package of types whose names have none.
    #[must_use]
    pub fn package(mut self, name: &str) -> Self {
        self.package = Some(name.to_owned());
        self
    }

    /// Prints the requests as methods of a service with this name, with their answers
    /// and whether they may be repeated. Without it, the text contains only messages
    /// and their codes.
    #[must_use]
    pub fn service(mut self, name: &str) -> Self {
        self.service = Some(name.to_owned());
        self
    }

    /// Imports a file, such as `riak_kv.proto`, for messages that types refer to and
    /// that are not derived.
    #[must_use]
    pub fn import(mut self, file: &str) -> Self {
        self.imports.push(file.to_owned());
        self
    }

    /// Prints the text of the `.proto` file.
    ///
    /// # Errors
    ///
    /// If one file cannot describe all types; [`SchemaError`] says why.
    pub fn print(&self) -> Result<String, SchemaError> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        if let Some((by, rust, _)) =
            self.foreign.iter().find(|(_, _, name)| name.is_empty() || self.imports.is_empty())
        {
            return Err(SchemaError::NotDerived { by: by.clone(), rust });
        }
        File::new(self)?.text()
    }

    fn add(&mut self, description: Description, rust: &'static str) {
        match description {
            Description::Message(message) => self.item(Item::Message(message), rust),
            Description::Enum(item) => self.item(Item::Enum(item), rust),
            Description::Frames(messages) => messages.iter().for_each(|message| self.refer(rust, *message)),
            Description::Oneof(_) => {
                self.fault.get_or_insert(SchemaError::NoMessage { rust });
            }
        }
    }

    /// Adds a type once for each Rust type. Types with the same name in the schema are
    /// compared when they are printed.
    fn item(&mut self, item: Item, rust: &'static str) {
        if !self.seen.insert((item.name(), rust)) {
            return;
        }
        self.items.push(item);
        let Item::Message(message) = item else { return };
        for member in message.members {
            match member {
                Member::Field(field) => self.field(message, field),
                Member::Oneof(_, oneof) => match oneof().description {
                    Some(Description::Oneof(fields)) => {
                        for field in fields {
                            self.field(message, field);
                        }
                    }
                    _ => self.foreign.push((message.name.to_owned(), oneof().rust, "")),
                },
            }
        }
        if let Some(request) = &message.request {
            self.refer(message.name, request.answer);
        }
    }

    fn field(&mut self, message: &MessageDescription, field: &Field) {
        if let Type::Message(ty) | Type::Group(ty) | Type::Enum(ty) = field.ty {
            self.refer(&format!("{}.{}", message.name, field.name), ty);
        }
    }

    fn refer(&mut self, by: &str, ty: Refer) {
        let reference = ty();
        match reference.description {
            Some(description) => self.add(description, reference.rust),
            None => self.foreign.push((by.to_owned(), reference.rust, reference.name)),
        }
    }
}
