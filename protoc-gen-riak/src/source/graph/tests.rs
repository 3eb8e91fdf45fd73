//! Chains of imports.
//!
//! Invariant: the limit holds for the longest chain, and is reported once.

use super::*;

/// Reads a chain of files, each of which imports the next one.
fn chain(length: usize) -> Graph {
    let file = |index| {
        let import =
            if index + 1 < length { format!("import \"{}.proto\";\n", index + 1) } else { String::new() };
        (format!("{index}.proto"), format!("syntax = \"proto3\";\n{import}"))
    };
    let files: Vec<(String, String)> = (0..length).map(file).collect();
    let builtin: Vec<(&str, &str)> = files.iter().map(|(name, text)| (&**name, &**text)).collect();
    let mut graph =
        Graph::read(&Sources { overlays: vec!["0.proto".into()], builtin: &builtin, ..Sources::default() });
    graph.check_imports();
    graph
}

#[test]
fn imports_go_only_so_deep() {
    assert!(chain(MAX_DEPTH).faults.is_empty());
    let faults: Vec<String> = chain(MAX_DEPTH * 2).faults.iter().map(Diagnostic::to_string).collect();
    assert_eq!(
        faults,
        [
            "299.proto:2:8: imports go more than 300 files deep from here: let this file import directly what it needs"
        ]
    );
}
