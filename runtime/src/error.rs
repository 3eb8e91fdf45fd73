//! The errors for invalid bytes: [`DecodeError`] and [`FrameError`].
//!
//! Invariant: a `DecodeError` is one word, so that the `Result`s of the hot path stay
//! small. Its details are filled in by cold functions, and success pays nothing for
//! them.

use std::fmt;

/// Why a message could not be decoded, and where.
///
/// ```
/// use riak_runtime::{DecodeErrorKind, DecodeLimits};
/// # use riak_runtime::wire::{Context, Reader, Writer};
/// # #[derive(Debug, Default)]
/// # struct Empty;
/// # impl riak_runtime::Message for Empty {
/// #     const NAME: &'static str = "Empty";
/// #     fn encode<'w>(&self, out: Writer<'w>) -> Writer<'w> { out }
/// # }
/// # impl<'a> riak_runtime::Decode<'a> for Empty {
/// #     fn merge(&mut self, mut input: Reader<'a>, ctx: &mut Context<'a>) -> Result<(), riak_runtime::DecodeError> {
/// #         while let Some(tag) = input.tag(ctx)? {
/// #             riak_runtime::wire::read_unknown(tag, &mut riak_runtime::wire::Ignore, &mut input, ctx)?;
/// #         }
/// #         Ok(())
/// #     }
/// # }
/// use riak_runtime::Decode;
///
/// let error = Empty::decode(&[0x0a, 5, 1]).unwrap_err();
/// assert_eq!(*error.kind(), DecodeErrorKind::Truncated);
/// assert_eq!(error.to_string(), "Empty: at byte 2: the input ends within a field");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct DecodeError(Box<Details>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Details {
    kind: DecodeErrorKind,
    offset: usize,
    message: &'static str,
}

/// What is wrong with the bytes of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The input ends within a field.
    Truncated,
    /// A varint has more than ten bytes.
    InvalidVarint,
    /// A tag has field number 0, a wire type that does not exist, more than 32
    /// bits, or more than five bytes.
    InvalidTag,
    /// A group's end tag appears without its start tag.
    UnexpectedEndGroup,
    /// A `string` field is not UTF-8.
    InvalidUtf8,
    /// A required field is missing.
    MissingField {
        /// The message that lacks it.
        message: &'static str,
        /// The field that is missing; the first one, if there are several.
        field: &'static str,
    },
    /// A value that the field's type does not allow: the conversion of a derived field
    /// rejected it.
    InvalidValue {
        /// The field.
        field: &'static str,
    },
    /// Messages nest deeper than [`DecodeLimits::depth`](crate::DecodeLimits::depth)
    /// allows.
    TooDeep,
    /// Elements take more memory than
    /// [`DecodeLimits::expansion`](crate::DecodeLimits::expansion) allows for an input
    /// of this size.
    TooManyElements,
    /// The frame's message code is not that of the expected message.
    UnexpectedCode {
        /// The code of the frame.
        code: u8,
    },
}

impl DecodeError {
    /// Creates an error of this kind at this byte of the input, without the name of a
    /// message.
    #[cold]
    #[must_use]
    pub fn new(kind: DecodeErrorKind, offset: usize) -> Self {
        Self(Box::new(Details { kind, offset, message: "" }))
    }

    /// Creates the error that `message` lacks a required field: the first one of
    /// `fields` whose bit is set in `missing`.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn missing(message: &'static str, fields: &[&'static str], missing: u64) -> Self {
        let field = fields.get(missing.trailing_zeros() as usize).copied().unwrap_or_default();
        Self::new(DecodeErrorKind::MissingField { message, field }, 0)
    }

    /// Returns this error with the name of the message that was decoded.
    #[cold]
    #[must_use]
    pub(crate) fn of(mut self, message: &'static str) -> Self {
        self.0.message = message;
        self
    }

    /// Returns what is wrong.
    #[must_use]
    pub fn kind(&self) -> &DecodeErrorKind {
        &self.0.kind
    }

    /// Returns the byte offset within the outermost message at which the error was
    /// found. It is 0 for a missing field and for an unexpected code.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.0.offset
    }

    /// Returns the name of the outermost message, or an empty string if it is not
    /// known.
    #[must_use]
    pub fn message(&self) -> &'static str {
        self.0.message
    }
}

impl fmt::Debug for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecodeError")
            .field("kind", &self.0.kind)
            .field("offset", &self.0.offset)
            .field("message", &self.0.message)
            .finish()
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.message.is_empty() {
            write!(f, "{}: ", self.0.message)?;
        }
        let offset = self.0.offset;
        match &self.0.kind {
            DecodeErrorKind::Truncated => write!(f, "at byte {offset}: the input ends within a field"),
            DecodeErrorKind::InvalidVarint => write!(f, "at byte {offset}: a varint has more than ten bytes"),
            DecodeErrorKind::InvalidTag => write!(f, "at byte {offset}: this is not a valid field tag"),
            DecodeErrorKind::UnexpectedEndGroup => {
                write!(f, "at byte {offset}: a group end without a group start")
            }
            DecodeErrorKind::InvalidUtf8 => write!(f, "at byte {offset}: a string field is not UTF-8"),
            DecodeErrorKind::MissingField { message, field } => {
                write!(f, "the required field {message}.{field} is missing")
            }
            DecodeErrorKind::InvalidValue { field } => {
                write!(f, "before byte {offset}: this is not a valid value of the field {field}")
            }
            DecodeErrorKind::TooDeep => {
                write!(
                    f,
                    "at byte {offset}: messages nest too deep; raise DecodeLimits::depth if you trust the sender"
                )
            }
            DecodeErrorKind::TooManyElements => write!(
                f,
                "at byte {offset}: elements take too much memory for the size of the input; \
                 raise DecodeLimits::expansion if you trust the sender"
            ),
            DecodeErrorKind::UnexpectedCode { code } => {
                write!(f, "a frame with message code {code} is not expected here")
            }
        }
    }
}

impl std::error::Error for DecodeError {}

/// Why bytes are not a frame, or why a message cannot be sent as one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// The frame's length is zero, but it must count at least the code.
    Empty,
    /// The frame is longer than the receiver or the sender allows.
    TooLong {
        /// Its length in bytes: code and body.
        length: usize,
        /// The limit in bytes.
        max: usize,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a frame has length 0, which leaves no room for its code"),
            Self::TooLong { length, max } => write!(
                f,
                "a frame of {length} bytes is longer than the {max} that are allowed: send less, raise the receiver's \
                 max_frame, or check that the other side speaks this protocol"
            ),
        }
    }
}

impl std::error::Error for FrameError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_one_word() {
        assert_eq!(size_of::<Result<(), DecodeError>>(), size_of::<usize>());
    }

    #[test]
    fn messages_name_the_thing() {
        assert_eq!(
            DecodeError::missing("RpbGetReq", &["bucket", "key"], 0b10).of("RpbGetReq").to_string(),
            "RpbGetReq: the required field RpbGetReq.key is missing"
        );
        assert!(FrameError::TooLong { length: 9, max: 8 }.to_string().contains("9 bytes"));
    }
}
