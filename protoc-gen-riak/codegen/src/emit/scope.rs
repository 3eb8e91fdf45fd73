//! Name resolution inside one emitted module: which names are imported, and which
//! are written as full paths because the schema uses the name itself.
//!
//! Invariant: a path that a scope returns resolves to the intended item, whatever
//! names the schema uses, and every import is used.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use crate::model::RustPath;

/// The names of one module that is being emitted.
pub(super) struct Scope<'s> {
    /// The path of the module below the root.
    module: &'s [String],
    /// The names that the module itself declares.
    declared: BTreeSet<String>,
    /// Whether the surrounding code may shadow names of the prelude.
    hygienic: bool,
    /// The path of the runtime.
    runtime: &'s str,
    /// The imports, by imported name.
    imports: RefCell<BTreeMap<String, Import>>,
    /// The traits of `wire` that are imported only for their methods.
    traits: RefCell<BTreeSet<&'static str>>,
    /// The feature that gates the items currently being emitted.
    feature: RefCell<Option<String>>,
}

/// The source of an imported name, and the features that gate its uses.
struct Import {
    /// The module, such as `::riak_runtime::operation` or `super::riak_kv`.
    from: String,
    /// The features that gate uses of the name; the empty string stands for an
    /// ungated use.
    features: BTreeSet<String>,
}

impl<'s> Scope<'s> {
    pub(super) fn new(module: &'s [String], runtime: &'s str) -> Self {
        Self {
            module,
            declared: BTreeSet::new(),
            hygienic: false,
            runtime,
            imports: RefCell::default(),
            traits: RefCell::default(),
            feature: RefCell::default(),
        }
    }

    /// Creates the scope of a block inside user code, where any name may be shadowed.
    pub(super) fn in_block(runtime: &'s str) -> Self {
        Self { hygienic: true, ..Self::new(&[], runtime) }
    }

    /// Records that the module declares `name`.
    pub(super) fn declare(&mut self, name: &str) {
        self.declared.insert(name.to_owned());
    }

    /// Runs `emit` for items gated by `feature`, so that imports that only they use
    /// are gated as well.
    pub(super) fn behind_feature<T>(&self, feature: Option<&str>, emit: impl FnOnce() -> T) -> T {
        let before = self.feature.replace(feature.map(ToOwned::to_owned));
        let result = emit();
        self.feature.replace(before);
        result
    }

    /// Returns the path of an item of the standard prelude.
    pub(super) fn prelude(&self, name: &str) -> TokenStream {
        if !self.declared.contains(name) && !self.hygienic {
            return path(name);
        }
        let full = match name {
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
        };
        match full.rsplit_once("::") {
            Some((from, _)) if self.hygienic => self.import_name(from.to_owned(), name),
            _ => path(full),
        }
    }

    /// Returns the path of an item in the runtime's root, such as `Blob`.
    pub(super) fn runtime(&self, name: &'static str) -> TokenStream {
        self.item("", name)
    }

    /// Returns the path of an item in a module of the runtime, such as
    /// `operation::Mode`.
    pub(super) fn item(&self, module: &'static str, name: &'static str) -> TokenStream {
        let from = match module {
            "" => self.runtime.to_owned(),
            module => format!("{}::{module}", self.runtime),
        };
        self.import(from, name)
    }

