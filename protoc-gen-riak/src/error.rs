//! [`Error`]: why a run of the generator failed.
//!
//! Invariant: every error except [`Error::Write`] is reported before any
//! output file is written.

use std::path::PathBuf;
use std::{fmt, io};

use crate::Diagnostics;

/// Why a run of the generator failed.
///
/// `Debug` prints the same text as `Display`, so that a build script's `main` can return
/// it.
#[non_exhaustive]
pub enum Error {
    /// The schema has faults: all of them, with their places.
    Schema(Diagnostics),
    /// A setting does not exist, or does not take this value.
    Parameter {
        /// The name of the setting.
        name: String,
        /// What is wrong, and what to write instead.
        message: String,
    },
    /// A file could not be read.
    Read {
        /// The file.
        path: PathBuf,
        /// The I/O error.
        error: io::Error,
    },
    /// A file could not be written.
    Write {
        /// The file.
        path: PathBuf,
        /// The I/O error.
        error: io::Error,
    },
    /// There is no output directory: `OUT_DIR` is set only in build scripts.
    NoOutDir,
    /// No files were named.
    NoFiles,
    /// The input from `protoc` is not a code generation request.
    Request {
        /// What is wrong with it.
        message: String,
    },
    /// The generator emitted text that is not Rust, which is a bug.
    Emit {
        /// The file that it was emitting.
        file: String,
        /// The error of the Rust parser.
        message: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schema(faults) => faults.fmt(f),
            Self::Parameter { name, message } => write!(f, "{name}: {message}"),
            Self::Read { path, error } => write!(f, "{}: cannot be read: {error}", path.display()),
            Self::Write { path, error } => write!(f, "{}: cannot be written: {error}", path.display()),
            Self::NoOutDir => f.write_str(
                "no output directory: call `out_dir`, or run in a build script, where OUT_DIR is set",
            ),
            Self::NoFiles => f.write_str(
                "no .proto files were named: name at least one; if a pattern names them, check that it fits any",
            ),
            Self::Request { message } => {
                write!(
                    f,
                    "standard input is not a CodeGeneratorRequest ({message}): let protoc start this program, and \
                     save schemas as UTF-8, comments and defaults too"
                )
            }
            Self::Emit { file, message } => {
                write!(f, "{file}: the generator made text that is not Rust ({message}): please report this")
            }
        }
    }
}

/// Prints the `Display` text, since a build script whose `main` returns an error
/// prints it with `Debug`.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{self}")
    }
}

// No `source`: the text has that of the cause in it.
impl std::error::Error for Error {}

impl From<Diagnostics> for Error {
    fn from(faults: Diagnostics) -> Self {
        Self::Schema(faults)
    }
}
