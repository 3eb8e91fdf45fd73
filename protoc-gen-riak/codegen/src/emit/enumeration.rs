//! Enums: a closed enum becomes a Rust enum, an open one a newtype.
//!
//! Invariant: a value is never a bare integer, and an open enum keeps any number. A
//! closed enum can be matched without a wildcard: if the schema gets another value, the
//! compiler names the places that have to handle it.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::quote;

use super::Emitter;
use super::docs::{deprecated, docs, docs_or};
use super::number;
use super::scope::{Scope, ident};
use crate::model::{Enum, EnumValue};

impl Emitter<'_> {
    /// Emits an enum and its impls.
    #[expect(clippy::unused_self, reason = "a method like those that emit other items")]
    pub(super) fn enumeration(&self, scope: &Scope<'_>, item: &Enum) -> TokenStream {
        if item.closed { closed_enum(scope, item) } else { open_enum(scope, item) }
    }
}

/// Separates the values from those that are aliases of earlier values.
fn split_aliases(item: &Enum) -> (Vec<&EnumValue>, Vec<&EnumValue>) {
    let mut seen = BTreeSet::new();
    item.values.iter().partition(|value| seen.insert(value.number))
}

fn header(item: &Enum) -> TokenStream {
    let docs = docs_or(&item.docs, &format!("The enum `{}`.", item.full_name));
    let deprecated = deprecated(item.deprecated);
    quote!(#docs #deprecated)
}

fn closed_enum(scope: &Scope<'_>, item: &Enum) -> TokenStream {
    let (name, header) = (ident(&item.path.name), header(item));
    let (values, aliases) = split_aliases(item);
    let variants = values.iter().enumerate().map(|(index, value)| {
        let (name, docs) = (ident(&value.rust_name), docs(&value.docs));
        let deprecated = deprecated(value.deprecated);
        let default = (index == 0).then(|| quote!(#[default]));
        let number = number::int(value.number);
        quote!(#docs #deprecated #default #name = #number,)
    });
    let constants = aliases.iter().map(|alias| {
        let name = ident(&alias.rust_name);
        let target = values.iter().find(|value| value.number == alias.number);
        let target = target.map(|value| ident(&value.rust_name));
        let docs = docs_or(&alias.docs, &format!("Alias of the value {}.", alias.number));
        quote! {
            #docs
            #[allow(non_upper_case_globals)]
            pub const #name: Self = Self::#target;
        }
    });
    let names = values.iter().map(|value| {
        let (variant, name) = (ident(&value.rust_name), &value.name);
        quote!(Self::#variant => #name,)
    });
    let numbers = enumeration_impl(scope, item);
    let allow = values.iter().any(|value| value.deprecated).then(|| quote!(#[allow(deprecated)]));
    quote! {
        #header
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(i32)]
        pub enum #name { #(#variants)* }

        #allow
        impl #name {
            #(#constants)*

            /// The value's name in the schema.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { #(#names)* }
            }
        }

        #allow
        #numbers
    }
}

/// Emits the `Enumeration` impl of a closed enum.
fn enumeration_impl(scope: &Scope<'_>, item: &Enum) -> TokenStream {
    let name = ident(&item.path.name);
    let from = values_by_number(item);
    let [option, some, none] = ["Option", "Some", "None"].map(|name| scope.prelude(name));
    let enumeration = scope.wire("Enumeration");
    quote! {
        impl #enumeration for #name {
            #[inline]
            fn number(self) -> i32 {
                self as i32
            }

            #[inline]
            fn from_number(number: i32) -> #option<Self> {
                #some(match number {
                    #(#from)*
                    _ => return #none,
                })
            }
        }
    }
}

/// Emits the match arms from numbers to variants.
fn values_by_number(item: &Enum) -> impl Iterator<Item = TokenStream> {
    split_aliases(item).0.into_iter().map(|value| {
        let (variant, number) = (ident(&value.rust_name), number::int(value.number));
        quote!(#number => Self::#variant,)
    })
}

/// Emits the `Enumeration` impl of a hand-written enum. `other` is the variant that
/// keeps unnamed numbers, which makes the enum open.
pub(super) fn declared_impl(scope: &Scope<'_>, item: &Enum, other: Option<&str>) -> TokenStream {
    let Some(other) = other.map(ident) else { return enumeration_impl(scope, item) };
    let name = ident(&item.path.name);
    let from = values_by_number(item);
    let to = item.values.iter().map(|value| {
        let (variant, number) = (ident(&value.rust_name), number::int(value.number));
        quote!(Self::#variant => #number,)
    });
    let [option, some] = ["Option", "Some"].map(|name| scope.prelude(name));
    let enumeration = scope.wire("Enumeration");
    quote! {
        impl #enumeration for #name {
            #[inline]
            fn number(self) -> i32 {
                match self {
                    #(#to)*
                    Self::#other(number) => number,
                }
            }

            #[inline]
            fn from_number(number: i32) -> #option<Self> {
                #some(match number {
                    #(#from)*
                    number => Self::#other(number),
                })
            }
        }
    }
}

fn open_enum(scope: &Scope<'_>, item: &Enum) -> TokenStream {
    let (name, header) = (ident(&item.path.name), header(item));
    let (values, _) = split_aliases(item);
    let fmt = scope.std("::core", "fmt");
    let constants = item.values.iter().map(|value| {
        let (name, docs) = (ident(&value.rust_name), docs_or(&value.docs, &format!("`{}`.", value.name)));
        let deprecated = deprecated(value.deprecated);
        let number = number::int(value.number);
        quote!(#docs #deprecated pub const #name: Self = Self(#number);)
    });
    let names = values.iter().map(|value| {
        let (number, name) = (number::int(value.number), &value.name);
        let some = scope.prelude("Some");
        quote!(#number => #some(#name),)
    });
    let [option, some, none] = ["Option", "Some", "None"].map(|name| scope.prelude(name));
    let enumeration = scope.wire("Enumeration");
    quote! {
        #header
        ///
        /// Numbers that the schema does not name are kept.
        #[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct #name(pub i32);

        impl #name {
            #(#constants)*

            /// The value's name in the schema, if it has one.
            #[must_use]
            pub const fn name(self) -> #option<&'static str> {
                match self.0 {
                    #(#names)*
                    _ => #none,
                }
            }
        }

        impl #fmt::Debug for #name {
            fn fmt(&self, f: &mut #fmt::Formatter<'_>) -> #fmt::Result {
                match self.name() {
                    #some(name) => f.write_str(name),
                    #none => ::core::write!(f, "{}", self.0),
                }
            }
        }

        impl #enumeration for #name {
            #[inline]
            fn number(self) -> i32 {
                self.0
            }

            #[inline]
            fn from_number(number: i32) -> #option<Self> {
                #some(Self(number))
            }
        }
    }
}
