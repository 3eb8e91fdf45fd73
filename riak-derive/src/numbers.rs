//! Field numbers: explicit, assigned in sequence, or reserved.
//!
//! Invariant: if no error is recorded, each number is used once, and none is reserved by
//! protobuf or by the type.

use std::ops::RangeInclusive;

use quote::ToTokens;
use syn::parse::ParseStream;
use syn::{LitInt, LitStr, Token};

use crate::attributes::Entry;
use crate::errors::Errors;
use crate::names::is_name;

/// The highest field number.
const MAX_NUMBER: u32 = (1 << 29) - 1;

/// The numbers that protobuf reserves for its implementation.
const IMPLEMENTATION_RESERVED: RangeInclusive<u32> = 19_000..=19_999;

/// The numbers of one type's fields.
#[derive(Default)]
pub(crate) struct FieldNumbers {
    /// The numbers used so far, with the names of their fields.
    used: Vec<(u32, String)>,
    /// The names used so far.
    names: Vec<String>,
    reserved: Reserved,
    /// The explicit numbers of the whole type, which error messages must not suggest.
    explicit: Vec<u32>,
    /// The number of the previous field.
    last: u32,
}

/// The numbers and names of `reserved(…)`.
#[derive(Clone, Default)]
pub(crate) struct Reserved {
    pub(crate) numbers: Vec<RangeInclusive<u32>>,
    pub(crate) names: Vec<String>,
}

impl Reserved {
    /// Parses `reserved(4, 8..=10, "name")`.
    pub(crate) fn read(entry: &Entry) -> syn::Result<Self> {
        entry.list("reserved(4, 8..=10, \"name\")", |input| {
            let mut reserved = Self::default();
            while !input.is_empty() {
                if input.peek(LitStr) {
                    let literal: LitStr = input.parse()?;
                    let name = literal.value();
                    if !is_name(&name) || reserved.names.contains(&name) {
                        let text = "a reserved name must be a valid field name, and listed once";
                        return Err(syn::Error::new_spanned(literal, text));
                    }
                    reserved.names.push(name);
                } else {
                    let span = input.span();
                    let range = parse_range(input)?;
                    let overlaps = |other: &RangeInclusive<u32>| {
                        other.start() <= range.end() && range.start() <= other.end()
                    };
                    if let Some(other) = reserved.numbers.iter().find(|other| overlaps(other)) {
                        let (first, last) = (other.start().max(range.start()), other.end().min(range.end()));
                        let numbers =
                            if first == last { first.to_string() } else { format!("{first} to {last}") };
                        let text = format!("{numbers} is reserved already: write each number once");
                        return Err(syn::Error::new(span, text));
                    }
                    reserved.numbers.push(range);
                }
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(reserved)
        })
    }
}

fn parse_range(input: ParseStream<'_>) -> syn::Result<RangeInclusive<u32>> {
    let first: LitInt = input.parse()?;
    let start = first.base10_parse()?;
    let end = if input.parse::<Option<Token![..=]>>()?.is_some() {
        input.parse::<LitInt>()?.base10_parse()?
    } else if input.parse::<Option<Token![..]>>()?.is_some() {
        if !input.peek(LitInt) {
            let text = format!(
                "a reserved range has an end: write `{start}..={MAX_NUMBER}` for all from {start} on"
            );
            return Err(syn::Error::new(first.span(), text));
        }
        let end: u32 = input.parse::<LitInt>()?.base10_parse()?;
        end.saturating_sub(1)
    } else {
        start
    };
    if start == 0 || end > MAX_NUMBER || start > end {
        let text = format!(
            "a reserved range goes up, from 1 to {MAX_NUMBER}: write `{}..={}`",
            start.max(1),
            start.max(1) + 2
        );
        return Err(syn::Error::new(first.span(), text));
    }
    Ok(start..=end)
}

impl FieldNumbers {
    pub(crate) fn new(reserved: Reserved, explicit: Vec<u32>) -> Self {
        Self { reserved, explicit, ..Self::default() }
    }

    /// Claims the name of a field or oneof. Records an error if it is taken.
    pub(crate) fn claim_name(&mut self, name: &str, tokens: &dyn ToTokens, errors: &mut Errors) {
        if self.names.iter().any(|other| other == name) {
            let text = format!("another field is called `{name}` in schemas: write `rename = \"another\"`");
            errors.at(tokens, text);
        } else if !name.is_empty() {
            self.names.push(name.to_owned());
        }
    }

