//! [`SharedConnections`]: the connections that unary calls share.
//!
//! Decides which of them have expired. There is no clock, no socket and no lock in
//! here. Invariant: a removed connection stays open for the calls that it carries,
//! and gets no more.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::open::{SharedConnection, least_loaded};

/// How long a connection may owe answers without giving one before it counts as
/// dead. That is much longer than most answers take, and than a reconnect, which is
/// all that a wrong guess costs.
const MAX_SILENCE: Duration = Duration::from_secs(5);

/// The state of a connection, apart from the calls on it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ConnectionStatus {
    pub(super) broken: bool,
    /// Answers whose callers have gone away.
    pub(super) owed: usize,
    /// Answers received.
    pub(super) answered: u64,
}

#[derive(Debug)]
struct Entry<C> {
    shared: Arc<SharedConnection<C>>,
    /// When it is removed even if it is in use.
    retires_at: Option<Instant>,
    /// The number of its calls at the last sweep that found it in use, and the time of
    /// that sweep.
    idle_since: (usize, Instant),
    /// While answers are owed: the number of answers received, and since when it
    /// has stayed the same.
    silent_since: Option<(u64, Instant)>,
}

impl<C> Entry<C> {
    /// Reports whether it has owed answers for too long without giving any.
    fn is_silent(&mut self, status: ConnectionStatus, now: Instant) -> bool {
        match self.silent_since {
            _ if status.owed == 0 => self.silent_since = None,
            Some((answered, since)) if answered == status.answered => {
                return now.saturating_duration_since(since) >= MAX_SILENCE;
            }
            _ => self.silent_since = Some((status.answered, now)),
        }
        false
    }
}

#[derive(Debug)]
pub(super) struct SharedConnections<C> {
    entries: Vec<Entry<C>>,
    /// Removed connections that still carry calls.
    draining: Vec<Entry<C>>,
    /// Whether connections have been added or removed since
    /// [`SharedConnections::take_change`].
    has_changed: bool,
}

