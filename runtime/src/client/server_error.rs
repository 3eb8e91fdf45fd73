//! [`ServerError`]: an error that the server answered with, and its kind.
//!
//! Riak KV sends a text and no error number; Riak TS sends a number. The texts below
//! are from the server's sources, from 1.4 to 3.4: plain sentences, Erlang terms, or
//! sentences in quotes. Invariant: an unknown text is [`ServerErrorKind::Other`], and
//! the raw text is always kept.

use std::fmt;

use super::node::Node;
use crate::Blob;
use crate::operation::Operation;

/// An error that the server answered with.
///
/// ```
/// use riak_runtime::client::{ServerError, ServerErrorKind};
///
/// let error = ServerError::new("{too_large,{52428801,52428800}}", 0);
/// assert_eq!(error.kind(), ServerErrorKind::TooLarge);
/// assert_eq!(
///     error.to_string(),
///     "the server answered with an error: {too_large,{52428801,52428800}}",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerError {
    /// The server's text, unchanged. It need not be UTF-8.
    pub text: Blob,
    /// The server's error number. Of Riak, only TS has numbers; KV always sends zero.
    pub number: u32,
    /// The node that answered, if a [`Cluster`](super::Cluster) made the call.
    pub node: Option<Node>,
    /// Whether the number is one of Riak TS. Other services give numbers a meaning of
    /// their own.
    is_time_series: bool,
}

/// The kind of a [`ServerError`].
///
/// Riak KV sends a text and no number, so the kind is determined by comparison with the
/// texts in the server's sources, from Riak 1.4 to `OpenRiak` 3.4; any other text is
/// [`ServerErrorKind::Other`]. Operations of Riak TS fail with a number.
///
/// ```
/// use riak_runtime::client::{CallError, ServerError, ServerErrorKind};
///
/// fn status(error: &CallError) -> u16 {
///     match error.server_error().map(ServerError::kind) {
///         Some(ServerErrorKind::ConditionFailed) => 412,
///         Some(ServerErrorKind::TooLarge) => 413,
///         Some(kind) if kind.is_retryable() => 503,
///         _ => 500,
///     }
/// }
///
/// assert_eq!(status(&CallError::Server(ServerError::new("overload", 0))), 503);
/// assert_eq!(status(&CallError::Server(ServerError::new("modified", 0))), 412);
/// assert_eq!(status(&CallError::Server(ServerError::new("{n_val_violation,3}", 0))), 500);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServerErrorKind {
    /// Something does not exist: the key of a conditional put, a search index or
    /// schema, or a row.
    NotFound,
    /// A put's condition did not hold: the object exists, or has changed since it was
    /// read. Read it again.
    ConditionFailed,
    /// A strongly consistent write lost a race. Read again to see what holds.
    Conflict,
    /// The server gave up after its own timeout. A write may have been applied.
    Timeout,
    /// The node or one of the replicas is overloaded. The write may be stored on other
    /// replicas.
    Overload,
    /// Too few replicas are up for the quorum.
    Unavailable,
    /// Too few replicas answered. A write may be stored on some of them.
    QuorumUnmet,
    /// The request asks for a quorum that is larger than the bucket's `n_val`.
    QuorumInvalid,
    /// A pre-commit hook refused the write.
    HookRejected,
    /// The request removes an element that this replica does not know. Send the context
    /// of the read that found the element.
    ContextNeeded,
    /// The bucket type does not exist, or is not active.
    NoSuchBucketType,
    /// The table does not exist, or is not active.
    NoSuchTable,
    /// A bucket property has a value that the server does not accept.
    InvalidProperties,
    /// The operation does not fit the data type of the bucket type, or the bucket
    /// holds no data types.
    WrongDataType,
    /// The name of a bucket, key or bucket type is empty.
    EmptyName,
    /// The server does not accept the request's content: an invalid fold, the name
    /// of a replication queue that does not exist, or a `MapReduce` query of an
    /// unknown content type.
    InvalidRequest,
    /// The object is larger than the server accepts.
    TooLarge,
    /// The operator has disabled this kind of request.
    Disabled,
    /// The node does not serve such requests: it runs another release, or it is starting
    /// or stopping.
    NotServed,
    /// The cluster requires TLS and authentication, which the connection lacks.
    SecurityRequired,
    /// The connection asked for TLS, but security is disabled in the cluster.
    SecurityOff,
    /// The user or the password is wrong.
    AuthenticationFailed,
    /// The user lacks a permission.
    PermissionDenied,
    /// The server crashed on this request, or could not decode it, and closes the
    /// connection. Whether it changed anything before is unknown.
    Crashed,
    /// Any other text.
    Other,
}

use ServerErrorKind as Kind;

