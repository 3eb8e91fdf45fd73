//! The match arms of `Decode::merge`: how the fields of one tag are read.
//!
//! Invariant: an arm consumes the field whose tag has been read, and a repeated field's
//! arm also consumes those that follow it with the same tag.

use std::collections::HashSet;

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::Emitter;
use super::decode::{WORD_BITS, missing_ident};
use super::field::{self, Shape, hex};
use super::form::{Form, member, unknown_member};
use super::scope::{Scope, ident};
use crate::model::{Field, Message, MessageId, Oneof, Presence, Type};

/// The destination of a decoded oneof.
#[derive(Clone, Copy)]
pub(super) struct OneofTarget<'s> {
    /// The path of the oneof's enum.
    pub(super) path: &'s TokenStream,
    /// The place of the `Option` that holds the oneof.
    pub(super) place: &'s TokenStream,
    /// The expression for the collection of unknown fields.
    pub(super) unknown: &'s TokenStream,
}

impl Emitter<'_> {
    /// Emits the match arm of a field with at most one value, outside a oneof.
    pub(super) fn single_read(
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
        let missing =
            bit.map(|bit| (missing_ident(bit / WORD_BITS), Literal::u64_unsuffixed(1 << (bit % WORD_BITS))));
        let mark_found = missing.as_ref().map(|(word, bit)| quote!(#word &= !#bit;));
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
                let seen_before = missing.map_or(quote!(false), |(word, bit)| quote!(#word & #bit == 0));
                quote!(#tag => { #function(#tag, &mut self.#member, #seen_before, &mut input, ctx)?; #mark_found })
            }
        }
    }

    /// Emits the expression that reads consecutive values of a repeated field, or a
    /// packed run.
    pub(super) fn repeated_read(
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
    pub(super) fn map_read(
        &self,
        scope: &Scope<'_>,
        message: &Message,
        field: &Field,
        key: Type,
    ) -> TokenStream {
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
                tag, [#key_tag, #value_tag], &mut self.#member, &mut input, ctx,
            )?,
        }
    }

    /// Emits the expression that reads a member of a oneof. The last member on the
    /// wire wins; a message that occurs again is merged.
    pub(super) fn oneof_read(
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
                let replace = scope.wire(&format!("read_member_{}", shape.name()));
                quote! {
                    if let #some(#path::#variant(value)) = &mut #place {
                        #function(#tag, value, true, &mut input, ctx)?;
                    } else {
                        #replace(#tag, &mut #place, #path::#variant, &mut input, ctx)?;
                        #forget
                    },
                }
            }
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
pub(super) fn unknown_fields(scope: &Scope<'_>, message: &Message) -> TokenStream {
    if let Some(unknown) = unknown_member(message) {
        quote!(&mut self.#unknown)
    } else {
        let ignore = scope.wire("Ignore");
        quote!(&mut #ignore)
    }
}
