//! How a [`Pool`] carries calls.
//!
//! Invariant: the pool retries a call only if it was not sent, because its
//! connection turned out to be closed.

use std::time::{Duration, Instant};

use super::super::call::{Answered, Call, WideFrame};
use super::super::connection::now;
use super::super::error::{CallError, ConnectionError, NotSent};
use super::super::outgoing::Outgoing;
use super::super::responses::FrameStream;
use super::acquire::{AcquireMode, Acquired};
use super::{Pool, Share};
use crate::DecodeLimits;

/// The number of closed connections that a call leaves behind before it fails.
const MAX_STALE: usize = 3;

/// How many times a call may be told that a connection has opened, yet find none.
const MAX_VANISHED: usize = 2;

impl Call for Pool {
    async fn unary(&self, request: &Outgoing<'_>) -> Result<Answered, CallError> {
        self.unary_frame(request, None, &mut Duration::default()).await.map(Answered::from)
    }

    async fn stream(&self, request: &Outgoing<'_>) -> Result<FrameStream, CallError> {
        loop {
            let lease = self.inner.lease(request.start_by()).await?;
            match lease.connection.stream(request).await {
                Ok(stream) => return Ok(stream.keeping(lease)),
                Err(error) => self.inner.exclusive_call_failed(&lease, error)?,
            }
        }
    }

    fn decode_limits(&self) -> DecodeLimits {
        self.inner.connector.decode_limits()
    }
}

impl Pool {
    /// Makes a unary call, and adds the time spent waiting for a connection to open
    /// to `connecting`. `now` is the time if it is polled at once, and `None` if it may
    /// be polled later.
    pub(in super::super) async fn unary_frame(
        &self,
        request: &Outgoing<'_>,
        mut now: Option<Instant>,
        connecting: &mut Duration,
    ) -> Result<WideFrame, CallError> {
        if request.is_exclusive() {
            return self.exclusive_unary(request).await;
        }
        let mut stale = 0;
        loop {
            let share = match self.inner.acquire(AcquireMode::First)? {
                Acquired::Share(share) => share,
                acquired => {
                    now = None;
                    // In a box, so that calls that need not wait have no room for it.
                    Box::pin(self.wait_for_share(acquired, request.start_by(), connecting)).await?
                }
            };
            let answered = share.shared.connection.answered();
            let result = share.shared.connection.unary_frame(request, now.take()).await;
            let Err(error) = &result else { return result };
            if !self.may_try_again(&share, error, answered, &mut stale) {
                return result;
            }
        }
    }

    /// Removes the connection on which a call failed if it carries no more calls, and
    /// reports whether the call was not sent for that reason, so that it may be made on
    /// another one.
    #[cold]
    fn may_try_again(&self, share: &Share<'_>, error: &CallError, answered: u64, stale: &mut usize) -> bool {
        if error.server_error().is_some() {
            return false;
        }
        let connection = &share.shared.connection;
        if connection.closed().is_some() {
            self.inner.lock().connections.remove(&share.shared);
            if matches!(error, CallError::NotSent(NotSent::Connection(_))) && *stale < MAX_STALE {
                *stale += 1;
                return true;
            }
        }
        let got_no_answer = connection.answered() == answered;
        if got_no_answer && matches!(error, CallError::Timeout { sent: true, .. }) {
            self.inner.remove_if_unresponsive(&share.shared);
        }
        false
    }

    /// Makes a unary call on a connection of its own.
    async fn exclusive_unary(&self, request: &Outgoing<'_>) -> Result<WideFrame, CallError> {
        loop {
            let lease = self.inner.lease(request.start_by()).await?;
            match lease.connection.unary_frame(request, None).await {
                Ok(answer) => return Ok(answer),
                Err(error) => self.inner.exclusive_call_failed(&lease, error)?,
            }
        }
    }

    /// Returns a share of the connection with the lowest load, waiting until there
    /// is one. Adds the time spent waiting for a connection to open to
    /// `connecting`.
    pub(super) async fn share(
        &self,
        limit: Option<Instant>,
        connecting: &mut Duration,
    ) -> Result<Share<'_>, CallError> {
        let acquired = self.inner.acquire(AcquireMode::First)?;
        self.wait_for_share(acquired, limit, connecting).await
    }

    /// Waits until there is a share, if `acquired` is none.
    async fn wait_for_share<'p>(
        &'p self,
        mut acquired: Acquired<'p>,
        limit: Option<Instant>,
        connecting: &mut Duration,
    ) -> Result<Share<'p>, CallError> {
        let mut since = None;
        let (mut vanished, mut ended) = (0, None);
        let mut mode = AcquireMode::First;
        let mut place = None;
        loop {
            let mut receiver = match acquired {
                Acquired::Share(share) => return Ok(share),
                Acquired::Crowded => {
                    let started = *since.get_or_insert_with(now);
                    let place = match &mut place {
                        Some(place) => place,
                        None => place.insert(self.inner.get_in_line()?),
                    };
                    let woken = self.inner.wait_for_room(place);
                    // A call whose wait times out takes any open connection.
                    let in_time = self.inner.with_wait_timeout(started, limit, woken).await.is_ok();
                    mode = if in_time { AcquireMode::Retry } else { AcquireMode::Final };
                    acquired = self.inner.acquire(mode)?;
                    continue;
                }
                Acquired::Connecting(receiver, reason) => {
                    ended = reason.or(ended);
                    place = None;
                    receiver
                }
            };
            if vanished >= MAX_VANISHED {
                // Connections opened and closed before this call got one; `ended`
                // says why. Or none can be opened, as on a runtime that is shutting
                // down.
                return Err(NotSent::Connection(ended.unwrap_or(ConnectionError::Stopped)).into());
            }
            let asked = now();
            let started = *since.get_or_insert(asked);
            let guard = self.inner.begin_shared_wait()?;
            let result =
                self.inner.with_wait_timeout(started, limit, receiver.wait_for(Option::is_some)).await;
            drop(guard);
            *connecting += now().saturating_duration_since(asked);
            match result.map_err(|after| NotSent::Connecting { after })?.as_deref() {
                Ok(Some(error)) => return Err(NotSent::Connection(error.clone()).into()),
                Ok(None) => {}
                // The sender is dropped without a value when a connection opens.
                Err(_) => vanished += 1,
            }
            acquired = self.inner.acquire(mode)?;
        }
    }
}