impl<C> SharedConnections<C> {
    pub(super) fn new() -> Self {
        Self { entries: Vec::new(), draining: Vec::new(), has_changed: false }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns the number of calls in flight, including those on removed
    /// connections.
    pub(super) fn in_flight(&self) -> usize {
        self.entries.iter().chain(&self.draining).map(|entry| entry.shared.in_flight()).sum()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<SharedConnection<C>>> {
        self.entries.iter().map(|entry| &entry.shared)
    }

    /// Reports whether connections have been added or removed since this was last asked.
    pub(super) fn take_change(&mut self) -> bool {
        std::mem::take(&mut self.has_changed)
    }

    pub(super) fn add(&mut self, connection: C, now: Instant, retires_at: Option<Instant>) {
        let shared = Arc::new(SharedConnection::new(connection));
        self.entries.push(Entry { shared, retires_at, idle_since: (0, now), silent_since: None });
        self.has_changed = true;
    }

    /// Counts a call on the connection with the lowest load. Returns the connection
    /// and the load that it had.
    pub(super) fn acquire(
        &self,
        target: usize,
        owed: impl Fn(&C) -> usize,
    ) -> Option<(Arc<SharedConnection<C>>, usize)> {
        let (shared, load) = least_loaded(self.iter(), target, owed)?;
        shared.begin();
        Some((Arc::clone(shared), load))
    }

    /// Returns the lowest load of a connection.
    pub(super) fn lowest_load(&self, target: usize, owed: impl Fn(&C) -> usize) -> Option<usize> {
        self.iter().map(|shared| shared.load(target, &owed)).min()
    }

    /// Removes a connection, which gets no more calls.
    pub(super) fn remove(&mut self, shared: &Arc<SharedConnection<C>>) {
        let removed: Vec<_> =
            self.entries.extract_if(.., |entry| Arc::ptr_eq(&entry.shared, shared)).collect();
        self.retire(removed);
    }

    /// Lets entries that were removed carry the calls that they have.
    fn retire(&mut self, removed: Vec<Entry<C>>) {
        self.has_changed |= !removed.is_empty();
        for entry in removed {
            // Before it is looked at: a call may be choosing it.
            entry.shared.mark_removed();
            if entry.shared.in_flight() != 0 {
                self.draining.push(entry);
            }
        }
    }

    /// Removes connections that have expired, are broken or seem dead, and those
    /// beyond the minimum that have been idle for too long. Returns them, together
    /// with earlier ones whose last call has ended.
    pub(super) fn sweep(
        &mut self,
        now: Instant,
        idle: Option<Duration>,
        min: usize,
        status: impl Fn(&C) -> ConnectionStatus,
    ) -> Vec<Arc<SharedConnection<C>>> {
        let drained: Vec<_> = self.draining.extract_if(.., |entry| entry.shared.in_flight() == 0).collect();
        let mut out: Vec<_> = self
            .entries
            .extract_if(.., |entry| {
                let status = status(&entry.shared.connection);
                status.broken
                    || entry.retires_at.is_some_and(|retires_at| retires_at <= now)
                    || entry.is_silent(status, now)
            })
            .collect();
        let mut spare = self.entries.len().saturating_sub(min);
        // From the end, where the connections that are needed least are.
        for index in (0..self.entries.len()).rev() {
            let entry = &mut self.entries[index];
            let calls = entry.shared.calls();
            if entry.shared.in_flight() != 0 || calls != entry.idle_since.0 {
                entry.idle_since = (calls, now);
            } else if spare > 0
                && idle.is_some_and(|idle| now.saturating_duration_since(entry.idle_since.1) >= idle)
            {
                spare -= 1;
                out.push(self.entries.remove(index));
            }
        }
        let gone = drained.iter().chain(&out).map(|entry| Arc::clone(&entry.shared)).collect();
        self.retire(out);
        gone
    }

    /// Removes all connections.
    pub(super) fn clear(&mut self) -> Vec<Arc<SharedConnection<C>>> {
        self.has_changed = true;
        let removed = self.entries.drain(..).inspect(|entry| entry.shared.mark_removed());
        removed.chain(self.draining.drain(..)).map(|entry| entry.shared).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new_connections(count: usize, now: Instant) -> SharedConnections<usize> {
        let mut connections = SharedConnections::new();
        for number in 0..count {
            connections.add(number, now, None);
        }
        connections
    }

    #[test]
    fn silent_connections_that_owe_answers_are_removed() {
        let start = Instant::now();
        let mut connections = new_connections(3, start);
        let mut sweep = |seconds: u64| {
            let now = start + Duration::from_secs(seconds);
            // The first is dead, the second answers, the third owes nothing.
            let gone = connections.sweep(now, None, 3, |&number| match number {
                0 => ConnectionStatus { owed: 1, ..ConnectionStatus::default() },
                1 => ConnectionStatus { owed: 1, answered: seconds, ..ConnectionStatus::default() },
                _ => ConnectionStatus::default(),
            });
            gone.iter().map(|shared| shared.connection).collect::<Vec<_>>()
        };
        assert!((1..6).all(|seconds| sweep(seconds).is_empty()));
        assert_eq!(sweep(6), [0]);
        assert!((7..20).all(|seconds| sweep(seconds).is_empty()));
    }

    #[test]
    fn idle_connections_beyond_the_minimum_are_removed() {
        let (start, idle) = (Instant::now(), Some(Duration::from_secs(10)));
        let mut connections = new_connections(4, start);
        let busy = connections.acquire(4, |_| 0).unwrap().0;
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(connections.sweep(at(9), idle, 1, |_| ConnectionStatus::default()).is_empty());
        let gone: Vec<_> = connections
            .sweep(at(10), idle, 2, |_| ConnectionStatus::default())
            .iter()
            .map(|m| m.connection)
            .collect();
        assert_eq!(gone, [3, 2]);
        // In use at the last sweep, so its idle time begins with this one.
        busy.release();
        assert_eq!(connections.sweep(at(19), idle, 0, |_| ConnectionStatus::default()).len(), 1);
        assert_eq!(connections.len(), 1);
        assert!(
            connections.sweep(at(20), idle, 0, |_| ConnectionStatus::default()).len() == 1
                && connections.len() == 0
        );
    }

    #[test]
    fn expired_or_broken_connections_are_removed_even_if_busy() {
        let start = Instant::now();
        let mut connections = SharedConnections::new();
        connections.add(0, start, Some(start + Duration::from_secs(1)));
        connections.add(1, start, None);
        connections.add(2, start, None);
        let old = connections.acquire(4, |_| 0).unwrap().0;
        let gone = connections.sweep(start + Duration::from_secs(1), None, 3, |&number| ConnectionStatus {
            broken: number == 2,
            ..ConnectionStatus::default()
        });
        assert_eq!(gone.iter().map(|shared| shared.connection).collect::<Vec<_>>(), [0, 2]);
        assert_eq!(connections.acquire(4, |_| 0).unwrap().0.connection, 1);
        // It stays in the count until it is released, and is then forgotten.
        assert_eq!((connections.in_flight(), connections.draining.len()), (2, 1));
        old.release();
        assert_eq!(connections.in_flight(), 1);
        connections.sweep(start, None, 3, |_| ConnectionStatus::default());
        assert!(connections.draining.is_empty());
    }
}
