//! A file as a whole: its syntax and package, the nesting of its types, and duplicate
//! names.
//!
//! Invariant: the chosen syntax can express everything that the types contain.

use super::collect::{Item, Schema};
use super::write::Writer;
use super::{Description, EnumDescription, Field, Label, Member, MessageDescription, SchemaError, Type};

/// The syntax of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    Proto2,
    Proto3,
    Edition2023,
}

/// A file to be written.
pub(super) struct File<'s> {
    pub(super) schema: &'s Schema,
    pub(super) syntax: Syntax,
    /// The package; empty if there is none.
    pub(super) package: String,
    /// The types by name, without the package; each name once.
    pub(super) items: Vec<(String, Item)>,
}

impl<'s> File<'s> {
    pub(super) fn new(schema: &'s Schema) -> Result<Self, SchemaError> {
        let mut file =
            Self { schema, syntax: syntax(&schema.items)?, package: String::new(), items: Vec::new() };
        file.package = file.find_package()?;
        let mut again = Vec::new();
        for item in &schema.items {
            let name = file.local(item.name()).to_owned();
            match file.items.iter().find(|(other, _)| *other == name) {
                None => file.items.push((name, *item)),
                Some((_, other)) => again.push((*item, *other)),
            }
        }
        // How a type is written depends on the types that it refers to, so compare
        // after collecting.
        for (one, other) in &again {
            file.same(one, other)?;
        }
        file.check_names()?;
        Ok(file)
    }

    pub(super) fn text(&self) -> Result<String, SchemaError> {
        let mut writer = Writer::new(self);
        writer.head(self.items.iter().map(|(_, item)| item));
        for (name, item) in self.items.iter().filter(|(name, _)| self.parent(name).is_none()) {
            writer.gap();
            self.item(&mut writer, name, item)?;
        }
        if let Some(service) = &self.schema.service {
            let requests = self.items.iter().filter_map(|(_, item)| match item {
                Item::Message(message) if message.request.is_some() => Some(*message),
                _ => None,
            });
            writer.service(service, &requests.collect::<Vec<_>>())?;
        }
        Ok(writer.finish())
    }

    /// Writes a type, with the types nested in it.
    fn item(&self, writer: &mut Writer<'_>, name: &str, item: &Item) -> Result<(), SchemaError> {
        let simple = name.rsplit('.').next().unwrap_or(name);
        match item {
            Item::Enum(item) => writer.enumeration(simple, item),
            Item::Message(message) => {
                writer.open(simple, message);
                for (inner, item) in self.items.iter().filter(|(inner, _)| self.parent(inner) == Some(name)) {
                    writer.gap();
                    self.item(writer, inner, item)?;
                }
                writer.members(message)?;
                writer.close();
            }
        }
        Ok(())
    }

