//! [`Tried`]: the outcome of each attempt at a call that failed in the end.
//!
//! Invariant: there is at least one attempt, and attempts are in order.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::{CallError, ConnectionError, NotSent};
use super::node::Node;

/// The attempts that a cluster made at a call, in order. Never empty; cheap to
/// clone.
#[derive(Clone, Debug)]
pub struct Tried(Arc<[Attempt]>);

/// One attempt at a call.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Attempt {
    /// The node that was called.
    pub node: Node,
    /// Why the attempt failed.
    pub error: CallError,
    /// How long the attempt took.
    pub after: Duration,
}

impl Tried {
    /// Returns the error that these attempts amount to: [`CallError::Tried`], or
    /// the last answer alone if it tells the whole story.
    pub(super) fn error(attempts: Vec<Attempt>) -> CallError {
        let Some((last, before)) = attempts.split_last() else {
            return CallError::NotSent(super::NotSent::NoNodes);
        };
        let certain = before.iter().all(|attempt| !attempt.error.may_have_been_applied());
        match &last.error {
            // An answer is returned as it is, as long as it tells the whole story.
            answer @ CallError::Alternative(_) if certain => answer.clone(),
            answer @ CallError::Server(_) if before.is_empty() => answer.clone(),
            _ => CallError::Tried(Self(attempts.into())),
        }
    }

    /// Returns all attempts, the first one first.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.0
    }

    /// Returns the last attempt.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "it never does")]
    pub fn last(&self) -> &Attempt {
        self.0.last().expect("a `Tried` has at least one attempt")
    }
}

/// The origin of a stream and the attempts before it, for the stream's errors.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) node: Node,
    pub(super) started: Instant,
    pub(super) failed: Vec<Attempt>,
    /// Is told how the stream ends.
    pub(super) observer: Arc<dyn StreamObserver>,
}

/// Observes the end of streams that began successfully.
pub(super) trait StreamObserver: fmt::Debug + Send + Sync {
    /// Called when a stream has ended, either as it should or with an error.
    fn stream_ended(&self, result: Result<(), &CallError>);

    /// Called when the caller has dropped a stream that had been well, as far as it was
    /// read. Its last answer may have come long before.
    fn stream_dropped(&self);
}

impl Origin {
    /// Reports that the stream went well to its end.
    pub(super) fn went_well(self) {
        self.observer.stream_ended(Ok(()));
    }

    /// Reports that the caller did not want the rest of the stream.
    pub(super) fn dropped(self) {
        self.observer.stream_dropped();
    }

    /// Returns the error for a failure in mid-stream, with the node and earlier
    /// attempts. The observer hears of it if it `concerns_node`.
    pub(super) fn name(self, error: CallError, concerns_node: bool, now: Instant) -> CallError {
        let Self { node, started, failed: mut attempts, observer } = self;
        if concerns_node {
            observer.stream_ended(Err(&error));
        }
        let error = match error {
            CallError::Server(error) => CallError::Server(error.at(node.clone())),
            error => error,
        };
        attempts.push(Attempt { node, error, after: now.saturating_duration_since(started) });
        Tried::error(attempts)
    }
}

