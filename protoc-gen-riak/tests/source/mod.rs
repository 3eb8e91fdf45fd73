//! Helpers for tests of the `.proto` reader.
#![allow(dead_code, reason = "each test binary uses only a part of it")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use protoc_gen_riak::source::{Loaded, Sources, load};
use protoc_gen_riak::{Diagnostic, Diagnostics};

/// Returns the path of a directory of fixtures.
pub(crate) fn fixtures(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Runs `protoc`.
pub(crate) fn protoc(include: &Path, args: &[&str], files: &[PathBuf]) -> Output {
    let protoc = protoc_bin_vendored::protoc_bin_path().unwrap();
    let mut command = Command::new(protoc);
    command.args(args).arg("-I").arg(include).args(files);
    command.output().unwrap()
}

/// Files in a temporary directory, which is removed on drop.
pub(crate) struct Files {
    dir: tempfile::TempDir,
    names: Vec<String>,
}

impl Files {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let names = files.iter().map(|(name, _)| (*name).to_owned()).collect();
        Self { dir, names }
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        self.names.iter().map(|name| self.dir().join(name)).collect()
    }

    /// Reads all files.
    pub(crate) fn load(&self) -> Result<Loaded, Diagnostics> {
        load(&Sources { include: vec![self.dir().to_owned()], files: self.paths(), ..Sources::default() })
    }

    /// Formats a diagnostic without the directory in its file's name.
    pub(crate) fn shown(&self, diagnostic: &Diagnostic) -> String {
        let prefix = format!("{}/", self.dir().display());
        diagnostic.to_string().replace(&prefix, "").replace(&prefix[..prefix.len() - 1], "DIR")
    }

    /// Returns the faults of all files.
    pub(crate) fn faults(&self) -> Vec<String> {
        match self.load() {
            Ok(_) => Vec::new(),
            Err(faults) => faults.iter().map(|fault| self.shown(fault)).collect(),
        }
    }

    /// Returns the places, as `file:line`, at which `protoc` reports faults; empty if it reports none.
    pub(crate) fn protoc_lines(&self) -> Vec<String> {
        let out = protoc(self.dir(), &["-o", "/dev/null"], &self.paths());
        let text = String::from_utf8(out.stderr).unwrap();
        text.lines()
            .filter(|line| !out.status.success() && !line.contains("warning"))
            .map(|line| {
                let line = line.replace(&format!("{}/", self.dir().display()), "");
                line.split(':').take(2).collect::<Vec<_>>().join(":")
            })
            .collect()
    }
}
