//! Conversion of one member of a message or oneof to a field of the model.
//!
//! Invariant: the wire type of the resulting field fits its Rust type, as far as tokens
//! can tell.

use proc_macro2::Span;
use riak_codegen::model::{BytesType, Docs, Field, Kind, Literal, Presence, Type};
use syn::ext::IdentExt;
use syn::{Attribute, Ident, Lit};

use crate::attributes::Attributes;
use crate::errors::Errors;
use crate::numbers::FieldNumbers;
use crate::requirements::Requirements;
use crate::types::{self, Container, RustType, Shape, Value, rust_type, wire_type};

/// A member of a struct, or a variant of a oneof.
pub(crate) struct Member<'m> {
    /// The Rust name: an identifier, or the index in a tuple struct.
    pub(crate) rust_name: String,
    pub(crate) ident: Option<&'m Ident>,
    pub(crate) ty: &'m syn::Type,
    pub(crate) docs: Docs,
    pub(crate) attributes: &'m Attributes,
}

impl Member<'_> {
    /// Returns the span of the member, for errors.
    pub(crate) fn span(&self) -> Span {
        self.ident.map_or_else(|| types::span(self.ty), Ident::span)
    }

    /// Returns the tokens of the member, for errors.
    pub(crate) fn tokens(&self) -> &dyn quote::ToTokens {
        match self.ident {
            Some(ident) => ident,
            None => self.ty,
        }
    }

    /// Returns the protobuf name: the value of `rename`, or else the Rust name.
    pub(crate) fn name(&self, errors: &mut Errors) -> String {
        if let Some(rename) = self.attributes.get("rename") {
            return errors.handle(rename.name("rename = \"name\"", false)).unwrap_or_default();
        }
        self.ident.map_or_else(|| format!("field_{}", self.rust_name), |ident| ident.unraw().to_string())
    }

    /// Returns the field number: the value of `tag`, or else the next one in sequence.
    fn number(
        &self,
        name: &str,
        requirements: &mut Requirements,
        numbers: &mut FieldNumbers,
        errors: &mut Errors,
    ) -> u32 {
        match self.attributes.get("tag") {
            Some(tag) => {
                let Some(number) = errors.handle(tag.number::<u32>("tag = 3")) else { return 0 };
                numbers.claim(number, name, tag, errors);
                number
            }
            None if requirements.auto_tags => numbers.claim_next(name, self.tokens(), errors),
            None => {
                let free = numbers.suggestion();
                let instead = if requirements.in_oneof {
                    "; the message that has the oneof says the number in its `tags(…)`, too"
                } else {
                    ", or `#[riak(skip)]` to leave it off the wire, or `#[riak(auto_tags)]` at the type to count all of \
                     them"
                };
                let text = format!("`{name}` has no field number: write `#[riak(tag = {free})]`{instead}");
                errors.at_span(self.span(), text);
                numbers.claim(free, name, self.tokens(), &mut Errors::default());
                free
            }
        }
    }

    /// Converts the member to a field. Returns `None` if it has errors.
    pub(crate) fn field(
        &self,
        requirements: &mut Requirements,
        numbers: &mut FieldNumbers,
        errors: &mut Errors,
    ) -> Option<Field> {
        let name = self.name(errors);
        numbers.claim_name(&name, self.tokens(), errors);
        let number = self.number(&name, requirements, numbers, errors);
        let with = self.attributes.get("with").and_then(|with| errors.handle(with.path("with = \"module\"")));
        let shape = errors.handle(Shape::of(self.ty, with.is_some()))?;
        let ty = self.value_type(&shape.value, with.is_some(), errors)?;
        let presence = self.presence(&shape, ty, errors)?;
        let kind = self.kind(&shape, ty, presence, errors);
        let is_vec = matches!(types::last_name(shape.value.ty).as_deref(), Some("Vec" | "Box" | "Cow"));
        let bytes = if ty == Type::Bytes && is_vec { BytesType::Vec } else { BytesType::Blob };
        let mut field = Field {
            name,
            rust_name: self.rust_name.clone(),
            number,
            ty,
            presence,
            default: None,
            kind,
            boxed: shape.value.boxed,
            bytes,
            with: None,
            docs: self.docs.clone(),
            deprecated: false,
        };
        field.default = self.default(&mut field, &shape, requirements, errors);
        if let Some(module) = with {
            field.with = requirements.add_foreign(&module, &field, shape.value.ty, errors);
        } else if matches!(ty, Type::Message(_) | Type::Group(_)) {
            requirements.add_message(&shape.value);
        } else if matches!(ty, Type::Enum(_)) {
            requirements.add_enum(&shape.value);
        }
        Some(field)
    }

    /// Returns the type of a single value, if it fits the Rust type.
    fn value_type(&self, value: &Value<'_>, foreign: bool, errors: &mut Errors) -> Option<Type> {
        let inferred = value.rust.wire_types()[0];
        let explicit = self.attributes.wire_type(errors);
        let nested =
            explicit.map_or(value.rust == RustType::Other, |(name, _)| matches!(name, "message" | "group"));
        if value.boxed && !nested {
            errors.at(value.ty, "only messages are in a `Box`: leave it out");
            return None;
        }
        match explicit {
            Some((name, span)) if foreign && matches!(name, "message" | "group" | "enum") => {
                errors.at_span(
                    span,
                    "a module converts to a number, to `bytes` or to `string`: write one of these",
                );
                None
            }
            Some((name, _)) if foreign => Some(wire_type(name)),
            None if foreign => {
                let text =
                    "`with` needs the wire type that the module converts to: such as `uint64` or `bytes`";
                errors.at(&self.attributes.get("with"), text);
                None
            }
            // A message may have the name of a type that the derive knows.
            Some((name @ ("message" | "group" | "enum"), _)) => Some(wire_type(name)),
            Some((name, _)) if value.rust.wire_types().contains(&name) => Some(wire_type(name)),
            Some((name, span)) => {
                let allowed = value.rust.wire_types().join("` or `");
                errors.at_span(
                    span,
                    format!(
                        "`{name}` is written from `{}`, and this is no such type: write `{allowed}`, or leave the wire \
                         type out",
                        rust_type(name)
                    ),
                );
                None
            }
            None if value.rust == RustType::Other => Some(wire_type("message")),
            None => Some(wire_type(inferred)),
        }
    }

    /// Returns the meaning of the field beyond its type.
    fn kind(&self, shape: &Shape<'_>, ty: Type, presence: Presence, errors: &mut Errors) -> Kind {
        let single = matches!(presence, Presence::Required | Presence::Explicit | Presence::Implicit);
        let integer = matches!(rust_type(type_name(ty)), "i32" | "i64" | "u32" | "u64");
        let kinds = [
            ("secret", Kind::Secret, true, ""),
            (
                "timeout",
                Kind::Millis,
                single && integer,
                "an integer: the milliseconds that the server may take",
            ),
            (
                "context",
                Kind::Context,
                presence == Presence::Explicit && ty == Type::Bytes,
                "an `Option` of bytes: what a read gave",
            ),
            (
                "bucket_type",
                Kind::BucketType,
                single && ty == Type::Bytes,
                "bytes: the name of a bucket type",
            ),
        ];
        let inferred = if shape.value.rust == RustType::Quorum { Kind::Quorum } else { Kind::Plain };
        let mut found = inferred;
        for (name, kind, fits, needs) in kinds {
            if !self.attributes.flag(name, errors) {
                continue;
            }
            let entry = self.attributes.get(name);
            if found != inferred {
                errors.at(&entry, format!("a field has one meaning: leave `{name}` out"));
            } else if !fits || (self.attributes.get("with").is_some() && kind != Kind::Secret) {
                errors.at(&entry, format!("`{name}` needs {needs}"));
            }
            found = kind;
        }
        found
    }

    fn presence(&self, shape: &Shape<'_>, ty: Type, errors: &mut Errors) -> Option<Presence> {
        let packed = self.attributes.flag("packed", errors);
        let implicit = self.attributes.flag("implicit", errors);
        let nested = matches!(ty, Type::Message(_) | Type::Group(_));
        let repeated = matches!(shape.container, Container::Vec);
        if packed && (!repeated || nested || matches!(ty, Type::String | Type::Bytes)) {
            let text = "only a `Vec` of numbers, bools or enums can be packed: leave `packed` out";
            errors.at(&self.attributes.get("packed"), text);
        }
        if implicit && (nested || !matches!(shape.container, Container::None)) {
            let text = "`implicit` is for a bare number, text, bytes or enum: leave it out";
            errors.at(&self.attributes.get("implicit"), text);
        }
        if let Some(key) =
            self.attributes.get("key").filter(|_| !matches!(shape.container, Container::Map(_)))
        {
            errors.at(key, "`key` is the wire type of a map's keys, and this is not a map: remove it");
        }
        if ty == wire_type("group") && matches!(shape.container, Container::Map(_)) {
            errors.at_span(self.span(), "a map's values cannot be groups: leave `group` out");
        }
        if let Container::Map(key) = &shape.container {
            return Some(Presence::Map { key: self.key(key, errors)? });
        }
        Some(if implicit { Presence::Implicit } else { shape.container.presence(packed) })
    }

    /// Returns the type of a map's keys.
    fn key(&self, key: &Value<'_>, errors: &mut Errors) -> Option<Type> {
        let fits = |name: &str| !matches!(name, "float" | "double" | "bytes" | "message" | "group" | "enum");
        let explicit = self.attributes.get("key");
        let name = match explicit {
            Some(entry) => errors.handle(entry.word("key = sint32"))?.unraw().to_string(),
            None => key.rust.wire_types()[0].to_owned(),
        };
        if !fits(&name) || key.boxed || !key.rust.wire_types().contains(&name.as_str()) {
            let allowed: Vec<&str> =
                key.rust.wire_types().iter().copied().filter(|name| fits(name)).collect();
            let text = if allowed.is_empty() || key.rust == RustType::Other || key.boxed {
                "a map's keys are integers, bools or `String`s".to_owned()
            } else {
                format!("keys of this type are written as `{}`", allowed.join("` or `"))
            };
            match explicit {
                Some(entry) => errors.at(entry, text),
                None => errors.at(key.ty, text),
            }
            return None;
        }
        Some(wire_type(&name))
    }

    /// Returns the declared default, which the getter returns for an absent field.
    fn default(
        &self,
        field: &mut Field,
        shape: &Shape<'_>,
        requirements: &mut Requirements,
        errors: &mut Errors,
    ) -> Option<Literal> {
        let entry = self.attributes.get("default")?;
        if !matches!(shape.container, Container::Option) || self.ident.is_none() {
            errors.at(
                entry,
                "a default is what an absent field stands for: it needs a named member of type `Option`",
            );
            return None;
        }
        if self.attributes.get("with").is_some() || matches!(field.ty, Type::Message(_) | Type::Group(_)) {
            errors.at(entry, "only a number, a bool, text, bytes or an enum has a default: leave it out");
            return None;
        }
        if matches!(field.ty, Type::Enum(_)) {
            let variant = errors.handle(entry.word("default = \"Variant\""))?;
            field.ty = Type::Enum(requirements.add_enum_value(shape.value.ty, &variant));
            return Some(Literal::Enum(0));
        }
        let (minus, literal) = errors.handle(entry.literal("default = \"…\", or a literal"))?;
        let parsed = default_value(field.ty, minus, &literal);
        if parsed.is_none() {
            errors.at(
                &literal,
                format!("this is not a valid `{}`: write a value of the field's type", type_name(field.ty)),
            );
        }
        parsed
    }
}

