//! Checks fields and extensions: their numbers, labels, types and options.

use std::collections::HashMap;

use super::{Checker, MAX_FIELD_NUMBER, PROTOBUF_NUMBERS};
use crate::source::ast::{
    Field, FieldType, Label, Message, MessageKind, Name, Range, RangeEnd, Scalar, Syntax,
};
use crate::source::complete::json_name;
use crate::source::types::{Kind, is_set};

impl Checker<'_> {
    pub(super) fn fields_of(&mut self, full: &str, message: &Message) {
        if message.kind == MessageKind::MapEntry {
            return;
        }
        let infos =
            self.types.message_at(self.unit, message.name.span.start).map(|id| &self.types.messages[id]);
        let extension_ranges: Vec<(i64, i64)> =
            infos.map_or_else(Vec::new, |info| info.extension_ranges.clone());
        let mut seen: HashMap<i64, &Name> = HashMap::new();
        for (index, field) in message.fields.iter().enumerate() {
            let kind = infos.and_then(|info| info.fields.get(index)).map_or(Kind::Unknown, |info| info.kind);
            self.field(full, field, kind);
            let number = field.number.value;
            if !self.number(field) {
                continue;
            }
            if let Some(before) = seen.get(&number) {
                let line = self.line(before.span);
                let message = format!(
                    "`{}` has the number {number} of `{}` in line {line}: choose another",
                    field.name.text, before.text
                );
                self.fault(field.number.span, message);
            } else {
                seen.insert(number, &field.name);
            }
            let holds = |range: &&Range| range.start.value <= number && number <= end(range);
            if let Some(range) = message.reserved.ranges.iter().find(holds) {
                let line = self.line(range.span);
                let message = format!(
                    "the number {number} of `{}` is reserved in line {line}: choose another",
                    field.name.text
                );
                self.fault(field.number.span, message);
            }
            if let Some((start, end)) =
                extension_ranges.iter().find(|&&(start, end)| start <= number && number <= end)
            {
                let message = format!(
                    "the number {number} of `{}` is left to extensions, which have {start} to \
                     {end}: choose another",
                    field.name.text
                );
                self.fault(field.number.span, message);
            }
        }
        for field in &message.fields {
            let reserved = message.reserved.names.iter();
            if let Some(name) = reserved.clone().find(|name| name.text == field.name.text) {
                let line = self.line(name.span);
                let message =
                    format!("the name `{}` is reserved in line {line}: choose another", field.name.text);
                self.fault(field.name.span, message);
            }
        }
        if self.syntax == Syntax::Proto3
            && !is_set(&message.options, "deprecated_legacy_json_field_conflicts")
        {
            self.json_names(&message.fields);
        }
        self.reserved_names(&message.reserved.names);
        self.ranges(message, &extension_ranges);
    }

    /// Reports fields that have the same name in JSON, which proto3 forbids. As in protoc, a `json_name` does
    /// not free the name that it replaces.
    fn json_names(&mut self, fields: &[Field]) {
        let mut defaults: HashMap<String, &Name> = HashMap::new();
        let mut names: HashMap<String, &Name> = HashMap::new();
        for field in fields {
            let name = &field.name;
            let default = json_name(&name.text);
            let own = field.json_name.as_ref().map_or_else(|| default.clone(), |(own, _)| own.text.clone());
            let clash = match (defaults.get(&default), names.get(&own)) {
                // Two fields with one name are a fault of their own.
                (Some(before), _) | (_, Some(before)) if before.text == name.text => None,
                (Some(before), _) => Some((*before, &default, "underscores do not count in it: rename one")),
                (None, Some(before)) => Some((*before, &own, "rename one, or choose another json_name")),
                (None, None) => None,
            };
            if let Some((before, json, hint)) = clash {
                let line = self.line(before.span);
                let message = format!(
                    "`{}` has the JSON name `{json}` of `{}` in line {line}: {hint}",
                    name.text, before.text
                );
                self.fault(name.span, message);
            }
            defaults.entry(default).or_insert(name);
            names.entry(own).or_insert(name);
        }
    }

    /// Checks a field number, and returns whether it is valid.
    fn number(&mut self, field: &Field) -> bool {
        let number = field.number.value;
        let name = &field.name.text;
        let message = if number < 1 {
            format!("`{name}` has the number {number}: numbers of fields start at 1")
        } else if number > MAX_FIELD_NUMBER {
            format!("`{name}` has a number that is too high: numbers of fields go up to {MAX_FIELD_NUMBER}")
        } else if PROTOBUF_NUMBERS.contains(&number) {
            format!(
                "`{name}` has the number {number}: protobuf keeps {} to {} for itself",
                PROTOBUF_NUMBERS.start(),
                PROTOBUF_NUMBERS.end()
            )
        } else {
            return true;
        };
        self.fault(field.number.span, message);
        false
    }

    /// Checks what applies to both fields and extensions.
    fn field(&mut self, scope: &str, field: &Field, kind: Kind) {
        let name = &field.name.text;
        let is_map = matches!(field.ty, FieldType::Map(..));
        let proto3 = self.syntax == Syntax::Proto3;
        match field.label {
            Some((_, span)) if is_map => {
                self.fault(span, format!("the map `{name}` takes no label: leave the word before `map` out"));
            }
            Some((Label::Required, span)) if proto3 => {
                let message = format!("proto3 has no required fields: leave `required` out of `{name}`");
                self.fault(span, message);
            }
            None if !proto3 && !is_map && field.oneof.is_none() => {
                let message = format!(
                    "`{name}` has no label: write `optional`, `required` or `repeated` before its \
                     type"
                );
                let at = field.ty.span().unwrap_or(field.name.span);
                self.fault(at, message);
            }
            _ => {}
        }
        if let FieldType::Group(group) = &field.ty
            && proto3
        {
            let message = format!(
                "proto3 has no groups: declare the message `{}` and a field of that type",
                group.text
            );
            self.fault(group.span, message);
        }
        if let FieldType::Map(types, span) = &field.ty {
            self.map(field, types, *span);
            self.map_value(field, kind, *span);
        }
        if proto3
            && let Kind::Enum(id) = kind
            && self.types.enums[id].syntax == Syntax::Proto2
        {
            let message = format!(
                "the enum `{}` is declared in a proto2 file, so unknown values do not fit it: a \
                 proto3 field cannot have it as its type",
                self.types.enums[id].full
            );
            let at = field.ty.span().unwrap_or(field.name.span);
            self.fault(at, message);
        }
        if is_set(&field.options, "packed") && !can_pack(field, kind) {
            let message =
                format!("`{name}` cannot be packed: only repeated fields of numbers, bools and enums can");
            self.fault(field.name.span, message);
        }
        self.default_of(field, kind);
        self.options_of("FieldOptions", scope, &field.options);
        self.field_restrictions(field, kind);
    }

    /// Checks that the values of a map are not an enum whose first value is not 0. An entry without a
    /// value has the enum's first value, which has to be zero as in all other languages.
    fn map_value(&mut self, field: &Field, kind: Kind, span: crate::source::text::Span) {
        let Kind::Message(entry) = kind else { return };
        let value = self.types.messages[entry].fields.iter().find(|field| field.number == 2);
        if let Some(Kind::Enum(id)) = value.map(|field| field.kind)
            && self.types.enums[id].values.first().is_some_and(|(_, number)| *number != 0)
        {
            let message = format!(
                "the enum `{}` starts with another value than 0, so no map can have it as its values, as \
                 `{}` has: put a value 0 first, or wrap it in a message",
                self.types.enums[id].full, field.name.text
            );
            self.fault(span, message);
        }
    }

    fn map(&mut self, field: &Field, types: &(FieldType, FieldType), span: crate::source::text::Span) {
        let name = &field.name.text;
        if field.oneof.is_some() {
            self.fault(span, format!("the map `{name}` cannot stand in a oneof: move it out"));
        }
        if field.extendee.is_some() {
            self.fault(span, format!("the map `{name}` cannot be an extension"));
        }
        let bad = match &types.0 {
            FieldType::Scalar(Scalar::Float) => Some("float"),
            FieldType::Scalar(Scalar::Double) => Some("double"),
            FieldType::Scalar(Scalar::Bytes) => Some("bytes"),
            FieldType::Scalar(_) => None,
            FieldType::Named(name) => Some(name.text.as_str()),
            FieldType::Group(_) | FieldType::Map(..) => Some("map"),
        };
        if let Some(bad) = bad {
            let message = format!(
                "the keys of the map `{name}` cannot be `{bad}`: keys are integers, bools or \
                 strings"
            );
            self.fault(span, message);
        }
    }

    pub(super) fn extension(&mut self, scope: &str, field: &Field) {
        let info =
            self.types.extension_at(self.unit, field.name.span.start).map(|id| &self.types.extensions[id]);
        let kind = info.map_or(Kind::Unknown, |info| info.field.kind);
        self.field(scope, field, kind);
        if let Some((Label::Required, span)) = field.label
            && self.syntax == Syntax::Proto2
        {
            let message = format!("the extension `{}` cannot be required", field.name.text);
            self.fault(span, message);
        }
        if PROTOBUF_NUMBERS.contains(&field.number.value) {
            self.number(field);
        }
        if let Some((_, span)) = field.json_name {
            self.fault(span, "an extension has no json_name: leave it out");
        }
        let Some(info) = info else { return };
        let (Some(extendee), Some(written)) = (info.extendee, &field.extendee) else {
            return;
        };
        let target = &self.types.messages[extendee];
        if self.syntax == Syntax::Proto3 && !is_options(&target.full) {
            let message = format!(
                "proto3 extends only the options of `google/protobuf/descriptor.proto`: `{}` is no \
                 such message",
                target.full
            );
            self.fault(written.span, message);
        }
        self.message_set_extension(field, kind, extendee);
        let number = field.number.value;
        let ranges = &target.extension_ranges;
        if !ranges.iter().any(|&(start, end)| start <= number && number <= end) {
            let allowed: Vec<String> =
                ranges.iter().map(|(start, end)| format!("{start} to {end}")).collect();
            let message = if allowed.is_empty() {
                format!("`{}` leaves no numbers to extensions", target.full)
            } else {
                format!(
                    "the number {number} of `{}` is none that `{}` leaves to extensions: it leaves \
                     {}",
                    field.name.text,
                    target.full,
                    allowed.join(", ")
                )
            };
            self.fault(field.number.span, message);
            return;
        }
        let full = info.full.clone();
        match self.extension_numbers.get(&(extendee, number)) {
            Some(before) if *before != full => {
                let message = format!(
                    "the number {number} of `{}` is that of the extension `{before}`: choose \
                     another",
                    field.name.text
                );
                self.fault(field.number.span, message);
            }
            _ => {
                self.extension_numbers.insert((extendee, number), full);
            }
        }
    }

    /// Reports names that are reserved twice.
    pub(super) fn reserved_names(&mut self, names: &[Name]) {
        for (index, name) in names.iter().enumerate() {
            if names[..index].iter().any(|before| before.text == name.text) {
                self.fault(name.span, format!("the name `{}` is reserved twice: once is enough", name.text));
            }
        }
    }

    /// Reports ranges that are out of bounds, empty or overlapping.
    fn ranges(&mut self, message: &Message, extension_ranges: &[(i64, i64)]) {
        if let Some(first) = message.extension_ranges.first()
            && self.syntax == Syntax::Proto3
        {
            self.fault(first.span, "proto3 has no extension ranges: leave `extensions` out");
        }
        let extensions = message.extension_ranges.iter();
        let extensions = extensions.zip(extension_ranges).map(|(range, &(start, end))| {
            let limit = match range.end {
                // `max` depends on the kind of message.
                RangeEnd::Max => end,
                RangeEnd::Number(_) if is_set(&message.options, "message_set_wire_format") => {
                    i64::from(i32::MAX)
                }
                RangeEnd::Number(_) => MAX_FIELD_NUMBER,
            };
            (range, start, end, limit)
        });
        let reserved = message.reserved.ranges.iter();
        let reserved = reserved.map(|range| (range, range.start.value, end(range), MAX_FIELD_NUMBER));
        let mut all: Vec<_> = extensions.chain(reserved).collect();
        all.sort_by_key(|(range, ..)| range.span.start);
        for (index, &(range, start, end, limit)) in all.iter().enumerate() {
            if start < 1 {
                self.fault(range.span, "numbers of fields start at 1");
            } else if end < start {
                self.fault(range.span, "the range ends before it starts: swap its ends");
            } else if end > limit {
                self.fault(range.span, format!("numbers of fields go up to {limit}"));
            } else if let Some(&(other, ..)) =
                all[..index].iter().find(|&&(_, from, to, _)| from <= to && from <= end && start <= to)
            {
                let line = self.line(other.span);
                self.fault(
                    range.span,
                    format!("the range overlaps with that of line {line}: give a number to one"),
                );
            }
        }
    }
}

fn end(range: &Range) -> i64 {
    match range.end {
        RangeEnd::Number(number) => number.value,
        RangeEnd::Max => MAX_FIELD_NUMBER,
    }
}

fn can_pack(field: &Field, kind: Kind) -> bool {
    let repeated = matches!(field.label, Some((Label::Repeated, _)));
    repeated
        && match kind {
            Kind::Scalar(scalar) => !matches!(scalar, Scalar::String | Scalar::Bytes),
            Kind::Enum(_) | Kind::Unknown => true,
            Kind::Message(_) | Kind::Group(_) => false,
        }
}

/// Reports whether a message is one of the options messages.
pub(crate) fn is_options(full: &str) -> bool {
    full.strip_prefix("google.protobuf.").is_some_and(|name| name.ends_with("Options") && !name.contains('.'))
}
