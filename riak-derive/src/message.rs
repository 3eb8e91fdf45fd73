//! A struct as a message of the model.
//!
//! Invariant: the schema that comes out has the message first, and behind it
//! stand-ins for the messages and enums that its fields are of: what they are
//! like, the derive does not see.

use std::collections::HashSet;

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use riak_codegen::emit::{Declared, Options, Pairing, derive_message};
use riak_codegen::model::{
    Docs, Enum, EnumId, EnumValue, Field, FileId, Message, MessageId, Presence, RustPath, Schema,
    SeparateOneof, Type,
};
use syn::ext::IdentExt;
use syn::{DeriveInput, Fields, GenericParam, Ident};

use crate::attributes::{Attributes, Place};
use crate::faults::Faults;
use crate::field::{self, Member};
use crate::numbers::{Numbers, Reserved};
use crate::types::{Container, Shape, Value};
use crate::{foreign, operation, schema};

/// The message that is derived.
pub(crate) const SELF: MessageId = MessageId(0);
/// Stands for any other.
pub(crate) const SOME_MESSAGE: MessageId = MessageId(1);
/// Stands for any enum.
pub(crate) const SOME_ENUM: EnumId = EnumId(0);

/// What is found out on the way through the fields.
pub(crate) struct Parts {
    pub(crate) auto_tags: bool,
    pub(crate) runtime: TokenStream,
    /// Names of the type's generic parameters, lifetimes included.
    parameters: HashSet<String>,
    /// Types of messages that depend on them.
    dependent: Vec<TokenStream>,
    /// Wire types of foreign fields.
    pub(crate) foreign: TokenStream,
    foreign_count: usize,
    enums: Vec<Enum>,
}

impl Parts {
    pub(crate) fn new(input: &DeriveInput, runtime: &TokenStream, auto_tags: bool) -> Self {
        let parameters = input.generics.params.iter().map(|parameter| match parameter {
            GenericParam::Type(ty) => ty.ident.to_string(),
            GenericParam::Const(constant) => constant.ident.to_string(),
            GenericParam::Lifetime(lifetime) => lifetime.lifetime.ident.to_string(),
        });
        Self {
            auto_tags,
            runtime: runtime.clone(),
            parameters: parameters.collect(),
            dependent: Vec::new(),
            foreign: TokenStream::new(),
            foreign_count: 0,
            enums: vec![some_enum("Enum", "Value")],
        }
    }

    /// Notes the type of a message inside, in case it needs a bound.
    pub(crate) fn depends(&mut self, value: &Value<'_>) {
        let mut names = HashSet::new();
        type_names(value.ty.to_token_stream(), &mut names);
        // Lifetimes need no bound.
        if names.iter().any(|name| self.parameters.contains(name)) {
            self.dependent.push(value.ty.to_token_stream());
        }
    }

    pub(crate) fn take_dependent(&mut self) -> Vec<TokenStream> {
        std::mem::take(&mut self.dependent)
    }

    pub(crate) fn take_enums(&mut self) -> Vec<Enum> {
        std::mem::take(&mut self.enums)
    }

    /// Makes a wire type for a foreign field; its name.
    pub(crate) fn foreign(
        &mut self,
        module: &syn::Path,
        field: &Field,
        ty: &syn::Type,
        faults: &mut Faults,
    ) -> Option<String> {
        let mut names = Vec::new();
        all_names(ty.to_token_stream(), &mut names);
        if names.iter().any(|name| self.parameters.contains(name)) {
            faults.at(ty, "a module converts one type: one that depends on no parameter of this type");
            return None;
        }
        let (name, items) = foreign::wire_type(&self.runtime, self.foreign_count, module, field, ty);
        self.foreign_count += 1;
        self.foreign.extend(items);
        Some(name.to_string())
    }

    /// An enum of this type, with one value that is known.
    pub(crate) fn enum_with(&mut self, ty: &syn::Type, variant: &Ident) -> EnumId {
        let path = ty.to_token_stream().to_string().replace(' ', "");
        self.enums.push(some_enum(&path, &variant.to_string()));
        EnumId(self.enums.len() - 1)
    }
}