    /// Imports an item and returns its name, or returns its full path if the name is
    /// taken or in the prelude.
    fn import(&self, from: String, name: &str) -> TokenStream {
        if is_prelude(name) {
            let (from, name) = (path(&from), path(name));
            return quote!(#from::#name);
        }
        self.import_name(from, name)
    }

    fn import_name(&self, from: String, name: &str) -> TokenStream {
        let mut imports = self.imports.borrow_mut();
        let taken = imports.get(name).is_some_and(|import| import.from != from);
        if taken || self.declared.contains(name) {
            let (from, name) = (path(&from), path(name));
            return quote!(#from::#name);
        }
        let feature = self.feature.borrow().clone().unwrap_or_default();
        let import =
            imports.entry(name.to_owned()).or_insert_with(|| Import { from, features: BTreeSet::new() });
        import.features.insert(feature);
        path(name)
    }

    /// Returns the path of an item in the runtime's module `wire`, qualified with
    /// `wire::`.
    pub(super) fn wire(&self, name: &str) -> TokenStream {
        let wire = self.runtime("wire");
        let name = path(name);
        quote!(#wire::#name)
    }

    /// Returns the path of an item of the standard library outside the prelude.
    pub(super) fn std(&self, module: &str, name: &str) -> TokenStream {
        self.import(module.to_owned(), name)
    }

    /// Imports a trait of `wire` for its methods.
    pub(super) fn use_trait(&self, name: &'static str) {
        self.traits.borrow_mut().insert(name);
    }

    /// Returns the path of a type, relative to this module.
    pub(super) fn type_path(&self, target: &RustPath) -> TokenStream {
        self.sibling_path(target, &target.name)
    }

    /// Returns the path of the item called `name` in the module of `target`. An item
    /// of another file is imported.
    pub(super) fn sibling_path(&self, target: &RustPath, name: &str) -> TokenStream {
        if let Some(root) = &target.root {
            let from: Vec<&str> =
                std::iter::once(root.as_str()).chain(target.module.iter().map(String::as_str)).collect();
            return self.import(from.join("::"), name);
        }
        let (ups, downs) = self.steps(&target.module);
        if ups > 0 && downs.len() == 1 {
            let from = format!("{}{}", "super::".repeat(ups), downs[0]);
            return self.import(from, name);
        }
        let (modules, name) = (self.relative(&target.module), ident(name));
        quote!(#modules #name)
    }

    /// Returns how many modules to go up, and which modules then to go down, to get
    /// from this module to `target`.
    fn steps<'t>(&self, target: &'t [String]) -> (usize, &'t [String]) {
        let common = self.module.iter().zip(target).take_while(|(here, there)| here == there).count();
        (self.module.len() - common, &target[common..])
    }

    /// Returns the path of a module relative to this one, with a trailing `::`.
    pub(super) fn relative(&self, target: &[String]) -> TokenStream {
        let (ups, downs) = self.steps(target);
        let ups = std::iter::repeat_n(quote!(super::), ups);
        let downs = downs.iter().map(|module| {
            let module = ident(module);
            quote!(#module::)
        });
        quote!(#(#ups)* #(#downs)*)
    }

    /// Emits the `use` statements that the emitted items need.
    pub(super) fn imports(&self) -> TokenStream {
        // One statement for each set of features: a build without them must not have
        // unused imports.
        let mut groups: BTreeMap<(BTreeSet<String>, String), Vec<String>> = BTreeMap::new();
        for (name, import) in self.imports.borrow().iter() {
            let everywhere = import.features.contains("");
            let features = if everywhere { BTreeSet::new() } else { import.features.clone() };
            groups.entry((features, import.from.clone())).or_default().push(name.clone());
        }
        let traits = self.traits.borrow();
        if !traits.is_empty() {
            let wire = (BTreeSet::new(), format!("{}::wire", self.runtime));
            groups.entry(wire).or_default().extend(traits.iter().map(|name| format!("{name} as _")));
        }
        let mut statements = TokenStream::new();
        for ((features, from), names) in groups {
            let gate = match features.len() {
                0 => TokenStream::new(),
                1 => quote!(#[cfg(#(feature = #features)*)]),
                _ => quote!(#[cfg(any(#(feature = #features),*))]),
            };
            let from = path(&from);
            let names = names.iter().map(|name| match name.strip_suffix(" as _") {
                Some(name) => {
                    let name = path(name);
                    quote!(#name as _)
                }
                None => path(name),
            });
            statements.extend(quote!(#gate use #from::{#(#names),*};));
        }
        statements
    }
}

/// Reports whether a name is in the prelude, so that an import would shadow it.
fn is_prelude(name: &str) -> bool {
    matches!(
        name,
        "Option"
            | "Some"
            | "None"
            | "Result"
            | "Ok"
            | "Err"
            | "Default"
            | "Into"
            | "TryFrom"
            | "From"
            | "Send"
            | "Sync"
            | "Box"
            | "String"
            | "Vec"
            | "Self"
            | "Clone"
            | "Copy"
            | "Debug"
            | "PartialEq"
    )
}

/// Makes an identifier, which is raw if `name` begins with `r#`.
pub(super) fn ident(name: &str) -> Ident {
    match name.strip_prefix("r#") {
        Some(name) => Ident::new_raw(name, Span::call_site()),
        None => Ident::new(name, Span::call_site()),
    }
}

/// Parses a path of identifiers, such as `::riak_runtime` or `crate::gen`.
pub(super) fn path(text: &str) -> TokenStream {
    let (leading, rest) = match text.strip_prefix("::") {
        Some(rest) => (quote!(::), rest),
        None => (TokenStream::new(), text),
    };
    let segments = rest.split("::").map(ident);
    quote!(#leading #(#segments)::*)
}
