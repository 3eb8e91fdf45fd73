//! The attributes `#[riak(…)]`, parsed into names and values.
//!
//! Invariant: a name that its target does not take, or that occurs twice, is an error;
//! for an unknown name, the error suggests or lists the known ones.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use riak_codegen::suggest::nearest;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, Ident, LitInt, LitStr, Token, Variant};

use crate::errors::Errors;
use crate::names::is_name;
use crate::targets::{Target, WIRE_TYPES};

/// One entry of `#[riak(…)]`.
pub(crate) struct Entry {
    pub(crate) name: Ident,
    value: Value,
}

/// The value of an entry.
enum Value {
    /// None, as in `name`.
    None,
    /// The tokens after the equals sign, as in `name = value`.
    Assigned(TokenStream),
    /// The tokens in parentheses, as in `name(values)`.
    List(TokenStream),
}

impl ToTokens for Entry {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.name.to_tokens(tokens);
        match &self.value {
            Value::None => {}
            Value::Assigned(value) | Value::List(value) => value.to_tokens(tokens),
        }
    }
}

/// All entries of one item.
#[derive(Default)]
pub(crate) struct Attributes(Vec<Entry>);

impl Attributes {
    /// Parses the entries of all `#[riak(…)]` attributes.
    pub(crate) fn read(attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut entries: Vec<Entry> = Vec::new();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("riak")) {
            let Some(list) = errors.handle(attribute.meta.require_list()) else { continue };
            let parsed = errors.handle(parse_entries.parse2(list.tokens.clone())).unwrap_or_default();
            for entry in parsed {
                if entries.iter().any(|other| other.name == entry.name) {
                    let text = format!("`{}` is given twice: remove one of the two", entry.name);
                    errors.at(&entry.name, text);
                } else {
                    entries.push(entry);
                }
            }
        }
        Self(entries)
    }

    /// Records an error for each entry that this target does not take.
    pub(crate) fn check(&self, target: Target, errors: &mut Errors) {
        for entry in &self.0 {
            let name = entry.name.to_string();
            if target.takes(&name) {
                continue;
            }
            let known = || target.names().chain(target.wire_types().iter().copied());
            if known().any(|known| known == name) {
                errors.at(entry, target.misplaced(&name));
            } else {
                errors.at(&entry.name, unknown_attribute(target, &name, known()));
            }
        }
    }

    /// Records an error for each entry at the field of a variant. The derive reads the
    /// attributes of the variant instead.
    pub(crate) fn check_inner(variant: &Variant, errors: &mut Errors) {
        for field in &variant.fields {
            for entry in Self::read(&field.attrs, errors).0 {
                let text = format!(
                    "attributes are written before a variant: move `{}` before `{}`",
                    entry.name, variant.ident
                );
                errors.at(&entry, text);
            }
        }
    }

    /// Returns the entry with this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.name == name)
    }

    /// Returns the span of the entry with this name.
    pub(crate) fn span(&self, name: &str) -> Option<Span> {
        self.get(name).map(|entry| entry.name.span())
    }

    /// Reports whether there is an entry with this name. Records an error if it has a
    /// value.
    pub(crate) fn flag(&self, name: &str, errors: &mut Errors) -> bool {
        let Some(entry) = self.get(name) else { return false };
        if !matches!(entry.value, Value::None) {
            errors.at(entry, format!("`{name}` does not take a value: write `{name}`"));
        }
        true
    }

    /// Returns the wire type among the entries, with its span. Records an error if
    /// there are two.
    pub(crate) fn wire_type(&self, errors: &mut Errors) -> Option<(&'static str, Span)> {
        let mut found = None;
        for name in WIRE_TYPES {
            if self.flag(name, errors) {
                let span = self.get(name).map_or_else(Span::call_site, |entry| entry.name.span());
                match found {
                    Some((other, _)) => errors
                        .at_span(span, format!("the wire type is already `{other}`: remove one of the two")),
                    None => found = Some((*name, span)),
                }
            }
        }
        found
    }
}

impl Entry {
    /// Parses the value after `=` with `parse`. `example` is the correct syntax, for
    /// the error message.
    fn value<T>(
        &self,
        example: &str,
        parse: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
    ) -> syn::Result<T> {
        let wrong = || syn::Error::new_spanned(self, format!("this is written `{example}`"));
        match &self.value {
            Value::Assigned(value) => parse.parse2(value.clone()).map_err(|_| wrong()),
            _ => Err(wrong()),
        }
    }

    /// Returns the span of the value, or of the name if there is none.
    pub(crate) fn value_span(&self) -> Span {
        let tokens = match &self.value {
            Value::None => None,
            Value::Assigned(value) | Value::List(value) => value.clone().into_iter().next(),
        };
        tokens.map_or_else(|| self.name.span(), |token| token.span())
    }

    /// Parses the value as a number.
    pub(crate) fn number<N: std::str::FromStr>(&self, example: &str) -> syn::Result<N>
    where
        N::Err: std::fmt::Display,
    {
        let literal: LitInt = self.value(example, LitInt::parse)?;
        literal.base10_parse().map_err(|error| {
            syn::Error::new_spanned(&literal, format!("{literal}: {error}; this is written `{example}`"))
        })
    }

