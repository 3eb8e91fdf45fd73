//! Mapping of Rust types to protobuf types, based on their tokens.
//!
//! Invariant: only the last segment of a path counts, and a type of unknown name is a
//! message, unless an attribute says otherwise.

use proc_macro2::Span;
use riak_codegen::model::{Presence, Type};
use syn::{GenericArgument, PathArguments};

/// The error for a field that borrows for `'static`.
const STATIC_LIFETIME: &str = "what is decoded is borrowed from the input: write a lifetime of the type, `struct Foo<'a>`, or a \
                      type that owns its data";

/// The type of a field, split into container and value.
pub(crate) struct Shape<'t> {
    pub(crate) container: Container<'t>,
    pub(crate) value: Value<'t>,
}

/// The container of a field's values.
pub(crate) enum Container<'t> {
    None,
    Option,
    Vec,
    Map(Value<'t>),
}

/// The type of a single value.
pub(crate) struct Value<'t> {
    pub(crate) ty: &'t syn::Type,
    pub(crate) rust: RustType,
    /// Whether the value is a message in a `Box`.
    pub(crate) boxed: bool,
}

/// The Rust types that the derive distinguishes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum RustType {
    I32,
    I64,
    U32,
    U64,
    F32,
    F64,
    Bool,
    Text,
    Bytes,
    Quorum,
    /// A type whose name the derive does not know.
    Other,
}

impl RustType {
    /// Returns the names of the possible wire types, the default first.
    pub(crate) fn wire_types(self) -> &'static [&'static str] {
        match self {
            Self::I32 => &["int32", "sint32", "sfixed32"],
            Self::I64 => &["int64", "sint64", "sfixed64"],
            Self::U32 => &["uint32", "fixed32"],
            Self::U64 => &["uint64", "fixed64"],
            Self::F32 => &["float"],
            Self::F64 => &["double"],
            Self::Bool => &["bool"],
            Self::Text => &["string"],
            Self::Bytes => &["bytes"],
            Self::Quorum => &["uint32"],
            Self::Other => crate::targets::WIRE_TYPES,
        }
    }
}

/// Returns the protobuf type of a name. Messages, groups and enums become placeholders.
pub(crate) fn wire_type(name: &str) -> Type {
    match name {
        "int32" => Type::Int32,
        "int64" => Type::Int64,
        "uint32" => Type::Uint32,
        "uint64" => Type::Uint64,
        "sint32" => Type::Sint32,
        "sint64" => Type::Sint64,
        "fixed32" => Type::Fixed32,
        "fixed64" => Type::Fixed64,
        "sfixed32" => Type::Sfixed32,
        "sfixed64" => Type::Sfixed64,
        "float" => Type::Float,
        "double" => Type::Double,
        "bool" => Type::Bool,
        "string" => Type::String,
        "bytes" => Type::Bytes,
        "enum" => Type::Enum(crate::placeholders::PLACEHOLDER_ENUM),
        "group" => Type::Group(crate::placeholders::PLACEHOLDER_MESSAGE),
        _ => Type::Message(crate::placeholders::PLACEHOLDER_MESSAGE),
    }
}

/// Returns the usual Rust type of a wire type.
pub(crate) fn rust_type(wire: &str) -> &'static str {
    match wire {
        "int32" | "sint32" | "sfixed32" => "i32",
        "int64" | "sint64" | "sfixed64" => "i64",
        "uint32" | "fixed32" => "u32",
        "uint64" | "fixed64" => "u64",
        "float" => "f32",
        "double" => "f64",
        "bool" => "bool",
        "string" => "String",
        "bytes" => "Blob",
        _ => "message",
    }
}

impl Container<'_> {
    /// Returns the presence of a field in this container, before attributes.
    pub(crate) fn presence(&self, packed: bool) -> Presence {
        match self {
            Self::None => Presence::Required,
            Self::Option => Presence::Explicit,
            Self::Vec => Presence::Repeated { packed },
            Self::Map(_) => Presence::Map { key: Type::Int32 },
        }
    }
}

impl<'t> Shape<'t> {
    /// Splits the type of a member. With `foreign`, its values may be of any type, since
    /// a module converts them.
    pub(crate) fn of(ty: &'t syn::Type, foreign: bool) -> syn::Result<Self> {
        let ty = ungroup(ty);
        let known = last_segment(ty);
        let arguments = known.map(arguments).unwrap_or_default();
        let single = |container: Container<'t>, inner: &'t syn::Type| -> syn::Result<Self> {
            if !foreign {
                reject_container(inner)?;
            }
            Ok(Self { container, value: value(inner, foreign)? })
        };
        match (known.map(|segment| segment.ident.to_string()).as_deref(), arguments.as_slice()) {
            (Some("Option"), [inner]) => single(Container::Option, inner),
            (Some("Vec"), [inner]) if foreign || !is_byte(inner) => single(Container::Vec, inner),
            (Some("BTreeMap" | "HashMap"), [key, of, ..]) => {
                reject_container(of)?;
                let key = value(key, false)?;
                Ok(Self { container: Container::Map(key), value: value(of, foreign)? })
            }
            _ => Ok(Self { container: Container::None, value: value(ty, foreign)? }),
        }
    }
}

