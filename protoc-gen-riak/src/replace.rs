//! [`Staged`]: the new content of a file, written beside it and then put in its place in
//! one step.
//!
//! Invariant: whatever interrupts a run, a file has all of its old or all of its new
//! content. This does not hold if the system itself crashes, since nothing waits until
//! the content is on the disk.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// The complete new content of a file, in a temporary file of the same directory. It is
/// removed if it is dropped.
pub(crate) struct Staged {
    part: NamedTempFile<File>,
    path: PathBuf,
}

impl Staged {
    /// Writes the new content of the file at `path`, which does not change yet.
    pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<Self> {
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Created here, since a file that `tempfile` creates is readable by its owner
        // only. The random name keeps apart the runs of two processes.
        let mut part =
            tempfile::Builder::new().suffix(".part").make_in(dir, |path| File::create_new(path))?;
        part.as_file_mut().write_all(bytes)?;
        Ok(Self { part, path: path.to_owned() })
    }

    /// Gives the file its new content.
    pub(crate) fn put(self) -> io::Result<()> {
        self.part.persist(self.path).map(drop).map_err(|error| error.error)
    }
}

/// Replaces the content of a file, or creates it.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    Staged::write(path, bytes)?.put()
}
