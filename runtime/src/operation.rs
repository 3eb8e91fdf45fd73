//! The description of an operation: its request, its answers, how a stream of answers
//! ends, and whether it may be repeated.
//!
//! Generated and derived code has one [`Operation`] constant for each request; clients,
//! servers, proxies and pools read it. Message codes are plain `u8`s here, since the
//! runtime knows no schema. Invariant: everything here is plain data.

mod stream_end;

use std::time::Duration;

use crate::error::{DecodeError, DecodeErrorKind};
use crate::message::{Coded, Message, Owned};
use crate::wire::{Context, DELIMITED, Reader, VARINT};
use crate::{DecodeLimits, Frame};

pub use stream_end::{Flags, StreamEnd};

/// A message that a server answers.
///
/// Generated from a `service`, or derived with `#[riak(response = …)]`. Implemented by
/// the owned and the borrowed form, and by references to them. Requests are [`Send`]
/// and [`Sync`] so that the futures of calls, which hold them, are [`Send`].
pub trait Request: Message + Coded + Send + Sync {
    /// The owned form of the request.
    type Owned: Request<Owned = Self::Owned, Response = Self::Response> + Owned;

    /// The regular answer, or one answer of the stream.
    type Response: Owned + Coded;

    /// How the request is sent and answered.
    const OPERATION: &'static Operation;

    /// Reports whether this request asks for a stream of answers. `None` if the request
    /// has no field for that, or the field is not set.
    fn asks_for_stream(&self) -> Option<bool> {
        None
    }

    /// Returns how long the server may take. `None` if the request has no field for
    /// that, or the field is not set.
    fn server_timeout(&self) -> Option<Duration> {
        None
    }

    /// Reports whether the request carries the causal context of a read, by which the
    /// server recognises a repetition. `false` if the request has no field for that; an
    /// empty context counts as none.
    fn has_context(&self) -> bool {
        false
    }

    /// Returns the bucket type that the request names. `None` if the request has no
    /// field for that, or the field is not set.
    fn bucket_type(&self) -> Option<&[u8]> {
        None
    }
}

impl<R: Request> Request for &R {
    type Owned = R::Owned;
    type Response = R::Response;
    const OPERATION: &'static Operation = R::OPERATION;

    fn asks_for_stream(&self) -> Option<bool> {
        R::asks_for_stream(self)
    }

    fn server_timeout(&self) -> Option<Duration> {
        R::server_timeout(self)
    }

    fn has_context(&self) -> bool {
        R::has_context(self)
    }

    fn bucket_type(&self) -> Option<&[u8]> {
        R::bucket_type(self)
    }
}

/// The type that an answer is decoded into: a message with a code, or an enum of
/// several such messages.
pub trait Answer: Sized + Send + 'static {
    /// Decodes a frame, within `limits`.
    ///
    /// # Errors
    ///
    /// If the frame has another code, or its body is malformed or exceeds the limits.
    fn from_frame_within(frame: &Frame, limits: &DecodeLimits) -> Result<Self, DecodeError>;

    /// Decodes a frame, within [`DecodeLimits::DEFAULT`].
    ///
    /// # Errors
    ///
    /// As [`Answer::from_frame_within`].
    fn from_frame(frame: &Frame) -> Result<Self, DecodeError> {
        Self::from_frame_within(frame, &DecodeLimits::DEFAULT)
    }
}

impl<M: Owned + Coded> Answer for M {
    fn from_frame_within(frame: &Frame, limits: &DecodeLimits) -> Result<Self, DecodeError> {
        if frame.code != M::CODE {
            return Err(DecodeError::new(DecodeErrorKind::UnexpectedCode { code: frame.code }, 0));
        }
        M::decode_blob_within(&frame.body, limits)
    }
}

/// How one kind of request is sent and answered.
///
/// Generated code provides it as [`Request::OPERATION`]. Its values come from the
/// schema's `riak.operation` options; those of Riak are in `riak_services.proto`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The names of the service and the method, such as `RiakKv.Get`.
    pub name: &'static str,
    /// The request's message code.
    pub request: u8,
    /// The regular answer's message code.
    pub response: u8,
    /// Answers that may come instead of the regular one.
    pub alternatives: &'static [Alternative],
    /// The frame that reports errors; `None` if the schema has none.
    pub error: Option<ErrorFrame>,
    /// How many answers come, and which one is the last.
    pub mode: Mode,
    /// The cost of the operation for the server.
    pub cost: Cost,
    /// Whether the request may be sent again.
    pub retry: Retry,
    /// The meaning of an answer without a body.
    pub absent: Absent,
    /// Whether the request is always sent without a body, whatever fields it has.
    pub bodyless: bool,
    /// Whether the request is only allowed while a connection is being set up.
    pub handshake: bool,
    /// The first release of the server that supports the operation, if known.
    pub since: Option<&'static str>,
    /// The part of the server that serves the operation, such as `kv`, if known.
    pub served_by: Option<&'static str>,
    /// The number of the request's field for the server-side timeout in milliseconds,
    /// if it has one.
    pub timeout: Option<u32>,
}