impl Shape<'_> {
    /// Reports whether the derive knows the type or its container by name.
    pub(crate) fn is_known(&self) -> bool {
        self.value.rust != RustType::Other || !matches!(self.container, Container::None)
    }
}

/// Classifies the type of a single value.
pub(crate) fn value(ty: &syn::Type, foreign: bool) -> syn::Result<Value<'_>> {
    let ty = ungroup(ty);
    let found = |rust| Value { ty, rust, boxed: false };
    if foreign {
        return Ok(found(RustType::Other));
    }
    match ty {
        syn::Type::Path(path) => {
            let Some(segment) = path.path.segments.last() else { return Ok(found(RustType::Other)) };
            named_type(ty, segment)
        }
        syn::Type::Reference(reference) => {
            let rust = match ungroup(&reference.elem) {
                syn::Type::Slice(slice) if is_byte(&slice.elem) => RustType::Bytes,
                inner if is_named(inner, "str") => RustType::Text,
                _ => {
                    let text = "of what is borrowed, a field can be `&'a [u8]` or `&'a str`; a borrowed message \
                                is a type with a lifetime of its own, such as `FooRef<'a>`";
                    return Err(syn::Error::new_spanned(ty, text));
                }
            };
            if reference.lifetime.is_none() {
                let text = "a borrowed field needs a lifetime: write `&'a`, and declare `'a` behind the name of \
                            the type: `struct Foo<'a>`";
                return Err(syn::Error::new_spanned(ty, text));
            }
            if let Some(lifetime) = reference.lifetime.as_ref().filter(|lifetime| lifetime.ident == "static")
            {
                return Err(syn::Error::new_spanned(lifetime, STATIC_LIFETIME));
            }
            if let Some(mutability) = &reference.mutability {
                return Err(syn::Error::new_spanned(
                    mutability,
                    "a decoded field cannot be changed: leave `mut` out",
                ));
            }
            Ok(found(rust))
        }
        syn::Type::Array(array) if is_byte(&array.elem) => Err(syn::Error::new_spanned(
            ty,
            "protobuf has no arrays: write `Blob` or `Vec<u8>`, or `bytes, with = \"module\"` with a module that \
             checks the length",
        )),
        syn::Type::Tuple(tuple) if tuple.elems.is_empty() => Err(syn::Error::new_spanned(
            ty,
            "protobuf has no such type: for an empty message, derive one from `struct Foo;`",
        )),
        _ => Err(syn::Error::new_spanned(
            ty,
            "protobuf has no such type: write a type that it has, or name a module that converts this one: \
             `with = \"module\"`",
        )),
    }
}

