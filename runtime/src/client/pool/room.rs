//! How unary calls wait for room while all open connections are crowded and another one is
//! being opened.
//!
//! The calls form a line, which later calls join at its end. Invariant: while there is room
//! and calls are in line, one of them has been woken. Whatever makes room wakes the first
//! call, and so does a call that leaves the line, so that neither all calls are woken for
//! room that few of them get, nor any call has to look by itself. A call that finds its room
//! taken goes to the end of the line: that happens only if others were woken for it as well.

use std::pin::pin;

use super::super::connection::Connection;
use super::super::error::NotSent;
use super::acquire::AcquireMode;
use super::lease::WaitGuard;
use super::state::State;
use super::{Inner, Ordering};

/// The multiple of its target load at which a connection gets no more calls while
/// another one is being opened: queued calls never move to another connection.
const CROWDED_FACTOR: usize = 4;

/// A call's place in the line, until it has its share or gives up.
pub(super) struct InLine<'p> {
    inner: &'p Inner,
    /// Whether nobody was in line before.
    is_first: bool,
    _waiting: WaitGuard<'p>,
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        if self.inner.in_line.fetch_sub(1, Ordering::SeqCst) > 1 {
            self.inner.wake_waiters();
        }
    }
}

impl Inner {
    /// Puts the caller in line, unless too many calls wait already.
    pub(super) fn get_in_line(&self) -> Result<InLine<'_>, NotSent> {
        let waiting = self.begin_shared_wait()?;
        let is_first = self.in_line.fetch_add(1, Ordering::SeqCst) == 0;
        Ok(InLine { inner: self, is_first, _waiting: waiting })
    }

    /// Waits until a call that is in line is woken.
    pub(super) async fn wait_for_room(&self, place: &InLine<'_>) {
        let mut woken = pin!(self.room.notified());
        woken.as_mut().enable();
        // Either `close` wakes this call, or the call sees that the pool is closing.
        if self.closing.load(Ordering::SeqCst) {
            return;
        }
        // Room that was made while nobody was in line has woken nobody.
        if place.is_first {
            self.wake_waiters();
        }
        woken.await;
    }

    /// Wakes the first call in line if there is room, and all if there is room for all.
    pub(super) fn wake_waiters(&self) {
        let state = self.lock();
        // See `SharedConnection`.
        if self.in_line.load(Ordering::SeqCst) == 0 {
            return;
        }
        let is_settled = state.opening_shared == 0;
        let for_all = is_settled && !self.may_grow(&state);
        let load = state.connections.lowest_load(self.config.target_in_flight, Connection::owed);
        let for_one = is_settled || load.is_some_and(|load| !self.is_full(load));
        drop(state);
        if for_all {
            self.room.notify_waiters();
        }
        // This also reaches a call that is in line but not waiting yet.
        if for_one {
            self.room.notify_one();
        }
    }

    /// Reports whether a call has to wait although the connection with the lowest load has
    /// this `load`.
    pub(super) fn is_crowded(&self, state: &State, load: usize, mode: AcquireMode) -> bool {
        let is_last = mode == AcquireMode::First && self.in_line.load(Ordering::Relaxed) > 0;
        state.opening_shared > 0 && (self.is_full(load) || is_last)
    }

    /// Reports whether this load is too high for another call while a connection is being
    /// opened.
    fn is_full(&self, load: usize) -> bool {
        load >= self.config.target_in_flight.max(1).saturating_mul(CROWDED_FACTOR)
    }
}
