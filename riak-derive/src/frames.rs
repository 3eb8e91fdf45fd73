//! An enum as a set of frames: each variant holds a message with a code.
//!
//! Invariant: a set with two messages of the same code does not compile.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DataEnum, Fields, Ident, Type};

use crate::attributes::Attributes;
use crate::context::Context;
use crate::errors::Errors;
use crate::schema;
use crate::targets::Target;

/// Emits the impls of a set of frames.
pub(crate) fn derive(context: &Context<'_>, data: &DataEnum, errors: &mut Errors) -> TokenStream {
    context.attributes.check(Target::Frames, errors);
    if !context.input.generics.params.is_empty() {
        errors.at(
            &context.input.generics,
            "a set of frames cannot have generic parameters: each of its messages owns its data",
        );
    }
    let mut variants: Vec<Variant<'_>> = Vec::new();
    for variant in &data.variants {
        Attributes::read(&variant.attrs, errors).check(Target::Frame, errors);
        Attributes::check_inner(variant, errors);
        match &variant.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                variants.extend(fields.unnamed.iter().map(|field| (&variant.ident, &field.ty)));
            }
            _ => {
                let text = format!(
                    "a variant of a set of frames has one message: write `{}(Message)`",
                    variant.ident
                );
                errors.at(variant, text);
            }
        }
    }
    if variants.is_empty() {
        errors.at(&context.input.ident, "a set of frames must have at least one message: add a variant");
    }
    if let Some(errors) = errors.tokens() {
        return errors;
    }
    let impls = emit(context, &variants);
    // The impls name the user's types with the user's spans, so uses of deprecated types
    // would be reported again.
    let attributes = data.variants.iter().flat_map(|variant| &variant.attrs).chain(&context.input.attrs);
    let deprecated = attributes
        .filter(|attribute| !attribute.path().is_ident("doc"))
        .map(ToTokens::to_token_stream)
        .any(|attribute| attribute.to_string().contains("deprecated"));
    let allow = deprecated.then(|| quote!(#[allow(deprecated)]));
    let described = context.described.then(|| {
        let types = variants.iter().map(|(_, ty)| quote!(#ty));
        schema::frames(context, &types.collect::<Vec<_>>())
    });
    quote!(#allow #impls #described)
}

/// A variant of the set, and the type of its message.
type Variant<'i> = (&'i Ident, &'i Type);

fn emit(context: &Context<'_>, variants: &[Variant<'_>]) -> TokenStream {
    let checks = distinct_codes(context, variants);
    let inherent = inherent_impl(context, variants);
    let answer = answer_impl(context, variants);
    let conversions = conversions(context, variants);
    quote! {
        const _: () = {
            #checks
            #inherent
            #answer
            #conversions
        };
    }
}

/// Emits the code of a variant's message, which the compiler looks up.
fn code_of(context: &Context<'_>, ty: &Type) -> TokenStream {
    let runtime = context.runtime();
    quote_spanned!(ty.span()=> <#ty as #runtime::Coded>::CODE)
}

/// Emits an assertion for each variant that no earlier one has the same code.
fn distinct_codes(context: &Context<'_>, variants: &[Variant<'_>]) -> TokenStream {
    let checks = variants.iter().enumerate().skip(1).map(|(index, (variant, ty))| {
        let code = code_of(context, ty);
        let others = variants[..index].iter().map(|(_, ty)| code_of(context, ty));
        let text = format!(
            "`{variant}` has the code of an earlier message of the set: give one of the two another, `#[riak(code = …)]`"
        );
        quote_spanned!(variant.span()=> const _: () = ::core::assert!(#(#code != #others)&&*, #text);)
    });
    checks.collect()
}

/// Emits the methods of the enum.
fn inherent_impl(context: &Context<'_>, variants: &[Variant<'_>]) -> TokenStream {
    let (name, runtime) = (context.ident(), context.runtime());
    let visibility = &context.input.vis;
    let (result, error) = result_and_error(context);
    let code_arms = variants.iter().map(|(variant, ty)| {
        let code = code_of(context, ty);
        quote!(Self::#variant(_) => #code,)
    });
    let writes =
        variants.iter().map(|(variant, _)| quote!(Self::#variant(message) => buffer.push(code, message),));
    quote! {
        impl #name {
            /// Decodes a frame by its code.
            ///
            /// # Errors
            ///
            /// If the set has no message with the code, or the body is no
            /// such message.
            #visibility fn decode(frame: &#runtime::Frame) -> #result<Self, #error> {
                <Self as #runtime::Answer>::from_frame(frame)
            }

            /// The message's code.
            #[must_use]
            #visibility const fn code(&self) -> u8 {
                match self { #(#code_arms)* }
            }

            /// Appends the message as a frame.
            ///
            /// # Errors
            ///
            /// If it is too long for one.
            #visibility fn write_to(
                &self,
                buffer: &mut #runtime::WriteBuffer,
            ) -> #result<(), #runtime::FrameError> {
                let code = self.code();
                match self { #(#writes)* }
            }
        }
    }
}

/// Emits the `Answer` impl, which decodes a frame by its code.
fn answer_impl(context: &Context<'_>, variants: &[Variant<'_>]) -> TokenStream {
    let (name, runtime) = (context.ident(), context.runtime());
    let (result, error) = result_and_error(context);
    let decodes = variants.iter().map(|(variant, ty)| {
        let code = code_of(context, ty);
        quote!(#code => Self::#variant(frame.decode_within(limits)?),)
    });
    quote! {
        impl #runtime::Answer for #name {
            fn from_frame_within(
                frame: &#runtime::Frame,
                limits: &#runtime::DecodeLimits,
            ) -> #result<Self, #error> {
                #result::Ok(match frame.code {
                    #(#decodes)*
                    code => {
                        let kind = #runtime::DecodeErrorKind::UnexpectedCode { code };
                        return #result::Err(#error::new(kind, 0));
                    }
                })
            }
        }
    }
}

/// Emits a `From` impl for each message, except for a type that occurs twice, whose
/// variant would be ambiguous.
fn conversions(context: &Context<'_>, variants: &[Variant<'_>]) -> TokenStream {
    let name = context.ident();
    let is_unique = |ty: &Type| {
        let text = quote!(#ty).to_string();
        variants.iter().filter(|(_, other)| quote!(#other).to_string() == text).count() == 1
    };
    let unique = variants.iter().filter(|(_, ty)| is_unique(ty));
    let impls = unique.map(|(variant, ty)| {
        quote! {
            impl ::core::convert::From<#ty> for #name {
                fn from(message: #ty) -> Self {
                    Self::#variant(message)
                }
            }
        }
    });
    impls.collect()
}

fn result_and_error(context: &Context<'_>) -> (TokenStream, TokenStream) {
    let runtime = context.runtime();
    (quote!(::core::result::Result), quote!(#runtime::DecodeError))
}
