//! Oneofs that are types of their own: enums written by hand, whose fields the
//! message around them does not know.
//!
//! Invariant: a oneof reads no field but those of its own numbers.

use super::{Context, KeepUnknown, Reader, Writer};
use crate::error::DecodeError;

/// A oneof: an enum with one field in each variant.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no oneof",
    note = "`#[riak(oneof, tags(…))]` belongs at a member of type `Option<E>`, where `E` is an enum that has \
            `#[derive(RiakMessage)]` and `#[riak(oneof)]`"
)]
pub trait Oneof {
    /// The numbers of its fields, ascending.
    const NUMBERS: &'static [u32];

    /// Writes the field that is set.
    fn encode<'w>(&self, out: Writer<'w>) -> Writer<'w>;
}

/// A oneof that can be read from bytes that live for `'a`.
pub trait ReadOneof<'a>: Oneof + Sized {
    /// Reads the field with this tag to `place`: `false`, and nothing is read,
    /// if it is none of the oneof's. A message that is there already is merged
    /// with; any other value is replaced.
    ///
    /// # Errors
    ///
    /// If the field is malformed.
    fn merge_field(
        place: &mut Option<Self>,
        tag: u32,
        unknown: &mut impl KeepUnknown<'a>,
        input: &mut Reader<'a>,
        ctx: &mut Context<'a>,
    ) -> Result<bool, DecodeError>;
}

/// Writes a oneof.
#[inline]
pub fn put_oneof<'w, O: Oneof>(oneof: &Option<O>, out: Writer<'w>) -> Writer<'w> {
    match oneof {
        Some(oneof) => oneof.encode(out),
        None => out,
    }
}

/// Reads a field of a oneof; `false` if it is none of them.
///
/// # Errors
///
/// If the field is malformed.
#[inline]
pub fn read_oneof<'a, O: ReadOneof<'a>>(
    tag: u32,
    oneof: &mut Option<O>,
    unknown: &mut impl KeepUnknown<'a>,
    input: &mut Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<bool, DecodeError> {
    O::merge_field(oneof, tag, unknown, input, ctx)
}

/// Whether a oneof has exactly these numbers, given in any order: what the
/// message around it says of it.
#[must_use]
pub const fn has_numbers(oneof: &[u32], said: &[u32]) -> bool {
    let mut index = 0;
    while index < oneof.len() {
        let mut other = 0;
        while other < said.len() && said[other] != oneof[index] {
            other += 1;
        }
        if other == said.len() {
            return false;
        }
        index += 1;
    }
    oneof.len() == said.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_as_sets() {
        assert!(has_numbers(&[1, 3], &[3, 1]));
        assert!(!has_numbers(&[1, 3], &[1]));
        assert!(!has_numbers(&[1], &[1, 3]));
        assert!(!has_numbers(&[1, 3], &[1, 2]));
    }
}
