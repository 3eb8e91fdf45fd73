//! [`InvalidConfig`]: what is wrong with a configuration.
//!
//! Invariant: a message names the parameter, and never shows a password.

use std::fmt;

use riak_runtime::client::InvalidNode;
#[cfg(feature = "tls")]
use riak_runtime::tls::TlsError;

/// The error for an invalid [`ClientConfig`](crate::ClientConfig). Never shows a
/// password.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidConfig {
    /// The configuration names no nodes.
    NoNodes,
    /// The URL has no text for a node, as in `riak://a,,c`.
    EmptyNode {
        /// The place of the node in the list, from 1.
        position: usize,
    },
    /// The URL has no text for a parameter, as in `riak://a?timeout=1s&&attempts=2`.
    EmptyParameter {
        /// The place of the parameter after the `?`, from 1.
        position: usize,
    },
    /// A text does not name a node.
    Node(InvalidNode),
    /// The URL has a scheme other than `riak`.
    Scheme(String),
    /// A part of the URL is not percent-encoded correctly, or is not UTF-8.
    Encoding(&'static str),
    /// The URL has an `@` after its `?`: in a value, or in a password that contains
    /// a question mark.
    UnencodedAt,
    /// The URL has an `@` after more than one host, as if each had a user of its own.
    TwoUsers,
    /// There is no such parameter.
    UnknownParameter {
        /// The name that was given.
        name: String,
        /// The parameter that may have been meant.
        suggestion: Option<&'static str>,
    },
    /// A parameter has no `=`. Its text is not shown, since it may be the end of a
    /// password that contains an `&`.
    NoValue,
    /// The parameter is given twice.
    Twice(&'static str),
    /// The parameter cannot have this value.
    Value {
        /// The parameter's name.
        name: &'static str,
        /// What is wrong with the value, and what it could be.
        reason: String,
    },
    /// There are credentials but no TLS. Riak authenticates under TLS only.
    NoTls,
    /// There is TLS but no user. Riak's security requires both.
    NoUser,
    /// The parameter needs the feature `tls`, which is not enabled.
    WithoutTls(&'static str),
    /// A certificate or key cannot be used.
    #[cfg(feature = "tls")]
    Tls(TlsError),
}

impl From<InvalidNode> for InvalidConfig {
    fn from(error: InvalidNode) -> Self {
        Self::Node(error)
    }
}

#[cfg(feature = "tls")]
impl From<TlsError> for InvalidConfig {
    fn from(error: TlsError) -> Self {
        Self::Tls(error)
    }
}

impl fmt::Display for InvalidConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNodes => f.write_str("no nodes are named: name at least one, as in riak://host:8087"),
            Self::EmptyNode { position } => {
                write!(f, "node {position} of the URL is empty: write a host between the commas, or leave one comma out")
            }
            Self::EmptyParameter { position } => write!(
                f,
                "parameter {position} of the URL is empty: write name=value next to the `&`, or leave the `&` out"
            ),
            Self::Node(error) => error.fmt(f),
            Self::Scheme(scheme) => write!(f, "the scheme of the URL is `{scheme}`: it should be `riak`"),
            Self::Encoding(part) => {
                write!(f, "the {part} in the URL has a `%` without two hexadecimal digits, or is not UTF-8: write a `%` as %25")
            }
            Self::UnencodedAt => f.write_str(
                "the URL has an `@` after its `?`: write a `?` in the password as %3F, and an `@` in a value as %40",
            ),
            Self::TwoUsers => f.write_str(
                "the URL has an `@` at more than one host: the user comes once, before the first host; write an `@` \
                 in a user's name as %40",
            ),
            Self::UnknownParameter { name, suggestion: Some(suggestion) } => {
                write!(f, "there is no parameter `{name}`: did you mean `{suggestion}`?")
            }
            Self::UnknownParameter { name, suggestion: None } => {
                write!(f, "there is no parameter `{name}`: riak_client::PARAMETERS lists them")
            }
            Self::NoValue => f.write_str(
                "a parameter in the URL has no value: write name=value, and an `&` in a value as %26",
            ),
            Self::Twice(name) => write!(f, "the parameter `{name}` is given twice: give it once"),
            Self::Value { name, reason } => write!(f, "the parameter `{name}` {reason}"),
            Self::NoTls => f.write_str(if cfg!(feature = "tls") {
                "a user or password is given, but TLS is off: Riak authenticates under TLS only; \
                 set tls=full, or leave the credentials out"
            } else {
                "a user or password is given, and Riak authenticates under TLS only: enable riak-client's feature \
                 `tls` and set tls=full, or leave the credentials out"
            }),
            Self::NoUser => f.write_str(
                "TLS is configured, and no user is given: Riak's security requires both; name the user",
            ),
            Self::WithoutTls(name) => write!(
                f,
                "the parameter `{name}` needs riak-client's feature `tls`: enable it, or leave the parameter out"
            ),
            #[cfg(feature = "tls")]
            Self::Tls(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for InvalidConfig {}
