//! `response = …` and its related attributes: a message as a request.
//!
//! Invariant: the request declares all properties of the operation. Of the answer, only
//! its code and the flag that ends a stream are needed; the emitted code refers to them,
//! and the compiler looks them up.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote_spanned};
use riak_codegen::emit::{Asked, derive_request};
use riak_codegen::model::{Absent, Cost, Kind, Message, Mode, Operation, Retry};
use riak_codegen::suggest::did_you_mean;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use crate::attributes::{Attributes, Entry};
use crate::context::Context;
use crate::errors::Errors;
use crate::message::DerivedMessage;
use crate::names::type_names;
use crate::placeholders::{PLACEHOLDER_MESSAGE, SELF};

/// The operation of a request, and the type of its answer.
pub(crate) struct DerivedRequest {
    pub(crate) operation: Operation,
    pub(crate) answer: syn::Type,
}

/// Emits the `Request` impl of a message that is a request.
pub(crate) fn derive(
    context: &Context<'_>,
    derived: &DerivedMessage,
    code: Option<u8>,
    errors: &mut Errors,
) -> (TokenStream, Option<DerivedRequest>) {
    let attributes = context.attributes;
    let Some(response) = attributes.get("response") else {
        return Default::default();
    };
    let Some(code) = code else {
        if attributes.get("code").is_none() {
            let text = "a request needs a message code: add `code = 232`";
            errors.at(response, text);
        }
        return Default::default();
    };
    let Some(answer) = errors.handle(response.ty("response = FooResp")) else { return Default::default() };
    if let Ok(value) = crate::types::value(&answer, false)
        && value.rust != crate::types::RustType::Other
    {
        let text = format!(
            "`{}` is not a message: write the type of the answer, a struct that has `#[derive(RiakMessage)]` and a code",
            answer.to_token_stream()
        );
        errors.at(&answer, text);
        return Default::default();
    }
    if derived.declared.lifetime.is_some()
        && !matches!(derived.declared.pairing, riak_codegen::emit::Pairing::Owned(_))
    {
        let text = "a request that borrows needs an owned form, which servers decode: add `owned = Foo`";
        errors.at(response, text);
        return Default::default();
    }
    let operation = operation(attributes, derived, code, errors);
    let end = stream_end(context, attributes, &answer, errors);
    let response = answer.to_token_stream();
    let depends = depends_on_parameter(&context.input.generics, &response);
    let asked = Asked { response, depends, place: answer.span(), end };
    let request = derive_request(&derived.schema, &operation, &derived.declared, &asked, &context.options());
    (request, Some(DerivedRequest { operation, answer }))
}

/// Reports whether a type depends on a type parameter.
fn depends_on_parameter(generics: &syn::Generics, ty: &TokenStream) -> bool {
    let mut names = HashSet::new();
    type_names(ty.clone(), &mut names);
    generics.type_params().any(|parameter| names.contains(&parameter.ident.to_string()))
}

/// The values of `retry`.
const RETRY: [(&str, Retry); 4] = [
    ("never", Retry::Never),
    ("safe", Retry::Safe),
    ("if_unsent", Retry::IfUnsent),
    ("if_context", Retry::IfContext),
];

/// The values of `cost`.
const COST: [(&str, Cost); 2] = [("unary", Cost::Unary), ("long", Cost::Long)];

/// The values of `absent`.
const ABSENT: [(&str, Absent); 4] = [
    ("defaults", Absent::Defaults),
    ("not_found", Absent::NotFound),
    ("ok", Absent::Ok),
    ("empty_list", Absent::EmptyList),
];

