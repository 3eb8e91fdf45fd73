//! Built-in options that are newer than `protobuf`'s descriptors.
//!
//! Schemas that use them are valid, so the checks have to know them. In descriptors they are unknown
//! fields.

use super::{EnumInfo, FieldInfo, Kind, Label, Scalar, SymbolKind, Syntax, Types};

const BOOL: Kind = Kind::Scalar(Scalar::Bool);

/// Bool options: message, name and number.
const FLAGS: [(&str, &str, i64); 5] = [
    ("FieldOptions", "unverified_lazy", 15),
    ("FieldOptions", "debug_redact", 16),
    ("EnumValueOptions", "debug_redact", 3),
    ("MessageOptions", "deprecated_legacy_json_field_conflicts", 11),
    ("EnumOptions", "deprecated_legacy_json_field_conflicts", 6),
];

const RETENTION: [&str; 3] = ["RETENTION_UNKNOWN", "RETENTION_RUNTIME", "RETENTION_SOURCE"];

const TARGETS: [&str; 10] = [
    "TARGET_TYPE_UNKNOWN",
    "TARGET_TYPE_FILE",
    "TARGET_TYPE_EXTENSION_RANGE",
    "TARGET_TYPE_MESSAGE",
    "TARGET_TYPE_FIELD",
    "TARGET_TYPE_ONEOF",
    "TARGET_TYPE_ENUM",
    "TARGET_TYPE_ENUM_ENTRY",
    "TARGET_TYPE_SERVICE",
    "TARGET_TYPE_METHOD",
];

impl Types {
    /// Adds the options that `protobuf`'s descriptors lack.
    pub(super) fn add_newer_options(&mut self) {
        for (message, name, number) in FLAGS {
            self.add_option(message, name, number, BOOL, Label::Optional);
        }
        let retention = self.add_values("OptionRetention", &RETENTION);
        let targets = self.add_values("OptionTargetType", &TARGETS);
        self.add_option("FieldOptions", "retention", 17, retention, Label::Optional);
        self.add_option("FieldOptions", "targets", 19, targets, Label::Repeated);
    }

    fn add_values(&mut self, name: &str, values: &[&str]) -> Kind {
        self.enums.push(EnumInfo {
            full: format!("google.protobuf.FieldOptions.{name}"),
            values: (0..).zip(values).map(|(number, value)| ((*value).to_owned(), number)).collect(),
            syntax: Syntax::Proto3,
        });
        Kind::Enum(self.enums.len() - 1)
    }

    fn add_option(&mut self, message: &str, name: &str, number: i64, kind: Kind, label: Label) {
        let Some(SymbolKind::Message(id)) = self.kind_of(&format!("google.protobuf.{message}")) else {
            return;
        };
        let message = &mut self.messages[id];
        if message.field(name).is_none() {
            message.fields.push(FieldInfo { name: name.to_owned(), number, kind, label, packed: false });
        }
    }
}
