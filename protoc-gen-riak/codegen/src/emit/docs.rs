//! Schema comments as doc attributes.
//!
//! Invariant: each line becomes one `#[doc]`, which the printer turns into `///`.

use proc_macro2::TokenStream;
use quote::quote;

use crate::model::Docs;

/// Emits the doc attributes of a comment.
pub(super) fn docs(docs: &Docs) -> TokenStream {
    lines(docs.lines.iter().map(String::as_str))
}

/// Emits the doc attributes of a comment, or of `instead` if the comment is empty.
pub(super) fn docs_or(docs: &Docs, instead: &str) -> TokenStream {
    if docs.lines.is_empty() { line(instead) } else { self::docs(docs) }
}

/// Emits the doc attribute of one line.
pub(super) fn line(text: &str) -> TokenStream {
    lines(std::iter::once(text))
}

/// Emits the doc attributes of these lines.
pub(super) fn lines<'a>(lines: impl Iterator<Item = &'a str>) -> TokenStream {
    lines
        .map(|line| {
            // The space that follows `///` in hand-written comments.
            let line = if line.is_empty() { String::new() } else { format!(" {line}") };
            quote!(#[doc = #line])
        })
        .collect()
}

/// Emits the doc attributes of a text, wrapped into lines of up to [`WIDTH`] bytes.
pub(super) fn wrapped(text: &str) -> TokenStream {
    let mut wrapped: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match wrapped.last_mut() {
            Some(line) if line.len() + word.len() < WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => wrapped.push(word.to_owned()),
        }
    }
    lines(wrapped.iter().map(String::as_str))
}

/// The maximum length of a wrapped comment line.
const WIDTH: usize = 76;

/// Returns a rustdoc link to a type emitted in the same module. A name that is also
/// a derive macro needs `kind` to disambiguate the link.
pub(super) fn link(kind: &str, name: &str) -> String {
    const MACROS: [&str; 9] =
        ["Clone", "Copy", "Debug", "Default", "Eq", "Hash", "Ord", "PartialEq", "PartialOrd"];
    if MACROS.contains(&name) { format!("[`{name}`]({kind}@{name})") } else { format!("[`{name}`]") }
}

/// Formats a link to an item by `path`, the path by which the code beside the comment
/// names it. Rustdoc does not resolve raw identifiers, so an item whose path has one is
/// only named.
pub(super) fn link_to(name: &str, path: &TokenStream) -> String {
    let path: String = path.to_string().split_whitespace().collect();
    match path.as_str() {
        raw if raw.contains("r#") => format!("`{name}`"),
        short if short == name => link("struct", name),
        path => format!("[`{name}`]({path})"),
    }
}

/// Emits `#[deprecated]` if `deprecated` is set.
pub(super) fn deprecated(deprecated: bool) -> TokenStream {
    if deprecated { quote!(#[deprecated]) } else { TokenStream::new() }
}
