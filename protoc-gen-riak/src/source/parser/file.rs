//! Parses the top level of a file: syntax, package, imports and declarations.

use super::path::file;
use super::{Parse, Parser, comments_before, join, step, text_of};
use crate::source::ast::{File, Import, ImportKind, Name, Syntax};
use crate::source::lexer::{Fault, Kind};

/// The statements allowed at the top level, for error messages.
const STATEMENT: &str = "`message`, `enum`, `service`, `extend`, `import`, `package`, `option` or `;`";

impl Parser<'_> {
    pub(super) fn file(&mut self) -> Parse<File> {
        let gap = comments_before(self.source.text(), self.tokens, 0);
        self.leading = text_of(gap.leading);
        self.detached = gap.detached.into_iter().map(|c| c.text).collect();

        let root = self.open(&[]);
        let syntax =
            if self.next_is("syntax") || self.next_is("edition") { self.syntax()? } else { Syntax::Proto2 };
        let mut file = File {
            syntax,
            package: None,
            imports: Vec::new(),
            options: Vec::new(),
            messages: Vec::new(),
            enums: Vec::new(),
            services: Vec::new(),
            extensions: Vec::new(),
        };
        while self.kind() != Kind::End {
            self.top_level(&mut file)?;
        }
        self.close(root);
        Ok(file)
    }

    fn syntax(&mut self) -> Parse<Syntax> {
        let location = self.open(&[file::SYNTAX]);
        let start = self.span().start;
        let edition = self.next_is("edition");
        self.advance();
        self.take("=", "`=`")?;
        let name = self.text_string("\"proto2\" or \"proto3\"")?;
        if edition {
            let what_to_do = match name.text.as_str() {
                "2023" | "2024" => {
                    "run protoc with this generator as its plugin, which reads editions 2023 and 2024"
                }
                // The plugin refuses newer ones as well.
                _ => {
                    "use proto2 or proto3, or edition 2023 or 2024 and protoc with this generator as its plugin"
                }
            };
            let message = format!(
                "edition {:?} is not read here: the built-in parser reads proto2 and proto3; {what_to_do}",
                name.text
            );
            return Err(Fault::new(start, message));
        }
        let syntax = match name.text.as_str() {
            "proto2" => Syntax::Proto2,
            "proto3" => Syntax::Proto3,
            other => {
                return Err(Fault::new(
                    name.span.start,
                    format!("there is no syntax {other:?}: write \"proto2\" or \"proto3\""),
                ));
            }
        };
        self.finish(";", location, "`;`")?;
        self.close(location);
        Ok(syntax)
    }

    fn top_level(&mut self, to: &mut File) -> Parse<()> {
        if self.skip_empty() {
            return Ok(());
        }
        if self.kind() != Kind::Ident {
            return Err(self.expected(STATEMENT));
        }
        match self.text() {
            "message" => {
                let path = [file::MESSAGE, step(to.messages.len())];
                let message = self.message(&path)?;
                to.messages.push(message);
            }
            "enum" => {
                let path = [file::ENUM, step(to.enums.len())];
                let declared = self.enumeration(&path)?;
                to.enums.push(declared);
            }
            "service" => {
                let path = [file::SERVICE, step(to.services.len())];
                let service = self.service(&path)?;
                to.services.push(service);
            }
            "extend" => {
                let mut groups =
                    super::message::Nested { parent: &[], number: file::MESSAGE, messages: &mut to.messages };
                self.extend(&[file::EXTENSION], &mut to.extensions, &mut groups)?;
            }
            "import" => self.import(to)?,
            "package" => {
                let package = self.package(to.package.as_ref())?;
                to.package = Some(package);
            }
            "option" => {
                let option = self.option_statement(&[file::OPTIONS], to.options.len())?;
                to.options.push(option);
            }
            "syntax" | "edition" => {
                return Err(Fault::new(
                    self.span().start,
                    format!("`{}` must be the first statement of a file: move it up", self.text()),
                ));
            }
            _ => return Err(self.expected(STATEMENT)),
        }
        Ok(())
    }

    fn import(&mut self, to: &mut File) -> Parse<()> {
        let location = self.open(&[file::DEPENDENCY, step(to.imports.len())]);
        let start = self.advance();
        let of_kind = |kind| to.imports.iter().filter(|known| known.kind == kind).count();
        let kind = if self.next_is("public") {
            let index = step(of_kind(ImportKind::Public));
            let span = self.advance();
            self.record(&[file::PUBLIC_DEPENDENCY, index], span);
            ImportKind::Public
        } else if self.next_is("weak") {
            let index = step(of_kind(ImportKind::Weak));
            let span = self.advance();
            self.record(&[file::WEAK_DEPENDENCY, index], span);
            ImportKind::Weak
        } else {
            ImportKind::Plain
        };
        let name = self.text_string("the name of the file to import, in quotes")?;
        self.finish(";", location, "`;` after the import")?;
        self.close(location);
        to.imports.push(Import { name, kind, span: start.to(self.previous()) });
        Ok(())
    }

    fn package(&mut self, before: Option<&Name>) -> Parse<Name> {
        if let Some(before) = before {
            return Err(Fault::new(
                self.span().start,
                format!("the file already has the package `{}`", before.text),
            ));
        }
        let location = self.open(&[file::PACKAGE]);
        self.advance();
        let start = self.span();
        let mut text = self.name("the name of the package")?.text;
        while self.take_if(".") {
            text.push('.');
            text.push_str(&self.name("a name after the `.`")?.text);
        }
        let span = start.to(self.previous());
        self.finish(";", location, "`;` after the package")?;
        self.close(location);
        Ok(Name { text, span })
    }

    /// Returns the path of an option before names are resolved: the path of the options, followed by
    /// `uninterpreted_option` and the index.
    pub(super) fn unresolved(options: &[i32], index: usize) -> Vec<i32> {
        const UNINTERPRETED: i32 = 999;
        join(options, &[UNINTERPRETED, step(index)])
    }
}
