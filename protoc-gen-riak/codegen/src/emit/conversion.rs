//! The conversion from the borrowed form to the owned one.
//!
//! Invariant: the conversion keeps everything, including unknown fields.

use proc_macro2::TokenStream;
use quote::quote;

use super::Emitter;
use super::field::Shape;
use super::form::{Form, member, unknown_member};
use super::oneof::oneof_path;
use super::scope::{Scope, ident};
use crate::model::{Field, Message, Oneof, Presence, Type};

impl Emitter<'_> {
    /// Emits the `Owned` impl of a message.
    pub(super) fn owned_impl(&self, scope: &Scope<'_>, message: &Message) -> TokenStream {
        let owned = scope.runtime("Owned");
        let name = Form::Owned.name(message);
        let view = if self.options.borrowed {
            let name = Form::Borrowed.name(message);
            quote!(#name<'a>)
        } else {
            quote!(Self)
        };
        quote! {
            impl #owned for #name {
                type Ref<'a> = #view;

                fn shorten<'short, 'long: 'short>(view: &'short Self::Ref<'long>) -> &'short Self::Ref<'short> {
                    view
                }
            }
        }
    }

    /// Emits the `View` impl of the borrowed form.
    pub(super) fn view_impl(&self, scope: &Scope<'_>, message: &Message) -> TokenStream {
        let view = scope.runtime("View");
        let (owned, borrowed) = (Form::Owned.name(message), Form::Borrowed.name(message));
        let mut members: Vec<TokenStream> = message
            .fields
            .iter()
            .filter(|field| !matches!(field.presence, Presence::Oneof(_)))
            .map(|field| {
                let member = member(field);
                let value = self.member_owned(scope, field, &quote!(self.#member));
                quote!(#member: #value)
            })
            .collect();
        for oneof in &message.oneofs {
            members.push(self.oneof_owned(scope, message, oneof));
        }
        if self.is_raw(self.id(message)) {
            members.push(quote!(body: self.body.into()));
        } else if let Some(unknown) = unknown_member(message) {
            members.push(quote!(#unknown: self.#unknown.owned()));
        }
        quote! {
            impl #view for #borrowed<'_> {
                type Owned = #owned;

                fn owned(&self) -> #owned {
                    #owned { #(#members),* }
                }
            }
        }
    }

    /// Emits the owned value of a member, given the place of the borrowed one.
    fn member_owned(&self, scope: &Scope<'_>, field: &Field, place: &TokenStream) -> TokenStream {
        let nested = Shape::of(field.ty) != Shape::Scalar;
        let borrows_data = nested || matches!(field.ty, Type::String | Type::Bytes);
        match field.presence {
            Presence::Required | Presence::Implicit if nested => {
                self.value_owned(scope, field, &quote!(&#place))
            }
            Presence::Required | Presence::Implicit => self.value_owned(scope, field, place),
            Presence::Explicit if !borrows_data => place.clone(),
            Presence::Explicit => {
                let value = self.value_owned(scope, field, &quote!(value));
                if nested {
                    quote!(#place.as_ref().map(|value| #value))
                } else {
                    quote!(#place.map(|value| #value))
                }
            }
            Presence::Repeated { .. } if !borrows_data => quote!(#place.clone()),
            Presence::Repeated { .. } => {
                let value = self.value_owned(scope, field, &quote!(value));
                if nested {
                    quote!(#place.iter().map(|value| #value).collect())
                } else {
                    quote!(#place.iter().map(|&value| #value).collect())
                }
            }
            Presence::Map { key } => {
                let key = if key == Type::String { quote!(str::to_owned(key)) } else { quote!(*key) };
                let value = if borrows_data {
                    let value = if nested { quote!(value) } else { quote!(*value) };
                    self.value_owned(scope, field, &value)
                } else {
                    quote!(*value)
                };
                quote!(#place.iter().map(|(key, value)| (#key, #value)).collect())
            }
            Presence::Oneof(_) => unreachable!("members of a oneof are converted with it"),
        }
    }

    /// Emits the owned form of a single value.
    #[expect(clippy::unused_self, reason = "a method like its callers")]
    fn value_owned(&self, scope: &Scope<'_>, field: &Field, value: &TokenStream) -> TokenStream {
        match field.ty {
            Type::Message(_) | Type::Group(_) => {
                let view = scope.runtime("View");
                if field.boxed {
                    let boxed = scope.prelude("Box");
                    quote!(#boxed::new(#view::owned(&**#value)))
                } else {
                    quote!(#view::owned(#value))
                }
            }
            Type::String => quote!(str::to_owned(#value)),
            Type::Bytes => match field.bytes {
                crate::model::BytesType::Bytes => quote!(::bytes::Bytes::copy_from_slice(#value)),
                _ if value.to_string().starts_with('*') => quote!((#value).into()),
                _ => quote!(#value.into()),
            },
            _ => value.clone(),
        }
    }

    fn oneof_owned(&self, scope: &Scope<'_>, message: &Message, oneof: &Oneof) -> TokenStream {
        let member = ident(&oneof.rust_name);
        let from = oneof_path(scope, message, oneof, Form::Borrowed);
        let to = oneof_path(scope, message, oneof, Form::Owned);
        let arms = oneof.variants.iter().map(|(index, variant)| {
            let field = &message.fields[*index];
            let variant = ident(variant);
            let nested = Shape::of(field.ty) != Shape::Scalar;
            let value = if nested { quote!(value) } else { quote!(*value) };
            let value = self.value_owned(scope, field, &value);
            quote!(#from::#variant(value) => #to::#variant(#value),)
        });
        quote!(#member: self.#member.as_ref().map(|value| match value { #(#arms)* }))
    }
}