/// What a type of the derive is called, and what it is made with.
pub(crate) struct Context<'i> {
    pub(crate) input: &'i DeriveInput,
    pub(crate) attributes: &'i Attributes,
    /// The runtime's path.
    pub(crate) runtime: String,
    /// Whether the type says what it is in a schema.
    pub(crate) described: bool,
}

impl Context<'_> {
    pub(crate) fn runtime(&self) -> TokenStream {
        self.runtime.parse().unwrap_or_default()
    }

    /// The type's name, in a place of the macro's: lints that look at what a
    /// user writes, such as of a deprecated type, leave it alone there.
    pub(crate) fn ident(&self) -> Ident {
        let mut ident = self.input.ident.clone();
        ident.set_span(Span::call_site());
        ident
    }

    pub(crate) fn options(&self) -> Options {
        let mut options = Options::default();
        options.runtime.clone_from(&self.runtime);
        options
    }

    /// The protobuf name: what `rename` says, or that of the owned form, or the
    /// type's own.
    pub(crate) fn full_name(&self, pairing: &Pairing, faults: &mut Faults) -> String {
        if let Some(rename) = self.attributes.get("rename") {
            let name = faults.take(rename.string("rename = \"package.Name\""));
            return name.map(|name| name.value()).unwrap_or_default();
        }
        let owned = match pairing {
            Pairing::Owned(owned) => {
                let idents = owned.clone().into_iter().filter_map(|token| match token {
                    TokenTree::Ident(ident) => Some(ident),
                    _ => None,
                });
                idents.last()
            }
            _ => None,
        };
        owned.as_ref().unwrap_or(&self.input.ident).unraw().to_string()
    }

    /// How the type is declared, as far as generics go.
    pub(crate) fn declared(&self, faults: &mut Faults) -> Declared {
        let generics = &self.input.generics;
        let mut lifetimes = generics.lifetimes();
        let lifetime = lifetimes.next().map(|lifetime| lifetime.lifetime.to_token_stream());
        if let Some(second) = lifetimes.next() {
            faults.at(second, "a message borrows from one input: leave all lifetimes but one out");
        }
        let (parameters, arguments, _) = generics.split_for_impl();
        let predicates = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
        let mut names = vec![self.input.ident.to_string()];
        all_names(generics.to_token_stream(), &mut names);
        Declared {
            lifetime,
            parameters: without_brackets(parameters.to_token_stream()),
            arguments: without_brackets(arguments.to_token_stream()),
            predicates: predicates.map(ToTokens::to_token_stream).collect(),
            names,
            pairing: self.pairing(faults),
            ..Declared::default()
        }
    }

    fn pairing(&self, faults: &mut Faults) -> Pairing {
        let [borrowed, owned] = ["borrowed", "owned"].map(|name| self.attributes.get(name));
        let lifetime = self.input.generics.lifetimes().next();
        let parameter = self.input.generics.type_params().next();
        if let (Some(entry), Some(parameter)) = (borrowed.or(owned), parameter) {
            let text = format!(
                "the two forms of a message have no type parameters: leave `{}` out, or write the type that \
                 `{}` stands for",
                entry.name, parameter.ident
            );
            faults.at(entry, text);
            return Pairing::Alone;
        }
        match (borrowed, owned) {
            (Some(entry), _) if lifetime.is_some() => {
                faults.at(
                    entry,
                    "this type borrows: `borrowed` belongs at the one that owns, and `owned = Foo` here",
                );
                Pairing::Alone
            }
            (_, Some(entry)) if lifetime.is_none() => {
                faults.at(
                    entry,
                    "this type owns: `owned` belongs at the one that borrows, and `borrowed = FooRef` here",
                );
                Pairing::Alone
            }
            (Some(entry), _) => faults
                .take(entry.path("borrowed = FooRef"))
                .map_or(Pairing::Alone, |path| Pairing::Borrowed(path.to_token_stream())),
            (None, Some(entry)) => faults
                .take(entry.path("owned = Foo"))
                .map_or(Pairing::Alone, |path| Pairing::Owned(path.to_token_stream())),
            (None, None) => Pairing::Alone,
        }
    }
}

