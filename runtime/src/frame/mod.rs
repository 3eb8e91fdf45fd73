//! Frames: a big-endian length, a message code, a body.
//!
//! The length counts the code and the body, so that it is at least 1. A body
//! without bytes is common, and means the message with no field set. There is
//! no request id: answers come in the order of their requests.
//!
//! Invariant: whatever arrives, no more than the maximum frame size is
//! buffered for one frame.

mod incoming;
mod outgoing;

use std::fmt;

use crate::error::DecodeError;
use crate::message::Owned;
use crate::{Blob, DecodeLimits, Framed};

pub use incoming::FrameReader;
pub use outgoing::WriteBuffer;

/// Bytes before the body: four of length, one of code.
pub const HEADER: usize = 5;

/// The longest frame that is accepted unless configured otherwise: 64 MiB.
/// Riak refuses objects over 50 MB (`object.size.maximum`).
pub const MAX_FRAME: usize = 64 * 1024 * 1024;

/// One frame, as it was received.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// The message code.
    pub code: u8,
    /// The body: a slice of what was read from the socket.
    pub body: Blob,
}

impl Frame {
    /// The body as an owned message, whatever the code.
    ///
    /// # Errors
    ///
    /// If the body is no such message.
    pub fn decode<M: Owned>(&self) -> Result<M, DecodeError> {
        M::decode_blob(&self.body)
    }

    /// The same, if decoding stays within `limits`.
    ///
    /// # Errors
    ///
    /// If the body is no such message, or it does not.
    pub fn decode_within<M: Owned>(&self, limits: &DecodeLimits) -> Result<M, DecodeError> {
        M::decode_blob_within(&self.body, limits)
    }

    /// The body as a message that borrows from it, whatever the code.
    ///
    /// # Errors
    ///
    /// If the body is no such message.
    pub fn into_framed<M: Owned>(self) -> Result<Framed<M>, DecodeError> {
        Framed::decode(self.body)
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the bytes: they may be large, or a password.
        write!(f, "Frame {{ code: {}, body: {} bytes }}", self.code, self.body.len())
    }
}
