//! Checks names: each must be valid in protobuf and unique in its scope.
//!
//! Invariant: no schema parser rejects a name that passes these checks.

use std::collections::BTreeMap;

use super::collect::Item;
use super::print::{File, fields};
use super::{Member, MessageDescription, SchemaError};

/// The names that are taken, by the enclosing message and the name, and the types that
/// have them.
type Scopes<'f> = BTreeMap<(&'f str, &'f str), &'static str>;

impl File<'_> {
    /// Checks that all names are valid in protobuf, and that the names of each scope
    /// differ.
    pub(super) fn check_names(&self) -> Result<(), SchemaError> {
        let mut scopes = Scopes::new();
        for part in self.package.split('.').filter(|_| !self.package.is_empty()) {
            check_name(part, "the package")?;
        }
        for (name, item) in &self.items {
            for part in name.split('.') {
                check_name(part, item.name())?;
            }
            let scope = self.parent(name).unwrap_or_default();
            let simple = name.rsplit('.').next().unwrap_or_default();
            let mut symbols = vec![simple];
            match item {
                Item::Enum(item) => {
                    symbols.extend(item.values.iter().map(|value| value.name));
                    if item.open && item.values.iter().all(|value| value.number != 0) {
                        return Err(SchemaError::NoZero { name: item.name });
                    }
                }
                Item::Message(message) => members(name, message, &mut scopes)?,
            }
            for symbol in symbols {
                check_name(symbol, item.name())?;
                if let Some(other) = scopes.insert((scope, symbol), item.name()) {
                    let value = symbol.to_owned();
                    return Err(SchemaError::SameValue { value, first: other, second: item.name() });
                }
            }
        }
        if let Some(service) = &self.schema.service {
            check_name(service, "the service")?;
            if let Some(&of) = scopes.get(&("", &**service)) {
                return Err(SchemaError::Service { name: service.clone(), of });
            }
        }
        Ok(())
    }
}

/// Checks the names in a message: those of its fields, including the fields of its
/// oneofs, and those of the oneofs themselves.
fn members<'f>(
    name: &'f str,
    message: &'static MessageDescription,
    scopes: &mut Scopes<'f>,
) -> Result<(), SchemaError> {
    let mut check = |member: &'static str| {
        check_name(member, message.name)?;
        match scopes.insert((name, member), message.name) {
            Some(_) => Err(SchemaError::SameMember { member, message: message.name }),
            None => Ok(()),
        }
    };
    for member in message.members {
        if let Member::Oneof(name, _) = member {
            check(name)?;
        }
    }
    fields(message, |field| check(field.name))?;
    message.reserved_names.iter().try_for_each(|reserved| check_name(reserved, message.name))
}

fn check_name(name: &str, of: &str) -> Result<(), SchemaError> {
    let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if letters && !name.is_empty() && !name.starts_with(|first: char| first.is_ascii_digit()) {
        return Ok(());
    }
    Err(SchemaError::Name { name: name.to_owned(), of: of.to_owned() })
}
