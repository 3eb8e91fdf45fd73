//! [`InvalidConfig`]: what is wrong with a configuration.
//!
//! Invariant: a message names the parameter, and never shows a password.

use std::fmt;

use riak_runtime::client::InvalidNode;
#[cfg(feature = "tls")]
use riak_runtime::tls::TlsError;

/// What is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidConfig {
    /// It names no nodes.
    NoNodes,
    /// A text that names no node.
    Node(InvalidNode),
    /// A URL of another scheme than `riak`.
    Scheme(String),
    /// A part of a URL that is not encoded as URLs are.
    Encoding(&'static str),
    /// An `@` in a URL behind its `?`: in a value, or in a password that has a
    /// question mark.
    UnencodedAt,
    /// A parameter that there is not.
    UnknownParameter {
        /// Its name.
        name: String,
        /// The one that may have been meant.
        suggestion: Option<&'static str>,
    },
    /// A parameter without `=`, whose text is not shown: it may be the end of a
    /// password with an `&` in it.
    NoValue,
    /// A parameter that is there twice.
    Twice(&'static str),
    /// A parameter's value is none that it can have.
    Value {
        /// The parameter's name.
        name: &'static str,
        /// What is wrong with the value, and what it could be.
        reason: String,
    },
    /// Credentials without TLS: they would be sent in clear, if Riak let them.
    NoTls,
    /// TLS without a user: Riak's security wants both.
    NoUser,
    /// A parameter of TLS in a program that was built without it.
    WithoutTls(&'static str),
    /// Certificates or keys cannot be used.
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
            Self::Node(error) => error.fmt(f),
            Self::Scheme(scheme) => write!(f, "the scheme of the URL is `{scheme}`: it should be `riak`"),
            Self::Encoding(part) => {
                write!(f, "the {part} in the URL has a `%` without two hexadecimal digits, or is no UTF-8")
            }
            Self::UnencodedAt => f.write_str(
                "the URL has an `@` behind its `?`: write a `?` in the password as %3F, and an `@` in a value as %40",
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
            Self::Twice(name) => write!(f, "the parameter `{name}` is given twice"),
            Self::Value { name, reason } => write!(f, "the parameter `{name}` {reason}"),
            Self::NoTls => f.write_str(
                "a user or password is given, and no TLS: Riak authenticates under TLS only; \
                 set tls=full, or leave the credentials out",
            ),
            Self::NoUser => f.write_str(
                "TLS is asked for, and no user is given: Riak's security wants both; name the user",
            ),
            Self::WithoutTls(name) => write!(
                f,
                "the parameter `{name}` needs riak-client's feature `tls`, which this program was built without"
            ),
            #[cfg(feature = "tls")]
            Self::Tls(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for InvalidConfig {}
