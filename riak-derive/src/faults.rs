//! [`Faults`]: collects all errors of a type, to report them in one run.
//!
//! Invariant: each error has the span of the tokens that the user has to change.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// The errors found so far.
#[derive(Default)]
pub(crate) struct Faults(Option<syn::Error>);

impl Faults {
    /// Records an error at these tokens.
    pub(crate) fn at(&mut self, place: &(impl ToTokens + ?Sized), text: impl Display) {
        self.add(syn::Error::new_spanned(place, text));
    }

    /// Records an error at a span.
    pub(crate) fn here(&mut self, place: Span, text: impl Display) {
        self.add(syn::Error::new(place, text));
    }

    /// Records an existing error.
    pub(crate) fn add(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(all) => all.combine(error),
            none => *none = Some(error),
        }
    }

    /// Returns the value of a result, or records its error and returns `None`.
    pub(crate) fn take<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }

    /// Returns the errors as tokens that fail to compile; `None` if there are none.
    pub(crate) fn tokens(&self) -> Option<TokenStream> {
        self.0.as_ref().map(syn::Error::to_compile_error)
    }
}
