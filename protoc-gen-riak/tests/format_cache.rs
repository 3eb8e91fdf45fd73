//! A build script that runs again formats only the items that have changed.
//!
//! Invariant: whatever the cache holds, the output is that of a run without it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const SCHEMA: &str = "syntax = \"proto2\";\npackage shop;\n\
    // A price.\nmessage Price { required uint64 cents = 1; optional string currency = 2; }\n\
    message Cart { repeated Price prices = 1; enum State { OPEN = 0; PAID = 1; } optional State state = 2; }\n";

/// The files of a directory, by name.
type Files = BTreeMap<String, Vec<u8>>;

struct Package {
    dir: tempfile::TempDir,
}

impl Package {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["plain", "out"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Generates code of `schema` into a directory, as a build script does or not.
    fn generate(&self, schema: &str, out: &str, is_build_script: bool) -> Files {
        fs::write(self.path("shop.proto"), schema).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_protoc-gen-riak"));
        command.current_dir(self.dir.path()).args(["generate", "-o", out, "shop.proto"]);
        command.env_remove("OUT_DIR");
        if is_build_script {
            command.env("OUT_DIR", self.path("out")).env("CARGO_MANIFEST_DIR", self.dir.path());
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        files(&self.path(out))
    }

    /// Generates code with and without the cache, and compares the two.
    fn assert_same(&self, schema: &str) {
        let mut cached = self.generate(schema, "out", true);
        cached.retain(|name, _| !name.ends_with(".formatted"));
        assert_eq!(cached, self.generate(schema, "plain", false));
    }

    fn cache(&self) -> PathBuf {
        let names = files(&self.path("out")).into_keys();
        let caches: Vec<_> = names.filter(|name| name.ends_with(".formatted")).collect();
        let [cache] = caches.as_slice() else { panic!("one cache is expected: {caches:?}") };
        self.path("out").join(cache)
    }
}

fn files(dir: &Path) -> Files {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries
        .filter(|path| path.is_file())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap()))
        .collect()
}

#[test]
fn each_edit_gives_the_output_of_a_fresh_run() {
    let package = Package::new();
    package.assert_same(SCHEMA);
    package.assert_same(&SCHEMA.replace("2; }\nmessage Cart", "2; optional bool vat = 3; }\nmessage Cart"));
    package.assert_same(&SCHEMA.replace("// A price.", "// What a customer pays."));
    package.assert_same(&SCHEMA.replace("Price", "Amount"));
    package.assert_same(&SCHEMA.replace("PAID = 1;", ""));
    package.assert_same(SCHEMA);
}

#[test]
fn text_of_the_previous_run_is_reused() {
    let package = Package::new();
    package.generate(SCHEMA, "out", true);
    let first = fs::read(package.cache()).unwrap();
    // A comment that belongs to no declaration changes no item.
    package.generate(&format!("{SCHEMA}\n// The end.\n"), "out", true);
    assert_eq!(fs::read(package.cache()).unwrap(), first);
    package.generate(&SCHEMA.replace("Price", "Amount"), "out", true);
    assert_ne!(fs::read(package.cache()).unwrap(), first);
}

#[test]
fn a_damaged_cache_is_ignored_and_replaced() {
    let package = Package::new();
    package.generate(SCHEMA, "out", true);
    let whole = fs::read(package.cache()).unwrap();
    let mut changed = whole.clone();
    let text = changed.windows(5).position(|bytes| bytes == b"cents").unwrap();
    changed[text] = b'C';
    for damaged in [&whole[..whole.len() / 2], b"", b"formatted by", &changed] {
        fs::write(package.cache(), damaged).unwrap();
        package.assert_same(SCHEMA);
        assert_eq!(fs::read(package.cache()).unwrap().len(), whole.len());
    }
}

#[test]
fn only_a_build_script_leaves_a_cache() {
    let package = Package::new();
    let names: Vec<_> = package.generate(SCHEMA, "plain", false).into_keys().collect();
    assert_eq!(names, ["mod.rs", "shop.rs"]);
}
