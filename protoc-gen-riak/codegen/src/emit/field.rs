//! The wire format of a field: its tag, and how its values are delimited.
//!
//! Invariant: a tag combines field number and wire type, as the runtime's
//! primitives expect.

use proc_macro2::{Literal, TokenStream};

use crate::model::{Field, Presence, Type};

/// How a field's values are delimited.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A number, text or bytes.
    Scalar,
    /// A message with a length prefix.
    Message,
    /// A message between a start tag and an end tag.
    Group,
}

impl Shape {
    pub(super) fn of(ty: Type) -> Self {
        match ty {
            Type::Message(_) => Self::Message,
            Type::Group(_) => Self::Group,
            _ => Self::Scalar,
        }
    }

    /// Returns the part that stands for this shape in the names of the runtime's
    /// functions.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Message => "message",
            Self::Group => "group",
        }
    }
}

/// Returns the wire type of a single value.
pub(super) fn wire_type(ty: Type) -> u32 {
    match ty {
        Type::Int32
        | Type::Int64
        | Type::Uint32
        | Type::Uint64
        | Type::Sint32
        | Type::Sint64
        | Type::Bool
        | Type::Enum(_) => 0,
        Type::Fixed64 | Type::Sfixed64 | Type::Double => 1,
        Type::String | Type::Bytes | Type::Message(_) => 2,
        Type::Group(_) => 3,
        Type::Fixed32 | Type::Sfixed32 | Type::Float => 5,
    }
}

/// Reports whether repeated values of this type may be packed.
pub(super) fn packable(ty: Type) -> bool {
    !matches!(wire_type(ty), 2 | 3)
}

/// Returns the tag of a single value, or of a single map entry.
pub(super) fn tag(field: &Field) -> u32 {
    let wire_type = if matches!(field.presence, Presence::Map { .. }) { 2 } else { wire_type(field.ty) };
    field.number << 3 | wire_type
}

/// Returns the tag of a packed run.
pub(super) fn packed_tag(field: &Field) -> u32 {
    delimited_tag(field.number)
}

/// Returns the tag of a value with a length prefix.
pub(super) fn delimited_tag(number: u32) -> u32 {
    number << 3 | 2
}

/// Returns a tag as a hexadecimal literal, which resembles the bytes on the wire.
pub(super) fn hex(tag: u32) -> TokenStream {
    // The formatted number always parses as a literal.
    format!("{tag:#04x}").parse::<Literal>().map_or_else(
        |_| TokenStream::from(proc_macro2::TokenTree::from(Literal::u32_unsuffixed(tag))),
        |literal| TokenStream::from(proc_macro2::TokenTree::from(literal)),
    )
}

/// Returns the tags of key and value inside a map entry.
pub(super) fn entry_tags(key: Type, value: Type) -> [u32; 2] {
    [1 << 3 | wire_type(key), 2 << 3 | wire_type(value)]
}

/// Returns fields in the order in which they are written: by number.
pub(super) fn by_number(fields: &[Field]) -> Vec<&Field> {
    let mut fields: Vec<&Field> = fields.iter().collect();
    fields.sort_by_key(|field| field.number);
    fields
}
