//! Which files there are, in which order, and for which code is emitted.
//!
//! Code is emitted for every file that is read, whether it was named or only
//! imported, except for those that an extern path maps to another crate, for
//! what only these import, and for files that only declare options. Invariant:
//! order and choice depend on the set of files and on the names of those to
//! generate, not on the order in which either was given.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use protobuf::descriptor::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet};

use super::options::Options;
use super::report::{Place, Report};

/// The files of a set.
#[derive(Debug)]
pub(crate) struct Files<'a> {
    /// Dependencies before dependents; of independent ones by name.
    pub(crate) order: Vec<&'a FileDescriptorProto>,
    /// For each of `order`, whether code is emitted for it.
    pub(crate) emit: Vec<bool>,
    /// For each of `order`, the crate that it is mapped to.
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
        let chosen = chosen(&by_name, to_generate, &mapped);
        let emit = order.iter().map(|file| chosen.contains(file.name())).collect();
        Self { order, emit, root }
    }
}

/// Every file behind those that it imports.
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

/// The names of the files for which code is emitted.
fn chosen<'a>(
    by_name: &BTreeMap<&'a str, &'a FileDescriptorProto>,
    to_generate: &'a [String],
    mapped: &dyn Fn(&str) -> bool,
) -> BTreeSet<&'a str> {
    let declared_in = types(by_name);
    let mut chosen = BTreeSet::new();
    let mut queue: Vec<&str> = to_generate.iter().map(String::as_str).collect();
    while let Some(name) = queue.pop() {
        if mapped(name) || !chosen.insert(name) {
            continue;
        }
        let Some(file) = by_name.get(name) else {
            continue;
        };
        let imports = file.dependency.iter().map(String::as_str);
        queue.extend(imports.filter(|import| by_name.get(import).is_some_and(|file| !only_options(file))));
        queue.extend(references(file).into_iter().filter_map(|name| declared_in.get(name)));
    }
    chosen
}

/// Whether a file is there to declare options: such a file is emitted only if
/// it is named, or if a message or service uses one of its types.
fn only_options(file: &FileDescriptorProto) -> bool {
    let is_options = |extendee: &str| {
        extendee.strip_prefix(".google.protobuf.").is_some_and(|name| name.ends_with("Options"))
    };
    file.name() == "google/protobuf/descriptor.proto"
        || file.extension.iter().any(|field| is_options(field.extendee()))
}

/// The full names (with leading dot) of the types that messages and services
/// of a file use.
fn references(file: &FileDescriptorProto) -> Vec<&str> {
    fn of_message<'a>(message: &'a DescriptorProto, found: &mut Vec<&'a str>) {
        let fields = message.field.iter();
        found.extend(fields.map(FieldDescriptorProto::type_name).filter(|name| !name.is_empty()));
        for nested in &message.nested_type {
            of_message(nested, found);
        }
    }
    let mut found = Vec::new();
    for message in &file.message_type {
        of_message(message, &mut found);
    }
    for method in file.service.iter().flat_map(|service| &service.method) {
        found.extend([method.input_type(), method.output_type()]);
    }
    found
}

/// The file of every type, by full name with leading dot.
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
        let scope = match file.package() {
            "" => String::new(),
            package => format!(".{package}"),
        };
        for message in &file.message_type {
            of_message(&scope, message, name, &mut types);
        }
        for declared in &file.enum_type {
            types.insert(format!("{scope}.{}", declared.name()), name);
        }
    }
    types
}
