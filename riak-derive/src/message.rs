//! A struct as a message of the model.
//!
//! Invariant: the resulting schema contains the message first, and then placeholders for
//! the messages and enums of its fields, whose declarations the derive does not see.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use riak_codegen::emit::{Declared, derive_message};
use riak_codegen::model::{Kind, Message, Presence, Schema, SeparateOneof};
use syn::{Fields, Ident};

use crate::attributes::Attributes;
use crate::context::Context;
use crate::errors::Errors;
use crate::field::{self, Member};
use crate::names::all_names;
use crate::numbers::{FieldNumbers, Reserved};
use crate::placeholders::{SELF, empty_message, placeholder_message};
use crate::requirements::Requirements;
use crate::targets::Target;
use crate::types::{Container, Shape};
use crate::{forms, operation, schema};

/// The kinds that at most one field of a message may have, by attribute.
const UNIQUE_KINDS: [(&str, Kind); 3] =
    [("timeout", Kind::Millis), ("context", Kind::Context), ("bucket_type", Kind::BucketType)];

/// A struct as a message of the model.
pub(crate) struct DerivedMessage {
    pub(crate) schema: Schema,
    pub(crate) declared: Declared,
    /// Additional items for the block of impls.
    pub(crate) items: TokenStream,
    /// The Rust types of the values of the message's fields, then of its oneofs.
    pub(crate) types: Vec<TokenStream>,
    /// For each member, in declaration order, whether it is a oneof, and its index among
    /// the oneofs or fields.
    pub(crate) member_order: Vec<(bool, usize)>,
    pub(crate) reserved: Reserved,
}

/// Emits the impls of a message.
pub(crate) fn derive(context: &Context<'_>, fields: &Fields, errors: &mut Errors) -> TokenStream {
    let attributes = context.attributes;
    attributes.check(Target::of_struct(attributes), errors);
    let mut derived = convert(context, fields, errors);
    let code = attributes.get("code").and_then(|code| errors.handle(code.code()));
    derived.schema.messages[SELF.0].code = code;
    derived.schema.messages[SELF.0].bodyless = attributes.flag("bodyless", errors);
    check_bodyless(attributes, &derived.schema.messages[SELF.0], errors);
    let (request, derived_request) = operation::derive(context, &derived, code, errors);
    if let Some(errors) = errors.tokens() {
        return errors;
    }
    derived.items.extend(forms::message(context, &derived));
    let options = context.options();
    let impls = derive_message(&derived.schema, SELF, &derived.declared, &derived.items, &options);
    let described = context.described.then(|| schema::message(context, &derived, derived_request.as_ref()));
    quote!(#impls #request #described)
}

/// Checks that a request which is sent without a body requires no field, since its server
/// could not decode it.
fn check_bodyless(attributes: &Attributes, message: &Message, errors: &mut Errors) {
    let required = message.fields.iter().find(|field| field.presence == Presence::Required);
    if let (Some(entry), Some(field)) = (attributes.get("bodyless"), required) {
        let text = format!(
            "a `bodyless` request is sent without its fields, and requires `{}`: make it an `Option`",
            field.name
        );
        errors.at(entry, text);
    }
}

/// Converts the members of a struct to the model.
fn convert(context: &Context<'_>, fields: &Fields, errors: &mut Errors) -> DerivedMessage {
    let attributes = context.attributes;
    let declared = context.declared(errors);
    let reserved = attributes.get("reserved").and_then(|entry| errors.handle(Reserved::read(entry)));
    let reserved = reserved.unwrap_or_default();
    let explicit = explicit_numbers(fields.iter().map(|field| &*field.attrs));
    let auto_tags = attributes.flag("auto_tags", errors);
    let name = context.input.ident.to_string();
    let mut message = empty_message(&name);
    message.full_name = context.full_name(&declared.pairing, errors);
    message.ref_name = name;
    message.docs = field::docs(&context.input.attrs);
    let mut members = Members {
        message,
        declared,
        numbers: FieldNumbers::new(reserved.clone(), explicit),
        requirements: Requirements::new(context.input, &context.runtime(), auto_tags),
        types: Vec::new(),
        oneof_types: Vec::new(),
        order: Vec::new(),
    };
    for (index, declaration) in fields.iter().enumerate() {
        members.add(index, declaration, errors);
    }
    members.finish(reserved)
}

/// The members of a struct that have been converted so far.
struct Members {
    message: Message,
    declared: Declared,
    numbers: FieldNumbers,
    requirements: Requirements,
    /// As [`DerivedMessage::types`], of the fields.
    types: Vec<TokenStream>,
    /// As [`DerivedMessage::types`], of the oneofs.
    oneof_types: Vec<TokenStream>,
    /// As [`DerivedMessage::member_order`].
    order: Vec<(bool, usize)>,
}

impl Members {
    /// Adds a member, whose attributes say what it is.
    fn add(&mut self, index: usize, declaration: &syn::Field, errors: &mut Errors) {
        all_names(declaration.ty.to_token_stream(), &mut self.declared.names);
        let own = Attributes::read(&declaration.attrs, errors);
        let target = Target::of_member(&own);
        own.check(target, errors);
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
            errors.at(entry, text);
            return;
        }
        match target {
            Target::Skipped => {
                own.flag("skip", errors);
                self.declared.skipped.push(member.rust_name);
            }
            Target::UnknownFields => self.add_unknown_fields(&member, errors),
            Target::OneofMember => self.add_oneof(&member, errors),
            _ => self.add_field(&member, errors),
        }
    }

    /// Adds the member that keeps unknown fields.
    fn add_unknown_fields(&mut self, member: &Member<'_>, errors: &mut Errors) {
        member.attributes.flag("unknown", errors);
        if Shape::of(member.ty, false).is_ok_and(|shape| shape.is_known()) {
            let text = "unknown fields are kept in a `riak_runtime::wire::UnknownFields`, or in an \
                        `UnknownFieldsRef<'a>` if the type borrows";
            errors.at(member.ty, text);
        }
        if let Some(other) = self.message.unknown.replace(member.rust_name.clone()) {
            let text = format!("`{other}` already keeps unknown fields: remove one of the two");
            errors.at_span(member.span(), text);
        }
    }

    /// Adds a member that is a separate oneof.
    fn add_oneof(&mut self, member: &Member<'_>, errors: &mut Errors) {
        member.attributes.flag("oneof", errors);
        if let Some(oneof) = separate_oneof(member, &mut self.numbers, &mut self.requirements, errors) {
            self.order.push((true, self.message.separate_oneofs.len()));
            self.oneof_types.push(value_type(member.ty, false));
            self.message.separate_oneofs.push(oneof);
        }
    }

    /// Adds a member that is a field.
    fn add_field(&mut self, member: &Member<'_>, errors: &mut Errors) {
        let Some(field) = member.field(&mut self.requirements, &mut self.numbers, errors) else { return };
        for (name, kind) in UNIQUE_KINDS {
            let other = self.message.fields.iter().find(|other| field.kind == kind && other.kind == kind);
            if let Some(other) = other {
                let text =
                    format!("`{}` is already the `{name}` of this type: remove one of the two", other.name);
                errors.at(&member.attributes.get(name), text);
            }
        }
        self.declared.spans.push(crate::types::span(member.ty));
        self.declared.secret = self.declared.secret.or(member.attributes.span("secret"));
        self.order.push((false, self.message.fields.len()));
        self.types.push(value_type(member.ty, field.with.is_some()));
        self.message.fields.push(field);
    }

    fn finish(mut self, reserved: Reserved) -> DerivedMessage {
        self.requirements.move_bounds_to(&mut self.declared);
        let schema = Schema {
            messages: vec![self.message, placeholder_message()],
            enums: self.requirements.take_enums(),
            ..Schema::default()
        };
        self.types.append(&mut self.oneof_types);
        DerivedMessage {
            schema,
            declared: self.declared,
            items: self.requirements.items,
            types: self.types,
            member_order: self.order,
            reserved,
        }
    }
}

