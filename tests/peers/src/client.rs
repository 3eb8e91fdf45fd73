//! The measurement of the client, which is a separate crate, since it builds other peers
//! than the codec's.
//!
//! Invariant: building the codec's measurement builds none of those peers.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Builds the client's measurement and runs it with these arguments.
pub(crate) fn run(arguments: impl Iterator<Item = OsString>) -> Result<ExitCode, String> {
    let program = std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
    let mut cargo = Command::new(program);
    cargo.args(["run", "--quiet", "--release", "--manifest-path"]);
    cargo.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("client/Cargo.toml"));
    // The build script of a peer needs protoc.
    if std::env::var_os("PROTOC").is_none() {
        cargo.env("PROTOC", env!("VENDORED_PROTOC"));
    }
    let status =
        cargo.arg("--").args(arguments).status().map_err(|error| format!("cannot run cargo: {error}"))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
