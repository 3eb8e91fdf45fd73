//! [`CallError`]: why a call failed, and what the caller may do about it.
//!
//! Invariant: [`CallError::NotSent`] means that the server has not applied the request:
//! it has not received all of it, or closed the connection before it looked at it.

use std::fmt;
use std::time::Duration;

use crate::Frame;
use crate::error::{DecodeError, FrameError};

pub use super::connection_error::{ConnectionError, Unreachable};
use super::server_error::{ServerError, ServerErrorKind};
use super::tried::Tried;

/// Why a call failed.
///
/// Prefer the methods to matching on variants: a [`Cluster`](super::Cluster) wraps the
/// errors of its attempts in [`CallError::Tried`], and the methods look inside.
///
/// The text of an error has those of its causes in it. `source` therefore returns none, and
/// what prints an error with all its sources prints nothing twice.
///
/// ```
/// use riak_runtime::client::{CallError, ConnectionError, NotSent, ServerError, ServerErrorKind};
///
/// fn advice(error: &CallError) -> &'static str {
///     if error.is(ServerErrorKind::NoSuchBucketType) {
///         return "create the bucket type";
///     }
///     match error.cause() {
///         CallError::Server(_) => "read what the server says",
///         CallError::NotSent(NotSent::QueueFull { .. }) => "make fewer calls at once",
///         _ if !error.may_have_been_applied() => "make the call again",
///         _ => "read the data, then decide",
///     }
/// }
///
/// let refused = CallError::Server(ServerError::new("No bucket-type named 'carts'", 0));
/// assert_eq!(advice(&refused), "create the bucket type");
/// let closed = ConnectionError::Closed { within_frame: false };
/// assert_eq!(advice(&CallError::NotSent(NotSent::Connection(closed.clone()))), "make the call again");
/// assert_eq!(advice(&CallError::Lost(closed)), "read the data, then decide");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
// The tag fills a word: a move of a smaller one, and of what lies in the rest of its word, is
// split into overlapping parts, and loading them stalls until each store has completed
// (measured: 9 % of a call).
#[repr(u64)]
pub enum CallError {
    /// The server answered with an error.
    Server(ServerError),
    /// An answer arrived, but its body is malformed or exceeds the
    /// [decode limits](super::ConnectionConfig::decode_limits).
    Decode(DecodeError),
    /// The answer has a message code that is not among the operation's answers. The
    /// connection was closed, since its answers can no longer be matched to requests.
    UnexpectedCode {
        /// The answer's message code.
        code: u8,
        /// The message code of the operation's regular answer.
        expected: u8,
    },
    /// The answer is longer than a frame may be, and was not read. The connection
    /// was closed.
    TooLong {
        /// The length of the frame in bytes: message code and body.
        length: usize,
        /// The limit, [`max_frame`](super::ConnectionConfig::max_frame).
        max: usize,
    },
    /// The server sent an alternative answer of the operation instead of the expected
    /// type. The frame holds it; the `…_any` method of a generated client accepts any
    /// of the answers.
    Alternative(Frame),
    /// No answer arrived in time.
    Timeout {
        /// The time limit.
        after: Duration,
        /// Whether the request was sent, or still will be: the server may see it.
        sent: bool,
    },
    /// The connection failed after the request was sent and before its answer arrived.
    Lost(ConnectionError),
    /// The request was not sent, or not completely.
    NotSent(NotSent),
    /// A cluster tried several nodes, or one that did not answer.
    /// [`CallError::cause`] is the error of the last attempt.
    Tried(Tried),
}

impl CallError {
    /// Reports whether the server may have applied the request in spite of the error.
    ///
    /// `false` is certain: the request was not sent, or every server that received it
    /// refused it ([`ServerErrorKind::is_refusal`]). `true` means that only reading
    /// the data can tell: no answer arrived, the answer could not be used, or it is
    /// an error that can leave the data changed on some replicas (a timeout, too few
    /// replicas), or one whose text is not known.
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

    /// Reports whether the same call could succeed if it is made again, on another
    /// connection if this one is closed.
    ///
    /// Whether a retry is *safe* is another question: see
    /// [`CallError::may_have_been_applied`] and the operation's
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

    /// Returns the error of the last attempt if this is [`CallError::Tried`], and this
    /// error otherwise. The result is never a `Tried`.
    #[must_use]
    pub fn cause(&self) -> &Self {
        match self {
            Self::Tried(tried) => tried.last().error.cause(),
            error => error,
        }
    }

    /// Returns why the connection failed or was closed, if that is the
    /// [cause](CallError::cause).
    #[must_use]
    pub fn connection_error(&self) -> Option<&ConnectionError> {
        match self.cause() {
            Self::Lost(error) | Self::NotSent(NotSent::Connection(error)) => Some(error),
            _ => None,
        }
    }

    /// Reports whether the [cause](CallError::cause) is an error answer of the server of
    /// this kind.
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

