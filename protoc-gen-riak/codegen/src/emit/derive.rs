//! The impls of hand-written messages, oneofs, enums and requests.
//!
//! Invariant: the impls of each type are in a block of their own, which adds no name
//! to the user's module.

use proc_macro2::{Span, TokenStream};
use quote::quote;

use super::declared::{Declared, ImplHeader, Pairing, respan};
use super::form::{Form, member, member_token, unknown_member};
use super::operation::AnswerExprs;
use super::scope::{Scope, ident};
use super::{Emitter, Options, enumeration};
use crate::model::{Enum, Field, Kind, Message, MessageId, Operation, Presence, Schema, Type};

impl Emitter<'_> {
    /// Emits all impls of a hand-written message, except those of its operation.
    fn declared_message(&self, scope: &Scope<'_>, message: &Message, declared: &Declared) -> TokenStream {
        let form = declared.form();
        let mut items = TokenStream::new();
        if message.fields.iter().any(|field| field.kind == Kind::Secret) {
            items.extend(declared.at_secret_span(self.debug_impl(scope, message, form)));
        }
        items.extend(self.declared_getters(scope, message, form));
        items.extend(self.message_impl(scope, message, form));
        items.extend(self.decode_impl(scope, message, form));
        match (&declared.pairing, form) {
            (Pairing::Alone, Form::Borrowed) => {}
            (Pairing::Owned(owned), _) => items.extend(self.declared_view(scope, message, declared, owned)),
            (Pairing::Borrowed(view), _) => {
                items.extend(self.declared_owned(scope, message, &quote!(#view<'a>)));
            }
            (Pairing::Alone, Form::Owned) => {
                items.extend(self.declared_owned(scope, message, &quote!(Self)));
                items.extend(self.self_view(scope, message));
            }
        }
        items.extend(self.coded_impl(scope, message, form));
        items.extend(self.flags_impl(scope, message, form));
        items
    }

    /// Emits the getters of members with defaults.
    fn declared_getters(&self, scope: &Scope<'_>, message: &Message, form: Form) -> TokenStream {
        let getters = self.getters(scope, message);
        if getters.is_empty() {
            return getters;
        }
        let ImplHeader { generics, name, bounds, .. } = self.encoding_header(message, form, &quote!(Sized));
        quote!(impl #generics #name #bounds { #getters })
    }

    /// Emits the `Owned` impl of a type that owns its data.
    fn declared_owned(&self, scope: &Scope<'_>, message: &Message, view: &TokenStream) -> TokenStream {
        let [owned, decode] = ["Owned", "Decode"].map(|name| scope.runtime(name));
        let ImplHeader { generics, name, mut bounds, .. } =
            self.encoding_header(message, Form::Owned, &owned);
        if let Some(declared) = self.declared.filter(|declared| declared.is_generic()) {
            let own = quote!(Self: for<'a> #decode<'a> + Send + Sync + 'static);
            let all = declared.predicates.iter().chain([&own]);
            bounds = quote!(where #(#all,)*);
        }
        quote! {
            impl #generics #owned for #name #bounds {
                type Ref<'a> = #view;

                fn shorten<'short, 'long: 'short>(view: &'short Self::Ref<'long>) -> &'short Self::Ref<'short> {
                    view
                }
            }
        }
    }

    /// Emits the `View` impl of a type that is its own borrowed form.
    fn self_view(&self, scope: &Scope<'_>, message: &Message) -> TokenStream {
        let view = scope.runtime("View");
        let bound = scope.runtime("Message");
        let ImplHeader { generics, name, .. } = self.encoding_header(message, Form::Owned, &bound);
        let clone = quote!(::core::clone::Clone);
        // The compiler accepts a false bound if it has a higher-ranked lifetime: a
        // type that is not `Clone` then merely lacks this impl.
        let clones = [quote!(for<'view> Self: #clone)];
        let bounds = self.declared.map(|declared| declared.bounds(&bound, &clones));
        quote! {
            impl #generics #view for #name #bounds {
                type Owned = Self;

                fn owned(&self) -> Self {
                    #clone::clone(self)
                }
            }
        }
    }

    /// Emits the `View` impl of a borrowed form.
    fn declared_view(
        &self,
        scope: &Scope<'_>,
        message: &Message,
        declared: &Declared,
        owned: &TokenStream,
    ) -> TokenStream {
        let view = scope.runtime("View");
        let ImplHeader { generics, name, bounds, .. } = self.encoding_header(message, Form::Borrowed, &view);
        let mut members: Vec<TokenStream> = message
            .fields
            .iter()
            .map(|field| {
                let member = member(field);
                let value = Self::declared_member_owned(scope, field, &member);
                self.at_field_span(message, field, quote!(#member: #value))
            })
            .collect();
        members.extend(message.separate_oneofs.iter().map(|oneof| {
            let member = member_token(&oneof.rust_name);
            quote!(#member: self.#member.as_ref().map(#view::owned))
        }));
        members.extend(unknown_member(message).map(|member| quote!(#member: self.#member.owned())));
        members.extend(declared.skipped.iter().map(|skipped| {
            let (member, default) = (member_token(skipped), scope.prelude("Default"));
            quote!(#member: #default::default())
        }));
        quote! {
            impl #generics #view for #name #bounds {
                type Owned = #owned;

                fn owned(&self) -> #owned {
                    #owned { #(#members),* }
                }
            }
        }
    }

    /// Emits the owned value of a member, for any pair of types that the two forms
    /// may have.
    fn declared_member_owned(scope: &Scope<'_>, field: &Field, member: &TokenStream) -> TokenStream {
        let value = declared_value_owned(scope, field, &quote!(value));
        let borrows_data = matches!(field.ty, Type::String | Type::Bytes | Type::Message(_) | Type::Group(_));
        match field.presence {
            _ if field.with.is_some() => quote!(self.#member.clone()),
            Presence::Required | Presence::Implicit => match field.ty {
                Type::String | Type::Bytes => quote!((&*self.#member).into()),
                _ if borrows_data => declared_value_owned(scope, field, &quote!(&self.#member)),
                _ => quote!(self.#member),
            },
            Presence::Explicit if !borrows_data => quote!(self.#member),
            Presence::Repeated { .. } if !borrows_data => quote!(self.#member.clone()),
            Presence::Explicit => quote!(self.#member.as_ref().map(|value| #value)),
            Presence::Repeated { .. } => quote!(self.#member.iter().map(|value| #value).collect()),
            Presence::Map { key } => {
                let key = if key == Type::String { quote!((&**key).into()) } else { quote!(*key) };
                quote!(self.#member.iter().map(|(key, value)| (#key, #value)).collect())
            }
            Presence::Oneof(_) => unreachable!("members of a oneof are converted with it"),
        }
    }

    /// Emits the `Request` impl of a hand-written message.
    fn declared_request(
        &self,
        scope: &Scope<'_>,
        operation: &Operation,
        declared: &Declared,
        asked: &Asked,
    ) -> TokenStream {
        let message = self.schema.message(operation.request);
        let [request, coded, operation_type] =
            ["Request", "Coded", "Operation"].map(|name| scope.runtime(name));
        let owned_trait = scope.runtime("Owned");
        let ImplHeader { generics, name, mut bounds, .. } =
            self.encoding_header(message, declared.form(), &owned_trait);
        if declared.form() == Form::Owned && declared.is_generic() {
            let mut extra = vec![quote!(Self: #owned_trait)];
            if asked.depends {
                let answer = &asked.response;
                extra.push(quote!(#answer: #owned_trait + #coded));
            }
            bounds = declared.bounds(&scope.runtime("Message"), &extra);
        }
        let response = &asked.response;
        // Errors in the type of the answer are reported where the user names it.
        let place = Span::call_site().located_at(asked.place);
        let (owned, operation_value) = if let Pairing::Owned(owned) = &declared.pairing {
            (owned.clone(), quote!(<#owned as #request>::OPERATION))
        } else {
            let end = asked.end.clone().unwrap_or_default();
            let (some, error) = (scope.prelude("Some"), scope.item("operation", "ErrorFrame"));
            let answers = AnswerExprs {
                response: respan(quote!(<#response as #coded>::CODE), place),
                alternatives: quote!(&[]),
                error: quote!(#some(#error::RIAK)),
                mode: self.mode_with(scope, operation, |_| end.clone()),
            };
            let value = self.operation(scope, &operation.name, operation, &answers);
            (quote!(Self), quote!(&#value))
        };
        let methods = self.request_methods(scope, operation);
        let response = respan(quote!(#response), place);
        quote! {
            impl #generics #request for #name #bounds {
                type Owned = #owned;
                type Response = #response;
                const OPERATION: &'static #operation_type = #operation_value;
                #methods
            }
        }
    }

    /// Emits the impls of a hand-written oneof: an enum with one field per variant.
    fn declared_oneof(&self, scope: &Scope<'_>, message: &Message, declared: &Declared) -> TokenStream {
        let form = declared.form();
        let oneof = &message.oneofs[0];
        let [oneof_trait, read_trait, reader, context] =
            ["Oneof", "ReadOneof", "Reader", "Context"].map(|name| scope.wire(name));
        let (keep, bound) = (scope.wire("KeepUnknown"), scope.runtime("Message"));
        let ImplHeader { generics, name, bounds, .. } = self.encoding_header(message, form, &bound);
        let mut numbers: Vec<u32> = message.fields.iter().map(|field| field.number).collect();
        numbers.sort_unstable();
        let numbers = numbers.into_iter().map(proc_macro2::Literal::u32_unsuffixed);
        let methods = Self::variants_encode(scope, message, oneof);
        let encode = quote! {
            impl #generics #oneof_trait for #name #bounds {
                const NUMBERS: &'static [::core::primitive::u32] = &[#(#numbers),*];

                #methods
            }
        };
        let decode = scope.runtime("Decode");
        let ImplHeader { generics, name, bounds, lifetime } = self.decoding_header(message, form, &decode);
        let body = self.variants_merge(scope, message, oneof);
        let [option, result] = ["Option", "Result"].map(|name| scope.prelude(name));
        let error = scope.runtime("DecodeError");
        let closed = message.fields.iter().any(|field| matches!(field.ty, Type::Enum(_)));
        let unknown = ident(if closed { "unknown" } else { "_unknown" });
        let read = quote! {
            impl #generics #read_trait<#lifetime> for #name #bounds {
                fn merge_field(
                    place: &mut #option<Self>,
                    tag: ::core::primitive::u32,
                    #unknown: &mut impl #keep<#lifetime>,
                    mut input: &mut #reader<#lifetime>,
                    ctx: &mut #context<#lifetime>,
                ) -> #result<::core::primitive::bool, #error> {
                    #body
                }
            }
        };
        let view = match (&declared.pairing, form) {
            (Pairing::Owned(owned), _) => self.declared_oneof_view(scope, message, owned),
            (_, Form::Owned) => self.self_view(scope, message),
            (_, Form::Borrowed) => TokenStream::new(),
        };
        let secret = message.fields.iter().any(|field| field.kind == Kind::Secret);
        let debug = secret.then(|| {
            let header = self.encoding_header(message, form, &quote!(::core::fmt::Debug));
            declared.at_secret_span(self.oneof_debug_impl(scope, message, oneof, form, &header))
        });
        quote!(#debug #encode #read #view)
    }

    fn declared_oneof_view(&self, scope: &Scope<'_>, message: &Message, owned: &TokenStream) -> TokenStream {
        let view = scope.runtime("View");
        let ImplHeader { generics, name, bounds, .. } = self.encoding_header(message, Form::Borrowed, &view);
        let arms = message.oneofs[0].variants.iter().map(|(index, variant)| {
            let field = &message.fields[*index];
            let (variant, value) = (ident(variant), declared_value_owned(scope, field, &quote!(value)));
            self.at_field_span(message, field, quote!(Self::#variant(value) => #owned::#variant(#value),))
        });
        quote! {
            impl #generics #view for #name #bounds {
                type Owned = #owned;

                fn owned(&self) -> #owned {
                    match self { #(#arms)* }
                }
            }
        }
    }
}

/// Emits the owned form of a single value, given a reference to it.
fn declared_value_owned(scope: &Scope<'_>, field: &Field, value: &TokenStream) -> TokenStream {
    match field.ty {
        _ if field.with.is_some() => quote!(#value.clone()),
        Type::String | Type::Bytes => quote!((&**#value).into()),
        Type::Message(_) | Type::Group(_) => {
            let view = scope.runtime("View");
            if field.boxed {
                let boxed = scope.prelude("Box");
                quote!(#boxed::new(#view::owned(&**#value)))
            } else {
                quote!(#view::owned(#value))
            }
        }
        _ => quote!(*#value),
    }
}

/// Wraps the items of one hand-written type, with their imports, in a block.
fn block(scope: &Scope<'_>, items: &TokenStream) -> TokenStream {
    let imports = scope.imports();
    quote! {
        const _: () = {
            #imports
            #items
        };
    }
}

/// Emits the block of a hand-written type, with the items that `items` returns.
fn declared_block(
    schema: &Schema,
    declared: &Declared,
    options: &Options,
    items: impl FnOnce(&Emitter<'_>, &Scope<'_>) -> TokenStream,
) -> TokenStream {
    let emitter = Emitter { schema, options, declared: Some(declared) };
    let scope = declared.scope(&options.runtime);
    let items = items(&emitter, &scope);
    block(&scope, &items)
}

/// Emits the impls of a hand-written message.
///
/// `id` is the message in `schema`, `declared` is its declaration, and `extra` are
/// items to emit in the same block.
#[must_use]
pub fn derive_message(
    schema: &Schema,
    id: MessageId,
    declared: &Declared,
    extra: &TokenStream,
    options: &Options,
) -> TokenStream {
    declared_block(schema, declared, options, |emitter, scope| {
        let impls = emitter.declared_message(scope, schema.message(id), declared);
        quote!(#extra #impls)
    })
}

/// Emits the impls of a hand-written oneof.
///
/// The oneof is the only one of the message `id` in `schema`, which has no other
/// fields. `extra` are items to emit in the same block.
#[must_use]
pub fn derive_oneof(
    schema: &Schema,
    id: MessageId,
    declared: &Declared,
    extra: &TokenStream,
    options: &Options,
) -> TokenStream {
    declared_block(schema, declared, options, |emitter, scope| {
        let impls = emitter.declared_oneof(scope, schema.message(id), declared);
        quote!(#extra #impls)
    })
}

/// Emits the impl of a hand-written enum. `other` is the variant that keeps unnamed
/// numbers, which makes the enum open.
#[must_use]
pub fn derive_enumeration(item: &Enum, other: Option<&str>, options: &Options) -> TokenStream {
    let mut scope = Scope::in_block(&options.runtime);
    scope.declare(&item.path.name);
    block(&scope, &enumeration::declared_impl(&scope, item, other))
}

/// The parts of a hand-written request that a schema cannot express.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The type of the regular answer.
    pub response: TokenStream,
    /// Whether the type of the answer depends on a parameter of the request.
    pub depends: bool,
    /// The span of the type of the answer.
    pub place: Span,
    /// The expression of type `StreamEnd` that identifies the last answer of a
    /// stream.
    pub end: Option<TokenStream>,
}

/// Emits the `Request` impl of a hand-written message.
#[must_use]
pub fn derive_request(
    schema: &Schema,
    operation: &Operation,
    declared: &Declared,
    asked: &Asked,
    options: &Options,
) -> TokenStream {
    declared_block(schema, declared, options, |emitter, scope| {
        emitter.declared_request(scope, operation, declared, asked)
    })
}
