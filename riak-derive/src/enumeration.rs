//! A Rust enum as a protobuf enum.
//!
//! Invariant: the number of each variant is known to the derive. A variant marked
//! `other` makes the enum open.

use proc_macro2::TokenStream;
use quote::quote;
use riak_codegen::emit::derive_enumeration;
use riak_codegen::model::{Enum, EnumValue, RustPath};
use syn::ext::IdentExt;
use syn::{DataEnum, Expr, ExprLit, Fields, Lit, UnOp, Variant};

use crate::attributes::Attributes;
use crate::context::Context;
use crate::errors::Errors;
use crate::field;
use crate::schema;
use crate::targets::Target;

/// Emits the impls of an enum.
pub(crate) fn derive(context: &Context<'_>, data: &DataEnum, errors: &mut Errors) -> TokenStream {
    context.attributes.check(Target::Enum, errors);
    if !context.input.generics.params.is_empty() {
        errors.at(&context.input.generics, "a protobuf enum cannot have generic parameters: remove them");
    }
    let name = context.input.ident.to_string();
    let mut item = Enum {
        full_name: context.full_name(&riak_codegen::emit::Pairing::Alone, errors),
        path: RustPath { root: None, module: Vec::new(), name },
        closed: true,
        values: Vec::new(),
        docs: field::docs(&context.input.attrs),
        deprecated: false,
    };
    let other = add_variants(&mut item, data, errors);
    // A variant with an error is a value as well.
    let others = usize::from(other.is_some());
    if data.variants.len() == others {
        errors.at(&context.input.ident, "a protobuf enum must have at least one value: add a variant");
    }
    if let Some(errors) = errors.tokens() {
        let placeholder_impl = placeholder_impl(context);
        return quote!(#errors #placeholder_impl);
    }
    let impls = derive_enumeration(&item, other.as_deref(), &context.options());
    let described = context.described.then(|| schema::enumeration(context, &item));
    quote!(#impls #described)
}

/// Adds the variants to the enum. Returns the name of the one that keeps other numbers,
/// which makes the enum open.
fn add_variants(item: &mut Enum, data: &DataEnum, errors: &mut Errors) -> Option<String> {
    let mut other = None;
    let mut next = Some(0_i32);
    for variant in &data.variants {
        let own = Attributes::read(&variant.attrs, errors);
        own.check(Target::of_value(&own), errors);
        Attributes::check_inner(variant, errors);
        let number = number_of(variant, next, errors);
        if own.flag("other", errors) {
            check_other(variant, errors);
            if other.replace(variant.ident.to_string()).is_some() {
                errors.at(variant, "another variant already keeps other numbers: remove one of the two");
            }
            item.closed = false;
            continue;
        }
        if !matches!(variant.fields, Fields::Unit) {
            let text = "a value of an enum is a number and holds nothing: for fields, derive a `#[riak(oneof)]`; to keep \
                        other numbers, write `#[riak(other)]`";
            errors.at(variant, text);
        }
        next = number.and_then(|number| number.checked_add(1));
        let Some(number) = number else { continue };
        let rename =
            own.get("rename").and_then(|rename| errors.handle(rename.name("rename = \"NAME\"", false)));
        item.values.push(EnumValue {
            name: rename.unwrap_or_else(|| variant.ident.unraw().to_string()),
            rust_name: variant.ident.to_string(),
            number,
            docs: field::docs(&variant.attrs),
            deprecated: false,
        });
    }
    other
}

/// Returns the number of a variant: its discriminant, or else `next`. `None` if it is not
/// known.
fn number_of(variant: &Variant, next: Option<i32>, errors: &mut Errors) -> Option<i32> {
    let Some((_, expression)) = &variant.discriminant else { return next };
    let number = number(expression);
    if number.is_none() {
        errors.at(expression, "the number of a value must be a literal that fits into an `i32`");
    }
    number
}

/// Checks that a variant with `other` can keep a number.
fn check_other(variant: &Variant, errors: &mut Errors) {
    let keeps_number = matches!(&variant.fields, Fields::Unnamed(fields)
        if fields.unnamed.len() == 1
            && fields.unnamed.iter().all(|field| crate::types::last_name(&field.ty).as_deref() == Some("i32")));
    if !keeps_number {
        errors.at(
            variant,
            format!("the variant for other numbers must hold an `i32`: write `{}(i32)`", variant.ident),
        );
    }
}

/// Emits a placeholder impl for an enum with errors, so that its uses cause no further
/// errors.
fn placeholder_impl(context: &Context<'_>) -> TokenStream {
    let (ident, runtime) = (context.ident(), context.runtime());
    if !context.input.generics.params.is_empty() {
        return TokenStream::new();
    }
    // The compiler accepts a false bound if it has a higher-ranked lifetime.
    quote! {
        impl #runtime::wire::Enumeration for #ident
        where
            for<'fault> Self: ::core::marker::Copy + ::core::default::Default,
        {
            fn number(self) -> ::core::primitive::i32 {
                0
            }

            fn from_number(_: ::core::primitive::i32) -> ::core::option::Option<Self> {
                ::core::option::Option::None
            }
        }
    }
}

/// Returns the value of a literal discriminant, which may be a macro's argument.
fn number(expression: &Expr) -> Option<i32> {
    let (minus, expression) = match ungroup(expression) {
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => ("-", ungroup(&unary.expr)),
        expression => ("", expression),
    };
    match expression {
        Expr::Lit(ExprLit { lit: Lit::Int(literal), .. }) => {
            format!("{minus}{}", literal.base10_digits()).parse().ok()
        }
        _ => None,
    }
}

/// Strips parentheses and invisible groups from an expression.
fn ungroup(expression: &Expr) -> &Expr {
    match expression {
        Expr::Paren(inner) => ungroup(&inner.expr),
        Expr::Group(inner) => ungroup(&inner.expr),
        expression => expression,
    }
}
