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
        if self.closing.load(Ordering::Relaxed) {
            return Err(NotSent::Connection(ConnectionError::Stopped));
        }
        let mut state = self.lock();
        if let Some((member, load)) = state.members.take() {
            let all = state.members.len() + state.connecting;
            if load >= self.config.target_in_flight && all < self.max() {
                self.spawn_connect(&mut state, None);
            }
            return Ok(Ok(Share { member, inner: self }));
        }
        if let Some(first) = &state.first {
            return Ok(Err(first.clone()));
        }
        let (sender, first) = watch::channel(None);
        state.first = Some(first.clone());
        self.spawn_connect(&mut state, Some(sender));
        Ok(Err(first))
    }

    /// Starts to make one more connection.
    pub(super) fn spawn_connect(
        self: &Arc<Self>,
        state: &mut State,
        first: Option<watch::Sender<Option<ConnectionError>>>,
    ) {
        // Those that are over are kept until somebody looks.
        while state.tasks.try_join_next().is_some() {}
        state.connecting += 1;
        // A task that held the pool would keep it alive.
        let opening = Opening { pool: Arc::downgrade(self), first };
        state.tasks.spawn(connect(opening));
        if !state.sweeping {
            state.sweeping = true;
            state.tasks.spawn(sweep(Arc::downgrade(self)));
        }
    }

    /// When a connection that is made now has had its time: up to a fifth
    /// later than others, so that they do not all go at once.
    fn retires(&self, now: Instant) -> Option<Instant> {
        let lifetime = self.config.max_lifetime?;
        now.checked_add(lifetime.saturating_sub(lifetime / 5) + self.random.jitter(lifetime / 5 * 2))
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
        if !self.closing.load(Ordering::Relaxed) {
            // One at a time: a node that is down is not to be asked for all of
            // them every second.
            if state.members.len() < self.min() && state.connecting == 0 {
                self.spawn_connect(&mut state, None);
            }
        }
        drop(state);
        drop((gone, idle));
    }
}

/// A connection that is being made: counted, and perhaps waited for, until this
/// is dropped.
struct Opening {
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
            inner.lock().members.add(connection, now, retires);
            return;
        }
        Err(error) => error,
    };
    inner.failures.fetch_add(1, Ordering::Relaxed);
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
