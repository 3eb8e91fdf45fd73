//! A crate that is written, and compiled by cargo, for one test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Texts, root};

/// A crate in a directory of its own, which goes when this does.
pub struct Scratch {
    dir: tempfile::TempDir,
    name: String,
}

/// What a scratch crate depends on, and how it is compiled.
pub struct Setup<'s> {
    /// Distinguishes it from others, which share their target directory.
    pub name: &'s str,
    pub edition: &'s str,
    /// Features of riak-runtime.
    pub runtime: &'s [&'s str],
    /// More lines of Cargo.toml, from the dependencies on.
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
        // The same versions as here, so that nothing has to be fetched.
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

    /// Writes generated files below a directory.
    pub fn generated(&self, dir: &str, texts: &Texts) {
        for (name, text) in texts {
            self.write(&format!("{dir}/{name}"), text);
        }
    }

    /// Has cargo check it; the output if it fails.
    pub fn check(&self, args: &[&str]) -> Result<(), String> {
        self.cargo("check", args)
    }

    /// Runs a command of cargo.
    pub fn cargo(&self, command: &str, args: &[&str]) -> Result<(), String> {
        let output = Command::new(env!("CARGO"))
            .arg(command)
            .args(["--offline", "--quiet"])
            .args(args)
            .current_dir(self.dir.path())
            // A directory that all of these crates share: what they depend on
            // is compiled once.
            .env("CARGO_TARGET_DIR", target().join("scratch"))
            .env_remove("RUSTFLAGS")
            .env_remove("OUT_DIR")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        // A warning is one too many, even where it does not deny itself.
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

/// The target directory of this test.
fn target() -> PathBuf {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR"));
    out.parent().unwrap_or(out).to_owned()
}
