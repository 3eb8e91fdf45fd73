//! Parses services and their methods.

use super::path::{method, service};
use super::{Parse, Parser, join, step};
use crate::source::ast::{Method, Name, OptionSet, Service};

impl Parser<'_> {
    pub(super) fn service(&mut self, path: &[i32]) -> Parse<Service> {
        let location = self.open(path);
        let open = self.advance();
        let name_location = self.open(&join(path, &[service::NAME]));
        let name = self.name("the name of the service")?;
        self.close(name_location);
        let mut declared = Service { name, methods: Vec::new(), options: Vec::new() };
        self.finish("{", location, "`{` after the name of the service")?;
        while !self.end_block() {
            self.require_more(open, "service")?;
            if self.skip_empty() {
                continue;
            }
            if self.next_is("option") {
                let options = join(path, &[service::OPTIONS]);
                let option = self.option_statement(&options, declared.options.len())?;
                declared.options.push(option);
            } else {
                let path = join(path, &[service::METHOD, step(declared.methods.len())]);
                let method = self.method(&path)?;
                declared.methods.push(method);
            }
        }
        self.close(location);
        Ok(declared)
    }

    fn method(&mut self, path: &[i32]) -> Parse<Method> {
        let location = self.open(path);
        let start = self.take("rpc", "`rpc`, `option` or `}`")?;
        let name_location = self.open(&join(path, &[method::NAME]));
        let name = self.name("the name of the method")?;
        self.close(name_location);
        let numbers = (method::CLIENT_STREAMING, method::INPUT);
        let (client_streams, input) = self.method_type(path, numbers)?;
        self.take("returns", "`returns` and the answer's type")?;
        let numbers = (method::SERVER_STREAMING, method::OUTPUT);
        let (server_streams, output) = self.method_type(path, numbers)?;
        let has_block = self.next_is("{");
        let options = if has_block {
            self.method_options(path, location)?
        } else {
            self.finish(";", location, "`;` or `{` after the method")?;
            Vec::new()
        };
        self.close(location);
        Ok(Method {
            name,
            input,
            output,
            client_streams,
            server_streams,
            options,
            has_block,
            span: start.to(self.previous()),
        })
    }

    /// Parses a type in parentheses, optionally after `stream`. `numbers` are the field numbers of the
    /// flag and of the type.
    fn method_type(&mut self, path: &[i32], numbers: (i32, i32)) -> Parse<(bool, Name)> {
        self.take("(", "`(` and a type")?;
        let streams = self.next_is("stream");
        if streams {
            let span = self.advance();
            self.record(&join(path, &[numbers.0]), span);
        }
        let location = self.open(&join(path, &[numbers.1]));
        let name = self.type_name("the name of a message")?;
        self.close(location);
        self.take(")", "`)` after the type")?;
        Ok((streams, name))
    }

    fn method_options(&mut self, path: &[i32], location: usize) -> Parse<Vec<OptionSet>> {
        let options_path = join(path, &[method::OPTIONS]);
        let open = self.span();
        self.finish("{", location, "`{`")?;
        let mut options = Vec::new();
        while !self.end_block() {
            self.require_more(open, "method")?;
            if self.skip_empty() {
                continue;
            }
            if !self.next_is("option") {
                return Err(self.expected("`option` or `}`"));
            }
            let option = self.option_statement(&options_path, options.len())?;
            options.push(option);
        }
        Ok(options)
    }
}