/// Parses the default of a type, given as a literal of that type or as a string.
fn default_value(ty: Type, minus: bool, literal: &Lit) -> Option<Literal> {
    let sign = if minus { "-" } else { "" };
    let text = match literal {
        Lit::Str(text) => text.value(),
        Lit::Int(number) => format!("{sign}{}", number.base10_digits()),
        Lit::Float(number) => format!("{sign}{}", number.base10_digits()),
        Lit::Bool(value) => value.value.to_string(),
        Lit::ByteStr(bytes) if ty == Type::Bytes => return Some(Literal::Bytes(bytes.value())),
        _ => return None,
    };
    match ty {
        Type::Int32 | Type::Sint32 | Type::Sfixed32 => {
            text.parse::<i32>().ok().map(|value| Literal::Int(value.into()))
        }
        Type::Int64 | Type::Sint64 | Type::Sfixed64 => text.parse().ok().map(Literal::Int),
        Type::Uint32 | Type::Fixed32 => text.parse::<u32>().ok().map(|value| Literal::Uint(value.into())),
        Type::Uint64 | Type::Fixed64 => text.parse().ok().map(Literal::Uint),
        Type::Float | Type::Double => {
            let value: f64 = text.parse().ok()?;
            // Reject finite numbers that overflow to infinity. An intended infinity is
            // written without digits.
            let range = if ty == Type::Float { f64::from(f32::MAX) } else { f64::MAX };
            let fits = value.is_nan()
                || value.abs() <= range
                || !text.contains(|digit: char| digit.is_ascii_digit());
            fits.then_some(Literal::Float(value))
        }
        Type::Bool => text.parse().ok().map(Literal::Bool),
        Type::String => matches!(literal, Lit::Str(_)).then_some(Literal::Text(text)),
        Type::Bytes => matches!(literal, Lit::Str(_)).then(|| Literal::Bytes(text.into_bytes())),
        Type::Enum(_) | Type::Message(_) | Type::Group(_) => None,
    }
}

/// Returns the protobuf name of a scalar type.
pub(crate) fn type_name(ty: Type) -> &'static str {
    crate::targets::WIRE_TYPES.iter().find(|name| wire_type(name) == ty).copied().unwrap_or("message")
}

/// Returns the doc comment of an item as a schema comment.
pub(crate) fn docs(attributes: &[Attribute]) -> Docs {
    let mut lines = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("doc")) {
        if let syn::Meta::NameValue(value) = &attribute.meta
            && let syn::Expr::Lit(literal) = &value.value
            && let Lit::Str(text) = &literal.lit
        {
            let text = text.value();
            lines.extend(
                text.split('\n').map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned()),
            );
        }
    }
    Docs { lines }
}