impl ServerErrorKind {
    /// Reports whether the same request could succeed later or at another node:
    /// [`Timeout`](Self::Timeout), [`Overload`](Self::Overload),
    /// [`Unavailable`](Self::Unavailable), [`QuorumUnmet`](Self::QuorumUnmet) and
    /// [`NotServed`](Self::NotServed). Whether a retry is *safe* is another question: see
    /// [`CallError::may_have_been_applied`](super::CallError::may_have_been_applied).
    #[must_use]
    pub fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::Timeout | Self::Overload | Self::Unavailable | Self::QuorumUnmet | Self::NotServed
        )
    }

    /// Reports whether the server refused the request before it changed anything.
    ///
    /// True for all kinds except [`Conflict`](Self::Conflict),
    /// [`Timeout`](Self::Timeout), [`Overload`](Self::Overload),
    /// [`Unavailable`](Self::Unavailable), [`QuorumUnmet`](Self::QuorumUnmet),
    /// [`Crashed`](Self::Crashed) and [`Other`](Self::Other), after which data may have
    /// changed.
    #[must_use]
    pub fn is_refusal(self) -> bool {
        !matches!(
            self,
            Self::Conflict
                | Self::Timeout
                | Self::Overload
                | Self::Unavailable
                | Self::QuorumUnmet
                | Self::Crashed
                | Self::Other
        )
    }

    /// Returns what to do about an error of this kind, if that is the same for every
    /// request. The `Display` of a [`ServerError`] ends with it.
    #[must_use]
    pub fn advice(self) -> Option<&'static str> {
        Some(match self {
            Self::ConditionFailed => "read the object again",
            Self::Conflict => "read the object again to see what holds",
            Self::QuorumInvalid => "ask for no more replicas than the bucket's n_val",
            Self::ContextNeeded => "send the context of the read that found the element",
            Self::NoSuchBucketType => "create and activate it with `riak admin bucket-type`",
            Self::SecurityRequired => "connect with TLS and a user",
            Self::SecurityOff => {
                "enable security on the node with `riak admin security enable`, or leave out TLS and the user"
            }
            Self::AuthenticationFailed => {
                "check the user, the password, and the sources that the node has for the user, with `riak admin \
                 security print-sources`; a source `certificate` requires a client certificate with the user's \
                 name as its common name"
            }
            Self::PermissionDenied => "let an operator grant it with `riak admin security grant`",
            _ => return None,
        })
    }
}

/// Error texts without variable parts, compared as a whole.
const EXACT_TEXTS: &[(&str, Kind)] = &[
    ("timeout", Kind::Timeout),
    ("overload", Kind::Overload),
    ("all_nodes_down", Kind::Unavailable),
    ("insufficient_vnodes_available", Kind::Unavailable),
    ("precommit_fail", Kind::HookRejected),
    ("modified", Kind::ConditionFailed),
    ("match_found", Kind::ConditionFailed),
    ("notfound", Kind::NotFound),
    ("failed", Kind::Conflict),
    ("<<\"failed\">>", Kind::Conflict),
    ("no_type", Kind::NoSuchBucketType),
    ("Invalid bucket properties: not_active", Kind::NoSuchBucketType),
    ("Bucket must be allow_mult=true", Kind::WrongDataType),
    ("Counters require bucket property 'allow_mult=true'", Kind::WrongDataType),
    ("non-counter operation on default bucket", Kind::WrongDataType),
    ("queue_not_defined", Kind::InvalidRequest),
    ("Cannot send another request while one is in progress", Kind::Crashed),
    ("Bucket cannot be zero-length", Kind::EmptyName),
    ("Key cannot be zero-length", Kind::EmptyName),
    ("Type cannot be zero-length", Kind::EmptyName),
    ("Security is enabled, please STARTTLS first", Kind::SecurityRequired),
    ("Security is enabled, please authenticate first", Kind::SecurityRequired),
    ("Security not enabled; STARTTLS not allowed.", Kind::SecurityOff),
    ("Authentication failed", Kind::AuthenticationFailed),
];