/// Classifies a path by its last segment.
fn named_type<'t>(ty: &'t syn::Type, segment: &'t syn::PathSegment) -> syn::Result<Value<'t>> {
    let found = |rust| Ok(Value { ty, rust, boxed: false });
    let instead = |known: &str| {
        let text = format!("protobuf has no type for `{}`: write `{known}`", segment.ident);
        Err(syn::Error::new_spanned(ty, text))
    };
    let arguments = arguments(segment);
    match (segment.ident.to_string().as_str(), arguments.as_slice()) {
        ("i32", []) => found(RustType::I32),
        ("i64", []) => found(RustType::I64),
        ("u32", []) => found(RustType::U32),
        ("u64", []) => found(RustType::U64),
        ("f32", []) => found(RustType::F32),
        ("f64", []) => found(RustType::F64),
        ("bool", []) => found(RustType::Bool),
        ("String", []) => found(RustType::Text),
        ("Blob" | "Bytes", []) => found(RustType::Bytes),
        ("Quorum", []) => found(RustType::Quorum),
        ("i8" | "i16", []) => instead("i32"),
        ("u8" | "u16", []) => instead("u32"),
        ("isize" | "i128", []) => instead("i64"),
        ("usize" | "u128", []) => instead("u64"),
        ("char", []) => instead("String"),
        ("str", []) => instead("&'a str"),
        ("Vec", [inner]) if is_byte(inner) => found(RustType::Bytes),
        ("Box", [inner]) => match ungroup(inner) {
            syn::Type::Slice(slice) if is_byte(&slice.elem) => found(RustType::Bytes),
            inner if is_named(inner, "str") => found(RustType::Text),
            inner => {
                // An attribute may still say that the inner type is a message.
                let value = value(inner, false)?;
                if value.boxed {
                    return Err(syn::Error::new_spanned(ty, "only messages are in a `Box`: leave it out"));
                }
                Ok(Value { ty, boxed: true, ..value })
            }
        },
        ("Cow", [inner]) => {
            if lifetimes(segment).next().is_none() {
                let text = "a borrowed field needs a lifetime: write `Cow<'a, …>`, and declare `'a` behind the \
                            name of the type: `struct Foo<'a>`";
                return Err(syn::Error::new_spanned(ty, text));
            }
            if lifetimes(segment).any(|lifetime| lifetime.ident == "static") {
                return Err(syn::Error::new_spanned(ty, STATIC_LIFETIME));
            }
            match ungroup(inner) {
                syn::Type::Slice(slice) if is_byte(&slice.elem) => found(RustType::Bytes),
                inner if is_named(inner, "str") => found(RustType::Text),
                _ => Err(syn::Error::new_spanned(ty, "a `Cow` is one of `[u8]` or of `str`")),
            }
        }
        ("HashSet" | "BTreeSet" | "VecDeque" | "LinkedList", [_]) => Err(syn::Error::new_spanned(
            ty,
            "a repeated field is a `Vec`: protobuf keeps order, and repetitions",
        )),
        ("Rc" | "Arc" | "Mutex" | "RwLock" | "RefCell" | "Cell", [_]) => {
            let text = "a message owns its fields or borrows from its input: write the type that is inside, or \
                        `skip` the member";
            Err(syn::Error::new_spanned(ty, text))
        }
        _ => found(RustType::Other),
    }
}

/// Returns an error for a container inside a container.
fn reject_container(ty: &syn::Type) -> syn::Result<()> {
    let Some(segment) = last_segment(ungroup(ty)) else { return Ok(()) };
    let arguments = arguments(segment);
    match (segment.ident.to_string().as_str(), arguments.as_slice()) {
        ("Vec", [inner]) if is_byte(inner) => Ok(()),
        ("Option" | "Vec" | "BTreeMap" | "HashMap", [_, ..]) => {
            let text = format!(
                "protobuf has no `{}` in here: an empty list is one that is absent; for lists of lists, nest a \
                 message that has a list",
                segment.ident
            );
            Err(syn::Error::new_spanned(ty, text))
        }
        _ => Ok(()),
    }
}

/// Strips parentheses and invisible groups from a type.
fn ungroup(ty: &syn::Type) -> &syn::Type {
    match ty {
        syn::Type::Paren(inner) => ungroup(&inner.elem),
        syn::Type::Group(inner) => ungroup(&inner.elem),
        ty => ty,
    }
}

fn last_segment(ty: &syn::Type) -> Option<&syn::PathSegment> {
    match ty {
        syn::Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

/// Returns the last segment's name of a type's path.
pub(crate) fn last_name(ty: &syn::Type) -> Option<String> {
    last_segment(ungroup(ty)).map(|segment| segment.ident.to_string())
}

/// Reports whether a type is the one called `name`, or has it among its arguments.
///
/// A name after `::` belongs to another item: `I::Item` does not refer to a type `Item`.
pub(crate) fn refers_to(ty: &syn::Type, name: &syn::Ident) -> bool {
    let syn::Type::Path(path) = ungroup(ty) else { return false };
    let single = path.qself.is_none() && path.path.leading_colon.is_none() && path.path.segments.len() == 1;
    single && path.path.segments[0].ident == *name
        || last_segment(ungroup(ty))
            .is_some_and(|last| arguments(last).into_iter().any(|ty| refers_to(ty, name)))
}

fn arguments(segment: &syn::PathSegment) -> Vec<&syn::Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return Vec::new() };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    types.collect()
}

fn lifetimes(segment: &syn::PathSegment) -> impl Iterator<Item = &syn::Lifetime> {
    let arguments = match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
        _ => None,
    };
    arguments.into_iter().flatten().filter_map(|argument| match argument {
        GenericArgument::Lifetime(lifetime) => Some(lifetime),
        _ => None,
    })
}

fn is_byte(ty: &syn::Type) -> bool {
    is_named(ty, "u8")
}

/// Reports whether the last segment of a type has this name and no arguments.
fn is_named(ty: &syn::Type, name: &str) -> bool {
    last_segment(ungroup(ty)).is_some_and(|last| last.ident == name && last.arguments.is_none())
}

/// Returns the span of a type.
pub(crate) fn span(ty: &syn::Type) -> Span {
    syn::spanned::Spanned::span(ty)
}