/// Returns the text of an attempt's error without the node, which the attempt names.
fn reason(Attempt { node, error, .. }: &Attempt) -> String {
    match error {
        // An address is a node's own name, and nodes that are named by addresses can share the
        // text without it. A host name may have several addresses, so that each says more.
        CallError::NotSent(NotSent::Connection(ConnectionError::Unreachable(unreachable)))
            if *node == Node::from(unreachable.address) =>
        {
            error.to_string().replacen(&format!(" to {node}"), "", 1)
        }
        CallError::Server(error) => {
            let mut error = error.clone();
            error.node = None;
            error.to_string()
        }
        error => error.to_string(),
    }
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Attempts that failed alike, as all do at a cluster that is down, share one text.
        let mut attempts = self.0.iter().peekable();
        let mut separator = "";
        while let Some(attempt) = attempts.next() {
            write!(f, "{separator}{} after {:.1?}", attempt.node, attempt.after)?;
            let reason = reason(attempt);
            while let Some(alike) = attempts.next_if(|next| self::reason(next) == reason) {
                write!(f, ", {} after {:.1?}", alike.node, alike.after)?;
            }
            write!(f, ": {reason}")?;
            separator = "; then ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{ServerError, Unreachable};

    fn attempt(host: &str, error: CallError) -> Attempt {
        Attempt { node: Node::new(host, 8087), error, after: Duration::from_millis(3) }
    }

    #[test]
    fn an_answer_stays_an_answer_unless_something_happened_before() {
        let refused = || CallError::NotSent(NotSent::Connection(ConnectionError::Stopped));
        let lost = || CallError::Lost(ConnectionError::Closed { within_frame: false });
        let answer = || CallError::Server(ServerError::new("modified", 0));
        assert!(matches!(Tried::error(vec![attempt("b", answer())]), CallError::Server(_)));
        let error = Tried::error(vec![attempt("a", refused()), attempt("b", answer())]);
        assert!(error.to_string().contains("a:8087"), "{error}");
        assert!(!error.may_have_been_applied());
        assert_eq!(error.server_error().unwrap().text, "modified");
        let error = Tried::error(vec![attempt("a", lost()), attempt("b", answer())]);
        let CallError::Tried(tried) = &error else { panic!("{error:?}") };
        assert_eq!(tried.attempts().len(), 2);
        assert!(error.may_have_been_applied());
        assert_eq!(error.server_error().unwrap().text, "modified");
    }

    #[test]
    fn all_nodes_are_listed() {
        let lost = || CallError::Lost(ConnectionError::Closed { within_frame: false });
        let stopped = CallError::Lost(ConnectionError::Stopped);
        let error = Tried::error(vec![attempt("a", stopped), attempt("b", lost())]);
        let text = error.to_string();
        assert!(text.starts_with("no attempt succeeded: a:8087 after 3.0ms: "), "{text}");
        assert!(text.contains("; then b:8087 after 3.0ms: the connection failed"), "{text}");
    }

    #[test]
    fn a_reason_that_attempts_share_is_given_once() {
        let overload = |host| {
            let error = ServerError::new("overload", 0).at(Node::new(host, 8087));
            attempt(host, CallError::Server(error))
        };
        let stopped = || CallError::NotSent(NotSent::Connection(ConnectionError::Stopped));
        let attempts = vec![attempt("a", stopped()), overload("b"), overload("c")];
        let text = Tried(attempts.into()).to_string();
        let end =
            "; then b:8087 after 3.0ms, c:8087 after 3.0ms: the server answered with an error: overload";
        assert!(text.starts_with("a:8087 after 3.0ms: ") && text.ends_with(end), "{text}");
    }

    #[test]
    fn an_address_is_named_once() {
        let refused = |host, address: &str| {
            let error = std::io::Error::other("refused");
            let unreachable = Unreachable { address: address.parse().unwrap(), error };
            attempt(host, NotSent::Connection(ConnectionError::Unreachable(Arc::new(unreachable))).into())
        };
        let attempts = [
            refused("10.0.0.1", "10.0.0.1:8087"),
            refused("10.0.0.2", "10.0.0.2:8087"),
            refused("riak-3.example.com", "10.0.0.3:8087"),
        ];
        assert_eq!(
            Tried(attempts.into()).to_string(),
            "10.0.0.1:8087 after 3.0ms, 10.0.0.2:8087 after 3.0ms: the request was not sent: cannot connect: \
             refused: check that the node is up and listens there; then riak-3.example.com:8087 after 3.0ms: \
             the request was not sent: cannot connect to 10.0.0.3:8087: refused: check that the node is up and \
             listens there"
        );
    }
}
