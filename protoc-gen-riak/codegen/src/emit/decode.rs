//! `Decode` impls: fields are merged in place, and required fields are checked once,
//! at the end.
//!
//! Invariant: each tag that the schema knows has its own match arm, or two if a
//! repeated field may be packed. A known field number with another wire type is an
//! unknown field, as protobuf requires.

use std::collections::HashSet;

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use super::Emitter;
use super::declared::ImplHeader;
use super::field::{self, Shape, by_number, hex, packable};
use super::form::{Form, member, member_token, unknown_member};
use super::oneof::oneof_path;
use super::scope::{Scope, ident};
use crate::model::{Field, Message, MessageId, Oneof, Presence, Type};

/// The number of required fields that one word of the bit set tracks.
const WORD_BITS: usize = 64;

/// The destination of a decoded oneof.
#[derive(Clone, Copy)]
struct OneofTarget<'s> {
    /// The path of the oneof's enum.
    path: &'s TokenStream,
    /// The place of the `Option` that holds the oneof.
    place: &'s TokenStream,
    /// The expression for the collection of unknown fields.
    unknown: &'s TokenStream,
}

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

    /// Emits the match arm of a field with at most one value, outside a oneof.
    fn single_read(
        &self,
        scope: &Scope<'_>,
        message: &Message,
        field: &Field,
        form: Form,
        bit: Option<usize>,
    ) -> TokenStream {
        let tag = hex(field::tag(field));
        let member = member(field);
        let optional = field.presence == Presence::Explicit;
        let some = scope.prelude("Some");
        let mark_found = bit.map(|bit| {
            let name = missing_ident(bit / WORD_BITS);
            let bit = Literal::u64_unsuffixed(1 << (bit % WORD_BITS));
            quote!(#name &= !#bit;)
        });
        let wrap = |value: TokenStream| if optional { quote!(#some(#value)) } else { value };
        match Shape::of(field.ty) {
            Shape::Scalar if self.is_closed_enum(field) => {
                let read = closed_read(scope, field, &unknown_fields(scope, message));
                let set = wrap(quote!(value));
                quote! {
                    #tag => if let #some(value) = #read? { self.#member = #set; #mark_found },
                }
            }
            Shape::Scalar => {
                scope.use_trait("Reads");
                let marker = Self::field_marker(scope, field);
                if field.ty == Type::Bytes && form == Form::Owned {
                    let set = ident(if optional { "set_optional" } else { "set" });
                    let call = quote!(#marker::#set(&mut self.#member, &mut input, ctx)?);
                    return arm(&tag, &call, mark_found.as_ref());
                }
                let set = wrap(quote!(#marker::read(&mut input, ctx)?));
                arm(&tag, &quote!(self.#member = #set), mark_found.as_ref())
            }
            shape => {
                if optional {
                    let function = scope.wire(&format!("read_optional_{}", shape.name()));
                    return quote!(#tag => #function(#tag, &mut self.#member, &mut input, ctx)?,);
                }
                let function = scope.wire(&format!("read_{}", shape.name()));
                let seen_before = bit.map_or(quote!(false), |bit| {
                    let name = missing_ident(bit / WORD_BITS);
                    let bit = Literal::u64_unsuffixed(1 << (bit % WORD_BITS));
                    quote!(#name & #bit == 0)
                });
                quote!(#tag => { #function(#tag, &mut self.#member, #seen_before, &mut input, ctx)?; #mark_found })
            }
        }
    }

    /// Emits the expression that reads consecutive values of a repeated field, or a
    /// packed run.
    fn repeated_read(
        &self,
        scope: &Scope<'_>,
        message: &Message,
        field: &Field,
        packed: bool,
    ) -> TokenStream {
        let tag = hex(if packed { field::packed_tag(field) } else { field::tag(field) });
        let member = member(field);
        match Shape::of(field.ty) {
            Shape::Scalar if self.is_closed_enum(field) => {
                let function = if packed { "read_packed_closed" } else { "read_repeated_closed" };
                let unknown = unknown_fields(scope, message);
                let function = scope.wire(function);
                quote!(#function(#tag, &mut self.#member, #unknown, &mut input, ctx))
            }
            Shape::Scalar => {
                scope.use_trait("Reads");
                let marker = Self::field_marker(scope, field);
                if packed {
                    quote!(#marker::read_packed(&mut self.#member, &mut input, ctx))
                } else {
                    quote!(#marker::read_repeated(#tag, &mut self.#member, &mut input, ctx))
                }
            }
            shape => {
                let function = scope.wire(&format!("read_repeated_{}", shape.name()));
                quote!(#function(#tag, &mut self.#member, &mut input, ctx))
            }
        }
    }

    /// Emits the expression that reads one entry of a map.
    fn map_read(&self, scope: &Scope<'_>, message: &Message, field: &Field, key: Type) -> TokenStream {
        let member = member(field);
        let [key_tag, value_tag] = field::entry_tags(key, field.ty).map(hex);
        let key_marker = Self::marker(scope, key);
        if self.is_closed_enum(field) {
            let function = scope.wire("read_map_closed");
            let unknown = unknown_fields(scope, message);
            return quote! {
                #function::<#key_marker, _, _>(
                    tag, [#key_tag, #value_tag], &mut self.#member, #unknown, &mut input, ctx,
                )?,
            };
        }
        let function = scope.wire("read_map");
        let value_marker = Self::field_marker(scope, field);
        quote! {
            #function::<#key_marker, #value_marker, _, _>(
                [#key_tag, #value_tag], &mut self.#member, &mut input, ctx,
            )?,
        }
    }

    /// Emits the expression that reads a member of a oneof. The last member on the
    /// wire wins; a message that occurs again is merged.
    fn oneof_read(
        &self,
        scope: &Scope<'_>,
        message: &Message,
        field: &Field,
        oneof: &Oneof,
        OneofTarget { path, place, unknown }: OneofTarget<'_>,
    ) -> TokenStream {
        let tag = hex(field::tag(field));
        let variant = oneof
            .variants
            .iter()
            .find(|(index, _)| std::ptr::eq(&raw const message.fields[*index], field))
            .map(|(_, variant)| ident(variant));
        let some = scope.prelude("Some");
        let forget = self.forget(message, oneof, field);
        match Shape::of(field.ty) {
            Shape::Scalar if self.is_closed_enum(field) => {
                let read = closed_read(scope, field, unknown);
                quote!(if let #some(value) = #read? { #place = #some(#path::#variant(value)); #forget },)
            }
            Shape::Scalar => {
                scope.use_trait("Reads");
                let marker = Self::field_marker(scope, field);
                let set = quote!(#place = #some(#path::#variant(#marker::read(&mut input, ctx)?)));
                if forget.is_some() { quote!({ #set; #forget },) } else { quote!(#set,) }
            }
            shape => {
                let function = scope.wire(&format!("read_{}", shape.name()));
                let default = scope.prelude("Default");
                quote! {
                    if let #some(#path::#variant(value)) = &mut #place {
                        #function(#tag, value, true, &mut input, ctx)?;
                    } else {
                        let mut value = #default::default();
                        #function(#tag, &mut value, false, &mut input, ctx)?;
                        #place = #some(#path::#variant(value));
                        #forget
                    },
                }
            }
        }
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

    /// Emits the statement that discards the missing required fields recorded for
    /// the other members of a oneof, which `field` replaces. `None` if those members
    /// have no required fields.
    fn forget(&self, message: &Message, oneof: &Oneof, field: &Field) -> Option<TokenStream> {
        let others = oneof.variants.iter().map(|(index, _)| &message.fields[*index]);
        let tags: Vec<TokenStream> = others
            .filter(|other| !std::ptr::eq(*other, field) && self.has_required(other.ty, &mut HashSet::new()))
            .map(|other| hex(field::tag(other)))
            .collect();
        (!tags.is_empty()).then(|| quote!(ctx.forget(&[#(#tags),*]);))
    }

    /// Reports whether a message or any message nested in it has required fields.
    fn has_required(&self, ty: Type, seen: &mut HashSet<MessageId>) -> bool {
        let (Type::Message(id) | Type::Group(id)) = ty else {
            return false;
        };
        let mut fields = self.schema.message(id).fields.iter();
        seen.insert(id)
            && fields.any(|field| field.presence == Presence::Required || self.has_required(field.ty, seen))
    }

    /// Reports whether a field's type is a closed enum.
    fn is_closed_enum(&self, field: &Field) -> bool {
        matches!(field.ty, Type::Enum(id) if self.schema.enumeration(id).closed)
    }
}

/// Emits a match arm that runs `action` and then marks the field as found.
fn arm(tag: &TokenStream, action: &TokenStream, mark_found: Option<&TokenStream>) -> TokenStream {
    mark_found.map_or_else(|| quote!(#tag => #action,), |mark_found| quote!(#tag => { #action; #mark_found }))
}

/// Emits the expression that reads the number of a closed enum. An unnamed number
/// goes to the unknown fields.
fn closed_read(scope: &Scope<'_>, field: &Field, unknown: &TokenStream) -> TokenStream {
    let function = scope.wire("read_closed");
    let tag = hex(field::tag(field));
    quote!(#function(#tag, #unknown, &mut input, ctx))
}

/// Returns the expression for the collection of unknown fields.
fn unknown_fields(scope: &Scope<'_>, message: &Message) -> TokenStream {
    if let Some(unknown) = unknown_member(message) {
        quote!(&mut self.#unknown)
    } else {
        let ignore = scope.wire("Ignore");
        quote!(&mut #ignore)
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
fn missing_ident(word: usize) -> proc_macro2::Ident {
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
