//! Checks the extern paths of a run against its schema.
//!
//! Invariant: code emitted after this check contains only valid Rust paths.

use riak_codegen::model::FileId;

use super::decls::Decls;
use super::options::{Options, is_rust_path};
use super::report::{Place, Report};
use super::unused;

/// Reports targets that are not Rust paths, rules that map nothing, and files that
/// are generated although a mapped file imports them.
pub(crate) fn check(decls: &Decls<'_>, options: &Options, report: &mut Report) {
    for (path, target) in &options.extern_paths {
        let rule = format!("extern_path={path}={target}");
        if !is_rust_path(target) {
            let text = format!("{rule}: \"{target}\" is not a Rust path: write one such as ::riak_client");
            report.fault(&Place::option(), text);
        } else if !is_used(decls, path) {
            let why = unused::extern_reason(path, decls);
            report.notice(&Place::option(), format!("{rule} has no effect: {why}"));
        }
    }
    for file in &decls.files {
        let Some(root) = &file.root else { continue };
        let emitted = |name: &&String| {
            let found = decls.files.iter().find(|file| file.proto.name() == *name);
            found.is_some_and(|file| file.emit)
        };
        for import in file.proto.dependency.iter().filter(emitted) {
            let text = format!(
                "{import} is generated here, and {}, which imports it, is mapped to {root}: \
                 map {import} to it as well, or its types will be different ones",
                file.proto.name()
            );
            report.notice(&file.locations.whole_file(), text);
        }
    }
}

fn is_used(decls: &Decls<'_>, path: &str) -> bool {
    let name = path.strip_prefix('.').unwrap_or(path);
    let is_package = |package: &str| {
        package.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let mut files = decls.files.iter();
    let is_type = path.starts_with('.') && decls.symbol(path).is_some();
    is_type || files.any(|file| file.proto.name() == path || is_package(file.proto.package()))
}

/// Returns the files that are emitted.
pub(crate) fn emitted<'d>(decls: &'d Decls<'_>) -> impl Iterator<Item = FileId> + 'd {
    let files = decls.files.iter().enumerate();
    files.filter(|(_, file)| file.emit).map(|(index, _)| FileId(index))
}
