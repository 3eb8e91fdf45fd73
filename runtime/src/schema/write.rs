//! Writes single declarations.
//!
//! Invariant: each level is indented by two spaces, and a blank line separates
//! declarations.

use std::fmt::Write as _;

use super::collect::Item;
use super::print::{File, Syntax};
use super::{
    DefaultValue, Description, Done, EnumDescription, Field, Label, Member, MessageDescription, SchemaError,
    Type,
};

/// Writes the declarations of a file.
pub(super) struct Writer<'f> {
    file: &'f File<'f>,
    text: String,
    depth: usize,
    comments: bool,
    /// Whether the innermost declaration is still empty.
    fresh: bool,
}

impl<'f> Writer<'f> {
    pub(super) fn new(file: &'f File<'f>) -> Self {
        Self { file, text: String::new(), depth: 0, comments: true, fresh: true }
    }

    /// Creates a writer that omits doc comments.
    pub(super) fn without_comments(file: &'f File<'f>) -> Self {
        Self { comments: false, ..Self::new(file) }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    fn line(&mut self, line: &str) {
        if !line.is_empty() {
            let _ = write!(self.text, "{:1$}{line}", "", 2 * self.depth);
        }
        self.text.push('\n');
        self.fresh = false;
    }

    /// Writes a blank line, except at the start of a declaration.
    pub(super) fn gap(&mut self) {
        if !self.fresh {
            self.line("");
        }
    }

    fn docs(&mut self, docs: &str) {
        if docs.is_empty() || !self.comments {
            return;
        }
        for line in docs.split('\n') {
            let blank = if line.is_empty() { "" } else { " " };
            self.line(&format!("//{blank}{line}"));
        }
    }

    /// Returns the name of one of Riak's options.
    fn option(&self, name: &str) -> String {
        // In a package with a component `riak`, the name would otherwise refer to that.
        let dot = if self.file.package.split('.').skip(1).any(|part| part == "riak") { "." } else { "" };
        format!("({dot}riak.{name})")
    }

    /// Writes syntax, package and imports.
    pub(super) fn head<'i>(&mut self, items: impl Iterator<Item = &'i Item>) {
        self.line(match self.file.syntax {
            Syntax::Proto2 => "syntax = \"proto2\";",
            Syntax::Proto3 => "syntax = \"proto3\";",
            Syntax::Edition2023 => "edition = \"2023\";",
        });
        if !self.file.package.is_empty() {
            self.gap();
            self.line(&format!("package {};", self.file.package));
        }
        let mut imports = self.file.schema.imports.clone();
        let mut import = |name: &str| {
            if !imports.iter().any(|other| other == name) {
                imports.push(name.to_owned());
            }
        };
        let serves = self.file.schema.service.is_some();
        if serves {
            import("riak.proto");
        }
        if serves || items.into_iter().any(has_options) {
            import("riak_options.proto");
        }
        imports.sort();
        if !imports.is_empty() {
            self.gap();
        }
        for import in imports {
            self.line(&format!("import \"{}\";", import.escape_default()));
        }
    }

    /// Writes an enum.
    pub(super) fn enumeration(&mut self, name: &str, item: &EnumDescription) {
        self.docs(item.docs);
        self.begin(&format!("enum {name}"));
        if self.file.syntax == Syntax::Edition2023 && !item.open {
            self.line("option features.enum_type = CLOSED;");
            self.line("");
        }
        // In an open enum, zero must be the first value.
        let (zero, others): (Vec<&super::Value>, Vec<&super::Value>) =
            item.values.iter().partition(|value| item.open && value.number == 0);
        for value in zero.into_iter().chain(others) {
            self.docs(value.docs);
            self.line(&format!("{} = {};", value.name, value.number));
        }
        self.close();
    }

    fn begin(&mut self, head: &str) {
        self.line(&format!("{head} {{"));
        self.depth += 1;
        self.fresh = true;
    }

    /// Closes the innermost declaration.
    pub(super) fn close(&mut self) {
        self.depth -= 1;
        if self.fresh {
            // The declaration is empty.
            self.text.truncate(self.text.len() - 1);
            self.text.push_str("}\n");
            self.fresh = false;
        } else {
            self.line("}");
        }
    }

