//! How types that are written by hand are declared: the declaration is there
//! already, and its members, generics and names are the user's own.
//!
//! Invariant: no name that the declaration uses is imported over, and each impl
//! is as generic as the declaration.

use std::iter;

use proc_macro2::{Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::quote;

use super::Emitter;
use super::form::Form;
use super::scope::{Scope, path};
use crate::model::{Field, Message};

/// How a hand-written type is declared, as far as a schema cannot say it.
#[derive(Clone, Debug, Default)]
pub struct Declared {
    /// The lifetime that it borrows for, such as `'a`; `None` if it owns its
    /// data.
    pub lifetime: Option<TokenStream>,
    /// Its generic parameters with their bounds, as they stand behind `impl`.
    pub parameters: TokenStream,
    /// Its generic arguments, as they stand behind its name.
    pub arguments: TokenStream,
    /// The predicates of its `where` clause.
    pub predicates: Vec<TokenStream>,
    /// The types of messages inside it that depend on its parameters, and need
    /// a bound for that.
    pub dependent: Vec<TokenStream>,
    /// The types that messages inside it depend on and that the declaration
    /// itself bounds.
    pub bound: Vec<TokenStream>,
    /// The types of enums inside it that depend on its parameters.
    pub enums: Vec<TokenStream>,
    /// Whether types are among its parameters.
    pub of_types: bool,
    /// All names that its declaration uses, lifetimes included.
    pub names: Vec<String>,
    /// Where each of [`Message::fields`] is declared.
    pub spans: Vec<Span>,
    /// Members that are not on the wire.
    pub skipped: Vec<String>,
    /// Where a field is said to be a secret, if one is.
    pub secret: Option<Span>,
    /// How it is paired with another form of the same message.
    pub pairing: Pairing,
}

/// The other form of a hand-written message.
#[derive(Clone, Debug, Default)]
pub enum Pairing {
    /// There is none: it is its own borrowed form, or the borrowed form of
    /// nothing.
    #[default]
    Alone,
    /// It owns its data, and this type, without its lifetime, borrows.
    Borrowed(TokenStream),
    /// It borrows, and this type owns.
    Owned(TokenStream),
}

/// The header of an impl: `impl<generics> Trait for name bounds`.
pub(super) struct Head {
    pub(super) generics: TokenStream,
    pub(super) name: TokenStream,
    /// The `where` clause, if any.
    pub(super) bounds: TokenStream,
    /// The lifetime of what is decoded.
    pub(super) lifetime: TokenStream,
}

impl Declared {
    /// Its form, as far as that decides what is emitted.
    pub(super) fn form(&self) -> Form {
        if self.lifetime.is_some() { Form::Borrowed } else { Form::Owned }
    }

    /// Whether a lifetime is all that it is generic in.
    pub(super) fn only_borrows(&self) -> bool {
        let parameters = self.parameters.clone().into_iter().count();
        self.lifetime.is_some() && parameters == 2 && self.predicates.is_empty()
    }

    pub(super) fn is_generic(&self) -> bool {
        !self.parameters.is_empty()
    }

    /// The `where` clause with each message inside bound by a trait.
    pub(super) fn bounds(&self, bound: &TokenStream, more: &[TokenStream]) -> TokenStream {
        let own = &self.predicates;
        let dependent = self.dependent.iter().map(|ty| quote!(#ty: #bound));
        let all: Vec<TokenStream> =
            own.iter().cloned().chain(dependent).chain(more.iter().cloned()).collect();
        if all.is_empty() { TokenStream::new() } else { quote!(where #(#all,)*) }
    }

    /// The lifetime of what is decoded: its own, or one that it has no use for.
    fn input(&self) -> TokenStream {
        if let Some(lifetime) = &self.lifetime {
            return lifetime.clone();
        }
        let mut names = iter::once("a".to_owned()).chain((1..).map(|count| format!("a{count}")));
        let name = names.find(|name| !self.names.contains(name)).unwrap_or_default();
        let mark = Punct::new('\'', Spacing::Joint);
        let name = Ident::new(&name, Span::call_site());
        quote!(#mark #name)
    }

    /// A `Debug` impl, in the place of what asks for it: where the compiler
    /// says that the type has another one.
    pub(super) fn at_secret(&self, debug: TokenStream) -> TokenStream {
        match self.secret {
            Some(span) => respan(debug, Span::call_site().located_at(span)),
            None => debug,
        }
    }

    pub(super) fn scope<'r>(&self, runtime: &'r str) -> Scope<'r> {
        let mut scope = Scope::inside(runtime);
        self.names.iter().for_each(|name| scope.declare(name));
        scope
    }
}

impl Emitter<'_> {
    /// The header of an impl that has no need of the lifetime's name. What a
    /// declared type depends on is bound by `bound`.
    pub(super) fn encoding_head(&self, message: &Message, form: Form, bound: &TokenStream) -> Head {
        let name = form.name(message);
        let Some(declared) = self.declared else {
            let anonymous = form.anonymous();
            return Head {
                generics: TokenStream::new(),
                name: quote!(#name #anonymous),
                bounds: TokenStream::new(),
                lifetime: quote!('a),
            };
        };
        let (parameters, arguments) = (&declared.parameters, &declared.arguments);
        let (generics, name) = if declared.only_borrows() {
            (TokenStream::new(), quote!(#name<'_>))
        } else if declared.is_generic() {
            (quote!(<#parameters>), quote!(#name<#arguments>))
        } else {
            (TokenStream::new(), quote!(#name))
        };
        Head {
            generics,
            name,
            bounds: declared.bounds(bound, &self.enums(declared)),
            lifetime: declared.input(),
        }
    }

    /// That enums which depend on parameters are enums. Wire types of other
    /// values cannot be asked for: the compiler would take such a bound for the
    /// only impl of the wire type.
    fn enums(&self, declared: &Declared) -> Vec<TokenStream> {
        let runtime = path(&self.options.runtime);
        declared.enums.iter().map(|ty| quote!(#ty: #runtime::wire::Enumeration)).collect()
    }

    /// The header of a `Decode` impl.
    pub(super) fn decoding_head(&self, message: &Message, form: Form, decode: &TokenStream) -> Head {
        let name = form.name(message);
        let Some(declared) = self.declared else {
            let generics = form.generics();
            return Head {
                generics: quote!(<'a>),
                name: quote!(#name #generics),
                bounds: TokenStream::new(),
                lifetime: quote!('a),
            };
        };
        let (parameters, arguments) = (&declared.parameters, &declared.arguments);
        let lifetime = declared.input();
        let own = declared.lifetime.is_some();
        let generics = if own { quote!(<#parameters>) } else { quote!(<#lifetime, #parameters>) };
        let name = if declared.is_generic() { quote!(#name<#arguments>) } else { quote!(#name) };
        let mut more = self.enums(declared);
        // Of a message; a oneof begins with one of its variants.
        if declared.of_types && message.oneofs.is_empty() {
            more.push(quote!(Self: ::core::default::Default));
        }
        let bounds = declared.bounds(&quote!(#decode<#lifetime>), &more);
        Head { generics, name, bounds, lifetime }
    }

    /// Tokens of a field, at the place where the field is declared: that is
    /// where the compiler reports what is wrong with its type.
    pub(super) fn located(&self, message: &Message, field: &Field, tokens: TokenStream) -> TokenStream {
        let Some(declared) = self.declared else { return tokens };
        let index = message.fields.iter().position(|other| std::ptr::eq(other, field));
        match index.and_then(|index| declared.spans.get(index)) {
            // Names still mean what they mean to the derive.
            Some(span) => respan(tokens, Span::call_site().located_at(*span)),
            None => tokens,
        }
    }
}

/// Sets the place of all tokens.
pub(super) fn respan(tokens: TokenStream, span: Span) -> TokenStream {
    tokens
        .into_iter()
        .map(|mut token| {
            if let TokenTree::Group(group) = &token {
                let mut group = proc_macro2::Group::new(group.delimiter(), respan(group.stream(), span));
                group.set_span(span);
                return TokenTree::Group(group);
            }
            token.set_span(span);
            token
        })
        .collect()
}
