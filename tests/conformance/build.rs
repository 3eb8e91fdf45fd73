//! Points the testee at the code generated from the suite's schemas, if there is any.
//!
//! Invariant: without `RIAK_CONFORMANCE_GENERATED` the package builds anywhere, to a
//! program that says what it lacks.

use std::env;
use std::path::Path;

/// The variable that names the directory of the generated code.
const VARIABLE: &str = "RIAK_CONFORMANCE_GENERATED";

fn main() {
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    println!("cargo::rustc-check-cfg=cfg(generated)");
    let Some(dir) = env::var_os(VARIABLE) else {
        return;
    };
    let root = Path::new(&dir).join("mod.rs");
    assert!(root.exists(), "{VARIABLE} is no directory of generated code: {} is missing", root.display());
    println!("cargo::rerun-if-changed={}", Path::new(&dir).display());
    let derived = Path::new(&dir).join("derived.rs");
    println!("cargo::rustc-env=RIAK_CONFORMANCE_DERIVED={}", derived.display());
    println!("cargo::rustc-env=RIAK_CONFORMANCE_ROOT={}", root.display());
    println!("cargo::rustc-cfg=generated");
}
