//! [`DiscoverError`]: why a source did not replace a cluster's list of nodes.
//!
//! Invariant: a message says what to check.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

use super::super::error::CallError;
use super::super::node::Node;

/// Why a [source](super::Discover) of nodes did not replace a cluster's list, which
/// stays as it was.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum DiscoverError {
    /// The source asks the cluster, whose nodes do not serve the request.
    NotServed {
        /// The name of the request's operation.
        operation: &'static str,
        /// The first release that serves it, if known.
        since: Option<&'static str>,
    },
    /// The source asks the cluster, and the call failed or its answer is malformed.
    Call(CallError),
    /// A name cannot be looked up in DNS.
    Lookup {
        /// The name and the port.
        name: Node,
        /// The error of the lookup.
        error: Arc<io::Error>,
    },
    /// The source failed in another way.
    Other(Arc<dyn Error + Send + Sync>),
    /// The source names no node, or none with an address that a client can use.
    NoNodes,
    /// None of the nodes that the source names can be connected to.
    Unreachable {
        /// One of the nodes.
        node: Node,
        /// Why it cannot be connected to.
        error: CallError,
    },
    /// The source panicked.
    Panicked,
    /// The cluster is closed.
    Closed,
}

impl DiscoverError {
    /// Creates the error of a source that fails in its own way.
    pub fn other(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Other(error.into().into())
    }
}

impl From<CallError> for DiscoverError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl fmt::Display for DiscoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotServed { operation, since } => {
                write!(f, "the cluster does not serve {operation}")?;
                if let Some(since) = since {
                    write!(f, ", which needs version {since} or later")?;
                }
                f.write_str(": discover nodes by DNS, or not at all")
            }
            Self::Call(error) => write!(f, "the cluster could not be asked for its nodes: {error}"),
            Self::Lookup { name, error } => write!(f, "{name} could not be looked up: {error}"),
            Self::Other(error) => write!(f, "the source of nodes failed: {error}"),
            Self::NoNodes => f.write_str(
                "the source names no node with an address that a client can use: check the addresses on which the \
                 nodes listen",
            ),
            Self::Unreachable { node, error } => write!(
                f,
                "none of the nodes that the source names can be connected to: check that their addresses can be \
                 reached from here; {node}: {error}"
            ),
            Self::Panicked => f.write_str("the source of nodes panicked"),
            Self::Closed => f.write_str("the cluster is closed"),
        }
    }
}

// No `source`: the text has that of the cause in it.
impl Error for DiscoverError {}
