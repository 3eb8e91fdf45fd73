//! Servers: a trait for each service, and a dispatcher by message code.
//!
//! Invariant: a method that is not implemented answers like a server that does not
//! know the code, and keeps the connection open.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use super::Emitter;
use super::client::{gate, with_suffix};
use super::docs::{deprecated, docs_or, line};
use super::form::Form;
use super::scope::{Scope, ident};
use crate::model::{Mode, Operation, Service};

impl Emitter<'_> {
    /// Emits the trait of a service and its dispatcher.
    pub(super) fn server(&self, scope: &Scope<'_>, service: &Service) -> TokenStream {
        let feature = self.options.server_feature.as_deref();
        let gate = gate(feature);
        scope.behind_feature(feature, || {
            let [send, sync] = ["Send", "Sync"].map(|name| scope.prelude(name));
            let name = ident(&service.server_name);
            let docs = docs_or(&service.docs, &format!("The service `{}`.", service.name));
            let blank = line("");
            let note =
                line("Every method has a default that answers with the error \"Unknown message code\".");
            let deprecated = deprecated(service.deprecated);
            let methods = service.operations.iter().map(|operation| self.server_methods(scope, operation));
            let dispatcher = self.dispatcher(scope, service);
            let replies = self.replies(scope, service);
            quote! {
                #docs
                #blank
                #note
                #gate
                #deprecated
                pub trait #name: #send + #sync + 'static { #(#methods)* }

                #dispatcher
                #replies
            }
        })
    }

    fn server_methods(&self, scope: &Scope<'_>, operation: &Operation) -> TokenStream {
        let request = self.message_type(scope, operation.request, Form::Owned);
        let code = Literal::u8_unsuffixed(operation.request_code);
        let docs = docs_or(&operation.docs, &format!("The operation `{}`.", operation.name));
        let [result, send] = ["Result", "Send"].map(|name| scope.prelude(name));
        let [failure, unserved] = ["Failure", "unserved"].map(|name| scope.item("server", name));
        let future = scope.std("::core::future", "Future");
        let future = quote!(impl #future);
        let one = |name: &str| {
            let name = ident(name);
            let answer = self.answer_type(scope, operation);
            quote! {
                #docs
                fn #name(&self, request: #request) -> #future<Output = #result<#answer, #failure>> + #send {
                    let _ = request;
                    #unserved(#code)
                }
            }
        };
        let many = |name: &str| {
            let name = ident(name);
            let replies = scope.item("server", "Replies");
            let response = self.message_type(scope, operation.response, Form::Owned);
            quote! {
                #docs
                fn #name(
                    &self,
                    request: #request,
                    replies: &mut #replies<'_, #response>,
                ) -> #future<Output = #result<(), #failure>> + #send {
                    let _ = (request, replies);
                    #unserved(#code)
                }
            }
        };
        let name = &operation.rust_name;
        match operation.mode {
            Mode::Unary => one(name),
            Mode::Stream { .. } => many(name),
            Mode::Conditional { .. } => {
                let (one, many) = (one(name), many(&with_suffix(name, "_stream")));
                quote!(#one #many)
            }
        }
    }

    /// Returns the type that a method answers with: a message, or the enum of all
    /// answers.
    fn answer_type(&self, scope: &Scope<'_>, operation: &Operation) -> TokenStream {
        if operation.alternatives.is_empty() {
            return self.message_type(scope, operation.response, Form::Owned);
        }
        let name = ident(&operation.answer_name);
        quote!(#name)
    }

    fn dispatcher(&self, scope: &Scope<'_>, service: &Service) -> TokenStream {
        let gate = gate(self.options.server_feature.as_deref());
        let (server, name) = (ident(&service.server_name), ident(&service.dispatcher_name));
        let handler = self.parameter(service, "S");
        let item = |name| scope.item("server", name);
        let [service_trait, outbox, failure, unserved] =
            ["Service", "Outbox", "Failure", "unserved"].map(item);
        let [frame, error_frame] = [scope.runtime("Frame"), scope.item("operation", "ErrorFrame")];
        let [result, option] = ["Result", "Option"].map(|name| scope.prelude(name));
        let codes = service.operations.iter().map(|operation| Literal::u8_unsuffixed(operation.request_code));
        let empty = service.operations.is_empty();
        let known = if empty {
            quote!({
                let _ = code;
                false
            })
        } else {
            quote!(::core::matches!(code, #(#codes)|*))
        };
        let unused = empty.then(|| quote!(let _ = outbox;));
        let error = self.error_frame(scope, service.error);
        let arms = service.operations.iter().map(|operation| self.dispatch(scope, &server, operation));
        let docs = line(&format!(
            "Serves a [`{}`]: passes each request to its method by message code.",
            service.server_name
        ));
        quote! {
            #docs
            #gate
            #[derive(Clone, Copy, Debug)]
            pub struct #name<#handler>(pub #handler);

            #gate
            impl<#handler: #server> #service_trait for #name<#handler> {
                fn serves(&self, code: u8) -> bool {
                    #known
                }

                fn error_frame(&self, _: #option<u8>) -> #option<#error_frame> {
                    #error
                }

                async fn call(&self, request: #frame, outbox: &mut #outbox) -> #result<(), #failure> {
                    #unused
                    match request.code {
                        #(#arms)*
                        code => #unserved(code).await,
                    }
                }
            }
        }
    }

    fn dispatch(&self, scope: &Scope<'_>, server: &Ident, operation: &Operation) -> TokenStream {
        let code = Literal::u8_unsuffixed(operation.request_code);
        let request = self.message_type(scope, operation.request, Form::Owned);
        let name = ident(&operation.rust_name);
        // Called through the trait, because an operation may have the name of another
        // method, such as `into`.
        let one = quote! {
            let answer = #server::#name(&self.0, request).await?;
            outbox.answer(&answer)
        };
        let many = |name: &str| {
            let name = ident(name);
            quote! {
                let mut replies = outbox.replies::<#request>();
                #server::#name(&self.0, request, &mut replies).await?;
                replies.finish().await
            }
        };
        let body = match operation.mode {
            Mode::Unary => one,
            Mode::Stream { .. } => many(&operation.rust_name),
            Mode::Conditional { .. } => {
                let many = many(&with_suffix(&operation.rust_name, "_stream"));
                let some = scope.prelude("Some");
                let request_trait = scope.runtime("Request");
                quote! {
                    if #request_trait::asks_for_stream(&request) == #some(true) { #many } else { #one }
                }
            }
        };
        quote! {
            #code => {
                let request = outbox.decode::<#request>(&request)?;
                #body
            }
        }
    }

    /// Emits the `Reply` impls of the enums of alternative answers.
    fn replies(&self, scope: &Scope<'_>, service: &Service) -> TokenStream {
        let gate = gate(self.options.server_feature.as_deref());
        service
            .operations
            .iter()
            .filter(|operation| !operation.alternatives.is_empty())
            .map(|operation| {
                let name = ident(&operation.answer_name);
                let [reply, result] = [scope.item("server", "Reply"), scope.prelude("Result")];
                let [buffer, error] = ["WriteBuffer", "FrameError"].map(|name| scope.runtime(name));
                let arms = self
                    .answer_variants(operation)
                    .into_iter()
                    .map(|(code, _, variant)| quote!(Self::#variant(answer) => out.push(#code, answer),));
                quote! {
                    #gate
                    impl #reply for #name {
                        fn push(&self, out: &mut #buffer) -> #result<(), #error> {
                            match self { #(#arms)* }
                        }
                    }
                }
            })
            .collect()
    }
}
