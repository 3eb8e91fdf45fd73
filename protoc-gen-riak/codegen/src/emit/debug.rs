//! `Debug` impls for types that cannot derive them: borrowed bytes print as text,
//! and secrets do not print at all.
//!
//! Invariant: the value of a secret field never reaches a formatter.

use proc_macro2::TokenStream;
use quote::quote;

use super::Emitter;
use super::declared::ImplHeader;
use super::form::{Form, member, member_token, unknown_member};
use super::scope::{Scope, ident};
use crate::model::{BytesType, Field, Kind, Message, Oneof, Presence, Type};

impl Emitter<'_> {
    /// Reports whether a field prevents its message from deriving `Debug`.
    pub(super) fn needs_debug_impl(&self, field: &Field, form: Form) -> bool {
        field.kind == Kind::Secret || self.prints_bytes_as_text(field, form)
    }

    /// Reports whether a field's bytes need an impl to print as text: a derived
    /// `Debug` would print numbers.
    ///
    /// Always false for hand-written types: a derive cannot tell the type of a
    /// member, so that type's own `Debug` applies.
    fn prints_bytes_as_text(&self, field: &Field, form: Form) -> bool {
        let plain = form == Form::Borrowed || field.bytes == BytesType::Vec;
        field.ty == Type::Bytes && plain && self.declared.is_none()
    }

    /// Returns the expression to print for a field, given a reference to its value.
    pub(super) fn debug_value(
        &self,
        scope: &Scope<'_>,
        field: &Field,
        form: Form,
        value: &TokenStream,
    ) -> TokenStream {
        if field.kind == Kind::Secret {
            let secret = scope.item("debug", "Secret");
            return quote!(&#secret);
        }
        if self.prints_bytes_as_text(field, form) {
            let shown = scope.item("debug", "Shown");
            return quote!(&#shown(#value));
        }
        value.clone()
    }

    /// Reports whether one form of a message derives `Debug`.
    pub(super) fn derives_debug(&self, message: &Message, form: Form) -> bool {
        let raw = self.is_raw(self.id(message)) && form == Form::Borrowed;
        !raw && !message
            .fields
            .iter()
            .filter(|field| !matches!(field.presence, Presence::Oneof(_)))
            .any(|field| self.needs_debug_impl(field, form))
    }

    /// Emits the `Debug` impl of one form, unless it is derived.
    pub(super) fn debug_impl(&self, scope: &Scope<'_>, message: &Message, form: Form) -> TokenStream {
        if self.derives_debug(message, form) {
            return TokenStream::new();
        }
        let (title, fmt) = (form.name(message).to_string(), scope.std("::core", "fmt"));
        let ImplHeader { generics, name, bounds, .. } =
            self.encoding_header(message, form, &quote!(#fmt::Debug));
        let mut fields: Vec<TokenStream> = message
            .fields
            .iter()
            .filter(|field| !matches!(field.presence, Presence::Oneof(_)))
            .map(|field| {
                let member = member(field);
                let shown = self.debug_value(scope, field, form, &quote!(&self.#member));
                let name = &field.name;
                quote!(.field(#name, #shown))
            })
            .collect();
        for oneof in &message.separate_oneofs {
            let (member, name) = (member_token(&oneof.rust_name), &oneof.name);
            fields.push(quote!(.field(#name, &self.#member)));
        }
        for oneof in &message.oneofs {
            let (member, name) = (ident(&oneof.rust_name), &oneof.name);
            fields.push(quote!(.field(#name, &self.#member)));
        }
        if self.is_raw(self.id(message)) {
            let shown = scope.item("debug", "Shown");
            fields.push(quote!(.field("body", &#shown(&self.body))));
        } else if let Some(unknown) = unknown_member(message) {
            let name = unknown.to_string();
            fields.push(quote!(.field(#name, &self.#unknown)));
        }
        quote! {
            impl #generics #fmt::Debug for #name #bounds {
                fn fmt(&self, f: &mut #fmt::Formatter<'_>) -> #fmt::Result {
                    f.debug_struct(#title) #(#fields)* .finish()
                }
            }
        }
    }

    /// Emits the `Debug` impl of a oneof's enum.
    pub(super) fn oneof_debug_impl(
        &self,
        scope: &Scope<'_>,
        message: &Message,
        oneof: &Oneof,
        form: Form,
        header: &ImplHeader,
    ) -> TokenStream {
        let arms = oneof.variants.iter().map(|(index, variant)| {
            let field = &message.fields[*index];
            let (variant, text) = (ident(variant), variant.strip_prefix("r#").unwrap_or(variant));
            let shown = self.debug_value(scope, field, form, &quote!(value));
            let bind = if field.kind == Kind::Secret { quote!(_) } else { quote!(value) };
            quote!(Self::#variant(#bind) => f.debug_tuple(#text).field(#shown).finish(),)
        });
        let fmt = scope.std("::core", "fmt");
        let ImplHeader { generics, name, bounds, .. } = header;
        quote! {
            impl #generics #fmt::Debug for #name #bounds {
                fn fmt(&self, f: &mut #fmt::Formatter<'_>) -> #fmt::Result {
                    match self { #(#arms)* }
                }
            }
        }
    }
}
