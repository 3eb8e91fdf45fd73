//! The two forms of a message: owned, and borrowed from the input of decoding.
//!
//! Invariant: both forms have the same members under the same names.

use std::collections::BTreeSet;

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote};

use super::Emitter;
use super::scope::{Scope, ident, path};
use crate::model::{BytesType, Field, Kind, Message, MessageId, Presence, Type};

/// One of the two forms of a message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `Foo`.
    Owned,
    /// `FooRef<'a>`.
    Borrowed,
}

impl Form {
    /// Returns the name of the struct.
    pub(super) fn name(self, message: &Message) -> proc_macro2::Ident {
        ident(match self {
            Self::Owned => &message.path.name,
            Self::Borrowed => &message.ref_name,
        })
    }

    /// Returns `<'a>` for the borrowed form, otherwise nothing.
    pub(super) fn generics(self) -> TokenStream {
        match self {
            Self::Owned => TokenStream::new(),
            Self::Borrowed => quote!(<'a>),
        }
    }

    /// Returns `<'_>` for the borrowed form, otherwise nothing.
    pub(super) fn anonymous_lifetime(self) -> TokenStream {
        match self {
            Self::Owned => TokenStream::new(),
            Self::Borrowed => quote!(<'_>),
        }
    }
}

impl Emitter<'_> {
    /// Returns the type of a message, as a path from `scope`.
    pub(super) fn message_type(&self, scope: &Scope<'_>, id: MessageId, form: Form) -> TokenStream {
        let message = self.schema.message(id);
        match form {
            Form::Owned => scope.type_path(&message.path),
            Form::Borrowed => {
                let path = scope.sibling_path(&message.path, &message.ref_name);
                quote!(#path<'a>)
            }
        }
    }

    /// Returns the type of a single value of a field.
    pub(super) fn value_type(&self, scope: &Scope<'_>, field: &Field, form: Form) -> TokenStream {
        let value = self.rust_type(scope, field.ty, field.bytes, form);
        if field.kind == Kind::Quorum && field.ty == Type::Uint32 {
            return scope.runtime("Quorum");
        }
        if field.boxed {
            let boxed = scope.prelude("Box");
            return quote!(#boxed<#value>);
        }
        value
    }

    /// Returns the Rust type of a protobuf type.
    pub(super) fn rust_type(&self, scope: &Scope<'_>, ty: Type, bytes: BytesType, form: Form) -> TokenStream {
        match ty {
            Type::Int32 | Type::Sint32 | Type::Sfixed32 => quote!(i32),
            Type::Int64 | Type::Sint64 | Type::Sfixed64 => quote!(i64),
            Type::Uint32 | Type::Fixed32 => quote!(u32),
            Type::Uint64 | Type::Fixed64 => quote!(u64),
            Type::Float => quote!(f32),
            Type::Double => quote!(f64),
            Type::Bool => quote!(bool),
            Type::String if form == Form::Borrowed => quote!(&'a str),
            Type::String => scope.prelude("String"),
            Type::Bytes if form == Form::Borrowed => quote!(&'a [u8]),
            Type::Bytes => match bytes {
                BytesType::Blob => scope.runtime("Blob"),
                BytesType::Vec => {
                    let vec = scope.prelude("Vec");
                    quote!(#vec<u8>)
                }
                BytesType::Bytes => quote!(::bytes::Bytes),
            },
            Type::Enum(id) => scope.type_path(&self.schema.enumeration(id).path),
            Type::Message(id) | Type::Group(id) => self.message_type(scope, id, form),
        }
    }

    /// Returns the type of the member that holds a field.
    pub(super) fn member_type(&self, scope: &Scope<'_>, field: &Field, form: Form) -> TokenStream {
        let value = self.value_type(scope, field, form);
        match field.presence {
            Presence::Required | Presence::Implicit => value,
            Presence::Explicit => {
                let option = scope.prelude("Option");
                quote!(#option<#value>)
            }
            Presence::Repeated { .. } => {
                let vec = scope.prelude("Vec");
                quote!(#vec<#value>)
            }
            Presence::Map { key } => {
                let key = self.rust_type(scope, key, field.bytes, form);
                let map = scope.std("::std::collections", "BTreeMap");
                quote!(#map<#key, #value>)
            }
            Presence::Oneof(_) => unreachable!("members of a oneof have no member of their own"),
        }
    }

    /// Returns the type of the member that keeps unknown fields.
    pub(super) fn unknown_type(scope: &Scope<'_>, form: Form) -> TokenStream {
        match form {
            Form::Owned => scope.wire("UnknownFields"),
            Form::Borrowed => {
                let unknown = scope.wire("UnknownFieldsRef");
                quote!(#unknown<'a>)
            }
        }
    }

    /// Returns the type that reads and writes a field's values: [`Field::with`], or
    /// the marker of its wire type.
    pub(super) fn field_marker(scope: &Scope<'_>, field: &Field) -> TokenStream {
        field.with.as_deref().map_or_else(|| Self::marker(scope, field.ty), path)
    }

    /// Returns the marker of a wire type, such as `wire::Uint32`.
    pub(super) fn marker(scope: &Scope<'_>, ty: Type) -> TokenStream {
        scope.wire(match ty {
            Type::Int32 => "Int32",
            Type::Int64 => "Int64",
            Type::Uint32 => "Uint32",
            Type::Uint64 => "Uint64",
            Type::Sint32 => "Sint32",
            Type::Sint64 => "Sint64",
            Type::Fixed32 => "Fixed32",
            Type::Fixed64 => "Fixed64",
            Type::Sfixed32 => "Sfixed32",
            Type::Sfixed64 => "Sfixed64",
            Type::Float => "Float",
            Type::Double => "Double",
            Type::Bool => "Bool",
            Type::String => "Text",
            Type::Bytes => "Bytes",
            Type::Enum(_) => "Enum",
            Type::Message(_) | Type::Group(_) => "Nested",
        })
    }

    /// Reports whether the borrowed form of a message borrows anything, directly or
    /// through nested messages. Recursion alone borrows nothing.
    pub(super) fn borrows(&self, message: &Message) -> bool {
        let mut seen = BTreeSet::new();
        let mut queue = vec![message];
        while let Some(message) = queue.pop() {
            let elsewhere = message.path.root.is_some();
            if elsewhere || message.unknown.is_some() || self.is_raw(self.id(message)) {
                return true;
            }
            for field in &message.fields {
                match field.ty {
                    Type::String | Type::Bytes => return true,
                    _ if matches!(field.presence, Presence::Map { key: Type::String }) => return true,
                    Type::Message(id) | Type::Group(id) if seen.insert(id) => {
                        queue.push(self.schema.message(id));
                    }
                    _ => {}
                }
            }
        }
        false
    }

    /// Reports whether the body of a message is not protobuf.
    pub(super) fn is_raw(&self, id: MessageId) -> bool {
        self.schema.frames.iter().any(|frame| frame.raw && frame.message == Some(id))
    }

    /// Returns the id of a message of this schema.
    pub(super) fn id(&self, message: &Message) -> MessageId {
        let index = self.schema.messages.iter().position(|other| std::ptr::eq(other, message));
        MessageId(index.unwrap_or(usize::MAX))
    }
}

/// Returns the name of the member that holds a field.
pub(super) fn member(field: &Field) -> TokenStream {
    member_token(&field.rust_name)
}

/// Returns a member's name as a token: an identifier, or an index in a tuple struct.
pub(super) fn member_token(rust_name: &str) -> TokenStream {
    match rust_name.parse::<usize>() {
        Ok(index) => Literal::usize_unsuffixed(index).into_token_stream(),
        Err(_) => ident(rust_name).into_token_stream(),
    }
}

/// Returns the name of the member that uses the lifetime, for a borrowed form that
/// borrows nothing.
pub(super) fn lifetime_member(message: &Message) -> proc_macro2::Ident {
    let fields = message.fields.iter().map(|field| field.rust_name.as_str());
    let oneofs = message.oneofs.iter().map(|oneof| oneof.rust_name.as_str());
    ident(&crate::ident::Scope::with_taken(fields.chain(oneofs)).take("lifetime"))
}

/// Returns the name of the member that keeps unknown fields, if there is one.
pub(super) fn unknown_member(message: &Message) -> Option<TokenStream> {
    message.unknown.as_deref().map(member_token)
}
