//! How a [`Cluster`] carries calls: attempt after attempt, at one node after
//! the other.
//!
//! Invariant: there are no more attempts than the configuration says, none
//! after the deadline, and none where the request may have been applied and may
//! not be applied again.

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
use super::member::{Member, Trial};
use super::{Cluster, verdict};
use crate::DecodeLimits;
use crate::operation::Retry;

impl Call for Cluster {
    async fn unary(&self, request: &Outgoing<'_>) -> Result<Answered, CallError> {
        let mut now = now();
        let mut effort = Effort::new(self, request, now);
        loop {
            let mut trial = effort.next(now)?;
            let watch = effort.watch(&trial);
            let bounded = effort.bounded(&trial);
            let request = bounded.as_ref().unwrap_or(&effort.request);
            let result = trial.member.pool.timed_unary(request, &mut trial.connecting).await;
            watch.ended(result.as_ref().map(|answer| answer.frame().body.len()));
            match result {
                Ok(answer) => {
                    self.inner.served.note(request.operation().request);
                    let node = trial.member.node().clone();
                    let after = trial.answered(verdict::health_of_answer(request.operation()));
                    return Ok(answer.at(node, after, std::mem::take(&mut effort.failed)));
                }
                Err(error) => now = effort.failed(trial, error).await?,
            }
        }
    }

    async fn stream(&self, request: &Outgoing<'_>) -> Result<FrameStream, CallError> {
        let mut now = now();
        let mut effort = Effort::new(self, request, now);
        loop {
            let mut trial = effort.next(now)?;
            let watch = effort.watch(&trial);
            let bounded = effort.bounded(&trial);
            let result = trial.member.pool.stream(bounded.as_ref().unwrap_or(&effort.request)).await;
            watch.ended(result.as_ref().map(FrameStream::first_len));
            match result {
                Ok(stream) => {
                    self.inner.served.note(request.operation().request);
                    trial.begins();
                    let origin = Origin {
                        node: trial.member.node().clone(),
                        begun: trial.begun(),
                        failed: std::mem::take(&mut effort.failed),
                        judge: Arc::clone(&trial.member) as _,
                    };
                    // It counts as in flight until its end.
                    return Ok(stream.from(origin).keeping(trial));
                }
                Err(error) => now = effort.failed(trial, error).await?,
            }
        }
    }

    fn decode_limits(&self) -> DecodeLimits {
        self.inner.connector.decode_limits()
    }
}

/// All that is done for one call.
struct Effort<'c, 'r> {
    cluster: &'c Cluster,
    request: Outgoing<'r>,
    members: Arc<[Arc<Member>]>,
    failed: Vec<Attempt>,
}

impl<'c, 'r> Effort<'c, 'r> {
    fn new(cluster: &'c Cluster, request: &Outgoing<'r>, now: Instant) -> Self {
        cluster.inner.budget.deposit();
        if cluster.inner.keeper.is_lost() {
            cluster.discover_again();
        }
        let timeout = cluster.inner.config.timeout.filter(|_| !request.is_exclusive());
        let request = match timeout.and_then(|timeout| now.checked_add(timeout)) {
            Some(deadline) if request.deadline().is_none() => request.with_deadline(deadline),
            _ => *request,
        };
        Self { cluster, request, members: cluster.inner.members(), failed: Vec::new() }
    }

    /// The next attempt, which begins now.
    fn next(&self, now: Instant) -> Result<Trial, CallError> {
        let chosen = self.cluster.inner.choose(&self.members, &self.failed, self.is_bounded(), now);
        let (member, probe) = chosen.ok_or(NotSent::NoNodes)?;
        Ok(Trial::new(member, probe, !self.request.is_exclusive(), now))
    }

    fn watch(&self, trial: &Trial) -> Watch {
        Watch::new(&self.request, trial.member.node(), self.failed.len() + 1)
    }

    fn is_safe(&self) -> bool {
        self.request.retry() == Retry::Safe
    }

    /// Whether an attempt can be called off that was sent: it may be made again,
    /// and does not take minutes anyway.
    fn is_bounded(&self) -> bool {
        self.is_safe() && !self.request.is_exclusive()
    }

