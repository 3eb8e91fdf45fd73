//! Checks and encodes message values: the fields in the braces of an option's value.
//!
//! Invariant: as in the text format, a group may be written by the name of its message, and a value of
//! `google.protobuf.Any` by the name of its type and the fields of that.

use riak_codegen::suggest::nearest;

use super::Checker;
use super::options::number;
use super::wire::{Encoded, Record};
use crate::source::ast::{Label, Value, ValueField, ValueKind};
use crate::source::types::{FieldInfo, Kind, SymbolKind};

const ANY: &str = "google.protobuf.Any";

/// What precedes the name of a type in a value of any type. protoc knows no other.
const ANY_PREFIXES: [&str; 2] = ["type.googleapis.com", "type.googleprod.com"];

impl Checker<'_> {
    pub(super) fn message_value(
        &mut self,
        scope: &str,
        field: &FieldInfo,
        id: usize,
        value: &Value,
    ) -> Option<Vec<Record>> {
        let ValueKind::Message(fields) = &value.kind else {
            let message = format!(
                "`{}` is a message: write its fields in braces, or set one of them by `{0}.name`",
                field.name
            );
            self.fault(value.span, message);
            return None;
        };
        if let [part] = fields.as_slice()
            && self.types.messages[id].full == ANY
            && part.name.extension
            && let Some((prefix, name)) = part.name.text.split_once('/')
        {
            return self.any_value(scope, part, prefix, name);
        }
        let mut records = Vec::new();
        let mut set: Vec<u32> = Vec::new();
        let mut good = true;
        for part in fields {
            match self.value_field(scope, id, part, &mut set) {
                Some(more) => records.extend(more),
                None => good = false,
            }
        }
        let message = &self.types.messages[id];
        let missing: Vec<String> = message
            .fields
            .iter()
            .filter(|field| field.label == Label::Required && !set.contains(&number(field)))
            .map(|field| format!("`{}`", field.name))
            .collect();
        if !missing.is_empty() {
            let message = format!("`{}` needs {} as well", message.full, missing.join(", "));
            self.fault(value.span, message);
            good = false;
        }
        good.then_some(records)
    }

    fn value_field(
        &mut self,
        scope: &str,
        id: usize,
        part: &ValueField,
        set: &mut Vec<u32>,
    ) -> Option<Vec<Record>> {
        let field = if part.name.extension {
            if part.name.text.contains('/') {
                let message = format!(
                    "`{}` is the type of a value of `{ANY}`, which has no other fields: `{}` cannot have it",
                    part.name.written(),
                    self.types.messages[id].full
                );
                self.fault(part.name.span, message);
                return None;
            }
            self.extension_field(id, scope, &part.name)?
        } else {
            let message = &self.types.messages[id];
            let Some(field) = message.field(&part.name.text).or_else(|| self.group(id, &part.name.text))
            else {
                let names = message.fields.iter().map(|field| field.name.as_str());
                let text = match nearest(&part.name.text, names) {
                    Some(near) => format!(
                        "`{}` has no field `{}`: did you mean `{near}`?",
                        message.full, part.name.text
                    ),
                    None => format!("`{}` has no field `{}`", message.full, part.name.text),
                };
                self.fault(part.name.span, text);
                return None;
            };
            field.clone()
        };
        if set.contains(&number(&field)) && field.label != Label::Repeated {
            let message = format!("`{}` is not repeated: give it one value", field.name);
            self.fault(part.name.span, message);
            return None;
        }
        set.push(number(&field));
        self.encode(scope, &field, &part.value, true)
    }

    /// Returns the group of a message by the name that is written with a capital letter.
    fn group(&self, id: usize, name: &str) -> Option<&FieldInfo> {
        let is_named = |full: &str| full.rsplit('.').next() == Some(name);
        self.types.messages[id].fields.iter().find(|field| match field.kind {
            Kind::Group(group) => is_named(&self.types.messages[group].full),
            _ => false,
        })
    }

    /// Encodes `[type.googleapis.com/name] { fields }`, a value of `google.protobuf.Any`.
    fn any_value(&mut self, scope: &str, part: &ValueField, prefix: &str, name: &str) -> Option<Vec<Record>> {
        if !ANY_PREFIXES.contains(&prefix) {
            let message =
                format!("write `{}/` before the name of the type, and not `{prefix}/`", ANY_PREFIXES[0]);
            self.fault(part.name.span, message);
            return None;
        }
        let Some(SymbolKind::Message(id)) = self.types.kind_of(name) else {
            if self.types.is_complete(self.unit) {
                let message = format!("there is no message `{name}`: write its full name, with its package");
                self.fault(part.name.span, message);
            }
            return None;
        };
        let field = FieldInfo {
            name: part.name.written(),
            number: 2,
            kind: Kind::Message(id),
            label: Label::Optional,
            packed: false,
        };
        let value = self.message_value(scope, &field, id, &part.value)?;
        let url = Encoded::Bytes(part.name.text.clone().into_bytes());
        Some(vec![(1, url), (2, Encoded::Message(value))])
    }
}
