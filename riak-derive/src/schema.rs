//! The schema description of a derived type: an impl of
//! `riak_runtime::schema::Described`.
//!
//! Invariant: the description comes from the same model as the codec, and a type that
//! compiles without a description also compiles with one.

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote};
use riak_codegen::emit::Declared;
use riak_codegen::model::{Absent, Cost, Docs, Enum, Field, Kind, Mode, Presence, Retry, Schema, Type};

use crate::context::Context;
use crate::field::type_name;
use crate::message::DerivedMessage;
use crate::operation::DerivedRequest;
use crate::placeholders::SELF;

/// Emits the description of a message.
pub(crate) fn message(
    context: &Context<'_>,
    derived: &DerivedMessage,
    request: Option<&DerivedRequest>,
) -> TokenStream {
    let emitter = DescriptionEmitter::new(context, &derived.declared);
    let message = derived.schema.message(SELF);
    let schema = &emitter.schema;
    let members = derived.member_order.iter().map(|(oneof, index)| {
        if *oneof {
            let oneof = &message.separate_oneofs[*index];
            let lookup = emitter.lookup(&derived.types[message.fields.len() + index]);
            let name = &oneof.name;
            quote!(#schema::Member::Oneof(#name, #lookup))
        } else {
            let field = emitter.field(&derived.schema, &message.fields[*index], &derived.types[*index]);
            quote!(#schema::Member::Field(#field))
        }
    });
    let members: Vec<TokenStream> = members.collect();
    let (name, docs) = (&message.full_name, text(&message.docs));
    let code = option(message.code.map(|code| Literal::u8_unsuffixed(code).to_token_stream()));
    let numbers = derived.reserved.numbers.iter().map(|range| {
        let [first, last] = [range.start(), range.end()].map(|number| Literal::u32_unsuffixed(*number));
        quote!((#first, #last))
    });
    let names = &derived.reserved.names;
    let request = option(request.map(|request| emitter.request(context, derived, request)));
    emitter.describe(&quote! {
        Message(&#schema::MessageDescription {
            name: #name,
            docs: #docs,
            code: #code,
            reserved: &[#(#numbers),*],
            reserved_names: &[#(#names),*],
            members: &[#(#members),*],
            request: #request,
        })
    })
}

/// Emits the description of a oneof: its fields.
pub(crate) fn oneof(
    context: &Context<'_>,
    schema: &Schema,
    declared: &Declared,
    types: &[TokenStream],
) -> TokenStream {
    let emitter = DescriptionEmitter::new(context, declared);
    let fields = &schema.message(SELF).fields;
    let fields = fields.iter().zip(types).map(|(field, ty)| emitter.field(schema, field, ty));
    let fields: Vec<TokenStream> = fields.collect();
    emitter.describe(&quote!(Oneof(&[#(#fields),*])))
}

/// Emits the description of an enum.
pub(crate) fn enumeration(context: &Context<'_>, item: &Enum) -> TokenStream {
    let emitter = DescriptionEmitter::new(context, &Declared::default());
    let schema = &emitter.schema;
    let values = item.values.iter().map(|value| {
        let (name, docs) = (&value.name, text(&value.docs));
        let (variant, number) = (&value.rust_name, Literal::i32_unsuffixed(value.number));
        quote!(#schema::Value { name: #name, variant: #variant, number: #number, docs: #docs })
    });
    let values: Vec<TokenStream> = values.collect();
    let (name, docs, open) = (&item.full_name, text(&item.docs), !item.closed);
    emitter.describe(&quote! {
        Enum(&#schema::EnumDescription { name: #name, docs: #docs, open: #open, values: &[#(#values),*] })
    })
}

/// Emits the description of a set of frames: its messages.
pub(crate) fn frames(context: &Context<'_>, types: &[TokenStream]) -> TokenStream {
    let emitter = DescriptionEmitter::new(context, &Declared::default());
    let messages = types.iter().map(|ty| emitter.lookup(ty));
    let messages: Vec<TokenStream> = messages.collect();
    emitter.describe(&quote!(Frames(&[#(#messages),*])))
}

/// Emits the description of one type.
struct DescriptionEmitter<'c> {
    context: &'c Context<'c>,
    /// The path of the runtime's module `schema`.
    schema: TokenStream,
    /// The types that depend on the type's parameters and are bounded, as text.
    dependent: Vec<String>,
    /// The same types as tokens.
    bounds: Vec<TokenStream>,
}

impl<'c> DescriptionEmitter<'c> {
    fn new(context: &'c Context<'c>, declared: &Declared) -> Self {
        let runtime = context.runtime();
        let bounds = [&declared.dependent, &declared.bound, &declared.enums].into_iter().flatten();
        let bounds: Vec<TokenStream> = bounds.cloned().collect();
        Self {
            context,
            schema: quote!(#runtime::schema),
            dependent: bounds.iter().map(ToString::to_string).collect(),
            bounds,
        }
    }

    fn describe(&self, description: &TokenStream) -> TokenStream {
        let (ident, schema) = (self.context.ident(), &self.schema);
        let (generics, arguments, bounds) = self.context.input.generics.split_for_impl();
        let bounds = if self.bounds.is_empty() {
            bounds.to_token_stream()
        } else {
            let own = bounds.iter().flat_map(|clause| &clause.predicates);
            let dependent = &self.bounds;
            quote!(where #(#own,)* #(#dependent: #schema::Described,)*)
        };
        quote! {
            #[allow(deprecated)]
            const _: () = {
                #[allow(unused_imports)]
                use #schema::{Named as _, Unnamed as _};

                impl #generics #schema::Described for #ident #arguments #bounds {
                    const DESCRIPTION: #schema::Description = #schema::Description::#description;
                }
            };
        }
    }

    /// Emits a function that looks up the description of a type.
    fn lookup(&self, ty: &TokenStream) -> TokenStream {
        let schema = &self.schema;
        if self.dependent.contains(&ty.to_string()) {
            return quote!(|| #schema::Probe::<#ty>::described());
        }
        quote!(|| (&#schema::Probe::<#ty>::new()).refer())
    }

    fn field(&self, model: &Schema, field: &Field, ty: &TokenStream) -> TokenStream {
        let schema = &self.schema;
        let lookup = self.lookup(ty);
        let ty = match field.ty {
            Type::Message(_) => quote!(Message(#lookup)),
            Type::Group(_) => quote!(Group(#lookup)),
            Type::Enum(_) => quote!(Enum(#lookup)),
            ty => {
                let name = type_name(ty);
                quote!(Scalar(#name))
            }
        };
        let label = match field.presence {
            Presence::Required => quote!(Required),
            Presence::Explicit => quote!(Optional),
            Presence::Implicit => quote!(Implicit),
            Presence::Repeated { packed: false } => quote!(Repeated),
            Presence::Repeated { packed: true } => quote!(Packed),
            Presence::Map { key } => {
                let key = type_name(key);
                quote!(Map(#key))
            }
            Presence::Oneof(_) => quote!(Oneof),
        };
        let default = option(field.default.as_ref().map(|default| {
            let default = Self::default(model, field, default);
            quote!(#schema::DefaultValue::#default)
        }));
        let kind = match field.kind {
            Kind::Quorum => "QUORUM",
            Kind::Secret => "SECRET",
            Kind::Millis => "MILLIS",
            Kind::Context => "CONTEXT",
            Kind::BucketType => "BUCKET_TYPE",
            _ => "",
        };
        let (name, docs) = (&field.name, text(&field.docs));
        let number = Literal::u32_unsuffixed(field.number);
        quote! {
            #schema::Field {
                name: #name,
                number: #number,
                label: #schema::Label::#label,
                ty: #schema::Type::#ty,
                default: #default,
                kind: #kind,
                docs: #docs,
            }
        }
    }

    /// Emits a default in the syntax of schemas.
    fn default(model: &Schema, field: &Field, default: &riak_codegen::model::Literal) -> TokenStream {
        use riak_codegen::model::Literal as Value;
        let plain = match default {
            Value::Int(value) => value.to_string(),
            Value::Uint(value) => value.to_string(),
            Value::Bool(value) => value.to_string(),
            Value::Float(value) if value.is_nan() => "nan".to_owned(),
            Value::Float(value) => format!("{value:?}"),
            Value::Text(value) => return bytes(value.as_bytes()),
            Value::Bytes(value) => return bytes(value),
            Value::Enum(index) => {
                let Type::Enum(id) = field.ty else { return quote!(Variant("")) };
                let variant = &model.enumeration(id).values[*index].rust_name;
                return quote!(Variant(#variant));
            }
        };
        quote!(Plain(#plain))
    }

    fn request(
        &self,
        context: &Context<'_>,
        derived: &DerivedMessage,
        request: &DerivedRequest,
    ) -> TokenStream {
        let schema = &self.schema;
        let (operation, message) = (&request.operation, derived.schema.message(SELF));
        let lookup = self.lookup(&request.answer.to_token_stream());
        let name = |index: Option<usize>| index.map_or("", |index| message.fields[index].name.as_str());
        let (streams, stream_if) = match operation.mode {
            Mode::Unary => (false, ""),
            Mode::Stream { .. } => (true, ""),
            Mode::Conditional { stream_if, .. } => (true, name(Some(stream_if))),
        };
        let done = option(context.attributes.get("done").and_then(|entry| {
            if let Ok(number) = entry.number::<u32>("") {
                let number = Literal::u32_unsuffixed(number);
                return Some(quote!(#schema::Done::Number(#number)));
            }
            let name = syn::ext::IdentExt::unraw(&entry.word("").ok()?).to_string();
            Some(quote!(#schema::Done::Name(#name)))
        }));
        let retry = match operation.retry {
            Retry::Safe => "retry: SAFE",
            Retry::IfUnsent => "retry: IF_UNSENT",
            Retry::IfContext => "retry: IF_CONTEXT",
            _ => "",
        };
        let cost = if operation.cost == Cost::Long { "cost: LONG" } else { "" };
        let absent = match operation.absent {
            Absent::NotFound => "absent: NOT_FOUND",
            Absent::Ok => "absent: OK",
            Absent::EmptyList => "absent: EMPTY_LIST",
            _ => "",
        };
        let bodyless = if operation.bodyless { "bodyless: true" } else { "" };
        let facts = [absent, cost, retry, bodyless].into_iter().filter(|fact| !fact.is_empty());
        let (facts, timeout) = (facts.collect::<Vec<_>>().join(" "), name(operation.timeout));
        quote! {
            #schema::RequestDescription {
                answer: #lookup,
                streams: #streams,
                done: #done,
                stream_if: #stream_if,
                timeout: #timeout,
                facts: #facts,
            }
        }
    }
}

fn bytes(value: &[u8]) -> TokenStream {
    let value = Literal::byte_string(value);
    quote!(Bytes(#value))
}

fn option(value: Option<TokenStream>) -> TokenStream {
    if let Some(value) = value {
        quote!(::core::option::Option::Some(#value))
    } else {
        quote!(::core::option::Option::None)
    }
}

/// Returns a doc comment as text.
fn text(docs: &Docs) -> String {
    docs.lines.join("\n")
}
