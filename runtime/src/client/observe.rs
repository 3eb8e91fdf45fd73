//! [`Watch`]: reports an attempt at a call to tracing and metrics.
//!
//! Without the features `tracing` and `metrics` it is empty and costs nothing.
//! Invariant: only the bucket type and sizes of a request are reported; no body, key
//! or password is.
//!
//! The spans and metrics are public API: the module `client` documents them.

use super::error::CallError;
use super::node::Node;
use super::outgoing::Outgoing;

/// Observes an attempt until [`Watch::ended`] is called, or until it is dropped because
/// the caller dropped the call.
pub(super) struct Watch {
    #[cfg(feature = "tracing")]
    span: tracing::Span,
    #[cfg(feature = "metrics")]
    meter: meter::Meter,
}

impl Watch {
    #[cfg_attr(
        not(feature = "tracing"),
        allow(unused_variables, reason = "only spans show the attempt's number")
    )]
    pub(super) fn new(request: &Outgoing<'_>, node: &Node, attempt: usize) -> Self {
        Self {
            #[cfg(feature = "tracing")]
            span: span(request, node, attempt),
            #[cfg(feature = "metrics")]
            meter: meter::Meter::new(request, node),
        }
    }

    /// Reports the end of the attempt: the length of the answer's body, or an error.
    #[cfg_attr(
        not(any(feature = "tracing", feature = "metrics")),
        expect(unused_variables, clippy::unused_self, reason = "nothing is reported")
    )]
    #[cfg_attr(not(feature = "metrics"), expect(unused_mut, reason = "only meters are mutated"))]
    pub(super) fn ended(mut self, result: Result<usize, &CallError>) {
        #[cfg(feature = "tracing")]
        {
            self.span.record("outcome", outcome(result));
            if let Ok(bytes) = result {
                self.span.record("bytes_in", bytes);
            }
        }
        #[cfg(feature = "metrics")]
        self.meter.ended(result);
    }
}

#[cfg(feature = "tracing")]
fn span(request: &Outgoing<'_>, node: &Node, attempt: usize) -> tracing::Span {
    use tracing::field::Empty;

    let span = tracing::debug_span!(
        target: "riak",
        "call",
        operation = request.operation().name,
        %node,
        attempt,
        bucket_type = Empty,
        bytes_out = Empty,
        bytes_in = Empty,
        outcome = Empty,
    );
    if !span.is_disabled() {
        if let Some(bucket_type) = request.bucket_type() {
            span.record("bucket_type", tracing::field::display(String::from_utf8_lossy(bucket_type)));
        }
        span.record("bytes_out", request.body_len());
    }
    span
}

/// Returns the name of an attempt's outcome.
#[cfg(any(feature = "tracing", feature = "metrics"))]
fn outcome(result: Result<usize, &CallError>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(error) => match error.cause() {
            CallError::Server(_) => "server_error",
            CallError::Timeout { .. } => "timeout",
            CallError::Lost(_) => "lost",
            CallError::NotSent(_) => "not_sent",
            CallError::Decode(_)
            | CallError::TooLong { .. }
            | CallError::UnexpectedCode { .. }
            | CallError::Alternative(_)
            | CallError::Tried(_) => "bad_answer",
        },
    }
}

#[cfg(feature = "metrics")]
mod meter {
    use metrics::{SharedString, counter, histogram};

    use super::super::connection::now;
    use super::{CallError, Node, Outgoing, outcome};

    /// Updates the metrics of one attempt when it ends or is dropped.
    pub(super) struct Meter {
        operation: &'static str,
        node: SharedString,
        /// Bytes of the request that were sent, or may have been.
        bytes_out: usize,
        started: std::time::Instant,
        reported: bool,
    }

    impl Meter {
        pub(super) fn new(request: &Outgoing<'_>, node: &Node) -> Self {
            let (operation, node) = (request.operation().name, SharedString::from(node.to_string()));
            Self { operation, node, bytes_out: request.body_len(), started: now(), reported: false }
        }

        pub(super) fn ended(&mut self, result: Result<usize, &CallError>) {
            match result {
                Ok(bytes) => {
                    let (operation, node) = (self.operation, self.node.clone());
                    counter!("riak_bytes_received_total", "operation" => operation, "node" => node)
                        .increment(to_u64(bytes));
                }
                Err(CallError::NotSent(_) | CallError::Timeout { sent: false, .. }) => self.bytes_out = 0,
                Err(_) => {}
            }
            self.count(outcome(result));
        }

        fn count(&mut self, outcome: &'static str) {
            self.reported = true;
            let (operation, node) = (self.operation, &self.node);
            counter!("riak_bytes_sent_total", "operation" => operation, "node" => node.clone())
                .increment(to_u64(self.bytes_out));
            counter!(
                "riak_attempts_total",
                "operation" => operation, "node" => node.clone(), "outcome" => outcome
            )
            .increment(1);
            histogram!("riak_attempt_seconds", "operation" => operation, "node" => node.clone())
                .record(now().saturating_duration_since(self.started).as_secs_f64());
        }
    }

    fn to_u64(bytes: usize) -> u64 {
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    impl Drop for Meter {
        fn drop(&mut self) {
            if !self.reported {
                self.count("dropped");
            }
        }
    }
}
