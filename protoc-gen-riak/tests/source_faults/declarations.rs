//! Faults in declarations: types, numbers, names, labels, values and options.

use super::source::Files;
use super::{assert_faults, assert_faults_but, assert_proto2};

#[test]
fn types() {
    assert_faults_but(
        "syntax = \"proto2\";\npackage p;\nmessage RpbPair {}\nmessage A {\n  optional RpbPear a = 1;\n  \
         optional Nothing b = 2;\n  optional sting c = 3;\n  optional p.RpbPairs d = 4;\n  optional Inner.Lost e = 5;\n  \
         message Inner {}\n  optional .RpbPair f = 6;\n}\nenum E { Z = 0; }\nservice S {\n  rpc Call(E) returns (A);\n  \
         rpc Calm(A) returns (\n    Missing);\n}\nextend E {\n  optional int32 x = 1;\n}\nextend Gone {\n  optional int32 y = 1;\n}",
        &[
            "5:12: there is no type `RpbPear`: did you mean `RpbPair`?",
            "6:12: there is no type `Nothing`: declare it, or import the file that declares it",
            "7:12: there is no type `sting`: did you mean `string`?",
            "8:12: there is no type `p.RpbPairs`: did you mean `RpbPair`?",
            "9:12: there is no type `Inner.Lost`: declare it, or import the file that declares it",
            "11:12: there is no type `.RpbPair`: did you mean `RpbPair`?",
            "15:12: `E` is an enum, where a message is needed",
            "17:5: there is no type `Missing`: declare it, or import the file that declares it",
            "19:8: `E` is an enum, where a message is needed",
            "22:8: there is no type `Gone`: declare it, or import the file that declares it",
        ],
        &[16],
    );
}

#[test]
fn a_method_may_hide_a_message() {
    assert_faults(
        "syntax = \"proto3\";\nmessage Get {}\nservice S {\n  rpc Get(.Get) returns (\n  Get);\n}",
        &["5:3: `Get` is a method, where a message is needed: write `.Get` for the type"],
    );
}

#[test]
fn numbers() {
    assert_proto2(
        "\n optional int32 a = 0;\n optional int32 b = 536870912;\n optional int32 c = 19000;\n \
         optional int32 d = 19999;\n optional int32 e = 7;\n optional int32 f = 7;\n reserved 10 to 20, 30;\n \
         optional int32 g = 15;\n optional int32 h = 30;\n reserved \"i\";\n optional int32 i = 40;\n extensions 100 to 200;\n \
         optional int32 j = 150;\n oneof o { int32 k = 7; }\n optional group L = 7 {}\n optional int32 m = 99999999999999999999;",
        &[
            "2:21: `a` has the number 0: numbers of fields start at 1",
            "3:21: `b` has a number that is too high: numbers of fields go up to 536870911",
            "4:21: `c` has the number 19000: protobuf keeps 19000 to 19999 for itself",
            "5:21: `d` has the number 19999: protobuf keeps 19000 to 19999 for itself",
            "7:21: `f` has the number 7 of `e` in line 6: choose another",
            "9:21: the number 15 of `g` is reserved in line 8: choose another",
            "10:21: the number 30 of `h` is reserved in line 8: choose another",
            "12:17: the name `i` is reserved in line 11: choose another",
            "14:21: the number 150 of `j` is left to extensions, which have 100 to 200: choose another",
            "15:22: `k` has the number 7 of `e` in line 6: choose another",
            "16:21: `l` has the number 7 of `e` in line 6: choose another",
            "17:21: `m` has a number that is too high: numbers of fields go up to 536870911",
        ],
    );
}

#[test]
fn ranges() {
    assert_faults_but(
        "syntax = \"proto2\"; message M { \n reserved 5 to 10;\n reserved 10;\n reserved 3 to 2;\n reserved 0;\n extensions 10 to 20;\n extensions 100 to 200;\n \
         extensions 150;\n extensions 536870912;\n reserved \"a\";\n reserved \"a\";\n extensions 1000 to max;\n}",
        &[
            "3:11: the range overlaps with that of line 2: give a number to one",
            "4:11: the range ends before it starts: swap its ends",
            "5:11: numbers of fields start at 1",
            "6:13: the range overlaps with that of line 2: give a number to one",
            "8:13: the range overlaps with that of line 7: give a number to one",
            "9:13: numbers of fields go up to 536870911",
            "11:11: the name `a` is reserved twice: once is enough",
        ],
        &[1, 2, 7],
    );
}

