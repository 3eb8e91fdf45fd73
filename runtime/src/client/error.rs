//! [`CallError`]: why a call failed, and what may be done about it.
//!
//! Invariant: an error that is [`CallError::NotSent`] means that the server
//! cannot have seen the whole request, so that it cannot have been applied.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::Frame;
use crate::error::{DecodeError, FrameError};

use super::server_error::{ServerError, ServerErrorKind};
use super::tried::Tried;

/// Why a call failed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CallError {
    /// The server answered with an error.
    Server(ServerError),
    /// The answer came, but its body is malformed.
    Decode(DecodeError),
    /// The answer is of a type that this operation never has. The connection
    /// was closed, since the answers on it can no longer be told apart.
    UnexpectedCode {
        /// The answer's message code.
        code: u8,
        /// The message code of the operation's regular answer.
        expected: u8,
    },
    /// The answer is longer than frames may be, and was not read. The connection
    /// was closed.
    TooLong {
        /// Its frame's length, code included.
        length: usize,
        /// The most that [`max_frame`](super::ConnectionConfig::max_frame) allows.
        max: usize,
    },
    /// The server gave another of the operation's answers than the one type
    /// that was asked for. The frame holds it.
    Alternative(Frame),
    /// No answer came in time.
    Timeout {
        /// How long was waited.
        after: Duration,
        /// Whether the server may see the request: it has had its turn, and is
        /// sent or will be.
        sent: bool,
    },
    /// The request was sent, then the connection failed before its answer came.
    Lost(ConnectionError),
    /// The request was not sent, or not all of it.
    NotSent(NotSent),
    /// Several nodes were tried, or one that gave no answer.
    /// [`CallError::cause`] is what the last of them failed with.
    Tried(Tried),
}

impl CallError {
    /// Whether the server may have done what was asked of it, in spite of the
    /// error.
    ///
    /// `false` is certain. `true` means that only a look at the data can tell:
    /// no answer came, or an error that leaves the data changed on some
    /// replicas (a timeout, a quorum that was missed), or one whose text is not
    /// known.
    #[must_use]
    pub fn may_have_been_applied(&self) -> bool {
        match self {
            Self::Timeout { sent, .. } => *sent,
            Self::NotSent(_) => false,
            Self::Tried(tried) => {
                tried.attempts().iter().any(|attempt| attempt.error.may_have_been_applied())
            }
            Self::Server(error) => !error.kind().is_refusal(),
            Self::Decode(_)
            | Self::TooLong { .. }
            | Self::UnexpectedCode { .. }
            | Self::Alternative(_)
            | Self::Lost(_) => true,
        }
    }

    /// Whether the same call may succeed when it is made again, on another
    /// connection if this one is closed. Whether it *may* be made again is up
    /// to [`CallError::may_have_been_applied`] and the operation's
    /// [`Retry`](crate::operation::Retry) class.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Timeout { .. } | Self::Lost(_) | Self::UnexpectedCode { .. } => true,
            Self::NotSent(NotSent::Connection(ConnectionError::Refused(error))) => {
                error.kind().is_retryable()
            }
            Self::NotSent(reason) => {
                matches!(
                    reason,
                    NotSent::Connection(_) | NotSent::Connecting { .. } | NotSent::QueueFull { .. }
                )
            }
            Self::Server(error) => error.kind().is_retryable(),
            Self::Tried(tried) => tried.last().error.is_retryable(),
            Self::Decode(_) | Self::TooLong { .. } | Self::Alternative(_) => false,
        }
    }

    /// What the last attempt failed with: this error itself, unless it is of
    /// several attempts, or names the node of one.
    #[must_use]
    pub fn cause(&self) -> &Self {
        match self {
            Self::Tried(tried) => tried.last().error.cause(),
            error => error,
        }
    }

    /// What is wrong with the connection, if that is what made the call fail.
    #[must_use]
    pub fn connection_error(&self) -> Option<&ConnectionError> {
        match self.cause() {
            Self::Lost(error) | Self::NotSent(NotSent::Connection(error)) => Some(error),
            _ => None,
        }
    }

    /// Whether the server answered with an error of this kind, at last.
    ///
    /// ```
    /// use riak_runtime::client::{CallError, ServerError, ServerErrorKind};
    ///
    /// let error = CallError::Server(ServerError::new("overload", 0));
    /// assert!(error.is(ServerErrorKind::Overload));
    /// ```
    #[must_use]
    pub fn is(&self, kind: ServerErrorKind) -> bool {
        self.server_error().is_some_and(|error| error.kind() == kind)
    }

    /// The server's error, if it is one.
    #[must_use]
    pub fn server_error(&self) -> Option<&ServerError> {
        match self.cause() {
            Self::Server(error) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(error) => error.fmt(f),
            Self::Decode(error) => write!(f, "the answer is malformed: {error}"),
            Self::TooLong { length, max } => write!(
                f,
                "the answer has {length} bytes, more than the {max} that are allowed: \
                 raise ConnectionConfig::max_frame"
            ),
            Self::UnexpectedCode { code, expected } => write!(
                f,
                "the answer has message code {code} where {expected} was expected: \
                 the connection was closed, call again on another"
            ),
            Self::Alternative(frame) => write!(
                f,
                "the server gave its alternative answer with message code {}: \
                 call the method that takes any of the answers",
                frame.code
            ),
            Self::Timeout { after, sent: true } => {
                write!(f, "no answer came within {after:?}; the request was sent and may be applied")
            }
            Self::Timeout { after, sent: false } => {
                write!(f, "the request could not be sent within {after:?}: make fewer calls at once")
            }
            Self::Lost(error) => {
                write!(
                    f,
                    "the connection failed before the answer came, the request may have been applied: "
                )?;
                error.fmt(f)
            }
            Self::NotSent(reason) => write!(f, "the request was not sent: {reason}"),
            Self::Tried(tried) => write!(f, "no attempt succeeded: {tried}"),
        }
    }
}

