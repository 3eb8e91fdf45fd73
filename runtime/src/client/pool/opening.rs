//! How connections for unary calls come and go.
//!
//! Invariant: while there is none and someone waits for one, one is being made,
//! and its maker tells all who wait what came of it.

use std::sync::{Arc, Weak};
use std::time::Instant;

use tokio::sync::watch;

use super::super::connection::now;
use super::super::error::{ConnectionError, NotSent};
use super::{Inner, Ordering, SWEEP, Share, State};

/// Where the makers of the first connection say why there is none; without a
/// word when there is one.
type First = watch::Receiver<Option<ConnectionError>>;

impl Inner {
    /// A share of an open connection, or where to wait for the first one.
    pub(super) fn take(self: &Arc<Self>) -> Result<Result<Share<'_>, First>, NotSent> {
        let mut state = self.lock();
        // `close` counts calls under the lock: it finds this one, or this finds that
        // the pool is closing.
        if self.closing.load(Ordering::Relaxed) {
            return Err(NotSent::Connection(ConnectionError::Stopped));
        }
        while let Some((member, load)) = state.members.take() {
            if member.connection.has_ended() {
                member.release();
                state.members.remove(&member);
                continue;
            }
            let all = state.members.len() + state.connecting;
            let wanted = load >= self.config.target_in_flight
                && all < self.max()
                && state.grows_after.is_none_or(|after| after <= now());
            let more = wanted.then(|| self.open(&mut state, None));
            drop(state);
            if let Some(opening) = more {
                self.spawn(opening);
            }
            return Ok(Ok(Share { member, inner: self }));
        }
        if let Some(first) = &state.first {
            return Ok(Err(first.clone()));
        }
        let (sender, first) = watch::channel(None);
        state.first = Some(first.clone());
        let opening = self.open(&mut state, Some(sender));
        drop(state);
        self.spawn(opening);
        Ok(Err(first))
    }

    /// Counts one more connection that is being made: [`Inner::spawn`] it, once
    /// nothing is locked.
    pub(super) fn open(
        self: &Arc<Self>,
        state: &mut State,
        first: Option<watch::Sender<Option<ConnectionError>>>,
    ) -> Opening {
        state.connecting += 1;
        // A task that held the pool would keep it alive.
        Opening { pool: Arc::downgrade(self), first }
    }

    /// Makes a connection in the background.
    pub(super) fn spawn(self: &Arc<Self>, opening: Opening) {
        let mut tasks = self.tasks();
        // Those that are over are kept until somebody looks.
        while tasks.try_join_next().is_some() {}
        tasks.spawn(connect(opening));
        drop(tasks);
        self.start_sweeping();
    }

    /// Looks after connections from now on.
    pub(super) fn start_sweeping(self: &Arc<Self>) {
        if !self.sweeping.swap(true, Ordering::Relaxed) {
            self.tasks().spawn(sweep(Arc::downgrade(self)));
        }
    }

    /// When a connection that is made now has had its time: up to a fifth
    /// later than others, so that they do not all go at once.
    pub(super) fn retires(&self, now: Instant) -> Option<Instant> {
        let lifetime = self.config.max_lifetime?;
        let least = lifetime.saturating_sub(lifetime / 5);
        now.checked_add(least.saturating_add(self.random.jitter(lifetime / 5 * 2)))
    }

    /// Closes what is not to be kept, and connects what is missing.
    fn sweep(self: &Arc<Self>) {
        let now = now();
        let idle = self.config.idle_timeout;
        let mut state = self.lock();
        let gone = state.members.sweep(now, idle, self.min(), |connection| connection.closed().is_some());
        let kept = std::mem::take(&mut state.idle);
        let (kept, idle) = kept.into_iter().partition(|kept| kept.is_fresh(now, idle));
        state.idle = kept;
        // One at a time: a node that is down is not to be asked for all of them
        // every second.
        let missing = !self.closing.load(Ordering::Relaxed)
            && state.members.len() < self.min()
            && state.connecting == 0;
        let opening = missing.then(|| self.open(&mut state, None));
        drop(state);
        drop((gone, idle));
        if let Some(opening) = opening {
            self.spawn(opening);
        }
    }
}

/// A connection that is being made: counted, and perhaps waited for, until this
/// is dropped.
pub(super) struct Opening {
    pool: Weak<Inner>,
    first: Option<watch::Sender<Option<ConnectionError>>>,
}

impl Drop for Opening {
    fn drop(&mut self) {
        let Some(inner) = self.pool.upgrade() else { return };
        let mut state = inner.lock();
        state.connecting -= 1;
        if self.first.is_some() {
            state.first = None;
        }
    }
}

async fn connect(opening: Opening) {
    let Some(inner) = opening.pool.upgrade() else { return };
    let (connector, node) = (Arc::clone(&inner.connector), inner.node.clone());
    drop(inner);
    let result = connector.connect(&node).await;
    let Some(inner) = opening.pool.upgrade() else { return };
    let error = match result {
        Ok(connection) => {
            inner.connects.fetch_add(1, Ordering::Relaxed);
            let now = now();
            let retires = inner.retires(now);
            let mut state = inner.lock();
            state.members.add(connection, now, retires);
            state.grows_after = None;
            return;
        }
        Err(error) => error,
    };
    inner.failures.fetch_add(1, Ordering::Relaxed);
    inner.lock().grows_after = now().checked_add(SWEEP);
    if let Some(first) = &opening.first {
        // Perhaps nobody waits any more.
        let _ = first.send(Some(error));
    }
}

async fn sweep(pool: Weak<Inner>) {
    let mut interval = tokio::time::interval(SWEEP);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        match pool.upgrade() {
            Some(inner) => inner.sweep(),
            None => return,
        }
    }
}
