//! Checks that built-in options are set only where they have a meaning.
//!
//! Invariant: each option here exists, and its value has been checked. What it requires of its field or
//! message is all that is left to check.

use super::Checker;
use crate::source::ast::{Field, Label, Message, OptionSet, Scalar, Syntax, ValueKind};
use crate::source::types::{Kind, is_set};

/// The integers that do not fit a number of JavaScript.
const WIDE: [Scalar; 5] = [Scalar::Int64, Scalar::Uint64, Scalar::Sint64, Scalar::Fixed64, Scalar::Sfixed64];

const MESSAGE_SET: &str = "message_set_wire_format";

impl Checker<'_> {
    /// Checks the options of a field or an extension.
    pub(super) fn field_restrictions(&mut self, field: &Field, kind: Kind) {
        let name = &field.name.text;
        for option in ["lazy", "unverified_lazy"] {
            if is_set(&field.options, option) && !matches!(kind, Kind::Message(_) | Kind::Unknown) {
                let message =
                    format!("`{name}` cannot be {option}: only fields with a message as their type can");
                self.fault(field.name.span, message);
            }
        }
        let is_wide = match kind {
            Kind::Scalar(scalar) => WIDE.contains(&scalar),
            _ => kind == Kind::Unknown,
        };
        if let Some(option) = built_in(&field.options, "jstype")
            && !is_wide
            && !matches!(&option.value.kind, ValueKind::Ident { text, .. } if text == "JS_NORMAL")
        {
            let message = format!("`{name}` cannot have a jstype: only fields of 64-bit integers can");
            self.fault(option.name_span(), message);
        }
    }

    /// Checks the options of a message.
    pub(super) fn message_restrictions(&mut self, message: &Message) {
        let name = &message.name.text;
        if let Some(option) = built_in(&message.options, "map_entry") {
            let message = "map_entry is set by protobuf itself: declare a field `map<key, value>` instead";
            self.fault(option.name_span(), message);
        }
        let Some(option) = built_in(&message.options, MESSAGE_SET) else {
            return;
        };
        if !is_set(&message.options, MESSAGE_SET) {
            return;
        }
        if self.syntax == Syntax::Proto3 {
            let message = format!("proto3 has no message sets: leave {MESSAGE_SET} out of `{name}`");
            self.fault(option.name_span(), message);
        } else if let Some(field) = message.fields.first() {
            let message = format!(
                "`{name}` is a message set, which has extensions and no fields: leave `{}` out",
                field.name.text
            );
            self.fault(field.name.span, message);
        }
    }

    /// Checks an extension of a message set: it is one message.
    pub(super) fn message_set_extension(&mut self, field: &Field, kind: Kind, extendee: usize) {
        let target = &self.types.messages[extendee];
        let is_single = matches!(field.label, None | Some((Label::Optional, _)));
        if target.message_set && !(is_single && matches!(kind, Kind::Message(_) | Kind::Unknown)) {
            let message = format!(
                "`{}` is a message set, whose extensions are optional messages: `{}` is none",
                target.full, field.name.text
            );
            self.fault(field.name.span, message);
        }
    }
}

/// Returns the option of a name, if it is set.
fn built_in<'o>(options: &'o [OptionSet], name: &str) -> Option<&'o OptionSet> {
    options.iter().find(|option| option.is_built_in(name))
}