    /// Returns a name without the file's package.
    fn local<'n>(&self, name: &'n str) -> &'n str {
        name.strip_prefix(&*self.package).and_then(|rest| rest.strip_prefix('.')).unwrap_or(name)
    }

    /// Returns the message that contains the type with this name, which has no package.
    pub(super) fn parent<'n>(&self, name: &'n str) -> Option<&'n str> {
        let (parent, _) = name.rsplit_once('.')?;
        self.items
            .iter()
            .any(|(other, item)| other == parent && matches!(item, Item::Message(_)))
            .then_some(parent)
    }

    /// Returns the text that refers to a type.
    pub(super) fn reference(&self, name: &str) -> String {
        let local = self.local(name);
        let simple = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
        let same = self.items.iter().filter(|(other, _)| simple(other) == simple(local)).count();
        let own = self.items.iter().any(|(other, _)| other == local);
        // A name in lower case could be mistaken for a keyword.
        if own
            && same == 1
            && !local.contains('.')
            && local.starts_with(|first: char| first.is_ascii_uppercase())
        {
            return local.to_owned();
        }
        self.absolute(name)
    }

    /// Returns the text that refers to a type from any scope: its absolute name.
    pub(super) fn absolute(&self, name: &str) -> String {
        let local = self.local(name);
        let own = self.items.iter().any(|(other, _)| other == local);
        if own && !self.package.is_empty() {
            return format!(".{}.{local}", self.package);
        }
        format!(".{name}")
    }

    /// Returns the package of all names: what precedes the outermost message.
    fn find_package(&self) -> Result<String, SchemaError> {
        let mut found: Option<(&str, &str)> = None;
        for item in &self.schema.items {
            let name = item.name();
            let package = package_of(name, &self.schema.items);
            match found {
                Some((other, of)) if other != package => {
                    if !other.is_empty() && !package.is_empty() || self.schema.package.is_none() {
                        let (first, second) = (of.to_owned(), name.to_owned());
                        return Err(SchemaError::Packages { first, second });
                    }
                    if other.is_empty() {
                        found = Some((package, name));
                    }
                }
                Some(_) => {}
                None => found = Some((package, name)),
            }
        }
        let (found, of) = found.unwrap_or_default();
        match &self.schema.package {
            Some(package) if !found.is_empty() && package != found => {
                Err(SchemaError::Packages { first: of.to_owned(), second: format!("{package}.…") })
            }
            Some(package) => Ok(package.clone()),
            None => Ok(found.to_owned()),
        }
    }

    /// Checks that two types of one name are written the same, apart from comments, as
    /// the two forms of a message are.
    fn same(&self, one: &Item, other: &Item) -> Result<(), SchemaError> {
        let text = |item: &Item| -> Result<String, SchemaError> {
            let mut writer = Writer::without_comments(self);
            match item {
                Item::Enum(item) => writer.enumeration("", item),
                Item::Message(message) => {
                    writer.open("", message);
                    writer.members(message)?;
                    writer.close();
                }
            }
            Ok(writer.finish())
        };
        if text(one)? == text(other)? {
            return Ok(());
        }
        Err(SchemaError::SameName { name: one.name().to_owned() })
    }

    /// Returns the enum with this name.
    pub(super) fn enumeration(&self, name: &str) -> Option<&'static EnumDescription> {
        let name = self.local(name);
        self.items.iter().find_map(|(other, item)| match item {
            Item::Enum(item) if other == name => Some(*item),
            _ => None,
        })
    }

    /// Returns the message with this name.
    pub(super) fn message(&self, name: &str) -> Option<&'static MessageDescription> {
        let name = self.local(name);
        self.items.iter().find_map(|(other, item)| match item {
            Item::Message(message) if other == name => Some(*message),
            _ => None,
        })
    }
}

/// Returns the package of a name: everything before the outermost message that contains
/// it.
fn package_of<'n>(name: &'n str, items: &[Item]) -> &'n str {
    let mut outer = name;
    let parents = name.match_indices('.').map(|(at, _)| &name[..at]);
    if let Some(message) = parents
        .clone()
        .find(|parent| items.iter().any(|item| matches!(item, Item::Message(_)) && item.name() == *parent))
    {
        outer = message;
    }
    outer.rsplit_once('.').map_or("", |(package, _)| package)
}

/// Visits all fields of a message, including those of its oneofs.
pub(super) fn fields(
    message: &MessageDescription,
    mut visit: impl FnMut(&'static Field) -> Result<(), SchemaError>,
) -> Result<(), SchemaError> {
    for member in message.members {
        match member {
            Member::Field(field) => visit(field)?,
            Member::Oneof(_, oneof) => {
                if let Some(Description::Oneof(fields)) = oneof().description {
                    fields.iter().try_for_each(&mut visit)?;
                }
            }
        }
    }
    Ok(())
}

/// Returns the first syntax that can express everything.
fn syntax(items: &[Item]) -> Result<Syntax, SchemaError> {
    let (mut older, mut newer, mut group) = (false, false, false);
    for item in items {
        let message = match item {
            Item::Enum(item) => {
                *(if item.open { &mut newer } else { &mut older }) = true;
                continue;
            }
            Item::Message(message) => message,
        };
        fields(message, |field| {
            older |= field.label == Label::Required || field.default.is_some();
            newer |= field.label == Label::Implicit;
            group |= matches!(field.ty, Type::Group(_));
            if let Type::Enum(ty) = field.ty
                && let Some(Description::Enum(EnumDescription { open: false, name, values, .. })) =
                    ty().description
            {
                let path = format!("{}.{}", message.name, field.name);
                match field.label {
                    Label::Implicit => return Err(SchemaError::ImplicitClosed { field: path, name }),
                    Label::Map(_) if values.first().is_some_and(|value| value.number != 0) => {
                        return Err(SchemaError::MapEnum { field: path, name });
                    }
                    _ => {}
                }
            }
            Ok(())
        })?;
    }
    Ok(match (older, newer, group) {
        (_, false, false) => Syntax::Proto2,
        (false, true, false) => Syntax::Proto3,
        _ => Syntax::Edition2023,
    })
}