#[test]
fn names() {
    assert_faults_but(
        "syntax = \"proto2\";\npackage p;\nmessage A {\n  optional int32 a = 1;\n  optional int32 a = 2;\n  message B {}\n  \
         enum B { X = 0; }\n  enum C { X = 1; }\n  oneof a { int32 z = 3; }\n}\nenum A { Y = 0; }\nenum D { Y = 1; }\n\
         service S {\n  rpc M(A) returns (A);\n  rpc M(A) returns (A);\n}\nmessage p {}\nmessage Y {}",
        &[
            "5:18: the name `a` of `p.A` is already a field, in line 4: rename one",
            "7:8: the name `B` of `p.A` is already a message, in line 6: rename one",
            "8:12: the name `X` of `p.A` is already an enum value, in line 7: rename one (the values of an enum are named in the scope around it, beside those of other enums)",
            "9:9: the name `a` of `p.A` is already a field, in line 4: rename one",
            "11:6: the name `A` of `p` is already a message, in line 3: rename one",
            "12:10: the name `Y` of `p` is already an enum value, in line 11: rename one (the values of an enum are named in the scope around it, beside those of other enums)",
            "15:7: the name `M` of `p.S` is already a method, in line 14: rename one",
            "18:9: the name `Y` of `p` is already an enum value, in line 11: rename one",
        ],
        &[4, 6],
    );
}

#[test]
fn proto3_has_its_own_rules() {
    assert_faults(
        "syntax = \"proto3\";\nimport \"google/protobuf/descriptor.proto\";\nmessage A {\n  required int32 a = 1;\n  group G = 2 {}\n  \
         int32 c = 3 [default = 1];\n  extensions 10 to 20;\n}\nenum E { X = 1; }\nextend A { int32 x = 15; }\n\
         extend google.protobuf.FieldOptions { string good = 50000; }",
        &[
            "4:3: proto3 has no required fields: leave `required` out of `a`",
            "5:9: proto3 has no groups: declare the message `G` and a field of that type",
            "6:16: proto3 has no defaults: leave that of `c` out, absent means zero",
            "7:14: proto3 has no extension ranges: leave `extensions` out",
            "9:14: the first value of a proto3 enum must be 0, and `X` is 1: put the value that stands for nothing first",
            "10:8: proto3 extends only the options of `google/protobuf/descriptor.proto`: `A` is no such message",
        ],
    );
    let files = Files::new(&[
        ("b.proto", "syntax = \"proto2\"; enum Closed { CLOSED = 0; }"),
        ("a.proto", "syntax = \"proto3\";\nimport \"b.proto\";\nmessage A {\n  Closed c = 1; }"),
    ]);
    assert_eq!(
        files.faults(),
        [
            "a.proto:4:3: the enum `Closed` is declared in a proto2 file, so unknown values do not fit it: a proto3 field cannot have it as its type"
        ]
    );
    assert_eq!(files.protoc_lines().last().unwrap(), "a.proto:4");
}

#[test]
fn labels_and_maps() {
    assert_proto2(
        "\n int32 a = 1;\n M b = 2;\n repeated map<int32, int32> c = 3;\n map<float, int32> d = 4;\n map<M, int32> e = 5;\n \
         map<bytes, int32> f = 6;\n map<string, Lost> g = 7;\n oneof o {\n map<int32, int32> h = 8;\n }\n optional string i = 9 [packed = true];\n \
         map<int32, int32> same_name = 10;\n message SameNameEntry {}",
        &[
            "2:8: `a` has no label: write `optional`, `required` or `repeated` before its type",
            "3:2: `b` has no label: write `optional`, `required` or `repeated` before its type",
            "4:2: the map `c` takes no label: leave the word before `map` out",
            "5:2: the keys of the map `d` cannot be `float`: keys are integers, bools or strings",
            "6:2: the keys of the map `e` cannot be `M`: keys are integers, bools or strings",
            "7:2: the keys of the map `f` cannot be `bytes`: keys are integers, bools or strings",
            "8:14: there is no type `Lost`: declare it, or import the file that declares it",
            "10:2: the map `h` cannot stand in a oneof: move it out",
            "12:18: `i` cannot be packed: only repeated fields of numbers, bools and enums can",
            "14:10: the name `SameNameEntry` of `M` is already a message, in line 13: rename one",
        ],
    );
}