impl std::error::Error for CallError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Server(error) => Some(error),
            Self::Decode(error) => Some(error),
            Self::Lost(error) => Some(error),
            Self::NotSent(error) => Some(error),
            Self::Tried(tried) => Some(&tried.last().error),
            Self::TooLong { .. }
            | Self::UnexpectedCode { .. }
            | Self::Alternative(_)
            | Self::Timeout { .. } => None,
        }
    }
}

impl From<NotSent> for CallError {
    fn from(reason: NotSent) -> Self {
        Self::NotSent(reason)
    }
}

/// Why a request was not sent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum NotSent {
    /// The connection is closed, or was before the whole request had been sent.
    Connection(ConnectionError),
    /// Too many calls are waiting already, for a connection or on one.
    QueueFull {
        /// How many may wait.
        max: usize,
    },
    /// The request is longer than a frame may be.
    Frame(FrameError),
    /// The call's deadline had come before it could be sent.
    Deadline,
    /// A connection to the node could not be made in the time that there was.
    Connecting {
        /// How long was waited.
        after: Duration,
    },
    /// All connections that there may be were in use, and none was free in time.
    PoolTimeout {
        /// How long was waited.
        after: Duration,
    },
    /// There is no node to send it to.
    NoNodes,
    /// The server is known to fail on such a request.
    Refused {
        /// What is wrong with it, and what to do instead.
        reason: &'static str,
    },
    /// The operation answers with a stream, and was called as if it did not.
    Streams {
        /// The operation's name.
        operation: &'static str,
    },
}

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(error) => error.fmt(f),
            Self::QueueFull { max } => write!(
                f,
                "{max} calls wait already: make fewer at once, or raise max_waiting, of ConnectionConfig for \
                 their turn on a connection, of PoolConfig for a connection"
            ),
            Self::Frame(error) => error.fmt(f),
            Self::Deadline => f.write_str("its deadline had come before it could be sent"),
            Self::Connecting { after } => {
                write!(f, "no connection could be made within {after:?}: is the node up, and reachable?")
            }
            Self::PoolTimeout { after } => write!(
                f,
                "no connection was free within {after:?}: \
                 make fewer calls at once, or raise the limits in PoolConfig"
            ),
            Self::Refused { reason } => f.write_str(reason),
            Self::NoNodes => f.write_str("the cluster has no nodes: name some"),
            Self::Streams { operation } => {
                write!(f, "{operation} answers with a stream: call it as one")
            }
        }
    }
}

impl std::error::Error for NotSent {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Connection(error) => Some(error),
            Self::Frame(error) => Some(error),
            Self::QueueFull { .. }
            | Self::Deadline
            | Self::Connecting { .. }
            | Self::PoolTimeout { .. }
            | Self::NoNodes
            | Self::Refused { .. }
            | Self::Streams { .. } => None,
        }
    }
}

