//! `AnyMessage`: the enum of all messages, decoded from a frame by its code.
//!
//! Invariant: each code with a message has one variant, named like the variant of
//! `MessageCode`.

use proc_macro2::TokenStream;
use quote::quote;

use super::docs::line;
use super::form::Form;
use super::scope::{Scope, ident};
use super::{Emitter, Module};
use crate::model::Direction;

impl Emitter<'_> {
    /// Emits the module of the enum of all messages.
    pub(super) fn any_message(&self) -> Module {
        let module = vec!["any_message".to_owned()];
        let mut scope = Scope::new(&module, &self.options.runtime);
        scope.declare("AnyMessage");
        scope.declare("MessageCode");
        let frames: Vec<_> = self
            .schema
            .frames
            .iter()
            .filter(|frame| frame.direction != Direction::Nested)
            .filter_map(|frame| Some((ident(&frame.variant), frame.message?, frame)))
            .collect();
        let variants = frames.iter().map(|(variant, id, frame)| {
            let ty = self.message_type(&scope, *id, Form::Owned);
            let docs = line(&format!("Code {}.", frame.code));
            quote!(#docs #variant(#ty),)
        });
        let codes = frames.iter().map(|(variant, ..)| quote!(Self::#variant(_) => MessageCode::#variant,));
        let decodes = frames.iter().map(
            |(variant, ..)| quote!(MessageCode::#variant => Self::#variant(frame.decode_within(limits)?),),
        );
        let writes =
            frames.iter().map(|(variant, ..)| quote!(Self::#variant(message) => buffer.push(code, message),));
        let from_impls = frames.iter().filter_map(|(variant, id, _)| {
            // For a message with two codes, the variant would be ambiguous.
            let same = frames.iter().filter(|(_, other, _)| other == id).count();
            let ty = self.message_type(&scope, *id, Form::Owned);
            (same == 1).then(|| {
                quote! {
                    impl From<#ty> for AnyMessage {
                        fn from(message: #ty) -> Self {
                            Self::#variant(message)
                        }
                    }
                }
            })
        });
        let complete = frames.len() == self.schema.frames.len();
        let rest = (!complete).then(|| quote!(_ => return Err(unexpected),));
        let [answer, decode_error, frame, frame_error, limits, buffer] =
            ["Answer", "DecodeError", "Frame", "FrameError", "DecodeLimits", "WriteBuffer"]
                .map(|name| scope.runtime(name));
        let kind = scope.runtime("DecodeErrorKind");
        let from_impls: TokenStream = from_impls.collect();
        let bind = if complete {
            quote!()
        } else {
            quote!(let unexpected = #decode_error::new(#kind::UnexpectedCode { code: frame.code }, 0);)
        };
        let imports = scope.imports();
        let tokens = quote! {
            use super::MessageCode;
            #imports

            /// Any message of the schema that has a message code: for proxies,
            /// inspectors and servers.
            #[derive(Clone, Debug, PartialEq)]
            #[non_exhaustive]
            pub enum AnyMessage { #(#variants)* }

            impl AnyMessage {
                /// Decodes a frame's body as the message that its code stands for.
                ///
                /// # Errors
                ///
                /// Returns an error if the schema has no message with this code, if
                /// the body is not a valid encoding of that message, or if it exceeds
                /// [`DecodeLimits::DEFAULT`].
                pub fn decode(frame: &#frame) -> Result<Self, #decode_error> {
                    Self::decode_within(frame, &#limits::DEFAULT)
                }

                /// Decodes a frame's body as the message that its code stands for,
                /// within `limits`.
                ///
                /// # Errors
                ///
                /// Returns an error if the schema has no message with this code, if
                /// the body is not a valid encoding of that message, or if it exceeds
                /// the limits.
                pub fn decode_within(frame: &#frame, limits: &#limits) -> Result<Self, #decode_error> {
                    #bind
                    let Ok(code) = MessageCode::try_from(frame.code) else {
                        return Err(#decode_error::new(#kind::UnexpectedCode { code: frame.code }, 0));
                    };
                    Ok(match code {
                        #(#decodes)*
                        #rest
                    })
                }

                /// Returns the message's code.
                #[must_use]
                pub fn code(&self) -> MessageCode {
                    match self { #(#codes)* }
                }

                /// Appends the message as a frame.
                ///
                /// # Errors
                ///
                /// Returns an error if the message is too long for a frame.
                pub fn write_to(&self, buffer: &mut #buffer) -> Result<(), #frame_error> {
                    let code = self.code().into();
                    match self { #(#writes)* }
                }
            }

            impl #answer for AnyMessage {
                fn from_frame_within(frame: &#frame, limits: &#limits) -> Result<Self, #decode_error> {
                    Self::decode_within(frame, limits)
                }
            }

            #from_impls
        };
        Module { path: module, source: None, tokens }
    }
}