impl Operation {
    /// Returns the alternative answer with this code, if the operation has one.
    #[must_use]
    pub fn alternative(&self, code: u8) -> Option<&'static Alternative> {
        self.alternatives.iter().find(|alternative| alternative.code == code)
    }
}

/// An answer that may come instead of the regular one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// Its message code.
    pub code: u8,
    /// How a stream of these answers ends; `None` if the answers do not say so.
    pub end: Option<StreamEnd>,
}

/// How many answers a request gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// One answer.
    Unary,
    /// A stream of answers.
    Stream(StreamEnd),
    /// One answer, or a stream if the request asks for it.
    Conditional {
        /// How the stream ends.
        end: StreamEnd,
        /// The number of the request's bool field that asks for a stream.
        stream_if: u32,
    },
}

/// The frame with which a server answers a failed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorFrame {
    /// The message code.
    pub code: u8,
    /// The number of the field that holds the text.
    pub text: u32,
    /// The number of the field that holds the error's number, if it has one.
    pub number: Option<u32>,
}

impl ErrorFrame {
    /// Riak's own error frame: `RpbErrorResp`, with code 0.
    pub const RIAK: Self = Self { code: 0, text: 1, number: Some(2) };

    /// Returns the text and the number in the body of an error frame. A missing text is
    /// empty and a missing number is zero: an error without a text is still an error.
    ///
    /// # Errors
    ///
    /// If the body is malformed.
    pub fn read(self, body: &[u8]) -> Result<(&[u8], u32), DecodeError> {
        let (mut ctx, mut input): (_, Reader<'_>) = Context::new(body, None, &DecodeLimits::DEFAULT);
        let (mut text, mut number) = (&[][..], 0);
        while let Some(tag) = input.tag(&ctx)? {
            if is_field(tag, self.text, DELIMITED) {
                text = input.delimited(&ctx)?;
            } else if self.number.is_some_and(|number| is_field(tag, number, VARINT)) {
                #[expect(clippy::cast_possible_truncation, reason = "protobuf takes the low bits")]
                let value = input.varint(&ctx)? as u32;
                number = value;
            } else {
                input.skip_value(tag, &mut ctx)?;
            }
        }
        Ok((text, number))
    }
}

/// Reports whether a tag belongs to the field with this number. The number is not
/// shifted into a tag, since that would overflow for a number that is too large for a
/// field, which a hand-written description may have.
fn is_field(tag: u32, number: u32, wire_type: u32) -> bool {
    (tag >> 3, tag & 7) == (number, wire_type)
}

/// The side that sends frames with a message code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Direction {
    /// Only the client sends it.
    Request,
    /// Only the server sends it.
    Response,
    /// Both send it, under the same code.
    Both,
    /// Neither side: the code is assigned, but its message only occurs inside other
    /// messages.
    Nested,
}

/// The error of converting a `u8` to a generated `MessageCode`: the schema has no
/// message with this code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownCode(pub u8);

impl std::fmt::Display for UnknownCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the schema has no message code {}", self.0)
    }
}

impl std::error::Error for UnknownCode {}

/// The cost of an operation for the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cost {
    /// The server answers at once. Calls are pipelined.
    #[default]
    Unary,
    /// The server answers once, after seconds to minutes, such as for a fold over much
    /// data. The call has its connection to itself.
    Long,
}

/// Whether a call with an unknown outcome may be made again. A call that was certainly
/// not applied may be repeated whatever its class, so that a client treats
/// [`Retry::Never`] and [`Retry::IfUnsent`] alike; they tell a reader of the schema what
/// a repetition would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retry {
    /// No: a repetition would take effect a second time.
    #[default]
    Never,
    /// Yes: the request changes nothing, or sets something to the same value each time.
    Safe,
    /// No: a repetition may have another effect than the first call had. Only if it is
    /// certain that it was not sent.
    IfUnsent,
    /// Yes, if the request carries the causal context of a read; otherwise no.
    IfContext,
}

/// The meaning of an answer without a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Absent {
    /// The message with no field set.
    #[default]
    Defaults,
    /// The requested item does not exist.
    NotFound,
    /// The request was carried out.
    Ok,
    /// An empty list.
    EmptyList,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_no_field_has_is_no_other_field() {
        let large = 1 << 29;
        assert!(!StreamEnd { field: large + 3, when_absent: false }.is_last(&[0x18, 1]).unwrap());
        let error = ErrorFrame { code: 0, text: large + 1, number: Some(large + 2) };
        assert_eq!(error.read(b"\x0a\x01x\x10\x01").unwrap(), (&b""[..], 0));
    }

    #[test]
    fn an_error_frame_gives_text_and_number() {
        let error = ErrorFrame { code: 0, text: 1, number: Some(2) };
        assert_eq!(error.read(b"\x0a\x07timeout\x10\x00").unwrap(), (&b"timeout"[..], 0));
        assert_eq!(error.read(b"\x10\xfb\x07\x18\x01").unwrap(), (&b""[..], 1019));
    }
}
