//! How a [`Cluster`] carries calls: one attempt after another, each at the node
//! that suits best.
//!
//! Invariant: there are no more attempts than configured, none after the deadline,
//! and none once the request may have been applied unless it may be applied again.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::super::call::{Answered, Call};
use super::super::connection::now;
use super::super::error::{CallError, NotSent};
use super::super::observe::Watch;
use super::super::outgoing::Outgoing;
use super::super::responses::FrameStream;
use super::super::server_error::ServerErrorKind;
use super::super::tried::{Attempt, Origin, Tried};
use super::member::{ActiveAttempt, Member};
use super::{Cluster, verdict};
use crate::DecodeLimits;
use crate::operation::{Operation, Retry};

impl Call for Cluster {
    async fn unary(&self, request: &Outgoing<'_>) -> Result<Answered, CallError> {
        let mut now = now();
        let mut attempts = CallAttempts::new(self, request, now);
        loop {
            let mut attempt = attempts.next(now)?;
            let watch = attempts.watch(&attempt);
            let bounded = attempts.bounded_request(&attempt);
            let request = bounded.as_ref().unwrap_or(&attempts.request);
            let result = attempt.member.pool.unary_frame(request, Some(now), &mut attempt.connecting).await;
            watch.ended(result.as_ref().map(|answer| answer.body.len()));
            match result {
                Ok(answer) => {
                    self.record_served(&attempt, request.operation());
                    let (node, started) = (attempt.member.node().clone(), attempt.started());
                    attempt.answered(verdict::health_of_answer(request.operation()));
                    return Ok(Answered::at(answer, node, started, std::mem::take(&mut attempts.failed)));
                }
                // In a box, so that calls that succeed have no room for it.
                Err(error) => now = Box::pin(attempts.attempt_failed(attempt, error)).await?,
            }
        }
    }

    async fn stream(&self, request: &Outgoing<'_>) -> Result<FrameStream, CallError> {
        let mut now = now();
        let mut attempts = CallAttempts::new(self, request, now);
        loop {
            let mut attempt = attempts.next(now)?;
            let watch = attempts.watch(&attempt);
            let bounded = attempts.bounded_request(&attempt);
            let result = attempt.member.pool.stream(bounded.as_ref().unwrap_or(&attempts.request)).await;
            watch.ended(result.as_ref().map(FrameStream::first_len));
            match result {
                Ok(stream) => {
                    self.record_served(&attempt, request.operation());
                    attempt.stream_started();
                    let origin = Origin {
                        node: attempt.member.node().clone(),
                        started: attempt.started(),
                        failed: std::mem::take(&mut attempts.failed),
                        observer: Arc::clone(&attempt.member) as _,
                    };
                    // The attempt counts as in flight until the stream ends.
                    return Ok(stream.from(origin).keeping(attempt));
                }
                Err(error) => now = Box::pin(attempts.attempt_failed(attempt, error)).await?,
            }
        }
    }

    fn decode_limits(&self) -> DecodeLimits {
        self.inner.connector.decode_limits()
    }

    fn timeout(&self) -> Option<Duration> {
        self.inner.config.timeout
    }
}

impl Cluster {
    fn record_served(&self, attempt: &ActiveAttempt, operation: &Operation) {
        if attempt.member.record_served(operation) {
            self.inner.served.insert(operation);
        }
    }
}

/// The state of one call across its attempts.
struct CallAttempts<'c, 'r> {
    cluster: &'c Cluster,
    request: Outgoing<'r>,
    members: Arc<[Arc<Member>]>,
    failed: Vec<Attempt>,
}

impl<'c, 'r> CallAttempts<'c, 'r> {
    fn new(cluster: &'c Cluster, request: &Outgoing<'r>, now: Instant) -> Self {
        cluster.inner.budget.deposit();
        if cluster.inner.discovery.is_lost() {
            cluster.resume_discovery();
        }
        let timeout = cluster.inner.config.timeout.filter(|_| !request.is_exclusive());
        let request = match timeout.and_then(|timeout| now.checked_add(timeout)) {
            Some(deadline) => request.with_deadline(deadline),
            None => *request,
        };
        Self { cluster, request, members: cluster.inner.members(), failed: Vec::new() }
    }

    /// Begins the next attempt.
    fn next(&self, now: Instant) -> Result<ActiveAttempt, CallError> {
        // A probe that could not be moved would keep all others away for as long as it hangs.
        let may_probe = self.may_repeat() && self.may_try_another_node();
        let chosen = self.cluster.inner.choose(&self.members, &self.failed, may_probe, now);
        let (member, is_probe) = chosen.ok_or(NotSent::NoNodes)?;
        Ok(ActiveAttempt::new(member, is_probe, !self.request.is_exclusive(), now))
    }

    fn watch(&self, attempt: &ActiveAttempt) -> Watch {
        Watch::new(&self.request, attempt.member.node(), self.failed.len() + 1)
    }

    fn is_safe(&self) -> bool {
        self.request.retry() == Retry::Safe
    }

    /// Reports whether an attempt may be repeated after it was sent: the call is safe, and
    /// short enough to be bounded at all.
    fn may_repeat(&self) -> bool {
        self.is_safe() && !self.request.is_exclusive()
    }

