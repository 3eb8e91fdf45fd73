//! Syntax errors.

use super::source::Files;

#[test]
fn syntax_errors() {
    for (text, expected) in [
        (
            "syntax = \"proto2\"\n;message A {\n  int32 = 1;\n}",
            "3:9: expected the name of the field, found `=`",
        ),
        (
            "message A {\n  optional int32 a 1;\n}",
            "2:20: expected `=` and the number of the field, found `1`",
        ),
        (
            "message A {\n  optional int32 a = 1\n}",
            "3:1: expected `;` or `[` after the number of the field, found `}`",
        ),
        ("message A {\n  optional int32 a = x;\n}", "2:22: expected the number of the field, found `x`"),
        (
            "message A {\n  optional int32 a = 1;\n",
            "3:1: expected the `}` of the message of line 1, found the end of the file",
        ),
        (
            "mesage A {}",
            "1:1: expected `message`, `enum`, `service`, `extend`, `import`, `package`, `option` or `;`, found `mesage`",
        ),
        (
            "}",
            "1:1: expected `message`, `enum`, `service`, `extend`, `import`, `package`, `option` or `;`, found `}`",
        ),
        ("syntax = \"proto4\";", "1:10: there is no syntax \"proto4\": write \"proto2\" or \"proto3\""),
        (
            "message A {}\nsyntax = \"proto2\";",
            "2:1: `syntax` must be the first statement of a file: move it up",
        ),
        ("package a;\npackage b;", "2:1: the file already has the package `a`"),
        ("import x;", "1:8: expected the name of the file to import, in quotes, found `x`"),
        ("enum E { A = 0 }", "1:16: expected `;` after the enum value, found `}`"),
        ("enum E { A = \"x\"; }", "1:14: expected the number of the enum value, found the string \"x\""),
        (
            "service S { rpc A(B) return (C); }",
            "1:22: expected `returns` and the answer's type, found `return`",
        ),
        ("service S { get A(B); }", "1:13: expected `rpc`, `option` or `}`, found `get`"),
        ("service S { rpc A(B) returns (C) { x = 1; } }", "1:36: expected `option` or `}`, found `x`"),
        (
            "message A { oneof o { optional int32 a = 1; } }",
            "1:23: a field of a oneof has no label: leave `optional` out",
        ),
        ("message A { oneof o { } }", "1:23: expected a field, found `}`"),
        (
            "message A { optional double a = 1 [default = 0x1ffffffffffffffff]; }",
            "1:46: the number does not fit 64 bits: write a smaller one, or a decimal one",
        ),
        (
            "message A { optional group g = 1 {} }",
            "1:28: the name of the group `g` must start with a capital letter: it is the name of a message as well",
        ),
        ("message A { optional int32 a = 1 [default]; }", "1:42: expected `=` and the default, found `]`"),
        (
            "message A { optional int32 a = 1 [default = 1, default = 2]; }",
            "1:48: the field already has a default",
        ),
        (
            "message A { optional string a = 1 [json_name = \"a\", json_name = \"b\"]; }",
            "1:53: the field already has a json_name",
        ),
        (
            "message A { optional int32 a = 1 [default = {}, ]; }",
            "1:49: expected the name of an option, found `]`",
        ),
        ("option a = -b;", "1:13: expected a number after the `-`, found `b`"),
        ("option a = [1];", "1:12: expected the value of the option, found `[`"),
        ("option (a) = { b 1 };", "1:18: expected `:` and the value of the field, found `1`"),
        ("option (a) = { 1 };", "1:16: expected the name of a field or `}`, found `1`"),
        ("message A { reserved a; }", "1:22: expected a number or a name in quotes, found `a`"),
        ("message A { extensions 1 to x; }", "1:29: expected a number or `max` after `to`, found `x`"),
        ("message A { /* never closed", "1:13: this comment has no end: close it with `*/`"),
        ("option a = \"open\n;", "1:12: this string has no end on its line: close it with `\"`"),
        ("option a = \"\\q\";", "1:13: no such escape sequence: write a backslash as `\\\\`"),
        (
            "message Ä {}",
            "1:9: the character 'Ä' cannot stand here: outside of strings and comments a schema is ASCII text",
        ),
        ("option a = 1x;", "1:13: a number and a name need a space between them"),
        (
            "/* ä */ option a = 089;",
            "1:20: a number that starts with 0 is octal and has no digit 8 or 9: leave the leading 0 out",
        ),
    ] {
        let files = Files::new(&[("a.proto", text)]);
        assert_eq!(files.faults(), [format!("a.proto:{expected}")], "{text}");
        assert!(!files.protoc_lines().is_empty(), "protoc takes {text}");
    }
}

#[test]
fn editions_are_for_protoc() {
    let files = Files::new(&[("a.proto", "// x\n  edition = \"2023\";\nmessage A {}")]);
    assert_eq!(
        files.faults(),
        ["a.proto:2:3: edition \"2023\" is not read here: the built-in parser reads proto2 and proto3; \
          run protoc with this generator as its plugin, which reads editions 2023 and 2024"]
    );
    // The plugin does not read it, either.
    let files = Files::new(&[("a.proto", "edition = \"2026\";\nmessage A {}")]);
    assert_eq!(
        files.faults(),
        ["a.proto:1:1: edition \"2026\" is not read here: the built-in parser reads proto2 and proto3; \
          use proto2 or proto3, or edition 2023 or 2024 and protoc with this generator as its plugin"]
    );
}

#[test]
fn nesting_has_a_limit() {
    let nest = |levels: usize| {
        format!("syntax = \"proto3\";\n{}{}", "message A {".repeat(levels), "}".repeat(levels))
    };
    assert_eq!(Files::new(&[("a.proto", &nest(64))]).faults(), [""; 0]);
    let expected = "messages nest more than 64 levels deep: flatten them";
    for levels in [65, 100_000] {
        let faults = Files::new(&[("a.proto", &nest(levels))]).faults();
        assert_eq!(faults, [format!("a.proto:2:{}: {expected}", 64 * 11 + 11)]);
    }
    for open in ["{ a ", "{ a: [", "{ a < b "] {
        let text = format!("option (x) = {};", open.repeat(100_000));
        let faults = Files::new(&[("a.proto", &text)]).faults();
        assert!(faults[0].ends_with("values nest more than 64 levels deep: flatten them"), "{faults:?}");
    }
}
