//! `Request` impls: the properties of each operation, as constants.
//!
//! Invariant: both forms of a request have the same properties.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::Emitter;
use super::form::{Form, member};
use super::scope::Scope;
use crate::model::{
    Absent, Cost, ErrorFrame, Field, Kind, Message, MessageId, Mode, Operation, Presence, Retry, Service,
    Type,
};

/// The properties of an operation's answers, as expressions.
pub(super) struct AnswerExprs {
    /// The code of the regular answer.
    pub(super) response: TokenStream,
    pub(super) alternatives: TokenStream,
    pub(super) error: TokenStream,
    pub(super) mode: TokenStream,
}

impl Emitter<'_> {
    /// Emits the `Request` impls of a service's operations.
    pub(super) fn requests(&self, scope: &Scope<'_>, service: &Service) -> TokenStream {
        service.operations.iter().map(|operation| self.request(scope, service, operation)).collect()
    }

    fn request(&self, scope: &Scope<'_>, service: &Service, operation: &Operation) -> TokenStream {
        let request = scope.runtime("Request");
        let owned = self.message_type(scope, operation.request, Form::Owned);
        let response = self.message_type(scope, operation.response, Form::Owned);
        let constant = self.operation_constant(scope, service, operation);
        let operation_type = scope.runtime("Operation");
        let methods = self.request_methods(scope, operation);
        let borrowed = self.options.borrowed.then(|| {
            let message = self.schema.message(operation.request);
            let view = scope.sibling_path(&message.path, &message.ref_name);
            quote! {
                impl #request for #view<'_> {
                    type Owned = #owned;
                    type Response = #response;
                    const OPERATION: &'static #operation_type = #owned::OPERATION;
                    #methods
                }
            }
        });
        quote! {
            impl #request for #owned {
                type Owned = Self;
                type Response = #response;
                const OPERATION: &'static #operation_type = &#constant;
                #methods
            }

            #borrowed
        }
    }

    /// Emits the methods of `Request` that depend on the request's fields.
    pub(super) fn request_methods(&self, scope: &Scope<'_>, operation: &Operation) -> TokenStream {
        let request = self.schema.message(operation.request);
        let mut methods = TokenStream::new();
        if let Mode::Conditional { stream_if, .. } = operation.mode {
            methods.extend(asks_for_stream(scope, &request.fields[stream_if]));
        }
        if let Some(index) = operation.timeout {
            methods.extend(server_timeout(scope, &request.fields[index]));
        }
        if operation.retry == Retry::IfContext {
            methods.extend(has_context(request));
        }
        methods.extend(bucket_type(scope, request));
        methods
    }

    /// Emits the constant with all properties of an operation.
    fn operation_constant(&self, scope: &Scope<'_>, service: &Service, operation: &Operation) -> TokenStream {
        let name = format!("{}.{}", service.name, operation.name);
        let response = Literal::u8_unsuffixed(operation.response_code);
        let alternatives =
            operation.alternatives.iter().map(|answer| self.alternative(scope, operation, *answer));
        let answers = AnswerExprs {
            response: quote!(#response),
            alternatives: quote!(&[#(#alternatives),*]),
            error: self.error_frame(scope, service.error),
            mode: self.mode(scope, operation),
        };
        self.operation(scope, &name, operation, &answers)
    }

    /// Emits the value of type `Operation`.
    pub(super) fn operation(
        &self,
        scope: &Scope<'_>,
        name: &str,
        operation: &Operation,
        answers: &AnswerExprs,
    ) -> TokenStream {
        let AnswerExprs { response, alternatives, error, mode } = answers;
        let item = |name| scope.item("operation", name);
        let operation_type = scope.runtime("Operation");
        let request = Literal::u8_unsuffixed(operation.request_code);
        let (cost_type, retry_type, absent_type) = (item("Cost"), item("Retry"), item("Absent"));
        let cost = match operation.cost {
            Cost::Unary => quote!(#cost_type::Unary),
            Cost::Long => quote!(#cost_type::Long),
        };
        let retry = match operation.retry {
            Retry::Never => quote!(#retry_type::Never),
            Retry::Safe => quote!(#retry_type::Safe),
            Retry::IfUnsent => quote!(#retry_type::IfUnsent),
            Retry::IfContext => quote!(#retry_type::IfContext),
        };
        let absent = match operation.absent {
            Absent::Defaults => quote!(#absent_type::Defaults),
            Absent::NotFound => quote!(#absent_type::NotFound),
            Absent::Ok => quote!(#absent_type::Ok),
            Absent::EmptyList => quote!(#absent_type::EmptyList),
        };
        let (bodyless, handshake) = (operation.bodyless, operation.handshake);
        let [some, none] = ["Some", "None"].map(|name| scope.prelude(name));
        let text = |text: &Option<String>| match text {
            Some(text) => quote!(#some(#text)),
            None => none.clone(),
        };
        let (since, served_by) = (text(&operation.since), text(&operation.served_by));
        let timeout = match operation.timeout {
            Some(index) => {
                let number = self.schema.message(operation.request).fields[index].number;
                let number = Literal::u32_unsuffixed(number);
                quote!(#some(#number))
            }
            None => none.clone(),
        };
        quote! {
            #operation_type {
                name: #name,
                request: #request,
                response: #response,
                alternatives: #alternatives,
                error: #error,
                mode: #mode,
                cost: #cost,
                retry: #retry,
                absent: #absent,
                bodyless: #bodyless,
                handshake: #handshake,
                since: #since,
                served_by: #served_by,
                timeout: #timeout,
            }
        }
    }

    /// Emits an `Option` with the properties of an error frame.
    pub(super) fn error_frame(&self, scope: &Scope<'_>, error: Option<ErrorFrame>) -> TokenStream {
        let [some, none] = ["Some", "None"].map(|name| scope.prelude(name));
        let Some(error) = error else { return none };
        let frame = scope.item("operation", "ErrorFrame");
        let fields = &self.schema.message(error.message).fields;
        let code = Literal::u8_unsuffixed(error.code);
        let text = Literal::u32_unsuffixed(fields[error.text].number);
        let number = match error.number {
            Some(index) => {
                let number = Literal::u32_unsuffixed(fields[index].number);
                quote!(#some(#number))
            }
            None => none,
        };
        quote!(#some(#frame { code: #code, text: #text, number: #number }))
    }

    /// Emits an alternative answer. In a stream, its end flag is the field with the
    /// same name as the end flag of the regular answer.
    fn alternative(
        &self,
        scope: &Scope<'_>,
        operation: &Operation,
        (code, message): (u8, MessageId),
    ) -> TokenStream {
        let alternative = scope.item("operation", "Alternative");
        let code = Literal::u8_unsuffixed(code);
        let [some, none] = ["Some", "None"].map(|name| scope.prelude(name));
        let regular = match operation.mode {
            Mode::Unary => None,
            Mode::Stream { done } | Mode::Conditional { done, .. } => {
                Some(&self.schema.message(operation.response).fields[done].name)
            }
        };
        let fields = &self.schema.message(message).fields;
        let ending = regular.and_then(|name| fields.iter().find(|field| field.name == *name));
        let end = match ending.filter(|field| field.ty == Type::Bool) {
            Some(field) => {
                let end = stream_end(scope, field);
                quote!(#some(#end))
            }
            None => none,
        };
        quote!(#alternative { code: #code, end: #end })
    }

    fn mode(&self, scope: &Scope<'_>, operation: &Operation) -> TokenStream {
        let end = |done: usize| stream_end(scope, &self.schema.message(operation.response).fields[done]);
        self.mode_with(scope, operation, end)
    }

    /// Emits the mode. `end` maps the index of the end flag to an expression of type
    /// `StreamEnd`.
    pub(super) fn mode_with(
        &self,
        scope: &Scope<'_>,
        operation: &Operation,
        end: impl Fn(usize) -> TokenStream,
    ) -> TokenStream {
        let mode = scope.item("operation", "Mode");
        match operation.mode {
            Mode::Unary => quote!(#mode::Unary),
            Mode::Stream { done } => {
                let end = end(done);
                quote!(#mode::Stream(#end))
            }
            Mode::Conditional { done, stream_if } => {
                let end = end(done);
                let number = self.schema.message(operation.request).fields[stream_if].number;
                let number = Literal::u32_unsuffixed(number);
                quote!(#mode::Conditional { end: #end, stream_if: #number })
            }
        }
    }
}

/// Emits the `StreamEnd` for the flag that marks the last answer of a stream.
pub(super) fn stream_end(scope: &Scope<'_>, field: &Field) -> TokenStream {
    let end = scope.item("operation", "StreamEnd");
    let number = Literal::u32_unsuffixed(field.number);
    let when_absent = matches!(field.default, Some(crate::model::Literal::Bool(true)));
    quote!(#end { field: #number, when_absent: #when_absent })
}

/// Emits `Request::asks_for_stream` for the bool field that asks for one.
fn asks_for_stream(scope: &Scope<'_>, field: &Field) -> TokenStream {
    let (option, some) = (scope.prelude("Option"), scope.prelude("Some"));
    let member = member(field);
    let present = field.presence == Presence::Explicit;
    let value = if present { quote!(self.#member) } else { quote!(#some(self.#member)) };
    quote! {
        fn asks_for_stream(&self) -> #option<bool> {
            #value
        }
    }
}

/// Emits `Request::server_timeout` for the field with the milliseconds. Any integer type
/// is allowed; a negative number counts as zero.
fn server_timeout(scope: &Scope<'_>, field: &Field) -> TokenStream {
    let (option, some) = (scope.prelude("Option"), scope.prelude("Some"));
    let (member, duration) = (member(field), scope.std("::core::time", "Duration"));
    let convert = match field.ty {
        Type::Uint32 | Type::Fixed32 => quote!(#duration::from_millis(u64::from(millis))),
        Type::Uint64 | Type::Fixed64 => quote!(#duration::from_millis(millis)),
        _ => quote!(#duration::from_millis(u64::try_from(millis).unwrap_or_default())),
    };
    let value = if field.presence == Presence::Explicit {
        quote!(self.#member.map(|millis| #convert))
    } else {
        quote!({ let millis = self.#member; #some(#convert) })
    };
    quote! {
        fn server_timeout(&self) -> #option<#duration> {
            #value
        }
    }
}

/// Emits `Request::has_context`; `None` if the request has no field for a context.
fn has_context(request: &Message) -> Option<TokenStream> {
    let contexts: Vec<_> = request.fields.iter().filter_map(has_context_expr).collect();
    (!contexts.is_empty()).then(|| {
        quote! {
            fn has_context(&self) -> bool {
                #(#contexts)||*
            }
        }
    })
}

/// Emits `Request::bucket_type`; `None` if the request has no single field for that.
fn bucket_type(scope: &Scope<'_>, request: &Message) -> Option<TokenStream> {
    let is_bucket_type = |field: &&Field| field.kind == Kind::BucketType && field.ty == Type::Bytes;
    let field = request.fields.iter().find(is_bucket_type)?;
    let (option, some) = (scope.prelude("Option"), scope.prelude("Some"));
    let member = member(field);
    let value = match field.presence {
        Presence::Explicit => quote!(self.#member.as_deref()),
        Presence::Required | Presence::Implicit => quote!(#some(&self.#member)),
        Presence::Repeated { .. } | Presence::Map { .. } | Presence::Oneof(_) => return None,
    };
    Some(quote! {
        fn bucket_type(&self) -> #option<&[u8]> {
            #value
        }
    })
}

/// Emits the expression that tells whether the request carries a causal context in
/// this field; `None` if the field cannot hold one. The server treats an empty
/// context as absent, and so does this expression.
fn has_context_expr(field: &Field) -> Option<TokenStream> {
    let member = member(field);
    match field.presence {
        _ if !matches!(field.kind, Kind::VClock | Kind::Context) => None,
        Presence::Explicit => Some(quote!(self.#member.as_ref().is_some_and(|context| !context.is_empty()))),
        Presence::Required | Presence::Implicit => Some(quote!(!self.#member.is_empty())),
        Presence::Repeated { .. } | Presence::Map { .. } | Presence::Oneof(_) => None,
    }
}
