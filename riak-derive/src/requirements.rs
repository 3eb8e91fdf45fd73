//! The requirements that the fields of a type add to its impls: bounds, wire types of
//! foreign fields, placeholder enums with a known value, and assertions.
//!
//! Invariant: a type depends on a parameter of the declaration if, and only if, it
//! contains the parameter's name.

use std::collections::{BTreeSet, HashSet};

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident};
use riak_codegen::emit::Declared;
use riak_codegen::model::{Enum, EnumId, Field};
use syn::punctuated::Punctuated;
use syn::{DeriveInput, GenericParam, Generics, Ident, Token, TypeParamBound, WherePredicate};

use crate::errors::Errors;
use crate::foreign;
use crate::names::{all_names, first_span, type_names, without_lifetimes};
use crate::placeholders::placeholder_enum;
use crate::types::{Value, refers_to};

/// The requirements collected from the fields of a type.
pub(crate) struct Requirements {
    pub(crate) auto_tags: bool,
    pub(crate) in_oneof: bool,
    pub(crate) runtime: TokenStream,
    /// The name of the type itself.
    ident: Ident,
    /// The names of the type's generic parameters, including lifetimes.
    parameters: HashSet<String>,
    /// The types of nested messages that depend on parameters and need a bound.
    dependent: Vec<TokenStream>,
    /// The types that the declaration bounds by `Decode` or `Owned`.
    decodable: HashSet<String>,
    /// The const parameters, which need no bound.
    const_parameters: HashSet<String>,
    /// The types of `decodable` that nested messages depend on.
    bound: Vec<TokenStream>,
    /// The types of enum fields that depend on parameters.
    dependent_enums: Vec<TokenStream>,
    /// The wire types of foreign fields, and other items for the block of impls.
    pub(crate) items: TokenStream,
    foreign_count: usize,
    enums: Vec<Enum>,
}

impl Requirements {
    pub(crate) fn new(input: &DeriveInput, runtime: &TokenStream, auto_tags: bool) -> Self {
        let parameters = input.generics.params.iter().map(|parameter| match parameter {
            GenericParam::Type(ty) => ty.ident.to_string(),
            GenericParam::Const(constant) => constant.ident.to_string(),
            GenericParam::Lifetime(lifetime) => lifetime.lifetime.ident.to_string(),
        });
        Self {
            auto_tags,
            in_oneof: false,
            runtime: runtime.clone(),
            ident: input.ident.clone(),
            parameters: parameters.collect(),
            dependent: Vec::new(),
            decodable: decode_bounds(&input.generics),
            const_parameters: input
                .generics
                .const_params()
                .map(|constant| constant.ident.to_string())
                .collect(),
            bound: Vec::new(),
            dependent_enums: Vec::new(),
            items: TokenStream::new(),
            foreign_count: 0,
            enums: vec![placeholder_enum("Enum", "Value")],
        }
    }

    /// Records the type of a nested message, which may need a bound.
    ///
    /// A type that refers to the derived type gets no bound: the impl would be a
    /// precondition of itself, and the compiler's search for it would never end. A type
    /// whose parameters are all bounded by the declaration gets none either: a second
    /// bound would make the compiler's choice ambiguous.
    pub(crate) fn add_message(&mut self, value: &Value<'_>) {
        let ty = value.ty.to_token_stream();
        let names = self.parameters_in(value.ty);
        if refers_to(value.ty, &self.ident) || names.iter().all(|name| self.const_parameters.contains(name)) {
            return;
        }
        let known = |name: &String| self.decodable.contains(name) || self.const_parameters.contains(name);
        if self.decodable.contains(&ty.to_string()) {
            self.bound.push(ty);
        } else if names.iter().all(known) {
            let types = names.iter().filter(|name| self.decodable.contains(*name));
            self.bound.extend(types.map(|name| format_ident!("{name}").to_token_stream()));
        } else {
            self.dependent.push(ty);
        }
    }

    /// Records the type of an enum field, which may need a bound.
    pub(crate) fn add_enum(&mut self, value: &Value<'_>) {
        if self.is_dependent(value.ty) {
            self.dependent_enums.push(value.ty.to_token_stream());
        }
    }