    /// Opens a message.
    pub(super) fn open(&mut self, name: &str, message: &MessageDescription) {
        self.docs(message.docs);
        self.begin(&format!("message {name}"));
        if let Some(code) = message.code {
            let line = format!("option {} = {code};", self.option("code"));
            self.line(&line);
        }
        let numbers = message.reserved.iter().map(|(first, last)| {
            if first == last { first.to_string() } else { format!("{first} to {last}") }
        });
        let names = message.reserved_names.iter().map(|name| match self.file.syntax {
            Syntax::Edition2023 => (*name).to_owned(),
            _ => format!("\"{name}\""),
        });
        let [numbers, names] = [numbers.collect::<Vec<_>>(), names.collect::<Vec<_>>()];
        for reserved in [numbers, names].iter().filter(|reserved| !reserved.is_empty()) {
            self.line(&format!("reserved {};", reserved.join(", ")));
        }
    }

    /// Writes the fields of a message.
    pub(super) fn members(&mut self, message: &MessageDescription) -> Result<(), SchemaError> {
        if !message.members.is_empty() {
            self.gap();
        }
        for member in message.members {
            match member {
                Member::Field(field) => self.field(message, field)?,
                Member::Oneof(name, oneof) => {
                    self.begin(&format!("oneof {name}"));
                    if let Some(Description::Oneof(fields)) = oneof().description {
                        fields.iter().try_for_each(|field| self.field(message, field))?;
                    }
                    self.close();
                }
            }
        }
        Ok(())
    }

    fn field(&mut self, message: &MessageDescription, field: &Field) -> Result<(), SchemaError> {
        self.docs(field.docs);
        let syntax = self.file.syntax;
        let mut options = Vec::new();
        let ty = match field.ty {
            Type::Scalar(name) => name.to_owned(),
            Type::Message(ty) | Type::Group(ty) | Type::Enum(ty) => self.file.reference(ty().name),
        };
        let label = match (field.label, syntax) {
            (Label::Required, Syntax::Edition2023) => {
                options.push("features.field_presence = LEGACY_REQUIRED".to_owned());
                ""
            }
            (Label::Implicit, Syntax::Edition2023) => {
                options.push("features.field_presence = IMPLICIT".to_owned());
                ""
            }
            (Label::Required, _) => "required ",
            (Label::Optional, Syntax::Proto2 | Syntax::Proto3) => "optional ",
            (Label::Repeated | Label::Packed, _) => "repeated ",
            (Label::Implicit | Label::Optional | Label::Map(_) | Label::Oneof, _) => "",
        };
        let packs = |ty: Type| match ty {
            Type::Scalar(name) => !matches!(name, "string" | "bytes"),
            Type::Enum(_) => true,
            Type::Message(_) | Type::Group(_) => false,
        };
        match (field.label, syntax) {
            (Label::Packed, Syntax::Proto2) => options.push("packed = true".to_owned()),
            (Label::Repeated, Syntax::Proto3) if packs(field.ty) => options.push("packed = false".to_owned()),
            (Label::Repeated, Syntax::Edition2023) if packs(field.ty) => {
                options.push("features.repeated_field_encoding = EXPANDED".to_owned());
            }
            _ => {}
        }
        if matches!(field.ty, Type::Group(_)) {
            options.push("features.message_encoding = DELIMITED".to_owned());
        }
        if let Some(default) = field.default {
            options.push(format!("default = {}", self.default(message, field, default)?));
        }
        if !field.kind.is_empty() {
            options.push(format!("{} = {}", self.option("kind"), field.kind));
        }
        let options = if options.is_empty() { String::new() } else { format!(" [{}]", options.join(", ")) };
        let ty = if let Label::Map(key) = field.label { format!("map<{key}, {ty}>") } else { ty };
        self.line(&format!("{label}{ty} {} = {}{options};", field.name, field.number));
        Ok(())
    }

