//! The declarations of hand-written types, whose members, generics and names the
//! user chooses.
//!
//! Invariant: an import never shadows a name that the declaration uses, and each
//! impl has the generics of the declaration.

use std::iter;

use proc_macro2::{Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::quote;

use super::Emitter;
use super::form::Form;
use super::scope::{Scope, path};
use crate::model::{Field, Message};

/// The parts of a hand-written declaration that a schema cannot express.
#[derive(Clone, Debug, Default)]
pub struct Declared {
    /// The lifetime of the borrowed data, such as `'a`; `None` if the type owns its
    /// data.
    pub lifetime: Option<TokenStream>,
    /// The generic parameters with their bounds, as written after `impl`.
    pub parameters: TokenStream,
    /// The generic arguments, as written after the type's name.
    pub arguments: TokenStream,
    /// The predicates of the `where` clause.
    pub predicates: Vec<TokenStream>,
    /// The types of nested messages that depend on a parameter and therefore need a
    /// bound.
    pub dependent: Vec<TokenStream>,
    /// The types that nested messages depend on and that the declaration itself
    /// bounds.
    pub bound: Vec<TokenStream>,
    /// The types of enum fields that depend on a parameter.
    pub enums: Vec<TokenStream>,
    /// Whether the declaration has type parameters.
    pub of_types: bool,
    /// All names that the declaration uses, including lifetimes.
    pub names: Vec<String>,
    /// The span of each field's declaration, in the order of [`Message::fields`].
    pub spans: Vec<Span>,
    /// The members that are not on the wire.
    pub skipped: Vec<String>,
    /// The span of the attribute that marks a field secret, if there is one.
    pub secret: Option<Span>,
    /// The other form of the same message.
    pub pairing: Pairing,
}

/// The other form of a hand-written message.
#[derive(Clone, Debug, Default)]
pub enum Pairing {
    /// There is no other form. A type that owns its data is its own borrowed form; a
    /// type that borrows has no owned form.
    #[default]
    Alone,
    /// The type owns its data, and this type, given without its lifetime, borrows.
    Borrowed(TokenStream),
    /// The type borrows, and this type owns its data.
    Owned(TokenStream),
}

/// The header of an impl: `impl<generics> Trait for name bounds`.
pub(super) struct ImplHeader {
    pub(super) generics: TokenStream,
    pub(super) name: TokenStream,
    /// The `where` clause, if any.
    pub(super) bounds: TokenStream,
    /// The lifetime of the decoded input.
    pub(super) lifetime: TokenStream,
}

impl Declared {
    /// Returns the form that the type is emitted as.
    pub(super) fn form(&self) -> Form {
        if self.lifetime.is_some() { Form::Borrowed } else { Form::Owned }
    }

    /// Reports whether the only generic parameter is a lifetime.
    pub(super) fn has_only_lifetime(&self) -> bool {
        let parameters = self.parameters.clone().into_iter().count();
        self.lifetime.is_some() && parameters == 2 && self.predicates.is_empty()
    }

    pub(super) fn is_generic(&self) -> bool {
        !self.parameters.is_empty()
    }

    /// Returns the `where` clause, with each dependent nested message bounded by
    /// `bound`.
    pub(super) fn bounds(&self, bound: &TokenStream, extra: &[TokenStream]) -> TokenStream {
        let own = &self.predicates;
        let dependent = self.dependent.iter().map(|ty| quote!(#ty: #bound));
        let all: Vec<TokenStream> =
            own.iter().cloned().chain(dependent).chain(extra.iter().cloned()).collect();
        if all.is_empty() { TokenStream::new() } else { quote!(where #(#all,)*) }
    }

    /// Returns the lifetime of the decoded input: the type's own, or one whose name
    /// the declaration does not use.
    fn input_lifetime(&self) -> TokenStream {
        if let Some(lifetime) = &self.lifetime {
            return lifetime.clone();
        }
        let mut names = iter::once("a".to_owned()).chain((1..).map(|count| format!("a{count}")));
        let name = names.find(|name| !self.names.contains(name)).unwrap_or_default();
        let mark = Punct::new('\'', Spacing::Joint);
        let name = Ident::new(&name, Span::call_site());
        quote!(#mark #name)
    }

    /// Moves a `Debug` impl to the span of the `secret` attribute, so that the
    /// compiler reports a conflicting `Debug` impl there.
    pub(super) fn at_secret_span(&self, debug: TokenStream) -> TokenStream {
        match self.secret {
            Some(span) => respan(debug, Span::call_site().located_at(span)),
            None => debug,
        }
    }

    pub(super) fn scope<'r>(&self, runtime: &'r str) -> Scope<'r> {
        let mut scope = Scope::in_block(runtime);
        self.names.iter().for_each(|name| scope.declare(name));
        scope
    }
}

impl Emitter<'_> {
    /// Returns the header of an impl that does not name the lifetime. The types that
    /// a hand-written type depends on are bounded by `bound`.
    pub(super) fn encoding_header(&self, message: &Message, form: Form, bound: &TokenStream) -> ImplHeader {
        let name = form.name(message);
        let Some(declared) = self.declared else {
            let anonymous = form.anonymous_lifetime();
            return ImplHeader {
                generics: TokenStream::new(),
                name: quote!(#name #anonymous),
                bounds: TokenStream::new(),
                lifetime: quote!('a),
            };
        };
        let (parameters, arguments) = (&declared.parameters, &declared.arguments);
        let (generics, name) = if declared.has_only_lifetime() {
            (TokenStream::new(), quote!(#name<'_>))
        } else if declared.is_generic() {
            (quote!(<#parameters>), quote!(#name<#arguments>))
        } else {
            (TokenStream::new(), quote!(#name))
        };
        ImplHeader {
            generics,
            name,
            bounds: declared.bounds(bound, &self.enum_bounds(declared)),
            lifetime: declared.input_lifetime(),
        }
    }

    /// Returns the generics, the name and the bounds of an impl that needs no bounds
    /// but those of the declaration.
    pub(super) fn plain_header(
        &self,
        message: &Message,
        form: Form,
    ) -> (TokenStream, TokenStream, TokenStream) {
        let ImplHeader { generics, name, .. } = self.encoding_header(message, form, &TokenStream::new());
        let own = self.declared.map(|declared| declared.predicates.as_slice()).unwrap_or_default();
        let bounds = if own.is_empty() { TokenStream::new() } else { quote!(where #(#own,)*) };
        (generics, name, bounds)
    }

    /// Returns the bounds that require dependent enum types to be enums.
    ///
    /// Scalar types cannot be bounded in the same way: the compiler would take a
    /// bound on a wire type's trait for the only impl of that trait.
    fn enum_bounds(&self, declared: &Declared) -> Vec<TokenStream> {
        let runtime = path(&self.options.runtime);
        declared.enums.iter().map(|ty| quote!(#ty: #runtime::wire::Enumeration)).collect()
    }

    /// Returns the header of a `Decode` impl.
    pub(super) fn decoding_header(&self, message: &Message, form: Form, decode: &TokenStream) -> ImplHeader {
        let name = form.name(message);
        let Some(declared) = self.declared else {
            let generics = form.generics();
            return ImplHeader {
                generics: quote!(<'a>),
                name: quote!(#name #generics),
                bounds: TokenStream::new(),
                lifetime: quote!('a),
            };
        };
        let (parameters, arguments) = (&declared.parameters, &declared.arguments);
        let lifetime = declared.input_lifetime();
        let own = declared.lifetime.is_some();
        let generics = if own { quote!(<#parameters>) } else { quote!(<#lifetime, #parameters>) };
        let name = if declared.is_generic() { quote!(#name<#arguments>) } else { quote!(#name) };
        let mut extra = self.enum_bounds(declared);
        // Decoding a message begins with its default. Decoding a oneof begins with
        // one of its variants.
        if declared.of_types && message.oneofs.is_empty() {
            extra.push(quote!(Self: ::core::default::Default));
        }
        let bounds = declared.bounds(&quote!(#decode<#lifetime>), &extra);
        ImplHeader { generics, name, bounds, lifetime }
    }

    /// Moves tokens to the span of a field's declaration, so that the compiler
    /// reports errors in the field's type there.
    pub(super) fn at_field_span(&self, message: &Message, field: &Field, tokens: TokenStream) -> TokenStream {
        let Some(declared) = self.declared else { return tokens };
        let index = message.fields.iter().position(|other| std::ptr::eq(other, field));
        match index.and_then(|index| declared.spans.get(index)) {
            // Names still resolve at the call site of the derive.
            Some(span) => respan(tokens, Span::call_site().located_at(*span)),
            None => tokens,
        }
    }
}

/// Sets the span of all tokens, including those inside groups.
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
