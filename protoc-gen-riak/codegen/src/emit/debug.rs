//! `Debug` where it cannot be derived: borrowed bytes print as text, and
//! secrets do not print.
//!
//! Invariant: no value of a field marked secret reaches a formatter.

use proc_macro2::TokenStream;
use quote::quote;

use super::Emitter;
use super::declared::Head;
use super::form::{Form, member, place, unknown_member};
use super::scope::{Scope, ident};
use crate::model::{BytesType, Field, Kind, Message, Oneof, Presence, Type};

impl Emitter<'_> {
    /// Whether a field keeps its message's `Debug` from being derived.
    pub(super) fn debug_by_hand(&self, field: &Field, form: Form) -> bool {
        field.kind == Kind::Secret || self.shows_bytes(field, form)
    }

    /// Whether a field's bytes would print as numbers. Those of a hand-written
    /// type print as its own `Debug` has them: what type they are of is not seen.
    fn shows_bytes(&self, field: &Field, form: Form) -> bool {
        let plain = form == Form::Borrowed || field.bytes == BytesType::Vec;
        field.ty == Type::Bytes && plain && self.declared.is_none()
    }

    /// The expression that prints a field's value, which is given by reference.
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
        if self.shows_bytes(field, form) {
            let shown = scope.item("debug", "Shown");
            return quote!(&#shown(#value));
        }
        value.clone()
    }

    /// Whether one form's `Debug` is derived.
    pub(super) fn derives_debug(&self, message: &Message, form: Form) -> bool {
        let raw = self.is_raw(self.id(message)) && form == Form::Borrowed;
        !raw && !message
            .fields
            .iter()
            .filter(|field| !matches!(field.presence, Presence::Oneof(_)))
            .any(|field| self.debug_by_hand(field, form))
    }

    /// The `Debug` impl of one form.
    pub(super) fn debug_impl(&self, scope: &Scope<'_>, message: &Message, form: Form) -> TokenStream {
        if self.derives_debug(message, form) {
            return TokenStream::new();
        }
        let (title, fmt) = (form.name(message).to_string(), scope.std("::core", "fmt"));
        let Head { generics, name, bounds, .. } = self.encoding_head(message, form, &quote!(#fmt::Debug));
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
            let (member, name) = (place(&oneof.rust_name), &oneof.name);
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

    /// The `Debug` impl of a oneof's enum.
    pub(super) fn oneof_debug_impl(
        &self,
        scope: &Scope<'_>,
        message: &Message,
        oneof: &Oneof,
        form: Form,
        head: &Head,
    ) -> TokenStream {
        let arms = oneof.variants.iter().map(|(index, variant)| {
            let field = &message.fields[*index];
            let (variant, text) = (ident(variant), variant.strip_prefix("r#").unwrap_or(variant));
            let shown = self.debug_value(scope, field, form, &quote!(value));
            let bind = if field.kind == Kind::Secret { quote!(_) } else { quote!(value) };
            quote!(Self::#variant(#bind) => f.debug_tuple(#text).field(#shown).finish(),)
        });
        let fmt = scope.std("::core", "fmt");
        let Head { generics, name, bounds, .. } = head;
        quote! {
            impl #generics #fmt::Debug for #name #bounds {
                fn fmt(&self, f: &mut #fmt::Formatter<'_>) -> #fmt::Result {
                    match self { #(#arms)* }
                }
            }
        }
    }
}
