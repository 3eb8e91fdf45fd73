//! [`Faults`]: all that is wrong with a type, told in one run.
//!
//! Invariant: each fault has the place of what its writer has to change.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// What is wrong so far.
#[derive(Default)]
pub(crate) struct Faults(Option<syn::Error>);

impl Faults {
    /// Notes a fault at these tokens.
    pub(crate) fn at(&mut self, place: &(impl ToTokens + ?Sized), text: impl Display) {
        self.add(syn::Error::new_spanned(place, text));
    }

    /// Notes a fault at a place.
    pub(crate) fn here(&mut self, place: Span, text: impl Display) {
        self.add(syn::Error::new(place, text));
    }

    /// Notes a fault that has been made already.
    pub(crate) fn add(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(all) => all.combine(error),
            none => *none = Some(error),
        }
    }

    /// The value, or the fault that there was in place of it.
    pub(crate) fn take<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }

    /// The faults as tokens that fail to compile; `None` if there are none.
    pub(crate) fn tokens(&self) -> Option<TokenStream> {
        self.0.as_ref().map(syn::Error::to_compile_error)
    }
}