/// A struct, made a message.
pub(crate) struct Derived {
    pub(crate) schema: Schema,
    pub(crate) declared: Declared,
    pub(crate) items: TokenStream,
    /// The Rust types of values of the message's fields, then of its oneofs.
    pub(crate) types: Vec<TokenStream>,
    /// Whether a member is a oneof, and its index among those of its kind.
    pub(crate) order: Vec<(bool, usize)>,
    pub(crate) reserved: Reserved,
}

/// Derives a message.
pub(crate) fn derive(context: &Context<'_>, fields: &Fields, faults: &mut Faults) -> TokenStream {
    let attributes = context.attributes;
    attributes.check(Place::Message, faults);
    let mut derived = read(context, fields, faults);
    let code = attributes.get("code").and_then(|code| faults.take(code.number::<u8>("code = 200")));
    derived.schema.messages[SELF.0].code = code;
    let (request, asking) = operation::derive(context, &derived, code, faults);
    if let Some(faults) = faults.tokens() {
        return faults;
    }
    let options = context.options();
    let impls = derive_message(&derived.schema, SELF, &derived.declared, &derived.items, &options);
    let described = context.described.then(|| schema::message(context, &derived, asking.as_ref()));
    quote!(#impls #request #described)
}

/// Reads the fields.
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
            declared.spans.push(crate::types::span(&declaration.ty));
            declared.secret = declared.secret.or(own.place("secret"));
            order.push((false, message.fields.len()));
            types.push(value_type(&declaration.ty, field.with.is_some()));
            message.fields.push(field);
        }
    }
    declared.dependent = parts.take_dependent();
    let schema =
        Schema { messages: vec![message, stand_in()], enums: parts.take_enums(), ..Schema::default() };
    types.append(&mut oneof_types);
    Derived { schema, declared, items: parts.foreign, types, order, reserved }
}

/// The numbers that fields are given, as far as they can be read.
pub(crate) fn given_numbers<'f>(fields: impl Iterator<Item = &'f [syn::Attribute]>) -> Vec<u32> {
    let mut quiet = Faults::default();
    let numbers = fields.filter_map(|attributes| {
        let attributes = Attributes::read(attributes, &mut quiet);
        attributes.get("tag")?.number::<u32>("tag = 3").ok()
    });
    numbers.collect()
}

/// The type of a member's values, without the container around them.
pub(crate) fn value_type(ty: &syn::Type, foreign: bool) -> TokenStream {
    Shape::of(ty, foreign).map_or_else(|_| ty.to_token_stream(), |shape| shape.value.ty.to_token_stream())
}

/// Notes what cannot stand beside an attribute.
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

/// A member that is a oneof of a type of its own.
fn separate_oneof(
    member: &Member<'_>,
    numbers: &mut Numbers,
    parts: &mut Parts,
    faults: &mut Faults,
) -> Option<SeparateOneof> {
    let example = "oneof, tags(4, 5)";
    let name = member.name(faults);
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

impl Parts {
    /// Has the compiler check that the oneof has the numbers that are said.
    fn check_oneof(&mut self, ty: &syn::Type, said: &[u32], tags: &impl ToTokens, faults: &mut Faults) {
        let mut names = HashSet::new();
        type_names(ty.to_token_stream(), &mut names);
        if names.iter().any(|name| self.parameters.contains(name)) {
            faults.at(ty, "a oneof depends on no type parameter: write the type that is meant");
            return;
        }
        let (runtime, ty) = (&self.runtime, without_lifetimes(ty.to_token_stream()));
        let said = said.iter().map(|number| proc_macro2::Literal::u32_unsuffixed(*number));
        let place = first_span(&tags.to_token_stream());
        self.foreign.extend(quote::quote_spanned! {place=>
            const _: () = ::core::assert!(
                #runtime::wire::has_numbers(<#ty as #runtime::wire::Oneof>::NUMBERS, &[#(#said),*]),
                "`tags(…)` has to have the numbers of all variants of the oneof, and no others",
            );
        });
    }
}

/// A type with its lifetimes left to inference.
fn without_lifetimes(tokens: TokenStream) -> TokenStream {
    let mut result = Vec::new();
    let mut lifetime = false;
    for token in tokens {
        let token = match token {
            TokenTree::Ident(ident) if lifetime => Ident::new("_", ident.span()).into(),
            TokenTree::Group(group) => {
                let inner = without_lifetimes(group.stream());
                proc_macro2::Group::new(group.delimiter(), inner).into()
            }
            token => token,
        };
        lifetime = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '\'');
        result.push(token);
    }
    result.into_iter().collect()
}

