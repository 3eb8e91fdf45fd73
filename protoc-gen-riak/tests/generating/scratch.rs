//! A temporary crate that a test writes and compiles with cargo.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Texts, root};

/// A crate in a temporary directory, which is removed on drop.
pub struct Scratch {
    dir: tempfile::TempDir,
    name: String,
}

/// The dependencies of a scratch crate, and how it is compiled.
pub struct Setup<'s> {
    /// The name of the crate, which must be unique because scratch crates share a target directory.
    pub name: &'s str,
    pub edition: &'s str,
    /// Features of riak-runtime to enable.
    pub runtime: &'s [&'s str],
    /// Additional lines of Cargo.toml, starting in its dependencies.
    pub more: &'s str,
}

impl Setup<'_> {
    pub const PLAIN: Setup<'static> =
        Setup { name: "plain", edition: "2024", runtime: &["client", "server"], more: "" };
}

impl Scratch {
    pub fn new(setup: &Setup<'_>) -> Self {
        let dir = tempfile::Builder::new().prefix("scratch-").tempdir().unwrap();
        let features: Vec<String> = setup.runtime.iter().map(|feature| format!("{feature:?}")).collect();
        let manifest = format!(
            "[package]\nname = \"scratch-{}\"\nversion = \"0.0.0\"\nedition = \"{}\"\n\n[workspace]\n\n\
             [features]\ndefault = []\nclients = []\nservers = []\n\n[dependencies]\n\
             riak-runtime = {{ path = \"{}\", default-features = false, features = [{}] }}\n{}",
            setup.name,
            setup.edition,
            workspace().join("runtime").display(),
            features.join(", "),
            setup.more
        );
        let scratch = Self { dir, name: setup.name.to_owned() };
        scratch.write("Cargo.toml", &manifest);
        // Use the workspace's lock file, so that nothing has to be fetched.
        fs::copy(workspace().join("Cargo.lock"), scratch.path("Cargo.lock")).unwrap();
        scratch
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Writes generated files into a directory.
    pub fn generated(&self, dir: &str, texts: &Texts) {
        for (name, text) in texts {
            self.write(&format!("{dir}/{name}"), text);
        }
    }

    /// Runs `cargo check`; the error is its output.
    pub fn check(&self, args: &[&str]) -> Result<(), String> {
        self.cargo("check", args)
    }

    /// Runs a cargo command; the error is its output.
    pub fn cargo(&self, command: &str, args: &[&str]) -> Result<(), String> {
        let output = Command::new(env!("CARGO"))
            .arg(command)
            .args(["--offline", "--quiet"])
            .args(args)
            .current_dir(self.dir.path())
            // A target directory that all scratch crates share, so that their
            // dependencies are compiled once.
            .env("CARGO_TARGET_DIR", target().join("scratch"))
            .env_remove("RUSTFLAGS")
            .env_remove("OUT_DIR")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        // Warnings count as failures, even those that are not denied.
        if output.status.success() && !text.contains("warning") {
            return Ok(());
        }
        let shown: String = text.chars().take(4_000).collect();
        Err(format!("scratch-{}: cargo {command} {args:?} fails:\n{shown}", self.name))
    }
}

fn workspace() -> PathBuf {
    root().parent().unwrap().to_owned()
}

/// Returns the target directory of this test.
fn target() -> PathBuf {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR"));
    out.parent().unwrap_or(out).to_owned()
}
