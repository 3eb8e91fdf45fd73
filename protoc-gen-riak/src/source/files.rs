//! Finds files: the inputs in the include directories, and their imports.
//!
//! Invariant: a name is looked up in the include directories in order, then among the caller's
//! built-in texts, then among the standard files that every protobuf compiler provides.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use protobuf::descriptor::FileDescriptorProto;
use protobuf::well_known_types as known;

use super::Sources;
use super::parser;
use super::text::SourceText;

/// The result of looking up a file name.
pub(crate) enum Found {
    /// A file on disk: its path, and its text or why it cannot be read.
    Disk(PathBuf, Result<String, String>),
    /// A built-in text of the caller.
    Builtin(String),
    /// Neither; the name may still be that of a standard file.
    Nothing,
}

/// Looks up a file name.
pub(crate) fn find(sources: &Sources<'_>, name: &str) -> Found {
    for dir in &sources.include {
        let path = join_include(dir, name);
        if path.is_file() {
            let text = read(&path);
            return Found::Disk(path, text);
        }
    }
    if let Some((_, text)) = sources.builtin.iter().find(|(known, _)| *known == name) {
        return Found::Builtin((*text).to_owned());
    }
    Found::Nothing
}

/// Reports whether an include directory contains a file of this name.
pub(crate) fn on_disk(sources: &Sources<'_>, name: &str) -> bool {
    sources.include.iter().any(|dir| join_include(dir, name).is_file())
}

impl Sources<'_> {
    /// Reports whether there is a built-in text of this name that declares messages, not options.
    pub(crate) fn is_builtin_schema(&self, name: &str) -> bool {
        self.builtin.iter().any(|(known, text)| {
            *known == name
                && parser::parse(&SourceText::new(*known, *known, *text))
                    .is_ok_and(|parsed| parsed.file.extensions.is_empty())
        })
    }
}

/// Joins a directory and a name, without a leading `./`.
fn join_include(dir: &Path, name: &str) -> PathBuf {
    if dir == Path::new(".") { PathBuf::from(name) } else { dir.join(name) }
}

/// Reads a file as UTF-8 text.
fn read(path: &Path) -> Result<String, String> {
    let bytes = fs::read(path).map_err(|error| unreadable(&error))?;
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..good].split(|&byte| byte == b'\n').count();
        format!("is not UTF-8 text in line {line}: save it as UTF-8")
    })
}

fn unreadable(error: &io::Error) -> String {
    format!("cannot be read: {error}")
}

/// Returns a standard file, which every protobuf compiler provides, as `protobuf` has it.
pub(crate) fn standard(name: &str) -> Option<FileDescriptorProto> {
    let descriptor = match name.strip_prefix("google/protobuf/")? {
        "any.proto" => known::any::file_descriptor(),
        "api.proto" => known::api::file_descriptor(),
        "descriptor.proto" => protobuf::descriptor::file_descriptor(),
        "duration.proto" => known::duration::file_descriptor(),
        "empty.proto" => known::empty::file_descriptor(),
        "field_mask.proto" => known::field_mask::file_descriptor(),
        "source_context.proto" => known::source_context::file_descriptor(),
        "struct.proto" => known::struct_::file_descriptor(),
        "timestamp.proto" => known::timestamp::file_descriptor(),
        "type.proto" => known::type_::file_descriptor(),
        "wrappers.proto" => known::wrappers::file_descriptor(),
        _ => return None,
    };
    Some(descriptor.proto().clone())
}

/// Returns why a name cannot be imported, if it is malformed.
pub(crate) fn name_fault(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("the name is empty: name the file to import")
    } else if name.contains('\\') {
        Some("write `/` instead of `\\` in the name of a file to import")
    } else if name.starts_with('/') {
        Some("the name of a file to import counts from an include directory: leave the `/` out")
    } else if name.split('/').any(|part| matches!(part, "" | "." | "..")) {
        Some(
            "the name of a file to import has no empty part, `.` or `..`: \
              it counts from an include directory",
        )
    } else {
        None
    }
}

/// A file that the caller names.
pub(crate) struct Input {
    pub(crate) source: SourceText,
    /// The path of the file; `None` for a built-in text.
    pub(crate) path: Option<PathBuf>,
}

