//! `Decode` impls: fields merged in place, required ones checked once.
//!
//! Invariant: each tag that the schema knows has an arm of its own, in both
//! encodings where a repeated field may be packed; a known number with another
//! wire type is an unknown field, as protobuf wants it.

use std::collections::HashSet;

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use super::Emitter;
use super::declared::Head;
use super::field::{self, Shape, by_number, hex, packable};
use super::form::{Form, member, place, unknown_member};
use super::oneof::oneof_path;
use super::scope::{Scope, ident};
use crate::model::{Field, Message, MessageId, Oneof, Presence, Type};

/// The words that hold a bit for each required field.
const WORD: usize = 64;

/// Where a oneof is read to.
#[derive(Clone, Copy)]
struct Slot<'s> {
    /// The path of the oneof's enum.
    path: &'s TokenStream,
    /// The `Option` that holds it.
    place: &'s TokenStream,
    /// Where unknown fields go.
    unknown: &'s TokenStream,
}

impl Emitter<'_> {
    /// The `Decode` impl of one form.
    pub(super) fn decode_impl(&self, scope: &Scope<'_>, message: &Message, form: Form) -> TokenStream {
        let [decode, error] = ["Decode", "DecodeError"].map(|name| scope.runtime(name));
        let Head { generics, name, bounds, lifetime } = self.decoding_head(message, form, &decode);
        let [reader, context] = ["Reader", "Context"].map(|name| scope.wire(name));
        let result = scope.prelude("Result");
        let body = if self.is_raw(self.id(message)) {
            raw_body(scope, form)
        } else {
            self.body(scope, message, form)
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

    fn body(&self, scope: &Scope<'_>, message: &Message, form: Form) -> TokenStream {
        let fields = by_number(&message.fields);
        let required: Vec<&Field> =
            fields.iter().filter(|field| field.presence == Presence::Required).copied().collect();
        let words = required.chunks(WORD).enumerate();
        let begins = words.clone().map(|(index, chunk)| {
            let (name, all) = (missing(index), bits(chunk.len()));
            quote!(let mut #name = ctx.missing(#all);)
        });
        let checks = words.map(|(index, chunk)| {
            let name = missing(index);
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
                self.located(message, field, self.arms(scope, message, field, form, bit))
            })
            .collect();
        let separate = message.separate_oneofs.iter().map(|oneof| {
            let (read, member) = (scope.wire("read_oneof"), place(&oneof.rust_name));
            let unknown = unknown(scope, message);
            quote!(_ if #read(tag, &mut self.#member, #unknown, &mut input, ctx)? => {})
        });
        let [some, ok] = ["Some", "Ok"].map(|name| scope.prelude(name));
        let read_unknown = scope.wire("read_unknown");
        let unknown = unknown(scope, message);
        let texts = (!message.text_extensions.is_empty()).then(|| {
            let tags = message.text_extensions.iter().map(|number| hex(field::delimited_tag(*number)));
            let read_unknown_text = scope.wire("read_unknown_text");
            quote!(#(#tags)|* => #read_unknown_text(tag, #unknown, &mut input, ctx)?,)
        });
        let known = quote!(#arms #texts #(#separate)*);
        let read = if known.is_empty() {
            quote!(#read_unknown(tag, #unknown, &mut input, ctx)?;)
        } else {
            quote!(match tag {
                #known
                _ => #read_unknown(tag, #unknown, &mut input, ctx)?,
            })
        };
        quote! {
            #(#begins)*
            while let #some(tag) = input.tag(ctx)? { #read }
            #(#checks)*
            #ok(())
        }
    }

    /// The arms of one field: one, or two if it may be packed.
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
                let slot =
                    Slot { path: &path, place: &quote!(self.#member), unknown: &unknown(scope, message) };
                self.oneof_read(scope, message, field, oneof, slot)
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

    /// The arm of a field with at most one value, outside a oneof.
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
        let found = bit.map(|bit| {
            let name = missing(bit / WORD);
            let bit = Literal::u64_unsuffixed(1 << (bit % WORD));
            quote!(#name &= !#bit;)
        });
        let wrap = |value: TokenStream| if optional { quote!(#some(#value)) } else { value };
        match Shape::of(field.ty) {
            Shape::Scalar if self.closed(field) => {
                let read = closed_read(scope, field, &unknown(scope, message));
                let set = wrap(quote!(value));
                quote! {
                    #tag => if let #some(value) = #read? { self.#member = #set; #found },
                }
            }
            Shape::Scalar => {
                scope.use_trait("Reads");
                let marker = Self::field_marker(scope, field);
                if field.ty == Type::Bytes && form == Form::Owned {
                    let set = ident(if optional { "set_optional" } else { "set" });
                    let call = quote!(#marker::#set(&mut self.#member, &mut input, ctx)?);
                    return arm(&tag, &call, found.as_ref());
                }
                let set = wrap(quote!(#marker::read(&mut input, ctx)?));
                arm(&tag, &quote!(self.#member = #set), found.as_ref())
            }
            shape => {
                if optional {
                    let function = scope.wire(&format!("read_optional_{}", shape.name()));
                    return quote!(#tag => #function(#tag, &mut self.#member, &mut input, ctx)?,);
                }
                let function = scope.wire(&format!("read_{}", shape.name()));
                let again = bit.map_or(quote!(false), |bit| {
                    let name = missing(bit / WORD);
                    let bit = Literal::u64_unsuffixed(1 << (bit % WORD));
                    quote!(#name & #bit == 0)
                });
                quote!(#tag => { #function(#tag, &mut self.#member, #again, &mut input, ctx)?; #found })
            }
        }
    }

    /// Reads one value of a repeated field and those behind it, or a run.
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
            Shape::Scalar if self.closed(field) => {
                let function = if packed { "read_packed_closed" } else { "read_repeated_closed" };
                let unknown = unknown(scope, message);
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

    /// Reads one entry of a map.
    fn map_read(&self, scope: &Scope<'_>, message: &Message, field: &Field, key: Type) -> TokenStream {
        let member = member(field);
        let [key_tag, value_tag] = field::entry_tags(key, field.ty).map(hex);
        let key_marker = Self::marker(scope, key);
        if self.closed(field) {
            let function = scope.wire("read_map_closed");
            let unknown = unknown(scope, message);
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

    /// Reads a member of a oneof. The last one on the wire wins; a message
    /// that repeats is merged.
    fn oneof_read(
        &self,
        scope: &Scope<'_>,
        message: &Message,
        field: &Field,
        oneof: &Oneof,
        Slot { path, place, unknown }: Slot<'_>,
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
            Shape::Scalar if self.closed(field) => {
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

    /// The match that reads a field of a oneof which is a type of its own to
    /// `*place`. Fields that it does not know are left where they are.
    pub(super) fn variants_merge(&self, scope: &Scope<'_>, message: &Message, oneof: &Oneof) -> TokenStream {
        let arms = message.fields.iter().map(|field| {
            let tag = hex(field::tag(field));
            let slot = Slot { path: &quote!(Self), place: &quote!(*place), unknown: &quote!(unknown) };
            let read = self.oneof_read(scope, message, field, oneof, slot);
            self.located(message, field, quote!(#tag => #read))
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

    /// Forgets what members of a oneof lacked that this one replaces, where
    /// they can lack something.
    fn forget(&self, message: &Message, oneof: &Oneof, field: &Field) -> Option<TokenStream> {
        let others = oneof.variants.iter().map(|(index, _)| &message.fields[*index]);
        let tags: Vec<TokenStream> = others
            .filter(|other| !std::ptr::eq(*other, field) && self.may_lack(other.ty, &mut HashSet::new()))
            .map(|other| hex(field::tag(other)))
            .collect();
        (!tags.is_empty()).then(|| quote!(ctx.forget(&[#(#tags),*]);))
    }

    /// Whether there are required fields in a message, or in those inside it.
    fn may_lack(&self, ty: Type, seen: &mut HashSet<MessageId>) -> bool {
        let (Type::Message(id) | Type::Group(id)) = ty else {
            return false;
        };
        let mut fields = self.schema.message(id).fields.iter();
        seen.insert(id)
            && fields.any(|field| field.presence == Presence::Required || self.may_lack(field.ty, seen))
    }

    /// Whether a field's values are of a closed enum.
    fn closed(&self, field: &Field) -> bool {
        matches!(field.ty, Type::Enum(id) if self.schema.enumeration(id).closed)
    }
}

/// An arm that carries `act` out, and says that its field was found.
fn arm(tag: &TokenStream, act: &TokenStream, found: Option<&TokenStream>) -> TokenStream {
    found.map_or_else(|| quote!(#tag => #act,), |found| quote!(#tag => { #act; #found }))
}

/// Reads a closed enum's number; one without a name goes to the unknown fields.
fn closed_read(scope: &Scope<'_>, field: &Field, unknown: &TokenStream) -> TokenStream {
    let function = scope.wire("read_closed");
    let tag = hex(field::tag(field));
    quote!(#function(#tag, #unknown, &mut input, ctx))
}

/// Where unknown fields go.
fn unknown(scope: &Scope<'_>, message: &Message) -> TokenStream {
    if let Some(unknown) = unknown_member(message) {
        quote!(&mut self.#unknown)
    } else {
        let ignore = scope.wire("Ignore");
        quote!(&mut #ignore)
    }
}

/// The body of a message that is no protobuf: all of it.
fn raw_body(scope: &Scope<'_>, form: Form) -> TokenStream {
    let ok = scope.prelude("Ok");
    match form {
        Form::Owned => quote! { self.body = ctx.blob(input.rest()); #ok(()) },
        Form::Borrowed => quote! { let _ = ctx; self.body = input.rest(); #ok(()) },
    }
}

/// The name of the word that holds the bits of required fields.
fn missing(word: usize) -> proc_macro2::Ident {
    if word == 0 { format_ident!("missing") } else { format_ident!("missing_{word}") }
}

/// A word with its lowest `count` bits set, as a binary literal if it is short.
fn bits(count: usize) -> TokenStream {
    if count <= 8 {
        let text = format!("0b{}", "1".repeat(count));
        if let Ok(literal) = text.parse::<Literal>() {
            return quote!(#literal);
        }
    }
    hex64(u64::MAX >> (WORD - count))
}

fn hex64(value: u64) -> TokenStream {
    let literal = format!("{value:#x}").parse::<Literal>();
    literal.map_or_else(|_| quote!(#value), |literal| quote!(#literal))
}
