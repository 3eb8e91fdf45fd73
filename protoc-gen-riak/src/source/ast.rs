//! The syntax tree of a `.proto` file, with the place of each element.
//!
//! Invariant: lists are in the order of descriptors. A group is a field and a nested message, a map
//! field is a field and a nested message of kind [`MessageKind::MapEntry`] without content, and the
//! fields of a oneof are among the fields of its message.

use super::text::Span;

/// A name, or several joined by dots, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// The syntax of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syntax {
    Proto2,
    Proto3,
}

#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) syntax: Syntax,
    pub(crate) package: Option<Name>,
    pub(crate) imports: Vec<Import>,
    pub(crate) options: Vec<OptionSet>,
    pub(crate) messages: Vec<Message>,
    pub(crate) enums: Vec<Enum>,
    pub(crate) services: Vec<Service>,
    pub(crate) extensions: Vec<Field>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ImportKind {
    Plain,
    Public,
    Weak,
}

#[derive(Debug, Clone)]
pub(crate) struct Import {
    pub(crate) name: Name,
    pub(crate) kind: ImportKind,
    /// The whole statement.
    pub(crate) span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MessageKind {
    Declared,
    Group,
    /// The implicit nested message of a map field.
    MapEntry,
}

#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) kind: MessageKind,
    pub(crate) name: Name,
    pub(crate) fields: Vec<Field>,
    pub(crate) oneofs: Vec<Oneof>,
    pub(crate) messages: Vec<Message>,
    pub(crate) enums: Vec<Enum>,
    pub(crate) extensions: Vec<Field>,
    pub(crate) extension_ranges: Vec<Range>,
    pub(crate) reserved: Reserved,
    pub(crate) options: Vec<OptionSet>,
}

impl Message {
    /// Creates a message that has only a name.
    pub(crate) fn new(kind: MessageKind, name: Name) -> Self {
        Self {
            kind,
            name,
            fields: Vec::new(),
            oneofs: Vec::new(),
            messages: Vec::new(),
            enums: Vec::new(),
            extensions: Vec::new(),
            extension_ranges: Vec::new(),
            reserved: Reserved::default(),
            options: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    Optional,
    Required,
    Repeated,
}

/// The type of a field, as written.
#[derive(Debug, Clone)]
pub(crate) enum FieldType {
    Scalar(Scalar),
    /// A message or an enum.
    Named(Name),
    /// A group, with the name of its message.
    Group(Name),
    /// A map, with the types of its key and value, which are scalar or named.
    Map(Box<(FieldType, FieldType)>, Span),
}

impl FieldType {
    /// Returns the place of a type that is not scalar.
    pub(crate) fn span(&self) -> Option<Span> {
        match self {
            Self::Scalar(_) => None,
            Self::Named(name) | Self::Group(name) => Some(name.span),
            Self::Map(_, span) => Some(*span),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Scalar {
    Double,
    Float,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Bool,
    String,
    Bytes,
}

impl Scalar {
    const NAMES: [(&'static str, Self); 15] = [
        ("double", Self::Double),
        ("float", Self::Float),
        ("int32", Self::Int32),
        ("int64", Self::Int64),
        ("uint32", Self::Uint32),
        ("uint64", Self::Uint64),
        ("sint32", Self::Sint32),
        ("sint64", Self::Sint64),
        ("fixed32", Self::Fixed32),
        ("fixed64", Self::Fixed64),
        ("sfixed32", Self::Sfixed32),
        ("sfixed64", Self::Sfixed64),
        ("bool", Self::Bool),
        ("string", Self::String),
        ("bytes", Self::Bytes),
    ];

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|&(_, scalar)| scalar)
    }

    pub(crate) fn name(self) -> &'static str {
        // The table has every scalar: a test checks it.
        Self::NAMES.iter().find(|(_, scalar)| *scalar == self).map_or("", |(name, _)| name)
    }

    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        Self::NAMES.iter().map(|(name, _)| *name)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: Name,
    pub(crate) label: Option<(Label, Span)>,
    pub(crate) ty: FieldType,
    pub(crate) number: Number,
    pub(crate) default: Option<(Value, Span)>,
    pub(crate) json_name: Option<(Name, Span)>,
    pub(crate) options: Vec<OptionSet>,
    /// The index of the oneof that contains the field.
    pub(crate) oneof: Option<usize>,
    /// The message that the field extends, if it is an extension.
    pub(crate) extendee: Option<Name>,
}

/// A number and its place. A number that does not fit 64 bits is clamped: it is out of every valid
/// range either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number {
    pub(crate) value: i64,
    pub(crate) span: Span,
}

#[derive(Debug, Clone)]
pub(crate) struct Oneof {
    pub(crate) name: Name,
    pub(crate) options: Vec<OptionSet>,
}

/// A range of numbers, inclusive at both ends.
#[derive(Debug, Clone)]
pub(crate) struct Range {
    pub(crate) start: Number,
    pub(crate) end: RangeEnd,
    pub(crate) span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RangeEnd {
    Number(Number),
    /// `max`, the highest number allowed.
    Max,
}

/// The numbers and names that a message or an enum reserves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reserved {
    pub(crate) ranges: Vec<Range>,
    pub(crate) names: Vec<Name>,
}

#[derive(Debug, Clone)]
pub(crate) struct Enum {
    pub(crate) name: Name,
    pub(crate) values: Vec<EnumValue>,
    pub(crate) reserved: Reserved,
    pub(crate) options: Vec<OptionSet>,
}

#[derive(Debug, Clone)]
pub(crate) struct EnumValue {
    pub(crate) name: Name,
    pub(crate) number: Number,
    pub(crate) options: Vec<OptionSet>,
}

#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) name: Name,
    pub(crate) methods: Vec<Method>,
    pub(crate) options: Vec<OptionSet>,
}

#[derive(Debug, Clone)]
pub(crate) struct Method {
    pub(crate) name: Name,
    pub(crate) input: Name,
    pub(crate) output: Name,
    pub(crate) client_streams: bool,
    pub(crate) server_streams: bool,
    pub(crate) options: Vec<OptionSet>,
    /// Whether the method has a block for options, possibly empty.
    pub(crate) has_block: bool,
    /// The whole declaration, including its options.
    pub(crate) span: Span,
}

/// An option and its value.
#[derive(Debug, Clone)]
pub(crate) struct OptionSet {
    pub(crate) name: Vec<NamePart>,
    pub(crate) value: Value,
    /// The whole statement, or the assignment if it is in brackets.
    pub(crate) span: Span,
    /// The index of the option's location, whose path is known only after its name is resolved. `None`
    /// for options that source code info does not list.
    pub(crate) location: Option<usize>,
}

impl OptionSet {
    /// Reports whether this is the built-in option of that name, and not a part of it.
    pub(crate) fn is_built_in(&self, name: &str) -> bool {
        matches!(self.name.as_slice(), [part] if !part.extension && part.text == name)
    }

