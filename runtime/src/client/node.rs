//! [`Node`]: where a server listens.
//!
//! Invariant: a node is a name, not a resolved address: the name is looked up at
//! each connect, so that a node that has moved is found again.

use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;

/// The address of a server: a host name or IP address, and a port.
///
/// Cheap to clone. A name is looked up at each connect, not here.
///
/// ```
/// use riak_runtime::client::Node;
///
/// let node: Node = "riak-1.example.com".parse()?;
/// assert_eq!((node.host(), node.port()), ("riak-1.example.com", 8087));
/// assert_eq!("[::1]:10017".parse::<Node>()?.to_string(), "[::1]:10017");
/// # Ok::<(), riak_runtime::client::InvalidNode>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node(Arc<HostPort>);

#[derive(PartialEq, Eq, Hash, PartialOrd, Ord)]
struct HostPort {
    host: String,
    port: u16,
}

impl Node {
    /// The port that Riak listens on by default.
    pub const DEFAULT_PORT: u16 = 8087;

    /// Creates a node from a host name or an IP address without brackets, and a
    /// port. Neither is checked.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self(Arc::new(HostPort { host: host.into(), port }))
    }

    /// Returns the host, without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.0.host
    }

    /// Returns the port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port
    }
}

impl From<SocketAddr> for Node {
    fn from(address: SocketAddr) -> Self {
        // A link-local address includes its interface.
        let host = match address {
            SocketAddr::V6(v6) if v6.scope_id() != 0 => format!("{}%{}", v6.ip(), v6.scope_id()),
            _ => address.ip().to_string(),
        };
        Self::new(host, address.port())
    }
}

/// Parses `host`, `host:port`, `[v6]` or `[v6]:port`; a link-local address is
/// written `[v6%interface]`. The port defaults to [`Node::DEFAULT_PORT`].
impl FromStr for Node {
    type Err = InvalidNode;

    fn from_str(text: &str) -> Result<Self, InvalidNode> {
        let invalid = |reason| InvalidNode { text: text.to_owned(), reason };
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (host, rest) = rest.split_once(']').ok_or_else(|| invalid("the bracket is not closed"))?;
            let (ip, zone) = host.split_once('%').unwrap_or((host, "0"));
            if ip.parse::<std::net::Ipv6Addr>().is_err() || zone.is_empty() {
                return Err(invalid("the text in brackets is not an IPv6 address"));
            }
            match rest.strip_prefix(':') {
                None if !rest.is_empty() => {
                    return Err(invalid("after the bracket, a port follows after a colon"));
                }
                port => (host, port),
            }
        } else if text.bytes().filter(|&byte| byte == b':').count() > 1 {
            return Err(invalid("an IPv6 address is written in brackets"));
        } else {
            match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            }
        };
        if host.contains('@') {
            return Err(invalid("a user is not part of a node"));
        }
        if host.is_empty() {
            return Err(invalid("it has no host name"));
        }
        if !text.starts_with('[') && host.bytes().any(is_forbidden) {
            return Err(invalid("a host name has neither white space nor any of \"#%/<>?\\^`{|}"));
        }
        let port = match port {
            // `u16::from_str` would accept a plus sign.
            Some(port) => match port.parse() {
                Ok(number) if number != 0 && !port.starts_with('+') => number,
                _ => return Err(invalid("the port is a number from 1 to 65535")),
            },
            None => Self::DEFAULT_PORT,
        };
        Ok(Self::new(host, port))
    }
}

/// Reports whether no host name may contain this byte, by the URL standard.
fn is_forbidden(byte: u8) -> bool {
    byte.is_ascii_control() || br##" "#%/<>?\^`{|}"##.contains(&byte)
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host().contains(':') {
            write!(f, "[{}]:{}", self.host(), self.port())
        } else {
            write!(f, "{}:{}", self.host(), self.port())
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The error for a text that does not name a [`Node`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidNode {
    /// The text.
    pub text: String,
    /// What is wrong with the text.
    pub reason: &'static str,
}

impl fmt::Display for InvalidNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` does not name a node: {}; write `host` or `host:port`", self.text, self.reason)
    }
}

impl Error for InvalidNode {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_printed_as_they_are_written() {
        for text in ["a:1", "10.0.0.1:8087", "[fe80::1]:65535", "[fe80::1%eth0]:1"] {
            assert_eq!(text.parse::<Node>().unwrap().to_string(), text);
        }
        assert_eq!("[::1]".parse::<Node>().unwrap(), Node::new("::1", 8087));
        let address: SocketAddr = "[::1]:7".parse().unwrap();
        assert_eq!(Node::from(address).to_string(), "[::1]:7");
        let address: SocketAddr = "[fe80::1%7]:7".parse().unwrap();
        assert_eq!(Node::from(address).to_string(), "[fe80::1%7]:7");
    }

    #[test]
    fn invalid_nodes_say_why() {
        for (text, reason) in [
            ("", "no host"),
            (":8087", "no host"),
            ("riak://a", "port"),
            ("a b", "white space"),
            ("a#x", "a host name has"),
            ("a%20b:1", "a host name has"),
            ("u@a", "a user"),
            ("a:0", "port"),
            ("a:65536", "port"),
            ("a:+1", "port"),
            ("[::1%]", "not an IPv6"),
            ("::1", "in brackets"),
            ("[::1", "not closed"),
            ("[a]", "not an IPv6"),
            ("[::1]8087", "after a colon"),
        ] {
            let error = text.parse::<Node>().unwrap_err();
            assert!(error.reason.contains(reason), "{text}: {error}");
        }
    }
}
