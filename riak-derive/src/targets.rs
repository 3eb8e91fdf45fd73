//! Which attributes there are, and where each applies.
//!
//! Invariant: [`ATTRIBUTES`] is the only list. Every attribute is either used by the
//! item that it is attached to, or an error.

use crate::attributes::Attributes;

/// The kind of item that an attribute is attached to. Items that are declared alike but
/// take different attributes are different targets: see [`Target::alike`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Message,
    /// A message with `response`.
    Request,
    Field,
    /// A member with `oneof`.
    OneofMember,
    /// A member with `skip`.
    Skipped,
    /// A member with `unknown`.
    UnknownFields,
    Enum,
    Value,
    /// A variant of an enum with `other`.
    OtherValues,
    Oneof,
    Variant,
    Frames,
    Frame,
}

use Target::{
    Enum, Field, Frame, Frames, Message, Oneof, OneofMember, OtherValues, Request, Skipped, UnknownFields,
    Value, Variant,
};

/// The attributes and their targets, without the wire types.
const ATTRIBUTES: &[(&str, &[Target])] = &[
    ("code", &[Message, Request]),
    ("response", &[Request]),
    ("stream", &[Request]),
    ("done", &[Request]),
    ("stream_if", &[Request]),
    ("retry", &[Request]),
    ("cost", &[Request]),
    ("absent", &[Request]),
    ("bodyless", &[Request]),
    ("tag", &[Field, Variant]),
    ("tags", &[OneofMember]),
    ("key", &[Field]),
    ("default", &[Field]),
    ("packed", &[Field]),
    ("implicit", &[Field]),
    ("other", &[OtherValues]),
    ("rename", &[Message, Request, Field, OneofMember, Enum, Value, Variant]),
    ("skip", &[Skipped]),
    ("unknown", &[UnknownFields]),
    ("auto_tags", &[Message, Request]),
    ("reserved", &[Message, Request]),
    ("borrowed", &[Message, Request]),
    ("owned", &[Message, Request, Oneof]),
    // What kind of type it is: `lib.rs` reports those that do not fit the declaration.
    ("enum", &[Message, Request, Enum]),
    ("oneof", &[Message, Request, OneofMember, Oneof]),
    ("frames", &[Message, Request, Frames]),
    // Refused in any case, with an explanation.
    ("flatten", &[Field, OneofMember, Skipped, UnknownFields]),
    ("with", &[Field, Variant]),
    ("secret", &[Field, Variant]),
    ("timeout", &[Field]),
    ("context", &[Field]),
    ("bucket_type", &[Field]),
    ("crate", &[Message, Request, Enum, Oneof, Frames]),
];

/// The names of wire types in attributes of fields.
pub(crate) const WIRE_TYPES: &[&str] = &[
    "int32", "int64", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64", "sfixed32", "sfixed64",
    "float", "double", "bool", "string", "bytes", "message", "group", "enum",
];

impl Target {
    /// Returns the target that a struct with these attributes is.
    pub(crate) fn of_struct(attributes: &Attributes) -> Self {
        if attributes.get("response").is_some() { Request } else { Message }
    }

    /// Returns the target that a member of a struct with these attributes is.
    pub(crate) fn of_member(attributes: &Attributes) -> Self {
        let marks = [("skip", Skipped), ("unknown", UnknownFields), ("oneof", OneofMember)];
        let marked = marks.into_iter().find(|(mark, _)| attributes.get(mark).is_some());
        marked.map_or(Field, |(_, target)| target)
    }

    /// Returns the target that a variant of an enum with these attributes is.
    pub(crate) fn of_value(attributes: &Attributes) -> Self {
        if attributes.get("other").is_some() { OtherValues } else { Value }
    }

    /// Returns the targets that an item of this kind could be with other attributes.
    fn alike(self) -> &'static [Self] {
        match self {
            Message | Request => &[Message, Request],
            Field | OneofMember | Skipped | UnknownFields => &[Field, OneofMember, Skipped, UnknownFields],
            Value | OtherValues => &[Value, OtherValues],
            Enum => &[Enum],
            Oneof => &[Oneof],
            Variant => &[Variant],
            Frames => &[Frames],
            Frame => &[Frame],
        }
    }

    /// Returns a description for error messages, which covers the targets alike.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Message | Request => "a message",
            Field | OneofMember | Skipped | UnknownFields => "a field",
            Enum => "an enum",
            Value | OtherValues => "an enum's value",
            Oneof => "a oneof",
            Variant => "a variant of a oneof",
            Frames => "a set of frames",
            Frame => "a variant of a set of frames",
        }
    }

    /// Returns the names that an item of this kind may have, without wire types.
    pub(crate) fn names(self) -> impl Iterator<Item = &'static str> {
        let fits = move |targets: &[Self]| targets.iter().any(|target| self.alike().contains(target));
        ATTRIBUTES.iter().filter(move |(_, targets)| fits(targets)).map(|(name, _)| *name)
    }

    /// Returns the names of the wire types that an item of this kind may have.
    pub(crate) fn wire_types(self) -> &'static [&'static str] {
        if self.alike().iter().any(|target| target.has_wire_type()) { WIRE_TYPES } else { &[] }
    }

    fn has_wire_type(self) -> bool {
        matches!(self, Field | Variant)
    }

    /// Reports whether exactly this target takes the attribute.
    pub(crate) fn takes(self, name: &str) -> bool {
        let listed = ATTRIBUTES.iter().any(|(known, targets)| *known == name && targets.contains(&self));
        listed || (self.has_wire_type() && WIRE_TYPES.contains(&name))
    }

    /// Returns the error for an attribute that only a target alike takes.
    pub(crate) fn misplaced(self, name: &str) -> String {
        match self {
            Message => format!("`{name}` is an attribute of requests: add `response = FooResp`"),
            OneofMember if name == "tag" => {
                "a oneof has the numbers of all its fields: write `tags(…)`".to_owned()
            }
            OneofMember if Variant.takes(name) => {
                format!("a oneof cannot have `{name}`, but its fields can: write it at the variant")
            }
            OneofMember => format!("a oneof cannot have `{name}`: remove it"),
            Skipped => format!("a member with `skip` is not a field: remove `{name}`"),
            UnknownFields => format!("a member with `unknown` is not a field: remove `{name}`"),
            OtherValues => format!("the variant with `other` is not a single value: remove `{name}`"),
            Field => {
                format!("only a oneof can have `{name}`: add `oneof`, or remove it")
            }
            _ => format!("{} cannot have `{name}` here: remove it", self.name()),
        }
    }
}
