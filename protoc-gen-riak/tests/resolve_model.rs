//! Facts of fields, names, and which files are emitted, in every syntax.

mod resolving;

use protoc_gen_riak::resolve::{Options, resolve};
use resolving::{descriptors, resolved, resolved_set, written};
use riak_codegen::model::{BytesType, Enum, Field, Literal, Message, Presence, Schema, Type};

fn one(text: &str) -> Schema {
    let dir = written(&[("a.proto", text)]);
    resolved(dir.path(), &["a.proto"], &Options::default()).0
}

/// What only `protoc` reads: editions, and names that `protobuf-parse` takes for
/// the same.
fn one_by_protoc(text: &str) -> Schema {
    let dir = written(&[("a.proto", text)]);
    resolved_set(&descriptors(dir.path(), &["a.proto"]), &["a.proto"], &Options::default()).0
}

fn message<'s>(schema: &'s Schema, name: &str) -> &'s Message {
    let mut found = schema.messages.iter();
    found.find(|message| message.full_name == name).unwrap_or_else(|| panic!("no message {name}"))
}

fn enumeration<'s>(schema: &'s Schema, name: &str) -> &'s Enum {
    let mut found = schema.enums.iter();
    found.find(|declared| declared.full_name == name).unwrap_or_else(|| panic!("no enum {name}"))
}

fn field<'m>(message: &'m Message, name: &str) -> &'m Field {
    message.fields.iter().find(|field| field.name == name).unwrap_or_else(|| panic!("no field {name}"))
}

fn presences(message: &Message) -> Vec<Presence> {
    message.fields.iter().map(|field| field.presence).collect()
}

const UNPACKED: Presence = Presence::Repeated { packed: false };
const PACKED: Presence = Presence::Repeated { packed: true };