    /// Returns the error that the server answered with, if that is the
    /// [cause](CallError::cause).
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
                write!(f, "no answer came within {after:?}; the request was sent and may have been applied")
            }
            Self::Timeout { after, sent: false } => {
                write!(f, "the request could not be sent within {after:?}: make fewer calls at once")
            }
            Self::Lost(error) => {
                write!(
                    f,
                    "the connection failed before the answer came, and the request may have been applied: "
                )?;
                error.fmt(f)
            }
            Self::NotSent(reason) => write!(f, "the request was not sent: {reason}"),
            Self::Tried(tried) => write!(f, "no attempt succeeded: {tried}"),
        }
    }
}

impl std::error::Error for CallError {}

impl From<NotSent> for CallError {
    fn from(reason: NotSent) -> Self {
        Self::NotSent(reason)
    }
}

/// Why a request was not sent, or not completely. The server has not applied it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum NotSent {
    /// The connection could not be made, was closed before the whole request was sent,
    /// or was closed by the server before it looked at the request.
    Connection(ConnectionError),
    /// Too many calls are already waiting for a connection, or on this connection.
    QueueFull {
        /// The limit that was reached.
        max: QueueLimit,
    },
    /// The request is longer than a frame may be.
    Frame(FrameError),
    /// The call's deadline passed before it could be sent.
    Deadline,
    /// No connection to the node could be made in time.
    Connecting {
        /// The time limit.
        after: Duration,
    },
    /// All connections for streams and long calls were in use
    /// ([`max_streams`](super::PoolConfig::max_streams)), and none became free in time.
    PoolTimeout {
        /// The time limit.
        after: Duration,
    },
    /// The cluster has no nodes.
    NoNodes,
    /// The client refuses the request because the server is known to fail on it or to
    /// give a wrong result.
    Refused {
        /// What is wrong with the request, and what to do instead.
        reason: &'static str,
    },
    /// A unary call was made for an operation that is always answered with a stream.
    Streams {
        /// The operation's name.
        operation: &'static str,
    },
}

/// What limits a queue of waiting calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueueLimit {
    /// The number of calls.
    Calls(usize),
    /// The size of their encoded requests, in bytes. The request that was refused would
    /// have exceeded it.
    Bytes(usize),
}

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(error) => error.fmt(f),
            Self::QueueFull { max: QueueLimit::Calls(max) } => write!(
                f,
                "{max} calls are waiting already: make fewer at once, or raise max_queued for \
                 unary calls, max_waiting for streams and long calls"
            ),
            Self::QueueFull { max: QueueLimit::Bytes(max) } => write!(
                f,
                "the requests that wait to be sent would take more than {max} bytes: make fewer calls at once, \
                 or raise max_queued_bytes"
            ),
            Self::Frame(error) => error.fmt(f),
            Self::Deadline => f.write_str(
                "its deadline passed before it could be sent: allow more time, or make fewer calls at once",
            ),
            Self::Connecting { after } => {
                write!(
                    f,
                    "no connection could be made within {after:?}: check that the node is up and can be reached"
                )
            }
            Self::PoolTimeout { after } => write!(
                f,
                "no connection was free for a stream or long call within {after:?}: \
                 make fewer of them at once, or raise PoolConfig::max_streams"
            ),
            Self::Refused { reason } => f.write_str(reason),
            Self::NoNodes => f.write_str("the cluster has no nodes: name at least one"),
            Self::Streams { operation } => {
                write!(f, "{operation} is answered with a stream: make a streaming call")
            }
        }
    }
}

impl std::error::Error for NotSent {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sent_requests_may_have_been_applied() {
        let closed = ConnectionError::Closed { within_frame: true };
        assert!(CallError::Lost(closed.clone()).may_have_been_applied());
        assert!(!CallError::NotSent(NotSent::Connection(closed)).may_have_been_applied());
        let after = Duration::from_secs(1);
        assert!(CallError::Timeout { after, sent: true }.may_have_been_applied());
        assert!(!CallError::Timeout { after, sent: false }.may_have_been_applied());
    }

    #[test]
    fn texts_need_not_be_utf8() {
        let error = CallError::Server(ServerError::new(&b"no\xfftype"[..], 0));
        assert_eq!(error.to_string(), "the server answered with an error: no\u{fffd}type");
        let error = CallError::NotSent(NotSent::Streams { operation: "RiakKv.ListKeys" });
        assert_eq!(
            error.to_string(),
            "the request was not sent: RiakKv.ListKeys is answered with a stream: make a streaming call"
        );
        assert!(!error.is_retryable());
    }

    #[test]
    fn a_cause_is_told_once() {
        let cause = std::io::Error::other("the cable is cut");
        let error = CallError::NotSent(NotSent::Connection(cause.into()));
        let error: &dyn std::error::Error = &error;
        let chain = std::iter::successors(Some(error), |error| error.source());
        let text: String = chain.map(ToString::to_string).collect();
        assert_eq!(text, "the request was not sent: the socket failed: the cable is cut");
    }

    #[test]
    fn an_error_is_small() {
        assert!(size_of::<CallError>() <= 48);
    }
}
