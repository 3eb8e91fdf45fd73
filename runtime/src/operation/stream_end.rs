//! [`StreamEnd`]: how the last answer of a stream is recognised, and [`Flags`]: the fields
//! of an answer that may say so.
//!
//! Invariant: an answer is only searched for one field, and not decoded.

use super::is_field;
use crate::DecodeLimits;
use crate::error::DecodeError;
use crate::wire::{Context, VARINT};

/// The rule by which the last answer of a stream is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamEnd {
    /// The number of the answer's bool field that is true in the last answer.
    pub field: u32,
    /// The value of the field if it is absent: its proto2 default.
    pub when_absent: bool,
}

impl StreamEnd {
    /// Returns the stream end for a bool field of the answer, looked up by name in the
    /// answer's [`Flags`]. A derived request names the field as `done = "…"`.
    ///
    /// # Panics
    ///
    /// If the answer has no such bool. The panic is a compile error, since this
    /// function is only called in constants.
    #[must_use]
    pub const fn of_flag(flags: &'static [(&'static str, Self)], name: &str) -> Self {
        let mut index = 0;
        while index < flags.len() {
            if same(flags[index].0, name) {
                return flags[index].1;
            }
            index += 1;
        }
        panic!(
            "the answer has no bool field with the name in `done`: name the one that is true in the last answer"
        )
    }

    /// Returns the stream end for a bool field of the answer, looked up by number in the
    /// answer's [`Flags`]. A derived request names the field as `done = 3`.
    ///
    /// # Panics
    ///
    /// As for [`StreamEnd::of_flag`].
    #[must_use]
    pub const fn of_number(flags: &'static [(&'static str, Self)], number: u32) -> Self {
        let mut index = 0;
        while index < flags.len() {
            if flags[index].1.field == number {
                return flags[index].1;
            }
            index += 1;
        }
        panic!(
            "the answer has no bool field with the number in `done`: name the one that is true in the last answer"
        )
    }

    /// Reports whether the answer with this body is the last one of the stream.
    ///
    /// # Errors
    ///
    /// If the body is malformed.
    pub fn is_last(self, body: &[u8]) -> Result<bool, DecodeError> {
        let (mut ctx, mut input) = Context::new(body, None, &DecodeLimits::DEFAULT);
        let mut last = self.when_absent;
        while let Some(tag) = input.tag(&ctx)? {
            if is_field(tag, self.field, VARINT) {
                last = input.varint(&ctx)? != 0;
            } else {
                input.skip_value(tag, &mut ctx)?;
            }
        }
        Ok(last)
    }
}

/// A message with bool fields, one of which may mark the last answer of a stream.
///
/// Generated and derived messages implement it if they have a code and such fields.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no bool field that could end a stream",
    note = "`done` names a bool field of a message with a code, generated or derived"
)]
pub trait Flags {
    /// The names of the singular bool fields, each with the stream end that it stands
    /// for.
    const FLAGS: &'static [(&'static str, StreamEnd)];
}

/// Reports whether two strings are equal; usable in constants.
const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut index = 0;
    while index < a.len() && index < b.len() && a[index] == b[index] {
        index += 1;
    }
    index == a.len() && index == b.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_ends_by_its_field_or_its_default() {
        let end = StreamEnd { field: 3, when_absent: true };
        assert!(end.is_last(&[]).unwrap());
        assert!(!end.is_last(&[0x0a, 1, 7, 0x18, 0]).unwrap());
        assert!(end.is_last(&[0x18, 0, 0x18, 1]).unwrap());
        // A field with another wire type is a different field.
        assert!(!StreamEnd { field: 3, when_absent: false }.is_last(&[0x1a, 1, 1]).unwrap());
        assert!(end.is_last(&[0x18]).is_err());
    }
}
