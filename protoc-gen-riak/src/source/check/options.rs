//! Checks that options exist and that their values fit, and encodes them.

use std::collections::HashMap;

use riak_codegen::suggest::nearest;

use super::Checker;
use super::defaults::{mismatch, unknown_value};
use super::wire::{self, Encoded, Record};
use crate::source::ast::{Label, NamePart, OptionSet, Scalar, Value, ValueKind};
use crate::source::types::{FieldInfo, Kind, Lookup, SymbolKind};

/// The options of `riak_options.proto`, which a schema that uses them may have forgotten to import.
const OWN_OPTIONS: [&str; 5] = ["riak.operation", "riak.error", "riak.field", "riak.code", "riak.kind"];

/// A resolved option.
#[derive(Debug, Clone)]
pub(crate) struct Resolved {
    /// The field numbers, outermost first, and the index of the value if the last field is repeated.
    pub(crate) path: Vec<i32>,
    /// The encoded field of the options message.
    pub(crate) records: Vec<Record>,
}

/// All resolved options, by unit and the offset at which an option starts.
#[derive(Debug, Default)]
pub(crate) struct Options {
    resolved: HashMap<(usize, usize), Resolved>,
}

impl Options {
    pub(crate) fn get(&self, unit: usize, option: &OptionSet) -> Option<&Resolved> {
        self.resolved.get(&(unit, option.span.start))
    }
}

/// Returns what an options message applies to, for error messages.
fn option_owner(options: &str) -> &str {
    match options {
        "FileOptions" => "a file",
        "MessageOptions" => "a message",
        "FieldOptions" => "a field",
        "OneofOptions" => "a oneof",
        "EnumOptions" => "an enum",
        "EnumValueOptions" => "an enum value",
        "ServiceOptions" => "a service",
        "MethodOptions" => "a method",
        other => other,
    }
}

