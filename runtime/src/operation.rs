//! What an operation is: its request, its answers, how a stream of them ends, whether
//! it may be repeated.
//!
//! Generated and derived code has one [`Operation`] constant for each request;
//! clients, servers, proxies and pools read it. Message codes are plain `u8`s here,
//! since the runtime knows no schema. Invariant: everything here is plain data.

use std::time::Duration;

use crate::error::{DecodeError, DecodeErrorKind};
use crate::message::{Coded, Message, Owned};
use crate::wire::{Context, DELIMITED, Reader, VARINT};
use crate::{DecodeLimits, Frame};

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

    /// Whether this request asks for a stream of answers. `None` if it has no field for
    /// that, or has not set it.
    fn asks_for_stream(&self) -> Option<bool> {
        None
    }

    /// How long the server may take. `None` if the request has no field for that, or
    /// has not set it.
    fn server_timeout(&self) -> Option<Duration> {
        None
    }

    /// Whether it carries the causal context of a read, by which the server recognises
    /// a repetition. `false` if the request has no field for that; an empty context
    /// counts as none.
    fn has_context(&self) -> bool {
        false
    }

    /// The bucket type that it names. `None` if the request has no field for that, or
    /// has not set it.
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

/// What an answer is decoded as: a message with a code, or an enum of several such
/// messages.
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
/// Generated code has it as [`Request::OPERATION`]. Its facts come from the schema's
/// `riak.operation` options; those of Riak are in `riak_services.proto`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The names of service and method, such as `RiakKv.Get`.
    pub name: &'static str,
    /// The request's message code.
    pub request: u8,
    /// The regular answer's message code.
    pub response: u8,
    /// Other answers that may come instead.
    pub alternatives: &'static [Alternative],
    /// The frame for errors; `None` if the schema has none.
    pub error: Option<ErrorFrame>,
    /// How many answers come, and which is the last.
    pub mode: Mode,
    /// What it costs the server.
    pub cost: Cost,
    /// Whether it may be sent again.
    pub retry: Retry,
    /// What an answer without a body means.
    pub absent: Absent,
    /// Whether the request is always sent without a body, whatever fields it has.
    pub bodyless: bool,
    /// Whether it is only allowed while a connection is being set up.
    pub handshake: bool,
    /// The first release of the server that has it, if that is known.
    pub since: Option<&'static str>,
    /// The part of the server that serves it, such as `kv`, if that is known.
    pub served_by: Option<&'static str>,
    /// The number of the request's field with the server-side timeout in
    /// milliseconds, if it has one.
    pub timeout: Option<u32>,
}

impl Operation {
    /// The alternative answer with this code, if the operation has it.
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
    /// How a stream of them ends; `None` if these answers do not say it.
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

/// Which answer of a stream is the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamEnd {
    /// The number of the answer's bool field that is true in the last one.
    pub field: u32,
    /// What the field means if it is absent: its proto2 default.
    pub when_absent: bool,
}

impl StreamEnd {
    /// The end of a stream by a bool of the answer, looked up by name among its
    /// [`Flags`]: what a derived request says with `done = "…"`.
    ///
    /// # Panics
    ///
    /// If the answer has no such bool; while it compiles, since this is only
    /// called in constants.
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
            "the answer has no bool of the name that `done` says: name the one that is true in the last answer"
        )
    }

    /// Whether the answer with this body is the last one.
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
                input.pass(tag, &mut ctx)?;
            }
        }
        Ok(last)
    }
}

/// A derived message with bools, by which a stream of it may end.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no bool that could end a stream",
    note = "`done = \"…\"` names a bool of a derived message with a code; for a generated one give the field's \
            number, such as `done = 3`"
)]
pub trait Flags {
    /// The names of its single bools, and how a stream would end by each.
    const FLAGS: &'static [(&'static str, StreamEnd)];
}

/// Whether two texts are the same, in constants.
const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut index = 0;
    while index < a.len() && index < b.len() && a[index] == b[index] {
        index += 1;
    }
    index == a.len() && index == b.len()
}

/// The frame that a server answers with instead if a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorFrame {
    /// Its code.
    pub code: u8,
    /// The number of the field that holds the text.
    pub text: u32,
    /// The number of the field that holds the error's number, if it has one.
    pub number: Option<u32>,
}

impl ErrorFrame {
    /// Riak's own: `RpbErrorResp`, with code 0.
    pub const RIAK: Self = Self { code: 0, text: 1, number: Some(2) };

    /// The text and the number of an error frame's body. What is missing is
    /// empty or zero: an error without a text is still an error.
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
                input.pass(tag, &mut ctx)?;
            }
        }
        Ok((text, number))
    }
}

/// Whether a tag is that of a field. No tag is that of a number which is too
/// large for one, such as a description made by hand may have.
fn is_field(tag: u32, number: u32, wire_type: u32) -> bool {
    (tag >> 3, tag & 7) == (number, wire_type)
}

/// Who sends frames with a message code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Direction {
    /// Only the client sends it.
    Request,
    /// Only the server sends it.
    Response,
    /// Both send it, under the same code.
    Both,
    /// Nobody: the code is assigned, but its message only occurs inside others.
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

/// What an operation costs the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cost {
    /// It answers at once. Calls are pipelined.
    #[default]
    Unary,
    /// It answers once, after seconds to minutes, such as a fold over much data. The call
    /// has its connection to itself.
    Long,
}

/// Whether a call whose outcome is unknown may be made again. A call that was
/// certainly not applied may be, whatever its class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retry {
    /// No: it would have its effect twice.
    #[default]
    Never,
    /// Yes: it changes nothing, or changes the same thing to the same value.
    Safe,
    /// No: only if it is certain that it was not sent.
    IfUnsent,
    /// Yes, if the request carries the causal context of a read; otherwise no.
    IfContext,
}

/// What an answer without a body means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Absent {
    /// The message with no field set.
    #[default]
    Defaults,
    /// What was asked for does not exist.
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
    fn a_stream_ends_by_its_field_or_its_default() {
        let end = StreamEnd { field: 3, when_absent: true };
        assert!(end.is_last(&[]).unwrap());
        assert!(!end.is_last(&[0x0a, 1, 7, 0x18, 0]).unwrap());
        assert!(end.is_last(&[0x18, 0, 0x18, 1]).unwrap());
        // Another wire type is another field.
        assert!(!StreamEnd { field: 3, when_absent: false }.is_last(&[0x1a, 1, 1]).unwrap());
        assert!(end.is_last(&[0x18]).is_err());
    }

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
