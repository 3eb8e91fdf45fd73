//! Frames: a big-endian length of four bytes, a message code of one byte, and a body.
//!
//! The length counts the code and the body, so it is at least 1. An empty body is
//! common, and stands for the message with no field set. There is no request id:
//! answers come in the order of their requests.
//!
//! [`FrameReader`] splits incoming bytes into frames, and [`WriteBuffer`] holds frames
//! to be sent. `client::Connection` and `server::Server` use both.
//!
//! Invariant: whatever arrives, no more than the maximum frame size is buffered for one
//! frame.

mod incoming;
mod outgoing;

use std::fmt;

use crate::error::DecodeError;
use crate::message::Owned;
use crate::{Blob, DecodeLimits, Framed};

pub use incoming::FrameReader;
pub use outgoing::WriteBuffer;
#[cfg(feature = "client")]
pub(crate) use outgoing::encode_body;

/// The number of bytes before the body: four of length, one of code.
pub const HEADER: usize = 5;

/// The default maximum length of an accepted frame, code and body, in bytes: 64 MiB. By
/// default, Riak refuses objects over 50 MB (`object.size.maximum` in `riak.conf`).
pub const MAX_FRAME: usize = 64 * 1024 * 1024;

/// A frame as it was received. `Debug` prints the length of the body instead of its
/// bytes, which may be large or secret.
///
/// A body of more than 23 bytes is a slice of the block of memory that its connection
/// reads into, 16 KiB or more, and keeps that block alive. Decoding a frame copies short
/// values out of it. To keep the frame itself for long, [compact](Blob::compact) its body.
///
/// ```
/// use riak_runtime::{Blob, Frame};
///
/// let frame = Frame { code: 2, body: Blob::new() };
/// assert_eq!(format!("{frame:?}"), "Frame { code: 2, body: 0 bytes }");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// The message code.
    pub code: u8,
    /// The body. If it has more than 23 bytes, it shares memory with the buffer that it
    /// was read into.
    pub body: Blob,
}

impl Frame {
    /// Decodes the body as an owned message. Ignores the code, which
    /// [`Answer::from_frame`](crate::Answer::from_frame) checks.
    ///
    /// # Errors
    ///
    /// If the body is not a valid message of this type, or exceeds
    /// [`DecodeLimits::DEFAULT`].
    pub fn decode<M: Owned>(&self) -> Result<M, DecodeError> {
        M::decode_blob(&self.body)
    }

    /// Decodes the body as an owned message, within `limits`.
    ///
    /// # Errors
    ///
    /// If the body is not a valid message of this type, or exceeds the limits.
    pub fn decode_within<M: Owned>(&self, limits: &DecodeLimits) -> Result<M, DecodeError> {
        M::decode_blob_within(&self.body, limits)
    }

    /// Decodes the body as a borrowed message and keeps both together. Ignores the
    /// code.
    ///
    /// # Errors
    ///
    /// If the body is not a valid message of this type, or exceeds
    /// [`DecodeLimits::DEFAULT`].
    pub fn into_framed<M: Owned>(self) -> Result<Framed<M>, DecodeError> {
        Framed::decode(self.body)
    }

    /// Decodes the body as a borrowed message, within `limits`, and keeps both together.
    /// Ignores the code.
    ///
    /// # Errors
    ///
    /// If the body is not a valid message of this type, or exceeds the limits.
    pub fn into_framed_within<M: Owned>(self, limits: &DecodeLimits) -> Result<Framed<M>, DecodeError> {
        Framed::decode_within(self.body, limits)
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Omits the bytes: they may be large, or contain a password.
        write!(f, "Frame {{ code: {}, body: {} bytes }}", self.code, self.body.len())
    }
}
