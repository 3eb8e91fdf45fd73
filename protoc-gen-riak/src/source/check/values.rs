//! Checks the values of enums.

use std::collections::HashMap;

use super::Checker;
use crate::source::ast::{Enum, EnumValue, Range, RangeEnd, Syntax};
use crate::source::types::is_set;

impl Checker<'_> {
    /// Checks the values and the reserved numbers and names of an enum.
    pub(super) fn values_of(&mut self, declared: &Enum) {
        let Some(first) = declared.values.first() else {
            let message =
                format!("the enum `{}` has no value: an enum needs at least one", declared.name.text);
            return self.fault(declared.name.span, message);
        };
        if self.syntax == Syntax::Proto3 && first.number.value != 0 {
            let message = format!(
                "the first value of a proto3 enum must be 0, and `{}` is {}: put the value that \
                 stands for nothing first",
                first.name.text, first.number.value
            );
            self.fault(first.number.span, message);
        }
        let allows_alias = is_set(&declared.options, "allow_alias");
        let mut has_alias = false;
        let mut seen = HashMap::new();
        for value in &declared.values {
            let number = value.number.value;
            if i32::try_from(number).is_err() {
                let message = format!("the value `{}` does not fit 32 bits", value.name.text);
                self.fault(value.number.span, message);
                continue;
            }
            if let Some(before) = seen.insert(number, value.name.text.as_str()) {
                has_alias = true;
                if !allows_alias {
                    let message = format!(
                        "`{}` has the number {number} of `{before}`: choose another, or set \
                         `option allow_alias = true;` if both should mean the same",
                        value.name.text
                    );
                    self.fault(value.number.span, message);
                }
            }
            self.check_not_reserved(declared, value);
        }
        self.check_distinct_names(declared);
        if allows_alias && !has_alias {
            let message = format!(
                "no two values of `{}` have the same number: leave `allow_alias` out",
                declared.name.text
            );
            self.fault(declared.name.span, message);
        }
        self.check_reserved_ranges(&declared.reserved.ranges);
        self.reserved_names(&declared.reserved.names);
    }

    /// Reports a value whose number or name is reserved.
    fn check_not_reserved(&mut self, declared: &Enum, value: &EnumValue) {
        let number = value.number.value;
        if let Some(range) = declared.reserved.ranges.iter().find(|range| bounds(range).contains(&number)) {
            let line = self.line(range.span);
            let message = format!(
                "the number {number} of `{}` is reserved in line {line}: choose another",
                value.name.text
            );
            self.fault(value.number.span, message);
        }
        if let Some(name) = declared.reserved.names.iter().find(|name| name.text == value.name.text) {
            let line = self.line(name.span);
            let message =
                format!("the name `{}` is reserved in line {line}: choose another", value.name.text);
            self.fault(value.name.span, message);
        }
    }

    /// Reports reserved ranges that are empty or overlap.
    fn check_reserved_ranges(&mut self, ranges: &[Range]) {
        for (index, range) in ranges.iter().enumerate() {
            let own = bounds(range);
            if own.is_empty() {
                self.fault(range.span, "the range ends before it starts: swap its ends");
                continue;
            }
            let meets = |other: &&Range| {
                let other = bounds(other);
                !other.is_empty() && other.start() <= own.end() && own.start() <= other.end()
            };
            if let Some(other) = ranges[..index].iter().find(meets) {
                let line = self.line(other.span);
                self.fault(
                    range.span,
                    format!("the range overlaps with that of line {line}: reserve a number once"),
                );
            }
        }
    }

    /// Reports values whose names differ only in case, underscores and the enum's name: languages that
    /// convert the case of names, as Rust does, could not distinguish them.
    fn check_distinct_names(&mut self, declared: &Enum) {
        let mut seen = HashMap::new();
        for value in &declared.values {
            let name = value.name.text.as_str();
            let (before, number) =
                *seen.entry(normalized_name(&declared.name.text, name)).or_insert((name, value.number.value));
            if before != name && number != value.number.value {
                let message = format!(
                    "`{name}` differs from `{before}` only in case, underscores or the name of the enum: \
                     choose another, or give both one number"
                );
                self.fault(value.name.span, message);
            }
        }
    }
}

/// Normalizes a value's name for comparison: removes the enum's name from its start, and converts
/// it to camel case.
fn normalized_name(declared: &str, value: &str) -> String {
    let prefix = declared.replace('_', "").to_ascii_lowercase();
    let mut prefix = prefix.chars().peekable();
    let mut rest = value;
    while let Some(wanted) = prefix.peek() {
        let mut chars = rest.chars();
        match chars.next() {
            Some('_') => {}
            Some(char) if char.to_ascii_lowercase() == *wanted => {
                prefix.next();
            }
            _ => break,
        }
        rest = chars.as_str();
    }
    let stripped = rest.trim_start_matches('_');
    let name = if prefix.peek().is_some() || stripped.is_empty() { value } else { stripped };
    let mut bare = String::new();
    let mut start = true;
    for char in name.chars() {
        match char {
            '_' => start = true,
            char if std::mem::take(&mut start) => bare.push(char.to_ascii_uppercase()),
            char => bare.push(char.to_ascii_lowercase()),
        }
    }
    bare
}

/// Returns a range of values, inclusive at both ends.
fn bounds(range: &Range) -> std::ops::RangeInclusive<i64> {
    let end = match range.end {
        RangeEnd::Number(number) => number.value,
        RangeEnd::Max => i64::from(i32::MAX),
    };
    range.start.value..=end
}
