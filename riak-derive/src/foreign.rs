//! `with = "module"`: fields of foreign types, converted by two functions of a module.
//!
//! Invariant: the emitted type reads and writes the foreign type like any of the
//! runtime's wire types, so no other code needs to know about it.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use riak_codegen::model::{Field, Type};
use syn::spanned::Spanned;

use crate::field::type_name;
use crate::types::rust_type;

/// Emits the wire type of the `index`th foreign field. Returns its name and its items.
pub(crate) fn wire_type(
    runtime: &TokenStream,
    index: usize,
    module: &syn::Path,
    field: &Field,
    ty: &syn::Type,
) -> (Ident, TokenStream) {
    let name = format_ident!("With{index}");
    let wire = quote!(#runtime::wire);
    let marker = match field.ty {
        Type::String => format_ident!("Text"),
        ty => {
            let name = type_name(ty);
            format_ident!("{}{}", name[..1].to_uppercase(), &name[1..])
        }
    };
    let to_wire = quote_spanned!(module.span()=> #module::to_wire);
    let from_wire = quote_spanned!(module.span()=> #module::from_wire);
    let pointed = match field.ty {
        Type::String => Some(quote!(str)),
        Type::Bytes => Some(quote!([u8])),
        _ => None,
    };
    let (value, written, given) = if let Some(pointed) = &pointed {
        let given = quote!(&::core::convert::AsRef::<#pointed>::as_ref(&#to_wire(value)));
        (quote!(&'wire #pointed), quote!(&#pointed), given)
    } else {
        let scalar = format_ident!("{}", rust_type(type_name(field.ty)));
        (quote!(#scalar), quote!(#scalar), quote!(&#to_wire(value)))
    };
    let field_name = &field.name;
    let items = quote! {
        enum #name {}

        impl #wire::Writes<#ty> for #name {
            #[inline]
            fn write<'w>(value: &#ty, out: #wire::Writer<'w>) -> #wire::Writer<'w> {
                <#wire::#marker as #wire::Writes<#written>>::write(#given, out)
            }

            #[inline]
            fn is_zero(value: &#ty) -> bool {
                <#wire::#marker as #wire::Writes<#written>>::is_zero(#given)
            }
        }

        impl<'wire> #wire::Reads<'wire, #ty> for #name {
            #[inline]
            fn read(
                input: &mut #wire::Reader<'wire>,
                ctx: &mut #wire::Context<'wire>,
            ) -> ::core::result::Result<#ty, #runtime::DecodeError> {
                let value = <#wire::#marker as #wire::Reads<'wire, #value>>::read(input, ctx)?;
                #from_wire(value).ok_or_else(|| ctx.refuse(input, #field_name))
            }
        }
    };
    (name, items)
}
