//! An enum as a oneof: each variant holds a field.
//!
//! Invariant: the enum reads and writes its own fields; the enclosing message knows only
//! their numbers.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use riak_codegen::emit::derive_oneof;
use riak_codegen::model::{Field, Oneof, Presence, Schema};
use syn::ext::IdentExt;
use syn::{DataEnum, Fields, Type, Variant};

use crate::attributes::Attributes;
use crate::context::Context;
use crate::errors::Errors;
use crate::field::{self, Member};
use crate::message::{explicit_numbers, value_type};
use crate::names::all_names;
use crate::numbers::{FieldNumbers, Reserved};
use crate::placeholders::{SELF, empty_message, placeholder_message};
use crate::requirements::Requirements;
use crate::targets::Target;
use crate::{forms, schema};

/// Emits the impls of a oneof.
pub(crate) fn derive(context: &Context<'_>, data: &DataEnum, errors: &mut Errors) -> TokenStream {
    context.attributes.check(Target::Oneof, errors);
    let mut declared = context.declared(errors);
    let mut requirements = Requirements::new(context.input, &context.runtime(), false);
    requirements.in_oneof = true;
    let explicit = explicit_numbers(data.variants.iter().map(|variant| &*variant.attrs));
    let mut numbers = FieldNumbers::new(Reserved::default(), explicit);
    let name = context.input.ident.to_string();
    let mut message = empty_message(&name);
    message.ref_name.clone_from(&name);
    let (mut variants, mut types) = (Vec::new(), Vec::new());
    for variant in &data.variants {
        let own = Attributes::read(&variant.attrs, errors);
        own.check(Target::Variant, errors);
        Attributes::check_inner(variant, errors);
        let Some(ty) = value_of(variant, errors) else { continue };
        all_names(ty.to_token_stream(), &mut declared.names);
        let Some(field) = field(variant, ty, &own, &mut requirements, &mut numbers, errors) else { continue };
        declared.spans.push(crate::types::span(ty));
        declared.secret = declared.secret.or(own.span("secret"));
        types.push(value_type(ty, field.with.is_some()));
        variants.push((message.fields.len(), variant.ident.to_string()));
        message.fields.push(field);
    }
    if data.variants.is_empty() {
        errors.at(&context.input.ident, "a oneof must have at least one field: add a variant");
    }
    message.oneofs.push(Oneof {
        name: name.clone(),
        rust_name: String::new(),
        enum_name: name.clone(),
        enum_ref_name: name,
        variants,
        docs: field::docs(&context.input.attrs),
    });
    if let Some(errors) = errors.tokens() {
        return errors;
    }
    requirements.move_bounds_to(&mut declared);
    let enums = requirements.take_enums();
    let schema = Schema { messages: vec![message, placeholder_message()], enums, ..Schema::default() };
    requirements.items.extend(forms::oneof(context, &schema, &declared.spans, &declared.pairing));
    let impls = derive_oneof(&schema, SELF, &declared, &requirements.items, &context.options());
    let described = context.described.then(|| schema::oneof(context, &schema, &declared, &types));
    quote!(#impls #described)
}

/// Returns the type of a variant's value. Records an error if it has not exactly one.
fn value_of<'v>(variant: &'v Variant, errors: &mut Errors) -> Option<&'v Type> {
    if let Fields::Unnamed(fields) = &variant.fields
        && fields.unnamed.len() == 1
    {
        return fields.unnamed.first().map(|field| &field.ty);
    }
    let name = &variant.ident;
    let text = if matches!(variant.fields, Fields::Unit) {
        format!("a variant of a oneof has one field: write `{name}(bool)`, or the name of an empty message")
    } else {
        format!("a variant of a oneof has one field: write `{name}(Type)`")
    };
    errors.at(variant, text);
    None
}

/// Converts a variant to a field of the oneof. Returns `None` if it has errors.
fn field(
    variant: &Variant,
    ty: &Type,
    attributes: &Attributes,
    requirements: &mut Requirements,
    numbers: &mut FieldNumbers,
    errors: &mut Errors,
) -> Option<Field> {
    let ident = variant.ident.unraw();
    let snake = riak_codegen::ident::snake_case(&ident.to_string());
    let plain = syn::Ident::new(snake.strip_prefix("r#").unwrap_or(&snake), ident.span());
    let member = Member {
        rust_name: variant.ident.to_string(),
        ident: Some(&plain),
        ty,
        docs: field::docs(&variant.attrs),
        attributes,
    };
    let mut field = member.field(requirements, numbers, errors)?;
    if field.presence != Presence::Required {
        errors.at(ty, "a field of a oneof is a single value: nest a message that has the list or map");
    }
    field.presence = Presence::Oneof(0);
    Some(field)
}
