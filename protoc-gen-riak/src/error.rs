//! Why a run of the generator failed.
//!
//! Invariant: whatever the reason, no output file was touched before it was
//! known, except by [`Error::Write`].

use std::path::PathBuf;
use std::{fmt, io};

use crate::Diagnostics;

/// Why a run of the generator failed.
///
/// `Debug` prints the same text as `Display`, so that a build script's `main` can return
/// it.
#[non_exhaustive]
pub enum Error {
    /// There are faults in the schema: all of them, with their places.
    Schema(Diagnostics),
    /// A setting does not exist, or cannot have this value.
    Parameter {
        /// Its name.
        name: String,
        /// What is wrong, and what to write instead.
        message: String,
    },
    /// A file could not be read.
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// A file could not be written.
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// There is no output directory: `OUT_DIR` is set in build scripts only.
    NoOutDir,
    /// What `protoc` sent is not a request for code.
    Request {
        /// What is wrong with it.
        message: String,
    },
    /// The generator made text that is not Rust, which is a bug.
    Emit {
        /// The file that it was making.
        file: String,
        /// What the Rust parser said.
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

/// As it is shown: a build script's `main` prints its error this way, and that
/// is what people read.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{self}")
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Schema(faults) => Some(faults),
            Self::Read { error, .. } | Self::Write { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl From<Diagnostics> for Error {
    fn from(faults: Diagnostics) -> Self {
        Self::Schema(faults)
    }
}
