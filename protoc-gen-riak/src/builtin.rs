//! The schemas that come with the generator: Riak's own, and the options.
//!
//! Invariant: the texts are those of `proto/`, and each can be imported by its
//! file name from any schema, whatever the include directories.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use crate::replace::replace;

macro_rules! builtin {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../proto/", $name)))),*]
    };
}

/// The name and text of each schema that comes with the generator.
pub const FILES: &[(&str, &str)] = builtin![
    "riak.proto",
    "riak_kv.proto",
    "riak_dt.proto",
    "riak_search.proto",
    "riak_yokozuna.proto",
    "riak_ts.proto",
    "riak_repl.proto",
    "riak_services.proto",
    "riak_options.proto",
];

/// Writes the built-in schemas into a directory of the user's cache, for `protoc -I`, and
/// returns the path of the directory. Files that already have the right text are not
/// written again.
///
/// # Errors
///
/// If the directory cannot be written.
pub fn include_dir() -> io::Result<PathBuf> {
    let dir = cache_dir().join("protoc-gen-riak").join(env!("CARGO_PKG_VERSION"));
    write_into(&dir)?;
    Ok(dir)
}

/// Writes the built-in schemas into a directory.
fn write_into(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    for (name, text) in FILES {
        let path = dir.join(name);
        if fs::read_to_string(&path).is_ok_and(|present| present == *text) {
            continue;
        }
        // In one step, so that no reader sees an incomplete file.
        replace(&path, text.as_bytes())?;
    }
    Ok(())
}

/// Returns the platform's directory for cached files.
fn cache_dir() -> PathBuf {
    let variable = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("XDG_CACHE_HOME")
        .or_else(|| variable("LOCALAPPDATA"))
        .or_else(|| variable("HOME").map(|home| home.join(".cache")))
        .unwrap_or_else(env::temp_dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_are_written_once_and_repaired() {
        let dir = tempfile::tempdir().unwrap();
        write_into(dir.path()).unwrap();
        let kv = dir.path().join("riak_kv.proto");
        let written = fs::metadata(&kv).unwrap().modified().unwrap();
        fs::write(dir.path().join("riak.proto"), "damaged").unwrap();
        write_into(dir.path()).unwrap();
        assert_eq!(fs::metadata(&kv).unwrap().modified().unwrap(), written);
        assert_eq!(fs::read_to_string(dir.path().join("riak.proto")).unwrap(), FILES[0].1);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), FILES.len());
    }
}
