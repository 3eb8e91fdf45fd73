//! The comparison of the two forms of a message or oneof, in traits with which each form
//! names the other, and in constants that the compiler evaluates. The derive sees only one
//! form at a time.
//!
//! Invariant: the descriptions of two members of the same name are equal if, and only
//! if, the members are the same on the wire.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use riak_codegen::emit::Pairing;
use riak_codegen::model::{Field, Literal, Presence, Schema, Type};

use crate::context::Context;
use crate::field::type_name;
use crate::message::DerivedMessage;
use crate::placeholders::SELF;

/// A member that is on the wire.
struct WireMember {
    /// The Rust name; empty for the properties of the message itself.
    name: String,
    /// The description of the wire format.
    description: String,
    span: Span,
}

/// Emits the other form of a message, and the assertions that both are the same. The
/// borrowed form has the members, and the owned one asserts that they are its own.
pub(crate) fn message(context: &Context<'_>, derived: &DerivedMessage) -> TokenStream {
    let runtime = context.runtime();
    let ident = context.ident();
    let span = |name| context.attributes.span(name).unwrap_or_else(Span::call_site);
    match &derived.declared.pairing {
        Pairing::Alone => TokenStream::new(),
        Pairing::Owned(owned) => {
            let span = span("owned");
            let members = listed(&members(derived, span));
            let (generics, arguments, bounds) = context.input.generics.split_for_impl();
            // So that an owned form which does not name this one is reported where it is named.
            let place = respanned(runtime.clone(), span);
            let form = quote_spanned!(span=> #place::forms::BorrowedForm<#owned>);
            quote! {
                impl #generics #form for #ident #arguments #bounds {
                    const MEMBERS: #runtime::forms::Members = #members;
                }
            }
        }
        Pairing::Borrowed(view) => {
            let span = span("borrowed");
            let form =
                quote_spanned!(span=> <#view<'static> as #runtime::forms::BorrowedForm<#ident>>::MEMBERS);
            let assertions = assertions(context, &members(derived, span), &form, span);
            quote! {
                impl<'a> #runtime::forms::OwnedForm<#view<'a>> for #ident {}
                #assertions
            }
        }
    }
}

/// Returns the members of a message. What is wrong with the message itself is reported at
/// `span`.
fn members(derived: &DerivedMessage, span: Span) -> Vec<WireMember> {
    let message = derived.schema.message(SELF);
    let fields = message.fields.iter().zip(&derived.declared.spans);
    let mut members: Vec<WireMember> =
        fields.map(|(field, span)| wire_member(&derived.schema, field, &field.rust_name, *span)).collect();
    // The two types of a oneof compare their own numbers.
    members.extend(message.separate_oneofs.iter().map(|oneof| WireMember {
        name: oneof.rust_name.clone(),
        description: "oneof".to_owned(),
        span,
    }));
    let mut frame = message.code.map_or_else(|| "no code".to_owned(), |code| format!("code = {code}"));
    if message.bodyless {
        frame.push_str(", bodyless");
    }
    members.push(WireMember { name: String::new(), description: frame, span });
    members
}

/// Emits the members of a oneof, or, if it has an owned form, the assertions that they are
/// the same in both.
pub(crate) fn oneof(
    context: &Context<'_>,
    schema: &Schema,
    spans: &[Span],
    pairing: &Pairing,
) -> TokenStream {
    let message = schema.message(SELF);
    let variants = message.oneofs.iter().flat_map(|oneof| &oneof.variants);
    let members: Vec<WireMember> = variants
        .zip(spans)
        .map(|((index, variant), span)| wire_member(schema, &message.fields[*index], variant, *span))
        .collect();
    let runtime = context.runtime();
    if let Pairing::Owned(owned) = pairing {
        let span = context.attributes.span("owned").unwrap_or_else(Span::call_site);
        let form = quote_spanned!(span=> <#owned as #runtime::forms::OwnedOneof>::MEMBERS);
        return assertions(context, &members, &form, span);
    }
    // What borrows is no owned form.
    if context.input.generics.lifetimes().next().is_some() {
        return TokenStream::new();
    }
    let ident = context.ident();
    let members = listed(&members);
    let (generics, arguments, bounds) = context.input.generics.split_for_impl();
    quote! {
        impl #generics #runtime::forms::OwnedOneof for #ident #arguments #bounds {
            const MEMBERS: #runtime::forms::Members = #members;
        }
    }
}

/// Gives the tokens of a path another span.
fn respanned(path: TokenStream, span: Span) -> TokenStream {
    let tokens = path.into_iter().map(|mut token| {
        token.set_span(span);
        token
    });
    tokens.collect()
}

/// Emits the list of members.
fn listed(members: &[WireMember]) -> TokenStream {
    let members = members.iter().map(|WireMember { name, description, .. }| quote!((#name, #description)));
    quote!(&[#(#members),*])
}

/// Emits assertions that the other form, whose members are `form`, has these members and
/// no others.
fn assertions(context: &Context<'_>, members: &[WireMember], form: &TokenStream, span: Span) -> TokenStream {
    let runtime = context.runtime();
    let all = members.iter().map(|WireMember { name, description, span }| {
        let text = if name.is_empty() {
            format!("this form has {description}, and the other does not: declare the same in both")
        } else {
            format!(
                "`{name}` is `{description}` here, and not in the other form: give it the same number, wire type, label and \
                 default in both, or `skip` it in both"
            )
        };
        quote_spanned! {*span=>
            const _: () = ::core::assert!(#runtime::forms::has_member(FORM, #name, #description), #text);
        }
    });
    let count = members.len();
    let text = "the other form has fields that this one lacks: declare them in both, or `skip` them in both";
    let count = quote_spanned!(span=> const _: () = ::core::assert!(FORM.len() <= #count, #text););
    quote! {
        const _: () = {
            const FORM: #runtime::forms::Members = #form;
            #(#all)*
            #count
        };
    }
}

/// Describes the wire format of a field.
fn wire_member(schema: &Schema, field: &Field, name: &str, span: Span) -> WireMember {
    let label = match field.presence {
        Presence::Required => "required ".to_owned(),
        Presence::Explicit => "optional ".to_owned(),
        Presence::Implicit => "implicit ".to_owned(),
        Presence::Repeated { packed: false } => "repeated ".to_owned(),
        Presence::Repeated { packed: true } => "packed ".to_owned(),
        Presence::Map { key } => format!("map by {} of ", type_name(key)),
        Presence::Oneof(_) => String::new(),
    };
    let ty = match field.ty {
        Type::Message(_) => "message",
        Type::Group(_) => "group",
        Type::Enum(_) => "enum",
        ty => type_name(ty),
    };
    let default = match &field.default {
        None => String::new(),
        Some(default) => format!(" = {}", value(schema, field, default)),
    };
    let description = format!("{}: {label}{ty}{default}", field.number);
    WireMember { name: name.to_owned(), description, span }
}

fn value(schema: &Schema, field: &Field, default: &Literal) -> String {
    match default {
        Literal::Int(value) => value.to_string(),
        Literal::Uint(value) => value.to_string(),
        Literal::Bool(value) => value.to_string(),
        Literal::Float(value) => format!("{value:?}"),
        Literal::Text(value) => format!("{value:?}"),
        Literal::Bytes(value) => format!("\"{}\"", value.escape_ascii()),
        Literal::Enum(index) => match field.ty {
            Type::Enum(id) => schema.enumeration(id).values[*index].rust_name.clone(),
            _ => String::new(),
        },
    }
}
