//! Enums: open ones keep any number, closed ones only known numbers.
//!
//! Invariant: a number that a closed enum does not know is kept among the unknown
//! fields, under the field's own tag, and is not replaced by a value.

use super::context::MAX_TAG_LEN;
use super::encode_buffer::put_padded;
use super::{Context, Int32, KeepUnknown, Reader, Reads, VARINT, Writer, Writes, growth};
use crate::error::DecodeError;
use crate::varint;

/// An enum, generated or derived.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no enum of protobuf",
    note = "derive `RiakMessage` for it, with `#[riak(enum)]`; a message needs no `enum` in its field's \
            `#[riak(…)]`"
)]
pub trait Enumeration: Copy + Default + 'static {
    /// Returns the number on the wire.
    fn number(self) -> i32;

    /// Returns the value with this number; `None` if the enum is closed and has none.
    fn from_number(number: i32) -> Option<Self>;
}

/// `enum`: written like `int32`. Reading with this type is meant for open enums; for a
/// closed one, it reads an unknown number as the default.
#[derive(Debug)]
pub enum Enum {}

impl<E: Enumeration> Writes<E> for Enum {
    #[inline]
    fn write<'w>(value: &E, out: Writer<'w>) -> Writer<'w> {
        out.varint(i64::from(value.number()).cast_unsigned())
    }

    #[inline]
    fn put<'w>(tag: u32, value: &E, out: Writer<'w>) -> Writer<'w> {
        out.varint_field(tag, i64::from(value.number()).cast_unsigned())
    }

    #[inline]
    fn put_optional<'w>(tag: u32, value: &Option<E>, out: Writer<'w>) -> Writer<'w> {
        Int32::put_optional(tag, &value.map(E::number), out)
    }

    #[inline]
    fn is_zero(value: &E) -> bool {
        value.number() == 0
    }
}

impl<'a, E: Enumeration> Reads<'a, E> for Enum {
    #[inline]
    fn read(input: &mut Reader<'a>, ctx: &mut Context<'a>) -> Result<E, DecodeError> {
        read_number(input, ctx).map(|number| E::from_number(number).unwrap_or_default())
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "protobuf takes the low bits")]
    fn read_packed(
        values: &mut Vec<E>,
        input: &mut Reader<'a>,
        ctx: &mut Context<'a>,
    ) -> Result<(), DecodeError> {
        let of = |bits| E::from_number((bits as u32).cast_signed()).unwrap_or_default();
        input.packed_varints(values, of, ctx)
    }
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "protobuf takes the low bits")]
fn read_number<'a>(input: &mut Reader<'a>, ctx: &mut Context<'a>) -> Result<i32, DecodeError> {
    Ok((input.varint(ctx)? as u32).cast_signed())
}

/// Keeps a number that a closed enum does not know as an unknown field.
#[cold]
#[inline(never)]
fn keep_number<'a>(
    tag: u32,
    number: i32,
    unknown: &mut impl KeepUnknown<'a>,
    input: &Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    let bits = i64::from(number).cast_unsigned();
    let mut field = [0; MAX_TAG_LEN + varint::MAX_LEN];
    let (tag_len, value_len) = (super::tag_len(tag), varint::len(bits));
    let field = &mut field[..tag_len + value_len];
    put_padded(&mut field[..tag_len], u64::from(tag));
    put_padded(&mut field[tag_len..], bits);
    // A value in a packed run has no tag of its own, so its field is longer than what
    // was read of it.
    ctx.charge(unknown.size_of_made(field.len()), input)?;
    unknown.keep_made(field);
    Ok(())
}

/// Reads a closed enum's value; `None` if the number was added to the unknown fields.
/// `tag` is the tag of the field.
///
/// # Errors
///
/// If the input ends within the value, or the value is malformed.
#[inline]
pub fn read_closed<'a, E: Enumeration>(
    tag: u32,
    unknown: &mut impl KeepUnknown<'a>,
    input: &mut Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<Option<E>, DecodeError> {
    let number = read_number(input, ctx)?;
    let value = E::from_number(number);
    if value.is_none() {
        keep_number(tag, number, unknown, input, ctx)?;
    }
    Ok(value)
}

/// Reads a value of a repeated closed enum and all that follow with the same tag.
///
/// # Errors
///
/// As for [`read_closed`].
#[inline]
pub fn read_repeated_closed<'a, E: Enumeration>(
    tag: u32,
    values: &mut Vec<E>,
    unknown: &mut impl KeepUnknown<'a>,
    input: &mut Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    input.lend(|mut input| {
        loop {
            growth::reserve_one(values, &input, ctx)?;
            values.extend(read_closed::<E>(tag, unknown, &mut input, ctx)?);
            if !input.take_tag(tag) {
                return Ok(input);
            }
        }
    })
}

/// Reads a packed run of a closed enum. `tag` is the tag of the run.
///
/// # Errors
///
/// As for [`read_closed`].
#[inline]
pub fn read_packed_closed<'a, E: Enumeration>(
    tag: u32,
    values: &mut Vec<E>,
    unknown: &mut impl KeepUnknown<'a>,
    input: &mut Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    input.lend(|mut input| {
        let mut run = input.nested(ctx)?;
        while run.remaining() > 0 {
            growth::reserve_one(values, &run, ctx)?;
            values.extend(read_closed::<E>(tag & !7 | VARINT, unknown, &mut run, ctx)?);
        }
        Ok(input)
    })
}

#[cfg(test)]
mod tests {
    use super::super::scalar::tests::round_trip;
    use super::*;

    /// An open enum.
    #[derive(Debug, Clone, Copy, Default, PartialEq)]
    struct Level(i32);

    impl Enumeration for Level {
        fn number(self) -> i32 {
            self.0
        }

        fn from_number(number: i32) -> Option<Self> {
            Some(Self(number))
        }
    }

    #[test]
    fn any_number_of_an_open_enum_round_trips() {
        round_trip::<Enum, _>(&[Level(0), Level(3), Level(300), Level(-1), Level(i32::MIN)], &mut Vec::new());
    }
}