/// Beginnings of error texts that end with details.
const TEXT_PREFIXES: &[(&str, Kind)] = &[
    ("{insufficient_vnodes,", Kind::Unavailable),
    ("{insufficient_nodes,", Kind::Unavailable),
    ("{insufficient_vnodes_available", Kind::Unavailable),
    ("{coord_handoff_failed,", Kind::Unavailable),
    ("{r_val_unsatisfied,", Kind::QuorumUnmet),
    ("{pr_val_unsatisfied,", Kind::QuorumUnmet),
    ("{w_val_unsatisfied,", Kind::QuorumUnmet),
    ("{pw_val_unsatisfied,", Kind::QuorumUnmet),
    ("{dw_val_unsatisfied,", Kind::QuorumUnmet),
    ("{node_confirms_val_unsatisfied,", Kind::QuorumUnmet),
    ("{n_val_violation,", Kind::QuorumInvalid),
    ("{r_val_violation,", Kind::QuorumInvalid),
    ("{pr_val_violation,", Kind::QuorumInvalid),
    ("{w_val_violation,", Kind::QuorumInvalid),
    ("{pw_val_violation,", Kind::QuorumInvalid),
    ("{dw_val_violation,", Kind::QuorumInvalid),
    ("{rw_val_violation,", Kind::QuorumInvalid),
    ("{node_confirms_val_violation,", Kind::QuorumInvalid),
    ("{precommit_fail,", Kind::HookRejected),
    ("{invalid_hook_def,", Kind::HookRejected),
    ("{precondition,{not_present,", Kind::ContextNeeded),
    ("{too_large,", Kind::TooLarge),
    ("{unknown_content_type,", Kind::InvalidRequest),
    ("Invalid AAE fold definition", Kind::InvalidRequest),
    ("No bucket-type named '", Kind::NoSuchBucketType),
    ("No index <<", Kind::NotFound),
    ("Invalid bucket type: ", Kind::NoSuchBucketType),
    ("Error no bucket type ", Kind::NoSuchBucketType),
    ("Invalid bucket properties: ", Kind::InvalidProperties),
    ("Operation type is ", Kind::WrongDataType),
    ("Unknown message code: ", Kind::NotServed),
    ("Permission denied", Kind::PermissionDenied),
    ("Error processing incoming message: ", Kind::Crashed),
    ("Error processing stream message: ", Kind::Crashed),
];

/// Returns the kind of a Riak TS error number.
fn kind_of_number(number: u32) -> Kind {
    match number {
        1006..=1008 | 1019 => Kind::NoSuchTable,
        1013 => Kind::Timeout,
        1021 => Kind::NotFound,
        _ => Kind::Other,
    }
}

/// Yields a text without white space after commas and opening braces, which is where
/// Erlang breaks and indents the lines of a long term.
fn without_line_breaks(text: &[u8]) -> impl Iterator<Item = u8> {
    let mut may_break = false;
    text.iter().copied().filter(move |byte| {
        let is_space = may_break && byte.is_ascii_whitespace();
        if !is_space {
            may_break = matches!(byte, b',' | b'{');
        }
        !is_space
    })
}

impl ServerError {
    /// Creates an error with this text and number and no node. For tests and for
    /// implementations of [`Call`](super::Call).
    pub fn new(text: impl Into<Blob>, number: u32) -> Self {
        Self { text: text.into(), number, node: None, is_time_series: false }
    }

    /// Sets the operation that failed. It decides whether the number is one of Riak TS.
    #[must_use]
    pub fn of(mut self, operation: &Operation) -> Self {
        self.is_time_series = operation.served_by == Some("ts");
        self
    }

    /// Sets the node that answered.
    #[must_use]
    pub fn at(mut self, node: Node) -> Self {
        self.node = Some(node);
        self
    }

    /// Returns the kind of the error: for an operation of Riak TS by its number if that is
    /// known, otherwise by its text.
    #[must_use]
    pub fn kind(&self) -> ServerErrorKind {
        if self.is_time_series {
            let kind = kind_of_number(self.number);
            if kind != Kind::Other {
                return kind;
            }
        }
        // Bytes are compared without decoding, since all known texts are ASCII.
        let text = self.text.trim_ascii();
        let text = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")).unwrap_or(text);
        // Streams of index results and objects send the whole `{error, Reason}` tuple;
        // other requests send the reason alone.
        let reason = text.strip_prefix(b"{error,").and_then(|text| text.strip_suffix(b"}"));
        let text = reason.map_or(text, <[u8]>::trim_ascii);
        let is_whole =
            |(whole, _): &&(&str, Kind)| without_line_breaks(text).eq(without_line_breaks(whole.as_bytes()));
        if let Some((_, kind)) = EXACT_TEXTS.iter().find(is_whole) {
            return *kind;
        }
        let begins = |(prefix, _): &&(&str, Kind)| {
            let mut text = without_line_breaks(text);
            without_line_breaks(prefix.as_bytes()).all(|byte| text.next() == Some(byte))
        };
        if let Some((_, kind)) = TEXT_PREFIXES.iter().find(begins) {
            return *kind;
        }
        if text.starts_with(b"Operation '{") && text.ends_with(b"}' is not enabled") {
            return Kind::Disabled;
        }
        let within = |part: &[u8]| text.windows(part.len()).any(|window| window == part);
        if within(b"is not a supported type") { Kind::WrongDataType } else { Kind::Other }
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.text.to_string_lossy();
        match &self.node {
            Some(node) => write!(f, "{node} answered with an error")?,
            None => f.write_str("the server answered with an error")?,
        }
        if self.number != 0 {
            write!(f, " (number {})", self.number)?;
        }
        if text.is_empty() {
            return f.write_str(", and does not say which");
        }
        write!(f, ": {text}")?;
        match self.kind().advice() {
            Some(advice) => write!(f, " ({advice})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ServerError {}

#[cfg(test)]
mod tests;
