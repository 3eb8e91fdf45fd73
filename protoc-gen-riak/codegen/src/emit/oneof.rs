//! Oneofs: for each form, a Rust enum in the message's nested module.
//!
//! Invariant: the enums of both forms have the same variants.

use proc_macro2::TokenStream;
use quote::quote;

use super::Emitter;
use super::declared::ImplHeader;
use super::docs::{deprecated, docs, docs_or, line, link};
use super::form::Form;
use super::scope::{Scope, ident};
use crate::model::{Message, Oneof};

/// Returns the path of a oneof's enum, relative to `scope`.
pub(super) fn oneof_path(scope: &Scope<'_>, message: &Message, oneof: &Oneof, form: Form) -> TokenStream {
    let mut module = message.path.module.clone();
    module.push(message.nested_module.clone());
    let path = scope.relative(&module);
    let name = ident(enum_name(oneof, form));
    quote!(#path #name)
}

pub(super) fn enum_name(oneof: &Oneof, form: Form) -> &str {
    match form {
        Form::Owned => &oneof.enum_name,
        Form::Borrowed => &oneof.enum_ref_name,
    }
}

impl Emitter<'_> {
    /// Reports whether the borrowed enum of a oneof borrows anything.
    pub(super) fn oneof_borrows(message: &Message, oneof: &Oneof) -> bool {
        use crate::model::Type::{Bytes, Group, Message as Nested, String};
        let fields = oneof.variants.iter().map(|(index, _)| &message.fields[*index]);
        fields.into_iter().any(|field| matches!(field.ty, String | Bytes | Nested(_) | Group(_)))
    }

    /// Returns the type of the member that holds a oneof.
    pub(super) fn oneof_type(scope: &Scope<'_>, message: &Message, oneof: &Oneof, form: Form) -> TokenStream {
        let option = scope.prelude("Option");
        let path = oneof_path(scope, message, oneof, form);
        let lifetime = Self::oneof_lifetime(message, oneof, form);
        quote!(#option<#path #lifetime>)
    }

    fn oneof_lifetime(message: &Message, oneof: &Oneof, form: Form) -> TokenStream {
        if form == Form::Borrowed && Self::oneof_borrows(message, oneof) {
            quote!(<'a>)
        } else {
            TokenStream::new()
        }
    }

    /// Emits the enum of a oneof, for the message's nested module.
    pub(super) fn oneof_enum(
        &self,
        scope: &Scope<'_>,
        message: &Message,
        oneof: &Oneof,
        form: Form,
    ) -> TokenStream {
        let name = ident(enum_name(oneof, form));
        let lifetime = Self::oneof_lifetime(message, oneof, form);
        let docs = if self.has_docs(form) {
            docs_or(&oneof.docs, &format!("The oneof `{}` of `{}`.", oneof.name, message.full_name))
        } else {
            line(&format!("The borrowed form of {}.", link("enum", &oneof.enum_name)))
        };
        let fields =
            || oneof.variants.iter().map(|(index, variant)| (&message.fields[*index], ident(variant)));
        let variants = fields().map(|(field, variant)| {
            let ty = self.value_type(scope, field, form);
            let deprecated = deprecated(field.deprecated);
            let docs = if self.has_docs(form) { self::docs(&field.docs) } else { TokenStream::new() };
            quote!(#docs #deprecated #variant(#ty),)
        });
        let needs_debug_impl = fields().any(|(field, _)| self.needs_debug_impl(field, form));
        let debug = if needs_debug_impl { TokenStream::new() } else { quote!(Debug,) };
        let debug_impl = needs_debug_impl.then(|| {
            let anonymous = if lifetime.is_empty() { quote!() } else { quote!(<'_>) };
            let header = ImplHeader {
                generics: TokenStream::new(),
                name: quote!(#name #anonymous),
                bounds: TokenStream::new(),
                lifetime: quote!('a),
            };
            self.oneof_debug_impl(scope, message, oneof, form, &header)
        });
        quote! {
            #docs
            #[derive(Clone, #debug PartialEq)]
            pub enum #name #lifetime { #(#variants)* }

            #debug_impl
        }
    }
}
