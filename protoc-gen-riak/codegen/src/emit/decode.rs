//! `Decode` impls: fields are merged in place, and required fields are checked once,
//! at the end.
//!
//! Invariant: each tag that the schema knows has its own match arm, or two if a
//! repeated field may be packed. A known field number with another wire type is an
//! unknown field, as protobuf requires.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use super::Emitter;
use super::declared::ImplHeader;
use super::field::{self, by_number, hex, packable};
use super::form::{Form, member_token};
use super::oneof::oneof_path;
use super::read::{OneofTarget, unknown_fields};
use super::scope::{Scope, ident};
use crate::model::{Field, Message, Oneof, Presence};

/// The number of required fields that one word of the bit set tracks.
pub(super) const WORD_BITS: usize = 64;

impl Emitter<'_> {
    /// Emits the `Decode` impl of one form.
    pub(super) fn decode_impl(&self, scope: &Scope<'_>, message: &Message, form: Form) -> TokenStream {
        let [decode, error] = ["Decode", "DecodeError"].map(|name| scope.runtime(name));
        let ImplHeader { generics, name, bounds, lifetime } = self.decoding_header(message, form, &decode);
        let [reader, context] = ["Reader", "Context"].map(|name| scope.wire(name));
        let result = scope.prelude("Result");
        let body = if self.is_raw(self.id(message)) {
            raw_body(scope, form)
        } else {
            self.merge_body(scope, message, form)
        };
        quote! {
            impl #generics #decode<#lifetime> for #name #bounds {
                #[inline]
                fn merge(
                    &mut self,
                    mut input: #reader<#lifetime>,
                    ctx: &mut #context<#lifetime>,
                ) -> #result<(), #error> {
                    #body
                }
            }
        }
    }

    fn merge_body(&self, scope: &Scope<'_>, message: &Message, form: Form) -> TokenStream {
        let fields = by_number(&message.fields);
        let required: Vec<&Field> =
            fields.iter().filter(|field| field.presence == Presence::Required).copied().collect();
        let words = required.chunks(WORD_BITS).enumerate();
        let inits = words.clone().map(|(index, chunk)| {
            let (name, all) = (missing_ident(index), bit_mask(chunk.len()));
            quote!(let mut #name = ctx.missing(#all);)
        });
        let checks = words.map(|(index, chunk)| {
            let name = missing_ident(index);
            let index = Literal::usize_unsuffixed(index);
            let names = chunk.iter().map(|field| &field.name);
            let full_name = &message.full_name;
            quote! {
                if #name != 0 {
                    ctx.lacks(#index, #full_name, &[#(#names),*], #name)?;
                }
            }
        });
        let arms: TokenStream = fields
            .iter()
            .map(|field| {
                let bit = required.iter().position(|other| std::ptr::eq(*other, *field));
                self.at_field_span(message, field, self.arms(scope, message, field, form, bit))
            })
            .collect();
        let separate = message.separate_oneofs.iter().map(|oneof| {
            let (read, member) = (scope.wire("read_oneof"), member_token(&oneof.rust_name));
            let unknown = unknown_fields(scope, message);
            quote!(_ if #read(tag, &mut self.#member, #unknown, &mut input, ctx)? => {})
        });
        let [some, ok] = ["Some", "Ok"].map(|name| scope.prelude(name));
        let read_unknown = scope.wire("read_unknown");
        let unknown = unknown_fields(scope, message);
        let text_extensions = (!message.text_extensions.is_empty()).then(|| {
            let tags = message.text_extensions.iter().map(|number| hex(field::delimited_tag(*number)));
            let read_unknown_text = scope.wire("read_unknown_text");
            quote!(#(#tags)|* => #read_unknown_text(tag, #unknown, &mut input, ctx)?,)
        });
        let known = quote!(#arms #text_extensions #(#separate)*);
        let read = if known.is_empty() {
            quote!(#read_unknown(tag, #unknown, &mut input, ctx)?;)
        } else {
            quote!(match tag {
                #known
                _ => #read_unknown(tag, #unknown, &mut input, ctx)?,
            })
        };
        quote! {
            #(#inits)*
            while let #some(tag) = input.tag(ctx)? { #read }
            #(#checks)*
            #ok(())
        }
    }

    /// Emits the match arms of one field: one, or two if it may be packed.
    ///
    /// `bit` is the position of a required field in the bit set.
    fn arms(
        &self,
        scope: &Scope<'_>,
        message: &Message,
        field: &Field,
        form: Form,
        bit: Option<usize>,
    ) -> TokenStream {
        let tag = hex(field::tag(field));
        let read = match field.presence {
            Presence::Oneof(index) => {
                let oneof = &message.oneofs[index];
                let (path, member) = (oneof_path(scope, message, oneof, form), ident(&oneof.rust_name));
                let target = OneofTarget {
                    path: &path,
                    place: &quote!(self.#member),
                    unknown: &unknown_fields(scope, message),
                };
                self.oneof_read(scope, message, field, oneof, target)
            }
            Presence::Map { key } => self.map_read(scope, message, field, key),
            Presence::Repeated { .. } => {
                let one = self.repeated_read(scope, message, field, false);
                if !packable(field.ty) {
                    return quote!(#tag => #one?,);
                }
                let run = self.repeated_read(scope, message, field, true);
                let packed = hex(field::packed_tag(field));
                return quote!(#tag => #one?, #packed => #run?,);
            }
            Presence::Required | Presence::Explicit | Presence::Implicit => {
                return self.single_read(scope, message, field, form, bit);
            }
        };
        quote!(#tag => #read)
    }

    /// Emits the match that reads a field of a separate oneof into `*place`. Fields
    /// that the oneof does not know are not consumed.
    pub(super) fn variants_merge(&self, scope: &Scope<'_>, message: &Message, oneof: &Oneof) -> TokenStream {
        let arms = message.fields.iter().map(|field| {
            let tag = hex(field::tag(field));
            let target =
                OneofTarget { path: &quote!(Self), place: &quote!(*place), unknown: &quote!(unknown) };
            let read = self.oneof_read(scope, message, field, oneof, target);
            self.at_field_span(message, field, quote!(#tag => #read))
        });
        let ok = scope.prelude("Ok");
        quote! {
            match tag {
                #(#arms)*
                _ => return #ok(false),
            }
            #ok(true)
        }
    }
}

/// Emits the `merge` body of a message that is not protobuf: it takes all bytes.
fn raw_body(scope: &Scope<'_>, form: Form) -> TokenStream {
    let ok = scope.prelude("Ok");
    match form {
        Form::Owned => quote! { self.body = ctx.blob(input.rest()); #ok(()) },
        Form::Borrowed => quote! { let _ = ctx; self.body = input.rest(); #ok(()) },
    }
}

/// Returns the name of a variable with the bits of missing required fields.
pub(super) fn missing_ident(word: usize) -> proc_macro2::Ident {
    if word == 0 { format_ident!("missing") } else { format_ident!("missing_{word}") }
}

/// Returns a word with its lowest `count` bits set: a binary literal for up to 8
/// bits, else a hexadecimal one.
fn bit_mask(count: usize) -> TokenStream {
    if count <= 8 {
        let text = format!("0b{}", "1".repeat(count));
        if let Ok(literal) = text.parse::<Literal>() {
            return quote!(#literal);
        }
    }
    hex64(u64::MAX >> (WORD_BITS - count))
}

fn hex64(value: u64) -> TokenStream {
    let literal = format!("{value:#x}").parse::<Literal>();
    literal.map_or_else(|_| quote!(#value), |literal| quote!(#literal))
}
