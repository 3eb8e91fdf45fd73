//! What an error says about the node, and whether the call may be made again.
//!
//! Invariant: a call that may have been applied is made again only if its retry
//! class is [`Retry::Safe`].

use super::super::breaker::Health;
use super::super::error::{CallError, ConnectionError, NotSent};
use super::super::server_error::ServerErrorKind;
use crate::operation::{Operation, Retry};

/// What an error says about the node. `served`: whether nodes of this cluster
/// have served this kind of request before.
pub(super) fn health(error: &CallError, served: bool) -> Health {
    match error {
        CallError::Server(error) => match error.kind() {
            // A node that starts serves requests late; one of another release
            // never will.
            ServerErrorKind::NotServed if served => Health::Bad,
            ServerErrorKind::NotServed | ServerErrorKind::Crashed => Health::Unknown,
            ServerErrorKind::Overload => Health::Bad,
            _ => Health::Good,
        },
        CallError::Alternative(_) => Health::Good,
        CallError::Lost(error) if is_own_doing(error) => Health::Unknown,
        CallError::Lost(_) | CallError::UnexpectedCode { .. } | CallError::Timeout { sent: true, .. } => {
            Health::Bad
        }
        CallError::NotSent(NotSent::Connecting { .. }) => Health::Bad,
        // What is wrong with a user's password is no fault of the node's.
        CallError::NotSent(NotSent::Connection(ConnectionError::Refused(error)))
            if !error.kind().is_retryable() =>
        {
            Health::Unknown
        }
        CallError::NotSent(NotSent::Connection(error)) if !is_own_doing(error) => Health::Down,
        CallError::NotSent(_)
        | CallError::Timeout { sent: false, .. }
        | CallError::Decode(_)
        | CallError::TooLong { .. }
        | CallError::Tried(_) => Health::Unknown,
    }
}

/// Whether the node did its work all the same, which the caller was wrong about,
/// or failed at it; `None` if that is not known. A node that fails is quick and
/// has nothing in flight: a balance that did not know would send it all calls.
pub(super) fn worked(error: &CallError) -> Option<bool> {
    match error {
        CallError::Server(error) => match error.kind() {
            // It may serve all others.
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
        // Of connections, the breaker knows.
        _ => None,
    }
}

/// What an answer says about the node that has given it. The part of a node that
/// takes requests is there before those that serve them: what it answers by
/// itself, such as a ping, says that the node lives, and no more.
pub(super) fn health_of_answer(operation: &Operation) -> Health {
    if operation.served_by == Some("api") { Health::Unknown } else { Health::Good }
}

/// Whether the connection was closed on this side, for what callers did.
fn is_own_doing(error: &ConnectionError) -> bool {
    matches!(
        error,
        ConnectionError::Abandoned { .. }
            | ConnectionError::Crashed { .. }
            | ConnectionError::Owed { .. }
            | ConnectionError::Stopped
    )
}

/// Whether a call that ended so may be made again; `alone`, at the same node.
pub(super) fn may_repeat(error: &CallError, retry: Retry, alone: bool) -> bool {
    if lacks_connection(error) {
        return !alone;
    }
    // A node that does not serve such requests will not do so at once.
    if alone && error.is(ServerErrorKind::NotServed) {
        return false;
    }
    error.is_retryable() && (!error.may_have_been_applied() || retry == Retry::Safe)
}

/// Whether an attempt failed because this node's connections are not to be had:
/// another node's may be.
fn lacks_connection(error: &CallError) -> bool {
    let CallError::NotSent(reason) = error else { return false };
    matches!(reason, NotSent::Connecting { .. } | NotSent::PoolTimeout { .. } | NotSent::Deadline)
}

/// Whether time has to pass before another attempt is worth it: the cluster as
/// a whole has too much to do, or too few nodes.
pub(super) fn wants_pause(error: &CallError) -> bool {
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
    fn only_what_is_safe_is_repeated_once_it_was_sent() {
        let lost = CallError::Lost(ConnectionError::Closed { within_frame: false });
        let timeout = CallError::Timeout { after: Duration::ZERO, sent: true };
        for error in [lost, timeout, server("timeout"), server("overload"), server("{w_val_unsatisfied,1,2}")]
        {
            assert!(may_repeat(&error, Retry::Safe, false), "{error}");
            for retry in [Retry::Never, Retry::IfUnsent, Retry::IfContext] {
                assert!(!may_repeat(&error, retry, false), "{error}");
            }
        }
    }

    #[test]
    fn what_was_not_sent_or_not_looked_at_is_repeated_whatever_it_is() {
        let refused = CallError::NotSent(NotSent::Connection(ConnectionError::Stopped));
        for error in [refused, server("Unknown message code: 11")] {
            assert!(may_repeat(&error, Retry::Never, false), "{error}");
        }
        for error in [server("modified"), server("no_type"), CallError::NotSent(NotSent::Deadline)] {
            assert!(!may_repeat(&error, Retry::Safe, true), "{error}");
        }
        for error in [server("modified"), server("no_type")] {
            assert!(!may_repeat(&error, Retry::Safe, false), "{error}");
        }
        // What only this node lacks, another one may have.
        for error in [server("Unknown message code: 11"), CallError::NotSent(NotSent::Deadline)] {
            assert!(may_repeat(&error, Retry::Never, false), "{error}");
            assert!(!may_repeat(&error, Retry::Never, true), "{error}");
        }
    }

    #[test]
    fn a_node_that_starts_is_told_from_one_of_another_release() {
        let error = server("Unknown message code: 9");
        assert_eq!(health(&error, true), Health::Bad);
        assert_eq!(health(&error, false), Health::Unknown);
        assert_eq!(health(&server("notfound"), true), Health::Good);
    }

    #[test]
    fn what_a_node_fails_at_is_told_from_what_callers_do() {
        for text in ["timeout", "overload", "{insufficient_vnodes,0,need,2}", "{error,eio}"] {
            assert_eq!(worked(&server(text)), Some(false), "{text}");
        }
        for text in ["modified", "notfound", "Permission denied: x", "{n_val_violation,3}"] {
            assert_eq!(worked(&server(text)), Some(true), "{text}");
        }
        assert_eq!(worked(&server("Unknown message code: 9")), None);
    }
}
