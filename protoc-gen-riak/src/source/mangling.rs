//! Mangles names that `protobuf-parse` takes for numbers, `inf` and `nan`, and restores them in the
//! descriptors that it returns.
//!
//! Invariant: only mangled names are restored, since no other name contains the suffix.

use std::borrow::Cow;

use protobuf::descriptor::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, ServiceDescriptorProto,
};

/// Names that look like numbers.
const NUMERIC_NAMES: [&str; 2] = ["inf", "nan"];

/// The suffix of mangled names, which no schema uses.
const SUFFIX: &str = "_is_a_name_not_a_number";

/// Mangles a name, possibly of several parts.
pub(super) fn mangle(name: &str) -> Cow<'_, str> {
    let is_number = |part: &str| NUMERIC_NAMES.contains(&part);
    if !name.split('.').any(is_number) {
        return name.into();
    }
    let parts = name.split('.').map(|part| part.to_owned() + if is_number(part) { SUFFIX } else { "" });
    parts.collect::<Vec<_>>().join(".").into()
}

/// Restores all names in a file.
pub(super) fn restore(file: &mut FileDescriptorProto) {
    restore_name(&mut file.package);
    file.message_type.iter_mut().for_each(message);
    file.enum_type.iter_mut().for_each(enumeration);
    file.extension.iter_mut().for_each(field);
    file.service.iter_mut().for_each(service);
}

fn message(message: &mut DescriptorProto) {
    restore_name(&mut message.name);
    message.field.iter_mut().chain(&mut message.extension).for_each(field);
    message.nested_type.iter_mut().for_each(self::message);
    message.enum_type.iter_mut().for_each(enumeration);
    message.oneof_decl.iter_mut().for_each(|oneof| restore_name(&mut oneof.name));
}

fn field(field: &mut FieldDescriptorProto) {
    let marked = field.name().contains(SUFFIX);
    [&mut field.name, &mut field.type_name, &mut field.extendee].into_iter().for_each(restore_name);
    if marked {
        // The JSON name was derived from the mangled name; a name without underscores is its own.
        field.json_name.clone_from(&field.name);
    }
}

fn enumeration(declared: &mut EnumDescriptorProto) {
    restore_name(&mut declared.name);
    declared.value.iter_mut().for_each(|value| restore_name(&mut value.name));
}

fn service(service: &mut ServiceDescriptorProto) {
    restore_name(&mut service.name);
    for method in &mut service.method {
        [&mut method.name, &mut method.input_type, &mut method.output_type]
            .into_iter()
            .for_each(restore_name);
    }
}

fn restore_name(name: &mut Option<String>) {
    if let Some(name) = name.as_mut().filter(|name| name.contains(SUFFIX)) {
        *name = name.replace(SUFFIX, "");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numeric_names_are_mangled() {
        assert_eq!(mangle("a.info.nano"), "a.info.nano");
        let there = mangle("a.inf.nan").into_owned();
        assert!(there.split('.').all(|part| !NUMERIC_NAMES.contains(&part)), "{there}");
        let mut back = Some(there);
        restore_name(&mut back);
        assert_eq!(back.unwrap(), "a.inf.nan");
    }
}
