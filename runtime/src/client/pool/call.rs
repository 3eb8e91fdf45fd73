//! How a [`Pool`] carries calls.
//!
//! Invariant: a call is made again here only if it was not sent, because the
//! connection that it was given turned out to be closed.

use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::super::call::{Answered, Call};
use super::super::connection::now;
use super::super::error::{CallError, ConnectionError, NotSent};
use super::super::outgoing::Outgoing;
use super::super::responses::FrameStream;
use super::opening::{Asks, Taken};
use super::{Pool, Share};
use crate::DecodeLimits;

/// How many closed connections one call tries before it says so.
const STALE: usize = 3;

/// How often one call is told by silence that there is a connection, and finds none.
const SILENT: usize = 2;

/// How often who waits for room looks by himself: an answer that comes for
/// nobody tells nobody.
const GLANCE: Duration = Duration::from_millis(20);

impl Call for Pool {
    async fn unary(&self, request: &Outgoing<'_>) -> Result<Answered, CallError> {
        self.timed_unary(request, &mut Duration::default()).await
    }

    async fn stream(&self, request: &Outgoing<'_>) -> Result<FrameStream, CallError> {
        loop {
            let lease = self.inner.lease(request.start_by()).await?;
            match lease.connection.stream(request).await {
                Ok(stream) => return Ok(stream.keeping(lease)),
                Err(error) => self.inner.failed_alone(&lease, error)?,
            }
        }
    }

    fn decode_limits(&self) -> DecodeLimits {
        self.inner.connector.decode_limits()
    }
}

impl Pool {
    /// Makes a unary call, and adds to `connecting` for how long it has waited for a
    /// connection to be made.
    pub(in super::super) async fn timed_unary(
        &self,
        request: &Outgoing<'_>,
        connecting: &mut Duration,
    ) -> Result<Answered, CallError> {
        if request.is_exclusive() {
            return self.alone(request).await;
        }
        let mut stale = 0;
        loop {
            let share = self.share(request.start_by(), connecting).await?;
            let answered = share.member.connection.answered();
            let error = match share.member.connection.unary(request).await {
                Err(error) if error.server_error().is_none() => error,
                result => return result,
            };
            if share.member.connection.closed().is_some() {
                self.inner.lock().members.remove(&share.member);
                if matches!(error, CallError::NotSent(NotSent::Connection(_))) && stale < STALE {
                    stale += 1;
                    continue;
                }
            }
            let silent = share.member.connection.answered() == answered;
            if silent && matches!(error, CallError::Timeout { sent: true, .. }) {
                self.inner.doubt(&share.member);
            }
            return Err(error);
        }
    }

    /// Makes a call that has a connection to itself.
    async fn alone(&self, request: &Outgoing<'_>) -> Result<Answered, CallError> {
        loop {
            let lease = self.inner.lease(request.start_by()).await?;
            match lease.connection.unary(request).await {
                Ok(answer) => return Ok(answer),
                Err(error) => self.inner.failed_alone(&lease, error)?,
            }
        }
    }

    /// A share of the connection that has the least to do, once there is one.
    /// Adds to `connecting` for how long it was waited for.
    pub(super) async fn share(
        &self,
        limit: Option<Instant>,
        connecting: &mut Duration,
    ) -> Result<Share<'_>, CallError> {
        let mut since = None;
        let (mut silent, mut ended) = (0, None);
        let mut asks = Asks::First;
        loop {
            let mut first = match self.inner.take(asks)? {
                Taken::Share(share) => return Ok(share),
                Taken::Crowded => {
                    let begun = *since.get_or_insert_with(now);
                    let _waits = self.inner.arrive()?;
                    let room = timeout(GLANCE, self.inner.room.notified());
                    // Who has waited for as long as he may takes what there is.
                    let in_time = self.inner.within(begun, limit, room).await.is_ok();
                    asks = if in_time { Asks::Again } else { Asks::Last };
                    continue;
                }
                Taken::First(first, reason) => {
                    ended = reason.or(ended);
                    first
                }
            };
            if silent >= SILENT {
                // They were made, and closed before this call got to them: why, they
                // know. Or there is nobody who could make one, as in a runtime that ends.
                return Err(NotSent::Connection(ended.unwrap_or(ConnectionError::Stopped)).into());
            }
            let asked = now();
            let begun = *since.get_or_insert(asked);
            let _waits = self.inner.arrive()?;
            let said = self.inner.within(begun, limit, first.wait_for(Option::is_some)).await;
            *connecting += now().saturating_duration_since(asked);
            match said.map_err(|after| NotSent::Connecting { after })?.as_deref() {
                Ok(Some(error)) => return Err(NotSent::Connection(error.clone()).into()),
                Ok(None) => {}
                // Where the sender has gone without a word, there is a connection.
                Err(_) => silent += 1,
            }
        }
    }
}
