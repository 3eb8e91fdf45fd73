//! `#[derive(RiakMessage)]`: makes hand-written Rust types protobuf messages of Riak's
//! protocol, with the same codec as generated messages.
//!
//! Do not depend on this crate directly: `riak-runtime` re-exports the derive with its
//! feature `derive`.
//!
//! ```toml
//! [dependencies]
//! riak-runtime = { version = "0.1", features = ["derive"] }
//! ```
//!
//! ```
//! use riak_runtime::{Decode, Message, RiakMessage};
//!
//! #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
//! #[riak(code = 232)]
//! struct Ping {
//!     #[riak(tag = 1)]
//!     count: u32,
//! }
//!
//! let bytes = Ping { count: 3 }.encode_to_vec();
//! assert_eq!(bytes, [8, 3]);
//! assert_eq!(Ping::decode(&bytes)?.count, 3);
//! # Ok::<(), riak_runtime::DecodeError>(())
//! ```
//!
//! [`macro@RiakMessage`] documents the types and attributes, each with an example. The
//! feature `schema`, enabled by that of `riak-runtime`, makes it possible to print
//! derived types as a `.proto` file.
//!
//! Invariant: the derive either reports all errors of a type, each at its span, or emits
//! code that compiles, as far as tokens can tell.

// From declarations to tokens: `attributes`, `targets` and `types` parse. `message`, `oneof`,
// `enumeration`, `frames` and `operation` fill the model of `riak-codegen`, whose emitter
// emits the impls. `forms` emits the comparison of the two forms of a message, and
// `schema` the description of the model as data, with the feature `schema`.
mod attributes;
mod context;
mod enumeration;
mod errors;
mod field;
mod foreign;
mod forms;
mod frames;
#[cfg(test)]
mod golden;
mod message;
mod names;
mod numbers;
mod oneof;
mod operation;
mod placeholders;
mod requirements;
mod schema;
mod targets;
mod types;

use proc_macro2::TokenStream;
use syn::{Data, DeriveInput};

use crate::attributes::Attributes;
use crate::context::Context;
use crate::errors::Errors;

#[doc = include_str!("docs.md")]
#[proc_macro_derive(RiakMessage, attributes(riak))]
pub fn riak_message(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    match syn::parse(input) {
        Ok(input) => derive(&input, cfg!(feature = "schema")).into(),
        Err(error) => error.to_compile_error().into(),
    }
}

/// Emits the impls of a type. With `described`, they include its schema description.
fn derive(input: &DeriveInput, described: bool) -> TokenStream {
    let mut errors = Errors::default();
    let attributes = Attributes::read(&input.attrs, &mut errors);
    let runtime = attributes.get("crate").and_then(|entry| {
        let path = errors.handle(entry.path("crate = \"path::to::riak_runtime\""))?;
        Some(quote::ToTokens::to_token_stream(&path).to_string().replace(' ', ""))
    });
    let runtime = runtime.unwrap_or_else(|| "::riak_runtime".to_owned());
    let context = Context { input, attributes: &attributes, runtime, described };
    let kinds = ["enum", "oneof", "frames"];
    let kind: Vec<&str> = kinds.into_iter().filter(|kind| attributes.flag(kind, &mut errors)).collect();
    match (&input.data, kind.as_slice()) {
        (Data::Struct(data), []) => message::derive(&context, &data.fields, &mut errors),
        (Data::Enum(data), ["enum"]) => enumeration::derive(&context, data, &mut errors),
        (Data::Enum(data), ["oneof"]) => oneof::derive(&context, data, &mut errors),
        (Data::Enum(data), ["frames"]) => frames::derive(&context, data, &mut errors),
        (Data::Struct(_), [kind, ..]) => {
            let text = format!("`{kind}` is for enums: a struct is a message without it");
            errors.at(&attributes.get(kind), text);
            errors.tokens().unwrap_or_default()
        }
        (Data::Enum(_), _) => {
            let text = "say what the enum is: `#[riak(enum)]` for one of protobuf, `#[riak(oneof)]` for fields of \
                        which one is set, `#[riak(frames)]` for a set of messages with codes";
            errors.at(&input.ident, text);
            errors.tokens().unwrap_or_default()
        }
        (Data::Union(_), _) => {
            errors.at(
                &input.ident,
                "a union cannot be read safely: write a struct, or a `#[riak(oneof)]` enum",
            );
            errors.tokens().unwrap_or_default()
        }
    }
}