    /// Reports whether an attempt is abandoned after it was sent, at its deadline. Without
    /// budget, that would fail a call that its node may be about to answer; but a probe that
    /// hangs would keep all other calls away from the node.
    fn may_abandon(&self, attempt: &ActiveAttempt) -> bool {
        self.may_repeat() && (attempt.is_probe || self.cluster.inner.budget.allows_retry())
    }

    /// Reports whether this attempt may be followed by one at another node.
    fn may_try_another_node(&self) -> bool {
        let attempts_made = u32::try_from(self.failed.len()).unwrap_or(u32::MAX);
        self.members.len() > 1
            && attempts_made.saturating_add(1) < self.cluster.inner.config.retry.max_attempts
    }

    /// Returns the time at which this attempt is abandoned for another one, if any.
    fn attempt_deadline(&self, attempt: &ActiveAttempt) -> Option<Instant> {
        if !self.may_try_another_node() {
            return None;
        }
        let now = attempt.started();
        let half = self.request.deadline().map(|deadline| deadline.saturating_duration_since(now) / 2);
        let probe = attempt.is_probe.then(|| attempt.member.probe_timeout());
        // A server that was given more time by the request is not given up before.
        let longest = self.cluster.inner.config.retry.attempt_timeout;
        let longest = longest.map(|longest| longest.max(self.request.own_timeout().unwrap_or_default()));
        let shortest = [half, probe, longest].into_iter().flatten().min()?;
        now.checked_add(shortest)
    }

    /// Returns the request with the attempt's own deadline, if it has one. The
    /// deadline covers the whole attempt, or only the time until it is sent.
    fn bounded_request(&self, attempt: &ActiveAttempt) -> Option<Outgoing<'r>> {
        let limit = self.attempt_deadline(attempt)?;
        Some(if self.may_abandon(attempt) {
            self.request.with_deadline(limit)
        } else {
            self.request.starting_by(limit)
        })
    }

    /// Records a failed attempt. Waits for the backoff and returns the time at
    /// which the next attempt begins, or the error that ends the call.
    async fn attempt_failed(
        &mut self,
        mut attempt: ActiveAttempt,
        error: CallError,
    ) -> Result<Instant, CallError> {
        let inner = &self.cluster.inner;
        let node = attempt.member.node().clone();
        let operation = self.request.operation();
        let will_serve = attempt.member.will_serve(operation, inner.served.contains(operation));
        let health = verdict::health(&error, will_serve);
        let after = attempt.failed(&error, health);
        drop(attempt);
        if let (CallError::NotSent(NotSent::Frame(_) | NotSent::Streams { .. }), []) =
            (&error, self.failed.as_slice())
        {
            // The request itself is at fault, so the error names no node.
            return Err(error);
        }
        if inner.restore_configured_nodes() {
            self.members = inner.members();
        }
        let may_retry = verdict::may_retry(&error, self.request.retry(), self.members.len() < 2);
        let not_served = error.is(ServerErrorKind::NotServed);
        // Requests that were not sent or not served do not load a node.
        let uses_budget = !not_served && !matches!(error, CallError::NotSent(_));
        let needs_backoff = verdict::needs_backoff(&error);
        let error = match error {
            CallError::Server(error) => CallError::Server(error.at(node.clone())),
            error => error,
        };
        self.failed.push(Attempt { node, error, after });
        if not_served && self.no_node_serves() {
            return Err(self.give_up());
        }
        let attempts_made = u32::try_from(self.failed.len()).unwrap_or(u32::MAX);
        let config = &inner.config.retry;
        let is_last = attempts_made >= config.max_attempts.max(1) || inner.closed.load(Ordering::Relaxed);
        if !may_retry || is_last {
            return Err(self.give_up());
        }
        // Once every node has been tried, another round begins after a backoff.
        let needs_backoff = needs_backoff || self.failed.len() >= self.members.len();
        let backoff = if needs_backoff { self.backoff(attempts_made) } else { Duration::ZERO };
        let next = now().checked_add(backoff);
        let too_late =
            self.request.deadline().is_some_and(|deadline| next.is_none_or(|next| next >= deadline));
        // Last, so that an attempt that is not made uses no budget.
        if too_late || uses_budget && !inner.budget.withdraw() {
            return Err(self.give_up());
        }
        if !backoff.is_zero() {
            tokio::time::sleep(backoff).await;
        }
        inner.repeats.fetch_add(1, Ordering::Relaxed);
        Ok(now())
    }

    /// Reports whether each node has said that it does not serve this request.
    fn no_node_serves(&self) -> bool {
        let not_served = |attempt: &Attempt| attempt.error.is(ServerErrorKind::NotServed);
        let said = |member: &Arc<Member>| {
            self.failed.iter().any(|attempt| attempt.node == *member.node() && not_served(attempt))
        };
        self.members.iter().all(said)
    }

    fn backoff(&self, attempts_made: u32) -> Duration {
        let config = &self.cluster.inner.config.retry;
        let longest =
            config.backoff_min.saturating_mul(1 << (attempts_made - 1).min(16)).min(config.backoff_max);
        self.cluster.inner.random.jitter(longest)
    }

    fn give_up(&mut self) -> CallError {
        Tried::error(std::mem::take(&mut self.failed))
    }
}
