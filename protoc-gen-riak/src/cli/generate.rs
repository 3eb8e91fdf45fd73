//! `protoc-gen-riak generate`: generates code from `.proto` files, without `protoc`.
//!
//! Invariant: its output is that of the plugin, byte for byte.

use std::ffi::OsString;

use super::flags::Flags;
use super::{Failure, print};

/// Runs the command.
pub(super) fn run(args: &[OsString]) -> Result<(), Failure> {
    let flags = Flags::parse(args)?;
    let Some(out) = flags.out else {
        return Err(Failure::Usage("say where to write to: -o OUT".to_owned()));
    };
    if flags.format.is_some() {
        return Err(Failure::Usage("--format belongs to the command codes".to_owned()));
    }
    let report = flags.config.out_dir(out).compile(&flags.files, &flags.include)?;
    for notice in &report.notices {
        eprintln!("{notice}");
    }
    for path in &report.written {
        print(&format!("{}\n", path.display()))?;
    }
    Ok(())
}
