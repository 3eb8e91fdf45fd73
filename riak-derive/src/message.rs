//! A struct as a message of the model.
//!
//! Invariant: the resulting schema contains the message first, and then placeholders for
//! the messages and enums of its fields, whose declarations the derive does not see.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use riak_codegen::emit::{Declared, derive_message};
use riak_codegen::model::{Kind, Schema, SeparateOneof};
use syn::{Fields, Ident};

use crate::attributes::{Attributes, Place};
use crate::context::Context;
use crate::faults::Faults;
use crate::field::{self, Member};
use crate::names::all_names;
use crate::numbers::{Numbers, Reserved};
use crate::parts::Parts;
use crate::stand_ins::{SELF, some_message, stand_in};
use crate::types::{Container, Shape};
use crate::{forms, operation, schema};

/// The kinds that at most one field of a message may have, by attribute.
const SINGLE: [(&str, Kind); 3] =
    [("timeout", Kind::Millis), ("context", Kind::Context), ("bucket_type", Kind::BucketType)];

/// A struct as a message of the model.
pub(crate) struct Derived {
    pub(crate) schema: Schema,
    pub(crate) declared: Declared,
    /// Additional items for the block of impls.
    pub(crate) items: TokenStream,
    /// The Rust types of the values of the message's fields, then of its oneofs.
    pub(crate) types: Vec<TokenStream>,
    /// For each member, in declaration order, whether it is a oneof, and its index among
    /// the oneofs or fields.
    pub(crate) order: Vec<(bool, usize)>,
    pub(crate) reserved: Reserved,
}

/// Emits the impls of a message.
pub(crate) fn derive(context: &Context<'_>, fields: &Fields, faults: &mut Faults) -> TokenStream {
    let attributes = context.attributes;
    attributes.check(Place::Message, faults);
    let mut derived = read(context, fields, faults);
    let code = attributes.get("code").and_then(|code| faults.take(code.number::<u8>("code = 200")));
    derived.schema.messages[SELF.0].code = code;
    derived.schema.messages[SELF.0].bodyless = attributes.flag("bodyless", faults);
    let (request, asking) = operation::derive(context, &derived, code, faults);
    if let Some(faults) = faults.tokens() {
        return faults;
    }
    derived.items.extend(forms::message(context, &derived));
    let options = context.options();
    let impls = derive_message(&derived.schema, SELF, &derived.declared, &derived.items, &options);
    let described = context.described.then(|| schema::message(context, &derived, asking.as_ref()));
    quote!(#impls #request #described)
}

/// Converts the members of a struct to the model.
fn read(context: &Context<'_>, fields: &Fields, faults: &mut Faults) -> Derived {
    let attributes = context.attributes;
    let mut declared = context.declared(faults);
    let reserved = attributes.get("reserved").and_then(|entry| faults.take(Reserved::read(entry)));
    let reserved = reserved.unwrap_or_default();
    let given = given_numbers(fields.iter().map(|field| &*field.attrs));
    let mut numbers = Numbers::new(reserved.clone(), given);
    let (mut types, mut oneof_types, mut order) = (Vec::new(), Vec::new(), Vec::new());
    let auto_tags = attributes.flag("auto_tags", faults);
    let mut parts = Parts::new(context.input, &context.runtime(), auto_tags);
    let name = context.input.ident.to_string();
    let mut message = some_message(&name);
    message.full_name = context.full_name(&declared.pairing, faults);
    message.ref_name.clone_from(&name);
    message.docs = field::docs(&context.input.attrs);
    for (index, declaration) in fields.iter().enumerate() {
        all_names(declaration.ty.to_token_stream(), &mut declared.names);
        let own = Attributes::read(&declaration.attrs, faults);
        own.check(Place::Field, faults);
        let member = Member {
            rust_name: declaration.ident.as_ref().map_or_else(|| index.to_string(), Ident::to_string),
            ident: declaration.ident.as_ref(),
            ty: &declaration.ty,
            docs: field::docs(&declaration.attrs),
            attributes: &own,
        };
        if let Some(entry) = own.get("flatten") {
            let text = "protobuf has no `flatten`: all fields of a message share one range of numbers, and those of \
                        another type cannot be seen from here. Nest it as a message, `#[riak(tag = …)]`, or write \
                        its fields here";
            faults.at(entry, text);
        } else if own.flag("skip", faults) {
            alone(&own, "skip", faults);
            declared.skipped.push(member.rust_name);
        } else if own.flag("unknown", faults) {
            alone(&own, "unknown", faults);
            if Shape::of(&declaration.ty, false).is_ok_and(|shape| shape.is_known()) {
                let text = "unknown fields are kept in a `riak_runtime::wire::UnknownFields`, or in an \
                            `UnknownFieldsRef<'a>` if the type borrows";
                faults.at(&declaration.ty, text);
            }
            if let Some(other) = message.unknown.replace(member.rust_name.clone()) {
                faults.here(
                    member.place(),
                    format!("`{other}` keeps unknown fields already: leave one of the two out"),
                );
            }
        } else if own.flag("oneof", faults) {
            let oneof = separate_oneof(&member, &mut numbers, &mut parts, faults);
            if let Some(oneof) = oneof {
                order.push((true, message.separate_oneofs.len()));
                oneof_types.push(value_type(&declaration.ty, false));
                message.separate_oneofs.push(oneof);
            }
        } else if let Some(field) = member.field(&mut parts, &mut numbers, faults) {
            for (name, kind) in SINGLE {
                let other = message.fields.iter().find(|other| field.kind == kind && other.kind == kind);
                if let Some(other) = other {
                    let text =
                        format!("`{}` is the `{name}` of this type already: leave one out", other.name);
                    faults.at(&own.get(name), text);
                }
            }
            declared.spans.push(crate::types::span(&declaration.ty));
            declared.secret = declared.secret.or(own.place("secret"));
            order.push((false, message.fields.len()));
            types.push(value_type(&declaration.ty, field.with.is_some()));
            message.fields.push(field);
        }
    }
    parts.tell(&mut declared);
    let schema =
        Schema { messages: vec![message, stand_in()], enums: parts.take_enums(), ..Schema::default() };
    types.append(&mut oneof_types);
    Derived { schema, declared, items: parts.foreign, types, order, reserved }
}

/// Returns the explicit numbers of all fields, skipping those that do not parse.
pub(crate) fn given_numbers<'f>(fields: impl Iterator<Item = &'f [syn::Attribute]>) -> Vec<u32> {
    let mut quiet = Faults::default();
    let numbers = fields.filter_map(|attributes| {
        let attributes = Attributes::read(attributes, &mut quiet);
        attributes.get("tag")?.number::<u32>("tag = 3").ok()
    });
    numbers.collect()
}