/// Returns the explicit numbers of all fields, skipping those that do not parse.
pub(crate) fn explicit_numbers<'f>(fields: impl Iterator<Item = &'f [syn::Attribute]>) -> Vec<u32> {
    let mut quiet = Errors::default();
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

/// Converts a member that is a separate oneof.
fn separate_oneof(
    member: &Member<'_>,
    numbers: &mut FieldNumbers,
    requirements: &mut Requirements,
    errors: &mut Errors,
) -> Option<SeparateOneof> {
    let example = "oneof, tags(4, 5)";
    let name = member.name(errors);
    numbers.claim_name(&name, member.tokens(), errors);
    let Some(tags) = member.attributes.get("tags") else {
        let text =
            format!("the member must list the numbers of the oneof's fields: write `#[riak({example})]`");
        errors.at_span(member.span(), text);
        return None;
    };
    let list = tags.list(example, |input| {
        input.parse_terminated(<syn::LitInt as syn::parse::Parse>::parse, syn::Token![,])
    });
    let mut listed = Vec::new();
    for literal in errors.handle(list)? {
        let number: u32 = errors.handle(literal.base10_parse())?;
        numbers.claim(number, &name, &literal, errors);
        listed.push(number);
    }
    let shape = errors.handle(Shape::of(member.ty, false))?;
    let Container::Option = shape.container else {
        errors.at(member.ty, "a oneof may be absent: write `Option<…>` around its type");
        return None;
    };
    let Some(number) = listed.iter().min().copied() else {
        errors.at(tags, format!("a oneof must have at least one field: write `#[riak({example})]`"));
        return None;
    };
    requirements.assert_oneof_numbers(shape.value.ty, &listed, tags, errors);
    Some(SeparateOneof { name, rust_name: member.rust_name.clone(), number })
}