#[test]
fn enums() {
    assert_faults_but(
        "syntax = \"proto2\";\nenum A {}\nenum B {\n  X = 1;\n  Y = 1;\n}\nenum C {\n  option allow_alias = true;\n  Z = 1;\n}\nenum D {\n  \
         reserved -5 to 5, 4, 9 to 8;\n  reserved \"W\";\n  V = 0;\n  W = 10;\n  U = 4294967296;\n}",
        &[
            "2:6: the enum `A` has no value: an enum needs at least one",
            "5:7: `Y` has the number 1 of `X`: choose another, or set `option allow_alias = true;` if both should mean the same",
            "7:6: no two values of `C` have the same number: leave `allow_alias` out",
            "12:21: the range overlaps with that of line 12: reserve a number once",
            "12:24: the range ends before it starts: swap its ends",
            "14:7: the number 0 of `V` is reserved in line 12: choose another",
            "15:3: the name `W` is reserved in line 13: choose another",
            "16:7: the value `U` does not fit 32 bits",
        ],
        &[11],
    );
}

#[test]
fn values_that_differ_only_in_case() {
    for syntax in ["proto2", "proto3"] {
        assert_faults(
            &format!(
                "syntax = \"{syntax}\";\nenum FooBar {{\n v_1 = 0;\n V1 = 1;\n FOO_BAR_V1 = 2;\n foobar_V__1 = 3;\n \
                 FOO_BAR = 4;\n Foo_Bar_ = 5;\n v1_ = 6;\n FOO_v = 7;\n V = 8;\n}}"
            ),
            &[
                "4:2: `V1` differs from `v_1` only in case, underscores or the name of the enum: choose another, or give both one number",
                "5:2: `FOO_BAR_V1` differs from `v_1` only in case, underscores or the name of the enum: choose another, or give both one number",
                "6:2: `foobar_V__1` differs from `v_1` only in case, underscores or the name of the enum: choose another, or give both one number",
                "8:2: `Foo_Bar_` differs from `FOO_BAR` only in case, underscores or the name of the enum: choose another, or give both one number",
                "9:2: `v1_` differs from `v_1` only in case, underscores or the name of the enum: choose another, or give both one number",
            ],
        );
    }
    let files = Files::new(&[(
        "a.proto",
        "syntax = \"proto2\"; enum E { option allow_alias = true; v_1 = 0; V1 = 0; A = 1; _A = 1; }",
    )]);
    assert_eq!((files.faults(), files.protoc_lines()), (vec![], vec![]));
}

#[test]
fn map_of_enum_whose_first_value_is_not_zero() {
    assert_proto2(
        "\n enum Late { B = 1; A = 0; }\n enum Early { C = 0; }\n map<int32, Early> good = 1;\n map<int32, Late> bad = 2;",
        &[
            "5:2: the enum `M.Late` starts with another value than 0, so no map can have it as its values, as `bad` has: put a value 0 first, or wrap it in a message",
        ],
    );
}

#[test]
fn defaults() {
    assert_proto2(
        "\n optional int32 a = 1 [default = 2147483648];\n optional uint32 b = 2 [default = -1];\n optional bool c = 3 [default = 1];\n \
         optional string d = 4 [default = x];\n optional E e = 5 [default = GREAN];\n optional E f = 6 [default = 1];\n optional M g = 7 [default = 1];\n \
         repeated int32 h = 8 [default = 1];\n optional double i = 9 [default = true];\n optional int32 j = 10 [default = 1.5];\n enum E { GREEN = 1; }",
        &[
            "2:34: the default of `a` does not fit its type `int32`: write an integer of 32 bits",
            "3:35: the default of `b` does not fit its type `uint32`: write an integer of 32 bits that is not negative",
            "4:33: the default of `c` does not fit its type `bool`: write `true` or `false`",
            "5:35: the default of `d` does not fit its type `string`: write UTF-8 text in quotes",
            "6:30: the enum `M.E` has no value `GREAN`: did you mean `GREEN`?",
            "7:30: the default of `f` does not fit its type: write the name of a value of `M.E`",
            "8:20: `g` is a message and has no default: leave it out",
            "9:24: `h` is repeated and has no default: leave it out",
            "10:35: the default of `i` does not fit its type `double`: write a number, `inf` or `nan`",
            "11:35: the default of `j` does not fit its type `int32`: write an integer of 32 bits",
        ],
    );
}

