//! [`Refusal`]: the reasons for which the node answers with an error, in Riak's words.
//!
//! Invariant: `Display` gives the exact text of the error frame, except that Riak
//! breaks printed terms that are wider than a line, and this crate does not.

use std::borrow::Cow;
use std::fmt;

use riak_runtime::Blob;

use crate::crdt::Kind;
use crate::erlang::text;

/// The reason for which a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The bucket's name is empty.
    EmptyBucket,
    /// The key is empty.
    EmptyKey,
    /// The bucket type's name is empty.
    EmptyType,
    /// There is no such bucket type. The error of reads and writes of objects.
    NoType,
    /// There is no such bucket type. The error of requests for a bucket's
    /// properties, and of listings.
    NoTypeNamed(Blob),
    /// There is no such bucket type. The error of requests for a type's properties.
    InvalidType(Blob),
    /// There is no such bucket type. The error of setting a type's properties.
    NotActive,
    /// The properties of the type `default` cannot be set: they are the node's
    /// configuration.
    NoDefaultUpdate,
    /// Properties that cannot be set, element with the reason as Erlang prints it.
    InvalidProps(Vec<(&'static str, String)>),
    /// A quorum is larger than this `n_val`; or the request has this `n_val`, which
    /// is zero or larger than the bucket's.
    NValViolation(u32),
    /// `if_none_match`: the object exists.
    MatchFound,
    /// `if_not_modified`: the object has another vclock.
    Modified,
    /// `if_not_modified`: there is no object.
    NotFound,
    /// A put has invalid index entries.
    InvalidIndexes(Vec<IndexFault>),
    /// An index query for one term lacks the term.
    InvalidEquality,
    /// An index query for a range lacks one or both ends.
    InvalidRange {
        /// The lower end.
        min: Option<Blob>,
        /// The upper end.
        max: Option<Blob>,
    },
    /// `term_regex` is not a regular expression.
    InvalidRegex {
        /// The expression.
        pattern: Blob,
        /// The reason. The wording is not Riak's.
        reason: String,
    },
    /// `term_regex` with an `_int` index.
    RegexOnInteger,
    /// The object is larger than the maximum. This is its size in bytes.
    TooLarge(usize),
    /// There is no such bucket type. The error of requests for data types.
    NoBucketType(Blob),
    /// The bucket of a data type does not keep siblings.
    NoSiblings,
    /// The bucket of a counter of Riak 1.4 does not keep siblings.
    NoSiblingsForCounters,
    /// A data type is read from a bucket whose type has no `datatype`, or an unknown
    /// one.
    UnsupportedType(Option<Blob>),
    /// A data type is updated in a bucket whose type has no `datatype`, or an
    /// unknown one.
    UnsupportedDatatype(Option<Blob>),
    /// An update is for another data type than the bucket's.
    WrongOperation {
        /// The data type of the update.
        operation: &'static str,
        /// The data type of the bucket.
        bucket: &'static str,
    },
    /// An update in the default type, which only has counters, is for another data
    /// type.
    NotACounter,
    /// An update without a context removes an element or a field that is not there.
    /// This is the element or field, as Erlang prints it.
    NotPresent(String),
    /// The request's timeout expired; or the process that was to answer has crashed,
    /// so that no answer comes.
    Timeout,
    /// The request crashes a real node's process, which answers with a stack trace
    /// and closes the connection. This is the head of the trace.
    Crash(String),
}

/// An invalid index entry or index query.
///
/// The order is that in which a node lists them, which is the order of their
/// Erlang terms.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum IndexFault {
    /// The term of an `_int` index is not a decimal number.
    NotParsed {
        /// The index.
        index: Blob,
        /// The term.
        term: Blob,
    },
    /// The index's name has neither the suffix `_bin` nor `_int`, or is only a suffix.
    UnknownType(Blob),
}

impl Refusal {
    /// Reports whether the node closes the connection after this answer.
    #[must_use]
    pub fn closes(&self) -> bool {
        matches!(self, Self::Crash(_))
    }

    /// Creates the error for an update of another data type than the bucket's.
    pub(crate) fn wrong_operation(operation: Kind, bucket: Kind) -> Self {
        Self::WrongOperation { operation: operation.name(), bucket: bucket.name() }
    }

    /// Creates the error for a crash of a handler that has no clause for its argument.
    pub(crate) fn no_clause(module: &str, function: &str, argument: &str) -> Self {
        Self::Crash(format!("error:function_clause:[{{{module},{function},[{argument}]}}]"))
    }
}

impl From<IndexFault> for Refusal {
    /// Converts the fault of a query: the node fails to print it, and crashes.
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
            // Riak prints these sentences as terms, with quotes.
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

/// Returns a name that is an atom in Riak.
fn atom(name: Option<&Blob>) -> Cow<'_, str> {
    name.map_or("undefined".into(), |name| String::from_utf8_lossy(name))
}

/// Writes items as `[a,b]`.
fn list<T>(
    f: &mut fmt::Formatter<'_>,
    items: &[T],
    item: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    f.write_str("[")?;
    for (index, element) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(",")?;
        }
        item(f, element)?;
    }
    f.write_str("]")
}

impl std::error::Error for Refusal {}
