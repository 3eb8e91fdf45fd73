//! The features that a file's syntax or edition gives its fields and enums.
//!
//! proto2, proto3 and the editions are presets of the same features. Invariant:
//! later steps do not look at the syntax. Features are inherited from file to
//! message to field or enum, and each level can override any of them.

use protobuf::UnknownFields;
use protobuf::descriptor::FileDescriptorProto;

use super::wire;

/// Field numbers of `features` in the options messages, which `protobuf`'s
/// descriptor types do not have.
pub(crate) mod number {
    pub(crate) const FILE: u32 = 50;
    pub(crate) const MESSAGE: u32 = 12;
    pub(crate) const FIELD: u32 = 21;
    pub(crate) const ONEOF: u32 = 1;
    pub(crate) const ENUM: u32 = 7;
}

/// Field number of `FileDescriptorProto.edition`.
const EDITION: u32 = 14;

/// Numbers of editions in `google.protobuf.Edition`.
const EDITION_2023: u64 = 1000;
const EDITION_2024: u64 = 1001;

/// What the absence of a singular field means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldPresence {
    Explicit,
    Implicit,
    LegacyRequired,
}

/// The features that change what code is emitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent features of protobuf")]
pub(crate) struct Features {
    pub(crate) presence: FieldPresence,
    pub(crate) closed_enums: bool,
    pub(crate) packed: bool,
    pub(crate) delimited: bool,
    /// Whether strings have to be UTF-8. This affects only extensions: the strings of
    /// a message's own fields always have to be, since Rust's are.
    pub(crate) utf8: bool,
}

impl Features {
    const PROTO2: Self = Self {
        presence: FieldPresence::Explicit,
        closed_enums: true,
        packed: false,
        delimited: false,
        utf8: false,
    };
    const PROTO3: Self = Self {
        presence: FieldPresence::Implicit,
        closed_enums: false,
        packed: true,
        delimited: false,
        utf8: true,
    };
    /// The preset of editions 2023 and 2024, which do not differ in these features.
    const EDITION: Self = Self { presence: FieldPresence::Explicit, ..Self::PROTO3 };

    /// Returns the features of a file.
    ///
    /// # Errors
    ///
    /// A text that says what is wrong with its syntax or edition. The caller then
    /// reads the file as proto2, so that other faults are found as well.
    pub(crate) fn of_file(file: &FileDescriptorProto) -> Result<Self, String> {
        let preset = match file.syntax() {
            "" | "proto2" => Self::PROTO2,
            "proto3" => Self::PROTO3,
            "editions" => match wire::integer(file.special_fields.unknown_fields(), EDITION) {
                Some(EDITION_2023 | EDITION_2024) => Self::EDITION,
                Some(other) => {
                    return Err(format!(
                        "edition number {other} is not known: use edition \"2023\" or \"2024\""
                    ));
                }
                None => return Err("the edition is missing".to_owned()),
            },
            other => return Err(format!("syntax \"{other}\" is not known")),
        };
        Ok(preset.with(file.options.special_fields.unknown_fields(), number::FILE))
    }

    /// Returns these features with the overrides of an options message.
    #[must_use]
    pub(crate) fn with(self, options: &UnknownFields, features: u32) -> Self {
        let mut merged = self;
        for entry in wire::message(options, features).unwrap_or_default() {
            match (entry.number, entry.integer()) {
                (1, Some(1)) => merged.presence = FieldPresence::Explicit,
                (1, Some(2)) => merged.presence = FieldPresence::Implicit,
                (1, Some(3)) => merged.presence = FieldPresence::LegacyRequired,
                (2, Some(1)) => merged.closed_enums = false,
                (2, Some(2)) => merged.closed_enums = true,
                (3, Some(1)) => merged.packed = true,
                (3, Some(2)) => merged.packed = false,
                (4, Some(2)) => merged.utf8 = true,
                (4, Some(3)) => merged.utf8 = false,
                (5, Some(1)) => merged.delimited = false,
                (5, Some(2)) => merged.delimited = true,
                _ => {}
            }
        }
        merged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(syntax: &str, edition: Option<u64>) -> FileDescriptorProto {
        let mut file = FileDescriptorProto::new();
        if !syntax.is_empty() {
            file.set_syntax(syntax.to_owned());
        }
        if let Some(edition) = edition {
            let unknown = file.special_fields.mut_unknown_fields();
            unknown.add_varint(EDITION, edition);
        }
        file
    }

    #[test]
    fn presets() {
        let of = |syntax, edition| Features::of_file(&file(syntax, edition));
        assert_eq!(of("", None), Ok(Features::PROTO2));
        assert_eq!(of("proto3", None), Ok(Features::PROTO3));
        assert_eq!(of("editions", Some(1000)), Ok(Features::EDITION));
        assert_eq!(of("editions", Some(1001)), Ok(Features::EDITION));
        assert!(of("editions", Some(1002)).unwrap_err().contains("1002"));
        assert!(of("editions", None).is_err());
        assert!(of("proto4", None).is_err());
    }

    #[test]
    fn a_level_overrides_single_features() {
        let mut options = UnknownFields::new();
        // field_presence = IMPLICIT, message_encoding = DELIMITED
        options.add_length_delimited(number::FIELD, vec![0x08, 2, 0x28, 2]);
        let merged = Features::EDITION.with(&options, number::FIELD);
        assert_eq!(
            merged,
            Features { presence: FieldPresence::Implicit, delimited: true, ..Features::EDITION }
        );
        // Field numbers of other options messages are ignored.
        assert_eq!(Features::EDITION.with(&options, number::FILE), Features::EDITION);
    }
}
