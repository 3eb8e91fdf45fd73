//! Tests the faults of schemas: each has its place and says what to do; one run reports all of them.

#[path = "source_faults/declarations.rs"]
mod declarations;
#[path = "source_faults/files.rs"]
mod files;
mod source;
#[path = "source_faults/syntax.rs"]
mod syntax;

use source::Files;

/// Checks the faults of a file `a.proto`, given as `line:column: message`. `protoc` stops after the
/// first kind of fault, but must report at least one, and none on any other line.
#[track_caller]
fn assert_faults(text: &str, expected: &[&str]) {
    assert_faults_but(text, expected, &[]);
}

/// Checks faults like [`assert_faults`]. `protoc` may also report faults on the lines `its_own`.
#[track_caller]
fn assert_faults_but(text: &str, expected: &[&str], its_own: &[u32]) {
    let files = Files::new(&[("a.proto", text)]);
    let expected: Vec<String> = expected.iter().map(|fault| format!("a.proto:{fault}")).collect();
    assert_eq!(files.faults(), expected, "{text}");
    let theirs = files.protoc_lines();
    assert!(!theirs.is_empty(), "protoc accepts it");
    for line in theirs {
        if its_own.iter().any(|own| line == format!("a.proto:{own}")) {
            continue;
        }
        let found = expected.iter().any(|fault| fault.starts_with(&format!("{line}:")));
        assert!(found, "protoc finds fault with {line}");
    }
}

/// Checks the faults of a message's content in a proto2 file, whose first line is line 1.
#[track_caller]
fn assert_proto2(body: &str, expected: &[&str]) {
    assert_faults(&format!("syntax = \"proto2\"; message M {{ {body}\n}}"), expected);
}
