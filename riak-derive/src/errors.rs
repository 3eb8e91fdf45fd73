//! [`Errors`]: collects all errors of a type, to report them in one run.
//!
//! Invariant: each error has the span of the tokens that the user has to change.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// The errors found so far.
#[derive(Default)]
pub(crate) struct Errors(Option<syn::Error>);

impl Errors {
    /// Records an error at these tokens.
    pub(crate) fn at(&mut self, tokens: &(impl ToTokens + ?Sized), text: impl Display) {
        self.push(syn::Error::new_spanned(tokens, text));
    }

    /// Records an error at a span.
    pub(crate) fn at_span(&mut self, span: Span, text: impl Display) {
        self.push(syn::Error::new(span, text));
    }

    /// Records an existing error.
    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(all) => all.combine(error),
            none => *none = Some(error),
        }
    }

    /// Returns the value of a result, or records its error and returns `None`.
    pub(crate) fn handle<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// Returns the errors as tokens that fail to compile; `None` if there are none.
    pub(crate) fn tokens(&self) -> Option<TokenStream> {
        self.0.as_ref().map(syn::Error::to_compile_error)
    }
}
