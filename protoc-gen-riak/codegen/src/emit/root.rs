//! The root module: declares the other modules and checks the runtime's version.
//!
//! Invariant: module declarations mirror the directories of the modules' files, so
//! that they are found when the root is used with `include!`.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::docs::line;
use super::scope::{ident, path};
use super::{Emitter, Module};
use crate::model::{File, Mode};

/// The version of the runtime's interface that the emitted code uses. Compared with
/// the runtime's `GENERATED_CODE_VERSION`.
const GENERATED_CODE_VERSION: u32 = 1;

/// A tree of modules.
#[derive(Default)]
struct ModuleTree {
    children: BTreeMap<String, ModuleTree>,
    /// The schema file that the module was made from; `None` for a directory.
    source: Option<String>,
    /// Whether some method's name contains two consecutive underscores.
    non_snake_case: bool,
}

impl Emitter<'_> {
    /// Emits the root module.
    pub(super) fn root(&self) -> Module {
        let modules = module_declarations(&tree(self.schema.files.iter().filter(|file| file.emit), 0));
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
        let version = Literal::u32_unsuffixed(GENERATED_CODE_VERSION);
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

/// Returns the tree of these files' modules. It starts `depth` segments below the root.
fn tree<'s>(files: impl Iterator<Item = &'s File>, depth: usize) -> ModuleTree {
    let mut tree = ModuleTree::default();
    for file in files {
        let mut node = &mut tree;
        for segment in file.module.iter().skip(depth) {
            node = node.children.entry(segment.clone()).or_default();
        }
        node.source = Some(file.name.clone());
        // A name that ends in an underscore, to avoid a collision, gets a suffix
        // that begins with an underscore.
        node.non_snake_case = file.services.iter().flat_map(|service| &service.operations).any(|operation| {
            let several = matches!(operation.mode, Mode::Conditional { .. });
            (several || !operation.alternatives.is_empty()) && operation.rust_name.ends_with('_')
        });
    }
    tree
}

impl<'s> Emitter<'s> {
    /// Returns the names of the modules directly below a file's module.
    pub(super) fn names_below(&self, module: &[String]) -> BTreeSet<String> {
        self.files_below(module).map(|file| file.module[module.len()].clone()).collect()
    }

    /// Emits the declarations of the modules below a file's module, which exist if
    /// there is, for example, both an `a.proto` and an `a/b.proto`.
    pub(super) fn modules_below(&self, module: &[String]) -> TokenStream {
        module_declarations(&tree(self.files_below(module), module.len()))
    }

    /// Returns the files whose modules are below that of another file.
    fn files_below(&self, module: &[String]) -> impl Iterator<Item = &'s File> {
        let depth = module.len();
        self.schema.files.iter().filter(move |file| {
            // This runs for each pair of files. Few have the same last segment, but most have the same
            // first ones, so the last one is compared first.
            file.emit
                && file.module.len() > depth
                && file.module[..depth].last() == module.last()
                && file.module.starts_with(module)
        })
    }
}

fn module_declarations(tree: &ModuleTree) -> TokenStream {
    tree.children
        .iter()
        .map(|(name, child)| {
            let name = ident(name);
            if let Some(source) = &child.source {
                let docs = line(&format!("Messages, enums and services of `{source}`."));
                // Comments and names come from the schema, so lints cannot be
                // satisfied, and no user needs all items.
                let non_snake_case = child.non_snake_case.then(|| quote!(#[allow(non_snake_case)]));
                return quote! {
                    #docs
                    #non_snake_case
                    #[allow(clippy::all, clippy::pedantic, dead_code, deprecated, missing_docs, unreachable_pub)]
                    pub mod #name;
                };
            }
            let inner = module_declarations(child);
            let docs = line("A package or directory of the schema.");
            quote!(#docs #[allow(unreachable_pub)] pub mod #name { #inner })
        })
        .collect()
}
