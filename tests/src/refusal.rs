//! [`Refusal`]: why the node answers with an error, in Riak's words.
//!
//! Invariant: `Display` gives the exact text of the error frame. Riak breaks
//! printed terms that are wider than a line; these stay on one.

use std::borrow::Cow;
use std::fmt;

use riak_runtime::Blob;

use crate::crdt::Kind;
use crate::erlang::text;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The bucket's name is empty.
    EmptyBucket,
    /// The key is empty.
    EmptyKey,
    /// The bucket type's name is empty.
    EmptyType,
    /// There is no such bucket type: what reads and writes of objects say.
    NoType,
    /// There is no such bucket type: what requests for a bucket's properties
    /// and listings say.
    NoTypeNamed(Blob),
    /// There is no such bucket type: what requests for a type's properties say.
    InvalidType(Blob),
    /// There is no such bucket type: what setting a type's properties says.
    NotActive,
    /// Properties of the type `default`, which are the node's configuration.
    NoDefaultUpdate,
    /// Properties that cannot be set: which, and why as Erlang prints it.
    InvalidProps(Vec<(&'static str, String)>),
    /// A quorum is larger than the `n_val`, which this is; or the request's own
    /// `n_val`, which this is, is larger than the bucket's, or zero.
    NValViolation(u32),
    /// `if_none_match`: there is such an object.
    MatchFound,
    /// `if_not_modified`: the object has another vclock.
    Modified,
    /// `if_not_modified`: there is no object.
    NotFound,
    /// Index entries of a put that are none.
    InvalidIndexes(Vec<IndexFault>),
    /// An index is asked for one term, and there is none in the request.
    InvalidEquality,
    /// An index is asked for a range that lacks an end.
    InvalidRange {
        /// The lower end.
        min: Option<Blob>,
        /// The upper end.
        max: Option<Blob>,
    },
    /// `term_regex` is no regular expression.
    InvalidRegex {
        /// The expression.
        pattern: Blob,
        /// What is wrong with it. The words are not Riak's.
        reason: String,
    },
    /// `term_regex` with an `_int` index.
    RegexOnInteger,
    /// The object is larger than the node takes: its size in bytes.
    TooLarge(usize),
    /// There is no such bucket type: what requests for data types say.
    NoBucketType(Blob),
    /// A data type is wanted of a bucket that keeps no siblings.
    NoSiblings,
    /// The same, of the counters of Riak 1.4.
    NoSiblingsForCounters,
    /// A data type is read in a bucket whose type has none, or one that there is
    /// not.
    UnsupportedType(Option<Blob>),
    /// The same, of an update.
    UnsupportedDatatype(Option<Blob>),
    /// An update is one of another data type than the bucket's.
    WrongOperation {
        /// What is to be updated.
        operation: &'static str,
        /// What the bucket holds.
        bucket: &'static str,
    },
    /// An update of a bucket of the default type, which has counters at most, is
    /// one of something else.
    NotACounter,
    /// What an update removes is not there, and no context says that it was: the
    /// element or the field, as Erlang prints it.
    NotPresent(String),
    /// The request allowed less time than it took, or what was to answer it has
    /// crashed, and nobody else does.
    Timeout,
    /// A real node's process crashes on this, answers with a trace, and closes
    /// the connection. This is the trace's head.
    Crash(String),
}

/// An index entry, or an index query, that makes no sense.
///
/// In the order in which a node lists them, which is that of their terms.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum IndexFault {
    /// The term of an `_int` index is no decimal number.
    NotParsed {
        /// The index.
        index: Blob,
        /// The term.
        term: Blob,
    },
    /// The index's name ends neither in `_bin` nor in `_int`, or is no more than
    /// that.
    UnknownType(Blob),
}

impl Refusal {
    /// Whether the node closes the connection after this answer.
    #[must_use]
    pub fn closes(&self) -> bool {
        matches!(self, Self::Crash(_))
    }

    /// The error for an update of another data type than the bucket's.
    pub(crate) fn wrong_operation(operation: Kind, bucket: Kind) -> Self {
        Self::WrongOperation { operation: operation.name(), bucket: bucket.name() }
    }

    /// The crash of a handler that has no clause for what it was given.
    pub(crate) fn no_clause(module: &str, function: &str, argument: &str) -> Self {
        Self::Crash(format!("error:function_clause:[{{{module},{function},[{argument}]}}]"))
    }
}

