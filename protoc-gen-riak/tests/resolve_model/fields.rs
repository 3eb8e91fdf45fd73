//! The facts of fields, in every syntax.

use super::*;

#[test]
fn proto2() {
    let schema = resolve_one(
        r#"
        message M {
          required bytes r = 1;
          optional int32 o = 2 [default = -7];
          repeated uint32 n = 3;
          repeated uint32 p = 4 [packed = true];
          repeated string s = 5;
          optional group G = 6 { optional bool b = 1; }
          map<string, M> m = 7;
          oneof choice { bytes x = 8; M y = 9; }
          optional E e = 10 [default = B];
          optional bytes d = 11 [default = "a\001\n"];
          optional float f = 12 [default = -inf];
          optional E zero = 13;
          optional string text = 14 [default = "it's"];
          optional uint64 big = 15 [default = 0xffffffffffffffff];
        }
        enum E { A = 1; B = 2; }"#,
    );
    let m = message(&schema, "M");
    let explicit = Presence::Explicit;
    assert_eq!(
        presences(m),
        [
            Presence::Required,
            explicit,
            UNPACKED,
            PACKED,
            UNPACKED,
            explicit,
            Presence::Map { key: Type::String },
            Presence::Oneof(0),
            Presence::Oneof(0),
            explicit,
            explicit,
            explicit,
            explicit,
            explicit,
            explicit,
        ]
    );
    let default = |name| field(m, name).default.clone();
    assert_eq!(default("o"), Some(Literal::Int(-7)));
    assert_eq!(default("e"), Some(Literal::Enum(1)));
    assert_eq!(default("d"), Some(Literal::Bytes(vec![b'a', 1, b'\n'])));
    assert_eq!(default("f"), Some(Literal::Float(f64::NEG_INFINITY)));
    assert_eq!(default("text"), Some(Literal::Text("it's".to_owned())));
    assert_eq!(default("big"), Some(Literal::Uint(u64::MAX)));
    assert_eq!(default("zero"), None);
    assert!(matches!(field(m, "g").ty, Type::Group(id) if schema.message(id).full_name == "M.G"));
    assert!(matches!(field(m, "m").ty, Type::Message(id) if schema.message(id) == m));
    assert!(enumeration(&schema, "E").closed);
    // The entry of the map is not a message of the model.
    assert_eq!(m.messages.len(), 1);
    assert_eq!(schema.messages.len(), 2);
}

#[test]
fn proto3() {
    let schema = resolve_one(
        r#"syntax = "proto3";
        message M {
          uint32 i = 1;
          optional uint32 o = 2;
          repeated uint32 p = 3;
          repeated uint32 n = 4 [packed = false];
          M m = 5;
          oneof choice { uint32 x = 6; }
          E e = 7;
          repeated bytes b = 8;
        }
        enum E { E_ZERO = 0; E_ONE = 1; }"#,
    );
    let m = message(&schema, "M");
    let (implicit, explicit) = (Presence::Implicit, Presence::Explicit);
    let expected = [implicit, explicit, PACKED, UNPACKED, explicit, Presence::Oneof(0), implicit, UNPACKED];
    assert_eq!(presences(m), expected);
    // The synthetic oneofs of `optional` fields are left out.
    assert_eq!(m.oneofs.len(), 1);
    let e = enumeration(&schema, "E");
    assert!(!e.closed);
    let names: Vec<_> = e.values.iter().map(|value| value.rust_name.as_str()).collect();
    assert_eq!(names, ["ZERO", "ONE"]);
}

