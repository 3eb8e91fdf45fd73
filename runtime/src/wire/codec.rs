//! The two traits that tie Rust types to protobuf types: how values are written,
//! and how they are read.
//!
//! Invariant: what [`Writes::write`] writes, [`Reads::read`] reads back.

use super::{Context, Reader, Writer, growth};
use crate::error::DecodeError;

/// How values of type `V` are written as the protobuf type `Self`.
#[diagnostic::on_unimplemented(
    message = "a value of type `{V}` cannot be written as protobuf's type `{Self}`",
    note = "give the field in `#[riak(…)]` the wire type that fits its Rust type, or `with = \"module\"` for a \
            type that has none"
)]
pub trait Writes<V> {
    /// How many bytes a value takes at least, without tag.
    const LEAST: usize = 1;

    /// How many bytes this value takes at least, as far as a glance tells; see
    /// [`Message::at_least`](crate::Message::at_least).
    #[inline]
    fn at_least(_value: &V) -> usize {
        Self::LEAST
    }

    /// How many bytes this value takes at least, if there is one.
    #[inline]
    fn optional_at_least(value: &Option<V>) -> usize {
        value.as_ref().map_or(0, Self::at_least)
    }

    /// Writes the value, without tag.
    fn write<'w>(value: &V, out: Writer<'w>) -> Writer<'w>;

    /// Whether the value is zero or empty, and not written where the schema
    /// has no presence.
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

    /// Writes a field that is absent when zero.
    #[inline]
    fn put_implicit<'w>(tag: u32, value: &V, out: Writer<'w>) -> Writer<'w> {
        if Self::is_zero(value) { out } else { Self::put(tag, value, out) }
    }

    /// Writes a repeated field, a tag for each value.
    #[inline]
    fn put_repeated<'w>(tag: u32, values: &[V], mut out: Writer<'w>) -> Writer<'w> {
        for value in values {
            out = Self::put(tag, value, out);
        }
        out
    }

    /// Writes a repeated field as one run.
    #[inline]
    fn put_packed<'w>(tag: u32, values: &[V], out: Writer<'w>) -> Writer<'w> {
        if values.is_empty() {
            return out;
        }
        let (out, run) = out.open(tag, values.len() * Self::LEAST);
        Self::write_all(values, out).close(run)
    }

    /// Writes values, without tags.
    #[inline]
    fn write_all<'w>(values: &[V], mut out: Writer<'w>) -> Writer<'w> {
        for value in values {
            out = Self::write(value, out);
        }
        out
    }
}

/// How values of type `V` are read as the protobuf type `Self`.
#[diagnostic::on_unimplemented(
    message = "a value of type `{V}` cannot be read as protobuf's type `{Self}`",
    note = "give the field in `#[riak(…)]` the wire type that fits its Rust type, or `with = \"module\"` for a \
            type that has none"
)]
pub trait Reads<'a, V> {
    /// Reads a value, its tag having been read.
    ///
    /// # Errors
    ///
    /// If the input ends within it, or it is malformed.
    fn read(input: &mut Reader<'a>, ctx: &mut Context<'a>) -> Result<V, DecodeError>;

    /// Reads a value to where it belongs. Generated code does so with values
    /// that are large to move.
    ///
    /// # Errors
    ///
    /// As for [`Reads::read`].
    #[inline]
    fn set(place: &mut V, input: &mut Reader<'a>, ctx: &mut Context<'a>) -> Result<(), DecodeError> {
        *place = Self::read(input, ctx)?;
        Ok(())
    }

    /// The value of a map's entry that has none. `entry` has been read.
    ///
    /// # Errors
    ///
    /// If it has to have one: a message with required fields.
    #[inline]
    fn absent(_entry: Reader<'a>, _ctx: &mut Context<'a>) -> Result<V, DecodeError>
    where
        V: Default,
    {
        Ok(V::default())
    }

    /// Reads a value that may have been absent so far to where it belongs.
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

    /// Reads a value and all that follow it with the same tag.
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
            growth::room(values, &input, ctx)?;
            values.push(Self::read(&mut input, ctx)?);
            if input.take_tag(tag) {
                growth::guess(values, before - input.remaining(), input.remaining(), ctx);
                loop {
                    growth::room(values, &input, ctx)?;
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
            growth::room(values, &run, ctx)?;
            values.push(Self::read(&mut run, ctx)?);
        }
        Ok(())
    }
}
