//! Comments of the schema as doc attributes.
//!
//! Invariant: a line becomes one `#[doc]`, which the printer turns into `///`.

use proc_macro2::TokenStream;
use quote::quote;

use crate::model::Docs;

/// The doc attributes of a comment.
pub(super) fn docs(docs: &Docs) -> TokenStream {
    lines(docs.lines.iter().map(String::as_str))
}

/// The doc attributes of a comment, or of `instead` if there is none.
pub(super) fn docs_or(docs: &Docs, instead: &str) -> TokenStream {
    if docs.lines.is_empty() { line(instead) } else { self::docs(docs) }
}

/// The doc attribute of one line.
pub(super) fn line(text: &str) -> TokenStream {
    lines(std::iter::once(text))
}

/// The doc attributes of these lines.
pub(super) fn lines<'a>(lines: impl Iterator<Item = &'a str>) -> TokenStream {
    lines
        .map(|line| {
            // A blank behind the slashes, as by hand.
            let line = if line.is_empty() { String::new() } else { format!(" {line}") };
            quote!(#[doc = #line])
        })
        .collect()
}

/// The doc attributes of a sentence or more, in lines that are easy to read.
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

/// How long a line of a comment gets.
const WIDTH: usize = 76;

/// A link to a type that is emitted in the same module. Some names are derive
/// macros as well.
pub(super) fn link(kind: &str, name: &str) -> String {
    const MACROS: [&str; 9] =
        ["Clone", "Copy", "Debug", "Default", "Eq", "Hash", "Ord", "PartialEq", "PartialOrd"];
    if MACROS.contains(&name) { format!("[`{name}`]({kind}@{name})") } else { format!("[`{name}`]") }
}

/// A link to an item, by the path that code beside the comment names it by. A raw
/// identifier is none that rustdoc looks up: such an item is only named.
pub(super) fn link_to(name: &str, path: &TokenStream) -> String {
    let path: String = path.to_string().split_whitespace().collect();
    match path.as_str() {
        raw if raw.contains("r#") => format!("`{name}`"),
        short if short == name => link("struct", name),
        path => format!("[`{name}`]({path})"),
    }
}

/// The attribute of what the schema marks deprecated.
pub(super) fn deprecated(deprecated: bool) -> TokenStream {
    if deprecated { quote!(#[deprecated]) } else { TokenStream::new() }
}
