//! Rust names and documentation.

use super::*;

#[test]
fn names_never_clash() {
    let schema = resolve_one_by_protoc(
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
fn file_and_message_never_share_a_module() {
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
    let schema = resolve_one(
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
