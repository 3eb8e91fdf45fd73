//! Parses messages, with their fields, oneofs and extensions.

use super::path::{field, message, oneof};
use super::{Parse, Parser, join, step};
use crate::source::ast::{Field, FieldType, Label, Message, MessageKind, Name, Oneof, Scalar};
use crate::source::lexer::{Fault, Kind};
use crate::source::text::Span;

/// The list to which the messages of groups and map fields are added: that of the fields' parent.
pub(super) struct Nested<'a> {
    /// The path of the parent.
    pub(super) parent: &'a [i32],
    /// The field number of the list in the parent's descriptor.
    pub(super) number: i32,
    pub(super) messages: &'a mut Vec<Message>,
}

/// The context of a field declaration.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    Message,
    Extend,
    /// The oneof with this index.
    Oneof(usize),
}

impl Parser<'_> {
    pub(super) fn message(&mut self, path: &[i32]) -> Parse<Message> {
        let location = self.open(path);
        let open = self.advance();
        let name_location = self.open(&join(path, &[message::NAME]));
        let name = self.name("the name of the message")?;
        self.close(name_location);
        let mut declared = Message::new(MessageKind::Declared, name);
        self.message_block(path, location, open, &mut declared)?;
        self.close(location);
        Ok(declared)
    }

    fn message_block(&mut self, path: &[i32], location: usize, open: Span, to: &mut Message) -> Parse<()> {
        self.enter("messages")?;
        self.finish("{", location, "`{`")?;
        while !self.end_block() {
            self.require_more(open, "message")?;
            self.message_statement(path, to)?;
        }
        self.leave();
        Ok(())
    }

    fn message_statement(&mut self, path: &[i32], to: &mut Message) -> Parse<()> {
        if self.skip_empty() {
            return Ok(());
        }
        let word = if self.kind() == Kind::Ident { self.text() } else { "" };
        match word {
            "message" => {
                let path = join(path, &[message::NESTED, step(to.messages.len())]);
                let nested = self.message(&path)?;
                to.messages.push(nested);
            }
            "enum" => {
                let path = join(path, &[message::ENUM, step(to.enums.len())]);
                let nested = self.enumeration(&path)?;
                to.enums.push(nested);
            }
            "extensions" => self.extension_ranges(path, &mut to.extension_ranges)?,
            "reserved" => {
                let numbers = (message::RESERVED_RANGE, message::RESERVED_NAME);
                self.reserved(path, numbers, false, &mut to.reserved)?;
            }
            "extend" => {
                let mut nested = Nested { parent: path, number: message::NESTED, messages: &mut to.messages };
                let list = join(path, &[message::EXTENSION]);
                self.extend(&list, &mut to.extensions, &mut nested)?;
            }
            "option" => {
                let options = join(path, &[message::OPTIONS]);
                let option = self.option_statement(&options, to.options.len())?;
                to.options.push(option);
            }
            "oneof" => self.oneof(path, to)?,
            _ => {
                let mut nested = Nested { parent: path, number: message::NESTED, messages: &mut to.messages };
                let path = join(path, &[message::FIELD, step(to.fields.len())]);
                let location = self.open(&path);
                let field = self.field(&path, location, Context::Message, &mut nested)?;
                to.fields.push(field);
            }
        }
        Ok(())
    }

    /// Parses `extend`, whose fields go to the list of extensions with the given path.
    pub(super) fn extend(&mut self, list: &[i32], to: &mut Vec<Field>, nested: &mut Nested<'_>) -> Parse<()> {
        let all = self.open(list);
        let open = self.advance();
        let extendee = self.type_name("the name of the message to extend")?;
        self.finish("{", all, "`{` after the name of the message to extend")?;
        loop {
            self.require_more(open, "extend")?;
            let path = join(list, &[step(to.len())]);
            let location = self.open(&path);
            self.record(&join(&path, &[field::EXTENDEE]), extendee.span);
            let mut extension = self.field(&path, location, Context::Extend, nested)?;
            extension.extendee = Some(extendee.clone());
            to.push(extension);
            if self.end_block() {
                break;
            }
        }
        self.close(all);
        Ok(())
    }

    fn oneof(&mut self, path: &[i32], to: &mut Message) -> Parse<()> {
        let index = to.oneofs.len();
        let oneof_path = join(path, &[message::ONEOF, step(index)]);
        let location = self.open(&oneof_path);
        let open = self.advance();
        let name_location = self.open(&join(&oneof_path, &[oneof::NAME]));
        let name = self.name("the name of the oneof")?;
        self.close(name_location);
        self.finish("{", location, "`{` after the name of the oneof")?;
        let mut options = Vec::new();
        loop {
            self.require_more(open, "oneof")?;
            if self.next_is("option") {
                let options_path = join(&oneof_path, &[oneof::OPTIONS]);
                options.push(self.option_statement(&options_path, options.len())?);
            } else {
                if label(self.text()).is_some() && self.kind() == Kind::Ident {
                    return Err(Fault::new(
                        self.span().start,
                        format!("a field of a oneof has no label: leave `{}` out", self.text()),
                    ));
                }
                let path_of_field = join(path, &[message::FIELD, step(to.fields.len())]);
                let mut nested = Nested { parent: path, number: message::NESTED, messages: &mut to.messages };
                let at = self.open(&path_of_field);
                let field = self.field(&path_of_field, at, Context::Oneof(index), &mut nested)?;
                to.fields.push(field);
            }
            if self.end_block() {
                break;
            }
        }
        self.close(location);
        to.oneofs.push(Oneof { name, options });
        Ok(())
    }

    /// Parses a field of any kind, whose location is already open.
    fn field(
        &mut self,
        path: &[i32],
        location: usize,
        context: Context,
        nested: &mut Nested<'_>,
    ) -> Parse<Field> {
        let label = match label(self.text()) {
            Some(label) if self.kind() == Kind::Ident => {
                let span = self.advance();
                self.record(&join(path, &[field::LABEL]), span);
                Some((label, span))
            }
            _ => None,
        };
        let (ty, group) = self.field_type(path)?;
        let name_location = self.open(&join(path, &[field::NAME]));
        let name = self.name("the name of the field")?;
        self.close(name_location);
        self.take("=", "`=` and the number of the field")?;
        let number_location = self.open(&join(path, &[field::NUMBER]));
        let number = self.integer(false, "the number of the field")?;
        self.close(number_location);
        let oneof = match context {
            Context::Oneof(index) => Some(index),
            Context::Message | Context::Extend => None,
        };
        let mut field = Field {
            name,
            label,
            ty,
            number,
            default: None,
            json_name: None,
            options: Vec::new(),
            oneof,
            extendee: None,
        };
        self.field_options(path, &mut field)?;
        if group {
            self.group(path, location, &mut field, nested)?;
        } else {
            self.finish(";", location, "`;` or `[` after the number of the field")?;
            if let FieldType::Map(..) = field.ty {
                let name = Name { text: map_entry_name(&field.name.text), span: field.name.span };
                let entry = Message::new(MessageKind::MapEntry, name);
                nested.messages.push(entry);
            }
        }
        self.close(location);
        Ok(field)
    }

    /// Parses the type of a field, and returns whether it is a group, whose name follows.
    fn field_type(&mut self, path: &[i32]) -> Parse<(FieldType, bool)> {
        let location = self.open(path);
        let start = self.span();
        let mut group = false;
        let ty = if self.next_is("map")
            && self
                .tokens
                .get(self.at + 1)
                .is_some_and(|next| next.kind == Kind::Symbol && self.source.slice(next.span) == "<")
        {
            self.advance();
            self.advance();
            let key = self.plain_type("the type of the map's keys")?;
            self.take(",", "`,` and the type of the map's values")?;
            let value = self.plain_type("the type of the map's values")?;
            self.take(">", "`>` after the types of the map")?;
            FieldType::Map(Box::new((key, value)), start.to(self.previous()))
        } else if self.next_is("group") {
            group = true;
            let span = self.advance();
            FieldType::Group(Name { text: String::new(), span })
        } else {
            // An empty block cannot end here, so only a field is expected.
            self.plain_type(if self.next_is("}") { "a field" } else { "a field, or `}`" })?
        };
        self.close(location);
        let number = match ty {
            FieldType::Scalar(_) | FieldType::Group(_) => field::TYPE,
            FieldType::Named(_) | FieldType::Map(..) => field::TYPE_NAME,
        };
        self.locations[location].path.push(number);
        Ok((ty, group))
    }

    fn plain_type(&mut self, what: &str) -> Parse<FieldType> {
        if self.kind() == Kind::Ident
            && let Some(scalar) = Scalar::from_name(self.text())
        {
            self.advance();
            return Ok(FieldType::Scalar(scalar));
        }
        Ok(FieldType::Named(self.type_name(what)?))
    }

    /// Parses the body of a group. The name in the declaration is that of the group's message; the
    /// field has the same name in lower case.
    fn group(
        &mut self,
        path: &[i32],
        location: usize,
        field: &mut Field,
        nested: &mut Nested<'_>,
    ) -> Parse<()> {
        let name = field.name.clone();
        if !name.text.starts_with(|c: char| c.is_ascii_uppercase()) {
            return Err(Fault::new(
                name.span.start,
                format!(
                    "the name of the group `{}` must start with a capital letter: it is the name \
                     of a message as well",
                    name.text
                ),
            ));
        }
        let group_path = join(nested.parent, &[nested.number, step(nested.messages.len())]);
        let start = self.locations[location].span;
        let group_location = self.open(&group_path);
        self.locations[group_location].span.start = start.start;
        self.record(&join(&group_path, &[message::NAME]), name.span);
        self.record(&join(path, &[field::TYPE_NAME]), name.span);
        field.name.text.make_ascii_lowercase();
        field.ty = FieldType::Group(name.clone());
        let mut declared = Message::new(MessageKind::Group, name);
        self.message_block(&group_path, group_location, start, &mut declared)?;
        self.close(group_location);
        nested.messages.push(declared);
        Ok(())
    }
}

fn label(word: &str) -> Option<Label> {
    match word {
        "optional" => Some(Label::Optional),
        "required" => Some(Label::Required),
        "repeated" => Some(Label::Repeated),
        _ => None,
    }
}

/// Returns the name of a map field's entry message: the field's name in camel case, and `Entry`.
fn map_entry_name(field: &str) -> String {
    let mut name = String::with_capacity(field.len() + 5);
    let mut capital = true;
    for c in field.chars() {
        if c == '_' {
            capital = true;
        } else {
            name.push(if capital { c.to_ascii_uppercase() } else { c });
            capital = false;
        }
    }
    name.push_str("Entry");
    name
}
