//! [`ConnectionError`]: why a connection was closed.
//!
//! Invariant: every call that the connection carried gets the same reason.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::server_error::ServerError;
use crate::error::{DecodeError, FrameError};

/// Why a connection was closed, or could not be made.
///
/// Every call that the connection carried gets a copy of it, as
/// [`CallError::Lost`](super::CallError::Lost) or
/// [`NotSent::Connection`](super::NotSent::Connection).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The socket failed.
    Io(Arc<io::Error>),
    /// The address could not be resolved: the host name has none, or it is no address.
    Unresolved(Arc<io::Error>),
    /// Connecting failed at the last of the addresses that refused. One that did not answer
    /// is reported as [`ConnectTimeout`](Self::ConnectTimeout) if no other refused.
    Unreachable(Arc<Unreachable>),
    /// The server closed the connection.
    Closed {
        /// Whether it closed in the middle of a frame.
        within_frame: bool,
    },
    /// The received bytes are not a valid frame.
    Frame(FrameError),
    /// An answer has a message code that is not among its operation's answers.
    UnexpectedCode {
        /// The answer's message code.
        code: u8,
        /// The message code of the operation's regular answer.
        expected: u8,
        /// The operation's name.
        operation: &'static str,
    },
    /// A frame arrived although no request was waiting for an answer.
    Unasked {
        /// The frame's message code.
        code: u8,
    },
    /// The server answered a request with an error before all of it was sent, as servers do
    /// that find it too long.
    Interrupted(Box<ServerError>),
    /// An answer of a stream is malformed, so that the end of the stream cannot be
    /// found.
    StreamEnd(DecodeError),
    /// A stream or long call was dropped or timed out. Such a call has the connection
    /// to itself, and closing the connection is the only way to stop it.
    Abandoned {
        /// The operation's name.
        operation: &'static str,
    },
    /// A request crashed the server's handler, and the server closed the connection.
    /// It has not looked at requests that were sent after the one that crashed.
    Crashed {
        /// The name of the operation that crashed.
        operation: &'static str,
    },
    /// More answers than [`max_owed`](super::ConnectionConfig::max_owed) are owed to
    /// calls that were dropped or timed out after they had been sent.
    Owed {
        /// How many answers were owed to such calls.
        count: usize,
    },
    /// Connecting took too long.
    ConnectTimeout {
        /// The time limit.
        after: Duration,
    },
    /// The server refused a request to set up the connection: to change to TLS, or to
    /// authenticate.
    Refused(ServerError),
    /// The answer to a request to set up the connection is malformed.
    Malformed(DecodeError),
    /// The TLS connection could not be established.
    #[cfg(feature = "tls")]
    Tls(Box<crate::tls::TlsError>),
    /// This side stopped the connection: its driver or its last handle was dropped,
    /// its pool or cluster was closed, or the runtime that polled its driver has shut
    /// down.
    Stopped,
}

/// An address that could not be connected to, and why.
#[derive(Debug)]
#[non_exhaustive]
pub struct Unreachable {
    /// The address.
    pub address: SocketAddr,
    /// Why connecting failed.
    pub error: io::Error,
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, error } = self;
        write!(f, "cannot connect to {address}: {error}: check that the node is up and listens there")
    }
}

#[cfg(feature = "tls")]
impl From<crate::tls::TlsError> for ConnectionError {
    fn from(error: crate::tls::TlsError) -> Self {
        Self::Tls(Box::new(error))
    }
}

impl From<io::Error> for ConnectionError {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the socket failed: {error}"),
            Self::Unresolved(error) => {
                write!(f, "the address cannot be resolved: {error}: check the host name and the port")
            }
            Self::Unreachable(unreachable) => unreachable.fmt(f),
            Self::Closed { within_frame: true } => {
                f.write_str("the server closed the connection in the middle of a frame")
            }
            Self::Closed { within_frame: false } => f.write_str("the server closed the connection"),
            Self::Frame(error) => write!(f, "the server sent bytes that are not a frame: {error}"),
            Self::UnexpectedCode { code, expected, operation } => {
                write!(f, "{operation} was answered with message code {code} where {expected} was expected")
            }
            Self::Unasked { code } => {
                write!(f, "the server sent a frame with message code {code} that no request asked for")
            }
            Self::Interrupted(error) => {
                write!(f, "the server interrupted a request before all of it was sent: {error}")
            }
            Self::StreamEnd(error) => {
                write!(f, "the end of a stream cannot be found, because an answer is malformed: {error}")
            }
            Self::Malformed(error) => {
                write!(f, "an answer during the connection's setup is malformed: {error}")
            }
            Self::Abandoned { operation } => {
                write!(f, "the call of {operation} was dropped, which closes its exclusive connection")
            }
            Self::Crashed { operation } => {
                write!(f, "{operation} crashed its handler in the server, which closed the connection")
            }
            Self::Owed { count } => write!(
                f,
                "{count} calls were dropped after they had been sent, and their answers are outstanding: \
                 give up fewer calls, or raise ConnectionConfig::max_owed"
            ),
            Self::ConnectTimeout { after } => write!(f, "connecting took longer than {after:?}: check that the node is up and can be reached"),
            Self::Refused(error) => write!(f, "the connection could not be set up: {error}"),
            #[cfg(feature = "tls")]
            Self::Tls(error) => error.fmt(f),
            Self::Stopped => f.write_str("the connection was stopped on this side: its client was closed or dropped, or its runtime has ended"),
        }
    }
}

// No `source`: the text has that of the cause in it.
impl std::error::Error for ConnectionError {}