/// Returns the type of a member's values, without the container around them.
pub(crate) fn value_type(ty: &syn::Type, foreign: bool) -> TokenStream {
    Shape::of(ty, foreign).map_or_else(|_| ty.to_token_stream(), |shape| shape.value.ty.to_token_stream())
}

/// Records an error for each field attribute of a member that `name` makes no field.
fn alone(attributes: &Attributes, name: &str, faults: &mut Faults) {
    for other in ["tag", "tags", "key", "default", "packed", "implicit", "oneof", "with", "secret", "timeout"]
    {
        if let Some(entry) = attributes.get(other) {
            faults.at(entry, format!("a member with `{name}` is no field: leave `{other}` out"));
        }
    }
    if let Some((wire, place)) = attributes.wire_type(faults) {
        faults.here(place, format!("a member with `{name}` is no field: leave `{wire}` out"));
    }
}

/// Converts a member that is a separate oneof.
fn separate_oneof(
    member: &Member<'_>,
    numbers: &mut Numbers,
    parts: &mut Parts,
    faults: &mut Faults,
) -> Option<SeparateOneof> {
    let example = "oneof, tags(4, 5)";
    let name = member.name(faults);
    numbers.name(&name, member.tokens(), faults);
    if let Some(tag) = member.attributes.get("tag") {
        faults.at(tag, "a oneof has the numbers of all its fields: write `tags(…)`");
    }
    let Some(tags) = member.attributes.get("tags") else {
        let text =
            format!("a oneof's numbers have to be said where it stands, too: write `#[riak({example})]`");
        faults.here(member.place(), text);
        return None;
    };
    let list = tags.list(example, |input| {
        input.parse_terminated(<syn::LitInt as syn::parse::Parse>::parse, syn::Token![,])
    });
    let mut said = Vec::new();
    for literal in faults.take(list)? {
        let number: u32 = faults.take(literal.base10_parse())?;
        numbers.take(number, &name, &literal, faults);
        said.push(number);
    }
    let shape = faults.take(Shape::of(member.ty, false))?;
    let Container::Option = shape.container else {
        faults.at(member.ty, "a oneof may be absent: write `Option<…>` around its type");
        return None;
    };
    let Some(number) = said.iter().min().copied() else {
        faults.at(tags, format!("a oneof has fields: write `#[riak({example})]`"));
        return None;
    };
    parts.check_oneof(shape.value.ty, &said, tags, faults);
    Some(SeparateOneof { name, rust_name: member.rust_name.clone(), number })
}
