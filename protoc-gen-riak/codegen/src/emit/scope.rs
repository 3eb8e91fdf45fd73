//! Names inside one emitted module: what is imported, what has to be spelled
//! out because the schema uses the name itself.
//!
//! Invariant: a name that a scope gives means the same whatever the schema
//! calls its types and modules, and each import is used.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use crate::model::RustPath;

/// The names of one module that is being emitted.
pub(super) struct Scope<'s> {
    /// The module's path below the root.
    module: &'s [String],
    /// Types and modules that the schema declares in it.
    declared: BTreeSet<String>,
    /// The runtime's path.
    runtime: &'s str,
    /// Imports of the runtime: by parent module, then name.
    imports: RefCell<BTreeMap<&'static str, BTreeSet<&'static str>>>,
    /// Traits that are only needed for their methods.
    traits: RefCell<BTreeSet<&'static str>>,
    /// Features that one use of each import is behind, if all of them are.
    gated: RefCell<BTreeMap<(&'static str, &'static str), BTreeSet<String>>>,
    /// The feature that what is emitted now is behind.
    feature: RefCell<Option<String>>,
}

impl<'s> Scope<'s> {
    pub(super) fn new(module: &'s [String], runtime: &'s str) -> Self {
        Self {
            module,
            declared: BTreeSet::new(),
            runtime,
            imports: RefCell::default(),
            traits: RefCell::default(),
            gated: RefCell::default(),
            feature: RefCell::default(),
        }
    }

    /// Says that the module declares this name.
    pub(super) fn declare(&mut self, name: &str) {
        self.declared.insert(name.to_owned());
    }

    /// Runs `emit` for items that are behind `feature`, so that what only they
    /// import is behind it too.
    pub(super) fn behind<T>(&self, feature: Option<&str>, emit: impl FnOnce() -> T) -> T {
        let before = self.feature.replace(feature.map(ToOwned::to_owned));
        let result = emit();
        self.feature.replace(before);
        result
    }

    /// A type of the standard prelude.
    pub(super) fn prelude(&self, name: &str) -> TokenStream {
        if !self.declared.contains(name) {
            return path(name);
        }
        path(match name {
            "Option" => "::core::option::Option",
            "Some" => "::core::option::Option::Some",
            "None" => "::core::option::Option::None",
            "Result" => "::core::result::Result",
            "Ok" => "::core::result::Result::Ok",
            "Err" => "::core::result::Result::Err",
            "Default" => "::core::default::Default",
            "Into" => "::core::convert::Into",
            "TryFrom" => "::core::convert::TryFrom",
            "From" => "::core::convert::From",
            "Send" => "::core::marker::Send",
            "Sync" => "::core::marker::Sync",
            "Box" => "::std::boxed::Box",
            "String" => "::std::string::String",
            "Vec" => "::std::vec::Vec",
            other => unreachable!("{other} is not used by generated code"),
        })
    }

    /// An item of the runtime's root, such as `Blob`.
    pub(super) fn runtime(&self, name: &'static str) -> TokenStream {
        self.item("", name)
    }

    /// An item of one of the runtime's modules, such as `operation::Mode`.
    pub(super) fn item(&self, module: &'static str, name: &'static str) -> TokenStream {
        if self.declared.contains(name) || self.clashes(module, name) {
            let runtime = path(self.runtime);
            let name = path(name);
            if module.is_empty() {
                return quote!(#runtime::#name);
            }
            let module = path(module);
            return quote!(#runtime::#module::#name);
        }
        self.imports.borrow_mut().entry(module).or_default().insert(name);
        let feature = self.feature.borrow().clone().unwrap_or_default();
        self.gated.borrow_mut().entry((module, name)).or_default().insert(feature);
        path(name)
    }

    /// Whether another module's item of this name is imported already.
    fn clashes(&self, module: &str, name: &str) -> bool {
        self.imports.borrow().iter().any(|(other, names)| *other != module && names.contains(name))
    }

    /// An item of the runtime's `wire` module, qualified by it.
    pub(super) fn wire(&self, name: &str) -> TokenStream {
        let wire = self.runtime("wire");
        let name = path(name);
        quote!(#wire::#name)
    }

    /// Brings a trait of `wire` into scope for its methods.
    pub(super) fn use_trait(&self, name: &'static str) {
        self.traits.borrow_mut().insert(name);
    }

    /// The path of a type from here.
    pub(super) fn type_path(&self, target: &RustPath) -> TokenStream {
        self.sibling_path(target, &target.name)
    }

    /// The path, from here, of what stands beside `target` as `name`.
    pub(super) fn sibling_path(&self, target: &RustPath, name: &str) -> TokenStream {
        let name = ident(name);
        if let Some(root) = &target.root {
            let root = path(root);
            let modules = target.module.iter().map(|module| ident(module));
            return quote!(#root #(::#modules)* ::#name);
        }
        let modules = self.relative(&target.module);
        quote!(#modules #name)
    }

    /// The path of a module from here, with `::` behind it.
    pub(super) fn relative(&self, target: &[String]) -> TokenStream {
        let common = self.module.iter().zip(target).take_while(|(here, there)| here == there).count();
        let ups = self.module[common..].iter().map(|_| quote!(super::));
        let downs = target[common..].iter().map(|module| {
            let module = ident(module);
            quote!(#module::)
        });
        quote!(#(#ups)* #(#downs)*)
    }

    /// The `use` statements that the emitted items need.
    pub(super) fn imports(&self) -> TokenStream {
        let runtime = path(self.runtime);
        let imports = self.imports.borrow();
        let gated = self.gated.borrow();
        let mut statements = TokenStream::new();
        // One statement for each set of features, so that nothing is imported
        // that a build without them does not use.
        let mut by_feature: BTreeMap<BTreeSet<String>, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
        for (module, names) in imports.iter() {
            for name in names {
                let mut features = gated[&(*module, *name)].clone();
                if features.contains("") {
                    features.clear();
                }
                by_feature.entry(features).or_default().entry(module).or_default().push(name);
            }
        }
        for (features, modules) in by_feature {
            let gate = match features.len() {
                0 => TokenStream::new(),
                1 => quote!(#[cfg(#(feature = #features)*)]),
                _ => quote!(#[cfg(any(#(feature = #features),*))]),
            };
            for (module, names) in modules {
                let names = names.iter().map(|name| path(name));
                let module = if module.is_empty() {
                    TokenStream::new()
                } else {
                    let module = path(module);
                    quote!(#module::)
                };
                statements.extend(quote!(#gate use #runtime::#module{#(#names),*};));
            }
        }
        let traits = self.traits.borrow();
        if !traits.is_empty() {
            let traits = traits.iter().map(|name| path(name));
            statements.extend(quote!(use #runtime::wire::{#(#traits as _),*};));
        }
        statements
    }
}

/// An identifier, raw where its name says so.
pub(super) fn ident(name: &str) -> Ident {
    match name.strip_prefix("r#") {
        Some(name) => Ident::new_raw(name, Span::call_site()),
        None => Ident::new(name, Span::call_site()),
    }
}

/// A path of identifiers, such as `::riak_runtime` or `crate::gen`.
pub(super) fn path(text: &str) -> TokenStream {
    let (leading, rest) = match text.strip_prefix("::") {
        Some(rest) => (quote!(::), rest),
        None => (TokenStream::new(), text),
    };
    let segments = rest.split("::").map(ident);
    quote!(#leading #(#segments)::*)
}