    /// Claims an explicit number. Records an error if it is invalid, reserved or taken.
    pub(crate) fn claim(&mut self, number: u32, field: &str, tokens: &dyn ToTokens, errors: &mut Errors) {
        let other = self.used.iter().find(|(used, _)| *used == number);
        let error = if number == 0 {
            Some("field numbers begin with 1".to_owned())
        } else if number > MAX_NUMBER {
            Some(format!("the highest field number is {MAX_NUMBER}"))
        } else if IMPLEMENTATION_RESERVED.contains(&number) {
            Some("the numbers 19000 to 19999 are protobuf's own".to_owned())
        } else if self.is_reserved(number) {
            Some(format!("{number} is reserved"))
        } else {
            other.map(|(_, other)| format!("{number} is the number of `{other}`"))
        };
        if let Some(error) = error {
            errors.at(tokens, format!("{error}: write `tag = {}`", self.suggestion()));
        }
        if self.reserved.names.iter().any(|name| name == field) {
            errors.at(tokens, format!("the name `{field}` is reserved: write `rename = \"another\"`"));
        }
        self.used.push((number, field.to_owned()));
        self.last = number;
    }

    /// Claims the next unreserved number after that of the previous field.
    pub(crate) fn claim_next(&mut self, field: &str, tokens: &dyn ToTokens, errors: &mut Errors) -> u32 {
        let number = self.next_unreserved(self.last.saturating_add(1));
        self.claim(number, field, tokens, errors);
        number
    }

    /// Returns the first unreserved number from `number` on. Skips each reserved range in
    /// one step, since ranges may span all numbers.
    fn next_unreserved(&self, mut number: u32) -> u32 {
        let mut ranges: Vec<&RangeInclusive<u32>> =
            self.reserved.numbers.iter().chain([&IMPLEMENTATION_RESERVED]).collect();
        ranges.sort_by_key(|range| *range.start());
        for range in ranges {
            if range.contains(&number) {
                number = range.end() + 1;
            }
        }
        number
    }

    /// Returns a number that a field could use, for error messages.
    pub(crate) fn suggestion(&self) -> u32 {
        let taken = || self.used.iter().map(|used| used.0).chain(self.explicit.iter().copied());
        let is_free = |number: &u32| *number <= MAX_NUMBER && !taken().any(|taken| taken == *number);
        // Prefer the number after the highest one, else the lowest free number.
        let highest = taken()
            .filter(|taken| *taken < MAX_NUMBER && !IMPLEMENTATION_RESERVED.contains(taken))
            .max()
            .unwrap_or_default();
        let mut ascending: Vec<u32> = taken().filter(|taken| *taken < MAX_NUMBER).collect();
        ascending.sort_unstable();
        [highest, 0]
            .into_iter()
            .chain(ascending)
            .map(|before| self.next_unreserved(before + 1))
            .find(is_free)
            .unwrap_or(1)
    }

    fn is_reserved(&self, number: u32) -> bool {
        self.reserved.numbers.iter().any(|range| range.contains(&number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(reserved: &[RangeInclusive<u32>], explicit: &[u32]) -> FieldNumbers {
        FieldNumbers::new(Reserved { numbers: reserved.to_vec(), names: Vec::new() }, explicit.to_vec())
    }

    #[test]
    fn suggested_numbers_are_free() {
        assert_eq!(numbers(&[], &[]).suggestion(), 1);
        assert_eq!(numbers(&[], &[1, 7]).suggestion(), 8);
        assert_eq!(numbers(&[12..=14, 8..=11], &[1, 7]).suggestion(), 15);
        assert_eq!(numbers(&[], &[18_999]).suggestion(), 20_000);
        assert_eq!(numbers(&[10..=MAX_NUMBER], &[1, 10]).suggestion(), 2);
        assert_eq!(numbers(&[4..=MAX_NUMBER], &[1, 3]).suggestion(), 2);
        assert_eq!(numbers(&[1..=2], &[3, MAX_NUMBER]).suggestion(), 4);
        assert_eq!(numbers(&[4..=MAX_NUMBER], &[1, 2, 3]).suggestion(), 1, "there is none");
    }

    #[test]
    fn assignment_stops_at_the_highest_number() {
        let mut errors = Errors::default();
        let mut all = numbers(&[5..=MAX_NUMBER], &[]);
        all.last = 4;
        assert_eq!(all.claim_next("a", &quote::quote!(a), &mut errors), MAX_NUMBER + 1);
        all.last = u32::MAX;
        assert_eq!(all.claim_next("b", &quote::quote!(b), &mut errors), u32::MAX);
        assert!(errors.tokens().is_some());
    }
}