#[test]
fn proto2() {
    let schema = one(r#"
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
        enum E { A = 1; B = 2; }"#);
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
    // The entry of the map is no message.
    assert_eq!(m.messages.len(), 1);
    assert_eq!(schema.messages.len(), 2);
}

#[test]
fn proto3() {
    let schema = one(r#"syntax = "proto3";
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
        enum E { E_ZERO = 0; E_ONE = 1; }"#);
    let m = message(&schema, "M");
    let (implicit, explicit) = (Presence::Implicit, Presence::Explicit);
    let expected = [implicit, explicit, PACKED, UNPACKED, explicit, Presence::Oneof(0), implicit, UNPACKED];
    assert_eq!(presences(m), expected);
    // What `optional` makes is no oneof.
    assert_eq!(m.oneofs.len(), 1);
    let e = enumeration(&schema, "E");
    assert!(!e.closed);
    let names: Vec<_> = e.values.iter().map(|value| value.rust_name.as_str()).collect();
    assert_eq!(names, ["ZERO", "ONE"]);
}

#[test]
fn edition_2023() {
    let schema = one_by_protoc(
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
    let schema = one_by_protoc(
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
    let schema = one("
        message A { optional B b = 1; optional C c = 2; repeated A list = 3; map<string, A> map = 4; }
        message B { oneof o { A a = 1; C c = 2; } }
        message C { optional bool x = 1; }
        message D { optional D d = 1; optional A a = 2; }");
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

#[test]
fn names_never_clash() {
    let schema = one_by_protoc(
        "
        package pkg;
        message foo_bar { message Inner {} enum inner_ { Z = 0; } oneof Inner2 { bytes self = 1; } }
        message FooBar {
          optional bytes type = 1;
          optional bytes unknown_fields = 2;
          optional bytes fooBar = 3;
          optional bytes foo_bar = 4;
          optional bytes super = 5;
          optional bytes gen = 6;
          oneof kind { bytes Type = 7; bytes _ = 8; }
        }
        message FooBarRef {}
        message Self {}
        enum Option { option allow_alias = true; SELF = 1; self = 1; None = 2; }",
    );
    let path = |name: &str| {
        let message = message(&schema, name);
        let mut path = message.path.module.clone();
        path.push(message.path.name.clone());
        (path.join("::"), message.ref_name.clone(), message.nested_module.clone())
    };
    let expect =
        |path: &str, borrowed: &str, module: &str| (path.to_owned(), borrowed.to_owned(), module.to_owned());
    assert_eq!(path("pkg.FooBar"), expect("a::FooBar", "FooBarRef_", "foo_bar_"));
    assert_eq!(path("pkg.foo_bar"), expect("a::FooBar_", "FooBarRef__", "foo_bar"));
    assert_eq!(path("pkg.FooBarRef"), expect("a::FooBarRef", "FooBarRefRef", "foo_bar_ref"));
    assert_eq!(path("pkg.Self"), expect("a::Self_", "SelfRef", "self_"));
    assert_eq!(path("pkg.foo_bar.Inner"), expect("a::foo_bar::Inner", "InnerRef", "inner"));
    let declared = enumeration(&schema, "pkg.foo_bar.inner_");
    assert_eq!(declared.path.name, "Inner_");
    let fields: Vec<&str> =
        message(&schema, "pkg.FooBar").fields.iter().map(|field| field.rust_name.as_str()).collect();
    let expected = ["r#type", "unknown_fields_", "foo_bar_", "foo_bar", "super_", "r#gen", "type_", "__"];
    assert_eq!(fields, expected);
    let kind = &message(&schema, "pkg.FooBar").oneofs[0];
    assert_eq!((kind.enum_name.as_str(), kind.enum_ref_name.as_str()), ("Kind", "KindRef"));
    assert_eq!(kind.variants, [(6, "Type".to_owned()), (7, "X".to_owned())]);
    let values: Vec<&str> =
        enumeration(&schema, "pkg.Option").values.iter().map(|value| value.rust_name.as_str()).collect();
    assert_eq!(values, ["Self_", "Self__", "None"]);
}

#[test]
fn a_file_and_a_message_share_no_module() {
    let dir = written(&[
        ("a.proto", "import \"a/b.proto\"; message B { enum E { X = 0; } optional a.b.T t = 1; }"),
        ("a/b.proto", "package a.b; message T {}"),
    ]);
    let (schema, _) = resolved(dir.path(), &["a.proto"], &Options::default());
    assert_eq!(message(&schema, "a.b.T").path.module, ["a", "b"]);
    assert_eq!(message(&schema, "B").nested_module, "b_");
    assert_eq!(enumeration(&schema, "B.E").path.module, ["a", "b_"]);
}

#[test]
fn comments_become_docs() {
    let schema = one(
        "// About the file.\n\nsyntax = \"proto2\";\n\n// About [M].\n// See http://x.example.\nmessage M {\n  optional bool b = 1; // behind\n  // above\n  optional bool c = 2;\n  // one of\n  oneof o { bool d = 3; }\n}\n// An enum.\nenum E {\n  // A value.\n  A = 0;\n}",
    );
    assert_eq!(schema.files[0].docs.lines, ["About the file."]);
    let m = message(&schema, "M");
    assert_eq!(m.docs.lines, ["About \\[M\\].", "See <http://x.example>."]);
    assert_eq!(m.fields[0].docs.lines, ["behind"]);
    assert_eq!(m.fields[1].docs.lines, ["above"]);
    assert_eq!(m.oneofs[0].docs.lines, ["one of"]);
    let e = enumeration(&schema, "E");
    assert_eq!(
        (&e.docs.lines[..], &e.values[0].docs.lines[..]),
        (&["An enum.".to_owned()][..], &["A value.".to_owned()][..])
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
            "the rule bytes=.p.M.c has no effect: nothing it fits is left to it",
            "the rule unknown_fields=.q has no effect: nothing it fits is left to it",
        ]
    );
}

#[test]
fn files_that_are_emitted() {
    let dir = written(&[
        (
            "mine.proto",
            "import \"used.proto\"; import \"opts.proto\"; import \"riak_options.proto\";\nmessage M { option (o) = 1; option (riak.code) = 9; optional Used u = 1; }",
        ),
        ("used.proto", "import \"deep.proto\"; message Used {}"),
        ("deep.proto", "message Deep {}"),
        (
            "opts.proto",
            "import \"google/protobuf/descriptor.proto\"; import \"only.proto\"; extend google.protobuf.MessageOptions { optional uint32 o = 60000; optional OnlyOptions p = 60001; }",
        ),
        ("only.proto", "message OnlyOptions {}"),
        (
            "more.proto",
            "import \"google/protobuf/descriptor.proto\"; import \"only.proto\"; extend google.protobuf.FieldOptions { optional Fact fact = 60000; } message Fact { optional E e = 1; } enum E { A = 0; } message More {}",
        ),
        ("uses.proto", "import \"riak_options.proto\"; message Uses { optional riak.Kind kind = 1; }"),
    ]);
    let emitted = |files: &[&str]| {
        let (schema, _) = resolved(dir.path(), files, &Options::default());
        let emitted = schema.files.into_iter().filter(|file| file.emit);
        emitted.map(|file| file.name).collect::<Vec<_>>()
    };
    assert_eq!(emitted(&["mine.proto"]), ["deep.proto", "used.proto", "mine.proto"]);
    assert_eq!(emitted(&["only.proto"]), ["only.proto"]);
    // Even if they are named, unless there is more in them.
    assert_eq!(emitted(&["riak_options.proto", "opts.proto"]), [""; 0]);
    assert_eq!(emitted(&["more.proto"]), ["only.proto", "more.proto"]);
    assert_eq!(emitted(&["uses.proto"]), ["riak_options.proto", "uses.proto"]);
    let descriptor = ["google/protobuf/descriptor.proto"];
    let set = descriptors(dir.path(), &descriptor);
    let (schema, _) = resolving::resolved_set(&set, &descriptor, &Options::default());
    assert!(schema.files.iter().all(|file| !file.emit));
}

fn mapped(rules: &[(&str, &str)]) -> Options {
    let rules = rules.iter().map(|&(path, target)| (path.to_owned(), target.to_owned()));
    Options { extern_paths: rules.collect(), ..Options::default() }
}

#[test]
fn extern_paths() {
    let dir = written(&[
        ("mine.proto", "import \"riak_kv.proto\"; import \"riak.proto\"; import \"riak_options.proto\"; import \"t.proto\";
            message MineReq { optional RpbContent content = 1; optional t.Known known = 2; optional t.Known.In inner = 3; }
            service Mine { rpc Do (MineReq) returns (RpbGetResp) { option (riak.operation) = { request: 240 response: 10 }; } }"),
        ("t.proto", "package t; message Known { message In {} } message Other {}"),
    ]);
    let options = mapped(&[
        ("riak_kv.proto", "::riak_client"),
        ("riak.proto", "::riak_client"),
        (".t.Known", "::mine::Time"),
    ]);
    let (schema, notices) = resolved(dir.path(), &["mine.proto"], &options);
    assert_eq!(notices, [""; 0]);
    let path = |name: &str| {
        let path = &message(&schema, name).path;
        (path.root.as_deref(), path.module.join("::"), path.name.as_str())
    };
    assert_eq!(path("RpbContent"), (Some("::riak_client"), "riak_kv".to_owned(), "RpbContent"));
    assert_eq!(path("t.Known"), (Some("::mine"), String::new(), "Time"));
    assert_eq!(path("t.Known.In"), (Some("::mine"), "time".to_owned(), "In"));
    assert_eq!(message(&schema, "t.Known").ref_name, "TimeRef");
    assert_eq!(path("t.Other"), (None, "t".to_owned(), "Other"));
    let codes: Vec<(u8, &str)> =
        schema.frames.iter().map(|frame| (frame.code, frame.name.as_str())).collect();
    assert_eq!(codes, [(10, "RpbGetResp"), (240, "MineReq")]);
    let t = schema.files.iter().find(|file| file.name == "t.proto").unwrap();
    assert!(t.emit && t.messages.len() == 1);
    // Nothing is wrong if nothing is mapped.
    resolved(dir.path(), &["mine.proto"], &Options::default());
}

#[test]
fn extern_paths_that_cannot_be() {
    let dir = written(&[(
        "a.proto",
        "import \"riak_kv.proto\"; import \"riak_options.proto\";
service S { rpc Do (RpbGetReq) returns (RpbGetResp) { option (riak.operation) = { request: 9 response: 10 }; } }",
    )]);
    let set = descriptors(dir.path(), &["a.proto"]);
    let run = |rules: &[(&str, &str)]| match resolve(&set, &["a.proto".to_owned()], &mapped(rules)) {
        Ok((_, notices)) => notices.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        Err(faults) => faults.to_string(),
    };
    assert!(run(&[("riak_kv.proto", "riak-client")]).contains("\"riak-client\" is no Rust path"));
    assert!(run(&[("nosuch.proto", "::x")]).contains("extern_path=nosuch.proto=::x has no effect"));
    let foreign = run(&[("riak_kv.proto", "::riak_client")]);
    assert!(
        foreign.starts_with("a.proto:2:9: service S sends RpbGetReq, which an extern path maps"),
        "{foreign}"
    );
}

#[test]
fn services_without_options_are_left_out() {
    let dir = written(&[("a.proto", "message M {}\nservice Rpc { rpc Do (M) returns (M); }")]);
    let (schema, notices) = resolved(dir.path(), &["a.proto"], &Options::default());
    assert_eq!(schema.services().count(), 0);
    assert_eq!(
        notices,
        ["a.proto:2:9: service Rpc has no riak options and is left out: its methods are no operations"]
    );
}

#[test]
fn a_file_to_generate_must_be_there() {
    let dir = written(&[("a.proto", "message M {}")]);
    let set = descriptors(dir.path(), &["a.proto"]);
    let faults = resolve(&set, &["b.proto".to_owned()], &Options::default()).unwrap_err();
    assert_eq!(faults.to_string(), "b.proto is to be generated, but is not among the files that were read");
}

#[test]
fn strings_of_extensions_are_utf8_where_the_syntax_asks_for_it() {
    let schema = one_by_protoc(
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
    let schema = one("message M { extensions 10 to max; } extend M { optional string text = 10; }");
    assert!(message(&schema, "M").text_extensions.is_empty());
}

/// The schemas of protobuf's own conformance suite have such messages.
#[test]
fn required_fields_without_an_end_are_optional() {
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
