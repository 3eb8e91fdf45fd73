//! What is known of a type that a derived one refers to: its description if it
//! is derived, its name if it is a message, else nothing.
//!
//! Invariant: each type has an answer, so that a description never keeps
//! anything from compiling. The compiler takes the first of three methods of one
//! name that it can: the type's own, one behind a reference, one behind two.

use std::marker::PhantomData;

use super::{Described, Reference};
use crate::Message;

/// Asks what is known of `T`. Emitted.
#[derive(Debug)]
pub struct Probe<T: ?Sized>(PhantomData<fn(&T)>);

impl<T: ?Sized> Probe<T> {
    /// The question.
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T: ?Sized> Default for Probe<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Described> Probe<T> {
    /// The answer for a type that is described.
    #[must_use]
    pub fn refer(&self) -> Reference {
        Self::described()
    }

    /// The same, where nothing has to be asked.
    #[must_use]
    pub fn described() -> Reference {
        let name = match T::DESCRIPTION {
            super::Description::Message(message) => message.name,
            super::Description::Enum(item) => item.name,
            super::Description::Oneof(_) | super::Description::Frames(_) => "",
        };
        Reference { name, rust: std::any::type_name::<T>(), description: Some(T::DESCRIPTION) }
    }
}

/// The answer for a message that is not described.
pub trait Named {
    /// Its name.
    fn refer(&self) -> Reference;
}

impl<T: Message> Named for Probe<T> {
    fn refer(&self) -> Reference {
        Reference { name: T::NAME, rust: std::any::type_name::<T>(), description: None }
    }
}

/// The answer for any other type.
pub trait Unnamed {
    /// Its name in Rust.
    fn refer(&self) -> Reference;
}

impl<T: ?Sized> Unnamed for &Probe<T> {
    fn refer(&self) -> Reference {
        Reference { name: "", rust: std::any::type_name::<T>(), description: None }
    }
}
