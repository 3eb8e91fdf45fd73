//! Parses ranges of numbers: reserved ones, and those for extensions.

use super::path::{message, range};
use super::{Parse, Parser, join, step};
use crate::source::ast::{Range, RangeEnd, Reserved};
use crate::source::lexer::Kind;

impl Parser<'_> {
    /// Parses `reserved` in a message or an enum. `ranges` and `names` are field numbers of its
    /// descriptor.
    pub(super) fn reserved(
        &mut self,
        parent: &[i32],
        (ranges, names): (i32, i32),
        signed: bool,
        to: &mut Reserved,
    ) -> Parse<()> {
        let start = self.advance();
        if self.kind() == Kind::Str {
            let path = join(parent, &[names]);
            let location = self.open(&path);
            self.locations[location].span.start = start.start;
            loop {
                let item = self.open(&join(&path, &[step(to.names.len())]));
                let name = self.text_string("a name in quotes")?;
                self.close(item);
                to.names.push(name);
                if !self.take_if(",") {
                    break;
                }
            }
            self.finish(";", location, "`,` or `;` after the reserved name")?;
            self.close(location);
        } else {
            let path = join(parent, &[ranges]);
            let location = self.open(&path);
            self.locations[location].span.start = start.start;
            self.ranges(&path, signed, &mut to.ranges)?;
            self.finish(";", location, "`,`, `to` or `;` after the reserved number")?;
            self.close(location);
        }
        Ok(())
    }

    /// Parses `extensions`. Options of the ranges are parsed and dropped, since nothing needs them.
    pub(super) fn extension_ranges(&mut self, parent: &[i32], to: &mut Vec<Range>) -> Parse<()> {
        let path = join(parent, &[message::EXTENSION_RANGE]);
        let location = self.open(&path);
        self.advance();
        self.ranges(&path, false, to)?;
        if self.take_if("[") {
            loop {
                self.option(None)?;
                if !self.take_if(",") {
                    break;
                }
            }
            self.take("]", "`,` or `]` after the option")?;
        }
        self.finish(";", location, "`,`, `to` or `;` after the number")?;
        self.close(location);
        Ok(())
    }

    fn ranges(&mut self, path: &[i32], signed: bool, to: &mut Vec<Range>) -> Parse<()> {
        loop {
            let path = join(path, &[step(to.len())]);
            let whole = self.open(&path);
            let start_location = self.open(&join(&path, &[range::START]));
            let start = self.integer(signed, "a number or a name in quotes")?;
            self.close(start_location);
            let end_path = join(&path, &[range::END]);
            let end = if self.take_if("to") {
                let location = self.open(&end_path);
                let end = if self.take_if("max") {
                    RangeEnd::Max
                } else {
                    RangeEnd::Number(self.integer(signed, "a number or `max` after `to`")?)
                };
                self.close(location);
                end
            } else {
                self.record(&end_path, start.span);
                RangeEnd::Number(start)
            };
            self.close(whole);
            to.push(Range { start, end, span: start.span.to(self.previous()) });
            if !self.take_if(",") {
                return Ok(());
            }
        }
    }
}