/// Returns how many answers the request gets. The index of `done` is a placeholder, since
/// the derive does not see the answer.
fn mode(attributes: &Attributes, message: &Message, errors: &mut Errors) -> Mode {
    let stream_if = attributes.get("stream_if").and_then(|entry| {
        let name = errors.handle(entry.word("stream_if = \"stream\""))?;
        let index = message.fields.iter().position(|field| name.unraw() == field.name);
        let index = index.filter(|index| message.fields[*index].is_flag());
        if index.is_none() {
            errors.at(
                &name,
                format!("{} has no bool `{name}`: name the field that asks for a stream", message.full_name),
            );
        }
        index
    });
    let streams = attributes.flag("stream", errors);
    if streams && stream_if.is_some() {
        let text =
            "the answer is always a stream, or only if a field says so: leave `stream` or `stream_if` out";
        errors.at(&attributes.get("stream"), text);
    }
    let mode = match stream_if {
        Some(stream_if) => Mode::Conditional { done: 0, stream_if },
        None if streams => Mode::Stream { done: 0 },
        None => Mode::Unary,
    };
    if mode != Mode::Unary && attributes.get("done").is_none() {
        let text = "a stream needs an end: name the bool field of the answer that is true in the last one, `done = \"done\"`";
        errors.at(&attributes.get("stream").or(attributes.get("stream_if")), text);
    }
    if let Some(done) = attributes.get("done").filter(|_| mode == Mode::Unary) {
        errors.at(done, "`done` is for streams: add `stream`, or remove it");
    }
    mode
}

fn operation(attributes: &Attributes, derived: &DerivedMessage, code: u8, errors: &mut Errors) -> Operation {
    let message = derived.schema.message(SELF);
    let mode = mode(attributes, message, errors);
    if let Some(entry) = attributes.get("retry")
        && entry.string("").is_ok_and(|word| word.value() == "if_context")
        && !message.fields.iter().any(|field| field.kind == Kind::Context)
    {
        errors.at(entry, "no field of this type is a context: mark the one that is, `#[riak(context)]`");
    }
    let timeout = message.fields.iter().position(|field| field.kind == Kind::Millis);
    Operation {
        name: message.full_name.clone(),
        rust_name: String::new(),
        request: SELF,
        request_code: code,
        response: PLACEHOLDER_MESSAGE,
        response_code: 0,
        mode,
        alternatives: Vec::new(),
        answer_name: String::new(),
        absent: keyword(attributes.get("absent"), "absent = \"not_found\"", &ABSENT, errors),
        cost: keyword(attributes.get("cost"), "cost = \"long\"", &COST, errors),
        retry: keyword(attributes.get("retry"), "retry = \"safe\"", &RETRY, errors),
        since: None,
        served_by: None,
        handshake: false,
        raw: false,
        bodyless: message.bodyless,
        timeout,
        docs: message.docs.clone(),
        deprecated: false,
    }
}

/// Returns the value of an attribute that is one of several keywords.
fn keyword<T: Copy + Default>(
    entry: Option<&Entry>,
    example: &str,
    keywords: &[(&str, T)],
    errors: &mut Errors,
) -> T {
    let Some(entry) = entry else { return T::default() };
    let Some(word) = errors.handle(entry.string(example)) else { return T::default() };
    let value = word.value();
    let found = keywords.iter().find(|(name, _)| *name == value);
    if found.is_none() {
        let names: Vec<&str> = keywords.iter().map(|(name, _)| *name).collect();
        let hint = did_you_mean(&value, names.iter().copied());
        errors.at(&word, format!("this is one of \"{}\"{hint}", names.join("\", \"")));
    }
    found.map(|(_, value)| *value).unwrap_or_default()
}

/// Emits the `StreamEnd` for `done`. The compiler looks up the answer's field, given by
/// its name or number, since its default decides what an answer without it means.
fn stream_end(
    context: &Context<'_>,
    attributes: &Attributes,
    answer: &syn::Type,
    errors: &mut Errors,
) -> Option<TokenStream> {
    let entry = attributes.get("done")?;
    // The runtime's path gets the span of the value, where the compiler then reports that
    // the answer has no such field.
    let looked_up = |function: &str, key: TokenStream, span: proc_macro2::Span| {
        let runtime = context.runtime().into_iter().map(|mut token| {
            token.set_span(proc_macro2::Span::call_site().located_at(span));
            token
        });
        let runtime: TokenStream = runtime.collect();
        let function = syn::Ident::new(function, span);
        quote_spanned! {span=>
            #runtime::operation::StreamEnd::#function(<#answer as #runtime::operation::Flags>::FLAGS, #key)
        }
    };
    if let Ok(number) = entry.number::<u32>("done = 3") {
        let number = proc_macro2::Literal::u32_unsuffixed(number);
        return Some(looked_up("of_number", number.to_token_stream(), entry.value_span()));
    }
    let name = errors.handle(entry.word("done = \"done\""))?;
    let text = name.unraw().to_string();
    Some(looked_up("of_flag", text.to_token_stream(), name.span()))
}