    /// Whether this attempt may be followed by another one elsewhere.
    fn has_more(&self) -> bool {
        let made = u32::try_from(self.failed.len()).unwrap_or(u32::MAX);
        self.members.len() > 1 && made.saturating_add(1) < self.cluster.inner.config.retry.max_attempts
    }

    /// When this attempt is given up for another one.
    fn limit(&self, trial: &Trial) -> Option<Instant> {
        if !self.has_more() {
            return None;
        }
        let now = trial.begun();
        let half = self.request.deadline().map(|deadline| deadline.saturating_duration_since(now) / 2);
        let probe = trial.probe.then(|| trial.member.probe_timeout());
        let longest = self.cluster.inner.config.retry.attempt_timeout;
        let shortest = [half, probe, longest].into_iter().flatten().min()?;
        now.checked_add(shortest)
    }

    /// The request, bounded to this attempt, if the attempt has a bound of its own:
    /// all of it, or until it is sent.
    fn bounded(&self, trial: &Trial) -> Option<Outgoing<'r>> {
        let limit = self.limit(trial)?;
        Some(if self.is_bounded() {
            self.request.with_deadline(limit)
        } else {
            self.request.starting_by(limit)
        })
    }

    /// Notes that an attempt has failed. Returns when the next one is due, and
    /// what time it is then, or what the call ends with.
    async fn failed(&mut self, mut trial: Trial, error: CallError) -> Result<Instant, CallError> {
        let inner = &self.cluster.inner;
        let node = trial.member.node().clone();
        let health = verdict::health(&error, inner.served.has(self.request.operation().request));
        let after = trial.failed(&error, health);
        drop(trial);
        if let (CallError::NotSent(NotSent::Frame(_) | NotSent::Streams { .. }), []) =
            (&error, self.failed.as_slice())
        {
            // No node has anything to do with it.
            return Err(error);
        }
        if inner.recall() {
            self.members = inner.members();
        }
        let repeat = verdict::may_repeat(&error, self.request.retry(), self.members.len() < 2);
        let unserved = error.is(ServerErrorKind::NotServed);
        // What was not sent, or not looked at, makes no node slower.
        let asked = !unserved && !matches!(error, CallError::NotSent(_));
        let pause = verdict::wants_pause(&error);
        let error = match error {
            CallError::Server(error) => CallError::Server(error.at(node.clone())),
            error => error,
        };
        self.failed.push(Attempt { node, error, after });
        if unserved && self.nobody_serves() {
            return Err(self.give_up());
        }
        let made = u32::try_from(self.failed.len()).unwrap_or(u32::MAX);
        let config = &inner.config.retry;
        let is_last = made >= config.max_attempts.max(1) || inner.closed.load(Ordering::Relaxed);
        if !repeat || is_last || asked && !inner.budget.withdraw() {
            return Err(self.give_up());
        }
        // Where all nodes were tried, another round begins after a pause.
        let pause = pause || self.failed.len() >= self.members.len();
        let pause = if pause { self.pause(made) } else { Duration::ZERO };
        let next = now().checked_add(pause);
        if self.request.deadline().is_some_and(|deadline| next.is_none_or(|next| next >= deadline)) {
            return Err(self.give_up());
        }
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        inner.repeats.fetch_add(1, Ordering::Relaxed);
        Ok(now())
    }

    /// Whether each node has said that it does not serve such a request.
    fn nobody_serves(&self) -> bool {
        let unserved = |attempt: &Attempt| attempt.error.is(ServerErrorKind::NotServed);
        let said = |member: &Arc<Member>| {
            self.failed.iter().any(|attempt| attempt.node == *member.node() && unserved(attempt))
        };
        self.members.iter().all(said)
    }

    fn pause(&self, made: u32) -> Duration {
        let config = &self.cluster.inner.config.retry;
        let longest = config.backoff_min.saturating_mul(1 << (made - 1).min(16)).min(config.backoff_max);
        self.cluster.inner.random.jitter(longest)
    }

    fn give_up(&mut self) -> CallError {
        Tried::error(std::mem::take(&mut self.failed))
    }
}
