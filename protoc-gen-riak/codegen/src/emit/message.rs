//! Messages: the two structs, and their impls other than the codec.
//!
//! Invariant: members are public and plain. A member is an `Option` if, and only if,
//! the schema distinguishes an absent field from one with its default value.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::Emitter;
use super::declared::ImplHeader;
use super::docs::{deprecated, docs, docs_or, line, link};
use super::form::{Form, lifetime_member, member, unknown_member};
use super::number;
use super::scope::{Scope, ident};
use crate::model::{BytesType, Field, Kind, Literal as Value, Message, Presence, Type};

/// The names of methods and functions that messages have, from inherent impls or
/// traits. A getter with such a name would shadow the method.
const METHOD_NAMES: &[&str] = &[
    "append_to",
    "at_least",
    "clone",
    "clone_from",
    "decode",
    "decode_blob",
    "decode_within",
    "default",
    "encode",
    "encode_to_vec",
    "encoded_len",
    "eq",
    "fmt",
    "merge",
    "ne",
    "new",
    "shorten",
];

impl Emitter<'_> {
    /// Emits a message: the structs of both forms and all impls.
    #[cfg(feature = "files")]
    pub(super) fn message(&self, scope: &Scope<'_>, message: &Message) -> TokenStream {
        let mut items = TokenStream::new();
        for form in self.forms() {
            items.extend(self.struct_item(scope, message, form));
            if form == Form::Owned {
                items.extend(self.inherent_impl(scope, message));
            }
            items.extend(self.debug_impl(scope, message, form));
            items.extend(self.message_impl(scope, message, form));
            items.extend(self.decode_impl(scope, message, form));
            match form {
                Form::Owned => items.extend(self.owned_impl(scope, message)),
                Form::Borrowed if self.options.owned => items.extend(self.view_impl(scope, message)),
                Form::Borrowed => {}
            }
            items.extend(self.coded_impl(scope, message, form));
            items.extend(self.flags_impl(scope, message, form));
        }
        items
    }

    /// Iterates over the forms to emit.
    pub(super) fn forms(&self) -> impl Iterator<Item = Form> + use<> {
        let wanted = [(Form::Owned, self.options.owned), (Form::Borrowed, self.options.borrowed)];
        wanted.into_iter().filter(|(_, wanted)| *wanted).map(|(form, _)| form)
    }

    /// Reports whether a form carries the schema's comments. Only one of two forms
    /// does.
    pub(super) fn has_docs(&self, form: Form) -> bool {
        form == Form::Owned || !self.options.owned
    }

    fn struct_item(&self, scope: &Scope<'_>, message: &Message, form: Form) -> TokenStream {
        let (name, generics) = (form.name(message), form.generics());
        let docs = if self.has_docs(form) {
            docs_or(&message.docs, &format!("The message `{}`.", message.full_name))
        } else {
            line(&format!(
                "The form of {} that borrows from the bytes it was decoded from.",
                link("struct", &message.path.name)
            ))
        };
        let deprecated = deprecated(message.deprecated);
        let debug = self.derives_debug(message, form).then(|| quote!(Debug,));
        let members = self.members(scope, message, form);
        quote! {
            #docs
            #deprecated
            #[derive(Clone, #debug Default, PartialEq)]
            pub struct #name #generics { #members }
        }
    }

    fn members(&self, scope: &Scope<'_>, message: &Message, form: Form) -> TokenStream {
        let documented = self.has_docs(form);
        let mut members = TokenStream::new();
        let mut oneofs = vec![false; message.oneofs.len()];
        for field in &message.fields {
            if let Presence::Oneof(index) = field.presence {
                if std::mem::replace(&mut oneofs[index], true) {
                    continue;
                }
                let oneof = &message.oneofs[index];
                let (name, ty) = (ident(&oneof.rust_name), Self::oneof_type(scope, message, oneof, form));
                let docs = if documented {
                    docs_or(&oneof.docs, &format!("The oneof `{}`.", oneof.name))
                } else {
                    TokenStream::new()
                };
                members.extend(quote!(#docs pub #name: #ty,));
                continue;
            }
            let (name, ty) = (member(field), self.member_type(scope, field, form));
            let docs = if documented { field_docs(field) } else { TokenStream::new() };
            let deprecated = deprecated(field.deprecated);
            members.extend(quote!(#docs #deprecated pub #name: #ty,));
        }
        if self.is_raw(self.id(message)) {
            let ty = self.rust_type(scope, Type::Bytes, BytesType::Blob, form);
            let docs = if documented {
                line("The frame's body, in an encoding other than protobuf.")
            } else {
                TokenStream::new()
            };
            members.extend(quote!(#docs pub body: #ty,));
        } else if let Some(name) = unknown_member(message) {
            let ty = Self::unknown_type(scope, form);
            let docs = if documented {
                line("Fields that the schema does not declare, kept byte for byte.")
            } else {
                TokenStream::new()
            };
            members.extend(quote!(#docs pub #name: #ty,));
        } else if form == Form::Borrowed && !self.borrows(message) {
            // A struct must use its lifetime parameter.
            let name = lifetime_member(message);
            members.extend(quote!(#[doc(hidden)] pub #name: ::core::marker::PhantomData<&'a ()>,));
        }
        members
    }

    /// Emits `new`, which takes the required fields, and getters for fields with a
    /// declared default.
    fn inherent_impl(&self, scope: &Scope<'_>, message: &Message) -> TokenStream {
        let name = Form::Owned.name(message);
        let new = self.constructor(scope, message);
        let getters = self.getters(scope, message);
        if new.is_empty() && getters.is_empty() {
            return TokenStream::new();
        }
        quote!(impl #name { #new #getters })
    }

    fn constructor(&self, scope: &Scope<'_>, message: &Message) -> TokenStream {
        let required: Vec<&Field> =
            message.fields.iter().filter(|field| field.presence == Presence::Required).collect();
        if required.is_empty() {
            return TokenStream::new();
        }
        let into = scope.prelude("Into");
        let parameters = required.iter().map(|field| {
            let (name, ty) = (member(field), self.value_type(scope, field, Form::Owned));
            if takes_into(field) { quote!(#name: impl #into<#ty>) } else { quote!(#name: #ty) }
        });
        let values = required.iter().map(|field| {
            let name = member(field);
            if takes_into(field) { quote!(#name: #name.into()) } else { quote!(#name) }
        });
        let complete = required.len() == message.fields.len() && message.unknown.is_none();
        let rest = (!complete).then(|| quote!(..Self::default()));
        let docs = line("Creates a message with its required fields set, and no others.");
        quote! {
            #docs
            #[must_use]
            pub fn new(#(#parameters),*) -> Self {
                Self { #(#values,)* #rest }
            }
        }
    }

    /// Emits the getters of fields with declared defaults. Each getter has the name
    /// of its field, unless a message already has a method of that name.
    pub(super) fn getters(&self, scope: &Scope<'_>, message: &Message) -> TokenStream {
        let fields = message.fields.iter().filter(|field| field.presence == Presence::Explicit);
        let fields: Vec<_> = fields.filter_map(|field| Some((field, field.default.as_ref()?))).collect();
        let members: Vec<&str> = fields.iter().map(|(field, _)| field.rust_name.as_str()).collect();
        let names = crate::ident::Scope::with_taken(METHOD_NAMES.iter().copied())
            .take_all(&members, ToOwned::to_owned);
        let getters = fields.iter().zip(names);
        getters.map(|((field, default), name)| self.getter(scope, field, default, &name)).collect()
    }

    fn getter(&self, scope: &Scope<'_>, field: &Field, default: &Value, name: &str) -> TokenStream {
        let (value, text) = self.default_value(scope, field, default);
        let docs = line(&format!("Returns `{}`, or its default {text} if it is absent.", field.name));
        let (member, name) = (member(field), ident(name));
        let body = match field.ty {
            Type::String | Type::Bytes => quote!(self.#member.as_deref().unwrap_or(#value)),
            _ if field.kind == Kind::Quorum => {
                let quorum = scope.runtime("Quorum");
                quote!(self.#member.unwrap_or(#quorum(#value)))
            }
            _ => quote!(self.#member.unwrap_or(#value)),
        };
        let ty = match field.ty {
            Type::String => quote!(&str),
            Type::Bytes => quote!(&[u8]),
            _ => self.value_type(scope, field, Form::Owned),
        };
        let allow = field.deprecated.then(|| quote!(#[allow(deprecated)]));
        quote! {
            #docs
            #[must_use]
            #allow
            pub fn #name(&self) -> #ty {
                #body
            }
        }
    }

    /// Returns a default as an expression, and as text for a comment.
    fn default_value(&self, scope: &Scope<'_>, field: &Field, default: &Value) -> (TokenStream, String) {
        match default {
            Value::Int(value) => {
                let literal = number::int(*value);
                (quote!(#literal), format!("`{value}`"))
            }
            Value::Uint(value) => {
                let literal = Literal::u64_unsuffixed(*value);
                (quote!(#literal), format!("`{value}`"))
            }
            Value::Float(value) => {
                let (tokens, text) = float(field.ty, *value);
                (tokens, format!("`{text}`"))
            }
            Value::Bool(value) => (quote!(#value), format!("`{value}`")),
            Value::Text(value) => (quote!(#value), code_span(&format!("{value:?}"))),
            Value::Bytes(value) => {
                let literal = Literal::byte_string(value);
                (quote!(#literal), code_span(&format!("b\"{}\"", value.escape_ascii())))
            }
            Value::Enum(index) => {
                let Type::Enum(id) = field.ty else { unreachable!("only enums have enum defaults") };
                let item = self.schema.enumeration(id);
                let (ty, value) = (scope.type_path(&item.path), ident(&item.values[*index].rust_name));
                (quote!(#ty::#value), format!("`{}`", item.values[*index].name))
            }
        }
    }

    /// Emits the `Coded` impl of one form.
    pub(super) fn coded_impl(&self, scope: &Scope<'_>, message: &Message, form: Form) -> TokenStream {
        let Some(code) = message.code else { return TokenStream::new() };
        let coded = scope.runtime("Coded");
        let message_trait = scope.runtime("Message");
        let ImplHeader { generics, name, bounds, .. } = self.encoding_header(message, form, &message_trait);
        let code = Literal::u8_unsuffixed(code);
        quote! {
            impl #generics #coded for #name #bounds {
                const CODE: u8 = #code;
            }
        }
    }
}

/// Reports whether a parameter for this field is an `impl Into`.
fn takes_into(field: &Field) -> bool {
    matches!(field.ty, Type::String | Type::Bytes) || (field.kind == Kind::Quorum && field.ty == Type::Uint32)
}

/// Formats text as an inline code span of a comment. The text may contain backticks.
fn code_span(text: &str) -> String {
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}

/// Emits a field's comment, or a default comment with the unit that its kind
/// implies.
fn field_docs(field: &Field) -> TokenStream {
    if !field.docs.lines.is_empty() {
        return docs(&field.docs);
    }
    let unit = match field.kind {
        Kind::Millis => ", in milliseconds",
        Kind::UnixSeconds => ", in seconds since the Unix epoch",
        _ => "",
    };
    line(&format!("`{}`, field {}{unit}.", field.name, field.number))
}

/// Returns a floating-point default as an expression, and as text. Infinities and
/// NaN become constants, since they have no literals.
fn float(ty: Type, value: f64) -> (TokenStream, String) {
    #[expect(clippy::cast_possible_truncation, reason = "the nearest float is what the schema means")]
    let (ty, text) = match ty {
        Type::Float => (quote!(f32), format!("{:?}", value as f32)),
        _ => (quote!(f64), format!("{value:?}")),
    };
    let tokens = match text.as_str() {
        "NaN" => quote!(#ty::NAN),
        "inf" => quote!(#ty::INFINITY),
        "-inf" => quote!(#ty::NEG_INFINITY),
        text => number::float(text),
    };
    (tokens, text)
}
