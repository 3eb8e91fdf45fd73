//! Faults that involve several files: imports, and names declared elsewhere.

use super::source::Files;

#[test]
fn a_type_of_a_file_that_is_not_imported() {
    let files = Files::new(&[
        ("b.proto", "syntax = \"proto3\";\nmessage B {}"),
        ("c.proto", "syntax = \"proto3\";\nimport \"b.proto\";"),
        ("a.proto", "syntax = \"proto3\";\nimport \"c.proto\";\nmessage A { B b = 1; }"),
    ]);
    assert_eq!(
        files.faults(),
        ["a.proto:3:13: `B` is declared in `b.proto`, which this file does not import: add \
          `import \"b.proto\";`"]
    );
    assert_eq!(files.protoc_lines().last().unwrap(), "a.proto:3");
}

#[test]
fn names_of_two_files() {
    let files = Files::new(&[
        ("a.proto", "syntax = \"proto3\";\nmessage A {}\nmessage b {}"),
        ("b.proto", "syntax = \"proto3\";\n\nmessage A {}"),
        ("c.proto", "syntax = \"proto3\";\npackage b.c;"),
    ]);
    assert_eq!(
        files.faults(),
        [
            "a.proto:3:9: `b` is already a package, in `c.proto`: rename it",
            "b.proto:3:9: the name `A` is already a message, in `a.proto`: rename one",
            "c.proto:2:9: `b` cannot be a package: it is a message in `a.proto`",
        ]
    );
}

#[test]
fn imports() {
    let files = Files::new(&[(
        "dir/a.proto",
        "syntax = \"proto3\";\nimport \"b.proto\";\nimport \"../c.proto\";\nimport 'google/protobuf/any.proto';\nimport \"google/protobuf/any.proto\";\n",
    )]);
    assert_eq!(
        files.faults(),
        [
            "dir/a.proto:2:8: `b.proto` is in no include directory (searched: `DIR`): add the directory that holds it, or correct the name",
            "dir/a.proto:3:8: the name of a file to import has no empty part, `.` or `..`: it counts from an include directory",
            "dir/a.proto:5:8: `google/protobuf/any.proto` is imported twice: once is enough",
        ]
    );
}

#[test]
fn import_cycles() {
    let files = Files::new(&[
        ("a.proto", "syntax = \"proto3\";\nimport \"b.proto\";\nmessage A { B b = 1; }"),
        ("b.proto", "syntax = \"proto3\";\nimport \"c.proto\";\nmessage B { C c = 0; }"),
        ("c.proto", "syntax = \"proto3\";\n\nimport \"a.proto\";\nmessage C { A a = 1; }"),
        ("d.proto", "syntax = \"proto3\";\nimport \"d.proto\";\n"),
    ]);
    assert_eq!(
        files.faults(),
        [
            "b.proto:3:19: `c` has the number 0: numbers of fields start at 1",
            "c.proto:3:8: circular imports: a.proto -> b.proto -> c.proto -> a.proto; move what the files share into one that imports neither",
            "d.proto:2:8: circular imports: d.proto -> d.proto; move what the files share into one that imports neither",
        ]
    );
}

#[test]
fn six_faults_of_two_files_in_one_run() {
    let files = Files::new(&[
        (
            "first.proto",
            "syntax = \"proto2\";\nimport \"second.proto\";\nmessage First {\n  optional Secnd second = 1;\n  optional int32 twice = 1;\n  \
             reserved 7;\n  optional int32 kept = 7;\n}\n",
        ),
        (
            "second.proto",
            "syntax = \"proto2\";\nimport \"first.proto\";\nmessage Second {\n  optional int32 high = 600000000;\n  \
             optional int32 odd = 2 [optoin = 1];\n}\n",
        ),
    ]);
    assert_eq!(
        files.faults(),
        [
            "first.proto:4:12: there is no type `Secnd`: did you mean `Second`?",
            "first.proto:5:26: `twice` has the number 1 of `second` in line 4: choose another",
            "first.proto:7:25: the number 7 of `kept` is reserved in line 6: choose another",
            "second.proto:2:8: circular imports: first.proto -> second.proto -> first.proto; move what the files share into one that imports neither",
            "second.proto:4:25: `high` has a number that is too high: numbers of fields go up to 536870911",
            "second.proto:5:27: there is no option `optoin` of a field",
        ]
    );
}

#[test]
fn syntax_error_does_not_hide_faults_of_other_files() {
    let files = Files::new(&[
        ("bad.proto", "syntax = \"proto3\";\nmessage A {\nmessage B {\n"),
        ("worse.proto", "syntax = \"proto3\";\nmessage ;\nmessage ;"),
        (
            "user.proto",
            "syntax = \"proto3\";\nimport \"bad.proto\";\nmessage C {\n  A a = 1;\n  Nowhere b = 1;\n}",
        ),
        ("alone.proto", "syntax = \"proto3\";\nmessage D { Nowhere b = 1; }"),
    ]);
    assert_eq!(
        files.faults(),
        [
            "bad.proto:4:1: expected the `}` of the message of line 3, found the end of the file",
            "worse.proto:2:9: expected the name of the message, found `;`",
            // bad.proto may declare `Nowhere`, so user.proto gets no fault for it.
            "user.proto:5:15: `b` has the number 1 of `a` in line 4: choose another",
            "alone.proto:2:13: there is no type `Nowhere`: declare it, or import the file that declares it",
        ]
    );
}

#[test]
fn a_standard_file_by_another_name() {
    // Its messages have the fields that are declared here, and not those of the standard file.
    let files = Files::new(&[(
        "descriptor.proto",
        "syntax = \"proto2\";\npackage google.protobuf;\nmessage FieldOptions {\n  optional int32 own = 1 [default = 1];\n  \
         optional bool lazy = 5 [default = false];\n}",
    )]);
    assert_eq!(files.faults(), [""; 0]);
}

#[test]
fn a_message_of_two_files_is_one_fault() {
    let text = "syntax = \"proto3\";\nmessage A {\n  int32 a = 1;\n  message B { int32 b = 1; }\n}";
    let files = Files::new(&[("a.proto", text), ("copy.proto", text)]);
    assert_eq!(
        files.faults(),
        ["copy.proto:2:9: the name `A` is already a message, in `a.proto`: rename one"]
    );
}
