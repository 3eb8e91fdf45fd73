//! The root module: declares the others, and ties the text to its runtime.
//!
//! Invariant: module declarations follow the directories that the modules'
//! files lie in, so that `include!` of the root finds them.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::docs::line;
use super::scope::{ident, path};
use super::{Emitter, Module};
use crate::model::Mode;

/// The version of the interface to the runtime that this emitter writes for:
/// the runtime's `GENERATED_CODE_VERSION`.
const VERSION: u32 = 1;

/// A tree of modules.
#[derive(Default)]
struct Tree {
    children: BTreeMap<String, Tree>,
    /// The schema file, for a module with a file of its own.
    source: Option<String>,
    /// Whether a method's name has two underscores one behind the other.
    unusual: bool,
}

impl Emitter<'_> {
    /// The root module.
    pub(super) fn root(&self) -> Module {
        let modules = modules(&self.tree());
        let tables = self.has_frames().then(|| {
            quote! {
                #[allow(clippy::all, clippy::pedantic, dead_code, deprecated, unreachable_pub)]
                mod any_message;
                #[allow(clippy::all, clippy::pedantic, dead_code, unreachable_pub)]
                mod message_code;
            }
        });
        let exports = self.has_frames().then(|| {
            quote! {
                #[allow(unreachable_pub, unused_imports)]
                pub use any_message::AnyMessage;
                #[allow(unreachable_pub, unused_imports)]
                pub use message_code::MessageCode;
            }
        });
        let runtime = path(&self.options.runtime);
        let version = Literal::u32_unsuffixed(VERSION);
        let text = "this code was generated for another version of riak-runtime: \
                    use the same version of protoc-gen-riak and riak-runtime, and generate it again";
        Module {
            path: Vec::new(),
            source: None,
            tokens: quote! {
                #modules
                #tables
                #exports
                const _: () = ::core::assert!(#runtime::GENERATED_CODE_VERSION == #version, #text);
            },
        }
    }
}

impl Emitter<'_> {
    fn tree(&self) -> Tree {
        let mut tree = Tree::default();
        for file in self.schema.files.iter().filter(|file| file.emit) {
            let mut node = &mut tree;
            for segment in &file.module {
                node = node.children.entry(segment.clone()).or_default();
            }
            node.source = Some(file.name.clone());
            // One that another name made end in an underscore gets a suffix.
            node.unusual = file.services.iter().flat_map(|service| &service.operations).any(|operation| {
                let several = matches!(operation.mode, Mode::Conditional { .. });
                (several || !operation.alternatives.is_empty()) && operation.rust_name.ends_with('_')
            });
        }
        tree
    }

    /// The names of the modules below that of a file.
    pub(super) fn names_below(&self, module: &[String]) -> BTreeSet<String> {
        let files = self.schema.files.iter().filter(|file| file.emit);
        files.filter_map(|file| file.module.strip_prefix(module)?.first().cloned()).collect()
    }

    /// Declares the modules below that of a file: `a.proto` beside `a/b.proto`.
    pub(super) fn modules_below(&self, module: &[String]) -> TokenStream {
        let tree = self.tree();
        let node = module.iter().try_fold(&tree, |node, segment| node.children.get(segment));
        node.map(modules).unwrap_or_default()
    }
}

fn modules(tree: &Tree) -> TokenStream {
    tree.children
        .iter()
        .map(|(name, child)| {
            let name = ident(name);
            if let Some(source) = &child.source {
                let docs = line(&format!("Messages, enums and services of `{source}`."));
                // The schema's own comments and names are not for lints, and
                // nobody uses all of it.
                let unusual = child.unusual.then(|| quote!(#[allow(non_snake_case)]));
                return quote! {
                    #docs
                    #unusual
                    #[allow(clippy::all, clippy::pedantic, dead_code, deprecated, missing_docs, unreachable_pub)]
                    pub mod #name;
                };
            }
            let inner = modules(child);
            let docs = line("A package or directory of the schema.");
            quote!(#docs #[allow(unreachable_pub)] pub mod #name { #inner })
        })
        .collect()
}