#[test]
fn edition_2023() {
    let schema = resolve_one_by_protoc(
        r#"edition = "2023";
        option features.repeated_field_encoding = EXPANDED;
        message M {
          uint32 e = 1;
          uint32 i = 2 [features.field_presence = IMPLICIT];
          uint32 r = 3 [features.field_presence = LEGACY_REQUIRED];
          repeated uint32 n = 4;
          repeated uint32 p = 5 [features.repeated_field_encoding = PACKED];
          M d = 6 [features.message_encoding = DELIMITED];
          M m = 7;
        }
        enum Open { O = 0; }
        enum Closed { option features.enum_type = CLOSED; C = 1; }"#,
    );
    let m = message(&schema, "M");
    let explicit = Presence::Explicit;
    assert_eq!(
        presences(m),
        [explicit, Presence::Implicit, Presence::Required, UNPACKED, PACKED, explicit, explicit]
    );
    assert!(matches!(field(m, "d").ty, Type::Group(_)));
    assert!(matches!(field(m, "m").ty, Type::Message(_)));
    assert!(!enumeration(&schema, "Open").closed);
    assert!(enumeration(&schema, "Closed").closed);
}

#[test]
fn features_of_a_file_reach_its_fields() {
    let schema = resolve_one_by_protoc(
        r#"edition = "2023";
        option features.field_presence = IMPLICIT;
        option features.message_encoding = DELIMITED;
        option features.enum_type = CLOSED;
        message M { uint32 i = 1; map<uint32, M> m = 2; repeated M d = 3; }
        message N { enum E { A = 0; } }"#,
    );
    let m = message(&schema, "M");
    assert_eq!(m.fields[0].presence, Presence::Implicit);
    assert!(matches!(m.fields[1].ty, Type::Message(_)), "nothing in a map is delimited");
    assert!(matches!(m.fields[2].ty, Type::Group(_)));
    assert!(enumeration(&schema, "N.E").closed);
}

#[test]
fn only_cycles_are_boxed() {
    let schema = resolve_one(
        "
        message A { optional B b = 1; optional C c = 2; repeated A list = 3; map<string, A> map = 4; }
        message B { oneof o { A a = 1; C c = 2; } }
        message C { optional bool x = 1; }
        message D { optional D d = 1; optional A a = 2; }",
    );
    let boxed: Vec<String> = schema
        .messages
        .iter()
        .flat_map(|message| {
            let boxed = message.fields.iter().filter(|field| field.boxed);
            boxed.map(|field| format!("{}.{}", message.full_name, field.name))
        })
        .collect();
    assert_eq!(boxed, ["A.b", "B.a", "D.d"]);
}

/// The schemas of protobuf's conformance suite have such messages.
#[test]
fn required_fields_on_a_cycle_become_optional() {
    let text = "message A { required B b = 1; }\nmessage B { required A a = 1; optional B b = 2; required C c = 3; }\n\
                message C { }";
    let dir = written(&[("a.proto", text)]);
    let (schema, notices) = resolved(dir.path(), &["a.proto"], &Options::default());
    assert_eq!(presences(message(&schema, "A")), [Presence::Explicit]);
    assert_eq!(
        presences(message(&schema, "B")),
        [Presence::Explicit, Presence::Explicit, Presence::Required]
    );
    assert!(field(message(&schema, "A"), "b").boxed);
    assert_eq!(
        notices,
        [
            "a.proto:1:24: A.b is required and leads back to A: no value of it is finite, so it is taken as optional",
            "a.proto:2:24: B.a is required and leads back to B: no value of it is finite, so it is taken as optional",
        ]
    );
}

