//! The two traits that connect Rust types with protobuf types: how values are written,
//! and how they are read.
//!
//! Invariant: [`Reads::read`] reads back what [`Writes::write`] writes.

use super::{Context, Reader, Writer, growth};
use crate::error::DecodeError;

/// Encodes values of type `V` as the protobuf type `Self`.
#[diagnostic::on_unimplemented(
    message = "a value of type `{V}` cannot be written as protobuf's type `{Self}`",
    note = "give the field in `#[riak(…)]` the wire type that fits its Rust type, or `with = \"module\"` for a \
            type that has none"
)]
pub trait Writes<V> {
    /// The minimum length of an encoded value, without tag.
    const LEAST: usize = 1;

    /// Returns a cheap lower bound of this value's encoded length; see
    /// [`Message::at_least`](crate::Message::at_least).
    #[inline]
    fn at_least(_value: &V) -> usize {
        Self::LEAST
    }

    /// Returns a lower bound of the value's encoded length, or 0 if there is no value.
    #[inline]
    fn optional_at_least(value: &Option<V>) -> usize {
        value.as_ref().map_or(0, Self::at_least)
    }

    /// Writes the value, without tag.
    fn write<'w>(value: &V, out: Writer<'w>) -> Writer<'w>;

    /// Reports whether the value is zero or empty. Such a value is not written where
    /// the schema has no presence.
    fn is_zero(value: &V) -> bool;

    /// Writes a field.
    #[inline]
    fn put<'w>(tag: u32, value: &V, out: Writer<'w>) -> Writer<'w> {
        Self::write(value, out.tag(tag))
    }

    /// Writes a field that may be absent.
    #[inline]
    fn put_optional<'w>(tag: u32, value: &Option<V>, out: Writer<'w>) -> Writer<'w> {
        match value {
            Some(value) => Self::put(tag, value, out),
            None => out,
        }
    }

    /// Writes a field that is omitted when zero or empty.
    #[inline]
    fn put_implicit<'w>(tag: u32, value: &V, out: Writer<'w>) -> Writer<'w> {
        if Self::is_zero(value) { out } else { Self::put(tag, value, out) }
    }

    /// Writes a repeated field with a tag for each value.
    #[inline]
    fn put_repeated<'w>(tag: u32, values: &[V], mut out: Writer<'w>) -> Writer<'w> {
        for value in values {
            out = Self::put(tag, value, out);
        }
        out
    }

    /// Writes a repeated field as one packed run.
    #[inline]
    fn put_packed<'w>(tag: u32, values: &[V], out: Writer<'w>) -> Writer<'w> {
        if values.is_empty() {
            return out;
        }
        let (out, run) = out.open(tag, values.len() * Self::LEAST);
        Self::write_all(values, out).close(run)
    }

    /// Writes values without tags.
    #[inline]
    fn write_all<'w>(values: &[V], mut out: Writer<'w>) -> Writer<'w> {
        for value in values {
            out = Self::write(value, out);
        }
        out
    }
}

/// Decodes values of type `V` from the protobuf type `Self`.
#[diagnostic::on_unimplemented(
    message = "a value of type `{V}` cannot be read as protobuf's type `{Self}`",
    note = "give the field in `#[riak(…)]` the wire type that fits its Rust type, or `with = \"module\"` for a \
            type that has none"
)]
pub trait Reads<'a, V> {
    /// Reads a value whose tag has been read.
    ///
    /// # Errors
    ///
    /// If the input ends within the value, or the value is malformed.
    fn read(input: &mut Reader<'a>, ctx: &mut Context<'a>) -> Result<V, DecodeError>;

    /// Reads a value into `place`. Generated code uses this for values that are
    /// expensive to move.
    ///
    /// # Errors
    ///
    /// As for [`Reads::read`].
    #[inline]
    fn set(place: &mut V, input: &mut Reader<'a>, ctx: &mut Context<'a>) -> Result<(), DecodeError> {
        *place = Self::read(input, ctx)?;
        Ok(())
    }

    /// Returns the value of a map entry that has none. `entry` has been read.
    ///
    /// # Errors
    ///
    /// If the value must not be absent: a message with required fields.
    #[inline]
    fn absent(_entry: Reader<'a>, _ctx: &mut Context<'a>) -> Result<V, DecodeError>
    where
        V: Default,
    {
        Ok(V::default())
    }

    /// Reads a value into `place`, which may be empty so far.
    ///
    /// # Errors
    ///
    /// As for [`Reads::read`].
    #[inline]
    fn set_optional(
        place: &mut Option<V>,
        input: &mut Reader<'a>,
        ctx: &mut Context<'a>,
    ) -> Result<(), DecodeError> {
        *place = Some(Self::read(input, ctx)?);
        Ok(())
    }

    /// Reads a value and all that follow with the same tag.
    ///
    /// # Errors
    ///
    /// As for [`Reads::read`].
    #[inline]
    fn read_repeated(
        tag: u32,
        values: &mut Vec<V>,
        input: &mut Reader<'a>,
        ctx: &mut Context<'a>,
    ) -> Result<(), DecodeError> {
        input.lend(|mut input| {
            let before = input.remaining();
            growth::reserve_one(values, &input, ctx)?;
            values.push(Self::read(&mut input, ctx)?);
            if input.take_tag(tag) {
                growth::reserve_run(values, before - input.remaining(), input.remaining(), ctx);
                loop {
                    growth::reserve_one(values, &input, ctx)?;
                    values.push(Self::read(&mut input, ctx)?);
                    if !input.take_tag(tag) {
                        break;
                    }
                }
            }
            Ok(input)
        })
    }

    /// Reads a packed run.
    ///
    /// # Errors
    ///
    /// As for [`Reads::read`].
    #[inline]
    fn read_packed(
        values: &mut Vec<V>,
        input: &mut Reader<'a>,
        ctx: &mut Context<'a>,
    ) -> Result<(), DecodeError> {
        let mut run = input.nested(ctx)?;
        while run.remaining() > 0 {
            growth::reserve_one(values, &run, ctx)?;
            values.push(Self::read(&mut run, ctx)?);
        }
        Ok(())
    }
}
