//! The traits that messages implement, whether derived or generated.
//!
//! Most messages have two forms: `Foo` owns its data, and `FooRef<'a>` borrows from the
//! bytes that it was decoded from. Both implement [`Message`], which encodes, and
//! [`Decode`]. [`Owned`] and [`View`] convert between the forms, [`Coded`] gives the
//! message code used in frames, and [`Request`](crate::Request) describes how a request
//! is answered.
//!
#![cfg_attr(feature = "derive", doc = "```")]
#![cfg_attr(not(feature = "derive"), doc = "```ignore")]
//! use riak_runtime::{Decode, Message, RiakMessage};
//!
//! #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
//! struct Place {
//!     #[riak(tag = 1)]
//!     shelf: u32,
//!     #[riak(tag = 2)]
//!     label: Option<String>,
//! }
//!
//! let place = Place { shelf: 7, label: Some("nuts".into()) };
//! let bytes = place.encode_to_vec();
//! assert_eq!(bytes, b"\x08\x07\x12\x04nuts");
//! assert_eq!(Place::decode(&bytes)?, place);
//! # Ok::<(), riak_runtime::DecodeError>(())
//! ```
//!
//! Invariant: a message's `encode` writes only whole fields.

use crate::error::DecodeError;
use crate::wire::{Context, EncodeBuffer, Reader, Writer, decode, too_long};
use crate::{Blob, DecodeLimits};

/// The longest message that protobuf allows, in bytes: 2 GiB minus one byte.
pub const MAX_LEN: usize = i32::MAX as usize;

/// A message that can be encoded. Derived or generated; use
/// [`Message::encode_to_vec`], or [`WriteBuffer`](crate::WriteBuffer) for frames.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no message",
    note = "derive `RiakMessage` for it; if it is an enum, say so in the field: `#[riak(tag = …, enum)]`; if it \
            is a type of another crate, name a module that converts it: `#[riak(tag = …, with = \"module\")]`; if \
            an alias has an `Option`, a `Vec` or a map in it, write that at the field"
)]
pub trait Message {
    /// The protobuf name with its package, such as `RpbGetReq`.
    const NAME: &'static str;

    /// How many bytes a value of this type allocates even if it is empty: zero, except
    /// for a message in a `Box`, and one that always has such a message. They count
    /// against
    /// [`DecodeLimits::expansion`](crate::DecodeLimits::expansion).
    const BEHIND: usize = 0;

    /// Returns a lower bound of the encoded length that is cheap to compute, such as
    /// the length of one of the message's values.
    ///
    /// It decides how many bytes are reserved for the length prefix of a nested
    /// message. If the bound is too small, the bytes after the prefix may have to be
    /// moved; if it is too large, the prefix is longer than necessary.
    #[inline]
    fn at_least(&self) -> usize {
        0
    }

    /// Writes the message's fields to `out`, and returns the writer at its new
    /// position.
    fn encode<'w>(&self, out: Writer<'w>) -> Writer<'w>;

    /// Returns the encoded length in bytes, without tag and length prefix. Encodes the
    /// message to find out.
    fn encoded_len(&self) -> usize {
        usize::try_from(Writer::count(|out| self.encode(out))).unwrap_or(usize::MAX)
    }

    /// Returns the encoded bytes. The vector may have spare capacity.
    ///
    /// # Panics
    ///
    /// If the message is longer than [`MAX_LEN`].
    #[inline]
    fn encode_to_vec(&self) -> Vec<u8> {
        Writer::collect(Self::NAME, size_of_val(self), |out| self.encode(out))
    }

    /// Appends the encoded bytes to `buffer`.
    ///
    /// # Panics
    ///
    /// If the message is longer than [`MAX_LEN`].
    #[inline]
    fn append_to(&self, buffer: &mut Vec<u8>) {
        EncodeBuffer::lend(buffer, |output| {
            Writer::append(output, |_| [], [], MAX_LEN, |out| self.encode(out))
                .unwrap_or_else(|len| too_long(Self::NAME, len))
        });
    }
}

/// A message that can be decoded from bytes that live for `'a`. Owned forms can be
/// decoded from bytes of any lifetime.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no message that can be decoded",
    note = "derive `RiakMessage` for it; if it is an enum, say so in the field: `#[riak(tag = …, enum)]`; if it \
            is a type of another crate, name a module that converts it: `#[riak(tag = …, with = \"module\")]`"
)]
pub trait Decode<'a>: Message + Default {
    /// Merges the fields of `input` into this message, as protobuf specifies: singular
    /// values are replaced, repeated ones are appended, and nested messages are merged.
    ///
    /// # Errors
    ///
    /// If a field is malformed, a required one is missing, or a limit is exceeded.
    fn merge(&mut self, input: Reader<'a>, ctx: &mut Context<'a>) -> Result<(), DecodeError>;

    /// Decodes a message, within [`DecodeLimits::DEFAULT`].
    ///
    /// # Errors
    ///
    /// If the bytes are not a valid message of this type; [`DecodeError`] says why and
    /// where.
    #[inline]
    fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        Self::decode_within(bytes, &DecodeLimits::DEFAULT)
    }

    /// Decodes a message, within `limits`.
    ///
    /// # Errors
    ///
    /// If the bytes are not a valid message of this type, or exceed the limits.
    #[inline]
    fn decode_within(bytes: &'a [u8], limits: &DecodeLimits) -> Result<Self, DecodeError> {
        decode(bytes, None, limits)
    }
}

/// The owned form of a message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no message that owns its data",
    note = "derive `RiakMessage` for it, without borrowed fields"
)]
pub trait Owned: for<'a> Decode<'a> + Send + Sync + 'static {
    /// The form that borrows from the bytes that it was decoded from.
    type Ref<'a>: Decode<'a>;

    /// Shortens the lifetime of a borrowed form. The body is always just `view`: it
    /// compiles only for types that are covariant in their lifetime, for which
    /// [`Framed`](crate::Framed) is sound.
    fn shorten<'short, 'long: 'short>(view: &'short Self::Ref<'long>) -> &'short Self::Ref<'short>;

    /// Decodes a message, within [`DecodeLimits::DEFAULT`]. [`Blob`] fields of 512
    /// bytes or more can share the memory of `blob` instead of being copied: see
    /// [`Blob`].
    ///
    /// # Errors
    ///
    /// If the bytes are not a valid message of this type.
    #[inline]
    fn decode_blob(blob: &Blob) -> Result<Self, DecodeError> {
        Self::decode_blob_within(blob, &DecodeLimits::DEFAULT)
    }

    /// Decodes a message as [`Owned::decode_blob`] does, within `limits`.
    ///
    /// # Errors
    ///
    /// If the bytes are not a valid message of this type, or exceed the limits.
    #[inline]
    fn decode_blob_within(blob: &Blob, limits: &DecodeLimits) -> Result<Self, DecodeError> {
        decode(blob, Some(blob), limits)
    }
}

/// The borrowed form of a message, which can be converted to the owned form.
pub trait View {
    /// The owned form.
    type Owned;

    /// Returns the same message in its owned form, copying what is borrowed.
    fn owned(&self) -> Self::Owned;
}

/// A message that has a message code and can therefore be the body of a frame.
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
    const BEHIND: usize = size_of::<M>() + M::BEHIND;

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
