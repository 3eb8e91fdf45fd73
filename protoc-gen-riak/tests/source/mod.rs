//! What tests of the `.proto` reader share.

use std::path::{Path, PathBuf};

/// A directory of fixtures.
pub fn fixtures(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}
