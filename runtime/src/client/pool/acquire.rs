//! How a unary call gets its share of a connection.
//!
//! Mostly it only chooses one of the open connections and counts itself there. It takes the
//! pool's lock if more is to be done: open a connection, remove one, or wait.
//!
//! Invariant: a call that gets a share is counted before the pool, if it is closing, looks
//! whether calls are left.

use std::sync::{Arc, PoisonError};

use tokio::sync::watch;

use super::super::connection::{Connection, now};
use super::super::error::{ConnectionError, NotSent};
use super::open::{SharedConnection, least_loaded};
use super::state::State;
use super::{Inner, Ordering, Share};

/// How a unary call asks for a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum AcquireMode {
    /// For the first time.
    First,
    /// Again, after waiting for room.
    Retry,
    /// For the last time, after its wait timed out: it takes any open connection.
    Final,
}

/// What a unary call gets when it asks.
pub(super) enum Acquired<'p> {
    /// A share of an open connection.
    Share(Share<'p>),
    /// None is open, but one is being opened: the receiver hears of it. The error
    /// says why the last unusable connection was closed.
    Connecting(watch::Receiver<Option<ConnectionError>>, Option<ConnectionError>),
    /// All open connections are crowded, and another one is being opened.
    Crowded,
}

impl Inner {
    /// Returns a share of an open connection, or what to wait for.
    pub(super) fn acquire(self: &Arc<Self>, mode: AcquireMode) -> Result<Acquired<'_>, NotSent> {
        // Written only if it has to be: all cores share the cache line.
        if self.refill_paused.load(Ordering::Relaxed) {
            self.refill_paused.store(false, Ordering::Relaxed);
        }
        match self.acquire_at_once() {
            Some(share) => Ok(Acquired::Share(share)),
            None => self.acquire_locked(mode),
        }
    }

    /// Returns a share of an open connection if nothing else is to be done for the call:
    /// no connection has to be opened, removed or waited for.
    fn acquire_at_once(&self) -> Option<Share<'_>> {
        // A refused call must not be counted: enough of them would keep `close` waiting.
        let is_refused = self.closing.load(Ordering::Relaxed);
        if is_refused || self.in_line.load(Ordering::Relaxed) > 0 || !self.sweeping.load(Ordering::Relaxed) {
            return None;
        }
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let target = self.config.target_in_flight;
        let (shared, load) = least_loaded(&open.connections, target, Connection::owed)?;
        if load >= target && !open.is_settled {
            return None;
        }
        let shared = Arc::clone(shared);
        drop(open);
        self.begin_call(shared)
    }

    /// Counts a call on a connection that was chosen without the lock. Returns nothing if
    /// the connection must get no call any more.
    fn begin_call(&self, shared: Arc<SharedConnection<Connection>>) -> Option<Share<'_>> {
        shared.begin();
        let share = Share { shared, inner: self };
        // Checked once the call is counted: either `close` waits for it, or it finds that
        // the pool is closing. The same holds for the connection's removal.
        let is_usable = !self.closing.load(Ordering::SeqCst)
            && !share.shared.is_removed()
            && !share.shared.connection.has_ended();
        is_usable.then_some(share)
    }

    /// Returns a share of an open connection, or what to wait for. Opens another
    /// connection if the call needs it.
    fn acquire_locked(self: &Arc<Self>, mode: AcquireMode) -> Result<Acquired<'_>, NotSent> {
        let mut state = self.lock();
        // `close` counts calls under the lock: either it finds this one, or this
        // check finds that the pool is closing.
        if self.closing.load(Ordering::Relaxed) {
            return Err(NotSent::Connection(ConnectionError::Stopped));
        }
        let target = self.config.target_in_flight;
        while let Some((shared, load)) = state.connections.acquire(target, Connection::owed) {
            if shared.connection.has_ended() {
                shared.release();
                state.connections.remove(&shared);
                state.last_close = shared.connection.closed();
                continue;
            }
            // A call asks for one additional connection, however often it asks
            // again.
            let wanted = (mode == AcquireMode::First || state.opening_shared == 0)
                && load >= target
                && self.may_grow(&state);
            let opening = wanted.then(|| self.begin_opening(&mut state));
            let crowded = mode != AcquireMode::Final && self.is_crowded(&state, load, mode);
            // Before anything that may panic, as spawning a task outside of a runtime does:
            // the share ends the count of the call.
            let acquired = if crowded {
                shared.release();
                Acquired::Crowded
            } else {
                Acquired::Share(Share { shared, inner: self })
            };
            drop(state);
            if let Some(opening) = opening {
                self.spawn_opening(opening);
            }
            self.start_sweeping();
            return Ok(acquired);
        }
        let receiver = state.first_result.get_or_insert_with(|| watch::channel(None).0).subscribe();
        // Only one is opened, however many calls wait: more would only burden a
        // node that is down, or that rejects the password.
        let opening = (state.opening_shared == 0).then(|| self.begin_opening(&mut state));
        let ended = state.last_close.clone();
        drop(state);
        if let Some(opening) = opening {
            self.spawn_opening(opening);
        }
        Ok(Acquired::Connecting(receiver, ended))
    }

    /// Reports whether another connection may be opened beside those that are open.
    pub(super) fn may_grow(&self, state: &State) -> bool {
        state.connections.len() + state.opening_shared < self.max()
            && state.grow_after.is_none_or(|after| after <= now())
    }

    /// Removes a connection on which a call timed out while no answer came, if the
    /// pool has no room to open another one beside it.
    pub(super) fn remove_if_unresponsive(&self, shared: &Arc<SharedConnection<Connection>>) {
        let mut state = self.lock();
        let full = state.connections.len() + state.opening_shared >= self.max();
        // A single such call may have been slow by itself.
        if full && shared.connection.owed() > 1 {
            state.connections.remove(shared);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::config::ConnectionConfig;
    use super::super::super::connector::TcpConnector;
    use super::super::{Pool, PoolConfig};
    use super::*;

    /// The lock is held all the time, so that a call that took it would never return.
    #[test]
    fn calls_take_no_lock_unless_more_is_to_be_done() {
        let node = "localhost:1".parse().unwrap();
        let config = PoolConfig::new().max_connections(2).target_in_flight(1);
        let pool = Pool::new(node, Arc::new(TcpConnector::default()), config);
        let inner = &pool.inner;
        let shares = |count: usize| {
            let _locked = inner.lock();
            (0..count).filter_map(|_| inner.acquire_at_once()).collect::<Vec<_>>()
        };
        let add = || {
            let (connection, driver) = Connection::new(tokio::io::empty(), ConnectionConfig::new());
            inner.lock().connections.add(connection, now(), None);
            driver
        };
        let _first = add();
        assert!(shares(1).is_empty(), "the sweep task is to be spawned");
        inner.sweeping.store(true, Ordering::Relaxed);
        assert_eq!(shares(3).len(), 1, "the second call has another connection opened");
        let second = add();
        assert_eq!(shares(9).len(), 9, "no other may be opened");
        inner.lock().opening_shared = 1;
        assert_eq!(shares(9).len(), 2, "the third call may have to wait");
        inner.lock().opening_shared = 0;
        inner.in_line.store(1, Ordering::Relaxed);
        assert!(shares(1).is_empty(), "others wait");
        inner.in_line.store(0, Ordering::Relaxed);
        let chosen = || inner.lock().connections.iter().next().map(Arc::clone).unwrap();
        let removed = chosen();
        inner.lock().connections.remove(&removed);
        assert!(inner.begin_call(Arc::clone(&removed)).is_none(), "it was removed meanwhile");
        assert_eq!(removed.in_flight(), 0);
        drop(second);
        assert!(shares(1).is_empty(), "its driver has ended");
        let ended = chosen();
        inner.lock().connections.remove(&ended);
        assert!(inner.open.read().unwrap().connections.is_empty(), "it would never be closed");
        let _third = add();
        assert_eq!(shares(1).len(), 1);
        let (third, calls) = (chosen(), chosen().calls());
        inner.closing.store(true, Ordering::Relaxed);
        assert!(shares(1).is_empty(), "the pool is closing");
        assert_eq!(third.calls(), calls, "`close` would wait for calls that are refused");
        assert!(inner.begin_call(third).is_none(), "the pool has been closed meanwhile");
    }
}
