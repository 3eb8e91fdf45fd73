//! Parses options and their values.

use super::path::field;
use super::{Parse, Parser, join};
use crate::source::ast::{Field, NamePart, OptionSet, Value, ValueField, ValueKind};
use crate::source::lexer::{Fault, Kind, int_value};
use crate::source::text::Span;

impl Parser<'_> {
    /// Parses `option name = value;`, where `index` is the option's index in its element.
    pub(super) fn option_statement(&mut self, path: &[i32], index: usize) -> Parse<OptionSet> {
        let all = self.open(path);
        let location = self.open(&Self::unresolved(path, index));
        let start = self.advance();
        let mut option = self.option(Some(location))?;
        self.finish(";", location, "`;` after the value of the option")?;
        self.close(location);
        self.close(all);
        option.span = start.to(self.previous());
        Ok(option)
    }

    /// Parses options in brackets, if there are any.
    pub(super) fn bracketed(&mut self, path: &[i32]) -> Parse<Vec<OptionSet>> {
        let mut options = Vec::new();
        if !self.next_is("[") {
            return Ok(options);
        }
        let all = self.open(path);
        self.advance();
        loop {
            let option = self.assignment(path, options.len())?;
            options.push(option);
            if !self.take_if(",") {
                break;
            }
        }
        self.take("]", "`,` or `]` after the option")?;
        self.close(all);
        Ok(options)
    }

    /// Parses the options of a field. In descriptors, `default` and `json_name` are not options.
    pub(super) fn field_options(&mut self, path: &[i32], to: &mut Field) -> Parse<()> {
        if !self.next_is("[") {
            return Ok(());
        }
        let options = join(path, &[field::OPTIONS]);
        let all = self.open(&options);
        self.advance();
        loop {
            if self.next_is("default") {
                self.default(path, to)?;
            } else if self.next_is("json_name") {
                self.json_name(path, to)?;
            } else {
                let option = self.assignment(&options, to.options.len())?;
                to.options.push(option);
            }
            if !self.take_if(",") {
                break;
            }
        }
        self.take("]", "`,` or `]` after the option")?;
        self.close(all);
        Ok(())
    }

    fn default(&mut self, path: &[i32], to: &mut Field) -> Parse<()> {
        let start = self.advance();
        if to.default.is_some() {
            return Err(Fault::new(start.start, "the field already has a default"));
        }
        self.take("=", "`=` and the default")?;
        let location = self.open(&join(path, &[field::DEFAULT]));
        let value = self.value("a number, a string or a name")?;
        self.close(location);
        let span = start.to(self.previous());
        to.default = Some((value, span));
        Ok(())
    }

    fn json_name(&mut self, path: &[i32], to: &mut Field) -> Parse<()> {
        let path = join(path, &[field::JSON_NAME]);
        let location = self.open(&path);
        let start = self.advance();
        if to.json_name.is_some() {
            return Err(Fault::new(start.start, "the field already has a json_name"));
        }
        self.take("=", "`=` and the name")?;
        let value_location = self.open(&path);
        let name = self.text_string("the name in quotes")?;
        self.close(value_location);
        self.close(location);
        to.json_name = Some((name, start.to(self.previous())));
        Ok(())
    }

    fn assignment(&mut self, path: &[i32], index: usize) -> Parse<OptionSet> {
        let location = self.open(&Self::unresolved(path, index));
        let option = self.option(Some(location))?;
        self.close(location);
        Ok(option)
    }

    /// Parses `name = value`.
    pub(super) fn option(&mut self, location: Option<usize>) -> Parse<OptionSet> {
        let start = self.span();
        let mut name = vec![self.name_part()?];
        while self.take_if(".") {
            name.push(self.name_part()?);
        }
        self.take("=", "`=` and the value of the option")?;
        let value = self.value("the value of the option")?;
        Ok(OptionSet { name, value, span: start.to(self.previous()), location })
    }

    fn name_part(&mut self) -> Parse<NamePart> {
        let start = self.span();
        let extension = self.take_if("(");
        let name = if extension {
            let name = self.type_name("the name of an extension")?;
            self.take(")", "`)` after the name of the extension")?;
            name
        } else {
            self.name("the name of an option")?
        };
        Ok(NamePart { text: name.text, extension, span: start.to(self.previous()) })
    }

    /// Parses a value outside of message values: a single value, or a message in braces.
    fn value(&mut self, what: &str) -> Parse<Value> {
        if self.next_is("{") { self.message_value() } else { self.single_value(what) }
    }

    fn single_value(&mut self, what: &str) -> Parse<Value> {
        let start = self.span();
        let negative = self.take_if("-");
        let kind = match self.kind() {
            Kind::Ident => {
                let text = self.text().to_owned();
                if negative && !matches!(text.as_str(), "inf" | "infinity" | "nan") {
                    return Err(self.expected("a number after the `-`"));
                }
                self.advance();
                ValueKind::Ident { negative, text }
            }
            Kind::Int => {
                let text = self.text();
                let kind = match (int_value(text), text.parse::<f64>()) {
                    (Some(magnitude), _) => ValueKind::Int { negative, magnitude },
                    // Like protoc, read an integer that does not fit as a float.
                    (None, Ok(size)) if !text.starts_with('0') => {
                        ValueKind::Float(if negative { -size } else { size })
                    }
                    (None, _) => {
                        let message =
                            "the number does not fit 64 bits: write a smaller one, or a decimal one";
                        return Err(Fault::new(start.start, message));
                    }
                };
                self.advance();
                kind
            }
            Kind::Float => {
                // The lexer only accepts digits, one point and an exponent.
                let value: f64 = self.text().parse().unwrap_or(f64::NAN);
                self.advance();
                ValueKind::Float(if negative { -value } else { value })
            }
            Kind::Str if !negative => ValueKind::Text(self.string(what)?.0),
            _ if negative => return Err(self.expected("a number after the `-`")),
            _ => return Err(self.expected(what)),
        };
        let span = start.to(self.previous());
        Ok(Value { kind, span })
    }

    /// Parses a message value, in `{}` or `<>`.
    fn message_value(&mut self) -> Parse<Value> {
        self.enter("values")?;
        let start = self.span();
        let close = if self.take_if("<") {
            ">"
        } else {
            self.take("{", "`{`")?;
            "}"
        };
        let mut fields = Vec::new();
        loop {
            self.skip_hash_comments();
            if self.take_if(close) {
                break;
            }
            if self.kind() != Kind::Ident && !self.next_is("[") {
                let what = format!("the name of a field or `{close}`");
                return Err(self.expected(&what));
            }
            fields.push(self.value_field()?);
        }
        self.leave();
        Ok(Value { kind: ValueKind::Message(fields), span: start.to(self.previous()) })
    }

    /// Skips comments of the text format, from a `#` to the end of the line.
    fn skip_hash_comments(&mut self) {
        while self.next_is("#") {
            let start = self.span().start;
            let rest = self.source.text().get(start..).unwrap_or_default();
            let end = start + rest.find('\n').unwrap_or(rest.len());
            while self.span().start < end && !matches!(self.kind(), Kind::End | Kind::Bad) {
                self.advance();
            }
        }
    }

    fn value_field(&mut self) -> Parse<ValueField> {
        let start = self.span();
        let extension = self.take_if("[");
        let text = if extension {
            let mut text = self.type_name("the name of an extension")?.text;
            if self.take_if("/") {
                text.push('/');
                text.push_str(&self.type_name("the name of a message")?.text);
            }
            self.take("]", "`]` after the name")?;
            text
        } else {
            self.name("the name of a field")?.text
        };
        let name = NamePart { text, extension, span: start.to(self.previous()) };
        // The colon is optional before a message and a list.
        if !self.take_if(":") && !["{", "<", "["].iter().any(|open| self.next_is(open)) {
            return Err(self.expected("`:` and the value of the field"));
        }
        let value = self.field_value()?;
        if !self.take_if(",") {
            self.take_if(";");
        }
        Ok(ValueField { name, value, span: start.to(self.previous()) })
    }

    fn field_value(&mut self) -> Parse<Value> {
        if self.next_is("{") || self.next_is("<") {
            self.message_value()
        } else if self.next_is("[") {
            self.list_value()
        } else {
            self.single_value("the value of the field")
        }
    }

    fn list_value(&mut self) -> Parse<Value> {
        self.enter("values")?;
        let start: Span = self.advance();
        let mut items = Vec::new();
        if !self.take_if("]") {
            loop {
                items.push(self.field_value()?);
                if !self.take_if(",") {
                    break;
                }
            }
            self.take("]", "`,` or `]` after the value")?;
        }
        self.leave();
        Ok(Value { kind: ValueKind::List(items), span: start.to(self.previous()) })
    }
}
