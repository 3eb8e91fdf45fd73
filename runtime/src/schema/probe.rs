//! Finds out what is known of a type that a derived type refers to: its description if
//! it is derived, its name if it is a message, otherwise nothing.
//!
//! Invariant: every type has an answer, so that a description never prevents
//! compilation. This is autoref specialisation: of three methods of the same name, the
//! compiler picks the first that applies: the inherent one, the one of a trait on
//! `Probe<T>`, the one of a trait on `&Probe<T>`.

use std::marker::PhantomData;

use super::{Described, Reference};
use crate::Message;

/// Looks up what is known of `T`. Used by derived code.
#[derive(Debug)]
pub struct Probe<T: ?Sized>(PhantomData<fn(&T)>);

impl<T: ?Sized> Probe<T> {
    /// Creates the probe.
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
    /// Returns the reference for a type that is described.
    #[must_use]
    pub fn refer(&self) -> Reference {
        Self::described()
    }

    /// Returns the same for a type that is known to be described.
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

/// The reference for a message that is not described.
pub trait Named {
    /// Returns the reference, with the name in the schema.
    fn refer(&self) -> Reference;
}

impl<T: Message> Named for Probe<T> {
    fn refer(&self) -> Reference {
        Reference { name: T::NAME, rust: std::any::type_name::<T>(), description: None }
    }
}

/// The reference for any other type.
pub trait Unnamed {
    /// Returns the reference, with the name in Rust only.
    fn refer(&self) -> Reference;
}

impl<T: ?Sized> Unnamed for &Probe<T> {
    fn refer(&self) -> Reference {
        Reference { name: "", rust: std::any::type_name::<T>(), description: None }
    }
}
