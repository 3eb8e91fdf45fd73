//! The name, the declaration and the other form of a derived type, for messages, oneofs
//! and enums alike.
//!
//! Invariant: this module does not look at fields.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use riak_codegen::emit::{Declared, Options, Pairing};
use syn::ext::IdentExt;
use syn::{DeriveInput, Ident};

use crate::attributes::Attributes;
use crate::errors::Errors;
use crate::names::{all_names, without_brackets};

/// The derived type and the settings of the derive.
pub(crate) struct Context<'i> {
    pub(crate) input: &'i DeriveInput,
    pub(crate) attributes: &'i Attributes,
    /// The path of the runtime.
    pub(crate) runtime: String,
    /// Whether to emit the type's schema description.
    pub(crate) described: bool,
}

impl Context<'_> {
    pub(crate) fn runtime(&self) -> TokenStream {
        self.runtime.parse().unwrap_or_default()
    }

    /// Returns the type's name with the span of the macro call, so that lints about
    /// user code, such as the use of a deprecated type, do not apply.
    pub(crate) fn ident(&self) -> Ident {
        let mut ident = self.input.ident.clone();
        ident.set_span(Span::call_site());
        ident
    }

    pub(crate) fn options(&self) -> Options {
        let mut options = Options::default();
        options.runtime.clone_from(&self.runtime);
        options
    }

    /// Returns the protobuf name: the value of `rename`, else the name of the owned form,
    /// else the name of the type.
    pub(crate) fn full_name(&self, pairing: &Pairing, errors: &mut Errors) -> String {
        if let Some(rename) = self.attributes.get("rename") {
            return errors.handle(rename.name("rename = \"package.Name\"", true)).unwrap_or_default();
        }
        let owned = match pairing {
            Pairing::Owned(owned) => {
                let idents = owned.clone().into_iter().filter_map(|token| match token {
                    TokenTree::Ident(ident) => Some(ident),
                    _ => None,
                });
                idents.last()
            }
            _ => None,
        };
        owned.as_ref().unwrap_or(&self.input.ident).unraw().to_string()
    }

    /// Returns the type's declaration, without anything that depends on its fields.
    pub(crate) fn declared(&self, errors: &mut Errors) -> Declared {
        let generics = &self.input.generics;
        let mut lifetimes = generics.lifetimes();
        let lifetime = lifetimes.next().map(|lifetime| lifetime.lifetime.to_token_stream());
        if let Some(second) = lifetimes.next() {
            errors.at(second, "a message borrows from one input: leave all lifetimes but one out");
        }
        let (parameters, arguments, _) = generics.split_for_impl();
        let predicates = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
        let mut names = vec![self.input.ident.to_string()];
        all_names(generics.to_token_stream(), &mut names);
        all_names(generics.where_clause.to_token_stream(), &mut names);
        Declared {
            lifetime,
            parameters: without_brackets(parameters.to_token_stream()),
            arguments: without_brackets(arguments.to_token_stream()),
            predicates: predicates.map(ToTokens::to_token_stream).collect(),
            of_types: generics.type_params().next().is_some(),
            names,
            pairing: self.pairing(errors),
            ..Declared::default()
        }
    }

    fn pairing(&self, errors: &mut Errors) -> Pairing {
        let [borrowed, owned] = ["borrowed", "owned"].map(|name| self.attributes.get(name));
        let lifetime = self.input.generics.lifetimes().next();
        let parameter = self.input.generics.type_params().next();
        if let (Some(entry), Some(parameter)) = (borrowed.or(owned), parameter) {
            let text = format!(
                "the two forms of a message have no type parameters: leave `{}` out, or write the type that \
                 `{}` stands for",
                entry.name, parameter.ident
            );
            errors.at(entry, text);
            return Pairing::Alone;
        }
        match (borrowed, owned) {
            (Some(entry), _) if lifetime.is_some() => {
                errors.at(
                    entry,
                    "this type borrows: `borrowed` belongs at the one that owns, and `owned = Foo` here",
                );
                Pairing::Alone
            }
            (_, Some(entry)) if lifetime.is_none() => {
                errors.at(
                    entry,
                    "this type owns: `owned` belongs at the one that borrows, and `borrowed = FooRef` here",
                );
                Pairing::Alone
            }
            (Some(entry), _) => errors
                .handle(entry.path("borrowed = FooRef"))
                .map_or(Pairing::Alone, |path| Pairing::Borrowed(path.to_token_stream())),
            (None, Some(entry)) => errors
                .handle(entry.path("owned = Foo"))
                .map_or(Pairing::Alone, |path| Pairing::Owned(path.to_token_stream())),
            (None, None) => Pairing::Alone,
        }
    }
}
