//! The traits that messages implement, by hand or generated.
//!
//! Owned and borrowed forms implement the same ones: [`Message`] to be written,
//! [`Decode`] to be read. [`Owned`] ties the two forms together, [`Coded`] makes
//! a message the body of a frame, and [`Request`](crate::Request) says what
//! answers it.
//!
//! Invariant: what a message's `encode` writes is whole fields.

use crate::error::DecodeError;
use crate::wire::{Context, Reader, Spill, Writer, too_long};
use crate::{Blob, DecodeLimits};

/// The longest message that protobuf allows: 2 GiB less one byte.
pub const MAX_LEN: usize = i32::MAX as usize;

/// A message that can be encoded.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no message",
    note = "derive `RiakMessage` for it; if it is an enum, say so in the field: `#[riak(tag = …, enum)]`; if it \
            is a type of another crate, name a module that converts it: `#[riak(tag = …, with = \"module\")]`; if \
            an alias has an `Option`, a `Vec` or a map in it, write that at the field"
)]
pub trait Message {
    /// Its protobuf name, such as `RpbGetReq`.
    const NAME: &'static str;

    /// How many bytes a value allocates behind itself before it holds anything:
    /// none, except for a message in a `Box`.
    const BEHIND: usize = 0;

    /// How many bytes it takes at least, as far as a glance tells: the length of
    /// a value in it. Guesses how wide its length prefix is where it is nested;
    /// too little costs a move of what is behind the prefix, and too much makes
    /// it longer than need be.
    #[inline]
    fn at_least(&self) -> usize {
        0
    }

    /// Writes its fields, and gives the writer back, moved on.
    fn encode<'w>(&self, out: Writer<'w>) -> Writer<'w>;

    /// How many bytes it takes, without tag and length prefix. It is encoded to
    /// find out, though nothing is kept.
    fn encoded_len(&self) -> usize {
        usize::try_from(Writer::count(|out| self.encode(out))).unwrap_or(usize::MAX)
    }

    /// Its bytes, in a vector that may have room for more: begun with about the
    /// room that the message takes in memory.
    ///
    /// # Panics
    ///
    /// If they are more than [`MAX_LEN`].
    #[inline]
    fn encode_to_vec(&self) -> Vec<u8> {
        Writer::collect(Self::NAME, size_of_val(self), |out| self.encode(out))
    }

    /// Appends its bytes to `buffer`.
    ///
    /// # Panics
    ///
    /// If they are more than [`MAX_LEN`].
    #[inline]
    fn append_to(&self, buffer: &mut Vec<u8>) {
        Spill::lend(buffer, |spill| Writer::append(spill, [], MAX_LEN, |out| self.encode(out)))
            .unwrap_or_else(|len| too_long(Self::NAME, len));
    }
}

/// A message that can be decoded from bytes that live for `'a`. An owned one
/// can from any.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no message that can be decoded",
    note = "derive `RiakMessage` for it; if it is an enum, say so in the field: `#[riak(tag = …, enum)]`; if it \
            is a type of another crate, name a module that converts it: `#[riak(tag = …, with = \"module\")]`"
)]
pub trait Decode<'a>: Message + Default {
    /// Merges the fields of `input` into this message, as protobuf says: single
    /// values are replaced, repeated ones appended, nested messages merged.
    ///
    /// # Errors
    ///
    /// If a field is malformed or a required one is missing.
    fn merge(&mut self, input: Reader<'a>, ctx: &mut Context<'a>) -> Result<(), DecodeError>;

    /// The message that these bytes are.
    ///
    /// # Errors
    ///
    /// If they are none; [`DecodeError`] says why and where.
    #[inline]
    fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        Self::decode_within(bytes, &DecodeLimits::DEFAULT)
    }

    /// The message that these bytes are, if decoding stays within `limits`.
    ///
    /// # Errors
    ///
    /// If they are none, or it does not.
    #[inline]
    fn decode_within(bytes: &'a [u8], limits: &DecodeLimits) -> Result<Self, DecodeError> {
        decode(bytes, None, limits)
    }
}

/// The message that these bytes are, which lie within `source` if there is one.
#[inline]
fn decode<'a, M: Decode<'a>>(
    bytes: &'a [u8],
    source: Option<&'a Blob>,
    limits: &DecodeLimits,
) -> Result<M, DecodeError> {
    let (mut ctx, input) = Context::new(bytes, source, limits);
    loop {
        let mut message = M::default();
        let merged = message.merge(input.clone(), &mut ctx);
        if merged.is_ok() && ctx.is_plain() {
            ctx.done();
            return Ok(message);
        }
        match ctx.settle(merged, limits) {
            Ok(true) => return Ok(message),
            Ok(false) => {}
            Err(error) => return Err(error.of(M::NAME)),
        }
    }
}

/// A message that owns its data, and its borrowed form.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no message that owns its data",
    note = "derive `RiakMessage` for it, without borrowed fields"
)]
pub trait Owned: for<'a> Decode<'a> + Send + Sync + 'static {
    /// The form that borrows from the bytes it was decoded from.
    type Ref<'a>: Decode<'a>;

    /// Shortens the lifetime of a borrowed form. Always written `view`; that
    /// this compiles is what makes [`Framed`](crate::Framed) sound.
    fn shorten<'short, 'long: 'short>(view: &'short Self::Ref<'long>) -> &'short Self::Ref<'short>;

    /// The message that `blob` is. Long values are not copied but share it.
    ///
    /// # Errors
    ///
    /// If the bytes are no such message.
    #[inline]
    fn decode_blob(blob: &Blob) -> Result<Self, DecodeError> {
        Self::decode_blob_within(blob, &DecodeLimits::DEFAULT)
    }

    /// The message that `blob` is, if decoding stays within `limits`.
    ///
    /// # Errors
    ///
    /// If the bytes are no such message, or it does not.
    #[inline]
    fn decode_blob_within(blob: &Blob, limits: &DecodeLimits) -> Result<Self, DecodeError> {
        decode(blob, Some(blob), limits)
    }
}

/// The borrowed form of a message, which can be made owned.
pub trait View {
    /// The owned form.
    type Owned;

    /// The same message, owning its data.
    fn owned(&self) -> Self::Owned;
}

/// A message that is the body of frames with this code.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no message code",
    note = "only a message with a code can be sent by itself: give it one with `#[riak(code = …)]`, or with `option \
            (riak.code)` in its schema, where its crate generates it"
)]
pub trait Coded {
    /// The message code.
    const CODE: u8;
}

impl<M: Message> Message for Box<M> {
    const NAME: &'static str = M::NAME;
    const BEHIND: usize = size_of::<M>();

    #[inline]
    fn at_least(&self) -> usize {
        M::at_least(self)
    }

    #[inline]
    fn encode<'w>(&self, out: Writer<'w>) -> Writer<'w> {
        M::encode(self, out)
    }
}

impl<'a, M: Decode<'a>> Decode<'a> for Box<M> {
    #[inline]
    fn merge(&mut self, input: Reader<'a>, ctx: &mut Context<'a>) -> Result<(), DecodeError> {
        M::merge(self, input, ctx)
    }
}

impl<M: Message> Message for &M {
    const NAME: &'static str = M::NAME;

    #[inline]
    fn at_least(&self) -> usize {
        M::at_least(self)
    }

    #[inline]
    fn encode<'w>(&self, out: Writer<'w>) -> Writer<'w> {
        M::encode(self, out)
    }
}

impl<M: Coded> Coded for &M {
    const CODE: u8 = M::CODE;
}