#[test]
fn extensions() {
    assert_faults(
        "syntax = \"proto2\";\nmessage A { extensions 10 to 20; }\nmessage B {}\nextend A {\n  optional int32 a = 21;\n  optional int32 b = 10;\n  \
         optional int32 c = 10;\n  required int32 d = 11;\n  optional int32 e = 12 [json_name = \"x\"];\n}\nextend B {\n  optional int32 f = 1;\n}",
        &[
            "5:22: the number 21 of `a` is none that `A` leaves to extensions: it leaves 10 to 20",
            "7:22: the number 10 of `c` is that of the extension `b`: choose another",
            "8:3: the extension `d` cannot be required",
            "9:26: an extension has no json_name: leave it out",
            "12:22: `B` leaves no numbers to extensions",
        ],
    );
}

#[test]
fn options_without_their_import() {
    assert_faults(
        "syntax = \"proto3\";\nmessage A {}\nmessage B {\n  option (riak.code) = 200;\n}\nservice S {\n  rpc M(A) returns (B) {\n    \
         option (.riak.operation) = { request: 1 response: 200 };\n  }\n}",
        &[
            "4:10: there is no option `(riak.code)`: import `riak_options.proto`",
            "8:12: there is no option `(.riak.operation)`: import `riak_options.proto`",
        ],
    );
}

#[test]
fn options() {
    let head = "syntax = \"proto2\";\nimport \"google/protobuf/descriptor.proto\";\npackage p;\nmessage Op { required uint32 request = 1; repeated Alt alternative = 2; optional Kind kind = 3; }\n\
        message Alt { required int32 code = 1; optional bool last = 2; }\nenum Kind { ONE = 1; TWO = 2; }\nextend google.protobuf.MessageOptions { optional uint32 code = 50000; optional Op operation = 50001; }\n\
        extend google.protobuf.FileOptions { optional string text = 50000; }\n";
    let body = "option deprecatd = true;\noption java_package = 5;\noption optimize_for = FAST;\noption (text) = \"a\";\noption (text) = \"b\";\noption text = \"c\";\n\
        option (code) = 1;\nmessage M {\noption (cod) = 1;\noption (code) = -1;\noption (operation) = { requst: 1 };\n}\nmessage N {\n\
        option (operation) = {\n  request: 1 request: 2\n  alternative { code: \"x\" }\n  alternative: [ { last: true } ]\n  kind: THREE\n  lost { }\n};\n}\n\
        message O {\noption (operation) = 5;\noption (code).x = 5;\noption (p.Op) = 1;\noption uninterpreted_option = 1;\n}\nmessage P {\noption (operation).kind = TWWO;\noption (operation).alternative.code = 1;\noption (operation).kind = TWO;\n}";
    assert_faults_but(
        &format!("{head}{body}"),
        &[
            "9:8: there is no option `deprecatd` of a file: did you mean `deprecated`?",
            "10:23: the value of `java_package` does not fit its type `string`: write UTF-8 text in quotes",
            "11:23: the enum `google.protobuf.FileOptions.OptimizeMode` has no value `FAST`: write one of `SPEED`, `CODE_SIZE`, `LITE_RUNTIME`",
            "13:8: the option `(text)` is already set",
            "14:8: there is no option `text` of a file: write `(text)`, in parentheses, for one that a schema declares",
            "15:8: `(code)` extends `google.protobuf.MessageOptions`, so it cannot stand here, where `google.protobuf.FileOptions` is meant",
            "17:8: there is no option `(cod)`: did you mean `(p.code)`?",
            "18:17: the value of `code` does not fit its type `uint32`: write an integer of 32 bits that is not negative",
            "19:22: `p.Op` needs `request` as well",
            "19:24: `p.Op` has no field `requst`: did you mean `request`?",
            "23:14: `request` is not repeated: give it one value",
            "24:23: the value of `code` does not fit its type `int32`: write an integer of 32 bits",
            "25:18: `p.Alt` needs `code` as well",
            "26:9: the enum `p.Kind` has no value `THREE`: write one of `ONE`, `TWO`",
            "27:3: `p.Op` has no field `lost`",
            "31:22: `operation` is a message: write its fields in braces, or set one of them by `operation.name`",
            "32:15: `code` is no single message, so it has no `x` to set",
            "33:8: `p.Op` is a message, where an extension is needed",
            "34:8: there is no option `uninterpreted_option` of a message",
            "37:27: the enum `p.Kind` has no value `TWWO`: did you mean `TWO`?",
            "38:32: `alternative` is no single message, so it has no `code` to set",
            "39:8: the option `(operation).kind` is already set",
        ],
        &[22],
    );
}

