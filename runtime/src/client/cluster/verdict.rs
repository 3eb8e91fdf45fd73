//! What an error says about the node, and whether the call may be retried.
//!
//! Invariant: a call that may have been applied is retried only if its retry class
//! is [`Retry::Safe`].

use super::super::breaker::Health;
use super::super::error::{CallError, ConnectionError, NotSent};
use super::super::server_error::ServerErrorKind;
use crate::operation::{Operation, Retry};

/// Returns what an error says about the node. `will_serve` tells whether the node serves
/// this kind of request once it has started.
pub(super) fn health(error: &CallError, will_serve: bool) -> Health {
    match error {
        CallError::Server(error) => match error.kind() {
            // A node that is starting will serve the request later; a node of
            // another release never will.
            ServerErrorKind::NotServed if will_serve => Health::Bad,
            ServerErrorKind::NotServed | ServerErrorKind::Crashed => Health::Unknown,
            ServerErrorKind::Overload => Health::Bad,
            _ => Health::Good,
        },
        CallError::Alternative(_) => Health::Good,
        CallError::Lost(error) if is_caused_by_client(error) => Health::Unknown,
        CallError::Lost(_) | CallError::UnexpectedCode { .. } | CallError::Timeout { sent: true, .. } => {
            Health::Bad
        }
        CallError::NotSent(NotSent::Connecting { .. }) => Health::Bad,
        // A wrong user or password says nothing about the node.
        CallError::NotSent(NotSent::Connection(ConnectionError::Refused(error)))
            if !error.kind().is_retryable() =>
        {
            Health::Unknown
        }
        CallError::NotSent(NotSent::Connection(error)) if !is_caused_by_client(error) => Health::Down,
        CallError::NotSent(_)
        | CallError::Timeout { sent: false, .. }
        | CallError::Decode(_)
        | CallError::TooLong { .. }
        | CallError::Tried(_) => Health::Unknown,
    }
}

/// Returns `Some(true)` if the node did its work and the error is the caller's
/// fault, `Some(false)` if the node failed, and `None` if neither is known.
///
/// A failing node answers quickly and has nothing in flight: a balance that ignored
/// failures would send it every call.
pub(super) fn node_succeeded(error: &CallError) -> Option<bool> {
    match error {
        CallError::Server(error) => match error.kind() {
            // The node may serve all other requests.
            ServerErrorKind::NotServed => None,
            ServerErrorKind::Timeout
            | ServerErrorKind::Overload
            | ServerErrorKind::Unavailable
            | ServerErrorKind::QuorumUnmet
            | ServerErrorKind::Crashed
            | ServerErrorKind::Other => Some(false),
            _ => Some(true),
        },
        CallError::Alternative(_) => Some(true),
        CallError::Timeout { sent: true, .. } => Some(false),
        // The breaker takes care of failed connections.
        _ => None,
    }
}

/// Returns what an answer says about the node that gave it. A node's API accepts
/// requests before the services behind it have started: an answer from the API
/// itself, such as a ping, shows that the node is alive, and no more.
pub(super) fn health_of_answer(operation: &Operation) -> Health {
    if operation.served_by == Some("api") { Health::Unknown } else { Health::Good }
}

/// Reports whether the client caused the connection's end: by closing it, or by a
/// request on which the server crashed.
fn is_caused_by_client(error: &ConnectionError) -> bool {
    matches!(
        error,
        ConnectionError::Abandoned { .. }
            | ConnectionError::Crashed { .. }
            | ConnectionError::Owed { .. }
            | ConnectionError::Stopped
    )
}

/// Reports whether a call that failed with this error may be retried. `only_node`
/// says that the retry would go to the same node.
pub(super) fn may_retry(error: &CallError, retry: Retry, only_node: bool) -> bool {
    if is_connection_unavailable(error) {
        return !only_node;
    }
    // A node that does not serve such requests will not do so a moment later.
    if only_node && error.is(ServerErrorKind::NotServed) {
        return false;
    }
    error.is_retryable() && (!error.may_have_been_applied() || retry == Retry::Safe)
}

/// Reports whether an attempt failed for want of a connection to this node, while
/// another node's may be available.
fn is_connection_unavailable(error: &CallError) -> bool {
    let CallError::NotSent(reason) = error else { return false };
    matches!(reason, NotSent::Connecting { .. } | NotSent::PoolTimeout { .. } | NotSent::Deadline)
}

/// Reports whether another attempt is worthwhile only after a backoff, because the
/// cluster as a whole is overloaded or lacks nodes.
pub(super) fn needs_backoff(error: &CallError) -> bool {
    error.server_error().is_some_and(|error| error.kind() != ServerErrorKind::NotServed)
        || matches!(error, CallError::NotSent(NotSent::QueueFull { .. }))
}

#[cfg(test)]
mod tests {
    use super::super::super::ServerError;
    use super::*;
    use std::time::Duration;

    fn server(text: &'static str) -> CallError {
        CallError::Server(ServerError::new(text, 0))
    }

    #[test]
    fn sent_calls_are_retried_only_if_safe() {
        let lost = CallError::Lost(ConnectionError::Closed { within_frame: false });
        let timeout = CallError::Timeout { after: Duration::ZERO, sent: true };
        for error in [lost, timeout, server("timeout"), server("overload"), server("{w_val_unsatisfied,1,2}")]
        {
            assert!(may_retry(&error, Retry::Safe, false), "{error}");
            for retry in [Retry::Never, Retry::IfUnsent, Retry::IfContext] {
                assert!(!may_retry(&error, retry, false), "{error}");
            }
        }
    }

    #[test]
    fn unsent_and_unserved_calls_are_retried_whatever_their_class() {
        let refused = CallError::NotSent(NotSent::Connection(ConnectionError::Stopped));
        for error in [refused, server("Unknown message code: 11")] {
            assert!(may_retry(&error, Retry::Never, false), "{error}");
        }
        for error in [server("modified"), server("no_type"), CallError::NotSent(NotSent::Deadline)] {
            assert!(!may_retry(&error, Retry::Safe, true), "{error}");
        }
        for error in [server("modified"), server("no_type")] {
            assert!(!may_retry(&error, Retry::Safe, false), "{error}");
        }
        // Another node may have what this one lacks.
        for error in [server("Unknown message code: 11"), CallError::NotSent(NotSent::Deadline)] {
            assert!(may_retry(&error, Retry::Never, false), "{error}");
            assert!(!may_retry(&error, Retry::Never, true), "{error}");
        }
    }

    #[test]
    fn a_starting_node_is_told_from_one_of_another_release() {
        let error = server("Unknown message code: 9");
        assert_eq!(health(&error, true), Health::Bad);
        assert_eq!(health(&error, false), Health::Unknown);
        assert_eq!(health(&server("notfound"), true), Health::Good);
    }

    #[test]
    fn node_failures_are_told_from_caller_errors() {
        for text in ["timeout", "overload", "{insufficient_vnodes,0,need,2}", "{error,eio}"] {
            assert_eq!(node_succeeded(&server(text)), Some(false), "{text}");
        }
        for text in ["modified", "notfound", "Permission denied: x", "{n_val_violation,3}"] {
            assert_eq!(node_succeeded(&server(text)), Some(true), "{text}");
        }
        assert_eq!(node_succeeded(&server("Unknown message code: 9")), None);
    }
}
