//! `Flags` impls: the bool fields of a message, one of which may mark the last answer of
//! a stream.
//!
//! Invariant: generated and hand-written messages are alike: a message with a code that
//! may be an answer, and that has a singular bool field, implements `Flags` in its owned
//! form.

use proc_macro2::TokenStream;
use quote::quote;

use super::Emitter;
use super::form::Form;
use super::operation::stream_end;
use super::scope::Scope;
use crate::model::{Direction, Message};

impl Emitter<'_> {
    /// Emits the `Flags` impl of one form. Answers are decoded into their owned form, so
    /// the borrowed one has none.
    pub(super) fn flags_impl(&self, scope: &Scope<'_>, message: &Message, form: Form) -> TokenStream {
        let flags: Vec<_> = message.fields.iter().filter(|field| field.is_flag()).collect();
        if flags.is_empty() || form == Form::Borrowed || !self.may_be_answer(message) {
            return TokenStream::new();
        }
        let [flags_trait, end] = ["Flags", "StreamEnd"].map(|name| scope.item("operation", name));
        let flags = flags.into_iter().map(|field| {
            let (name, end) = (&field.name, stream_end(scope, field));
            quote!((#name, #end))
        });
        let (generics, name, bounds) = self.plain_header(message, form);
        quote! {
            impl #generics #flags_trait for #name #bounds {
                const FLAGS: &'static [(&'static str, #end)] = &[#(#flags),*];
            }
        }
    }

    /// Reports whether a server may send the message as a frame. Of a hand-written
    /// message, nobody knows.
    fn may_be_answer(&self, message: &Message) -> bool {
        message.code.is_some_and(|code| {
            let frame = self.schema.frames.iter().find(|frame| frame.code == code);
            frame.is_none_or(|frame| matches!(frame.direction, Direction::Response | Direction::Both))
        })
    }
}