    /// Returns the place of the option's name.
    pub(crate) fn name_span(&self) -> Span {
        match (self.name.first(), self.name.last()) {
            (Some(first), Some(last)) => first.span.to(last.span),
            _ => self.span,
        }
    }

    /// Returns the option's name as it is written in a schema.
    pub(crate) fn written_name(&self) -> String {
        let parts: Vec<String> = self.name.iter().map(NamePart::written).collect();
        parts.join(".")
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamePart {
    pub(crate) text: String,
    /// Whether the part names an extension: in parentheses, or in a message value in brackets.
    pub(crate) extension: bool,
    pub(crate) span: Span,
}

impl NamePart {
    pub(crate) fn written(&self) -> String {
        if self.extension { format!("({})", self.text) } else { self.text.clone() }
    }
}

/// The value of an option or a default.
#[derive(Debug, Clone)]
pub(crate) struct Value {
    pub(crate) kind: ValueKind,
    pub(crate) span: Span,
}

impl Value {
    /// Returns the value if it is an integer.
    pub(crate) fn integer(&self) -> Option<i128> {
        match self.kind {
            ValueKind::Int { negative, magnitude } => {
                let magnitude = i128::from(magnitude);
                Some(if negative { -magnitude } else { magnitude })
            }
            _ => None,
        }
    }

    /// Returns the value as a number; 0 if it is not one.
    pub(crate) fn real(&self) -> f64 {
        let (negative, size) = match &self.kind {
            ValueKind::Float(value) => return *value,
            #[allow(clippy::cast_precision_loss, reason = "rounding is intended")]
            ValueKind::Int { negative, magnitude } => (*negative, *magnitude as f64),
            ValueKind::Ident { negative, text } if text == "nan" => (*negative, f64::NAN),
            ValueKind::Ident { negative, .. } => (*negative, f64::INFINITY),
            _ => return 0.0,
        };
        if negative { -size } else { size }
    }

    /// Returns the value as a 32-bit number.
    #[allow(clippy::cast_possible_truncation, reason = "rounding is intended")]
    pub(crate) fn real_32(&self) -> f32 {
        self.real() as f32
    }
}

#[derive(Debug, Clone)]
pub(crate) enum ValueKind {
    /// An identifier; a `-` is allowed only before `inf` and `nan`.
    Ident {
        negative: bool,
        text: String,
    },
    /// An integer of at most 64 bits.
    Int {
        negative: bool,
        magnitude: u64,
    },
    /// A number with a decimal point or an exponent.
    Float(f64),
    Text(Vec<u8>),
    Message(Vec<ValueField>),
    List(Vec<Value>),
}

/// A field of a message value.
#[derive(Debug, Clone)]
pub(crate) struct ValueField {
    pub(crate) name: NamePart,
    pub(crate) value: Value,
    /// The field with its value and the separator that follows.
    pub(crate) span: Span,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scalar_has_its_name() {
        for name in Scalar::names() {
            assert_eq!(Scalar::from_name(name).unwrap().name(), name);
        }
        assert_eq!(Scalar::from_name("map"), None);
    }
}
