//! The module of one schema file: its enums, messages, services and nested modules.
//!
//! Invariant: nested types are in a module next to the struct that they belong to,
//! named after it.

use proc_macro2::TokenStream;
use quote::quote;

use super::docs::line;
use super::scope::{Scope, ident};
use super::{Emitter, Module};
use crate::model::{EnumId, File, Message, MessageId};

impl Emitter<'_> {
    /// Emits the module of one file.
    pub(super) fn file(&self, file: &File) -> Module {
        let mut scope = Scope::new(&file.module, &self.options.runtime);
        self.declare(&mut scope, &file.messages, &file.enums);
        for name in self.names_below(&file.module) {
            scope.declare(&name);
        }
        for service in &file.services {
            scope.declare(&service.name);
            scope.declare(&service.server_name);
            scope.declare(&service.dispatcher_name);
            for operation in &service.operations {
                scope.declare(&operation.answer_name);
            }
        }
        let mut items = self.items(&scope, &file.messages, &file.enums);
        for service in &file.services {
            if !self.options.owned {
                continue;
            }
            items.extend(self.requests(&scope, service));
            items.extend(self.answer_enums(&scope, service));
            if self.options.client {
                items.extend(self.client(&scope, service));
            }
            if self.options.server {
                items.extend(self.server(&scope, service));
            }
        }
        let imports = scope.imports();
        let nested = self.nested_modules(&file.module, &file.messages);
        Module {
            path: file.module.clone(),
            source: Some(file.name.clone()),
            tokens: {
                let below = self.modules_below(&file.module);
                quote!(#imports #items #nested #below)
            },
        }
    }

    /// Declares in `scope` the names of these messages and enums.
    fn declare(&self, scope: &mut Scope<'_>, messages: &[MessageId], enums: &[EnumId]) {
        for &id in messages {
            let message = self.schema.message(id);
            scope.declare(&message.path.name);
            scope.declare(&message.ref_name);
            if has_nested(message) {
                scope.declare(&message.nested_module);
            }
        }
        for &id in enums {
            scope.declare(&self.schema.enumeration(id).path.name);
        }
    }

    fn items(&self, scope: &Scope<'_>, messages: &[MessageId], enums: &[EnumId]) -> TokenStream {
        let enums = enums.iter().map(|&id| self.enumeration(scope, self.schema.enumeration(id)));
        let messages = messages.iter().map(|&id| self.message(scope, self.schema.message(id)));
        enums.chain(messages).collect()
    }

    /// Emits the modules for the items declared inside these messages.
    fn nested_modules(&self, parent: &[String], messages: &[MessageId]) -> TokenStream {
        let messages = messages.iter().map(|&id| self.schema.message(id));
        messages
            .filter(|message| has_nested(message))
            .map(|message| self.nested_module(parent, message))
            .collect()
    }

    fn nested_module(&self, parent: &[String], message: &Message) -> TokenStream {
        let mut path = parent.to_vec();
        path.push(message.nested_module.clone());
        let mut scope = Scope::new(&path, &self.options.runtime);
        self.declare(&mut scope, &message.messages, &message.enums);
        for oneof in &message.oneofs {
            scope.declare(&oneof.enum_name);
            scope.declare(&oneof.enum_ref_name);
        }
        let mut items = self.items(&scope, &message.messages, &message.enums);
        for oneof in &message.oneofs {
            items.extend(self.forms().flat_map(|form| self.oneof_enum(&scope, message, oneof, form)));
        }
        let imports = scope.imports();
        let nested = self.nested_modules(&path, &message.messages);
        let name = ident(&message.nested_module);
        let docs = line(&format!("Types declared inside the message `{}`.", message.full_name));
        quote! {
            #docs
            pub mod #name { #imports #items #nested }
        }
    }
}

/// Reports whether anything is declared inside a message.
fn has_nested(message: &Message) -> bool {
    !(message.messages.is_empty() && message.enums.is_empty() && message.oneofs.is_empty())
}