/// Why a connection is closed. Every call that it carried gets a copy.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The socket failed.
    Io(Arc<io::Error>),
    /// The server closed the connection.
    Closed {
        /// Whether it did so in the middle of a frame.
        within_frame: bool,
    },
    /// What arrived is no frame.
    Frame(FrameError),
    /// An answer of a type arrived that its operation never has.
    UnexpectedCode {
        /// The answer's message code.
        code: u8,
        /// The message code of the operation's regular answer.
        expected: u8,
        /// The operation's name.
        operation: &'static str,
    },
    /// A frame arrived that answers nothing.
    Unasked {
        /// Its message code.
        code: u8,
    },
    /// An answer within a stream is malformed, so that the stream's end cannot
    /// be found.
    StreamEnd(DecodeError),
    /// A call that had the connection to itself was dropped, or took too long.
    /// Closing the connection is the only way to stop it.
    Abandoned {
        /// The operation's name.
        operation: &'static str,
    },
    /// A request crashed what served it, and the server closes the connection then.
    /// Those that were sent behind it were not looked at.
    Crashed {
        /// The name of the operation that crashed.
        operation: &'static str,
    },
    /// Too many calls were dropped, or took too long, after they had been sent.
    Owed {
        /// How many answers were outstanding that nobody waited for.
        count: usize,
    },
    /// Connecting took too long.
    ConnectTimeout {
        /// How long was waited.
        after: Duration,
    },
    /// The server refused a request that sets the connection up: to change to
    /// TLS, or to authenticate.
    Refused(ServerError),
    /// There is no TLS connection.
    #[cfg(feature = "tls")]
    Tls(Box<crate::tls::TlsError>),
    /// The connection's driver was dropped, or the last handle of the
    /// connection was.
    Stopped,
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
            Self::Closed { within_frame: true } => {
                f.write_str("the server closed the connection in the middle of a frame")
            }
            Self::Closed { within_frame: false } => f.write_str("the server closed the connection"),
            Self::Frame(error) => write!(f, "what arrived is no frame: {error}"),
            Self::UnexpectedCode { code, expected, operation } => {
                write!(f, "{operation} was answered with message code {code} where {expected} was expected")
            }
            Self::Unasked { code } => {
                write!(f, "a frame with message code {code} arrived that answers nothing")
            }
            Self::StreamEnd(error) => {
                write!(f, "the end of a stream cannot be found, since an answer is malformed: {error}")
            }
            Self::Abandoned { operation } => {
                write!(f, "{operation} had the connection to itself and was given up, which closes it")
            }
            Self::Crashed { operation } => {
                write!(f, "{operation} crashed what served it, and the server closes the connection then")
            }
            Self::Owed { count } => write!(
                f,
                "{count} calls were given up after they had been sent: \
                 raise ConnectionConfig::max_owed to wait for more such answers"
            ),
            Self::ConnectTimeout { after } => write!(f, "connecting took longer than {after:?}"),
            Self::Refused(error) => write!(f, "the connection could not be set up: {error}"),
            #[cfg(feature = "tls")]
            Self::Tls(error) => error.fmt(f),
            Self::Stopped => f.write_str("the connection was stopped on this side"),
        }
    }
}

impl std::error::Error for ConnectionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(&**error),
            Self::Frame(error) => Some(error),
            Self::StreamEnd(error) => Some(error),
            Self::Refused(error) => Some(error),
            #[cfg(feature = "tls")]
            Self::Tls(error) => Some(&**error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_sent_may_have_been_applied() {
        let closed = ConnectionError::Closed { within_frame: true };
        assert!(CallError::Lost(closed.clone()).may_have_been_applied());
        assert!(!CallError::NotSent(NotSent::Connection(closed)).may_have_been_applied());
        let after = Duration::from_secs(1);
        assert!(CallError::Timeout { after, sent: true }.may_have_been_applied());
        assert!(!CallError::Timeout { after, sent: false }.may_have_been_applied());
    }

    #[test]
    fn texts_say_what_is_wrong_whatever_the_bytes() {
        let error = CallError::Server(ServerError::new(&b"no\xfftype"[..], 0));
        assert_eq!(error.to_string(), "the server answered with an error: no\u{fffd}type");
        let error = CallError::NotSent(NotSent::Streams { operation: "RiakKv.ListKeys" });
        assert_eq!(
            error.to_string(),
            "the request was not sent: RiakKv.ListKeys answers with a stream: call it as one"
        );
        assert!(!error.is_retryable());
    }

    #[test]
    fn an_error_is_small() {
        assert!(size_of::<CallError>() <= 48);
    }
}
