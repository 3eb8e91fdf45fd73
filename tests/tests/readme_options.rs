//! The README's table of options lists exactly the options that are parsed.
#![cfg(feature = "tls")]

use std::fmt::Write as _;

use riak_client::PARAMETERS;

#[test]
fn the_readme_lists_all_parameters() {
    let mut table = String::from("| option | unit | default | why |\n|--|--|--|--|\n");
    for parameter in PARAMETERS {
        let _ = writeln!(
            table,
            "| `{}` | {} | {} | {} |",
            parameter.name, parameter.unit, parameter.default, parameter.help
        );
    }
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    assert!(readme.contains(&table), "it should have:\n{table}");
}
