//! `MessageCode`: the schema's message codes as an enum.
//!
//! Invariant: each code has one variant, in ascending order.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::docs::line;
use super::scope::{Scope, ident};
use super::{Emitter, Module};
use crate::model::{Direction, Frame};

impl Emitter<'_> {
    /// Emits the module of the message-code table.
    pub(super) fn message_code(&self) -> Module {
        let module = vec!["message_code".to_owned()];
        let scope = Scope::new(&module, &self.options.runtime);
        let frames = &self.schema.frames;
        let variants = frames.iter().map(|frame| {
            let (name, code) = (ident(&frame.variant), Literal::u8_unsuffixed(frame.code));
            let docs = line(&format!("`{}`, {}.", frame.name, sender(frame)));
            quote!(#docs #name = #code,)
        });
        let names = frames.iter().map(|frame| {
            let (variant, name) = (ident(&frame.variant), &frame.name);
            quote!(Self::#variant => #name,)
        });
        let directions = directions(&scope, frames);
        let codes = frames.iter().map(|frame| {
            let (variant, code) = (ident(&frame.variant), Literal::u8_unsuffixed(frame.code));
            quote!(#code => Self::#variant,)
        });
        let all = frames.iter().map(|frame| ident(&frame.variant));
        let count = Literal::usize_unsuffixed(frames.len());
        let [direction, unknown] =
            [scope.item("operation", "Direction"), scope.item("operation", "UnknownCode")];
        let imports = scope.imports();
        let tokens = quote! {
            #imports

            /// The message codes of the schema.
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
            #[non_exhaustive]
            #[repr(u8)]
            pub enum MessageCode { #(#variants)* }

            impl MessageCode {
                /// All codes, in ascending order.
                pub const ALL: [Self; #count] = [#(Self::#all),*];

                /// Returns the name that the schema gives the code's message.
                #[must_use]
                pub const fn name(self) -> &'static str {
                    match self { #(#names)* }
                }

                /// Returns which side sends frames with this code.
                #[must_use]
                pub const fn direction(self) -> #direction {
                    match self { #directions }
                }
            }

            impl From<MessageCode> for u8 {
                fn from(code: MessageCode) -> Self {
                    code as Self
                }
            }

            impl TryFrom<u8> for MessageCode {
                type Error = #unknown;

                fn try_from(code: u8) -> Result<Self, Self::Error> {
                    Ok(match code {
                        #(#codes)*
                        _ => return Err(#unknown(code)),
                    })
                }
            }
        };
        Module { path: module, source: None, tokens }
    }
}

/// Describes who sends a frame, for a comment.
fn sender(frame: &Frame) -> &'static str {
    match frame.direction {
        Direction::Request => "a request",
        Direction::Response => "a response",
        Direction::Both => "a request and its response",
        Direction::Nested => "never a frame of its own",
    }
}

/// Emits one match arm per direction, with all codes that have it.
fn directions(scope: &Scope<'_>, frames: &[Frame]) -> TokenStream {
    let direction = scope.item("operation", "Direction");
    [
        (Direction::Request, "Request"),
        (Direction::Response, "Response"),
        (Direction::Both, "Both"),
        (Direction::Nested, "Nested"),
    ]
    .iter()
    .map(|(wanted, name)| {
        let variants = frames.iter().filter(|frame| frame.direction == *wanted);
        let variants: Vec<_> = variants.map(|frame| ident(&frame.variant)).collect();
        if variants.is_empty() {
            return TokenStream::new();
        }
        let name = ident(name);
        quote!(#(Self::#variants)|* => #direction::#name,)
    })
    .collect()
}
