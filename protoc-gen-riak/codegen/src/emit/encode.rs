//! `Message` impls: how a message is encoded.
//!
//! Invariant: fields are written in the order of their numbers, a oneof at the
//! position of its lowest number, and unknown fields last.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::quote;

use super::Emitter;
use super::declared::ImplHeader;
use super::field::{self, Shape, by_number, hex};
use super::form::{Form, member, member_token, unknown_member};
use super::oneof::oneof_path;
use super::scope::{Scope, ident};
use crate::model::{Field, Message, Oneof, Presence, SeparateOneof, Type};

impl Emitter<'_> {
    /// Emits the `Message` impl of one form.
    pub(super) fn message_impl(&self, scope: &Scope<'_>, message: &Message, form: Form) -> TokenStream {
        let (message_trait, writer) = (scope.runtime("Message"), scope.wire("Writer"));
        let ImplHeader { generics, name, bounds, .. } = self.encoding_header(message, form, &message_trait);
        let full_name = &message.full_name;
        let mut field_writes = self.field_writes(scope, message, form);
        if self.is_raw(self.id(message)) {
            field_writes.push(quote!(out.raw(&self.body)));
        } else if message.bodyless {
            field_writes.clear();
        } else if let Some(unknown) = unknown_member(message) {
            field_writes.push(quote!(self.#unknown.put(out)));
        }
        let (behind, at_least) = (self.behind(scope, message), at_least(scope, message));
        let last = field_writes.pop().unwrap_or_else(|| quote!(out));
        quote! {
            impl #generics #message_trait for #name #bounds {
                const NAME: &'static str = #full_name;
                #behind

                #at_least

                #[inline]
                fn encode<'w>(&self, out: #writer<'w>) -> #writer<'w> {
                    #(let out = #field_writes;)*
                    #last
                }
            }
        }
    }

    /// Emits the constant that says how much an empty message allocates: what the
    /// messages allocate that it always has.
    fn behind(&self, scope: &Scope<'_>, message: &Message) -> Option<TokenStream> {
        let members: Vec<TokenStream> = message
            .fields
            .iter()
            .filter(|field| field.presence == Presence::Required && self.allocates(field))
            .map(|field| {
                let (function, member) = (scope.wire("behind"), member(field));
                quote!(#function(|message: &Self| &message.#member))
            })
            .collect();
        (!members.is_empty()).then(|| quote!(const BEHIND: usize = #(#members)+*;))
    }

    /// Reports whether an empty value of a field's type may allocate. Visits each message
    /// once: there may be exponentially many paths along required fields.
    fn allocates(&self, field: &Field) -> bool {
        let mut seen = BTreeSet::new();
        let mut queue = vec![field];
        while let Some(field) = queue.pop() {
            let (Type::Message(id) | Type::Group(id)) = field.ty else { continue };
            // What a hand-written message has in it is unknown here.
            if field.boxed || self.declared.is_some() {
                return true;
            }
            if seen.insert(id) {
                let fields = &self.schema.message(id).fields;
                queue.extend(fields.iter().filter(|field| field.presence == Presence::Required));
            }
        }
        false
    }

    /// Emits the method that writes a separate oneof.
    pub(super) fn variants_encode(scope: &Scope<'_>, message: &Message, oneof: &Oneof) -> TokenStream {
        let arms = variant_arms(scope, message, oneof, |variant| quote!(Self::#variant(value)));
        let writer = scope.wire("Writer");
        quote! {
            #[inline]
            fn encode<'w>(&self, out: #writer<'w>) -> #writer<'w> {
                match self { #(#arms)* }
            }
        }
    }

    /// Emits an expression for each field that takes the writer `out`, writes the
    /// field, and returns the writer.
    fn field_writes(&self, scope: &Scope<'_>, message: &Message, form: Form) -> Vec<TokenStream> {
        let mut written = vec![false; message.oneofs.len()];
        let mut separate = message.separate_oneofs.iter().collect::<Vec<_>>();
        separate.sort_by_key(|oneof| oneof.number);
        let mut separate = separate.into_iter().peekable();
        let mut field_writes = Vec::new();
        for field in by_number(&message.fields) {
            while let Some(oneof) = separate.next_if(|oneof| oneof.number < field.number) {
                field_writes.push(put_separate(scope, oneof));
            }
            field_writes.push(match field.presence {
                // A oneof is written once, at the position of its lowest number.
                Presence::Oneof(index) if std::mem::replace(&mut written[index], true) => continue,
                Presence::Oneof(index) => put_oneof(scope, message, &message.oneofs[index], form),
                _ => {
                    let member = member(field);
                    self.at_field_span(message, field, put(scope, field, &quote!(&self.#member)))
                }
            });
        }
        field_writes.extend(separate.map(|oneof| put_separate(scope, oneof)));
        field_writes
    }
}

/// Emits `at_least`, a lower bound of the encoded length: the lengths of all
/// singular bytes and text fields.
///
/// Emitted only if the message always has such a field. Other messages are usually
/// short, so inspecting all of their fields would cost more than it saves. A message
/// with a code does not get one either, since it is rarely nested.
fn at_least(scope: &Scope<'_>, message: &Message) -> Option<TokenStream> {
    if message.code.is_some() {
        return None;
    }
    let values = || message.fields.iter().filter(|field| matches!(field.ty, Type::Bytes | Type::String));
    values().find(|field| matches!(field.presence, Presence::Required | Presence::Implicit))?;
    scope.use_trait("Writes");
    let terms = values().filter_map(|field| {
        let (marker, member) = (Emitter::field_marker(scope, field), member(field));
        match field.presence {
            Presence::Required | Presence::Implicit => Some(quote!(#marker::at_least(&self.#member))),
            Presence::Explicit => Some(quote!(#marker::optional_at_least(&self.#member))),
            _ => None,
        }
    });
    Some(quote! {
        #[inline]
        fn at_least(&self) -> usize {
            #(#terms)+*
        }
    })
}

/// Emits the expression that writes a oneof.
fn put_oneof(scope: &Scope<'_>, message: &Message, oneof: &Oneof, form: Form) -> TokenStream {
    let member = ident(&oneof.rust_name);
    let path = oneof_path(scope, message, oneof, form);
    let (some, none) = (scope.prelude("Some"), scope.prelude("None"));
    let arms = variant_arms(scope, message, oneof, |variant| quote!(#some(#path::#variant(value))));
    quote!(match &self.#member { #(#arms)* #none => out, })
}

/// Emits the match arms that write the variants of a oneof.
fn variant_arms(
    scope: &Scope<'_>,
    message: &Message,
    oneof: &Oneof,
    pattern: impl Fn(proc_macro2::Ident) -> TokenStream,
) -> Vec<TokenStream> {
    let arm = |(index, variant): &(usize, String)| {
        let put = put(scope, &message.fields[*index], &quote!(value));
        let pattern = pattern(ident(variant));
        quote!(#pattern => #put,)
    };
    oneof.variants.iter().map(arm).collect()
}

/// Emits the expression that writes a separate oneof.
fn put_separate(scope: &Scope<'_>, oneof: &SeparateOneof) -> TokenStream {
    let member = member_token(&oneof.rust_name);
    let function = scope.wire("put_oneof");
    quote!(#function(&self.#member, out))
}

/// Emits the expression that writes one field, given a reference to its value.
fn put(scope: &Scope<'_>, field: &Field, value: &TokenStream) -> TokenStream {
    let shape = Shape::of(field.ty);
    let tag = hex(field::tag(field));
    if let Presence::Map { key } = field.presence {
        return put_map(scope, field, key, value);
    }
    if shape == Shape::Scalar {
        scope.use_trait("Writes");
        let marker = Emitter::field_marker(scope, field);
        let (kind, tag) = match field.presence {
            Presence::Required | Presence::Oneof(_) => ("", tag),
            Presence::Explicit => ("optional", tag),
            Presence::Implicit => ("implicit", tag),
            Presence::Repeated { packed: true } => ("packed", hex(field::packed_tag(field))),
            Presence::Repeated { packed: false } | Presence::Map { .. } => ("repeated", tag),
        };
        let function = function(kind, "");
        return quote!(#marker::#function(#tag, #value, out));
    }
    let kind = match field.presence {
        Presence::Explicit => "optional",
        Presence::Repeated { .. } => "repeated",
        _ => "",
    };
    let function = scope.wire(&function(kind, shape.name()).to_string());
    quote!(#function(#tag, #value, out))
}

/// Emits the expression that writes a map field.
fn put_map(scope: &Scope<'_>, field: &Field, key: Type, value: &TokenStream) -> TokenStream {
    let tag = hex(field::tag(field));
    let key_marker = Emitter::marker(scope, key);
    let [key_tag, value_tag] = field::entry_tags(key, field.ty).map(hex);
    if Shape::of(field.ty) != Shape::Scalar {
        let function = scope.wire("put_message_map");
        return quote!(#function::<#key_marker, _, _>(#tag, [#key_tag, #value_tag], #value, out));
    }
    let value_marker = Emitter::field_marker(scope, field);
    let function = scope.wire("put_map");
    quote!(#function::<#key_marker, #value_marker, _, _>(#tag, [#key_tag, #value_tag], #value, out))
}

/// Returns the name of a runtime function, such as `put_optional` or
/// `put_repeated_message`.
fn function(kind: &str, shape: &str) -> proc_macro2::Ident {
    let parts: Vec<&str> = ["put", kind, shape].into_iter().filter(|part| !part.is_empty()).collect();
    ident(&parts.join("_"))
}
