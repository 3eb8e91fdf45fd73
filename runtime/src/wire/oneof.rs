//! Oneofs that are types of their own: hand-written enums, whose fields the containing
//! message does not know.
//!
//! Invariant: a oneof only reads fields with its own numbers.

use super::{Context, KeepUnknown, Reader, Writer};
use crate::error::DecodeError;

/// A oneof: an enum with one field in each variant.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no oneof",
    note = "`#[riak(oneof, tags(…))]` belongs at a member of type `Option<E>`, where `E` is an enum that has \
            `#[derive(RiakMessage)]` and `#[riak(oneof)]`"
)]
pub trait Oneof {
    /// The field numbers, in ascending order.
    const NUMBERS: &'static [u32];

    /// Writes the field that is set.
    fn encode<'w>(&self, out: Writer<'w>) -> Writer<'w>;
}

/// A oneof that can be read from bytes that live for `'a`.
pub trait ReadOneof<'a>: Oneof + Sized {
    /// Reads the field with this tag into `place`. Returns `false`, and reads nothing,
    /// if the field does not belong to the oneof. A message is merged with one that is
    /// already there; any other value is replaced.
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

/// Reads a field of a oneof; `false` if the field does not belong to it.
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

/// Reports whether a oneof has exactly these numbers, in any order. The containing
/// message uses it to check the numbers that it declares for the oneof.
#[must_use]
pub const fn has_numbers(oneof: &[u32], declared: &[u32]) -> bool {
    let mut index = 0;
    while index < oneof.len() {
        let mut other = 0;
        while other < declared.len() && declared[other] != oneof[index] {
            other += 1;
        }
        if other == declared.len() {
            return false;
        }
        index += 1;
    }
    oneof.len() == declared.len()
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