    /// Returns the parameters that occur in a type, without lifetimes, which need no
    /// bound.
    fn parameters_in(&self, ty: &syn::Type) -> BTreeSet<String> {
        let mut names = HashSet::new();
        type_names(ty.to_token_stream(), &mut names);
        names.into_iter().filter(|name| self.parameters.contains(name)).collect()
    }

    fn is_dependent(&self, ty: &syn::Type) -> bool {
        !self.parameters_in(ty).is_empty()
    }

    /// Moves the types that depend on parameters to the declaration.
    pub(crate) fn move_bounds_to(&mut self, declared: &mut Declared) {
        declared.dependent = std::mem::take(&mut self.dependent);
        declared.bound = std::mem::take(&mut self.bound);
        declared.enums = std::mem::take(&mut self.dependent_enums);
    }

    pub(crate) fn take_enums(&mut self) -> Vec<Enum> {
        std::mem::take(&mut self.enums)
    }

    /// Adds the wire type of a foreign field and returns its name.
    pub(crate) fn add_foreign(
        &mut self,
        module: &syn::Path,
        field: &Field,
        ty: &syn::Type,
        errors: &mut Errors,
    ) -> Option<String> {
        let mut names = Vec::new();
        all_names(ty.to_token_stream(), &mut names);
        if names.iter().any(|name| self.parameters.contains(name)) {
            errors.at(ty, "a module converts one type: one that depends on no parameter of this type");
            return None;
        }
        let (name, items) = foreign::wire_type(&self.runtime, self.foreign_count, module, field, ty);
        self.foreign_count += 1;
        self.items.extend(items);
        Some(name.to_string())
    }

    /// Adds a placeholder enum of this type that has one known value.
    pub(crate) fn add_enum_value(&mut self, ty: &syn::Type, variant: &Ident) -> EnumId {
        let path = ty.to_token_stream().to_string().replace(' ', "");
        self.enums.push(placeholder_enum(&path, &variant.to_string()));
        EnumId(self.enums.len() - 1)
    }

    /// Adds an assertion that the oneof has the numbers listed in `tags(…)`.
    pub(crate) fn assert_oneof_numbers(
        &mut self,
        ty: &syn::Type,
        listed: &[u32],
        tags: &impl ToTokens,
        errors: &mut Errors,
    ) {
        if self.is_dependent(ty) {
            errors.at(ty, "a oneof depends on no type parameter: write the type that is meant");
            return;
        }
        let (runtime, ty) = (&self.runtime, without_lifetimes(ty.to_token_stream()));
        let listed = listed.iter().map(|number| proc_macro2::Literal::u32_unsuffixed(*number));
        let span = first_span(&tags.to_token_stream());
        self.items.extend(quote::quote_spanned! {span=>
            const _: () = ::core::assert!(
                #runtime::wire::has_numbers(<#ty as #runtime::wire::Oneof>::NUMBERS, &[#(#listed),*]),
                "`tags(…)` has to have the numbers of all variants of the oneof, and no others",
            );
        });
    }
}

/// Returns the types that a declaration bounds by `Decode` or `Owned`.
fn decode_bounds(generics: &Generics) -> HashSet<String> {
    let decodes = |bounds: &Punctuated<TypeParamBound, Token![+]>| {
        bounds.iter().any(|bound| match bound {
            TypeParamBound::Trait(bound) => {
                bound.path.segments.last().is_some_and(|last| last.ident == "Decode" || last.ident == "Owned")
            }
            _ => false,
        })
    };
    let parameters =
        generics.type_params().map(|parameter| (parameter.ident.to_token_stream(), &parameter.bounds));
    let clause = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let predicates = clause.filter_map(|predicate| match predicate {
        WherePredicate::Type(predicate) => Some((predicate.bounded_ty.to_token_stream(), &predicate.bounds)),
        _ => None,
    });
    let all = parameters.chain(predicates).filter(|(_, bounds)| decodes(bounds));
    all.map(|(ty, _)| ty.to_string()).collect()
}