    /// Parses the value as a message code. The example is a code that Riak leaves free.
    pub(crate) fn code(&self) -> syn::Result<u8> {
        let literal: LitInt = self.value("code = 232", LitInt::parse)?;
        literal.base10_parse().map_err(|_| {
            syn::Error::new_spanned(
                &literal,
                "a code is one byte, 0 to 255, of which Riak leaves 232 to 252 free",
            )
        })
    }

    /// Parses the value as a string.
    pub(crate) fn string(&self, example: &str) -> syn::Result<LitStr> {
        self.value(example, <LitStr as Parse>::parse)
    }

    /// Parses the value as a protobuf name. The name of a type may have a package.
    pub(crate) fn name(&self, example: &str, of_type: bool) -> syn::Result<String> {
        let literal = self.string(example)?;
        let name = literal.value();
        let mut parts = name.split('.');
        if parts.clone().all(is_name) && (of_type || parts.nth(1).is_none()) {
            return Ok(name);
        }
        let text = format!(
            "a name has letters, digits and underscores, and begins with no digit: write `{example}`"
        );
        Err(syn::Error::new_spanned(literal, text))
    }

    /// Parses the value as a path, plain or quoted: `crate::wire` or `"crate::wire"`.
    pub(crate) fn path(&self, example: &str) -> syn::Result<syn::Path> {
        self.value(example, |input| {
            if input.peek(LitStr) {
                input.parse::<LitStr>()?.parse_with(syn::Path::parse_mod_style)
            } else {
                input.call(syn::Path::parse_mod_style)
            }
        })
    }

    /// Parses the value as a type, plain or quoted.
    pub(crate) fn ty(&self, example: &str) -> syn::Result<syn::Type> {
        self.value(
            example,
            |input| {
                if input.peek(LitStr) { input.parse::<LitStr>()?.parse() } else { input.parse() }
            },
        )
    }

    /// A name, plain or in quotes.
    pub(crate) fn word(&self, example: &str) -> syn::Result<Ident> {
        self.value(example, |input| {
            if input.peek(LitStr) {
                input.parse::<LitStr>()?.parse_with(Ident::parse_any)
            } else {
                input.call(Ident::parse_any)
            }
        })
    }

    /// A literal of any kind, with a minus if it has one.
    pub(crate) fn literal(&self, example: &str) -> syn::Result<(bool, syn::Lit)> {
        self.value(example, |input| {
            let minus = input.parse::<Option<Token![-]>>()?.is_some();
            Ok((minus, input.parse()?))
        })
    }

    /// Parses the values in parentheses with `parse`.
    pub(crate) fn list<T>(
        &self,
        example: &str,
        parse: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
    ) -> syn::Result<T> {
        match &self.value {
            Value::List(values) => parse.parse2(values.clone()),
            _ => Err(syn::Error::new_spanned(self, format!("this is written `{example}`"))),
        }
    }
}

/// Returns the error for an attribute that nothing of the target's kind takes.
fn unknown_attribute(target: Target, name: &str, known: impl Iterator<Item = &'static str>) -> String {
    let has_wire_types = !target.wire_types().is_empty();
    if has_wire_types && matches!(name, "required" | "optional" | "repeated") {
        return format!(
            "unknown attribute `{name}`: the field's type says so; write `T` for a required field, \
             `Option<T>` for an optional and `Vec<T>` for a repeated one"
        );
    }
    if let Some(close) = nearest(name, known) {
        return format!("unknown attribute `{name}`: did you mean `{close}`?");
    }
    if target == Target::Oneof && name == "borrowed" {
        return "unknown attribute `borrowed`: of the two forms of a oneof, only the one that borrows names the other; \
                write `owned = Foo` there"
            .to_owned();
    }
    let names: Vec<&str> = target.names().collect();
    if names.is_empty() {
        return format!("unknown attribute `{name}`: {} takes none", target.name());
    }
    let wire_types = if has_wire_types { ", and the wire types" } else { "" };
    format!("unknown attribute `{name}`: {} takes `{}`{wire_types}", target.name(), names.join("`, `"))
}

fn parse_entries(input: ParseStream<'_>) -> syn::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    while !input.is_empty() {
        if !input.peek(Ident::peek_any) {
            return Err(input.error("an attribute is a name, and often a value: write it as in `tag = 3`"));
        }
        let name = input.call(Ident::parse_any)?;
        let value = if input.parse::<Option<Token![=]>>()?.is_some() {
            let mut value = TokenStream::new();
            while !input.is_empty() && !input.peek(Token![,]) {
                value.extend([input.parse::<TokenTree>()?]);
            }
            Value::Assigned(value)
        } else if input.peek(syn::token::Paren) {
            let content;
            syn::parenthesized!(content in input);
            Value::List(content.parse()?)
        } else {
            Value::None
        };
        entries.push(Entry { name, value });
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(entries)
}
