//! The files of a schema: their order, and which of them are emitted.
//!
//! Code is emitted for every file that is read, whether it was named or only
//! imported, except for files that an extern path maps to another crate, files
//! that only these import, and files that only declare options. The last are not
//! emitted even if they are named, as `proto/*.proto` names them. Invariant: order
//! and choice depend on the set of files and on the names of those to generate,
//! not on the order in which either was given.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use protobuf::descriptor::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet};

use super::options::Options;
use super::report::{Place, Report};

/// The files of a set.
#[derive(Debug)]
pub(crate) struct Files<'a> {
    /// The files, dependencies before dependents, otherwise by name.
    pub(crate) order: Vec<&'a FileDescriptorProto>,
    /// Whether code is emitted for each file of `order`.
    pub(crate) emit: Vec<bool>,
    /// The crate that each file of `order` is mapped to.
    pub(crate) root: Vec<Option<String>>,
}

impl<'a> Files<'a> {
    pub(crate) fn new(
        set: &'a FileDescriptorSet,
        to_generate: &[String],
        options: &Options,
        report: &mut Report,
    ) -> Self {
        let by_name: BTreeMap<&str, &FileDescriptorProto> =
            set.file.iter().map(|file| (file.name(), file)).collect();
        let order = in_order(&by_name);
        let root: Vec<Option<String>> = order
            .iter()
            .map(|file| options.extern_file(file.name(), file.package()))
            .map(|root| root.map(str::to_owned))
            .collect();
        let mapped = |name: &str| {
            by_name.get(name).is_none_or(|file| options.extern_file(name, file.package()).is_some())
        };
        for name in to_generate {
            if !by_name.contains_key(name.as_str()) {
                let message = format!("{name} is to be generated, but is not among the files that were read");
                report.fault(&Place::option(), message);
            }
        }
        let emitted_files = emitted_files(&by_name, to_generate, &mapped);
        let emit = order.iter().map(|file| emitted_files.contains(file.name())).collect();
        Self { order, emit, root }
    }
}

/// Sorts files so that each comes after the files that it imports.
fn in_order<'a>(by_name: &BTreeMap<&str, &'a FileDescriptorProto>) -> Vec<&'a FileDescriptorProto> {
    fn visit<'a>(
        file: &'a FileDescriptorProto,
        by_name: &BTreeMap<&str, &'a FileDescriptorProto>,
        seen: &mut BTreeSet<&'a str>,
        order: &mut Vec<&'a FileDescriptorProto>,
    ) {
        if !seen.insert(file.name()) {
            return;
        }
        let mut imports: Vec<&str> = file.dependency.iter().map(String::as_str).collect();
        imports.sort_unstable();
        for import in imports {
            if let Some(import) = by_name.get(import) {
                visit(import, by_name, seen, order);
            }
        }
        order.push(file);
    }
    let mut seen = BTreeSet::new();
    let mut order = Vec::new();
    for file in by_name.values() {
        visit(file, by_name, &mut seen, &mut order);
    }
    order
}

/// Returns the names of the files for which code is emitted.
fn emitted_files<'a>(
    by_name: &BTreeMap<&'a str, &'a FileDescriptorProto>,
    to_generate: &'a [String],
    mapped: &dyn Fn(&str) -> bool,
) -> BTreeSet<&'a str> {
    let declared_in = types(by_name);
    let mut emitted_files = BTreeSet::new();
    let emitted = |name: &str| by_name.get(name).is_some_and(|file| !declares_only_options(file));
    let mut queue: Vec<&str> = to_generate.iter().map(String::as_str).filter(|name| emitted(name)).collect();
    while let Some(name) = queue.pop() {
        if mapped(name) || !emitted_files.insert(name) {
            continue;
        }
        let Some(file) = by_name.get(name) else {
            continue;
        };
        let imports = file.dependency.iter().map(String::as_str);
        queue.extend(imports.filter(|import| emitted(import)));
        queue.extend(references(file).into_iter().filter_map(|name| declared_in.get(name)));
    }
    emitted_files
}

/// Reports whether a file only declares options: it extends the options of
/// descriptors, and everything else in it is used by these extensions. Such a file
/// is emitted only if a message or service uses one of its types.
fn declares_only_options(file: &FileDescriptorProto) -> bool {
    if file.name() == "google/protobuf/descriptor.proto" {
        return true;
    }
    let is_options = |extendee: &str| {
        extendee.strip_prefix(".google.protobuf.").is_some_and(|name| name.ends_with("Options"))
    };
    let mut used: Vec<&str> = file
        .extension
        .iter()
        .filter(|field| is_options(field.extendee()))
        .map(FieldDescriptorProto::type_name)
        .collect();
    if used.is_empty() || used.len() < file.extension.len() || !file.service.is_empty() {
        return false;
    }
    let scope = scope_of(file);
    let messages: HashMap<String, &DescriptorProto> =
        file.message_type.iter().map(|message| (format!("{scope}.{}", message.name()), message)).collect();
    let enums = file.enum_type.iter().map(|declared| format!("{scope}.{}", declared.name()));
    let mut unused: BTreeSet<String> = enums.chain(messages.keys().cloned()).collect();
    while let Some(name) = used.pop() {
        // A use of a nested type is a use of the outermost type around it.
        let top = unused.iter().find(|top| {
            name.strip_prefix(top.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        });
        if let Some(top) = top.cloned() {
            unused.remove(&top);
            if let Some(message) = messages.get(&top) {
                references_of(message, &mut used);
            }
        }
    }
    unused.is_empty()
}

/// Returns a file's package with a leading dot, or an empty string.
fn scope_of(file: &FileDescriptorProto) -> String {
    match file.package() {
        "" => String::new(),
        package => format!(".{package}"),
    }
}

/// Returns the full names, with leading dot, of the types that the messages and
/// services of a file use.
fn references(file: &FileDescriptorProto) -> Vec<&str> {
    let mut found = Vec::new();
    for message in &file.message_type {
        references_of(message, &mut found);
    }
    for method in file.service.iter().flat_map(|service| &service.method) {
        found.extend([method.input_type(), method.output_type()]);
    }
    found
}

/// Adds the types that a message and its nested messages use.
fn references_of<'a>(message: &'a DescriptorProto, found: &mut Vec<&'a str>) {
    let fields = message.field.iter();
    found.extend(fields.map(FieldDescriptorProto::type_name).filter(|name| !name.is_empty()));
    for nested in &message.nested_type {
        references_of(nested, found);
    }
}

/// Returns the file of every type, by full name with leading dot.
fn types<'a>(by_name: &BTreeMap<&'a str, &'a FileDescriptorProto>) -> HashMap<String, &'a str> {
    fn of_message<'a>(
        scope: &str,
        message: &DescriptorProto,
        file: &'a str,
        types: &mut HashMap<String, &'a str>,
    ) {
        let name = format!("{scope}.{}", message.name());
        for nested in &message.nested_type {
            of_message(&name, nested, file, types);
        }
        for nested in &message.enum_type {
            types.insert(format!("{name}.{}", nested.name()), file);
        }
        types.insert(name, file);
    }
    let mut types = HashMap::new();
    for (&name, file) in by_name {
        let scope = scope_of(file);
        for message in &file.message_type {
            of_message(&scope, message, name, &mut types);
        }
        for declared in &file.enum_type {
            types.insert(format!("{scope}.{}", declared.name()), name);
        }
    }
    types
}
