//! What is found out on the way through the fields of a type: which of their
//! types need a bound, a wire type of their own, or a look at their values.
//!
//! Invariant: a type that depends on a parameter of the declaration is told
//! from others by the names that stand in it.

use std::collections::{BTreeSet, HashSet};

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident};
use riak_codegen::emit::Declared;
use riak_codegen::model::{Enum, EnumId, Field};
use syn::punctuated::Punctuated;
use syn::{DeriveInput, GenericParam, Generics, Ident, Token, TypeParamBound, WherePredicate};

use crate::faults::Faults;
use crate::foreign;
use crate::names::{all_names, first_span, type_names, without_lifetimes};
use crate::stand_ins::some_enum;
use crate::types::{Value, refers_to};

/// What is found out on the way through the fields.
pub(crate) struct Parts {
    pub(crate) auto_tags: bool,
    pub(crate) in_oneof: bool,
    pub(crate) runtime: TokenStream,
    /// The type's own name.
    own: Ident,
    /// Names of the type's generic parameters, lifetimes included.
    parameters: HashSet<String>,
    /// Types of messages that depend on them.
    dependent: Vec<TokenStream>,
    /// Types that the declaration itself says can be decoded.
    decoded: HashSet<String>,
    /// Parameters that are values, which all impls are for.
    constants: HashSet<String>,
    /// The types of `decoded` that messages inside depend on.
    bound: Vec<TokenStream>,
    /// Types of enums that do.
    dependent_enums: Vec<TokenStream>,
    /// Wire types of foreign fields.
    pub(crate) foreign: TokenStream,
    foreign_count: usize,
    enums: Vec<Enum>,
}

impl Parts {
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
            own: input.ident.clone(),
            parameters: parameters.collect(),
            dependent: Vec::new(),
            decoded: decoded(&input.generics),
            constants: input.generics.const_params().map(|constant| constant.ident.to_string()).collect(),
            bound: Vec::new(),
            dependent_enums: Vec::new(),
            foreign: TokenStream::new(),
            foreign_count: 0,
            enums: vec![some_enum("Enum", "Value")],
        }
    }

    /// Notes the type of a message inside, in case it needs a bound.
    ///
    /// The type itself needs none: its impl would be a precondition of itself,
    /// which the compiler never finishes looking for. What is made of
    /// parameters that the declaration bounds by itself needs none, either:
    /// with a second bound, the compiler would not know which one to take.
    pub(crate) fn depends(&mut self, value: &Value<'_>) {
        let ty = value.ty.to_token_stream();
        let names = self.parameters_in(value.ty);
        if refers_to(value.ty, &self.own) || names.iter().all(|name| self.constants.contains(name)) {
            return;
        }
        let known = |name: &String| self.decoded.contains(name) || self.constants.contains(name);
        if self.decoded.contains(&ty.to_string()) {
            self.bound.push(ty);
        } else if names.iter().all(known) {
            let types = names.iter().filter(|name| self.decoded.contains(*name));
            self.bound.extend(types.map(|name| format_ident!("{name}").to_token_stream()));
        } else {
            self.dependent.push(ty);
        }
    }

    /// Notes the type of an enum inside.
    pub(crate) fn depends_on_enum(&mut self, value: &Value<'_>) {
        if self.is_dependent(value.ty) {
            self.dependent_enums.push(value.ty.to_token_stream());
        }
    }

    /// The parameters in a type. Lifetimes need no bound.
    fn parameters_in(&self, ty: &syn::Type) -> BTreeSet<String> {
        let mut names = HashSet::new();
        type_names(ty.to_token_stream(), &mut names);
        names.into_iter().filter(|name| self.parameters.contains(name)).collect()
    }

    fn is_dependent(&self, ty: &syn::Type) -> bool {
        !self.parameters_in(ty).is_empty()
    }

    /// Tells the declaration of the types that depend on its parameters.
    pub(crate) fn tell(&mut self, declared: &mut Declared) {
        declared.dependent = std::mem::take(&mut self.dependent);
        declared.bound = std::mem::take(&mut self.bound);
        declared.enums = std::mem::take(&mut self.dependent_enums);
    }

    pub(crate) fn take_enums(&mut self) -> Vec<Enum> {
        std::mem::take(&mut self.enums)
    }

    /// Makes a wire type for a foreign field; its name.
    pub(crate) fn foreign(
        &mut self,
        module: &syn::Path,
        field: &Field,
        ty: &syn::Type,
        faults: &mut Faults,
    ) -> Option<String> {
        let mut names = Vec::new();
        all_names(ty.to_token_stream(), &mut names);
        if names.iter().any(|name| self.parameters.contains(name)) {
            faults.at(ty, "a module converts one type: one that depends on no parameter of this type");
            return None;
        }
        let (name, items) = foreign::wire_type(&self.runtime, self.foreign_count, module, field, ty);
        self.foreign_count += 1;
        self.foreign.extend(items);
        Some(name.to_string())
    }

    /// An enum of this type, with one value that is known.
    pub(crate) fn enum_with(&mut self, ty: &syn::Type, variant: &Ident) -> EnumId {
        let path = ty.to_token_stream().to_string().replace(' ', "");
        self.enums.push(some_enum(&path, &variant.to_string()));
        EnumId(self.enums.len() - 1)
    }

    /// Has the compiler check that the oneof has the numbers that are said.
    pub(crate) fn check_oneof(
        &mut self,
        ty: &syn::Type,
        said: &[u32],
        tags: &impl ToTokens,
        faults: &mut Faults,
    ) {
        if self.is_dependent(ty) {
            faults.at(ty, "a oneof depends on no type parameter: write the type that is meant");
            return;
        }
        let (runtime, ty) = (&self.runtime, without_lifetimes(ty.to_token_stream()));
        let said = said.iter().map(|number| proc_macro2::Literal::u32_unsuffixed(*number));
        let place = first_span(&tags.to_token_stream());
        self.foreign.extend(quote::quote_spanned! {place=>
            const _: () = ::core::assert!(
                #runtime::wire::has_numbers(<#ty as #runtime::wire::Oneof>::NUMBERS, &[#(#said),*]),
                "`tags(…)` has to have the numbers of all variants of the oneof, and no others",
            );
        });
    }
}

/// The types that a declaration bounds by `Decode` or `Owned`.
fn decoded(generics: &Generics) -> HashSet<String> {
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
