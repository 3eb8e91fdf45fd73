//! [`OpenConnections`]: what unary calls choose a connection from, without the pool's lock.
//!
//! If every call of every thread took the lock, threads would wait for each other. Whoever
//! changes the connections under the lock therefore publishes them, and a call chooses one
//! of those published and counts itself there.
//!
//! The only sign of a dead connection is that it owes answers whose callers have given up.
//! Owed answers therefore weigh heavily, and twice as much with each one: a dead connection
//! gets next to no calls, and one that is merely slow gets calls again as it answers.
//!
//! Invariant: if a connection is removed while a call chooses it, either the call finds it
//! removed, or whoever removes it finds it in use.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The connections that a call may choose from.
#[derive(Debug)]
pub(super) struct OpenConnections<C> {
    pub(super) connections: Vec<Arc<SharedConnection<C>>>,
    /// Whether no other connection is being opened, nor may be.
    pub(super) is_settled: bool,
}

impl<C> Default for OpenConnections<C> {
    fn default() -> Self {
        Self { connections: Vec::new(), is_settled: false }
    }
}

/// A connection and the number of its calls.
///
/// The counters are `SeqCst`: of a thread that writes one of them and then reads what
/// another thread writes, and that thread doing the reverse, at least one must see what the
/// other wrote. That holds for calls and the removal of their connection, and for calls and
/// those that wait for them to end.
#[derive(Debug)]
pub(super) struct SharedConnection<C> {
    pub(super) connection: C,
    /// Calls that have begun.
    begun: AtomicUsize,
    /// Calls that have ended.
    ended: AtomicUsize,
    is_removed: AtomicBool,
}

impl<C> SharedConnection<C> {
    pub(super) fn new(connection: C) -> Self {
        let (begun, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { connection, begun, ended, is_removed: AtomicBool::new(false) }
    }

    /// Counts a call as begun.
    pub(super) fn begin(&self) {
        self.begun.fetch_add(1, Ordering::SeqCst);
    }

    /// Counts a call as ended.
    pub(super) fn release(&self) {
        self.ended.fetch_add(1, Ordering::SeqCst);
    }

    /// Returns the number of calls that have begun.
    pub(super) fn calls(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    /// Returns the number of calls that have begun and not ended.
    pub(super) fn in_flight(&self) -> usize {
        // In this order, so that the difference is never negative.
        let ended = self.ended.load(Ordering::SeqCst);
        self.calls().wrapping_sub(ended)
    }

    /// Records that the connection gets no more calls.
    pub(super) fn mark_removed(&self) {
        self.is_removed.store(true, Ordering::SeqCst);
    }

    /// Reports whether the connection gets no more calls. A call asks this once it has
    /// begun.
    pub(super) fn is_removed(&self) -> bool {
        self.is_removed.load(Ordering::SeqCst)
    }

    /// Returns its calls in flight, plus what its owed answers add.
    pub(super) fn load(&self, target: usize, owed: impl Fn(&C) -> usize) -> usize {
        self.in_flight().saturating_add(self.owed_load(target, owed))
    }

    /// Returns several times `target` if it owes answers.
    fn owed_load(&self, target: usize, owed: impl Fn(&C) -> usize) -> usize {
        match owed(&self.connection) {
            0 => 0,
            owed => target.max(1).saturating_mul(2 << owed.min(16)),
        }
    }
}

/// Returns the connection with the lowest load, and its load.
///
/// Among equals the first one wins: with little to do, the others become idle.
pub(super) fn least_loaded<'c, C: 'c>(
    connections: impl IntoIterator<Item = &'c Arc<SharedConnection<C>>>,
    target: usize,
    owed: impl Fn(&C) -> usize,
) -> Option<(&'c Arc<SharedConnection<C>>, usize)> {
    let mut best: Option<(&Arc<SharedConnection<C>>, usize)> = None;
    for shared in connections {
        let is_lowest = |load| best.is_none_or(|(_, least)| load < least);
        let in_flight = shared.in_flight();
        // Owed answers only add to the load, and are further away in memory.
        if !is_lowest(in_flight) {
            continue;
        }
        let load = in_flight.saturating_add(shared.owed_load(target, &owed));
        if is_lowest(load) {
            best = Some((shared, load));
            if load == 0 {
                break;
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn new_connections(count: usize) -> Vec<Arc<SharedConnection<usize>>> {
        (0..count).map(|number| Arc::new(SharedConnection::new(number))).collect()
    }

    /// Begins a call. Returns the number of its connection and the load that it had.
    fn begin(connections: &[Arc<SharedConnection<usize>>], owed: impl Fn(&usize) -> usize) -> (usize, usize) {
        let (shared, load) = least_loaded(connections, 4, owed).unwrap();
        shared.begin();
        (shared.connection, load)
    }

    #[test]
    fn least_loaded_wins_and_ties_go_to_the_first() {
        let connections = new_connections(3);
        let order: Vec<_> = (0..7).map(|_| begin(&connections, |_| 0)).collect();
        assert_eq!(order, [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1), (0, 2)]);
        connections[1].release();
        connections[1].release();
        assert_eq!(begin(&connections, |_| 0), (1, 0));
        assert_eq!(connections.iter().map(|shared| shared.in_flight()).collect::<Vec<_>>(), [3, 1, 2]);
        assert!(least_loaded(&new_connections(0), 4, |_| 0).is_none());
    }

    #[test]
    fn connections_that_owe_answers_are_avoided_and_count_as_busy() {
        // Full at once, whatever the target.
        for target in [0, 1, 4, 1000] {
            assert!(new_connections(1)[0].load(target, |_| 1) >= target.max(1) * 4);
        }
        assert_eq!(new_connections(1)[0].load(usize::MAX, |_| usize::MAX), usize::MAX);
        let connections = new_connections(2);
        let owed = |owed: usize| move |&number: &usize| if number == 0 { owed } else { 0 };
        for _ in 0..60 {
            assert_eq!(begin(&connections, owed(3)).0, 1);
        }
        // A dead connection that gets a call now and then gets ever fewer.
        for _ in 0..100 {
            assert_eq!(begin(&connections, owed(5)).0, 1);
        }
        assert_eq!(begin(&connections, owed(0)).0, 0);
    }

    /// With a weaker ordering of the removal, both sides miss each other now and then.
    #[test]
    fn a_call_and_a_removal_at_the_same_time_do_not_miss_each_other() {
        let connections: Vec<_> = (0..20_000).map(|_| SharedConnection::new(())).collect();
        let arrivals = AtomicUsize::new(0);
        // Both sides act on the same connection at the same time.
        let visit = |act: fn(&SharedConnection<()>) -> bool| -> Vec<bool> {
            let meet = |(index, shared)| {
                arrivals.fetch_add(1, Ordering::SeqCst);
                while arrivals.load(Ordering::SeqCst) < 2 * (index + 1) {
                    thread::yield_now();
                }
                act(shared)
            };
            connections.iter().enumerate().map(meet).collect()
        };
        let (found_removed, found_in_use) = thread::scope(|scope| {
            let calls = scope.spawn(|| {
                visit(|shared| {
                    shared.begin();
                    shared.is_removed()
                })
            });
            let found_in_use = visit(|shared| {
                shared.mark_removed();
                shared.in_flight() != 0
            });
            (calls.join().unwrap(), found_in_use)
        });
        assert!(found_removed.iter().zip(&found_in_use).all(|(removed, in_use)| *removed || *in_use));
    }
}