/// Reads an input, which must be in an include directory.
pub(crate) fn input(sources: &Sources<'_>, path: &Path) -> Result<Input, String> {
    let name = if path.is_file() {
        name_under(&sources.include, path)?
    } else if let Some(name) = path.to_str().filter(|name| name_fault(name).is_none())
        && let Some(found) =
            sources.include.iter().map(|dir| join_include(dir, name)).find(|path| path.is_file())
    {
        // The path is a name as in import statements.
        let text = read(&found)?;
        let source = SourceText::new(name, shown(&found), text);
        return Ok(Input { source, path: Some(found) });
    } else {
        return Err(match fs::metadata(path) {
            Ok(_) => "is no file: name a `.proto` file".to_owned(),
            Err(error) => unreadable(&error),
        });
    };
    // The first include directory with the file takes precedence, for inputs as for imports.
    for dir in &sources.include {
        let first = join_include(dir, &name);
        if first.is_file() {
            if !same_file(&first, path) {
                return Err(format!(
                    "is hidden by `{}`, which has the same name in an include directory that comes \
                     first: name that one, or change the order of the directories",
                    shown(&first)
                ));
            }
            break;
        }
    }
    let text = read(path)?;
    let source = SourceText::new(name, shown(path), text);
    Ok(Input { source, path: Some(path.to_owned()) })
}

/// Reads an overlay: any file, or the name of a built-in text.
pub(crate) fn overlay(sources: &Sources<'_>, path: &Path) -> Result<Input, String> {
    if path.is_file() {
        let name = match name_under(&sources.include, path) {
            Ok(name) => name,
            Err(why) => path.file_name().and_then(|name| name.to_str()).map(str::to_owned).ok_or(why)?,
        };
        let source = SourceText::new(name, shown(path), read(path)?);
        return Ok(Input { source, path: Some(path.to_owned()) });
    }
    if let Some(name) = path.to_str()
        && let Some((_, text)) = sources.builtin.iter().find(|(known, _)| *known == name)
    {
        return Ok(Input { source: SourceText::new(name, name, *text), path: None });
    }
    input(sources, path)
}

/// Returns a path as diagnostics print it.
pub(crate) fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Returns the name by which a file is imported.
fn name_under(include: &[PathBuf], path: &Path) -> Result<String, String> {
    let plain = without_cur_dir(path);
    let lexical = include.iter().find_map(|dir| plain.strip_prefix(without_cur_dir(dir)).ok());
    // The file may be in an include directory by another path: one of the two may be relative, contain
    // `..` or go through a symbolic link.
    let name = lexical
        .filter(|name| name.components().all(|part| matches!(part, Component::Normal(_))))
        .map(Path::to_owned)
        .or_else(|| {
            let real = path.canonicalize().ok()?;
            include.iter().find_map(|dir| {
                let dir = dir.canonicalize().ok()?;
                real.strip_prefix(dir).ok().map(Path::to_owned)
            })
        });
    let Some(name) = name else {
        return Err(format!(
            "lies under no include directory (there are: {}): add the directory that its importers \
             count from",
            listed(include)
        ));
    };
    let mut parts = Vec::new();
    for part in name.components() {
        let part = part.as_os_str().to_str();
        parts.push(part.ok_or("has a name that is not UTF-8: rename it")?);
    }
    Ok(parts.join("/"))
}

/// Lists the include directories, for error messages.
pub(crate) fn listed(include: &[PathBuf]) -> String {
    let dirs: Vec<String> = include.iter().map(|dir| format!("`{}`", shown(dir))).collect();
    dirs.join(", ")
}

/// Removes `.` components from a path. `..` is kept: its meaning depends on symbolic links.
fn without_cur_dir(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != Component::CurDir).collect()
}

fn same_file(a: &Path, b: &Path) -> bool {
    without_cur_dir(a) == without_cur_dir(b)
        || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_is_relative_to_the_first_include_directory_with_the_file() {
        let name = |include: &[&str], path: &str| {
            let include: Vec<PathBuf> = include.iter().map(PathBuf::from).collect();
            name_under(&include, Path::new(path))
        };
        assert_eq!(name(&["proto"], "proto/a/b.proto").unwrap(), "a/b.proto");
        assert_eq!(name(&["./proto/"], "proto/./b.proto").unwrap(), "b.proto");
        assert_eq!(name(&["."], "x/b.proto").unwrap(), "x/b.proto");
        assert_eq!(name(&["/i", "/i/j"], "/i/j/b.proto").unwrap(), "j/b.proto");
        let why = name(&["proto", "more"], "other/b.proto").unwrap_err();
        assert!(why.starts_with("lies under no include directory (there are: `proto`, `more`)"));
    }

    #[test]
    fn malformed_import_names_are_rejected() {
        for name in ["", "/a", "a//b", "./a", "a/../b", "a\\b", "a/"] {
            assert!(name_fault(name).is_some(), "{name}");
        }
        assert_eq!(name_fault("a/b.proto"), None);
    }
}