/// Generics without the angle brackets around them.
fn without_brackets(tokens: TokenStream) -> TokenStream {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let inner = tokens.get(1..tokens.len().saturating_sub(1)).unwrap_or_default();
    inner.iter().cloned().collect()
}

fn first_span(tokens: &TokenStream) -> Span {
    tokens.clone().into_iter().next().map_or_else(Span::call_site, |token| token.span())
}

/// The identifiers that tokens use, but for those behind `::`, which mean what
/// they mean in what is before.
pub(crate) fn all_names(tokens: TokenStream, names: &mut Vec<String>) {
    let mut colons = 0;
    for token in tokens {
        match &token {
            TokenTree::Ident(ident) if colons < 2 => names.push(ident.to_string()),
            TokenTree::Group(group) => all_names(group.stream(), names),
            _ => {}
        }
        let colon = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ':');
        colons = if colon { colons + 1 } else { 0 };
    }
}

/// All identifiers in tokens but those of lifetimes.
fn type_names(tokens: TokenStream, names: &mut HashSet<String>) {
    let mut lifetime = false;
    for token in tokens {
        match &token {
            TokenTree::Ident(ident) if !lifetime => {
                names.insert(ident.to_string());
            }
            TokenTree::Group(group) => type_names(group.stream(), names),
            _ => {}
        }
        lifetime = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '\'');
    }
}

/// A message of this name without fields.
pub(crate) fn some_message(name: &str) -> Message {
    Message {
        full_name: name.to_owned(),
        path: RustPath { root: None, module: Vec::new(), name: name.to_owned() },
        ref_name: name.to_owned(),
        file: FileId(0),
        docs: Docs::default(),
        deprecated: false,
        fields: Vec::new(),
        oneofs: Vec::new(),
        nested_module: String::new(),
        messages: Vec::new(),
        enums: Vec::new(),
        code: None,
        unknown: None,
        separate_oneofs: Vec::new(),
        bodyless: false,
        text_extensions: Vec::new(),
    }
}

/// Stands for a message that is not seen. It has a required field: a message
/// that is not seen may lack something.
pub(crate) fn stand_in() -> Message {
    let mut message = some_message("Message");
    message.fields.push(Field {
        name: String::new(),
        rust_name: String::new(),
        number: 1,
        ty: Type::Bool,
        presence: Presence::Required,
        default: None,
        kind: riak_codegen::model::Kind::Plain,
        boxed: false,
        bytes: riak_codegen::model::BytesType::Blob,
        with: None,
        docs: Docs::default(),
        deprecated: false,
    });
    message
}

/// An enum that is not seen. It is read as a closed one, which an open one can
/// be read as, too.
fn some_enum(path: &str, value: &str) -> Enum {
    let (root, name) = match path.rsplit_once("::") {
        Some((root, name)) => (Some(root.to_owned()), name),
        None => (None, path),
    };
    Enum {
        full_name: name.to_owned(),
        path: RustPath { root, module: Vec::new(), name: name.to_owned() },
        closed: true,
        values: vec![EnumValue {
            name: value.to_owned(),
            rust_name: value.to_owned(),
            number: 0,
            docs: Docs::default(),
            deprecated: false,
        }],
        docs: Docs::default(),
        deprecated: false,
    }
}
