//! [`Failure`]: how a failed request is answered.
//!
//! Invariant: an error frame has a text, and a number if the schema has a field for it:
//! Riak's schema requires both.

use std::fmt;

use crate::error::{DecodeError, FrameError};
use crate::operation::ErrorFrame;
use crate::{Blob, WriteBuffer};

/// The failure of a request, and what the client gets instead of an answer.
///
/// An [`ErrorReply`] converts to it with `into()` or `?`.
///
/// ```
/// use riak_runtime::server::{ErrorReply, Failure};
///
/// fn quota(used: u32) -> Result<u32, Failure> {
///     if used > 100 {
///         return Err(ErrorReply::new("the quota is used up").with_number(7).into());
///     }
///     Ok(100 - used)
/// }
/// assert_eq!(quota(101).unwrap_err().to_string(), "the quota is used up");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The client gets this error, in the schema's error frame.
    Error(ErrorReply),
    /// The client gets no answer: the connection is closed, once the answers to earlier
    /// requests are written.
    Hangup,
}

impl Failure {
    /// Creates the answer to a message code that is not served: "Unknown message code:
    /// N", as Riak sends it. The connection stays open.
    #[must_use]
    pub fn unknown_code(code: u8) -> Self {
        ErrorReply::new(format!("Unknown message code: {code}")).into()
    }

    /// Creates the answer to a request that cannot be decoded or processed: "Error
    /// processing incoming message: …", as Riak sends it. The connection is closed, as
    /// in Riak.
    #[must_use]
    pub fn unprocessable(reason: impl fmt::Display) -> Self {
        ErrorReply::new(format!("Error processing incoming message: {reason}")).and_close().into()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => error.fmt(f),
            Self::Hangup => f.write_str("the connection is closed without an answer"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<ErrorReply> for Failure {
    fn from(error: ErrorReply) -> Self {
        Self::Error(error)
    }
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        Self::unprocessable(error)
    }
}

impl From<FrameError> for Failure {
    fn from(error: FrameError) -> Self {
        Self::unprocessable(error)
    }
}

/// An error answer: a text, a number, and whether the connection is closed.
///
/// ```
/// use riak_runtime::server::ErrorReply;
///
/// let error = ErrorReply::new("{n_val_violation,3}");
/// assert!(error.text == "{n_val_violation,3}" && error.number == 0 && !error.close);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorReply {
    /// What went wrong, for the client to read.
    pub text: Blob,
    /// The error's number. Riak KV always sends zero.
    pub number: u32,
    /// Whether the connection is closed after the error is sent.
    pub close: bool,
}

impl ErrorReply {
    /// Creates an error with this text and number 0, after which the connection stays
    /// open.
    pub fn new(text: impl Into<Blob>) -> Self {
        Self { text: text.into(), number: 0, close: false }
    }

    /// Sets the number.
    #[must_use]
    pub fn with_number(self, number: u32) -> Self {
        Self { number, ..self }
    }

    /// Closes the connection after the error is sent.
    #[must_use]
    pub fn and_close(self) -> Self {
        Self { close: true, ..self }
    }

    /// Appends the error to `out` in a schema's error frame.
    pub(super) fn push(&self, frame: ErrorFrame, out: &mut WriteBuffer) -> Result<(), FrameError> {
        let mut body = Vec::with_capacity(self.text.len() + 16);
        push_varint(u64::from(frame.text << 3 | crate::wire::DELIMITED), &mut body);
        push_varint(self.text.len() as u64, &mut body);
        body.extend_from_slice(&self.text);
        if let Some(number) = frame.number {
            push_varint(u64::from(number << 3), &mut body);
            push_varint(u64::from(self.number), &mut body);
        }
        out.push_body(frame.code, &body)
    }

    /// Reports to tracing, if the feature is on, that the client never sees this error,
    /// since it already has an answer.
    #[cfg_attr(
        not(feature = "tracing"),
        expect(unused_variables, clippy::unused_self, reason = "there is nobody to tell")
    )]
    pub(super) fn report_unsent(&self, code: u8) {
        #[cfg(feature = "tracing")]
        tracing::warn!(
            target: "riak", code, error = %self,
            "a service failed after it had answered a request of this code, so that the client is not told"
        );
    }
}

impl fmt::Display for ErrorReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text.to_string_lossy())
    }
}

impl std::error::Error for ErrorReply {}

/// Appends a varint.
pub(super) fn push_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(feature = "tracing")]
    use crate::{
        Frame,
        server::recorded_events::{Events, TURN},
        server::{Outbox, ServerConfig, Service, serve_connection},
    };

    #[test]
    fn an_error_reads_back_as_it_was_pushed() {
        let frame = ErrorFrame { code: 0, text: 1, number: Some(2) };
        let text = "long ".repeat(100);
        let mut out = WriteBuffer::new();
        ErrorReply::new(&text).with_number(1019).push(frame, &mut out).unwrap();
        assert_eq!(frame.read(&out.to_vec()[5..]).unwrap(), (text.as_bytes(), 1019));
        let Failure::Error(error) = Failure::unknown_code(253) else { panic!("it is an error") };
        assert_eq!(error.text, "Unknown message code: 253");
        let mut out = WriteBuffer::new();
        error.push(frame, &mut out).unwrap();
        assert!(out.to_vec().ends_with(b"253\x10\x00"));
    }

    /// Answers twice, which is a mistake.
    #[cfg(feature = "tracing")]
    struct Twice;

    #[cfg(feature = "tracing")]
    impl Service for Twice {
        fn serves(&self, _: u8) -> bool {
            true
        }

        fn error_frame(&self, _: Option<u8>) -> Option<ErrorFrame> {
            None
        }

        async fn call(&self, request: Frame, outbox: &mut Outbox) -> Result<(), Failure> {
            outbox.frame(request.code, &request.body)?;
            outbox.frame(request.code, &request.body)
        }
    }

    #[cfg(feature = "tracing")]
    #[tokio::test(start_paused = true)]
    async fn an_error_that_no_client_sees_is_reported() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};

        let _turn = TURN.lock().await;
        let events = Events::of("riak_runtime::server::failure");
        let _guard = tracing::subscriber::set_default(events.clone());
        let (mut client, server) = tokio::io::duplex(64);
        client.write_all(&[0, 0, 0, 1, 7]).await.unwrap();
        let config = ServerConfig::new();
        let connection = serve_connection(server, &Twice, &config);
        let mut answers = Vec::new();
        let (ended, _) = tokio::join!(connection, client.read_to_end(&mut answers));
        ended.unwrap();
        assert_eq!(answers, [0, 0, 0, 1, 7]);
        assert_eq!(events.take(), [(tracing::Level::WARN, "an answer was sent behind the last one".into())]);
    }
}