    fn default(
        &self,
        message: &MessageDescription,
        field: &Field,
        default: DefaultValue,
    ) -> Result<String, SchemaError> {
        let variant = match default {
            DefaultValue::Plain(text) => return Ok(text.to_owned()),
            DefaultValue::Bytes(bytes) => return Ok(format!("\"{}\"", bytes.escape_ascii())),
            DefaultValue::Variant(variant) => variant,
        };
        let item = match field.ty {
            Type::Enum(ty) => self.file.enumeration(ty().name),
            _ => None,
        };
        let value = item.and_then(|item| item.values.iter().find(|value| value.variant == variant));
        value.map(|value| value.name.to_owned()).ok_or_else(|| SchemaError::NoSuchValue {
            field: format!("{}.{}", message.name, field.name),
            variant,
        })
    }

    /// Writes all requests as a service.
    pub(super) fn service(
        &mut self,
        name: &str,
        requests: &[&'static MessageDescription],
    ) -> Result<(), SchemaError> {
        self.gap();
        self.begin(&format!("service {name}"));
        let error = self.option("error");
        self.line(&format!(
            "option {error} = {{ code: 0 type: \".RpbErrorResp\" text: \"errmsg\" number: \"errcode\" }};"
        ));
        let mut methods = Vec::new();
        for message in requests {
            self.gap();
            self.method(message, &mut methods)?;
        }
        self.close();
        Ok(())
    }

    fn method(
        &mut self,
        message: &'static MessageDescription,
        methods: &mut Vec<String>,
    ) -> Result<(), SchemaError> {
        let Some(request) = &message.request else { return Ok(()) };
        let simple = message.name.rsplit('.').next().unwrap_or(message.name);
        let short = simple.strip_suffix("Request").or(simple.strip_suffix("Req")).unwrap_or(simple);
        let numbered = (2..).map(|count| format!("{simple}{count}"));
        let mut names = [short, simple].map(str::to_owned).into_iter().chain(numbered);
        let free = |name: &String| !name.is_empty() && !methods.contains(name);
        let method = names.find(free).unwrap_or_default();
        let answer = (request.answer)();
        let described = match answer.description {
            Some(Description::Message(answer)) => Some(answer),
            _ => self.file.message(answer.name),
        };
        let done = match request.done {
            None => None,
            Some(Done::Name(name)) => Some(name),
            Some(Done::Number(number)) => {
                let members = described.map(|answer| answer.members).unwrap_or_default();
                let found = members.iter().find_map(|member| match member {
                    Member::Field(field) if field.number == number => Some(field.name),
                    _ => None,
                });
                Some(found.ok_or(SchemaError::StreamEnd { request: message.name })?)
            }
        };
        let Some(answer_code) = described.and_then(|answer| answer.code) else {
            let by = message.name.to_owned();
            return Err(SchemaError::NotDerived { by, rust: answer.rust });
        };
        let code = message.code.unwrap_or_default();
        let mut facts = format!("request: {code} response: {answer_code}");
        for (name, value) in [
            ("done", done.unwrap_or_default()),
            ("stream_if", request.stream_if),
            ("timeout", request.timeout),
        ] {
            if !value.is_empty() {
                let _ = write!(facts, " {name}: \"{value}\"");
            }
        }
        if !request.facts.is_empty() {
            let _ = write!(facts, " {}", request.facts);
        }
        let stream = if request.streams { "stream " } else { "" };
        // A relative name would first be looked up among the methods.
        let [asked, answered] = [message.name, answer.name].map(|name| self.file.absolute(name));
        self.docs(message.docs);
        self.begin(&format!("rpc {method}({asked}) returns ({stream}{answered})"));
        let operation = self.option("operation");
        self.line(&format!("option {operation} = {{ {facts} }};"));
        self.close();
        methods.push(method);
        Ok(())
    }
}

/// Reports whether one of Riak's options is written in a type.
fn has_options(item: &Item) -> bool {
    let Item::Message(message) = item else { return false };
    let kind = |field: &Field| !field.kind.is_empty();
    message.code.is_some()
        || message.members.iter().any(|member| match member {
            Member::Field(field) => kind(field),
            Member::Oneof(_, oneof) => {
                matches!(oneof().description, Some(Description::Oneof(fields)) if fields.iter().any(kind))
            }
        })
}