impl Checker<'_> {
    /// Checks the options of one element, which is in the given scope.
    pub(super) fn options_of(&mut self, kind: &str, scope: &str, options: &[OptionSet]) {
        if options.is_empty() {
            return;
        }
        let Some(SymbolKind::Message(message)) = self.types.kind_of(&format!("google.protobuf.{kind}"))
        else {
            // The user's include directories have a descriptor.proto without options messages.
            let message = "`google/protobuf/descriptor.proto` in the include directories declares \
                           no such options: remove that file";
            return self.fault(options[0].name_span(), message);
        };
        let mut set: Vec<Vec<i32>> = Vec::new();
        let mut counts: HashMap<Vec<i32>, i32> = HashMap::new();
        for option in options {
            let Some((fields, mut path)) = self.option_fields(kind, message, scope, option) else {
                continue;
            };
            let Some(last) = fields.last() else { continue };
            if last.label == Label::Repeated {
                let count = counts.entry(path.clone()).or_default();
                path.push(*count);
                *count += 1;
            } else if set.iter().any(|before| before.starts_with(&path) || path.starts_with(before)) {
                let message = format!("the option `{}` is already set", option.written_name());
                self.fault(option.name_span(), message);
                continue;
            } else {
                set.push(path.clone());
            }
            let Some(mut records) = self.encode(scope, last, &option.value, false) else {
                continue;
            };
            for outer in fields.iter().rev().skip(1) {
                let nested = match outer.kind {
                    Kind::Group(_) => Encoded::Group(records),
                    _ => Encoded::Message(records),
                };
                records = vec![(number(outer), nested)];
            }
            let key = (self.unit, option.span.start);
            self.options.resolved.insert(key, Resolved { path, records });
        }
    }

    /// Resolves the parts of an option's name to fields.
    fn option_fields(
        &mut self,
        kind: &str,
        message: usize,
        scope: &str,
        option: &OptionSet,
    ) -> Option<(Vec<FieldInfo>, Vec<i32>)> {
        if let [first, ..] = option.name.as_slice()
            && !first.extension
            && first.text == "features"
        {
            self.fault(first.span, "features are for editions: proto2 and proto3 have none");
            return None;
        }
        let mut fields: Vec<FieldInfo> = Vec::new();
        let mut within = message;
        for part in &option.name {
            if let Some(outer) = fields.last() {
                within = match outer.kind {
                    Kind::Message(id) | Kind::Group(id) if outer.label != Label::Repeated => id,
                    Kind::Unknown => return None,
                    _ => {
                        let message = format!(
                            "`{}` is no single message, so it has no `{}` to set",
                            outer.name,
                            part.written()
                        );
                        self.fault(part.span, message);
                        return None;
                    }
                };
            }
            let owner = if fields.is_empty() {
                option_owner(kind).to_owned()
            } else {
                format!("`{}`", self.types.messages[within].full)
            };
            fields.push(self.option_field(&owner, within, scope, part)?);
        }
        let path = fields.iter().map(|field| number(field).cast_signed()).collect();
        Some((fields, path))
    }

    /// Resolves one part of an option's name to a field or extension of a message.
    fn option_field(
        &mut self,
        owner: &str,
        within: usize,
        scope: &str,
        part: &NamePart,
    ) -> Option<FieldInfo> {
        if part.extension {
            return self.extension_field(within, scope, part);
        }
        let message = &self.types.messages[within];
        if part.text != "uninterpreted_option"
            && let Some(field) = message.field(&part.text)
        {
            return Some(field.clone());
        }
        let names = message.fields.iter().map(|field| field.name.as_str());
        let names = names.filter(|name| *name != "uninterpreted_option");
        let message = match nearest(&part.text, names) {
            Some(near) => format!("there is no option `{}` of {owner}: did you mean `{near}`?", part.text),
            None if self.declared_extension(&part.text) => format!(
                "there is no option `{0}` of {owner}: write `({0})`, in parentheses, for one that \
                 a schema declares",
                part.text
            ),
            None => format!("there is no option `{}` of {owner}", part.text),
        };
        self.fault(part.span, message);
        None
    }

    fn declared_extension(&self, name: &str) -> bool {
        let last = |full: &str| full.rsplit('.').next() == Some(name);
        self.types.extensions.iter().any(|known| last(&known.full))
    }

    pub(super) fn extension_field(
        &mut self,
        within: usize,
        scope: &str,
        part: &NamePart,
    ) -> Option<FieldInfo> {
        let found = self.types.lookup_any(self.unit, scope, &part.text);
        let target = &self.types.messages[within].full;
        match found {
            Lookup::Found(SymbolKind::Extension(id)) => {
                let extension = &self.types.extensions[id];
                let extendee = extension.extendee?;
                if extendee == within {
                    return Some(extension.field.clone());
                }
                let message = format!(
                    "`{}` extends `{}`, so it cannot stand here, where `{target}` is meant",
                    part.written(),
                    self.types.messages[extendee].full
                );
                self.fault(part.span, message);
            }
            Lookup::Nothing if self.types.is_complete(self.unit) => {
                let last = part.text.rsplit('.').next().unwrap_or_default();
                let known: Vec<&str> = self
                    .types
                    .extensions
                    .iter()
                    .filter(|known| known.extendee == Some(within))
                    .map(|known| known.full.as_str())
                    .collect();
                let lasts = known.iter().map(|full| full.rsplit('.').next().unwrap_or(full));
                let lasts: Vec<&str> = lasts.collect();
                let meant = nearest(last, lasts.iter().copied())
                    .and_then(|near| lasts.iter().position(|last| *last == near));
                let message = match meant {
                    Some(index) => {
                        format!("there is no option `{}`: did you mean `({})`?", part.written(), known[index])
                    }
                    None if OWN_OPTIONS.contains(&part.text.trim_start_matches('.')) => {
                        format!("there is no option `{}`: import `riak_options.proto`", part.written())
                    }
                    None => format!(
                        "there is no option `{}`: declare it, or import the file that declares it",
                        part.written()
                    ),
                };
                self.fault(part.span, message);
            }
            found => {
                let wanted = "an extension";
                if let Some(why) = self.types.lookup_fault(self.unit, scope, &part.text, &found, wanted) {
                    self.fault(part.span, why);
                }
            }
        }
        None
    }

    /// Encodes the value of a field. `in_message` says that the value is inside a message value, where
    /// lists and some other spellings are allowed.
    pub(super) fn encode(
        &mut self,
        scope: &str,
        field: &FieldInfo,
        value: &Value,
        in_message: bool,
    ) -> Option<Vec<Record>> {
        if let ValueKind::List(items) = &value.kind {
            if field.label != Label::Repeated {
                let message = format!("`{}` is not repeated: give it one value", field.name);
                self.fault(value.span, message);
                return None;
            }
            let mut records = Vec::new();
            let mut good = true;
            for item in items {
                if matches!(item.kind, ValueKind::List(_)) {
                    self.fault(item.span, "a list cannot stand in a list");
                    good = false;
                    continue;
                }
                match self.encode(scope, field, item, in_message) {
                    Some(more) => records.extend(more),
                    None => good = false,
                }
            }
            return good.then_some(records);
        }
        let encoded = match field.kind {
            Kind::Scalar(scalar) => self.scalar(field, scalar, value, in_message)?,
            Kind::Enum(id) => self.enum_value(id, value, in_message)?,
            Kind::Message(id) => Encoded::Message(self.message_value(scope, field, id, value)?),
            Kind::Group(id) => Encoded::Group(self.message_value(scope, field, id, value)?),
            Kind::Unknown => return None,
        };
        let encoded = if field.packed { Encoded::Packed(Box::new(encoded)) } else { encoded };
        Some(vec![(number(field), encoded)])
    }

    fn scalar(
        &mut self,
        field: &FieldInfo,
        scalar: Scalar,
        value: &Value,
        in_message: bool,
    ) -> Option<Encoded> {
        if scalar == Scalar::Bool && in_message {
            let value = match &value.kind {
                ValueKind::Ident { text, .. } if matches!(text.as_str(), "t" | "True") => Some(1),
                ValueKind::Ident { text, .. } if matches!(text.as_str(), "f" | "False") => Some(0),
                ValueKind::Int { negative: false, magnitude: value @ (0 | 1) } => Some(*value),
                _ => None,
            };
            if let Some(value) = value {
                return Some(Encoded::Varint(value));
            }
        }
        if let Some(wanted) = mismatch(scalar, value) {
            let message = format!(
                "the value of `{}` does not fit its type `{}`: write {wanted}",
                field.name,
                scalar.name()
            );
            self.fault(value.span, message);
            return None;
        }
        Some(wire::scalar(scalar, value))
    }

    fn enum_value(&mut self, id: usize, value: &Value, in_message: bool) -> Option<Encoded> {
        let declared = &self.types.enums[id];
        let number = match &value.kind {
            ValueKind::Ident { negative: false, text } => {
                declared.values.iter().find(|(name, _)| name == text).map(|(_, number)| *number)
            }
            ValueKind::Int { .. } if in_message => value
                .integer()
                .and_then(|value| i64::try_from(value).ok())
                .filter(|value| declared.values.iter().any(|(_, number)| number == value)),
            _ => None,
        };
        if let Some(number) = number {
            return Some(Encoded::Varint(number.cast_unsigned()));
        }
        let message = match &value.kind {
            ValueKind::Ident { text, .. } => unknown_value(declared, text),
            _ => format!("write the name of a value of the enum `{}`", declared.full),
        };
        self.fault(value.span, message);
        None
    }
}

/// Returns the number of a field. A number that does not fit is reported elsewhere.
pub(super) fn number(field: &FieldInfo) -> u32 {
    u32::try_from(field.number).unwrap_or_default()
}
