//! The comparison of the two forms of a message or oneof, in constants that the compiler
//! evaluates. The derive sees only one form at a time.
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

/// Emits the wire format of a message that may have two forms, and the assertions that
/// both are the same.
pub(crate) fn message(context: &Context<'_>, derived: &DerivedMessage) -> TokenStream {
    let (declared, message) = (&derived.declared, derived.schema.message(SELF));
    if declared.lifetime.is_none() && matches!(declared.pairing, Pairing::Alone) {
        return TokenStream::new();
    }
    let span = |name| context.attributes.span(name).unwrap_or_else(Span::call_site);
    let fields = message.fields.iter().zip(&declared.spans);
    let mut members: Vec<WireMember> =
        fields.map(|(field, span)| wire_member(&derived.schema, field, &field.rust_name, *span)).collect();
    // The two types of a oneof compare their own numbers.
    members.extend(message.separate_oneofs.iter().map(|oneof| WireMember {
        name: oneof.rust_name.clone(),
        description: "oneof".to_owned(),
        span: span("borrowed"),
    }));
    let mut frame = message.code.map_or_else(|| "no code".to_owned(), |code| format!("code = {code}"));
    if message.bodyless {
        frame.push_str(", bodyless");
    }
    members.push(WireMember { name: String::new(), description: frame, span: span("borrowed") });
    let form = form(context, &members);
    let assertions = match &declared.pairing {
        Pairing::Borrowed(view) => assertions(context, &members, &quote!(#view<'static>), span("borrowed")),
        _ => TokenStream::new(),
    };
    quote!(#form #assertions)
}

/// Emits the wire format of a oneof, and the assertions that its owned form is the same.
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
    let form = form(context, &members);
    let assertions = match pairing {
        Pairing::Owned(owned) => {
            let span = context.attributes.span("owned").unwrap_or_else(Span::call_site);
            assertions(context, &members, owned, span)
        }
        _ => TokenStream::new(),
    };
    quote!(#form #assertions)
}

/// Emits the `Form` impl, which lists the members.
fn form(context: &Context<'_>, members: &[WireMember]) -> TokenStream {
    let (ident, runtime) = (context.ident(), context.runtime());
    let (generics, arguments, bounds) = context.input.generics.split_for_impl();
    let members = members.iter().map(|WireMember { name, description, .. }| quote!((#name, #description)));
    quote! {
        impl #generics #runtime::forms::Form for #ident #arguments #bounds {
            const MEMBERS: #runtime::forms::Members = &[#(#members),*];
        }
    }
}

/// Emits assertions that the other form has these members and no others.
fn assertions(context: &Context<'_>, members: &[WireMember], other: &TokenStream, span: Span) -> TokenStream {
    let runtime = context.runtime();
    let forms = quote_spanned!(span=> <#other as #runtime::forms::Form>::MEMBERS);
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
            const FORM: #runtime::forms::Members = #forms;
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
