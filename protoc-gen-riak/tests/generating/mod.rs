//! Helpers for tests of whole runs: schemas, and the three ways to generate code from them.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses only a part of it")]

pub mod scratch;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use protoc_gen_riak::{Config, Error, OutputFile};

/// Generated code by file name.
pub type Texts = BTreeMap<String, String>;

/// Names and values of settings, as for the plugin and on the command line.
pub type Settings<'s> = &'s [(&'s str, &'s str)];

/// Schemas in a directory.
pub struct Schemas {
    pub dir: PathBuf,
    pub files: Vec<PathBuf>,
}

impl Schemas {
    /// Returns all schemas in a directory, recursively.
    pub fn below(dir: impl Into<PathBuf>) -> Self {
        let dir = dir.into();
        let mut files = Vec::new();
        collect(&dir, &mut files);
        files.retain(|file| file.extension().is_some_and(|extension| extension == "proto"));
        files.sort();
        assert!(!files.is_empty(), "no schemas below {}", dir.display());
        Self { dir, files }
    }

    /// Keeps only the files with these names.
    pub fn only(mut self, names: &[&str]) -> Self {
        self.files = names.iter().map(|name| self.dir.join(name)).collect();
        self
    }

    pub fn without(mut self, names: &[&str]) -> Self {
        self.files.retain(|file| !names.iter().any(|name| *file == self.dir.join(name)));
        self
    }
}

/// Returns Riak's own schemas.
pub fn riak() -> Schemas {
    Schemas::below(root().join("../proto"))
}

/// Returns schemas that are unrelated to Riak and use every feature of the schema language.
pub fn foreign() -> Schemas {
    Schemas::below(root().join("tests/fixtures/foreign"))
}

/// Returns this crate's directory.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// Returns the text of all files in a directory, by name with `/` between segments.
pub fn texts(dir: &Path) -> Texts {
    let mut files = Vec::new();
    collect(dir, &mut files);
    let name = |path: &Path| {
        let parts = path.strip_prefix(dir).unwrap().iter().map(|part| part.to_str().unwrap());
        parts.collect::<Vec<_>>().join("/")
    };
    files.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

/// Replaces the contents of a directory by these files.
pub fn write(dir: &Path, texts: &Texts) {
    if dir.exists() {
        fs::remove_dir_all(dir).unwrap();
    }
    for (name, text) in texts {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// Generates code with the library.
pub fn by_library(schemas: &Schemas, config: &Config) -> Result<Texts, Error> {
    let files = config.generate(&schemas.files, &[&schemas.dir])?;
    Ok(files.into_iter().map(|OutputFile { name, text, .. }| (name, text)).collect())
}

/// Generates code with `protoc` and the plugin.
pub fn by_protoc(schemas: &Schemas, settings: Settings<'_>) -> Texts {
    let out = tempfile::tempdir().unwrap();
    let output = protoc(schemas, settings, out.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    texts(out.path())
}

/// Runs `protoc` with the plugin.
pub fn protoc(schemas: &Schemas, settings: Settings<'_>, out: &Path) -> Output {
    let mut command = Command::new(protoc_bin_vendored::protoc_bin_path().unwrap());
    command
        .arg(format!("--plugin=protoc-gen-riak={}", env!("CARGO_BIN_EXE_protoc-gen-riak")))
        .arg(format!("--riak_out={}", out.display()))
        .arg("-I")
        .arg(&schemas.dir)
        .arg("-I")
        .arg(root().join("../proto"))
        .arg("-I")
        .arg(protoc_bin_vendored::include_path().unwrap());
    for (name, value) in settings {
        command.arg(format!("--riak_opt={name}={value}"));
    }
    command.args(&schemas.files).output().unwrap()
}

/// Generates code with the command line.
pub fn by_command(schemas: &Schemas, settings: Settings<'_>) -> Texts {
    let out = tempfile::tempdir().unwrap();
    let output = command(schemas, settings, out.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    texts(out.path())
}

/// Runs `protoc-gen-riak generate`.
pub fn command(schemas: &Schemas, settings: Settings<'_>, out: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_protoc-gen-riak"));
    command.arg("generate").arg("-I").arg(&schemas.dir).arg("-o").arg(out);
    for (name, value) in settings {
        command.arg(format!("--{}", name.replace('_', "-"))).arg(value);
    }
    command.args(&schemas.files).output().unwrap()
}

/// Fails at the first line in which two sets of files differ.
#[track_caller]
pub fn assert_same(ours: &Texts, theirs: &Texts, hint: &str) {
    let names = |texts: &Texts| texts.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(ours), names(theirs), "other files: {hint}");
    for (name, text) in ours {
        for (number, (one, other)) in text.lines().zip(theirs[name].lines()).enumerate() {
            assert_eq!(one, other, "{name}:{}: {hint}", number + 1);
        }
        assert!(*text == theirs[name], "{name} ends differently: {hint}");
    }
}

/// Compares files with those in a directory of this repository, or writes them there if
/// `UPDATE_GENERATED` is set.
#[track_caller]
pub fn assert_fresh(texts_now: &Texts, dir: &Path) {
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        write(dir, texts_now);
    }
    let hint = "generated code is stale: run UPDATE_GENERATED=1 cargo test -p protoc-gen-riak --test \
                riak_client_is_fresh, and look at the difference";
    assert_same(texts_now, &texts(dir), hint);
}
