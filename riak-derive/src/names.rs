//! Names in token streams: which names a declaration uses, and types without lifetimes.
//!
//! Invariant: a lifetime is never taken for the name of a type.

use std::collections::HashSet;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};

/// Collects the identifiers in tokens, except those after `::`, which are resolved
/// relative to the path before.
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

/// Collects all identifiers in tokens, except those of lifetimes.
pub(crate) fn type_names(tokens: TokenStream, names: &mut HashSet<String>) {
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

/// Replaces the lifetimes in a type by `'_`.
pub(crate) fn without_lifetimes(tokens: TokenStream) -> TokenStream {
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

/// Reports whether a name has the shape of a protobuf identifier. Letters outside ASCII
/// are accepted, although schemas do not allow them.
pub(crate) fn is_name(name: &str) -> bool {
    let letters = |letter: char| letter.is_alphanumeric() || letter == '_';
    name.chars().all(letters) && !name.is_empty() && !name.starts_with(|first: char| first.is_ascii_digit())
}

/// Strips the angle brackets from generics.
pub(crate) fn without_brackets(tokens: TokenStream) -> TokenStream {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let inner = tokens.get(1..tokens.len().saturating_sub(1)).unwrap_or_default();
    inner.iter().cloned().collect()
}

/// Returns the span of the first token.
pub(crate) fn first_span(tokens: &TokenStream) -> Span {
    tokens.clone().into_iter().next().map_or_else(Span::call_site, |token| token.span())
}
