//! Clients: a struct for each service, with methods for each operation.
//!
//! Invariant: a method accepts a request in any form and returns the owned answer.
//! An operation that may or may not stream has a method for each case.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use super::Emitter;
use super::docs::{deprecated, docs_or, line, lines, link_to, wrapped};
use super::form::Form;
use super::scope::{Scope, ident};
use crate::ident::Scope as Names;
use crate::model::{Cost, MessageId, Mode, Operation, Retry, Service};

/// Which of an operation's methods is emitted.
#[derive(Clone, Copy)]
struct MethodKind {
    /// Whether it returns the enum of all possible answers.
    any: bool,
    /// Whether it returns a stream.
    stream: bool,
}

impl Emitter<'_> {
    /// Emits the client of a service.
    pub(super) fn client(&self, scope: &Scope<'_>, service: &Service) -> TokenStream {
        let feature = self.options.client_feature.as_deref();
        let gate = gate(feature);
        scope.behind_feature(feature, || {
            let call = scope.item("client", "Call");
            let [name, parameter] = [ident(&service.name), self.parameter(service, "C")];
            let docs = docs_or(&service.docs, &format!("The client of the service `{}`.", service.name));
            let deprecated = deprecated(service.deprecated);
            let methods = service.operations.iter().map(|operation| self.client_methods(scope, operation));
            // Without operations, nothing reads the field.
            let allow_dead_code = service.operations.is_empty().then(|| quote!(#[allow(dead_code)]));
            quote! {
                #docs
                #gate
                #deprecated
                #[derive(Clone, Copy, Debug)]
                pub struct #name<#parameter> {
                    #allow_dead_code
                    call: #parameter,
                }

                #gate
                impl<#parameter: #call> #name<#parameter> {
                    /// Creates a client that makes its calls through `call`: a connection,
                    /// a pool, a cluster, or a reference to one.
                    pub const fn new(call: #parameter) -> Self {
                        Self { call }
                    }

                    #(#methods)*
                }
            }
        })
    }

    fn client_methods(&self, scope: &Scope<'_>, operation: &Operation) -> TokenStream {
        let response = self.message_type(scope, operation.response, Form::Owned);
        let name = &operation.rust_name;
        let mut methods = TokenStream::new();
        let mut kinds = vec![("", response, false)];
        if !operation.alternatives.is_empty() {
            let answer = ident(&operation.answer_name);
            kinds.push(("_any", quote!(#answer), true));
        }
        for (suffix, answer, any) in kinds {
            let mut method = |suffix: &str, stream| {
                let kind = MethodKind { any, stream };
                methods.extend(self.client_method(
                    scope,
                    operation,
                    &with_suffix(name, suffix),
                    &answer,
                    kind,
                ));
            };
            match operation.mode {
                Mode::Unary => method(suffix, false),
                Mode::Stream { .. } => method(suffix, true),
                Mode::Conditional { .. } => {
                    method(suffix, false);
                    method(&format!("{suffix}_stream"), true);
                }
            }
        }
        methods
    }

    fn client_method(
        &self,
        scope: &Scope<'_>,
        operation: &Operation,
        name: &str,
        answer: &TokenStream,
        kind: MethodKind,
    ) -> TokenStream {
        let request = self.message_type(scope, operation.request, Form::Owned);
        let [result, error] = [scope.prelude("Result"), scope.item("client", "CallError")];
        let docs = self.method_docs(scope, operation, kind);
        let name = ident(name);
        let deprecated = deprecated(operation.deprecated);
        let empty = self.is_empty(operation.request) || operation.bodyless;
        let (parameter, argument) = if empty {
            (TokenStream::new(), quote!(#request::default()))
        } else {
            let trait_name = scope.runtime("Request");
            (quote!(request: impl #trait_name<Owned = #request>), quote!(request))
        };
        let client = scope.runtime("client");
        let (output, function) = if kind.stream {
            let responses = scope.item("client", "Responses");
            (quote!(#responses<#answer>), quote!(#client::stream))
        } else {
            (answer.clone(), quote!(#client::unary))
        };
        quote! {
            #docs
            #deprecated
            pub async fn #name(&self, #parameter) -> #result<#output, #error> {
                #function(&self.call, #argument).await
            }
        }
    }

    /// Reports whether a message has no fields, so that a method needs no parameter.
    fn is_empty(&self, id: MessageId) -> bool {
        self.schema.message(id).fields.is_empty() && !self.is_raw(id)
    }

    /// Emits the documentation of a method: the schema's comment, and the properties
    /// of the operation.
    fn method_docs(&self, scope: &Scope<'_>, operation: &Operation, kind: MethodKind) -> TokenStream {
        let linked = |id| {
            let name = &self.schema.message(id).path.name;
            link_to(name, &self.message_type(scope, id, Form::Owned))
        };
        let mut sentences = vec![format!(
            "Sends {} (code {}), answered by {}{} (code {}).",
            linked(operation.request),
            operation.request_code,
            if kind.stream { "a stream of " } else { "" },
            linked(operation.response),
            operation.response_code,
        )];
        if kind.any {
            sentences.push(format!("Returns any of the possible answers: [`{}`].", operation.answer_name));
        } else if !operation.alternatives.is_empty() {
            let error = scope.item("client", "CallError");
            let error = link_to("CallError::Alternative", &quote!(#error::Alternative));
            sentences.push(format!("Any other of the possible answers is an error: {error}."));
        }
        if operation.cost == Cost::Long {
            sentences.push("May take minutes.".to_owned());
        }
        sentences.push(
            match operation.retry {
                Retry::Safe => "May be repeated.",
                Retry::Never => "Must not be repeated.",
                Retry::IfUnsent => "May be repeated only if it was not sent.",
                Retry::IfContext => "May be repeated only with a causal context.",
            }
            .to_owned(),
        );
        if let Some(since) = &operation.since {
            sentences.push(format!("Since {since}."));
        }
        if let Some(served_by) = &operation.served_by {
            sentences.push(format!("Served by `{served_by}`."));
        }
        let comment = docs_or(&operation.docs, &format!("The operation `{}`.", operation.name));
        let (facts, blank) = (wrapped(&sentences.join(" ")), line(""));
        let errors = lines(
            ["", "# Errors", "", "Returns an error if the call fails or the server answers with an error."]
                .into_iter(),
        );
        quote!(#comment #blank #facts #errors)
    }

    /// Returns the name of a type parameter for a service's items: `letter`, or
    /// another name if `letter` would shadow a type that the service uses.
    pub(super) fn parameter(&self, service: &Service, letter: &str) -> Ident {
        let messages =
            service.operations.iter().flat_map(|operation| [operation.request, operation.response]);
        let names = messages.map(|id| self.schema.message(id).path.name.as_str());
        ident(&Names::with_taken(names.chain([service.name.as_str()])).take(letter))
    }

    /// Returns the code, message and variant name of each possible answer to an
    /// operation. Variants are made unique, since messages of different packages may
    /// have the same name.
    pub(super) fn answer_variants(&self, operation: &Operation) -> Vec<(Literal, MessageId, Ident)> {
        let mut names = Names::new();
        let regular = (operation.response_code, operation.response);
        std::iter::once(regular)
            .chain(operation.alternatives.iter().copied())
            .map(|(code, id)| {
                let variant = names.take(&self.schema.message(id).path.name);
                (Literal::u8_unsuffixed(code), id, ident(&variant))
            })
            .collect()
    }

    /// Emits, for each operation with alternative answers, the enum of all answers.
    pub(super) fn answer_enums(&self, scope: &Scope<'_>, service: &Service) -> TokenStream {
        let operations = service.operations.iter().filter(|operation| !operation.alternatives.is_empty());
        operations.map(|operation| self.answer_enum(scope, service, operation)).collect()
    }

    fn answer_enum(&self, scope: &Scope<'_>, service: &Service, operation: &Operation) -> TokenStream {
        let name = ident(&operation.answer_name);
        let variants: Vec<_> = self
            .answer_variants(operation)
            .into_iter()
            .map(|(code, id, variant)| (code, variant, self.message_type(scope, id, Form::Owned)))
            .collect();
        let docs = line(&format!("The possible answers to `{}.{}`.", service.name, operation.name));
        let members = variants.iter().map(|(code, variant, ty)| {
            let docs = line(&format!("Code {code}."));
            quote!(#docs #variant(#ty),)
        });
        let froms = variants.iter().map(|(_, variant, ty)| {
            let from = scope.prelude("From");
            quote! {
                impl #from<#ty> for #name {
                    fn from(answer: #ty) -> Self {
                        Self::#variant(answer)
                    }
                }
            }
        });
        let reads = variants
            .iter()
            .map(|(code, variant, _)| quote!(#code => frame.decode_within(limits).map(Self::#variant),));
        let [answer, frame, limits, error, kind] =
            ["Answer", "Frame", "DecodeLimits", "DecodeError", "DecodeErrorKind"]
                .map(|name| scope.runtime(name));
        let [result, err] = ["Result", "Err"].map(|name| scope.prelude(name));
        quote! {
            #docs
            #[derive(Clone, Debug, PartialEq)]
            #[non_exhaustive]
            pub enum #name { #(#members)* }

            #(#froms)*

            impl #answer for #name {
                fn from_frame_within(frame: &#frame, limits: &#limits) -> #result<Self, #error> {
                    match frame.code {
                        #(#reads)*
                        code => #err(#error::new(#kind::UnexpectedCode { code }, 0)),
                    }
                }
            }
        }
    }
}

/// Appends a suffix to the name of a method. The result is never a keyword.
pub(super) fn with_suffix(name: &str, suffix: &str) -> String {
    if suffix.is_empty() { name.to_owned() } else { format!("{}{suffix}", name.trim_start_matches("r#")) }
}

/// Emits the `cfg` attribute of items that are gated by a feature.
pub(super) fn gate(feature: Option<&str>) -> TokenStream {
    feature.map(|feature| quote!(#[cfg(feature = #feature)])).unwrap_or_default()
}
