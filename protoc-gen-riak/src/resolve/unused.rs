//! Explains why a rule applies to nothing: probably its path is misspelt.
//!
//! Invariant: a path is suggested only if a rule with it would apply to something.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use riak_codegen::suggest::nearest;

use super::decls::Decls;
use super::options::normalize;
use super::report::{Place, Report};

/// Reports the rules of an option that apply to nothing.
///
/// `used` has the indexes of the others. `names` are the full names with which the paths
/// were compared, and `kind` is what they are names of.
pub(crate) fn report<T>(
    (option, rules): (&str, &[(String, T)]),
    used: &HashSet<usize>,
    (kind, names): (&str, &[String]),
    decls: &Decls<'_>,
    report: &mut Report,
) {
    for (index, (path, _)) in rules.iter().enumerate() {
        if !used.contains(&index) {
            let why = reason(path, kind, names, decls);
            report.notice(&Place::option(), format!("the rule {option}={path} has no effect: {why}"));
        }
    }
}

fn reason(path: &str, kind: &str, names: &[String], decls: &Decls<'_>) -> String {
    if names.is_empty() {
        return format!("the schema has no {kind}");
    }
    let path = normalize(path);
    let inside = path.trim_start_matches('.');
    let around: BTreeSet<&str> = names.iter().flat_map(|name| enclosing(name)).collect();
    if inside.is_empty() || around.contains(inside) {
        return format!(
            "each {kind} that it fits has a rule with a longer path, or a later one with the same path"
        );
    }
    // What exists is not misspelt: it is of another kind.
    let near = if is_declared(decls, inside) { None } else { meant(inside, &around, '.') };
    let hint = near.map(|near| format!("; did you mean \".{near}\"?")).unwrap_or_default();
    format!("it was compared with the full name of each {kind}, and none is or lies below {path}{hint}")
}

/// Explains why an extern path fits nothing.
pub(crate) fn extern_reason(path: &str, decls: &Decls<'_>) -> String {
    let files: BTreeSet<&str> = decls.files.iter().map(|file| file.proto.name()).collect();
    let packages = decls.files.iter().flat_map(|file| enclosing(file.proto.package()));
    let messages = decls.messages.iter().map(|message| message.full_name.as_str());
    let enums = decls.enums.iter().map(|item| item.full_name.as_str());
    let names: BTreeSet<&str> = packages.chain(messages).chain(enums).collect();
    let is_file = !path.starts_with('.') && Path::new(path).extension().is_some_and(|end| end == "proto");
    let near = if is_file {
        meant(path, &files, '/').map(str::to_owned)
    } else {
        let inside = path.trim_start_matches('.');
        let near = names.get(inside).copied().or_else(|| meant(inside, &names, '.'));
        near.map(|near| format!(".{near}"))
    };
    let near = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
    format!(
        "it was compared with the name of each file (a/b.proto), package (.a.b) and type (.a.b.Type), and fits none{near}"
    )
}

/// Returns the name that a path was probably meant to be: one that is longer or shorter
/// by a package or a directory, or else the one with the fewest other characters.
fn meant<'n>(path: &str, names: &BTreeSet<&'n str>, separator: char) -> Option<&'n str> {
    let ends = |long: &str, short: &str| {
        long.strip_suffix(short).is_some_and(|before| !short.is_empty() && before.ends_with(separator))
    };
    let longer = names.iter().filter(|name| ends(name, path)).min_by_key(|name| name.len());
    let shorter = || names.iter().filter(|name| ends(path, name)).max_by_key(|name| name.len());
    longer.or_else(shorter).copied().or_else(|| nearest(path, names.iter().copied()))
}

/// Returns a full name and those of everything that encloses it, the root excepted.
fn enclosing(name: &str) -> impl Iterator<Item = &str> {
    let first = (!name.is_empty()).then_some(name);
    std::iter::successors(first, |name| name.rfind('.').map(|dot| &name[..dot]))
}

/// Reports whether a package, type or field has this full name.
fn is_declared(decls: &Decls<'_>, name: &str) -> bool {
    let is_field = || {
        let (message, field) = name.rsplit_once('.')?;
        let message = decls.messages.iter().find(|found| found.full_name == message)?;
        message.proto.field.iter().find(|found| found.name() == field)
    };
    let mut packages = decls.files.iter().flat_map(|file| enclosing(file.proto.package()));
    decls.symbol(name).is_some() || packages.any(|package| package == name) || is_field().is_some()
}