#[test]
fn rules_by_path() {
    let dir = written(&[(
        "a.proto",
        "package p; message M { optional bytes a = 1; optional bytes b = 2; optional uint32 c = 3; } message N { optional bytes a = 1; }",
    )]);
    let options = Options {
        bytes: vec![
            (".".to_owned(), BytesType::Vec),
            (".p.M.b".to_owned(), BytesType::Bytes),
            (".p.M.c".to_owned(), BytesType::Bytes),
        ],
        unknown_fields: vec![(".p.N".to_owned(), false), (".q".to_owned(), false)],
        ..Options::default()
    };
    let (schema, notices) = resolved(dir.path(), &["a.proto"], &options);
    let m = message(&schema, "p.M");
    let bytes: Vec<_> = m.fields.iter().map(|field| field.bytes).collect();
    assert_eq!(bytes, [BytesType::Vec, BytesType::Bytes, BytesType::Blob]);
    assert!(m.unknown.is_some() && message(&schema, "p.N").unknown.is_none());
    assert_eq!(
        notices,
        [
            "the rule bytes=.p.M.c has no effect: it was compared with the full name of each bytes field, and none is or \
             lies below .p.M.c",
            "the rule unknown_fields=.q has no effect: it was compared with the full name of each message, and none is or \
             lies below .q",
        ]
    );
}

#[test]
fn a_rule_without_effect_says_what_it_was_compared_with() {
    let dir = written(&[(
        "a.proto",
        "package shop.v1; message Content { optional bytes value = 1; optional uint32 count = 2; } message Empty {}",
    )]);
    let reasons = |bytes: &[&str], unknown: &[&str]| {
        let bytes = bytes.iter().map(|&path| (path.to_owned(), BytesType::Vec)).collect();
        let unknown_fields = unknown.iter().map(|&path| (path.to_owned(), false)).collect();
        let options = Options { bytes, unknown_fields, ..Options::default() };
        resolved(dir.path(), &["a.proto"], &options).1
    };
    let compared = |rule: &str, kind: &str, path: &str, hint: &str| {
        format!(
            "the rule {rule}={path} has no effect: it was compared with the full name of each {kind}, and none is or lies \
             below {path}{hint}"
        )
    };
    for (path, hint) in [
        (".shop.v1.Contnet.value", "; did you mean \".shop.v1.Content.value\"?"),
        (".Content.value", "; did you mean \".shop.v1.Content.value\"?"),
        (".acme.shop.v1.Content", "; did you mean \".shop.v1.Content\"?"),
        (".shop.v2", "; did you mean \".shop.v1\"?"),
        // These exist, and have no bytes.
        (".shop.v1.Content.count", ""),
        (".shop.v1.Empty", ""),
        (".other.Thing", ""),
    ] {
        assert_eq!(reasons(&[path], &[]), [compared("bytes", "bytes field", path, hint)]);
    }
    for (path, hint) in
        [(".shop.v1.Emtpy", "; did you mean \".shop.v1.Empty\"?"), (".shop.v1.Content.value", "")]
    {
        assert_eq!(reasons(&[], &[path]), [compared("unknown_fields", "message", path, hint)]);
    }
    let taken =
        "each bytes field that it fits has a rule with a longer path, or a later one with the same path";
    assert_eq!(
        reasons(&[".", ".shop", ".shop.v1.Content.value", ".shop"], &[]),
        [".", ".shop"].map(|path| format!("the rule bytes={path} has no effect: {taken}"))
    );
    let dir = written(&[("a.proto", "message Empty {}")]);
    let options = Options { bytes: vec![(".".to_owned(), BytesType::Vec)], ..Options::default() };
    let notices = resolved(dir.path(), &["a.proto"], &options).1;
    assert_eq!(notices, ["the rule bytes=. has no effect: the schema has no bytes field"]);
}

#[test]
fn strings_of_extensions_are_utf8_if_the_syntax_requires_it() {
    let schema = resolve_one_by_protoc(
        r#"edition = "2023";
        message M { extensions 10 to max; }
        message Other { extend M { string inside = 30; repeated string many = 20; bytes bytes = 21; } }
        extend M {
          string outside = 10;
          string any = 11 [features.utf8_validation = NONE];
          Other other = 12;
        }"#,
    );
    assert_eq!(message(&schema, "M").text_extensions, [10, 20, 30]);
    let schema = resolve_one("message M { extensions 10 to max; } extend M { optional string text = 10; }");
    assert!(message(&schema, "M").text_extensions.is_empty());
}