#[test]
fn built_in_options_where_they_have_no_meaning() {
    assert_faults(
        "syntax = \"proto2\";\nmessage Set { option message_set_wire_format = true; extensions 4 to max; }\n\
         message A {\n optional int32 a = 1 [lazy = true];\n optional string b = 2 [jstype = JS_STRING];\n \
         optional A c = 3 [lazy = true];\n optional int64 d = 4 [jstype = JS_STRING];\n optional bool e = 5 [jstype = JS_NORMAL];\n \
         repeated A f = 6 [unverified_lazy = false];\n}\n\
         message B {\n option message_set_wire_format = true;\n optional int32 x = 1;\n}\n\
         extend Set {\n repeated A g = 10;\n optional int32 h = 11;\n optional A i = 12;\n optional A j = 19000;\n}",
        &[
            "4:17: `a` cannot be lazy: only fields with a message as their type can",
            "5:25: `b` cannot have a jstype: only fields of 64-bit integers can",
            "13:17: `B` is a message set, which has extensions and no fields: leave `x` out",
            "16:13: `Set` is a message set, whose extensions are optional messages: `g` is none",
            "17:17: `Set` is a message set, whose extensions are optional messages: `h` is none",
            "19:17: `j` has the number 19000: protobuf keeps 19000 to 19999 for itself",
        ],
    );
    let head = "syntax = \"proto3\";\n";
    let faults = |text: &str| Files::new(&[("a.proto", &format!("{head}{text}"))]).faults();
    assert_eq!(
        faults("message S { option message_set_wire_format = true; }"),
        ["a.proto:2:20: proto3 has no message sets: leave message_set_wire_format out of `S`"]
    );
    assert_eq!(
        faults("message S { option map_entry = true; }"),
        ["a.proto:2:20: map_entry is set by protobuf itself: declare a field `map<key, value>` instead"]
    );
    assert_eq!(
        faults("option features.field_presence = IMPLICIT;"),
        ["a.proto:2:8: features are for editions: proto2 and proto3 have none"]
    );
}

#[test]
fn values_of_groups_and_of_any_type() {
    let head = "syntax = \"proto2\";\nimport \"google/protobuf/any.proto\";\nimport \"google/protobuf/descriptor.proto\";\n\
        package p;\nmessage Op { optional google.protobuf.Any any = 1; repeated group Part = 2 { optional int32 n = 1; } }\n\
        extend google.protobuf.FileOptions { optional Op op = 50000; optional group Own = 50001 { optional int32 n = 1; } }\n";
    let good = "option (op) = { any { [type.googleapis.com/p.Op] { Part { n: 1 } } } Part { n: 2 } part { n: 3 } };\n\
        option (own).n = 5;\n";
    let files = Files::new(&[("a.proto", &format!("{head}{good}"))]);
    assert_eq!(files.faults(), [""; 0]);
    assert_eq!(files.protoc_lines(), [""; 0]);
    let faults = |option: &str| Files::new(&[("a.proto", &format!("{head}{option}"))]).faults();
    assert_eq!(
        faults("option (op) = { any { [example.com/p.Op] {} } };"),
        ["a.proto:7:23: write `type.googleapis.com/` before the name of the type, and not `example.com/`"]
    );
    assert_eq!(
        faults("option (op) = { any { [type.googleapis.com/Op] {} } };"),
        ["a.proto:7:23: there is no message `Op`: write its full name, with its package"]
    );
    assert_eq!(faults("option (op) = { Part { m: 1 } };"), ["a.proto:7:24: `p.Op.Part` has no field `m`"]);
}
