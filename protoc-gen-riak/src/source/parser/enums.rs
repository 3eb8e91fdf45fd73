//! Parses enums.

use super::path::{enum_value, enumeration};
use super::{Parse, Parser, join, step};
use crate::source::ast::{Enum, EnumValue, Reserved};

impl Parser<'_> {
    pub(super) fn enumeration(&mut self, path: &[i32]) -> Parse<Enum> {
        let location = self.open(path);
        let open = self.advance();
        let name_location = self.open(&join(path, &[enumeration::NAME]));
        let name = self.name("the name of the enum")?;
        self.close(name_location);
        let mut declared =
            Enum { name, values: Vec::new(), reserved: Reserved::default(), options: Vec::new() };
        self.finish("{", location, "`{` after the name of the enum")?;
        while !self.end_block() {
            self.require_more(open, "enum")?;
            self.enum_statement(path, &mut declared)?;
        }
        self.close(location);
        Ok(declared)
    }

    fn enum_statement(&mut self, path: &[i32], to: &mut Enum) -> Parse<()> {
        if self.skip_empty() {
            return Ok(());
        }
        if self.next_is("option") {
            let options = join(path, &[enumeration::OPTIONS]);
            let option = self.option_statement(&options, to.options.len())?;
            to.options.push(option);
        } else if self.next_is("reserved") {
            let numbers = (enumeration::RESERVED_RANGE, enumeration::RESERVED_NAME);
            self.reserved(path, numbers, true, &mut to.reserved)?;
        } else {
            let path = join(path, &[enumeration::VALUE, step(to.values.len())]);
            let value = self.enum_value(&path)?;
            to.values.push(value);
        }
        Ok(())
    }

    fn enum_value(&mut self, path: &[i32]) -> Parse<EnumValue> {
        let location = self.open(path);
        let name_location = self.open(&join(path, &[enum_value::NAME]));
        let name = self.name("the name of an enum value, `option`, `reserved` or `}`")?;
        self.close(name_location);
        self.take("=", "`=` and the number of the enum value")?;
        let number_location = self.open(&join(path, &[enum_value::NUMBER]));
        let number = self.integer(true, "the number of the enum value")?;
        self.close(number_location);
        let options = self.bracketed(&join(path, &[enum_value::OPTIONS]))?;
        self.finish(";", location, "`;` after the enum value")?;
        self.close(location);
        Ok(EnumValue { name, number, options })
    }
}
