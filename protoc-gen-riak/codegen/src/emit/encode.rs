//! `Message` impls: the two passes of encoding.
//!
//! Invariant: both passes visit the fields in the same order, by number, since
//! the second takes nested lengths in the order in which the first kept them.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::Emitter;
use super::declared::Head;
use super::field::{self, Shape, by_number, hex};
use super::form::{Form, member, place, unknown_member};
use super::oneof::oneof_path;
use super::scope::{Scope, ident};
use crate::model::{Field, Message, Oneof, Presence, SeparateOneof};

/// Which of the two passes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    Len,
    Put,
}

impl Emitter<'_> {
    /// The `Message` impl of one form.
    pub(super) fn message_impl(&self, scope: &Scope<'_>, message: &Message, form: Form) -> TokenStream {
        let (message_trait, sizes, writer) =
            (scope.runtime("Message"), scope.wire("Sizes"), scope.wire("Writer"));
        let Head { generics, name, bounds, .. } = self.encoding_head(message, form, &message_trait);
        let full_name = &message.full_name;
        let mut lens = self.passes(scope, message, form, Pass::Len);
        let mut puts = self.passes(scope, message, form, Pass::Put);
        if self.is_raw(self.id(message)) {
            lens.push((quote!(self.body.len()), false));
            puts.push((quote!(out.raw(&self.body);), false));
        } else if message.bodyless {
            lens.clear();
            puts.clear();
        } else if let Some(unknown) = unknown_member(message) {
            lens.push((quote!(self.#unknown.len()), false));
            puts.push((quote!(self.#unknown.put(out);), false));
        }
        let nests = lens.iter().any(|(_, nests)| *nests);
        let sizes_name = if nests { format_ident!("sizes") } else { format_ident!("_sizes") };
        let out_name = if puts.is_empty() { format_ident!("_out") } else { format_ident!("out") };
        let len = sum(lens.into_iter().map(|(tokens, _)| tokens));
        let puts = puts.into_iter().map(|(tokens, _)| tokens);
        quote! {
            impl #generics #message_trait for #name #bounds {
                const NAME: &'static str = #full_name;

                #[inline]
                fn encoded_len(&self, #sizes_name: &mut #sizes) -> usize {
                    #len
                }

                #[inline]
                fn encode(&self, #out_name: &mut #writer<'_>, #sizes_name: &mut #sizes) {
                    #(#puts)*
                }
            }
        }
    }

    /// The two methods that write a oneof which is a type of its own.
    pub(super) fn variants_encode(scope: &Scope<'_>, message: &Message, oneof: &Oneof) -> TokenStream {
        let pattern = |variant| quote!(Self::#variant(value));
        let (lens, nests) = variant_arms(scope, message, oneof, pattern, Pass::Len);
        let (puts, _) = variant_arms(scope, message, oneof, pattern, Pass::Put);
        let (sizes, writer) = (scope.wire("Sizes"), scope.wire("Writer"));
        let sizes_name = if nests { format_ident!("sizes") } else { format_ident!("_sizes") };
        quote! {
            #[inline]
            fn encoded_len(&self, #sizes_name: &mut #sizes) -> usize {
                match self { #(#lens)* }
            }

            #[inline]
            fn encode(&self, out: &mut #writer<'_>, #sizes_name: &mut #sizes) {
                match self { #(#puts)* }
            }
        }
    }

    /// The terms or statements of one pass, each with whether it needs nested
    /// lengths.
    fn passes(
        &self,
        scope: &Scope<'_>,
        message: &Message,
        form: Form,
        pass: Pass,
    ) -> Vec<(TokenStream, bool)> {
        let mut done = vec![false; message.oneofs.len()];
        let mut separate = message.separate_oneofs.iter().collect::<Vec<_>>();
        separate.sort_by_key(|oneof| oneof.number);
        let mut separate = separate.into_iter().peekable();
        let mut passes = Vec::new();
        for field in by_number(&message.fields) {
            while let Some(oneof) = separate.next_if(|oneof| oneof.number < field.number) {
                passes.push(separate_pass(scope, oneof, pass));
            }
            passes.push(match field.presence {
                // A oneof is written where its lowest number stands.
                Presence::Oneof(index) if std::mem::replace(&mut done[index], true) => continue,
                Presence::Oneof(index) => {
                    Self::oneof_pass(scope, message, &message.oneofs[index], form, pass)
                }
                _ => {
                    let (tokens, nests) = Self::field_pass(scope, field, pass);
                    (self.located(message, field, tokens), nests)
                }
            });
        }
        passes.extend(separate.map(|oneof| separate_pass(scope, oneof, pass)));
        passes
    }

    fn field_pass(scope: &Scope<'_>, field: &Field, pass: Pass) -> (TokenStream, bool) {
        let member = member(field);
        value_pass(scope, field, &quote!(&self.#member), pass)
    }

    fn oneof_pass(
        scope: &Scope<'_>,
        message: &Message,
        oneof: &Oneof,
        form: Form,
        pass: Pass,
    ) -> (TokenStream, bool) {
        let member = ident(&oneof.rust_name);
        let path = oneof_path(scope, message, oneof, form);
        let some = scope.prelude("Some");
        let pattern = |variant| quote!(#some(#path::#variant(value)));
        let (arms, nests) = variant_arms(scope, message, oneof, pattern, pass);
        let none = scope.prelude("None");
        let tokens = match pass {
            Pass::Len => quote!(match &self.#member { #(#arms)* #none => 0 }),
            Pass::Put => quote!(match &self.#member { #(#arms)* #none => {} }),
        };
        (tokens, nests)
    }
}

/// The arms of a oneof's variants, and whether one needs nested lengths.
fn variant_arms(
    scope: &Scope<'_>,
    message: &Message,
    oneof: &Oneof,
    pattern: impl Fn(proc_macro2::Ident) -> TokenStream,
    pass: Pass,
) -> (Vec<TokenStream>, bool) {
    let mut nests = false;
    let arms = oneof.variants.iter().map(|(index, variant)| {
        let field = &message.fields[*index];
        let (call, nested) = value_pass(scope, field, &quote!(value), pass);
        nests |= nested;
        let pattern = pattern(ident(variant));
        let call = if pass == Pass::Put { quote!({ #call }) } else { quote!(#call,) };
        quote!(#pattern => #call)
    });
    let arms = arms.collect();
    (arms, nests)
}

/// The term or statement of a oneof that is a type of its own.
fn separate_pass(scope: &Scope<'_>, oneof: &SeparateOneof, pass: Pass) -> (TokenStream, bool) {
    let member = place(&oneof.rust_name);
    let tokens = match pass {
        Pass::Len => {
            let function = scope.wire("oneof_len");
            quote!(#function(&self.#member, sizes))
        }
        Pass::Put => {
            let function = scope.wire("put_oneof");
            quote!(#function(&self.#member, out, sizes);)
        }
    };
    (tokens, true)
}

/// One field's term or statement, given its value by reference.
fn value_pass(scope: &Scope<'_>, field: &Field, value: &TokenStream, pass: Pass) -> (TokenStream, bool) {
    let shape = Shape::of(field.ty);
    let tag = hex(field::tag(field));
    if let Presence::Map { key } = field.presence {
        return map_pass(scope, field, key, value, pass);
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
        let function = function(kind, "", pass);
        return match pass {
            Pass::Len => (quote!(#marker::#function(#tag, #value)), false),
            Pass::Put => (quote!(#marker::#function(#tag, #value, out);), false),
        };
    }
    let kind = match field.presence {
        Presence::Explicit => "optional",
        Presence::Repeated { .. } => "repeated",
        _ => "",
    };
    let function = scope.wire(&function(kind, shape.name(), pass).to_string());
    match pass {
        Pass::Len => (quote!(#function(#tag, #value, sizes)), true),
        Pass::Put => (quote!(#function(#tag, #value, out, sizes);), true),
    }
}

/// A map field's term or statement.
fn map_pass(
    scope: &Scope<'_>,
    field: &Field,
    key: crate::model::Type,
    value: &TokenStream,
    pass: Pass,
) -> (TokenStream, bool) {
    let tag = hex(field::tag(field));
    let key_marker = Emitter::marker(scope, key);
    let [key_tag, value_tag] = field::entry_tags(key, field.ty).map(hex);
    let nested = Shape::of(field.ty) != Shape::Scalar;
    let generics = if nested {
        quote!(::<#key_marker, _, _>)
    } else {
        let value_marker = Emitter::field_marker(scope, field);
        quote!(::<#key_marker, #value_marker, _, _>)
    };
    let tokens = match pass {
        Pass::Len => {
            let function = scope.wire(if nested { "message_map_len" } else { "map_len" });
            quote!(#function #generics(#tag, #value, sizes))
        }
        Pass::Put => {
            let function = scope.wire(if nested { "put_message_map" } else { "put_map" });
            quote!(#function #generics(#tag, [#key_tag, #value_tag], #value, out, sizes);)
        }
    };
    (tokens, true)
}

/// The name of a runtime function: `optional_len`, `put_repeated_message`.
fn function(kind: &str, shape: &str, pass: Pass) -> proc_macro2::Ident {
    let mut parts = vec![kind, shape];
    match pass {
        Pass::Len => parts.push("len"),
        Pass::Put => parts.insert(0, "put"),
    }
    parts.retain(|part| !part.is_empty());
    ident(&parts.join("_"))
}

/// The sum of the terms.
fn sum(terms: impl Iterator<Item = TokenStream>) -> TokenStream {
    let mut terms: Vec<TokenStream> = terms.collect();
    if let [first, _, ..] = terms.as_mut_slice()
        && first.clone().into_iter().next().is_some_and(|token| token.to_string() == "match")
    {
        // What starts a block with `match` would be a statement.
        *first = quote!((#first));
    }
    if terms.is_empty() { quote!(0) } else { quote!(#(#terms)+*) }
}