impl From<IndexFault> for Refusal {
    /// What becomes of a query: the node fails to print the fault, and crashes.
    fn from(fault: IndexFault) -> Self {
        Self::no_clause("riak_api_pb_server", "send_error", &fault.to_string())
    }
}

impl fmt::Display for IndexFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownType(index) => write!(f, "{{unknown_field_type,{}}}", text::binary(index)),
            Self::NotParsed { index, term } => {
                write!(f, "{{field_parsing_failed,{{{},{}}}}}", text::binary(index), text::binary(term))
            }
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let optional = |value: &Option<Blob>| {
            value.as_ref().map_or_else(|| "undefined".into(), |value| text::binary(value))
        };
        match self {
            Self::EmptyBucket => f.write_str("Bucket cannot be zero-length"),
            Self::EmptyKey => f.write_str("Key cannot be zero-length"),
            Self::EmptyType => f.write_str("Type cannot be zero-length"),
            Self::NoType => f.write_str("no_type"),
            Self::NoTypeNamed(name) => write!(f, "No bucket-type named '{}'", name.to_string_lossy()),
            Self::InvalidType(name) => write!(f, "Invalid bucket type: {}", text::binary(name)),
            Self::NotActive => f.write_str("Invalid bucket properties: not_active"),
            Self::NoDefaultUpdate => f.write_str("Invalid bucket properties: no_default_update"),
            Self::InvalidProps(faults) => {
                f.write_str("Invalid bucket properties: ")?;
                list(f, faults, |f, (name, reason)| write!(f, "{{{name},{reason}}}"))
            }
            Self::NValViolation(n_val) => write!(f, "{{n_val_violation,{n_val}}}"),
            Self::MatchFound => f.write_str("match_found"),
            Self::Modified => f.write_str("modified"),
            Self::NotFound => f.write_str("notfound"),
            Self::InvalidIndexes(faults) => {
                f.write_str("{precommit_fail,")?;
                list(f, faults, |f, fault| write!(f, "{fault}"))?;
                f.write_str("}")
            }
            Self::InvalidEquality => f.write_str("Invalid equality query undefined"),
            Self::InvalidRange { min, max } => {
                write!(f, "Invalid range query: {} -> {}", optional(min), optional(max))
            }
            Self::InvalidRegex { pattern, reason } => {
                write!(f, "Invalid term regular expression {} : {reason}", text::binary(pattern))
            }
            Self::RegexOnInteger => f.write_str("Can not use term regular expression in integer query"),
            Self::TooLarge(size) => write!(f, "{{too_large,{size}}}"),
            Self::NoBucketType(name) => write!(f, "Error no bucket type `{}`", text::binary(name)),
            // Sentences that Riak prints as terms keep their quotes.
            Self::NoSiblings => f.write_str("\"Bucket must be allow_mult=true\""),
            Self::NoSiblingsForCounters => {
                f.write_str("\"Counters require bucket property 'allow_mult=true'\"")
            }
            Self::UnsupportedType(name) => write!(f, "`{}` is not a supported type", atom(name.as_ref())),
            Self::UnsupportedDatatype(name) => {
                write!(f, "Bucket datatype `{}` is not a supported type", atom(name.as_ref()))
            }
            // Two spaces, as in Riak.
            Self::WrongOperation { operation, bucket } => {
                write!(f, "Operation type is `{operation}` but  bucket type is `{bucket}`.")
            }
            Self::NotACounter => f.write_str("\"non-counter operation on default bucket\""),
            Self::NotPresent(what) => write!(f, "{{precondition,{{not_present,{what}}}}}"),
            Self::Timeout => f.write_str("timeout"),
            Self::Crash(trace) => write!(f, "Error processing incoming message: {trace}"),
        }
    }
}

/// A name that Riak has as an atom.
fn atom(name: Option<&Blob>) -> Cow<'_, str> {
    name.map_or("undefined".into(), |name| String::from_utf8_lossy(name))
}

/// `[a,b]`.
fn list<T>(
    f: &mut fmt::Formatter<'_>,
    items: &[T],
    item: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    f.write_str("[")?;
    for (at, each) in items.iter().enumerate() {
        if at > 0 {
            f.write_str(",")?;
        }
        item(f, each)?;
    }
    f.write_str("]")
}

impl std::error::Error for Refusal {}
