//! Checks the defaults of fields.

use riak_codegen::suggest::nearest;

use super::Checker;
use crate::source::ast::{Field, FieldType, Label, Scalar, Syntax, Value, ValueKind};
use crate::source::types::{EnumInfo, Kind};

/// The largest number of values that a message lists.
const MAX_LISTED: usize = 8;

impl Checker<'_> {
    pub(super) fn default_of(&mut self, field: &Field, kind: Kind) {
        let Some((value, span)) = &field.default else {
            return;
        };
        let name = &field.name.text;
        if self.syntax == Syntax::Proto3 {
            let message = format!("proto3 has no defaults: leave that of `{name}` out, absent means zero");
            return self.fault(*span, message);
        }
        if matches!(field.label, Some((Label::Repeated, _))) || matches!(field.ty, FieldType::Map(..)) {
            let message = format!("`{name}` is repeated and has no default: leave it out");
            return self.fault(*span, message);
        }
        match kind {
            Kind::Scalar(scalar) => {
                if let Some(wanted) = mismatch(scalar, value) {
                    let message = format!(
                        "the default of `{name}` does not fit its type `{}`: write {wanted}",
                        scalar.name()
                    );
                    self.fault(value.span, message);
                }
            }
            Kind::Enum(id) => self.enum_default(name, id, value),
            Kind::Message(_) | Kind::Group(_) => {
                let message = format!("`{name}` is a message and has no default: leave it out");
                self.fault(*span, message);
            }
            Kind::Unknown => {}
        }
    }

    fn enum_default(&mut self, name: &str, id: usize, value: &Value) {
        let declared = &self.types.enums[id];
        let ValueKind::Ident { negative: false, text } = &value.kind else {
            let message = format!(
                "the default of `{name}` does not fit its type: write the name of a value of `{}`",
                declared.full
            );
            return self.fault(value.span, message);
        };
        if !declared.values.iter().any(|(known, _)| known == text) {
            self.fault(value.span, unknown_value(declared, text));
        }
    }
}

/// Returns the message for a name that is none of an enum's values.
pub(super) fn unknown_value(declared: &EnumInfo, name: &str) -> String {
    let known: Vec<&str> = declared.values.iter().map(|(known, _)| known.as_str()).collect();
    let fault = format!("the enum `{}` has no value `{name}`", declared.full);
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("{fault}: did you mean `{near}`?"),
        None if known.len() <= MAX_LISTED => format!("{fault}: write one of `{}`", known.join("`, `")),
        None => fault,
    }
}

/// Returns what to write instead, if a value does not fit a type.
pub(super) fn mismatch(scalar: Scalar, value: &Value) -> Option<&'static str> {
    let (low, high, wanted) = match scalar {
        Scalar::Int32 | Scalar::Sint32 | Scalar::Sfixed32 => {
            (i128::from(i32::MIN), i128::from(i32::MAX), "an integer of 32 bits")
        }
        Scalar::Int64 | Scalar::Sint64 | Scalar::Sfixed64 => {
            (i128::from(i64::MIN), i128::from(i64::MAX), "an integer of 64 bits")
        }
        Scalar::Uint32 | Scalar::Fixed32 => {
            (0, i128::from(u32::MAX), "an integer of 32 bits that is not negative")
        }
        Scalar::Uint64 | Scalar::Fixed64 => {
            (0, i128::from(u64::MAX), "an integer of 64 bits that is not negative")
        }
        Scalar::Bool => {
            let fits = matches!(&value.kind, ValueKind::Ident { negative: false, text }
                if text == "true" || text == "false");
            return (!fits).then_some("`true` or `false`");
        }
        Scalar::Float | Scalar::Double => {
            let fits = match &value.kind {
                ValueKind::Int { .. } | ValueKind::Float(_) => true,
                ValueKind::Ident { text, .. } => text == "inf" || text == "nan",
                _ => false,
            };
            return (!fits).then_some("a number, `inf` or `nan`");
        }
        Scalar::String => {
            let fits = matches!(&value.kind, ValueKind::Text(bytes)
                if std::str::from_utf8(bytes).is_ok());
            return (!fits).then_some("UTF-8 text in quotes");
        }
        Scalar::Bytes => {
            let fits = matches!(value.kind, ValueKind::Text(_));
            return (!fits).then_some("a text in quotes");
        }
    };
    let fits = value.integer().is_some_and(|value| low <= value && value <= high);
    (!fits).then_some(wanted)
}
